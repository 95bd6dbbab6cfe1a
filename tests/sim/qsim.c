/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulator's command line: runs seeds, says which failed and why, with the command that replays it.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/mutation.h"
#include "tests/sim/campaign.h"
#include "tests/sim/canon.h"
#include "tests/sim/tap.h"

static void usage(FILE *out)
{
    (void)fprintf(
        out, "usage: qsim [--seeds N | --seeds A..B] [--jobs N] [--cores KIND] [--mutate RULE] [--only-safety] [--verbose]\n"
             "       qsim --canon [--mutate RULE]\n"
             "       qsim --tap\n"
             "  --seeds    random runs: 1..N, or those from A to B\n"
             "  --jobs     processes that share them (default 1)\n"
             "  --cores    membership cores of the nodes: model, real, or seed, as each seed has it (default)\n"
             "  --mutate   break a rule first: losers_first, lease_wait, stable_view, quarantine,\n"
             "             persist_first, echo_pacing, lease_start, lease_end, stale_ring, told_ring,\n"
             "             consensus_wait, order_gap, recovered, sync_barrier, stale_poll, device_gone\n"
             "  --only-safety  leave the ledger out: find only two halves that believe in quorum\n"
             "  --canon    the canonical decisions, the arbiter killed at every point of each\n"
             "  --tap      what make check runs\n"
             "  --verbose  print the timeline of every run\n");
}

static bool parse_seeds(const char *text, uint64_t *first, uint64_t *last)
{
    char *end;

    *first = 1;
    *last = strtoull(text, &end, 10);
    if (end != text && strncmp(end, "..", 2) == 0) {
        *first = *last;
        text = end + 2;
        *last = strtoull(text, &end, 10);
    }
    return end != text && *end == '\0' && *first <= *last;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        {"seeds", required_argument, NULL, 's'},
        {"jobs", required_argument, NULL, 'j'},
        {"cores", required_argument, NULL, 'k'},
        {"mutate", required_argument, NULL, 'm'},
        {"canon", no_argument, NULL, 'c'},
        {"tap", no_argument, NULL, 't'},
        {"verbose", no_argument, NULL, 'v'},
        {"only-safety", no_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct campaign campaign = {.first = 1, .last = 1000, .jobs = 1, .progress = true};
    bool canon = false;
    int option;

    while ((option = getopt_long(argc, argv, "s:j:k:m:ctvoh", options, NULL)) != -1) {
        switch (option) {
        case 's':
            if (!parse_seeds(optarg, &campaign.first, &campaign.last)) {
                usage(stderr);
                return 2;
            }
            break;
        case 'j':
            campaign.jobs = (unsigned)atoi(optarg) > 0 ? (unsigned)atoi(optarg) : 1;
            break;
        case 'k':
            if (!campaign_cores(optarg, &campaign.cores)) {
                usage(stderr);
                return 2;
            }
            break;
        case 'm':
            if (!campaign_mutate(optarg)) {
                usage(stderr);
                return 2;
            }
            break;
        case 'c':
            canon = true;
            break;
        case 't':
            return tap_run();
        case 'v':
            campaign.verbose = true;
            break;
        case 'o':
            campaign.only_safety = true;
            break;
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return 2;
        }
    }
    if (canon) {
        return canon_run() ? 0 : 1;
    }
    return campaign_run(&campaign) ? 0 : 1;
}
