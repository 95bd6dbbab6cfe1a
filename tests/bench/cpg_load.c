/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client of libcpg that measures: how many messages its node delivers while all nodes send as fast as they may, or how
 * long a lone sender waits for its own message. Whichever daemon serves the node. Prints one line of JSON.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <corosync/cpg.h>

#define WARM_UP_NS 1000000000ull
#define COOL_DOWN_NS 1500000000ull
#define AT_ONCE 64
#define LATENCIES_MAX 200000

static struct {
    uint32_t members;
    uint64_t delivered, delivered_bytes;
    uint64_t own_seen; /* own messages that came back */
    uint32_t own_id, own_pid;
} now;

static uint64_t clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void on_deliver(cpg_handle_t handle, const struct cpg_name *group, uint32_t node_id, uint32_t pid, void *bytes,
                       size_t size)
{
    (void)handle;
    (void)group;
    (void)bytes;
    now.delivered++;
    now.delivered_bytes += size;
    if (node_id == now.own_id && pid == now.own_pid)
        now.own_seen++;
}

static void on_change(cpg_handle_t handle, const struct cpg_name *group, const struct cpg_address *members,
                      size_t member_count, const struct cpg_address *left, size_t left_count,
                      const struct cpg_address *joined, size_t joined_count)
{
    (void)handle;
    (void)group;
    (void)members;
    (void)left;
    (void)left_count;
    (void)joined;
    (void)joined_count;
    now.members = (uint32_t)member_count;
}

static void fail(const char *what, cs_error_t error)
{
    fprintf(stderr, "cpg_load: %s: error %d\n", what, (int)error);
    exit(1);
}

/* Delivers what is there; waits for up to `wait_ms` if there is nothing. */
static void dispatch(cpg_handle_t handle, int wait_ms)
{
    struct pollfd poll_fd = {.events = POLLIN};
    cs_error_t error = cpg_fd_get(handle, &poll_fd.fd);

    if (error != CS_OK)
        fail("cpg_fd_get", error);
    if (poll(&poll_fd, 1, wait_ms) <= 0)
        return;
    error = cpg_dispatch(handle, CS_DISPATCH_ALL);
    if (error != CS_OK && error != CS_ERR_TRY_AGAIN)
        fail("cpg_dispatch", error);
}

/* False: not now. */
static bool send_one(cpg_handle_t handle, const char *bytes, size_t size)
{
    struct iovec iov = {(void *)(uintptr_t)bytes, size};
    cs_error_t error = cpg_mcast_joined(handle, CPG_TYPE_AGREED, &iov, 1);

    if (error != CS_OK && error != CS_ERR_TRY_AGAIN)
        fail("cpg_mcast_joined", error);
    return error == CS_OK;
}

static void flood(cpg_handle_t handle, const char *bytes, size_t size, uint64_t seconds)
{
    uint64_t from_ns = clock_ns() + WARM_UP_NS;
    uint64_t until_ns = from_ns + seconds * 1000000000u;
    uint64_t delivered = 0, delivered_bytes = 0, sent = 0;
    uint64_t began_ns = 0, at_ns;

    for (;;) {
        int count = 0;

        at_ns = clock_ns();
        if (began_ns == 0 && at_ns >= from_ns) {
            began_ns = at_ns;
            delivered = now.delivered;
            delivered_bytes = now.delivered_bytes;
            sent = 0;
        }
        if (at_ns >= until_ns)
            break;
        while (count < AT_ONCE && send_one(handle, bytes, size))
            count++;
        sent += (uint64_t)count;
        dispatch(handle, count == 0 ? 1 : 0);
    }
    printf("{\"delivered_per_s\": %.1f, \"bytes_per_s\": %.1f, \"sent_per_s\": %.1f}\n",
           (double)(now.delivered - delivered) * 1e9 / (double)(at_ns - began_ns),
           (double)(now.delivered_bytes - delivered_bytes) * 1e9 / (double)(at_ns - began_ns),
           (double)sent * 1e9 / (double)(at_ns - began_ns));
}

static int compare(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;

    return (*left > *right) - (*left < *right);
}

static void lone(cpg_handle_t handle, const char *bytes, size_t size, uint64_t seconds)
{
    uint64_t *latencies_ns = calloc(LATENCIES_MAX, sizeof(*latencies_ns));
    uint64_t until_ns = clock_ns() + WARM_UP_NS + seconds * 1000000000u;
    uint64_t warm_ns = clock_ns() + WARM_UP_NS;
    size_t count = 0;

    if (latencies_ns == NULL)
        fail("memory", CS_ERR_NO_MEMORY);
    while (clock_ns() < until_ns && count < LATENCIES_MAX) {
        uint64_t seen = now.own_seen;
        uint64_t began_ns = clock_ns();

        if (!send_one(handle, bytes, size)) {
            dispatch(handle, 1);
            continue;
        }
        while (now.own_seen == seen)
            dispatch(handle, 1000);
        if (began_ns >= warm_ns)
            latencies_ns[count++] = clock_ns() - began_ns;
    }
    qsort(latencies_ns, count, sizeof(*latencies_ns), compare);
    printf("{\"messages\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f}\n", count,
           count > 0 ? (double)latencies_ns[count / 2] / 1e3 : 0.0,
           count > 0 ? (double)latencies_ns[count * 99 / 100] / 1e3 : 0.0);
    free(latencies_ns);
}

static void listen_only(cpg_handle_t handle)
{
    while (now.members > 1)
        dispatch(handle, 100);
    printf("{}\n");
}

static cpg_handle_t join(uint32_t members)
{
    static cpg_callbacks_t callbacks = {.cpg_deliver_fn = on_deliver, .cpg_confchg_fn = on_change};
    struct cpg_name group = {.length = 4, .value = "load"};
    cpg_handle_t handle;
    cs_error_t error = cpg_initialize(&handle, &callbacks);

    if (error == CS_OK)
        error = cpg_local_get(handle, &now.own_id);
    if (error != CS_OK)
        fail("cpg_initialize", error);
    /* The core takes no members while it synchronises, and has no way to tell when it does again. */
    while ((error = cpg_join(handle, &group)) == CS_ERR_TRY_AGAIN)
        usleep(10000);
    if (error != CS_OK)
        fail("cpg_join", error);
    now.own_pid = (uint32_t)getpid();
    while (now.members < members)
        dispatch(handle, 100);
    return handle;
}

int main(int argc, char **argv)
{
    size_t size;
    uint64_t seconds, end_ns;
    uint32_t members;
    cpg_handle_t handle;
    char *bytes;

    if (argc != 5) {
        fprintf(stderr, "usage: cpg_load flood|lone|listen SIZE SECONDS MEMBERS\n");
        return 2;
    }
    size = strtoul(argv[2], NULL, 10);
    seconds = strtoul(argv[3], NULL, 10);
    members = (uint32_t)strtoul(argv[4], NULL, 10);
    bytes = calloc(1, size + 1);
    if (bytes == NULL)
        return 1;
    handle = join(members);
    if (strcmp(argv[1], "flood") == 0)
        flood(handle, bytes, size, seconds);
    else if (strcmp(argv[1], "lone") == 0)
        lone(handle, bytes, size, seconds);
    else
        listen_only(handle);
    fflush(stdout);
    /* Whoever is slower to begin measures with all others still sending and listening. */
    end_ns = clock_ns() + (strcmp(argv[1], "flood") == 0 ? COOL_DOWN_NS : 0);
    while (clock_ns() < end_ns) {
        (void)send_one(handle, bytes, size);
        dispatch(handle, 0);
    }
    cpg_finalize(handle);
    free(bytes);
    return 0;
}
