/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/totem/packing.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/totem/frame.h"

#define QUEUE_BYTES (4 * TOTEM_MESSAGE_MAX)

bool packing_init(struct packing *packing, uint32_t netmtu)
{
    *packing = (struct packing){0};
    assert(netmtu > 2 * TOTEM_MCAST_SIZE + 256);
    packing->frame_size_max = netmtu - 2 * TOTEM_MCAST_SIZE;
    packing->queue_max = QUEUE_BYTES / packing->frame_size_max;
    packing->items = malloc(packing->frame_size_max);
    packing->sizes = malloc(packing->frame_size_max / TOTEM_FRAME_ITEM_SIZE * sizeof(packing->sizes[0]));
    return packing->items != NULL && packing->sizes != NULL;
}

void packing_fini(struct packing *packing)
{
    free(packing->items);
    free(packing->sizes);
    *packing = (struct packing){0};
}

/* Bytes that one more item may have in this frame. */
static uint32_t room(const struct packing *packing)
{
    uint32_t used = TOTEM_FRAME_SIZE + TOTEM_FRAME_ITEM_SIZE * (uint32_t)(packing->item_count + 1) + packing->items_size;

    return used < packing->frame_size_max ? packing->frame_size_max - used : 0;
}

static bool finish_frame(struct packing *packing, struct datagram_queue *queue, uint8_t fragmented)
{
    size_t lengths_size = (size_t)packing->item_count * TOTEM_FRAME_ITEM_SIZE;
    struct datagram *datagram = datagram_new(TOTEM_MCAST_SIZE + TOTEM_FRAME_SIZE + lengths_size + packing->items_size);
    uint8_t *at;

    if (datagram == NULL)
        return false;
    at = datagram->bytes + TOTEM_MCAST_SIZE;
    totem_frame_encode_header(at, fragmented, packing->continuation, packing->item_count);
    at += TOTEM_FRAME_SIZE;
    for (uint16_t i = 0; i < packing->item_count; i++)
        totem_put_u16(at + (size_t)i * TOTEM_FRAME_ITEM_SIZE, packing->sizes[i], TOTEM_ORDER_OURS);
    memcpy(at + lengths_size, packing->items, packing->items_size);
    packing->item_count = 0;
    packing->items_size = 0;
    packing->continuation = fragmented;
    return datagram_queue_push(queue, datagram);
}

bool packing_has_room(const struct packing *packing, const struct datagram_queue *queue, size_t size)
{
    size_t frames = size / (packing->frame_size_max - TOTEM_FRAME_SIZE - TOTEM_FRAME_ITEM_SIZE) + 2;

    return queue->count + frames <= packing->queue_max;
}

/* Copies `size` bytes of the parts behind the items, from `at` on, which moves along. */
static void append(struct packing *packing, const struct totem_part **part, size_t *at, size_t size)
{
    while (size > 0) {
        size_t piece = (*part)->size - *at;

        piece = piece < size ? piece : size;
        if (piece > 0)
            memcpy(packing->items + packing->items_size, (*part)->bytes + *at, piece);
        packing->items_size += (uint32_t)piece;
        *at += piece;
        size -= piece;
        if (*at == (*part)->size) {
            (*part)++;
            *at = 0;
        }
    }
}

bool packing_add(struct packing *packing, struct datagram_queue *queue, const struct totem_part *parts, size_t count)
{
    uint8_t fragment = 0;
    size_t size = 0;
    size_t at = 0;

    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    while (size > 0) {
        uint32_t piece = room(packing);

        if (piece == 0) {
            if (!finish_frame(packing, queue, fragment))
                return false;
            continue;
        }
        piece = piece < size ? piece : (uint32_t)size;
        append(packing, &parts, &at, piece);
        packing->sizes[packing->item_count++] = (uint16_t)piece;
        size -= piece;
        if (size > 0) {
            fragment = fragment == UINT8_MAX ? 1 : (uint8_t)(fragment + 1);
            if (!finish_frame(packing, queue, fragment))
                return false;
        }
    }
    return room(packing) > 0 || finish_frame(packing, queue, 0);
}

bool packing_flush(struct packing *packing, struct datagram_queue *queue)
{
    return packing->item_count == 0 || finish_frame(packing, queue, 0);
}

