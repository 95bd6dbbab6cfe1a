/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A member of a process group that talks to its group and writes down what it is told, in the order in which it is
 * told, so that the order can be compared between nodes (cpg.py). The lab starts one or more per node and reads what
 * they write. It connects anew when the core goes away, so that one log covers a node's whole life.
 *
 *   cpg-client GROUP SIZE_MAX INTERVAL_US [SEED]
 *
 * SIGUSR1: talk, one message per interval, of sizes between 24 bytes and SIZE_MAX: of each power of two as many up to 16
 * KiB, few beyond, and some at the edges of what libcpg sends in one piece.
 * SIGUSR2: be quiet, and say so. SIGTERM: leave in order and end.
 *
 * Lines:
 *   ready                                        signals may come
 *   up <node>:<pid>                              connected, and the join has been asked for
 *   change <group's members> left <..> joined <..>    with reasons, as 1:10/3; "-" for none
 *   ring <node>.<seq> <members>
 *   message <node>:<pid> <number> <size>          or "damaged" instead of the size
 *   sent <number> <size>
 *   quiet                                        nothing is sent any more
 *   error <call> <cs_error>                       other than "try again", and than those of a core that has gone
 *   down                                          the core has gone
 *   left                                          in order, after the last change
 */
#define _GNU_SOURCE /* ppoll */

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <corosync/corotypes.h>
#include <corosync/cpg.h>

#define RETRY_INTERVAL_MS 20

struct message {
    uint32_t node;
    uint32_t pid;
    uint32_t number;
    uint32_t size;
    uint64_t seed;
};

static volatile sig_atomic_t talking;
static volatile sig_atomic_t hushed; /* not said yet */
static volatile sig_atomic_t ending;
static struct cpg_name group;
static uint32_t own_node;
static bool is_member;
static uint32_t size_max;
static uint32_t next_number;
static uint64_t random_state;
static uint8_t *buffer;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    if (fflush(stdout) != 0)
        exit(1);
}

static void pause_ms(long duration_ms)
{
    const struct timespec pause = {.tv_nsec = duration_ms * 1000000L};

    nanosleep(&pause, NULL);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* What stands behind the head of a message with this seed. */
static void fill(uint8_t *bytes, size_t size, uint64_t seed)
{
    size_t at = 0;

    seed |= 1;
    for (; at + 8 <= size; at += 8) {
        uint64_t word = next_random(&seed);

        memcpy(bytes + at, &word, 8);
    }
    memset(bytes + at, 0x5A, size - at);
}

static bool is_whole(const uint8_t *bytes, size_t size, uint64_t seed)
{
    seed |= 1;
    while (size >= 8) {
        uint64_t word = next_random(&seed);

        if (memcmp(bytes, &word, 8) != 0)
            return false;
        bytes += 8;
        size -= 8;
    }
    for (; size > 0; size--)
        if (*bytes++ != 0x5A)
            return false;
    return true;
}

/* ---- what we are told ----------------------------------------------------------------------------------------------- */

static void on_message(cpg_handle_t handle, const struct cpg_name *name, uint32_t node, uint32_t pid,
                       void *bytes, size_t size)
{
    struct message head;

    (void)handle;
    memset(&head, 0, sizeof(head));
    if (size >= sizeof(head))
        memcpy(&head, bytes, sizeof(head));
    if (size < sizeof(head) || head.size != size || head.node != node || head.pid != pid ||
        name->length != group.length || memcmp(name->value, group.value, group.length) != 0 ||
        !is_whole((uint8_t *)bytes + sizeof(head), size - sizeof(head), head.seed))
        say("message %" PRIu32 ":%" PRIu32 " %" PRIu32 " damaged", node, pid, head.number);
    else
        say("message %" PRIu32 ":%" PRIu32 " %" PRIu32 " %zu", node, pid, head.number, size);
}

static void say_list(const char *what, const struct cpg_address *list, size_t count, bool with_reason)
{
    printf("%s", what);
    if (count == 0)
        printf(" -");
    for (size_t i = 0; i < count; i++) {
        printf("%s%" PRIu32 ":%" PRIu32, i == 0 ? " " : ",", list[i].nodeid, list[i].pid);
        if (with_reason)
            printf("/%" PRIu32, list[i].reason);
    }
}

static bool is_own(const struct cpg_address *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].nodeid == own_node && list[i].pid == (uint32_t)getpid())
            return true;
    return false;
}

