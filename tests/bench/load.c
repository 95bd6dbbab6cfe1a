/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench-load: plays many two-node clusters to one arbiter (or to bench-tls-reference) and prints what it measured, one
 * line of JSON per phase. Started by tests/bench/run.py; by hand it is good for profiling a server:
 *
 *   bench-load -p PORT -s SERVER-PID -c CLUSTERS -d CREDENTIALS [options] connect echo=500 split=100 storm
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "tests/bench/fleet.h"
#include "tests/bench/phases.h"

#define SPARE_FDS 64

static void usage(void)
{
    fputs("usage: bench-load -p PORT -s SERVER-PID -c CLUSTERS -d CREDENTIALS [options] PHASE...\n"
          "phases: connect, echo=PER-SECOND, split=CLUSTERS (one at a time), storm\n"
          "  -b       the server is bench-tls-reference\n"
          "  -w N     devices connecting at a time (32)\n"
          "  -H MS    heartbeat interval (120000)\n"
          "  -T S     limit of the connect phase (120)\n"
          "  -e S     length of an echo phase (10)\n"
          "  -t S     limit of a split phase, and of a storm (60)\n",
          stderr);
    exit(2);
}

static unsigned number(const char *text, unsigned long max)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value == 0 || value > max)
        usage();
    return (unsigned)value;
}

static void parse(int argc, char **argv, struct fleet_options *options, struct phase_limits *limits)
{
    int opt;

    while ((opt = getopt(argc, argv, "p:s:c:d:bw:H:T:e:t:")) != -1) {
        switch (opt) {
        case 'p':
            options->port = (uint16_t)number(optarg, UINT16_MAX);
            break;
        case 's':
            options->server_pid = (pid_t)number(optarg, INT32_MAX);
            break;
        case 'c':
            options->cluster_count = number(optarg, BENCH_CLUSTERS_MAX);
            break;
        case 'd':
            options->credentials = optarg;
            break;
        case 'b':
            options->bare = true;
            break;
        case 'w':
            options->window = number(optarg, UINT16_MAX);
            break;
        case 'H':
            options->heartbeat_ms = number(optarg, 120000);
            break;
        case 'T':
            limits->connect_s = number(optarg, 3600);
            break;
        case 'e':
            limits->echo_s = number(optarg, 3600);
            break;
        case 't':
            limits->split_s = number(optarg, 3600);
            break;
        default:
            usage();
        }
    }
    if (options->port == 0 || options->server_pid == 0 || options->cluster_count == 0 ||
        options->credentials == NULL || optind == argc)
        usage();
}

/* The soft limit to what is needed; beyond the hard one only if we may. */
static void raise_fd_limit(unsigned devices)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= devices + SPARE_FDS)
        return;
    limit.rlim_cur = devices + SPARE_FDS;
    if (limit.rlim_max < limit.rlim_cur)
        limit.rlim_max = limit.rlim_cur;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        perror("bench-load: too few file descriptors allowed");
}

int main(int argc, char **argv)
{
    struct fleet_options options = {.heartbeat_ms = 120000, .window = 32};
    struct phase_limits limits = {.connect_s = 120, .echo_s = 10, .split_s = 60};
    static struct fleet fleet;

    parse(argc, argv, &options, &limits);
    signal(SIGPIPE, SIG_IGN);
    raise_fd_limit(options.cluster_count * FLEET_NODES);
    fleet_init(&fleet, &options);
    for (int i = optind; i < argc; i++)
        if (!phase_run(&fleet, &limits, argv[i]))
            usage();
    fleet_fini(&fleet);
    return 0;
}
