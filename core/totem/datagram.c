/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/totem/datagram.h"

#include <assert.h>
#include <stdlib.h>

#define QUEUE_CAPACITY_MIN 16

struct datagram *datagram_new(size_t size)
{
    struct datagram *datagram;

    assert(size <= UINT32_MAX);
    datagram = malloc(sizeof(*datagram) + size);
    if (datagram == NULL)
        return NULL;
    datagram->references = 1;
    datagram->size = (uint32_t)size;
    return datagram;
}

struct datagram *datagram_ref(struct datagram *datagram)
{
    datagram->references++;
    return datagram;
}

void datagram_unref(struct datagram *datagram)
{
    if (datagram == NULL)
        return;
    assert(datagram->references > 0);
    if (--datagram->references == 0)
        free(datagram);
}

void datagram_queue_clear(struct datagram_queue *queue)
{
    while (queue->count > 0)
        datagram_unref(datagram_queue_pop(queue));
}

void datagram_queue_fini(struct datagram_queue *queue)
{
    datagram_queue_clear(queue);
    free(queue->items);
    *queue = (struct datagram_queue){0};
}

static bool grow(struct datagram_queue *queue)
{
    size_t capacity = queue->capacity > 0 ? 2 * queue->capacity : QUEUE_CAPACITY_MIN;
    struct datagram **items = malloc(capacity * sizeof(items[0]));

    if (items == NULL)
        return false;
    for (size_t i = 0; i < queue->count; i++)
        items[i] = queue->items[(queue->first + i) & (queue->capacity - 1)];
    free(queue->items);
    queue->items = items;
    queue->first = 0;
    queue->capacity = capacity;
    return true;
}

bool datagram_queue_push(struct datagram_queue *queue, struct datagram *datagram)
{
    if (queue->count == queue->capacity && !grow(queue)) {
        datagram_unref(datagram);
        return false;
    }
    queue->items[(queue->first + queue->count) & (queue->capacity - 1)] = datagram;
    queue->count++;
    return true;
}

struct datagram *datagram_queue_pop(struct datagram_queue *queue)
{
    struct datagram *datagram;

    if (queue->count == 0)
        return NULL;
    datagram = queue->items[queue->first];
    queue->first = (queue->first + 1) & (queue->capacity - 1);
    queue->count--;
    return datagram;
}
