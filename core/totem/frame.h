/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is inside a plain MCAST: a frame of items, each a message or a piece of one, and the list of groups that every
 * message begins with (spec/totem-wire.md sections 6 and 7). Pure views of bytes that somebody else owns; packing.c writes
 * frames, assembly.c puts pieces together, and the services look at the groups.
 */
#ifndef QUORATE_CORE_TOTEM_FRAME_H
#define QUORATE_CORE_TOTEM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/totem/octets.h"

#define TOTEM_FRAME_SIZE 8       /* before the lengths */
#define TOTEM_FRAME_ITEM_SIZE 2  /* each length */
#define TOTEM_MESSAGE_MAX 1048576 /* largest message, groups included */

/* A message may be given in pieces, which are put together. */
struct totem_part {
    const uint8_t *bytes;
    size_t size;
};

struct totem_frame {
    enum totem_order order;
    uint8_t fragmented;   /* 0: the last item is complete; else it goes on in this sender's next frame */
    uint8_t continuation; /* 0, or `fragmented` of this sender's previous frame: the first item goes on from there */
    uint16_t item_count;
    const uint8_t *sizes;
    const uint8_t *items; /* one behind the other */
    size_t items_size;
};

/* False if the lengths do not add up to `size` (such a frame is dropped whole). */
bool totem_frame_decode(const uint8_t *bytes, size_t size, enum totem_order order, struct totem_frame *frame);
uint16_t totem_frame_item_size(const struct totem_frame *frame, uint16_t index);

/* The bytes before the lengths; version and type are zero. */
void totem_frame_encode_header(uint8_t *out, uint8_t fragmented, uint8_t continuation, uint16_t item_count);

/* The groups a message is for, and what follows them. */
struct totem_groups {
    enum totem_order order;
    uint16_t count;
    const uint8_t *sizes;
    const uint8_t *names;
    const uint8_t *body;
    size_t body_size;
};

/* False if the message ends before its body begins. */
bool totem_groups_decode(const uint8_t *message, size_t size, enum totem_order order, struct totem_groups *groups);
bool totem_groups_has(const struct totem_groups *groups, const char *name);

/* The prefix of a message to one group: 4 bytes more than the name, in our byte order. */
size_t totem_group_prefix_size(const char *name);
void totem_group_prefix_encode(uint8_t *out, const char *name);

#endif
