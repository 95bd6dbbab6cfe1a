/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/log_budget.h"

bool log_budget_take(struct log_budget *budget, uint32_t burst, uint32_t refill_ms, uint64_t now_ms, uint64_t *left_out)
{
    uint64_t refill = (now_ms - budget->refilled_ms) / refill_ms;

    budget->spent -= refill < budget->spent ? (uint32_t)refill : budget->spent;
    budget->refilled_ms = budget->spent == 0 ? now_ms : budget->refilled_ms + refill * refill_ms;
    if (budget->spent >= burst) {
        budget->left_out++;
        return false;
    }
    budget->spent++;
    *left_out = budget->left_out;
    budget->left_out = 0;
    return true;
}
