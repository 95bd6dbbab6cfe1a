/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The qnet protocol as data: message types, TLV types, enumerations and one struct per message, held in a
 * tagged union. Pure; used by the arbiter, the device, the simulator and the tests. Nothing here knows
 * about connections or votes. Numbers and rules: spec/qnet-protocol.md sections 2 to 5.
 *
 * All integers on the wire are unsigned and big-endian.
 */
#ifndef QUORATE_COMMON_WIRE_WIRE_H
#define QUORATE_COMMON_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define WIRE_HEADER_SIZE 6        /* u16 type, u32 body length */
#define WIRE_TLV_HEADER_SIZE 4    /* u16 type, u16 value length */
#define WIRE_SIZE_DEFAULT 32768   /* largest message, header included, unless configured otherwise */
#define WIRE_NODES_MAX 2730       /* node infos in one message: what fits into WIRE_SIZE_DEFAULT */
#define WIRE_REASON_SIZE_MAX 1024 /* bytes in a reason text (our extension) */

enum wire_type {
    WIRE_PREINIT = 0,
    WIRE_PREINIT_REPLY = 1,
    WIRE_STARTTLS = 2,
    WIRE_INIT = 3,
    WIRE_INIT_REPLY = 4,
    WIRE_SERVER_ERROR = 5,
    WIRE_SET_OPTION = 6,
    WIRE_SET_OPTION_REPLY = 7,
    WIRE_ECHO_REQUEST = 8,
    WIRE_ECHO_REPLY = 9,
    WIRE_NODE_LIST = 10,
    WIRE_NODE_LIST_REPLY = 11,
    WIRE_ASK_FOR_VOTE = 12,
    WIRE_ASK_FOR_VOTE_REPLY = 13,
    WIRE_VOTE_INFO = 14,
    WIRE_VOTE_INFO_REPLY = 15,
    WIRE_HEURISTICS_CHANGE = 16,
    WIRE_HEURISTICS_CHANGE_REPLY = 17
};
#define WIRE_TYPE_COUNT 18

enum wire_tlv {
    WIRE_TLV_MSG_SEQ_NUMBER = 0,
    WIRE_TLV_CLUSTER_NAME = 1,
    WIRE_TLV_TLS_SUPPORTED = 2,
    WIRE_TLV_TLS_CLIENT_CERT_REQUIRED = 3,
    WIRE_TLV_SUPPORTED_MESSAGES = 4,
    WIRE_TLV_SUPPORTED_OPTIONS = 5,
    WIRE_TLV_REPLY_ERROR_CODE = 6,
    WIRE_TLV_SERVER_MAXIMUM_REQUEST_SIZE = 7,
    WIRE_TLV_SERVER_MAXIMUM_REPLY_SIZE = 8,
    WIRE_TLV_NODE_ID = 9,
    WIRE_TLV_SUPPORTED_DECISION_ALGORITHMS = 10,
    WIRE_TLV_DECISION_ALGORITHM = 11,
    WIRE_TLV_HEARTBEAT_INTERVAL = 12,
    WIRE_TLV_RING_ID = 13,
    WIRE_TLV_CONFIG_VERSION = 14,
    WIRE_TLV_DATA_CENTER_ID = 15,
    WIRE_TLV_NODE_STATE = 16,
    WIRE_TLV_NODE_INFO = 17,
    WIRE_TLV_NODE_LIST_TYPE = 18,
    WIRE_TLV_VOTE = 19,
    WIRE_TLV_QUORATE = 20,
    WIRE_TLV_TIE_BREAKER = 21,
    WIRE_TLV_HEURISTICS = 22,
    WIRE_TLV_KEEP_ACTIVE_PARTITION = 23,
    /*
     * Extensions between programs of ours; packaged programs ignore unknown types.
     * LEASE  u32 lease_ms, u32 hold_ms. In INIT: the device never casts ACK once the newest answered echo
     *        was sent more than lease_ms ago, and its vote is gone hold_ms after that or after its death.
     *        In INIT_REPLY: the arbiter echoes the bounds it will honour.
     * REASON UTF-8 text, at most WIRE_REASON_SIZE_MAX bytes, in any message with a vote; only sent to a
     *        device that sent LEASE.
     * INSTANCE u64, in INIT: random, for the life of the device's process. A connection of the same node and the same
     *        instance takes the place of an older one instead of being refused as a duplicate.
     */
    WIRE_TLV_LEASE = 0x5101,
    WIRE_TLV_REASON = 0x5102,
    WIRE_TLV_INSTANCE = 0x5103
};
#define WIRE_TLV_COUNT 24 /* standard TLV types 0..23 */

/* Bits of wire_message.present: 1 << type for the standard ones, then the extensions. */
#define WIRE_HAS(tlv) (UINT32_C(1) << (tlv))
#define WIRE_HAS_LEASE (UINT32_C(1) << 24)
#define WIRE_HAS_REASON (UINT32_C(1) << 25)
#define WIRE_HAS_INSTANCE (UINT32_C(1) << 26)