static void on_change(cpg_handle_t handle, const struct cpg_name *name, const struct cpg_address *members,
                      size_t member_count, const struct cpg_address *left, size_t left_count,
                      const struct cpg_address *joined, size_t joined_count)
{
    (void)handle;
    (void)name;
    say_list("change", members, member_count, false);
    say_list(" left", left, left_count, true);
    say_list(" joined", joined, joined_count, true);
    say("%s", "");
    is_member = is_own(members, member_count);
}

static void on_ring(cpg_handle_t handle, struct cpg_ring_id ring, uint32_t count, const uint32_t *members)
{
    (void)handle;
    printf("ring %" PRIu32 ".%" PRIu64, ring.nodeid, ring.seq);
    for (uint32_t i = 0; i < count; i++)
        printf("%s%" PRIu32, i == 0 ? " " : ",", members[i]);
    say("%s", "");
}

/* ---- what we do ------------------------------------------------------------------------------------------------------ */

static bool has_gone(cs_error_t error)
{
    return error == CS_ERR_LIBRARY || error == CS_ERR_BAD_HANDLE;
}

static void tell_error(const char *call, cs_error_t error)
{
    if (error != CS_OK && error != CS_ERR_TRY_AGAIN)
        say("error %s %d", call, (int)error);
}

static bool is_alive(const char *call, cs_error_t error)
{
    if (has_gone(error))
        return false;
    tell_error(call, error);
    return true;
}

#define ONE_PIECE_MAX 1047552 /* what libcpg does not cut */

#define MOST_BITS 14 /* of most sizes */

static uint32_t choose_size(void)
{
    static const uint32_t edges[] = {ONE_PIECE_MAX, ONE_PIECE_MAX + 1, UINT32_MAX, sizeof(struct message)};
    uint64_t chance = next_random(&random_state);
    unsigned bits_max = 32 - (unsigned)__builtin_clz(size_max);
    uint64_t size;

    if ((chance >> 32) % 32 != 0 && bits_max > MOST_BITS)
        bits_max = MOST_BITS;
    size = next_random(&random_state) & ((UINT64_C(1) << (5 + chance % (bits_max - 4))) - 1);
    if ((chance >> 40) % 64 == 0)
        size = edges[(chance >> 48) % 4];
    if (size > size_max)
        size = size_max;
    return size < sizeof(struct message) ? sizeof(struct message) : (uint32_t)size;
}

/*
 * An error of a message in pieces. When the core goes away within one, libcpg 3.1.7 returns whatever was in its memory; the next
 * call of this connection tells whether it has.
 */
static cs_error_t doubtful = CS_OK;

static bool talk(cpg_handle_t handle)
{
    struct message head = {own_node, (uint32_t)getpid(), next_number, choose_size(),
                           next_random(&random_state)};
    struct iovec parts[2] = {{.iov_base = &head, .iov_len = sizeof(head)}, {.iov_base = buffer}};
    cs_error_t error, before = doubtful;

    parts[1].iov_len = head.size - sizeof(head);
    fill(buffer, parts[1].iov_len, head.seed);
    error = cpg_mcast_joined(handle, CPG_TYPE_AGREED, parts, 2);
    doubtful = CS_OK;
    if (has_gone(error))
        return false;
    tell_error("mcast", before);
    if (error == CS_OK) {
        say("sent %" PRIu32 " %" PRIu32, head.number, head.size);
        next_number++;
    } else if (head.size <= ONE_PIECE_MAX) {
        tell_error("mcast", error);
    } else if (error != CS_ERR_INTERRUPT) { /* which it is when the group changes within a message */
        doubtful = error;
    }
    return true;
}

