/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/phases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/device.h"
#include "tests/bench/priority.h"
#include "tests/bench/samples.h"
#include "tests/bench/verdict.h"

#define NS_PER_S UINT64_C(1000000000)
#define SETTLE_MS 5000
#define ECHO_GRACE_S 3      /* for the answers to the last echoes */
#define REPORTS_PER_PUMP 32 /* in a storm: read answers now and then while reporting */
#define SHUFFLE_STEP 7919   /* a prime: visits all clusters, neighbours far apart */
#define ARGUMENT_MAX 1000000
#define ARRIVAL_GAP_MS 20 /* the first report has long been answered when the second leaves */

static double seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

static uint64_t deadline(unsigned in_s)
{
    return bench_now_ns() + in_s * NS_PER_S;
}

/* ---- connect: everybody from SYN to ACK ---- */

static void run_connect(struct fleet *fleet, const struct phase_limits *limits, unsigned unused)
{
    uint64_t start_ns = bench_now_ns(), end_ns = deadline(limits->connect_s), stop_ns;
    (void)unused;
    struct process_usage before = fleet_server_usage(fleet), after;

    do {
        fleet_start_more(fleet);
        fleet_pump(fleet, 10);
        stop_ns = bench_now_ns();
    } while (fleet->ready + fleet->failed < fleet->device_count && stop_ns < end_ns);
    fleet_settle(fleet, SETTLE_MS);
    after = fleet_server_usage(fleet);
    printf("{\"phase\": \"connect\", \"clients\": %u, \"ready\": %u, \"failed\": %u, \"wall_s\": %.3f, "
           "\"cpu_s\": %.6f, \"rss_before\": %llu, \"rss_after\": %llu}\n",
           fleet->device_count, fleet->ready, fleet->failed, seconds(stop_ns - start_ns),
           seconds(after.cpu_ns - before.cpu_ns), (unsigned long long)before.resident_bytes,
           (unsigned long long)after.resident_bytes);
}

/* ---- echo: a steady rate, evenly over all devices ---- */

static struct samples echo_samples;

static void on_echo(struct fleet *fleet)
{
    samples_add(&echo_samples, fleet->echo_latency_ns);
}

/* Sends what is due by now; returns how many could not be sent because the device's last echo is still unanswered. */
static unsigned send_due_echoes(struct fleet *fleet, unsigned *sent, unsigned due)
{
    unsigned overdue = 0;

    for (; *sent < due; (*sent)++) {
        struct device *device = fleet_device(fleet, *sent % fleet->device_count);
        if (device->state == DEVICE_READY && !device->echo_pending)
            device_send_echo(fleet, device);
        else
            overdue++;
    }
    return overdue;
}

static void run_echo(struct fleet *fleet, const struct phase_limits *limits, unsigned rate)
{
    unsigned sent = 0, overdue = 0, total = rate * limits->echo_s;

    fleet_settle(fleet, SETTLE_MS);
    samples_init(&echo_samples, total);
    fleet->echoes_answered = 0;
    fleet->on_echo = on_echo;
    uint64_t start_ns = bench_now_ns(), end_ns = deadline(limits->echo_s + ECHO_GRACE_S);
    struct process_usage before = fleet_server_usage(fleet);
    while (sent < total) {
        uint64_t due = (bench_now_ns() - start_ns) * rate / NS_PER_S;
        overdue += send_due_echoes(fleet, &sent, due < total ? (unsigned)due : total);
        fleet_pump(fleet, 1);
    }
    uint64_t stop_ns = bench_now_ns();
    struct process_usage after = fleet_server_usage(fleet);
    while (fleet->echoes_answered + overdue < sent && bench_now_ns() < end_ns) {
        fleet_pump(fleet, 10);
        after = fleet_server_usage(fleet);
        stop_ns = bench_now_ns();
    }
    fleet->on_echo = NULL;
    printf(
        "{\"phase\": \"echo\", \"clients\": %u, \"ready\": %u, \"rate\": %u, \"sent\": %u, \"answered\": %u, "
        "\"wall_s\": %.3f, \"cpu_s\": %.6f, \"p50_ms\": %.3f, \"p99_ms\": %.3f}\n",
        fleet->device_count, fleet->ready, rate, sent - overdue, fleet->echoes_answered,
        seconds(stop_ns - start_ns), seconds(after.cpu_ns - before.cpu_ns),
        samples_percentile_ms(&echo_samples, 50), samples_percentile_ms(&echo_samples, 99));
    samples_fini(&echo_samples);
}

/* ---- split: one cluster at a time ---- */

static bool is_ready(const struct cluster *cluster)
{
    for (unsigned i = 0; i < FLEET_NODES; i++)
        if (cluster->nodes[i].state != DEVICE_READY)
            return false;
    return true;
}

static void pump_for(struct fleet *fleet, unsigned ms)
{
    uint64_t end_ns = bench_now_ns() + ms * NS_PER_S / 1000;

    while (bench_now_ns() < end_ns)
        fleet_pump(fleet, 1);
}

/* One membership change, reported by one node and, when the arbiter is idle again, by the other. */
static bool change_alone(struct fleet *fleet, struct cluster *cluster, bool split, unsigned first,
                         uint64_t end_ns)
{
    cluster_change(cluster, split);
    cluster_report(fleet, cluster, first);
    pump_for(fleet, ARRIVAL_GAP_MS);
    cluster_report(fleet, cluster, !first);
    while (cluster->decided_ns == 0 && bench_now_ns() < end_ns)
        fleet_pump(fleet, 10);
    return cluster->decided_ns != 0;
}

