/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/bench/device.h"
#include "tests/bench/tls_client.h"

#define NS_PER_MS UINT64_C(1000000)
#define EVENTS_MAX 256
#define KEEPALIVE_LOOKS_PER_PUMP 64
#define SETTLE_STEP_MS 100
#define SETTLE_CPU_NS (NS_PER_MS / 2) /* less than this in a step is idle */

static void cluster_init(struct cluster *cluster, unsigned index)
{
    cluster->index = index;
    cluster->ring_seq = 8;
    switch (index % 3) {
    case 0:
        cluster->tie_breaker.mode = WIRE_TIE_BREAKER_LOWEST;
        break;
    case 1:
        cluster->tie_breaker.mode = WIRE_TIE_BREAKER_HIGHEST;
        break;
    default:
        cluster->tie_breaker.mode = WIRE_TIE_BREAKER_NODE_ID;
        cluster->tie_breaker.node_id = 1 + index / 3 % FLEET_NODES;
    }
    for (unsigned i = 0; i < FLEET_NODES; i++)
        device_init(&cluster->nodes[i], cluster, i + 1);
}

void fleet_init(struct fleet *fleet, const struct fleet_options *options)
{
    memset(fleet, 0, sizeof(*fleet));
    fleet->options = *options;
    fleet->device_count = options->cluster_count * FLEET_NODES;
    fleet->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    fleet->clusters = calloc(options->cluster_count, sizeof(*fleet->clusters));
    if (fleet->epoll_fd < 0 || fleet->clusters == NULL) {
        perror("bench-load");
        exit(1);
    }
    q_buf_init(&fleet->out);
    tls_client_init(fleet);
    for (unsigned i = 0; i < options->cluster_count; i++)
        cluster_init(&fleet->clusters[i], i);
}

void fleet_fini(struct fleet *fleet)
{
    for (unsigned i = 0; i < fleet->device_count; i++)
        device_fini(fleet_device(fleet, i));
    tls_client_fini(fleet);
    q_buf_fini(&fleet->out);
    free(fleet->clusters);
    close(fleet->epoll_fd);
}

struct device *fleet_device(struct fleet *fleet, unsigned index)
{
    return &fleet->clusters[index / FLEET_NODES].nodes[index % FLEET_NODES];
}

void fleet_start_more(struct fleet *fleet)
{
    while (fleet->started < fleet->device_count &&
           fleet->started - fleet->ready - fleet->failed < fleet->options.window)
        device_start(fleet, fleet_device(fleet, fleet->started++));
}

/*
 * A few devices per call, in turn, so that thousands of idle ones cost next to nothing; and one echo per ms at most, for
 * devices that connected in a burst must not send their echoes in one. While a phase sends echoes to all, none are needed.
 */
static void keep_alive(struct fleet *fleet)
{
    uint64_t now_ns = bench_now_ns();
    uint64_t silence_ns = fleet->options.heartbeat_ms * NS_PER_MS;

    for (unsigned i = 0; i < KEEPALIVE_LOOKS_PER_PUMP && now_ns >= fleet->keepalive_sent_ns + NS_PER_MS;
         i++) {
        struct device *device = fleet_device(fleet, fleet->keepalive_next);
        fleet->keepalive_next = (fleet->keepalive_next + 1) % fleet->device_count;
        if (device->state != DEVICE_READY || device->echo_pending || device->sent_ns + silence_ns >= now_ns)
            continue;
        device_send_echo(fleet, device);
        fleet->keepalive_sent_ns = now_ns;
    }
}

void fleet_pump(struct fleet *fleet, int timeout_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(fleet->epoll_fd, events, EVENTS_MAX, timeout_ms);

    for (int i = 0; i < count; i++)
        device_on_event(fleet, events[i].data.ptr);
    if (fleet->on_echo == NULL)
        keep_alive(fleet);
}

void fleet_settle(struct fleet *fleet, unsigned timeout_ms)
{
    uint64_t end_ns = bench_now_ns() + timeout_ms * NS_PER_MS;
    unsigned quiet_steps = 0;

    while (quiet_steps < 2 && bench_now_ns() < end_ns) {
        uint64_t cpu_ns = fleet_server_usage(fleet).cpu_ns;
        uint64_t step_end_ns = bench_now_ns() + SETTLE_STEP_MS * NS_PER_MS;
        while (bench_now_ns() < step_end_ns)
            fleet_pump(fleet, SETTLE_STEP_MS / 10);
        quiet_steps = fleet_server_usage(fleet).cpu_ns - cpu_ns < SETTLE_CPU_NS ? quiet_steps + 1 : 0;
    }
}

struct process_usage fleet_server_usage(const struct fleet *fleet)
{
    struct process_usage usage;

    if (!process_usage_read(fleet->options.server_pid, &usage)) {
        fprintf(stderr, "bench-load: the server has died\n");
        exit(1);
    }
    return usage;
}
