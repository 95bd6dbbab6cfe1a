/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many log lines somebody may cause: a burst, and then one more per so many milliseconds. Embedded in what keeps
 * somebody in mind; all zero is an owner of whom nothing has been heard yet.
 */
#ifndef QUORATE_COMMON_LOG_BUDGET_H
#define QUORATE_COMMON_LOG_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct log_budget {
    uint32_t spent;       /* of the burst, not given back yet */
    uint64_t refilled_ms; /* up to when time has been counted */
    uint64_t left_out;    /* lines since the last one that was allowed */
};

/*
 * Whether a line may be written at now_ms (monotonic). If so, *left_out is how many were not since the last one.
 * burst > 0, refill_ms > 0.
 */
bool log_budget_take(struct log_budget *budget, uint32_t burst, uint32_t refill_ms, uint64_t now_ms, uint64_t *left_out);

#endif
