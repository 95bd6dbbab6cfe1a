/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/ipc_queue.h"

#include <stdlib.h>
#include <string.h>

bool ipc_queue_add(struct ipc_queue *queue, const void *head, size_t head_size, const void *body, size_t body_size)
{
    struct ipc_queued *item;

    if (body == NULL)
        body_size = 0;
    item = malloc(sizeof(*item) + head_size + body_size);
    if (item == NULL)
        return false;
    item->next = NULL;
    item->size = head_size + body_size;
    memcpy(item->bytes, head, head_size);
    if (body_size > 0)
        memcpy(item->bytes + head_size, body, body_size);
    if (queue->last == NULL)
        queue->first = item;
    else
        queue->last->next = item;
    queue->last = item;
    queue->count++;
    queue->byte_count += item->size;
    return true;
}

void ipc_queue_remove(struct ipc_queue *queue)
{
    struct ipc_queued *item = queue->first;

    queue->first = item->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count--;
    queue->byte_count -= item->size;
    free(item);
}

void ipc_queue_clear(struct ipc_queue *queue)
{
    while (queue->first != NULL)
        ipc_queue_remove(queue);
}
