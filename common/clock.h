/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clocks of the shells. Logic gets its time from here, inside events, and never by itself.
 */
#ifndef QUORATE_COMMON_CLOCK_H
#define QUORATE_COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC in milliseconds: for deadlines. Never goes back. */
uint64_t clock_monotonic_ms(void);

/* CLOCK_BOOTTIME in milliseconds: comparable between processes of one boot, goes on during suspend. */
uint64_t clock_boot_ms(void);

/* CLOCK_REALTIME in milliseconds since 1970: only to be shown to people or compared by them. */
int64_t clock_wall_ms(void);

/* "2026-11-22T08:43:49.123+01:00", local time with its zone, or without the milliseconds. */
#define CLOCK_TEXT_SIZE 40
void clock_text(int64_t wall_ms, char text[CLOCK_TEXT_SIZE]);
void clock_text_s(time_t wall_s, char text[CLOCK_TEXT_SIZE]);

#endif
