/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/trace/devices.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/trace/words.h"

#define DEFAULT_RING_SEQ 4

static struct wire_message message; /* too large for the stack */

/* A new message of the connection, numbered. */
static void begin_message(struct world_conn *conn, enum wire_type type)
{
    memset(&message, 0, sizeof(message));
    message.type = type;
    message.present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
    message.seq = ++conn->seq;
}

static bool do_connect(const struct act *act)
{
    world_connect(act->world, act->conn);
    return true;
}

static bool do_preinit(const struct act *act)
{
    const char *name = act->word_count > 0 ? act->words[0] : act->conn->cluster->name;

    begin_message(act->conn, WIRE_PREINIT);
    message.present |= WIRE_HAS(WIRE_TLV_CLUSTER_NAME);
    message.u.preinit.cluster_name = (struct wire_bytes){(const uint8_t *)name, strlen(name)};
    world_send(act->world, act->conn, &message);
    return true;
}

static bool do_starttls(const struct act *act)
{
    begin_message(act->conn, WIRE_STARTTLS);
    world_send(act->world, act->conn, &message);
    return true;
}

static bool do_tls(const struct act *act)
{
    world_tls(act->world, act->conn, (const char *const *)act->words, act->word_count);
    return true;
}

static bool leave_out(const char *name, uint32_t *present)
{
    static const struct {
        const char *name;
        uint32_t tlv;
    } tlvs[] = {
        {"node", WIRE_TLV_NODE_ID},           {"ring", WIRE_TLV_RING_ID},
        {"H", WIRE_TLV_HEARTBEAT_INTERVAL},   {"tie", WIRE_TLV_TIE_BREAKER},
        {"alg", WIRE_TLV_DECISION_ALGORITHM}, {"seq", WIRE_TLV_MSG_SEQ_NUMBER},
        {"type", WIRE_TLV_NODE_LIST_TYPE},    {"quorate", WIRE_TLV_QUORATE},
        {"heuristics", WIRE_TLV_HEURISTICS},  {"name", WIRE_TLV_CLUSTER_NAME},
    };

    for (size_t i = 0; i < sizeof(tlvs) / sizeof(tlvs[0]); i++) {
        if (strcmp(name, tlvs[i].name) == 0) {
            *present &= ~WIRE_HAS(tlvs[i].tlv);
            return true;
        }
    }
    return false;
}

bool read_init_word(const char *word, struct wire_init *init, uint32_t *present)
{
    const char *value;

    if ((value = value_of(word, "node")) != NULL) {
        init->node_id = (uint32_t)strtoul(value, NULL, 10);
    } else if ((value = value_of(word, "H")) != NULL) {
        init->heartbeat_ms = (uint32_t)strtoul(value, NULL, 10);
    } else if ((value = value_of(word, "tie")) != NULL) {
        return read_tie_breaker(value, &init->tie_breaker);
    } else if ((value = value_of(word, "alg")) != NULL) {
        return read_algorithm(value, &init->algorithm);
    } else if ((value = value_of(word, "ring")) != NULL) {
        return read_ring(value, &init->ring_id);
    } else if ((value = value_of(word, "lease")) != NULL) {
        *present |= WIRE_HAS_LEASE;
        return sscanf(value, "%" SCNu32 "/%" SCNu32, &init->lease.lease_ms, &init->lease.hold_ms) == 2;
    } else if ((value = value_of(word, "instance")) != NULL) {
        *present |= WIRE_HAS_INSTANCE;
        init->instance = strtoull(value, NULL, 16);
    } else if ((value = value_of(word, "without")) != NULL) {
        return leave_out(value, present);
    } else {
        return false;
    }
    return true;
}

