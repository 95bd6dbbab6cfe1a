/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The six messages of the Totem ring, as they are on the wire of udpu, udp and knet alike (spec/totem-wire.md sections
 * 3 to 5; what the transports put around them is not seen here). Pure: bytes in, one struct per message out, and back.
 * A decoded MCAST points into the bytes it was decoded from; everything else is copied.
 *
 * The decoder checks what the packaged daemon checks (section 12) and, beyond it, what no sender of it can produce: node
 * ids of zero where a node is meant, an encapsulation or an index out of its range. Bytes behind the end of a message are
 * ignored, as there, except for MCAST, whose length is that of the datagram.
 */
#ifndef QUORATE_CORE_TOTEM_WIRE_H
#define QUORATE_CORE_TOTEM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/totem/octets.h"

#define TOTEM_MAGIC 0xC070
#define TOTEM_VERSION 3
#define TOTEM_NODES_MAX 384       /* nodes in any list */
#define TOTEM_RETRANSMITS_MAX 30  /* entries in a token's retransmit list */
#define TOTEM_DATAGRAM_MAX 65536  /* largest datagram of any transport */
#define TOTEM_TOKEN_SIZE_MAX 1500 /* largest token datagram that is accepted, trailing bytes included */

#define TOTEM_HEADER_SIZE 13
#define TOTEM_RING_SIZE 12
#define TOTEM_MCAST_SIZE 45 /* header of an MCAST, before its payload */
#define TOTEM_TOKEN_SIZE 57 /* without retransmit list */
#define TOTEM_RETRANSMIT_SIZE 16
#define TOTEM_JOIN_SIZE 33 /* without lists */
#define TOTEM_MERGE_SIZE 29
#define TOTEM_HOLD_CANCEL_SIZE 25
#define TOTEM_COMMIT_SIZE 41 /* without list and entries */
#define TOTEM_COMMIT_ENTRY_SIZE 24
#define TOTEM_COMMIT_SIZE_MAX (TOTEM_COMMIT_SIZE + TOTEM_NODES_MAX * (4 + TOTEM_COMMIT_ENTRY_SIZE))

enum totem_type {
    TOTEM_TOKEN = 0, /* "ORF token": ordered, reliable, flow control */
    TOTEM_MCAST = 1,
    TOTEM_MERGE = 2,
    TOTEM_JOIN = 3,
    TOTEM_COMMIT = 4,
    TOTEM_HOLD_CANCEL = 5
};

/* Values of totem_header.encapsulated in an MCAST; 0 in all others. */
enum totem_encapsulation {
    TOTEM_NOT_MCAST = 0,
    TOTEM_OLD_RING = 1, /* the payload is a whole MCAST of an old ring, sent again during recovery */
    TOTEM_PLAIN = 2     /* the payload is a frame of messages, see frame.h */
};

struct totem_ring_id {
    uint32_t rep; /* node id of the representative that made the ring: the lowest of it */
    uint64_t seq;
};

struct totem_header {
    enum totem_order order; /* of the sender; all other fields are already in ours */
    enum totem_type type;
    enum totem_encapsulation encapsulated;
    uint32_t node_id;   /* who sent this datagram (MCAST: who originated it); 0: the JOIN is a leave */
    uint32_t target_id; /* knet: the one node it is for, 0 for all; rubbish on udp and udpu */
};

struct totem_retransmit {
    struct totem_ring_id ring;
    uint32_t seq;
};

struct totem_token {
    uint32_t seq;       /* highest number given to a message on this ring */
    uint32_t token_seq; /* one more at every hop */
    uint32_t aru;       /* all received up to this */
    uint32_t aru_node;  /* who lowered it; 0: nobody */
    struct totem_ring_id ring;
    uint32_t backlog;
    uint32_t fcc; /* flow control count: messages sent during the last rotation */
    uint32_t retrans_flag;
    uint32_t retransmit_count; /* 0 .. TOTEM_RETRANSMITS_MAX */
    struct totem_retransmit retransmits[TOTEM_RETRANSMITS_MAX];
};

