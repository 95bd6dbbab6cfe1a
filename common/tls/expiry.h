/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arithmetic and words about the end of a certificate's validity. Pure: the current time is an
 * argument. Used for status output and for the daily warning of the daemons. All times are seconds
 * since 1970 UTC.
 */
#ifndef QUORATE_COMMON_TLS_EXPIRY_H
#define QUORATE_COMMON_TLS_EXPIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* How long before the end the warnings begin. */
#define EXPIRY_WARN_DAYS 30

enum expiry_state {
    EXPIRY_NOT_YET_VALID,
    EXPIRY_VALID,
    EXPIRY_SOON, /* valid, at most EXPIRY_WARN_DAYS days left: warn */
    EXPIRY_EXPIRED
};

/* Enough for every text of expiry_text. */
#define EXPIRY_TEXT_SIZE 80

enum expiry_state expiry_check(time_t not_before, time_t not_after, time_t now);

/* Whole days from now to not_after, rounded down; negative after it (-1: less than a day ago). */
long long expiry_days_left(time_t not_after, time_t now);

/*
 * "expires 2026-12-01 (9 days left)", "expired 2026-11-20 (2 days ago)", "not valid before 2026-12-24
 * (in 3 days)", always terminated. Dates are UTC.
 */
void expiry_text(time_t not_before, time_t not_after, time_t now, char *text, size_t size);

#endif