enum wire_tls_supported { WIRE_TLS_UNSUPPORTED = 0, WIRE_TLS_SUPPORTED = 1, WIRE_TLS_REQUIRED = 2 };
enum wire_algorithm {
    WIRE_ALGORITHM_TEST = 0,
    WIRE_ALGORITHM_FFSPLIT = 1,
    WIRE_ALGORITHM_2NODELMS = 2,
    WIRE_ALGORITHM_LMS = 3
};
#define WIRE_ALGORITHM_COUNT 4
enum wire_node_state {
    WIRE_NODE_STATE_NOT_SET = 0, /* never on the wire */
    WIRE_NODE_STATE_MEMBER = 1,
    WIRE_NODE_STATE_DEAD = 2,
    WIRE_NODE_STATE_LEAVING = 3
};
enum wire_node_list_type {
    WIRE_LIST_INITIAL_CONFIG = 0,
    WIRE_LIST_CHANGED_CONFIG = 1,
    WIRE_LIST_MEMBERSHIP = 2,
    WIRE_LIST_QUORUM = 3
};
enum wire_vote {
    WIRE_VOTE_UNDEFINED = 0, /* never on the wire */
    WIRE_VOTE_ACK = 1,
    WIRE_VOTE_NACK = 2,
    WIRE_VOTE_ASK_LATER = 3,
    WIRE_VOTE_WAIT_FOR_REPLY = 4,
    WIRE_VOTE_NO_CHANGE = 5
};
enum wire_tie_breaker_mode {
    WIRE_TIE_BREAKER_LOWEST = 1,
    WIRE_TIE_BREAKER_HIGHEST = 2,
    WIRE_TIE_BREAKER_NODE_ID = 3
};
enum wire_heuristics {
    WIRE_HEURISTICS_UNDEFINED = 0, /* expressed by leaving the TLV out */
    WIRE_HEURISTICS_PASS = 1,
    WIRE_HEURISTICS_FAIL = 2
};
enum wire_error {
    WIRE_ERROR_NONE = 0,
    WIRE_ERROR_UNSUPPORTED_NEEDED_MESSAGE = 1,
    WIRE_ERROR_UNSUPPORTED_NEEDED_OPTION = 2,
    WIRE_ERROR_TLS_REQUIRED = 3,
    WIRE_ERROR_UNSUPPORTED_MESSAGE = 4,
    WIRE_ERROR_MESSAGE_TOO_LONG = 5,
    WIRE_ERROR_PREINIT_REQUIRED = 6,
    WIRE_ERROR_MISSING_OPTION = 7,
    WIRE_ERROR_UNEXPECTED_MESSAGE = 8,
    WIRE_ERROR_DECODING = 9,
    WIRE_ERROR_INTERNAL = 10,
    WIRE_ERROR_INIT_REQUIRED = 11,
    WIRE_ERROR_UNSUPPORTED_ALGORITHM = 12,
    WIRE_ERROR_INVALID_HEARTBEAT_INTERVAL = 13,
    WIRE_ERROR_UNSUPPORTED_BY_ALGORITHM = 14,
    WIRE_ERROR_TIE_BREAKER_DIFFERS = 15,
    WIRE_ERROR_ALGORITHM_DIFFERS = 16,
    WIRE_ERROR_DUPLICATE_NODE_ID = 17,
    WIRE_ERROR_INVALID_CONFIG_LIST = 18,
    WIRE_ERROR_INVALID_MEMBERSHIP_LIST = 19,
    WIRE_ERROR_NAME_TAKEN = 0x5104 /* ours, to devices of ours: another cluster of this name is being served */
};

/* A view into somebody else's bytes; not terminated. */
struct wire_bytes {
    const uint8_t *data;
    size_t size;
};

struct wire_ring_id {
    uint32_t node_id; /* representative */
    uint64_t seq;
};

struct wire_tie_breaker {
    enum wire_tie_breaker_mode mode;
    uint32_t node_id; /* 0 and ignored unless mode is WIRE_TIE_BREAKER_NODE_ID */
};

struct wire_lease {
    uint32_t lease_ms;
    uint32_t hold_ms;
};

struct wire_node_info {
    uint32_t node_id;        /* never 0 */
    uint32_t data_center_id; /* 0: not set */
    enum wire_node_state state;
};