struct totem_mcast {
    uint32_t system_from; /* originator of this MCAST */
    uint32_t seq;
    int32_t this_seqno;
    struct totem_ring_id ring;
    uint32_t node_id;   /* always 0 */
    uint32_t guarantee; /* not used by receivers */
    const uint8_t *payload;
    size_t payload_size;
};

struct totem_merge {
    uint32_t system_from;
    struct totem_ring_id ring;
};

struct totem_join {
    uint32_t system_from;
    uint64_t ring_seq;
    uint32_t proc_count;
    uint32_t failed_count;
    uint32_t proc[TOTEM_NODES_MAX]; /* in any order */
    uint32_t failed[TOTEM_NODES_MAX]; /* a leave: the last one is who leaves */
};

struct totem_commit_entry {
    struct totem_ring_id ring; /* the member's previous ring */
    uint32_t aru;
    uint32_t high_delivered;
    uint32_t received_flag;
};

struct totem_commit {
    uint32_t token_seq;
    struct totem_ring_id ring; /* that is being formed */
    uint32_t retrans_flag;     /* always 0 */
    uint32_t filled_count;     /* "memb_index": members that have filled in their entry, 0 .. member_count */
    uint32_t member_count;     /* 1 .. TOTEM_NODES_MAX */
    uint32_t members[TOTEM_NODES_MAX];
    struct totem_commit_entry entries[TOTEM_NODES_MAX];
};

struct totem_hold_cancel {
    struct totem_ring_id ring;
};

struct totem_message {
    struct totem_header header;
    union {
        struct totem_token token;
        struct totem_mcast mcast;
        struct totem_merge merge;
        struct totem_join join;
        struct totem_commit commit;
        struct totem_hold_cancel hold_cancel;
    } u;
};

enum totem_wire_error {
    TOTEM_WIRE_OK = 0,
    TOTEM_WIRE_SHORT,   /* ends too early for what it is */
    TOTEM_WIRE_LONG,    /* longer than any message of its kind */
    TOTEM_WIRE_MAGIC,   /* not a Totem message of Corosync 3 */
    TOTEM_WIRE_VERSION,
    TOTEM_WIRE_TYPE,
    TOTEM_WIRE_COUNT,   /* a list is longer than it may be */
    TOTEM_WIRE_VALUE    /* a field has a value that no sender gives it */
};

/* A few lower-case words for the log. */
const char *totem_wire_error_text(enum totem_wire_error error);

/*
 * Decodes one datagram. On an error the message must not be used, except that its header is valid for errors
 * after TYPE. Fields beyond the counts of lists are left as they were: the union is large.
 */
enum totem_wire_error totem_decode(const uint8_t *bytes, size_t size, struct totem_message *message);

/* How many bytes totem_encode writes. */
size_t totem_encoded_size(const struct totem_message *message);

/* Writes the message in the byte order that its header names; `out` has totem_encoded_size bytes. Counts are in range. */
void totem_encode(uint8_t *out, const struct totem_message *message);

/* Only the TOTEM_MCAST_SIZE bytes before the payload: the payload is often in its place already. */
void totem_encode_mcast_header(uint8_t *out, const struct totem_header *header, const struct totem_mcast *mcast);

/* Sequence numbers of messages and tokens wrap around (spec/totem-protocol.md section 3): is a before b? */
static inline bool totem_seq_before(uint32_t a, uint32_t b)
{
    const uint32_t half = UINT32_C(0x80000000);
    const uint32_t shift = UINT32_C(0x10000);

    return a > half || b > half ? a - shift < b - shift : a < b;
}

static inline bool totem_seq_not_after(uint32_t a, uint32_t b)
{
    return a == b || totem_seq_before(a, b);
}

static inline bool totem_ring_equal(const struct totem_ring_id *a, const struct totem_ring_id *b)
{
    return a->rep == b->rep && a->seq == b->seq;
}

#endif
