/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far two machines' clocks are apart, from a question and its answer: the time here before and after, and the time that the
 * other one said in between. Pure; a value. All times are in milliseconds since 1970. Used by --check.
 */
#ifndef QUORATE_CERTS_LOGIC_CLOCK_GAP_H
#define QUORATE_CERTS_LOGIC_CLOCK_GAP_H

#include <stdbool.h>
#include <stdint.h>

/* More than this deserves a word; certificates are made to be valid at once. */
#define CLOCK_GAP_WIDE_MS 60000
#define CLOCK_GAP_TEXT_SIZE 64

struct clock_gap {
    int64_t ahead_ms; /* of the other clock; negative: it is behind */
    int64_t slack_ms; /* by so much the figure may be wrong, either way; not negative */
};

/* after_ms < before_ms: the clock here was set meanwhile; the slack covers that. */
struct clock_gap clock_gap_of(int64_t before_ms, int64_t other_ms, int64_t after_ms);

/* More than CLOCK_GAP_WIDE_MS apart, whatever the slack. */
bool clock_gap_is_wide(const struct clock_gap *gap);

/* The distance, to be put before "ahead" or "behind": "0.3 seconds", "75 seconds", "12 minutes", "5 hours", "400 days". */
void clock_gap_text(const struct clock_gap *gap, char text[CLOCK_GAP_TEXT_SIZE]);

/* What the gap does to something that is valid between two times, in seconds since 1970, both included. */
enum clock_gap_effect {
    CLOCK_GAP_NO_EFFECT,  /* both clocks say the same of it */
    CLOCK_GAP_GOOD_HERE,  /* it is valid by the clock here only */
    CLOCK_GAP_GOOD_THERE, /* it is valid by the other clock only */
};
enum clock_gap_effect clock_gap_effect(const struct clock_gap *gap, int64_t here_ms, int64_t not_before_s, int64_t not_after_s);

#endif
