/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tells, line by line and with the time of the monotonic clock, what votequorum tells its clients on this node: ring,
 * membership and quorate flag. It owns nothing of the cluster; the lab starts one per node and reads its output. It
 * reconnects when corosync goes away, so that one log covers a node's whole life. It runs at a real-time priority where
 * it may: what it tells is to be the time of the notification, not the time at which a busy machine came to read it. (Among
 * real-time cores that flooded their rings that was 40 to 150 ms late, ring and verdict in the same instant; at a heal it
 * looked as if two nodes were quorate apart. At their priority the same load shows 0 ms.)
 *
 * Lines: "<ns> up node=<id>", "<ns> ring id=<node>.<seq> nodes=<id,..>", "<ns> quorum quorate=<0|1> members=<id,..>",
 * "<ns> expected votes=<n>", "<ns> down".
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <corosync/corotypes.h>
#include <corosync/votequorum.h>

#define RETRY_INTERVAL_MS 20

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list args;

    printf("%" PRIu64 " ", now_ns());
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    if (fflush(stdout) != 0) {
        exit(1);
    }
}

/* Ids as text "1,2"; buf always ends up terminated. */
static const char *ids_text(char *buf, size_t size, const uint32_t *ids, size_t count)
{
    size_t used = 0;

    buf[0] = '\0';
    for (size_t i = 0; i < count && used < size; i++) {
        used += (size_t)snprintf(buf + used, size - used, "%s%" PRIu32, i == 0 ? "" : ",", ids[i]);
    }
    return buf;
}

static void on_quorum(votequorum_handle_t handle, uint64_t context, uint32_t quorate, uint32_t count,
                      votequorum_node_t nodes[])
{
    uint32_t ids[64];
    size_t used = 0;
    char text[1024];

    (void)handle;
    (void)context;
    for (uint32_t i = 0; i < count && used < 64; i++) {
        if (nodes[i].nodeid != VOTEQUORUM_QDEVICE_NODEID && nodes[i].state == VOTEQUORUM_NODESTATE_MEMBER) {
            ids[used++] = nodes[i].nodeid;
        }
    }
    say("quorum quorate=%u members=%s", quorate != 0, ids_text(text, sizeof(text), ids, used));
}

static void on_nodelist(votequorum_handle_t handle, uint64_t context, votequorum_ring_id_t ring, uint32_t count,
                        uint32_t nodes[])
{
    char text[1024];

    (void)handle;
    (void)context;
    say("ring id=%" PRIx32 ".%" PRIx64 " nodes=%s", ring.nodeid, ring.seq,
        ids_text(text, sizeof(text), nodes, count));
}

static void on_expected(votequorum_handle_t handle, uint64_t context, uint32_t votes)
{
    (void)handle;
    (void)context;
    say("expected votes=%" PRIu32, votes);
}

/* Follow one connection until corosync closes it. */
static void follow(votequorum_handle_t handle)
{
    struct votequorum_info info;
    int fd;

    if (votequorum_getinfo(handle, 0, &info) != CS_OK || votequorum_fd_get(handle, &fd) != CS_OK) {
        return;
    }
    say("up node=%u", info.node_id);
    if (votequorum_trackstart(handle, 0, CS_TRACK_CHANGES) == CS_OK) {
        struct pollfd pfd = {.fd = fd, .events = POLLIN};

        while (poll(&pfd, 1, -1) >= 0 || errno == EINTR) {
            cs_error_t err = votequorum_dispatch(handle, CS_DISPATCH_ALL);

            if (err != CS_OK && err != CS_ERR_TRY_AGAIN) {
                break;
            }
        }
    }
    say("down");
}

int main(void)
{
    votequorum_callbacks_t callbacks = {
        .votequorum_quorum_notify_fn = on_quorum,
        .votequorum_expectedvotes_notify_fn = on_expected,
        .votequorum_nodelist_notify_fn = on_nodelist,
    };
    const struct timespec pause = {.tv_nsec = RETRY_INTERVAL_MS * 1000000L};
    struct sched_param highest = {.sched_priority = sched_get_priority_max(SCHED_RR)};

    (void)sched_setscheduler(0, SCHED_RR, &highest);
    for (;;) {
        votequorum_handle_t handle;

        if (votequorum_initialize(&handle, &callbacks) == CS_OK) {
            follow(handle);
            votequorum_finalize(handle);
        }
        nanosleep(&pause, NULL);
    }
}
