/* SPDX-License-Identifier: BSD-3-Clause */
/* The simulator's part of make check, in TAP: fixed seeds, canonical decisions, determinism, mutations. */
#ifndef QUORATE_TESTS_SIM_TAP_H
#define QUORATE_TESTS_SIM_TAP_H

/* Exit status. */
int tap_run(void);

#endif
