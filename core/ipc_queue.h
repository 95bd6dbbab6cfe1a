/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages that wait for a client, first in, first out, each in one block. Embedded, by ipc_server.c, twice in each
 * connection: answers and events go separate ways.
 */
#ifndef QUORATE_CORE_IPC_QUEUE_H
#define QUORATE_CORE_IPC_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ipc_queued {
    struct ipc_queued *next;
    size_t size;
    uint8_t bytes[];
};

struct ipc_queue {
    struct ipc_queued *first, *last;
    size_t count;
    size_t byte_count;
};

/* Appends a copy of both parts (body NULL: none). False without memory. */
bool ipc_queue_add(struct ipc_queue *queue, const void *head, size_t head_size, const void *body, size_t body_size);
/* Drops the first. */
void ipc_queue_remove(struct ipc_queue *queue);
void ipc_queue_clear(struct ipc_queue *queue);

#endif
