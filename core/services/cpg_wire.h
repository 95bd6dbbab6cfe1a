/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What cpg services tell one another: the bytes of the messages of service 2, from the exec header on (spec/totem-wire.md
 * section 8.4). Pure; owns nothing: what is decoded points into the bytes.
 *
 * We write in our own order and read in the sender's. A message is taken only as a whole: shorter than its layout, with
 * a size or a length inside that does not fit, or with a name longer than 128 bytes, and it is refused. Bytes behind the
 * layout and padding are ignored.
 */
#ifndef QUORATE_CORE_SERVICES_CPG_WIRE_H
#define QUORATE_CORE_SERVICES_CPG_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "core/totem/octets.h"

#define CPG_NAME_MAX 128
#define CPG_NAME_SIZE 136 /* of a name in a message: length, padding, bytes */

/* The values are function numbers. */
enum cpg_message_type {
    CPG_JOIN = 0,
    CPG_LEAVE = 1,
    CPG_JOIN_LIST = 2, /* at a synchronisation: all members of the sender's node */
    CPG_MCAST = 3,
    CPG_OLD_DOWN_LIST = 4, /* of old releases, nothing to us */
    CPG_DOWN_LIST = 5,     /* at a synchronisation: nodes that the sender has lost */
    CPG_FRAGMENT = 6
};

enum cpg_reason {
    CPG_REASON_JOIN = 1,
    CPG_REASON_LEAVE = 2,
    CPG_REASON_NODE_DOWN = 3,
    CPG_REASON_NODE_UP = 4,
    CPG_REASON_PROCESS_DOWN = 5
};

/* The values are those of messages. */
enum cpg_fragment { CPG_FRAGMENT_FIRST = 1, CPG_FRAGMENT_MIDDLE = 2, CPG_FRAGMENT_LAST = 3 };

struct cpg_name {
    const uint8_t *bytes;
    uint32_t size; /* 0 to CPG_NAME_MAX */
};

struct cpg_message {
    enum cpg_message_type type;
    enum totem_order order;
    struct cpg_name group; /* JOIN, LEAVE, MCAST, FRAGMENT, as is the pid */
    uint32_t pid;
    enum cpg_reason reason; /* JOIN, LEAVE */
    const uint8_t *entries; /* JOIN_LIST */
    size_t entry_count;
    const uint8_t *data; /* MCAST, FRAGMENT */
    uint32_t data_size;
    uint32_t whole_size; /* FRAGMENT: of the message that it is a part of */
    enum cpg_fragment fragment;
};

/* Q_ERR_NOT_FOUND: no message of this service. Q_ERR_INVALID: one of them, but damaged. */
enum q_err cpg_message_decode(const uint8_t *bytes, size_t size, enum totem_order order,
                              struct cpg_message *message);

/* One of the entries of a JOIN_LIST, all of which the decoder has seen to be sound. */
struct cpg_entry {
    struct cpg_name group;
    uint32_t pid;
};
struct cpg_entry cpg_message_entry(const struct cpg_message *message, size_t index);

/* Messages of ours are written into zeroed bytes, payload excluded. */
#define CPG_PROCESS_SIZE 168 /* JOIN, LEAVE */
#define CPG_JOIN_LIST_SIZE 24
#define CPG_ENTRY_SIZE 144
#define CPG_MCAST_SIZE 184
#define CPG_DOWN_LIST_SIZE 1568
#define CPG_FRAGMENT_SIZE 200

/* Who sends a MCAST or a FRAGMENT. */
struct cpg_source {
    struct cpg_name group;
    uint32_t node_id;
    uint32_t pid;
    uint64_t cookie; /* means something to the sender only */
};

void cpg_put_process(uint8_t bytes[CPG_PROCESS_SIZE], enum cpg_message_type type, struct cpg_name group,
                     uint32_t pid, enum cpg_reason reason);
void cpg_put_join_list(uint8_t bytes[CPG_JOIN_LIST_SIZE], size_t entry_count);
void cpg_put_entry(uint8_t bytes[CPG_ENTRY_SIZE], struct cpg_name group, uint32_t pid);
void cpg_put_down_list(uint8_t bytes[CPG_DOWN_LIST_SIZE], uint32_t old_count, const uint32_t *left,
                       uint32_t left_count);
void cpg_put_mcast(uint8_t bytes[CPG_MCAST_SIZE], const struct cpg_source *source, uint32_t size);
void cpg_put_fragment(uint8_t bytes[CPG_FRAGMENT_SIZE], const struct cpg_source *source,
                      enum cpg_fragment type, uint32_t whole_size, uint32_t size);

/* A name of CPG_NAME_SIZE bytes. False: it is too long. */
bool cpg_get_name(const uint8_t *bytes, enum totem_order order, struct cpg_name *name);
/* Into zeroed bytes, in our order. */
void cpg_put_name(uint8_t *bytes, struct cpg_name name);

#endif