static bool join(cpg_handle_t handle)
{
    cs_error_t error;

    if (cpg_local_get(handle, &own_node) != CS_OK)
        return false;
    while ((error = cpg_join(handle, &group)) == CS_ERR_TRY_AGAIN)
        pause_ms(RETRY_INTERVAL_MS);
    if (error != CS_OK)
        return is_alive("join", error) && false;
    say("up %" PRIu32 ":%ld", own_node, (long)getpid());
    return true;
}

static void leave(cpg_handle_t handle, int fd)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN};
    cs_error_t error;

    while ((error = cpg_leave(handle, &group)) == CS_ERR_TRY_AGAIN)
        pause_ms(RETRY_INTERVAL_MS);
    if (!is_alive("leave", error))
        return;
    while (is_member && poll(&pfd, 1, 10000) > 0 &&
           is_alive("dispatch", cpg_dispatch(handle, CS_DISPATCH_ALL)))
        ;
    if (!is_member)
        say("left");
}

static void say_if_hushed(void)
{
    if (hushed)
        say("quiet");
    hushed = 0;
}

static void follow(cpg_handle_t handle, const struct timespec *interval, const sigset_t *waiting_mask)
{
    struct pollfd pfd = {.events = POLLIN};
    bool alive = cpg_fd_get(handle, &pfd.fd) == CS_OK && join(handle);

    is_member = false;
    doubtful = CS_OK;
    while (alive && !ending) {
        bool talks = talking && is_member;
        int ready = ppoll(&pfd, 1, talks ? interval : NULL, waiting_mask);

        if (ready > 0)
            alive = is_alive("dispatch", cpg_dispatch(handle, CS_DISPATCH_ALL));
        if (alive && talks && ready >= 0)
            alive = talk(handle);
        say_if_hushed();
    }
    if (alive && is_member)
        leave(handle, pfd.fd);
    if (!ending)
        say("down");
}

static void on_signal(int number)
{
    if (number == SIGTERM)
        ending = 1;
    else
        talking = number == SIGUSR1;
    hushed = number == SIGUSR2;
}

int main(int argc, char **argv)
{
    cpg_model_v1_data_t model = {.model = CPG_MODEL_V1,
                                 .cpg_deliver_fn = on_message,
                                 .cpg_confchg_fn = on_change,
                                 .cpg_totem_confchg_fn = on_ring,
                                 .flags = CPG_MODEL_V1_DELIVER_INITIAL_TOTEM_CONF};
    struct sigaction action = {.sa_handler = on_signal};
    struct timespec interval;
    sigset_t signals;
    sigset_t waiting_mask;

    if (argc < 4 || strlen(argv[1]) > CPG_MAX_NAME_LENGTH)
        return 2;
    group.length = (uint32_t)strlen(argv[1]);
    memcpy(group.value, argv[1], group.length);
    size_max = (uint32_t)strtoul(argv[2], NULL, 10);
    interval.tv_sec = 0;
    interval.tv_nsec = 1000 * strtol(argv[3], NULL, 10);
    random_state = (argc > 4 ? strtoull(argv[4], NULL, 10) : (uint64_t)getpid()) * 2654435761u | 1;
    buffer = malloc(size_max);
    if (buffer == NULL || size_max < 2 * sizeof(struct message))
        return 2;
    /* Signals come while waiting and at no other time. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, &waiting_mask);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    say("ready");
    while (!ending) {
        cpg_handle_t handle;

        if (cpg_model_initialize(&handle, CPG_MODEL_V1, (cpg_model_data_t *)&model, NULL) == CS_OK) {
            follow(handle, &interval, &waiting_mask);
            cpg_finalize(handle);
        } else {
            const struct timespec pause = {.tv_nsec = RETRY_INTERVAL_MS * 1000000L};

            ppoll(NULL, 0, &pause, &waiting_mask);
            say_if_hushed();
        }
    }
    return 0;
}