static void run_split(struct fleet *fleet, const struct phase_limits *limits, unsigned count)
{
    uint64_t end_ns = deadline(limits->split_s);
    struct samples times;
    struct process_usage before, after;
    unsigned tried = 0;

    fleet_settle(fleet, SETTLE_MS);
    samples_init(&times, count);
    fleet->wrong_verdicts = fleet->early_verdicts = 0;
    priority_raise(fleet->options.server_pid);
    before = fleet_server_usage(fleet);
    while (tried < count && bench_now_ns() < end_ns) {
        struct cluster *cluster =
            &fleet->clusters[(uint64_t)tried * SHUFFLE_STEP % fleet->options.cluster_count];
        unsigned first = tried++ / 2 % FLEET_NODES;
        if (!is_ready(cluster))
            continue;
        if (change_alone(fleet, cluster, true, first, end_ns))
            samples_add(&times, cluster->decided_ns - cluster->last_report_ns);
        change_alone(fleet, cluster, false, first, end_ns);
    }
    after = fleet_server_usage(fleet);
    priority_restore(fleet->options.server_pid);
    printf("{\"phase\": \"split\", \"clusters\": %u, \"tried\": %u, \"decided\": %zu, \"wrong\": %u, "
           "\"early\": %u, "
           "\"cpu_s\": %.6f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
           fleet->options.cluster_count, tried, times.count, fleet->wrong_verdicts, fleet->early_verdicts,
           seconds(after.cpu_ns - before.cpu_ns), samples_percentile_ms(&times, 50),
           samples_percentile_ms(&times, 99), samples_percentile_ms(&times, 100));
    samples_fini(&times);
}

/* ---- storm: all clusters at once ---- */

/* All first halves report, then all second ones; which half is first differs from cluster to cluster. */
static void report_all(struct fleet *fleet, unsigned round)
{
    for (unsigned i = 0; i < fleet->options.cluster_count; i++) {
        cluster_report(fleet, &fleet->clusters[i], (i / 2 + round) % FLEET_NODES);
        if (i % REPORTS_PER_PUMP == 0)
            fleet_pump(fleet, 0);
    }
}

static void change_all(struct fleet *fleet, const struct phase_limits *limits, bool split)
{
    unsigned count = fleet->options.cluster_count;
    struct samples times;

    fleet_settle(fleet, SETTLE_MS);
    samples_init(&times, count);
    fleet->wrong_verdicts = fleet->early_verdicts = fleet->decided = 0;
    for (unsigned i = 0; i < count; i++)
        cluster_change(&fleet->clusters[i], split);
    priority_raise(fleet->options.server_pid);
    uint64_t start_ns = bench_now_ns(), end_ns = deadline(limits->split_s), stop_ns;
    struct process_usage before = fleet_server_usage(fleet), after;
    report_all(fleet, 0);
    report_all(fleet, 1);
    uint64_t reported_ns = bench_now_ns();
    do {
        fleet_pump(fleet, 10);
        stop_ns = bench_now_ns();
    } while (fleet->decided < count && stop_ns < end_ns);
    priority_restore(fleet->options.server_pid);
    fleet_settle(fleet, SETTLE_MS);
    after = fleet_server_usage(fleet);
    for (unsigned i = 0; i < count; i++)
        if (fleet->clusters[i].decided_ns != 0)
            samples_add(&times, fleet->clusters[i].decided_ns - start_ns);
    printf(
        "{\"phase\": \"%s\", \"clusters\": %u, \"ready\": %u, \"decided\": %u, \"wrong\": %u, \"early\": %u, "
        "\"reported_s\": %.3f, \"all_s\": %.3f, \"cpu_s\": %.6f, \"p50_ms\": %.3f}\n",
        split ? "storm" : "merge", count, fleet->ready, fleet->decided, fleet->wrong_verdicts,
        fleet->early_verdicts, seconds(reported_ns - start_ns), seconds(stop_ns - start_ns),
        seconds(after.cpu_ns - before.cpu_ns), samples_percentile_ms(&times, 50));
    samples_fini(&times);
}

static void run_storm(struct fleet *fleet, const struct phase_limits *limits, unsigned unused)
{
    (void)unused;
    change_all(fleet, limits, true);
    change_all(fleet, limits, false);
}

bool phase_run(struct fleet *fleet, const struct phase_limits *limits, const char *phase)
{
    static const struct {
        const char *name; /* with a '=' if a number must follow */
        void (*run)(struct fleet *fleet, const struct phase_limits *limits, unsigned argument);
    } phases[] = {{"connect", run_connect}, {"echo=", run_echo}, {"split=", run_split}, {"storm", run_storm}};

    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
        size_t length = strlen(phases[i].name);
        unsigned long argument = 0;
        if (strncmp(phase, phases[i].name, length) != 0)
            continue;
        if (phases[i].name[length - 1] == '=') {
            argument = strtoul(phase + length, NULL, 10);
            if (argument == 0 || argument > ARGUMENT_MAX)
                return false;
        } else if (phase[length] != '\0') {
            return false;
        }
        phases[i].run(fleet, limits, (unsigned)argument);
        fflush(stdout);
        return true;
    }
    return false;
}
