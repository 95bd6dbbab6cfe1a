/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What votequorum services tell one another: the bytes of the four messages of service 5, from the header of
 * an exec message on (spec/votequorum.md 5.4, totem-wire.md 8.1 and 8.3). Pure; owns nothing.
 *
 * A sender writes in the byte order of its machine, and a receiver knows that order from the Totem header:
 * both are supported for both directions. A message is taken only as a whole: shorter than its layout, a size
 * in the header that does not fit, an unknown operation or an unterminated name, and it is refused. What
 * comes behind the layout is left to newer releases and ignored, as is the padding, which packaged nodes fill
 * with whatever was there.
 */
#ifndef QUORATE_CORE_SERVICES_VOTEQUORUM_WIRE_H
#define QUORATE_CORE_SERVICES_VOTEQUORUM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "core/totem/octets.h"

#define VOTEQUORUM_SERVICE_ID 5
#define VOTEQUORUM_NAME_SIZE 255          /* of a device, with the terminator */
#define VOTEQUORUM_MESSAGE_SIZE_MAX 528

/* What nodes tell about themselves. Newer releases have more; those are not ours to set. */
enum votequorum_node_flag {
    VOTEQUORUM_FLAG_QUORATE = 1,
    VOTEQUORUM_FLAG_LEAVING = 2,         /* stops in order, and is not to be counted any more */
    VOTEQUORUM_FLAG_WAITING = 4,         /* waits for all */
    VOTEQUORUM_FLAG_FIRST = 8,           /* since its start never in a membership with another node */
    VOTEQUORUM_FLAG_DEVICE_REGISTERED = 16,
    VOTEQUORUM_FLAG_DEVICE_ALIVE = 32,
    VOTEQUORUM_FLAG_DEVICE_CAST_VOTE = 64,
    VOTEQUORUM_FLAG_DEVICE_MASTER_WINS = 128
};

/* The values are function numbers. */
enum votequorum_message_type {
    VOTEQUORUM_NODE_INFO = 0,
    VOTEQUORUM_ANNOUNCEMENT = 1,
    VOTEQUORUM_DEVICE_REGISTRATION = 2,
    VOTEQUORUM_DEVICE_RENAME = 3
};

/* The values are those on the wire. */
enum votequorum_announcement {
    VOTEQUORUM_ANNOUNCE_EXPECTED = 1, /* expected votes of the cluster */
    VOTEQUORUM_ANNOUNCE_VOTES = 2,    /* votes of one node */
    VOTEQUORUM_ANNOUNCE_CANCEL_WAIT = 3
};

struct votequorum_message {
    enum votequorum_message_type type;
    union {
        struct {
            uint32_t node_id; /* 0: the quorum device, of which only the votes count */
            uint32_t votes;
            uint32_t expected_votes;
            uint32_t flags; /* enum votequorum_node_flag, and perhaps bits we do not know */
        } node_info;
        struct {
            enum votequorum_announcement what;
            uint32_t node_id; /* VOTES: whose; 0: the device's. Otherwise the announcer, or anything */
            uint32_t value;
        } announcement;
        struct {
            bool registers; /* false: unregisters */
            char name[VOTEQUORUM_NAME_SIZE];
        } registration;
        struct {
            char old_name[VOTEQUORUM_NAME_SIZE];
            char new_name[VOTEQUORUM_NAME_SIZE];
        } rename;
    } u;
};

/*
 * The number of bytes written to `bytes`, at most VOTEQUORUM_MESSAGE_SIZE_MAX. What is padding is zero. Names
 * must be terminated and not empty.
 */
size_t votequorum_message_encode(const struct votequorum_message *message, enum totem_order order,
                                 uint8_t bytes[VOTEQUORUM_MESSAGE_SIZE_MAX]);

/* Q_ERR_NOT_FOUND: not one of the four messages of this service. Q_ERR_INVALID: one of them, but damaged. */
enum q_err votequorum_message_decode(const uint8_t *bytes, size_t size, enum totem_order order,
                                     struct votequorum_message *message);

#endif
