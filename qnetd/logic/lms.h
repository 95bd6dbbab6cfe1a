/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decision that lms and 2nodelms have in common. Pure: a function of its arguments, which keeps nothing;
 * called by these two algorithms only.
 */
#ifndef QUORATE_QNETD_LOGIC_LMS_H
#define QUORATE_QNETD_LOGIC_LMS_H

#include "qnetd/logic/verdict.h"

void last_man_decide(const struct view *view, struct verdict *verdict);

#endif