static bool do_init(const struct act *act)
{
    static const uint32_t standard =
        WIRE_HAS(WIRE_TLV_SUPPORTED_MESSAGES) | WIRE_HAS(WIRE_TLV_SUPPORTED_OPTIONS) |
        WIRE_HAS(WIRE_TLV_NODE_ID) | WIRE_HAS(WIRE_TLV_DECISION_ALGORITHM) |
        WIRE_HAS(WIRE_TLV_HEARTBEAT_INTERVAL) | WIRE_HAS(WIRE_TLV_TIE_BREAKER) | WIRE_HAS(WIRE_TLV_RING_ID);

    begin_message(act->conn, WIRE_INIT);
    message.present |= standard | (act->conn->cluster->has_lease ? WIRE_HAS_LEASE : 0);
    message.u.init = act->conn->cluster->init;
    message.u.init.node_id = act->conn->node_id;
    message.u.init.ring_id = (struct wire_ring_id){act->conn->node_id, DEFAULT_RING_SEQ};
    for (unsigned i = 0; i < act->word_count; i++) {
        if (!read_init_word(act->words[i], &message.u.init, &message.present)) {
            return false;
        }
    }
    world_send(act->world, act->conn, &message);
    return true;
}

/* connect, preinit, init, with nothing said about it: it must succeed. */
bool do_joins(const struct act *act)
{
    static const struct act no_words;
    struct act preinit = no_words;
    bool quiet = act->world->quiet;
    bool understood;

    preinit.world = act->world;
    preinit.conn = act->conn;
    act->world->quiet = true;
    understood = do_connect(act) && do_preinit(&preinit) && do_init(act);
    act->world->quiet = quiet;
    return understood && act->conn->ready;
}

static bool send_list(const struct act *act, enum wire_node_list_type type, const char **rest)
{
    begin_message(act->conn, WIRE_NODE_LIST);
    message.present |= WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE);
    message.u.node_list.list_type = type;
    return read_nodes(act->verb_rest, &message.u.node_list, rest);
}

bool do_config(const struct act *act)
{
    const char *rest;

    if (!send_list(act, WIRE_LIST_INITIAL_CONFIG, &rest)) {
        return false;
    }
    world_send(act->world, act->conn, &message);
    return true;
}

static bool do_changed(const struct act *act)
{
    const char *rest;

    if (!send_list(act, WIRE_LIST_CHANGED_CONFIG, &rest)) {
        return false;
    }
    world_send(act->world, act->conn, &message);
    return true;
}

bool do_membership(const struct act *act)
{
    struct wire_node_list *list = &message.u.node_list;
    const char *rest;

    if (!send_list(act, WIRE_LIST_MEMBERSHIP, &rest)) {
        return false;
    }
    if (*rest == '@') {
        message.present |= WIRE_HAS(WIRE_TLV_RING_ID);
        if (!read_ring(rest + 1, &list->ring_id)) {
            return false;
        }
    }
    if (act->word_count > 0 && !read_heuristics(act->words[0], &list->heuristics)) {
        return false;
    }
    world_send(act->world, act->conn, &message);
    return true;
}

static bool do_quorum(const struct act *act)
{
    const char *rest;

    if (!send_list(act, WIRE_LIST_QUORUM, &rest)) {
        return false;
    }
    message.present |= WIRE_HAS(WIRE_TLV_QUORATE);
    message.u.node_list.quorate = act->word_count == 0 || strcmp(act->words[0], "inquorate") != 0;
    if (act->word_count > 0 && strcmp(act->words[0], "without=quorate") == 0) {
        leave_out("quorate", &message.present);
    }
    world_send(act->world, act->conn, &message);
    return true;
}

static bool do_heuristics(const struct act *act)
{
    begin_message(act->conn, WIRE_HEURISTICS_CHANGE);
    message.present |= WIRE_HAS(WIRE_TLV_HEURISTICS);
    if (act->word_count != 1 || !read_heuristics(act->words[0], &message.u.heuristics_change.heuristics)) {
        return false;
    }
    world_send(act->world, act->conn, &message);
    return true;
}

bool do_kap(const struct act *act)
{
    begin_message(act->conn, WIRE_SET_OPTION);
    message.present |= WIRE_HAS(WIRE_TLV_KEEP_ACTIVE_PARTITION);
    message.u.set_option.keep_active_partition = act->word_count == 1 && strcmp(act->words[0], "on") == 0;
    world_send(act->world, act->conn, &message);
    return true;
}

static bool do_heartbeat(const struct act *act)
{
    begin_message(act->conn, WIRE_SET_OPTION);
    message.present |= WIRE_HAS(WIRE_TLV_HEARTBEAT_INTERVAL);
    message.u.set_option.heartbeat_ms = act->word_count == 1 ? (uint32_t)strtoul(act->words[0], NULL, 10) : 0;
    world_send(act->world, act->conn, &message);
    return true;
}

