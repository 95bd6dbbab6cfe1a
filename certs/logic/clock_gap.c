/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/clock_gap.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t distance(const struct clock_gap *gap)
{
    return gap->ahead_ms < 0 ? (uint64_t)-gap->ahead_ms : (uint64_t)gap->ahead_ms;
}

struct clock_gap clock_gap_of(int64_t before_ms, int64_t other_ms, int64_t after_ms)
{
    int64_t half_ms = (after_ms - before_ms) / 2;

    return (struct clock_gap){.ahead_ms = other_ms - (before_ms + half_ms), .slack_ms = half_ms < 0 ? -half_ms : half_ms};
}

bool clock_gap_is_wide(const struct clock_gap *gap)
{
    return distance(gap) > (uint64_t)(CLOCK_GAP_WIDE_MS + gap->slack_ms);
}

void clock_gap_text(const struct clock_gap *gap, char text[CLOCK_GAP_TEXT_SIZE])
{
    static const struct {
        uint64_t from_s;
        uint64_t unit_s;
        const char *name;
    } units[] = {{2 * 86400, 86400, "days"}, {7200, 3600, "hours"}, {120, 60, "minutes"}, {10, 1, "seconds"}};
    uint64_t far_ms = distance(gap);

    for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (far_ms < 1000 * units[i].from_s)
            continue;
        /* To the nearest: a clock that is three hours off, but for the time of the question, is not "2 hours" off. */
        snprintf(text, CLOCK_GAP_TEXT_SIZE, "%" PRIu64 " %s", (far_ms + 500 * units[i].unit_s) / (1000 * units[i].unit_s),
                 units[i].name);
        return;
    }
    snprintf(text, CLOCK_GAP_TEXT_SIZE, "%" PRIu64 ".%" PRIu64 " seconds", far_ms / 1000, far_ms % 1000 / 100);
}

enum clock_gap_effect clock_gap_effect(const struct clock_gap *gap, int64_t here_ms, int64_t not_before_s, int64_t not_after_s)
{
    int64_t here_s = here_ms / 1000, there_s = (here_ms + gap->ahead_ms) / 1000;
    bool good_here = here_s >= not_before_s && here_s <= not_after_s;
    bool good_there = there_s >= not_before_s && there_s <= not_after_s;

    if (good_here == good_there)
        return CLOCK_GAP_NO_EFFECT;
    return good_here ? CLOCK_GAP_GOOD_HERE : CLOCK_GAP_GOOD_THERE;
}
