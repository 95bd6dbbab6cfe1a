/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/tls/expiry.h"

#include <stdio.h>

#define SECONDS_PER_DAY 86400

enum expiry_state expiry_check(time_t not_before, time_t not_after, time_t now)
{
    if (now > not_after)
        return EXPIRY_EXPIRED;
    if (now < not_before)
        return EXPIRY_NOT_YET_VALID;
    return not_after - now <= EXPIRY_WARN_DAYS * SECONDS_PER_DAY ? EXPIRY_SOON : EXPIRY_VALID;
}

static long long floor_days(long long seconds)
{
    long long days = seconds / SECONDS_PER_DAY;

    return seconds % SECONDS_PER_DAY < 0 ? days - 1 : days;
}

long long expiry_days_left(time_t not_after, time_t now)
{
    return floor_days((long long)not_after - (long long)now);
}

/*
 * Civil date of a day number since 1970-01-01 in the proleptic Gregorian calendar. Written out because
 * gmtime_r consults the time zone database of the machine. Counting years from March puts the leap day
 * last, so that month lengths follow one formula.
 */
static void format_date(time_t when, char text[32])
{
    long long days = floor_days((long long)when) + 719468; /* since 0000-03-01 */
    long long era = (days >= 0 ? days : days - 146096) / 146097;
    long long day_of_era = days - era * 146097;
    long long year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    long long day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month_from_march = (int)((5 * day_of_year + 2) / 153);
    int day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    int month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

    snprintf(text, 32, "%04lld-%02d-%02d", year_of_era + era * 400 + (month <= 2), month, day);
}

void expiry_text(time_t not_before, time_t not_after, time_t now, char *text, size_t size)
{
    char date[32];
    long long days;

    switch (expiry_check(not_before, not_after, now)) {
    case EXPIRY_EXPIRED:
        format_date(not_after, date);
        days = floor_days((long long)now - (long long)not_after);
        if (days == 0)
            snprintf(text, size, "expired %s (today)", date);
        else
            snprintf(text, size, "expired %s (%lld day%s ago)", date, days, days == 1 ? "" : "s");
        return;
    case EXPIRY_NOT_YET_VALID:
        format_date(not_before, date);
        days = floor_days((long long)not_before - (long long)now);
        snprintf(text, size, "not valid before %s (in %lld day%s)", date, days, days == 1 ? "" : "s");
        return;
    case EXPIRY_VALID:
    case EXPIRY_SOON:
        format_date(not_after, date);
        days = expiry_days_left(not_after, now);
        snprintf(text, size, "expires %s (%lld day%s left)", date, days, days == 1 ? "" : "s");
        return;
    }
}