static struct totem_frame frame_of(const struct datagram *datagram)
{
    struct totem_frame frame;
    bool fits = totem_frame_decode(datagram->bytes + TOTEM_MCAST_SIZE, datagram->size - TOTEM_MCAST_SIZE, TOTEM_ORDER_OURS,
                                   &frame);

    assert(fits);
    return frame;
}

/* Where the message ends whose beginning has been sent; `count` if nowhere, or if there is none. */
static size_t end_of_rest(const struct datagram_queue *queue)
{
    for (size_t i = 0; i < queue->count; i++) {
        struct totem_frame frame = frame_of(datagram_queue_at(queue, i));

        if (i == 0 && frame.continuation == 0)
            break;
        if (frame.item_count > 1 || frame.fragmented == 0)
            return i;
    }
    return queue->count;
}

/* A frame of one item, or of a part of one. */
static bool push_piece(struct datagram_queue *queue, const uint8_t *bytes, uint16_t size, uint8_t continuation,
                       uint8_t fragmented)
{
    struct datagram *datagram = datagram_new(TOTEM_MCAST_SIZE + TOTEM_FRAME_SIZE + TOTEM_FRAME_ITEM_SIZE + size);
    uint8_t *at;

    if (datagram == NULL)
        return false;
    at = datagram->bytes + TOTEM_MCAST_SIZE;
    totem_frame_encode_header(at, fragmented, continuation, 1);
    totem_put_u16(at + TOTEM_FRAME_SIZE, size, TOTEM_ORDER_OURS);
    memcpy(at + TOTEM_FRAME_SIZE + TOTEM_FRAME_ITEM_SIZE, bytes, size);
    return datagram_queue_push(queue, datagram);
}

/* All but the first item of a frame. */
static bool push_others(struct datagram_queue *queue, const struct totem_frame *frame)
{
    uint16_t first_size = totem_frame_item_size(frame, 0);
    size_t lengths_size = (size_t)(frame->item_count - 1) * TOTEM_FRAME_ITEM_SIZE;
    struct datagram *datagram = datagram_new(TOTEM_MCAST_SIZE + TOTEM_FRAME_SIZE + lengths_size + frame->items_size - first_size);
    uint8_t *at;

    if (datagram == NULL)
        return false;
    at = datagram->bytes + TOTEM_MCAST_SIZE;
    totem_frame_encode_header(at, frame->fragmented, 0, (uint16_t)(frame->item_count - 1));
    at += TOTEM_FRAME_SIZE;
    memcpy(at, frame->sizes + TOTEM_FRAME_ITEM_SIZE, lengths_size);
    memcpy(at + lengths_size, frame->items + first_size, frame->items_size - first_size);
    return datagram_queue_push(queue, datagram);
}

/*
 * The rest's last piece in two frames, what follows it in one of its own. A single byte cannot be cut in two. Of the numbers 1 is
 * avoided: with that one a packaged receiver would end its dropping in the first of the two, and begin anew in the second.
 */
static bool push_apart(struct datagram_queue *queue, const struct totem_frame *frame)
{
    uint16_t size = totem_frame_item_size(frame, 0);
    uint16_t half = size / 2;
    uint8_t number = frame->continuation < 2 || frame->continuation == UINT8_MAX ? 2 : (uint8_t)(frame->continuation + 1);

    if (half == 0)
        number = frame->continuation;
    return (half == 0 || push_piece(queue, frame->items, half, frame->continuation, number)) &&
           push_piece(queue, frame->items + half, (uint16_t)(size - half), number, 0) &&
           (frame->item_count == 1 || push_others(queue, frame));
}

bool packing_set_rest_apart(struct datagram_queue *queue)
{
    struct datagram_queue apart = {0};
    size_t count = queue->count;
    size_t end = end_of_rest(queue);
    bool done = true;

    if (end == count)
        return true;
    for (size_t i = 0; i < count && done; i++) {
        struct datagram *datagram = datagram_queue_pop(queue);

        if (i == end) {
            struct totem_frame frame = frame_of(datagram);

            done = push_apart(&apart, &frame);
            datagram_unref(datagram);
        } else {
            done = datagram_queue_push(&apart, datagram);
        }
    }
    datagram_queue_fini(queue);
    *queue = apart;
    return done;
}