struct wire_preinit {
    struct wire_bytes cluster_name; /* any bytes, NUL included */
};
struct wire_preinit_reply {
    enum wire_tls_supported tls_supported;
    uint8_t tls_client_cert_required; /* 0 or 1 when we send it */
};
struct wire_init {
    uint32_t node_id;
    uint32_t algorithm; /* any u16; the receiver checks it */
    uint32_t heartbeat_ms;
    struct wire_tie_breaker tie_breaker;
    struct wire_ring_id ring_id;
    struct wire_lease lease; /* WIRE_HAS_LEASE */
    uint64_t instance;       /* WIRE_HAS_INSTANCE */
    /* Arrays of u16, still encoded. Encoding a view with data == NULL and size > 0 sends all we know. */
    struct wire_bytes supported_messages;
    struct wire_bytes supported_options;
};
struct wire_init_reply {
    enum wire_error error;
    uint32_t maximum_request_size; /* bytes, header included */
    uint32_t maximum_reply_size;
    struct wire_lease lease; /* WIRE_HAS_LEASE */
    struct wire_bytes supported_messages;
    struct wire_bytes supported_options;
    struct wire_bytes supported_algorithms;
};
struct wire_server_error {
    uint32_t error; /* any u16 */
};
struct wire_set_option { /* also SET_OPTION_REPLY; which fields are there is told by `present` */
    uint32_t heartbeat_ms;
    bool keep_active_partition;
};
struct wire_node_list {
    enum wire_node_list_type list_type;
    struct wire_ring_id ring_id; /* membership */
    uint64_t config_version;     /* config lists, WIRE_HAS(WIRE_TLV_CONFIG_VERSION) */
    bool quorate;                /* quorum list */
    enum wire_heuristics heuristics;
    uint32_t node_count;
    struct wire_node_info nodes[WIRE_NODES_MAX]; /* in wire order, duplicates kept */
};
/* NODE_LIST_REPLY, ASK_FOR_VOTE_REPLY, VOTE_INFO and HEURISTICS_CHANGE_REPLY */
struct wire_vote_message {
    enum wire_vote vote;
    struct wire_ring_id ring_id;
    enum wire_node_list_type list_type; /* NODE_LIST_REPLY */
    enum wire_heuristics heuristics;    /* HEURISTICS_CHANGE_REPLY */
    struct wire_bytes reason;           /* WIRE_HAS_REASON */
};
struct wire_heuristics_change {
    enum wire_heuristics heuristics;
};

/*
 * One decoded (or to be encoded) message. `present` tells which TLVs are there; a field whose TLV is absent
 * is zero. STARTTLS, ECHO_REQUEST, ECHO_REPLY, ASK_FOR_VOTE and VOTE_INFO_REPLY have no fields besides seq.
 * About 33 KB because of the node list: keep one per thread of work, not one per connection.
 */
struct wire_message {
    enum wire_type type;
    uint32_t present;
    uint32_t seq; /* WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER) */
    union {
        struct wire_preinit preinit;
        struct wire_preinit_reply preinit_reply;
        struct wire_init init;
        struct wire_init_reply init_reply;
        struct wire_server_error server_error;
        struct wire_set_option set_option;
        struct wire_node_list node_list;
        struct wire_vote_message vote;
        struct wire_heuristics_change heuristics_change;
    } u;
};

/*
 * Decodes one whole message (header included; `size` must equal 6 + body length; the type must be known).
 * Views in `out` point into `bytes`. Returns false if the body breaks the rules of section 5.2: the receiver
 * answers error 9. Then only out->type, and out->seq if WIRE_TLV_MSG_SEQ_NUMBER is set in out->present
 * (it was decoded before the fault), are meaningful. Unknown TLVs are ignored, the last of a repeated TLV wins,
 * node infos accumulate; more than WIRE_NODES_MAX of them are a fault; inside one, only node id, data center and
 * state are looked at. TLVs that do not belong to the message's
 * type are checked like all others but leave no trace in `out`. Required TLVs are not checked here.
 */
bool wire_decode(const uint8_t *bytes, size_t size, struct wire_message *out);

/* Whether all TLVs are there that the receiver of this message insists on (table in section 3). */
bool wire_has_required(const struct wire_message *message);

/*
 * Appends the encoded message to `buf`, TLVs in the packaged programs' order (section 3.1). A TLV is written
 * iff it belongs to the type and its bit is set in message->present, except in NODE_LIST: node infos follow
 * node_count, and HEURISTICS is written iff the field is not undefined. A reason longer than
 * WIRE_REASON_SIZE_MAX is cut at a character. Field values that a receiver would refuse (an undefined vote, a
 * node id of 0 in a list) are our own bug: an assertion. Sets buf->failed without memory.
 */
void wire_encode(struct q_buf *buf, const struct wire_message *message);

/* Whether a standard TLV was (or is to be) in the message. */
static inline bool wire_has(const struct wire_message *message, enum wire_tlv tlv)
{
    return (message->present & WIRE_HAS(tlv)) != 0;
}

bool wire_ring_id_equal(struct wire_ring_id a, struct wire_ring_id b);
bool wire_tie_breaker_equal(struct wire_tie_breaker a, struct wire_tie_breaker b);
bool wire_type_is_known(uint32_t type);
bool wire_type_is_server_only(enum wire_type type); /* types only an arbiter sends */

/* Names for logs, e.g. "NODE_LIST", "ffsplit", "ACK", "duplicate node id"; "unknown" for other values. */
const char *wire_type_name(enum wire_type type);
const char *wire_algorithm_name(uint32_t algorithm);
const char *wire_vote_name(enum wire_vote vote);
const char *wire_heuristics_name(enum wire_heuristics heuristics); /* "undefined", "pass", "fail" */
const char *wire_error_text(uint32_t error);

#endif
