/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a verdict is written down: one sentence shape for all algorithms, read by administrators, tools and tests.
 */
#ifndef QUORATE_QNETD_LOGIC_VERDICT_TEXT_H
#define QUORATE_QNETD_LOGIC_VERDICT_TEXT_H

#include "qnetd/logic/verdict.h"

/* Fills the verdict; its reason reads "ALGORITHM: WHY: ACK 1,2 NACK 3,4 | 5", each part where it applies. */
void verdict_set(struct verdict *verdict, const struct view *view, int winner, enum verdict_rank rank,
                 const char *why);

#endif
