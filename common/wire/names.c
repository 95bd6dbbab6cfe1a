/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/wire/wire.h"

bool wire_ring_id_equal(struct wire_ring_id a, struct wire_ring_id b)
{
    return a.node_id == b.node_id && a.seq == b.seq;
}

bool wire_tie_breaker_equal(struct wire_tie_breaker a, struct wire_tie_breaker b)
{
    return a.mode == b.mode && (a.mode != WIRE_TIE_BREAKER_NODE_ID || a.node_id == b.node_id);
}

bool wire_type_is_known(uint32_t type)
{
    return type < WIRE_TYPE_COUNT;
}

bool wire_type_is_server_only(enum wire_type type)
{
    switch (type) {
    case WIRE_PREINIT_REPLY:
    case WIRE_INIT_REPLY:
    case WIRE_SERVER_ERROR:
    case WIRE_SET_OPTION_REPLY:
    case WIRE_ECHO_REPLY:
    case WIRE_NODE_LIST_REPLY:
    case WIRE_ASK_FOR_VOTE_REPLY:
    case WIRE_VOTE_INFO:
    case WIRE_HEURISTICS_CHANGE_REPLY:
        return true;
    case WIRE_PREINIT:
    case WIRE_STARTTLS:
    case WIRE_INIT:
    case WIRE_SET_OPTION:
    case WIRE_ECHO_REQUEST:
    case WIRE_NODE_LIST:
    case WIRE_ASK_FOR_VOTE:
    case WIRE_VOTE_INFO_REPLY:
    case WIRE_HEURISTICS_CHANGE:
        return false;
    }
    return false;
}

/* The text of `value` in a table without gaps. */
static const char *lookup(const char *const *texts, uint32_t count, uint32_t value)
{
    return value < count ? texts[value] : "unknown";
}

#define LOOKUP(texts, value) lookup(texts, sizeof(texts) / sizeof((texts)[0]), (uint32_t)(value))

const char *wire_type_name(enum wire_type type)
{
    static const char *const texts[] = {
        [WIRE_PREINIT] = "PREINIT",
        [WIRE_PREINIT_REPLY] = "PREINIT_REPLY",
        [WIRE_STARTTLS] = "STARTTLS",
        [WIRE_INIT] = "INIT",
        [WIRE_INIT_REPLY] = "INIT_REPLY",
        [WIRE_SERVER_ERROR] = "SERVER_ERROR",
        [WIRE_SET_OPTION] = "SET_OPTION",
        [WIRE_SET_OPTION_REPLY] = "SET_OPTION_REPLY",
        [WIRE_ECHO_REQUEST] = "ECHO_REQUEST",
        [WIRE_ECHO_REPLY] = "ECHO_REPLY",
        [WIRE_NODE_LIST] = "NODE_LIST",
        [WIRE_NODE_LIST_REPLY] = "NODE_LIST_REPLY",
        [WIRE_ASK_FOR_VOTE] = "ASK_FOR_VOTE",
        [WIRE_ASK_FOR_VOTE_REPLY] = "ASK_FOR_VOTE_REPLY",
        [WIRE_VOTE_INFO] = "VOTE_INFO",
        [WIRE_VOTE_INFO_REPLY] = "VOTE_INFO_REPLY",
        [WIRE_HEURISTICS_CHANGE] = "HEURISTICS_CHANGE",
        [WIRE_HEURISTICS_CHANGE_REPLY] = "HEURISTICS_CHANGE_REPLY",
    };

    return LOOKUP(texts, type);
}

const char *wire_algorithm_name(uint32_t algorithm)
{
    static const char *const texts[] = {
        [WIRE_ALGORITHM_TEST] = "test",
        [WIRE_ALGORITHM_FFSPLIT] = "ffsplit",
        [WIRE_ALGORITHM_2NODELMS] = "2nodelms",
        [WIRE_ALGORITHM_LMS] = "lms",
    };

    return LOOKUP(texts, algorithm);
}

const char *wire_vote_name(enum wire_vote vote)
{
    static const char *const texts[] = {
        [WIRE_VOTE_UNDEFINED] = "undefined",
        [WIRE_VOTE_ACK] = "ACK",
        [WIRE_VOTE_NACK] = "NACK",
        [WIRE_VOTE_ASK_LATER] = "ASK_LATER",
        [WIRE_VOTE_WAIT_FOR_REPLY] = "WAIT_FOR_REPLY",
        [WIRE_VOTE_NO_CHANGE] = "NO_CHANGE",
    };

    return LOOKUP(texts, vote);
}

const char *wire_heuristics_name(enum wire_heuristics heuristics)
{
    static const char *const texts[] = {
        [WIRE_HEURISTICS_UNDEFINED] = "undefined",
        [WIRE_HEURISTICS_PASS] = "pass",
        [WIRE_HEURISTICS_FAIL] = "fail",
    };

    return LOOKUP(texts, heuristics);
}

const char *wire_error_text(uint32_t error)
{
    static const char *const texts[] = {
        [WIRE_ERROR_NONE] = "no error",
        [WIRE_ERROR_UNSUPPORTED_NEEDED_MESSAGE] = "unsupported needed message",
        [WIRE_ERROR_UNSUPPORTED_NEEDED_OPTION] = "unsupported needed option",
        [WIRE_ERROR_TLS_REQUIRED] = "TLS required",
        [WIRE_ERROR_UNSUPPORTED_MESSAGE] = "unsupported message",
        [WIRE_ERROR_MESSAGE_TOO_LONG] = "message too long",
        [WIRE_ERROR_PREINIT_REQUIRED] = "PREINIT required",
        [WIRE_ERROR_MISSING_OPTION] = "message lacks a required option",
        [WIRE_ERROR_UNEXPECTED_MESSAGE] = "unexpected message",
        [WIRE_ERROR_DECODING] = "error decoding message",
        [WIRE_ERROR_INTERNAL] = "internal error",
        [WIRE_ERROR_INIT_REQUIRED] = "INIT required",
        [WIRE_ERROR_UNSUPPORTED_ALGORITHM] = "unsupported decision algorithm",
        [WIRE_ERROR_INVALID_HEARTBEAT_INTERVAL] = "invalid heartbeat interval",
        [WIRE_ERROR_UNSUPPORTED_BY_ALGORITHM] = "message not supported by the decision algorithm",
        [WIRE_ERROR_TIE_BREAKER_DIFFERS] = "tie-breaker differs from other nodes",
        [WIRE_ERROR_ALGORITHM_DIFFERS] = "algorithm differs from other nodes",
        [WIRE_ERROR_DUPLICATE_NODE_ID] = "duplicate node id",
        [WIRE_ERROR_INVALID_CONFIG_LIST] = "invalid config node list",
        [WIRE_ERROR_INVALID_MEMBERSHIP_LIST] = "invalid membership node list",
    };

    if (error == WIRE_ERROR_NAME_TAKEN)
        return "another cluster of this name is being served";
    return LOOKUP(texts, error);
}
