/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is measured. Each phase drives the fleet, reads the server's usage around it, and prints one line of JSON to
 * stdout; tests/bench/run.py makes the tables. All are bounded in time; what was not reached in time is reported, not an
 * error. Phases run in the order the command line names them; all but the first need the fleet connected.
 */
#ifndef QUORATE_TESTS_BENCH_PHASES_H
#define QUORATE_TESTS_BENCH_PHASES_H

#include <stdbool.h>

#include "tests/bench/fleet.h"

struct phase_limits {
    unsigned connect_s; /* for all devices to get their ACK */
    unsigned echo_s;    /* length of an echo phase */
    unsigned split_s;   /* for all clusters that are split one at a time, and for a storm */
};

/*
 * Runs "connect", "echo=RATE" (per second, spread evenly over the devices), "split=COUNT" (clusters, one at a time), or
 * "storm" (all clusters at once, then all merge again). False if that is none of these.
 */
bool phase_run(struct fleet *fleet, const struct phase_limits *limits, const char *phase);

#endif
