/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many seeds: shared among processes, counted, the first failure replayed with its timeline. Called by qsim.c
 * and tap.c.
 */
#ifndef QUORATE_TESTS_SIM_CAMPAIGN_H
#define QUORATE_TESTS_SIM_CAMPAIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/world.h"

struct campaign {
    uint64_t first;
    uint64_t last;
    unsigned jobs;
    bool verbose;     /* timelines of all runs */
    bool progress;    /* a line on stderr now and then */
    bool only_safety; /* see world.h */
    enum sim_cores cores;
    bool quiet;       /* failures are counted, not shown */

    /* Results. */
    uint64_t runs;
    uint64_t failures;
    uint64_t first_failure; /* seed */
    uint64_t events;
    uint64_t votes;
    uint64_t excused;
    uint64_t relapses;
    uint64_t faults;
    uint64_t virtual_ms;
    uint64_t slowest_recovery_permille; /* of the bound */
    uint64_t real_runs;                 /* with real cores */
    uint64_t rings;                     /* these formed, counted at each member */
    uint64_t deliveries;                /* messages their clients of process groups were told */
    uint64_t slowest_reform_permille;   /* of the bound */
    char failure[SIM_FAILURE_SIZE];
};

/* Runs the seeds, stops at the first failure of each process, prints the sum. True: all were good. */
bool campaign_run(struct campaign *campaign);

/* Breaks the rule of that name in this process; false if there is none. */
bool campaign_mutate(const char *name);
const char *campaign_mutation(void); /* NULL: none */
/* "model", "real" or "seed"; false: neither. */
bool campaign_cores(const char *name, enum sim_cores *cores);

/* The timeline's last lines on stdout; of one cluster and what concerns all, or of all clusters (-1). */
void campaign_print_timeline(const struct world *world, size_t lines, int cluster);

/* What to do when an assertion of the logic fails: say which run it was. */
void campaign_guard(uint64_t seed, enum sim_cores cores);

#endif
