/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The canonical decisions of spec/arbitration.md section 8 (S2 two nodes cut, S4 two against two, S8 the
 * arbiter restarted during a split), with the arbiter killed at every point of the decision, with and without
 * its host, and devices coming back in every order. Never two holders, and after a restart the old holder is
 * served first. And: quick restarts are not even noticed by those of our devices that live on the arbiter's
 * vote.
 */
#ifndef QUORATE_TESTS_SIM_CANON_H
#define QUORATE_TESTS_SIM_CANON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct canon_result {
    const char *name;
    uint64_t runs;
    uint64_t points; /* at which the arbiter was killed */
    bool good;
    char failure[900];
};

size_t canon_count(void);
/* Runs one family: all orders, every `stride`-th point (1: all). Prints the timeline of what fails. */
void canon_run_one(size_t index, unsigned stride, struct canon_result *result);
/* All families and points, with a line each on stdout. */
bool canon_run(void);

#endif