static bool do_ask(const struct act *act)
{
    begin_message(act->conn, WIRE_ASK_FOR_VOTE);
    world_send(act->world, act->conn, &message);
    return true;
}

static bool do_echo(const struct act *act)
{
    begin_message(act->conn, WIRE_ECHO_REQUEST);
    world_send(act->world, act->conn, &message);
    return true;
}

static bool do_confirm(const struct act *act)
{
    begin_message(act->conn, WIRE_VOTE_INFO_REPLY);
    message.seq = act->word_count > 0 ? (uint32_t)strtoul(act->words[0], NULL, 10) : act->conn->vote_seq;
    world_send(act->world, act->conn, &message);
    return true;
}

static bool do_hex(const struct act *act)
{
    uint8_t bytes[1024];
    size_t size = 0;

    for (unsigned i = 0; i < act->word_count; i++) {
        for (const char *c = act->words[i]; c[0] != '\0' && c[1] != '\0' && size < sizeof(bytes); c += 2) {
            char digits[3] = {c[0], c[1], '\0'};
            bytes[size++] = (uint8_t)strtoul(digits, NULL, 16);
        }
    }
    world_send_bytes(act->world, act->conn, bytes, size);
    return size > 0;
}

static bool do_skipped(const struct act *act)
{
    world_skipped(act->world, act->conn,
                  (enum wire_error)(act->word_count > 0 ? strtoul(act->words[0], NULL, 10) : 0));
    return true;
}

static bool do_eof(const struct act *act)
{
    world_gone(act->world, act->conn, ARBITER_GONE_EOF);
    return true;
}

static bool do_goodbye(const struct act *act)
{
    world_gone(act->world, act->conn, ARBITER_GONE_CLOSE_NOTIFY);
    return true;
}

static bool do_unsendable(const struct act *act)
{
    world_gone(act->world, act->conn, ARBITER_GONE_SEND_FAILED);
    return true;
}

static bool do_silent(const struct act *act)
{
    act->conn->silent = true;
    return true;
}

/* told TEXT: the reason it was given last contains TEXT */
static bool do_told(const struct act *act)
{
    char text[VERDICT_REASON_SIZE] = "";

    for (unsigned i = 0; i < act->word_count; i++) {
        size_t used = strlen(text);

        snprintf(text + used, sizeof(text) - used, "%s%s", i > 0 ? " " : "", act->words[i]);
    }
    if (act->word_count > 0 && strstr(act->conn->told, text) != NULL) {
        return true;
    }
    printf("# it was told: %s\n", act->conn->told);
    return false;
}

static const struct {
    const char *name;
    bool (*run)(const struct act *act);
} verbs[] = {
    {"connect", do_connect},
    {"preinit", do_preinit},
    {"starttls", do_starttls},
    {"tls", do_tls},
    {"init", do_init},
    {"joins", do_joins},
    {"config", do_config},
    {"changed", do_changed},
    {"M", do_membership},
    {"Q", do_quorum},
    {"heuristics", do_heuristics},
    {"kap", do_kap},
    {"H", do_heartbeat},
    {"ask", do_ask},
    {"echo", do_echo},
    {"confirm", do_confirm},
    {"hex", do_hex},
    {"skipped", do_skipped},
    {"eof", do_eof},
    {"goodbye", do_goodbye},
    {"unsendable", do_unsendable},
    {"silent", do_silent},
    {"told", do_told},
};

/* "n1: verb..." */
bool run_device(struct world *world, struct script_line *line)
{
    char label[WORLD_LABEL_SIZE];
    struct act act = {.world = world, .words = line->words + 2, .word_count = line->word_count - 2};
    size_t size;

    if (line->word_count < 2 || strlen(line->words[0]) >= sizeof(label)) {
        return false;
    }
    snprintf(label, sizeof(label), "%.*s", (int)strlen(line->words[0]) - 1, line->words[0]);
    act.conn = world_conn(world, label);
    size = strcspn(line->words[1], "{");
    act.verb_rest = line->words[1] + size;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strlen(verbs[i].name) == size && strncmp(verbs[i].name, line->words[1], size) == 0) {
            return verbs[i].run(&act);
        }
    }
    return false;
}
