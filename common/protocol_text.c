/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/protocol_text.h"

#include <inttypes.h>
#include <stdio.h>

const char *algorithm_text(uint32_t algorithm)
{
    static const char *const texts[WIRE_ALGORITHM_COUNT] = {"Test", "Fifty-Fifty split", "2 Node LMS", "LMS"};

    return algorithm < WIRE_ALGORITHM_COUNT ? texts[algorithm] : "Unknown";
}

const char *message_type_text(enum wire_type type)
{
    static const char *const texts[WIRE_TYPE_COUNT] = {
        "Preinit",           "Preinit reply",
        "StartTLS",          "Init",
        "Init reply",        "Server error",
        "Set option",        "Set option reply",
        "Echo request",      "Echo reply",
        "Node list",         "Node list reply",
        "Ask for vote",      "Ask for vote reply",
        "Vote info",         "Vote info reply",
        "Heuristics change", "Heuristics change reply",
    };

    return (unsigned)type < WIRE_TYPE_COUNT ? texts[type] : "Unknown";
}

const char *vote_text(enum wire_vote vote)
{
    switch (vote) {
    case WIRE_VOTE_UNDEFINED:
        return "Undefined";
    case WIRE_VOTE_ACK:
        return "ACK";
    case WIRE_VOTE_NACK:
        return "NACK";
    case WIRE_VOTE_ASK_LATER:
        return "Ask later";
    case WIRE_VOTE_WAIT_FOR_REPLY:
        return "Wait for reply";
    case WIRE_VOTE_NO_CHANGE:
        return "No change";
    }
    return "Unknown";
}

const char *heuristics_text(enum wire_heuristics heuristics)
{
    switch (heuristics) {
    case WIRE_HEURISTICS_UNDEFINED:
        return "Undefined";
    case WIRE_HEURISTICS_PASS:
        return "Pass";
    case WIRE_HEURISTICS_FAIL:
        return "Fail";
    }
    return "Unknown";
}

void tie_breaker_text(struct wire_tie_breaker tie_breaker, char *text, size_t size)
{
    switch (tie_breaker.mode) {
    case WIRE_TIE_BREAKER_LOWEST:
        snprintf(text, size, "Node with lowest node ID");
        return;
    case WIRE_TIE_BREAKER_HIGHEST:
        snprintf(text, size, "Node with highest node ID");
        return;
    case WIRE_TIE_BREAKER_NODE_ID:
        snprintf(text, size, "Node with node ID %" PRIu32, tie_breaker.node_id);
        return;
    }
    snprintf(text, size, "Unknown");
}
