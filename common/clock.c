/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t read_ms(clockid_t clock)
{
    struct timespec now;

    /* Fails only for a clock that the kernel does not have. */
    if (clock_gettime(clock, &now) != 0)
        abort();
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t clock_monotonic_ms(void)
{
    return (uint64_t)read_ms(CLOCK_MONOTONIC);
}

uint64_t clock_boot_ms(void)
{
    return (uint64_t)read_ms(CLOCK_BOOTTIME);
}

int64_t clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

static void write_text(time_t wall_s, int milliseconds, char text[CLOCK_TEXT_SIZE])
{
    struct tm local;
    char date[24] = "", zone[8] = "", fraction[8] = "";

    if (localtime_r(&wall_s, &local) != NULL) {
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &local);
        strftime(zone, sizeof(zone), "%z", &local);
    }
    if (milliseconds >= 0)
        snprintf(fraction, sizeof(fraction), ".%03d", milliseconds % 1000);
    /* %z has no colon, ISO 8601 in its extended form wants one. */
    snprintf(text, CLOCK_TEXT_SIZE, "%s%s%.3s:%s", date, fraction, zone, strlen(zone) == 5 ? zone + 3 : "00");
}

void clock_text(int64_t wall_ms, char text[CLOCK_TEXT_SIZE])
{
    write_text((time_t)(wall_ms / 1000), (int)(wall_ms % 1000), text);
}

void clock_text_s(time_t wall_s, char text[CLOCK_TEXT_SIZE])
{
    write_text(wall_s, -1, text);
}
