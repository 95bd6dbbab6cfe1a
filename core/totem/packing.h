/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages into frames: small ones share a frame, large ones are cut into several (spec/totem-wire.md section 6). What is not
 * yet full waits for the token's next visit or for more. Pure, but for memory. Embedded in the machine, which owns the
 * queue that the frames go to; each is a datagram with room for the MCAST header in front.
 */
#ifndef QUORATE_CORE_TOTEM_PACKING_H
#define QUORATE_CORE_TOTEM_PACKING_H

#include "core/totem/datagram.h"
#include "core/totem/frame.h"

struct packing {
    uint32_t frame_size_max; /* "net_mtu": netmtu less two MCAST headers */
    size_t queue_max;        /* datagrams in each queue */
    uint8_t *items;          /* frame_size_max bytes */
    uint16_t *sizes;
    uint32_t items_size;
    uint16_t item_count;
    uint8_t continuation; /* of the frame that is being filled */
};

/* False without memory (packing_fini is fine then too). */
bool packing_init(struct packing *packing, uint32_t netmtu);
void packing_fini(struct packing *packing);

/* Whether a message of this size surely fits into the queue; what is in the frame already is provided for. */
bool packing_has_room(const struct packing *packing, const struct datagram_queue *queue, size_t size);

/* Appends the message, which its parts are together; full frames go to the queue. False without memory. */
bool packing_add(struct packing *packing, struct datagram_queue *queue, const struct totem_part *parts, size_t count);

/* Puts a frame that has something in it into the queue, though not full. False without memory. */
bool packing_flush(struct packing *packing, struct datagram_queue *queue);

/*
 * For those who come to the ring. If the queue begins with the rest of a message whose beginning they have not heard, packaged
 * receivers drop that and all that follows it, until they have dropped a frame that goes on from another and then, in a frame
 * of its own, the end of a message (spec/totem-wire.md section 6.3). So the end of the rest is put into two frames of its own; what
 * follows begins with a frame. The same for who has the beginning. False without memory: some of the queue is lost.
 */
bool packing_set_rest_apart(struct datagram_queue *queue);

#endif
