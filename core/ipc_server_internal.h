/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What ipc_server.c and ipc_statistics.c share: the connections. An id is a serial number, never used twice, above the
 * index of a slot, so that it leads to its connection directly and ascends with time.
 */
#ifndef QUORATE_CORE_IPC_SERVER_INTERNAL_H
#define QUORATE_CORE_IPC_SERVER_INTERNAL_H

#include <qb/qbipcs.h>

#include "core/ipc_queue.h"
#include "core/ipc_server.h"
#include "core/loop_timer.h"

#define IPC_SLOT_BITS 16
#define IPC_CONNECTIONS_MAX ((1u << IPC_SLOT_BITS) - 1)

struct ipc_connection {
    uint64_t id; /* 0: it has ended */
    bool is_announced; /* the daemon knows of it */
    enum service_id service;
    qb_ipcs_connection_t *qb;
    uid_t uid;
    uint32_t pid;
    int fd;      /* that the loop watches */
    bool doomed; /* to be disconnected from the loop */
    bool is_stuck; /* it has not taken anything for a while */
    uint64_t taken_ms; /* when it last took something, or began to fall behind */
    struct ipc_queue queues[2]; /* by enum ipc_message */
    uint64_t events_sent, invalid_requests, overloads;
    char process_name[16];
};

struct ipc_service {
    qb_ipcs_service_t *qb; /* NULL: not open */
    enum stack_flow wanted;
    enum stack_flow flow; /* in effect: wanted, or off while its clients are behind */
    size_t backlog;       /* bytes in queues of its clients */
    bool is_behind;
};

struct ipc_server {
    qb_loop_t *loop;
    enum core_ipc_type type;
    struct ipc_handlers handlers;
    struct ipc_service services[SERVICE_COUNT];
    struct ipc_connection **slots; /* NULL: free */
    size_t slot_count;
    uint64_t serial;
    uint64_t active_count, closed_count;
    size_t blocked_count; /* connections with something in a queue */
    uint64_t retry_ms;    /* until the next attempt */
    struct loop_timer retry;
    bool job_is_set, closing, few_descriptors;
    uint8_t *request; /* copy of the one that is handed on */
};

#endif
