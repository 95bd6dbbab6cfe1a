/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plays trace files against the arbiter's logic and compares what it answers: run_trace FILE... speaks TAP, one
 * test per scenario. The language is described in tests/trace/README.md.
 */
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/trace/script.h"
#include "tests/trace/world.h"

#define DEFAULT_HEARTBEAT_MS 8000
#define DEFAULT_RING_SEQ 4

static struct wire_message message; /* too large for the stack */

/* ---- reading words ------------------------------------------------------------------------------- */

/* The value of "key=value" if the word has that key. */
static const char *value_of(const char *word, const char *key)
{
    size_t size = strlen(key);

    return strncmp(word, key, size) == 0 && word[size] == '=' ? word + size + 1 : NULL;
}

static bool read_algorithm(const char *text, uint32_t *algorithm)
{
    for (uint32_t i = 0; i < WIRE_ALGORITHM_COUNT; i++) {
        if (strcmp(text, wire_algorithm_name(i)) == 0) {
            *algorithm = i;
            return true;
        }
    }
    *algorithm = (uint32_t)strtoul(text, NULL, 10);
    return text[0] >= '0' && text[0] <= '9';
}

static bool read_tie_breaker(const char *text, struct wire_tie_breaker *tie_breaker)
{
    *tie_breaker = (struct wire_tie_breaker){WIRE_TIE_BREAKER_LOWEST, 0};
    if (strcmp(text, "highest") == 0) {
        tie_breaker->mode = WIRE_TIE_BREAKER_HIGHEST;
    } else if (strcmp(text, "lowest") != 0) {
        tie_breaker->mode = WIRE_TIE_BREAKER_NODE_ID;
        tie_breaker->node_id = (uint32_t)strtoul(text, NULL, 10);
    }
    return tie_breaker->mode != WIRE_TIE_BREAKER_NODE_ID || tie_breaker->node_id != 0;
}

/* "1.8" */
static bool read_ring(const char *text, struct wire_ring_id *ring)
{
    return sscanf(text, "%" SCNu32 ".%" SCNu64, &ring->node_id, &ring->seq) == 2;
}

static bool read_heuristics(const char *text, enum wire_heuristics *heuristics)
{
    for (unsigned i = 0; i <= WIRE_HEURISTICS_FAIL; i++) {
        *heuristics = (enum wire_heuristics)i;
        if (strcmp(text, wire_heuristics_name(*heuristics)) == 0) {
            return true;
        }
    }
    return false;
}

/* "{1,2}" and what follows it: the ids go to the message's node list. */
static bool read_nodes(const char *text, struct wire_node_list *list, const char **rest)
{
    static const char *const states[] = {"", ":member", ":dead", ":leaving"};

    list->node_count = 0;
    if (*text++ != '{') {
        return false;
    }
    while (*text != '}') {
        struct wire_node_info *node = &list->nodes[list->node_count];
        char *end;

        node->node_id = (uint32_t)strtoul(text, &end, 10);
        if (end == text || list->node_count == WIRE_NODES_MAX) {
            return false;
        }
        text = end;
        for (unsigned i = 1; i < 4; i++) {
            if (strncmp(text, states[i], strlen(states[i])) == 0) {
                node->state = (enum wire_node_state)i;
                text += strlen(states[i]);
            }
        }
        list->node_count++;
        text += *text == ',';
    }
    *rest = text + 1;
    return true;
}

/* "+12s", "+500ms" */
static bool read_duration(const char *text, uint64_t *duration_ms)
{
    char unit[4] = "";
    double amount;

    if (sscanf(text, "+%lf%3s", &amount, unit) != 2) {
        return false;
    }
    *duration_ms = (uint64_t)(strcmp(unit, "ms") == 0 ? amount : amount * 1000 + 0.5);
    return strcmp(unit, "ms") == 0 || strcmp(unit, "s") == 0;
}

/* A new message of the connection, numbered. */
static void begin_message(struct world_conn *conn, enum wire_type type)
{
    memset(&message, 0, sizeof(message));
    message.type = type;
    message.present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
    message.seq = ++conn->seq;
}

/* ---- what a device does -------------------------------------------------------------------------- */

struct act {
    struct world *world;
    struct world_conn *conn;
    char **words; /* behind the verb */
    unsigned word_count;
    const char *verb_rest; /* what follows the verb in its own word: "{1,2}@1.8" */
};

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

static bool leave_out(const char *name)
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
            message.present &= ~WIRE_HAS(tlvs[i].tlv);
            return true;
        }
    }
    return false;
}

static bool read_init_word(const char *word, struct wire_init *init)
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
        message.present |= WIRE_HAS_LEASE;
        return sscanf(value, "%" SCNu32 "/%" SCNu32, &init->lease.lease_ms, &init->lease.hold_ms) == 2;
    } else if ((value = value_of(word, "without")) != NULL) {
        return leave_out(value);
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
        if (!read_init_word(act->words[i], &message.u.init)) {
            return false;
        }
    }
    world_send(act->world, act->conn, &message);
    return true;
}

/* connect, preinit, init, with nothing said about it: it must succeed. */
static bool do_joins(const struct act *act)
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

static bool do_config(const struct act *act)
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

static bool do_membership(const struct act *act)
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
        leave_out("quorate");
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

static bool do_kap(const struct act *act)
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
};

/* "n1: verb..." */
static bool run_device(struct world *world, struct script_line *line)
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

/* ---- what is not a device's ---------------------------------------------------------------------- */

/* cluster NAME ALGORITHM TIE-BREAKER [H=ms] [lease=ms/ms] */
static bool run_cluster(struct world *world, struct script_line *line)
{
    struct world_cluster *cluster = &world->clusters[world->cluster_count];

    if (line->word_count < 4 || world->cluster_count == WORLD_CLUSTERS_MAX) {
        return false;
    }
    world->cluster_count++;
    snprintf(cluster->name, sizeof(cluster->name), "%s", line->words[1]);
    cluster->init.heartbeat_ms = DEFAULT_HEARTBEAT_MS;
    cluster->init.supported_messages = (struct wire_bytes){NULL, 1};
    cluster->init.supported_options = (struct wire_bytes){NULL, 1};
    message.present = 0;
    for (unsigned i = 4; i < line->word_count; i++) {
        if (!read_init_word(line->words[i], &cluster->init)) {
            return false;
        }
    }
    cluster->has_lease = (message.present & WIRE_HAS_LEASE) != 0;
    return read_algorithm(line->words[2], &cluster->init.algorithm) &&
           read_tie_breaker(line->words[3], &cluster->init.tie_breaker);
}

/* settings KEY=VALUE...; before the first connection */
static bool run_settings(struct world *world, struct script_line *line)
{
    struct arbiter_settings *settings = &world->settings;

    for (unsigned i = 1; i < line->word_count; i++) {
        const char *value;

        if ((value = value_of(line->words[i], "tls")) != NULL) {
            settings->tls = strcmp(value, "req") == 0  ? WIRE_TLS_REQUIRED
                            : strcmp(value, "on") == 0 ? WIRE_TLS_SUPPORTED
                                                       : WIRE_TLS_UNSUPPORTED;
        } else if ((value = value_of(line->words[i], "client_cert")) != NULL) {
            settings->client_cert_required = strcmp(value, "on") == 0;
        } else if ((value = value_of(line->words[i], "strict")) != NULL) {
            settings->strict = strcmp(value, "on") == 0;
        } else if ((value = value_of(line->words[i], "kap")) != NULL) {
            settings->keep_active_partition = strcmp(value, "on") == 0;
        } else if ((value = value_of(line->words[i], "dpd")) != NULL) {
            settings->dpd_enabled = strcmp(value, "on") == 0;
        } else if ((value = value_of(line->words[i], "clients_max")) != NULL) {
            settings->clients_max = (uint32_t)strtoul(value, NULL, 10);
        } else {
            return false;
        }
    }
    return true;
}

/* together {1,2}@1.8 [pass|fail] [kap]: all nodes join, report one membership and get their ACK, unseen. */
static bool run_together(struct world *world, struct script_line *line)
{
    const char *rest = line->words[1] + strcspn(line->words[1], "@");
    const char *heuristics = "undefined";
    bool kap = false;
    char nodes[64];
    uint32_t ids[16];
    uint32_t count;

    for (unsigned i = 2; i < line->word_count; i++) {
        kap = kap || strcmp(line->words[i], "kap") == 0;
        heuristics = strcmp(line->words[i], "kap") == 0 ? heuristics : line->words[i];
    }
    snprintf(nodes, sizeof(nodes), "%.*s", (int)(rest - line->words[1]), line->words[1]);
    memset(&message, 0, sizeof(message));
    if (!read_nodes(nodes, &message.u.node_list, &rest) || message.u.node_list.node_count > 16) {
        return false;
    }
    count = message.u.node_list.node_count;
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = message.u.node_list.nodes[i].node_id;
    }
    world->quiet = true;
    for (unsigned phase = 0; phase < 2; phase++) {
        for (uint32_t i = 0; i < count; i++) {
            char label[WORLD_LABEL_SIZE];
            char on[] = "on";
            char text[32];
            char *words[] = {kap ? on : text};
            struct act act = {.world = world, .words = words, .verb_rest = nodes};

            snprintf(label, sizeof(label), "n%" PRIu32, ids[i]);
            act.conn = world_conn(world, label);
            if (phase == 0) {
                do_joins(&act);
                if (kap) {
                    act.word_count = 1;
                    do_kap(&act);
                    act.word_count = 0;
                }
                do_config(&act);
                continue;
            }
            snprintf(text, sizeof(text), "%s", heuristics);
            words[0] = text;
            act.word_count = 1;
            act.verb_rest = line->words[1];
            if (!do_membership(&act)) {
                return false;
            }
        }
    }
    world->quiet = false;
    for (uint32_t i = 0; i < count; i++) {
        char label[WORLD_LABEL_SIZE];

        snprintf(label, sizeof(label), "n%" PRIu32, ids[i]);
        /* Only VOTE_INFO says so under ffsplit and lms; the others are answered. */
        if (world_conn(world, label)->cluster->init.algorithm != WIRE_ALGORITHM_TEST &&
            world_conn(world, label)->vote != WIRE_VOTE_ACK) {
            printf("# %s has not got its ACK\n", label);
            return false;
        }
    }
    return true;
}

static bool run_time(struct world *world, struct script_line *line)
{
    uint64_t duration_ms;

    if (line->word_count != 2 || !read_duration(line->words[1], &duration_ms)) {
        return false;
    }
    world->timed = true;
    world_pass_time(world, duration_ms);
    world->timed = false;
    return true;
}

static bool read_persist_result(const char *text, enum arbiter_persist_result *result)
{
    static const char *const names[] = {"done", "volatile", "failed"};

    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *result = (enum arbiter_persist_result)i;
            return true;
        }
    }
    return false;
}

/* records manual | done | volatile | failed: what becomes of grant records from now on */
static bool run_records(struct world *world, struct script_line *line)
{
    world->manual_record = line->word_count == 2 && strcmp(line->words[1], "manual") == 0;
    return world->manual_record ||
           (line->word_count == 2 && read_persist_result(line->words[1], &world->persist_result));
}

/* persisted done | volatile | failed: the answer to the record shown last */
static bool run_persisted(struct world *world, struct script_line *line)
{
    enum arbiter_persist_result result;

    if (line->word_count != 2 || !read_persist_result(line->words[1], &result)) {
        return false;
    }
    world_persisted(world, result);
    return true;
}

/* written: the record shown last is in place, and the arbiter dies before it learns of it */
static bool run_written(struct world *world, struct script_line *line)
{
    (void)line;
    world_put_record(world);
    return true;
}

/* restart kept | lost */
static bool run_restart(struct world *world, struct script_line *line)
{
    bool lost = line->word_count == 2 && strcmp(line->words[1], "lost") == 0;

    world_restart(world, lost ? WORLD_RECORDS_LOST : WORLD_RECORDS_KEPT);
    return lost || (line->word_count == 2 && strcmp(line->words[1], "kept") == 0);
}

/* The rest of the command behind its first word, and behind a cluster's name followed by a colon. */
static const char *argument_text(struct world *world, struct script_line *line,
                                 const struct cluster **cluster)
{
    const struct world_cluster *named = &world->clusters[0];
    const char *text = line->command + strlen(line->words[0]);

    *cluster = world_arbiter_cluster(world, named);
    return text + strspn(text, " ");
}

/* why TEXT: the reason of the verdict in force, in full */
static bool run_why(struct world *world, struct script_line *line)
{
    const struct cluster *cluster;
    const char *text = argument_text(world, line, &cluster);

    if (cluster != NULL && strcmp(cluster->verdict.reason, text) == 0) {
        return true;
    }
    printf("# the reason is: %s\n", cluster != NULL ? cluster->verdict.reason : "(no cluster)");
    return false;
}

/* waiting TEXT: what is waited for contains TEXT; "waiting nothing" */
static bool run_waiting(struct world *world, struct script_line *line)
{
    const struct cluster *cluster;
    const char *text = argument_text(world, line, &cluster);
    const char *waiting = cluster != NULL ? cluster->waiting_for : "";

    if (strcmp(text, "nothing") == 0 ? waiting[0] == '\0' : strstr(waiting, text) != NULL) {
        return true;
    }
    printf("# waited for is: %s\n", waiting);
    return false;
}

/* holders 1 2: exactly these nodes may be casting an ACK */
static bool run_holders(struct world *world, struct script_line *line)
{
    const struct cluster *cluster;
    const char *text = argument_text(world, line, &cluster);
    char holders[128] = "";

    for (const struct member *m = cluster != NULL ? cluster->members : NULL; m != NULL; m = m->next) {
        size_t used = strlen(holders);
        if (m->grant != GRANT_NONE) {
            snprintf(holders + used, sizeof(holders) - used, "%s%" PRIu32, used > 0 ? " " : "", m->node_id);
        }
    }
    if (strcmp(holders, strcmp(text, "nobody") == 0 ? "" : text) == 0) {
        return true;
    }
    printf("# holders are: %s\n", holders);
    return false;
}

static const struct {
    const char *name;
    bool (*run)(struct world *world, struct script_line *line);
} commands[] = {
    {"cluster", run_cluster}, {"settings", run_settings}, {"together", run_together},
    {"time", run_time},       {"records", run_records},   {"persisted", run_persisted},
    {"written", run_written}, {"restart", run_restart},   {"why", run_why},
    {"waiting", run_waiting}, {"holders", run_holders},
};

static bool run_command(struct world *world, struct script_line *line)
{
    const char *word = line->words[0];

    if (word[strlen(word) - 1] == ':') {
        return run_device(world, line);
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(word, commands[i].name) == 0) {
            return commands[i].run(world, line);
        }
    }
    return false;
}

/* ---- comparing ----------------------------------------------------------------------------------- */

static bool is_label(const char *word)
{
    const char *dot = strchr(word, '.');
    const char *name = dot != NULL ? dot + 1 : word;

    return name[0] == 'n' && name[1] >= '0' && name[1] <= '9';
}

/*
 * Writes one expectation, "VI ACK n1 n2 at 3s", as the outputs it stands for: "VI ACK n1 at 3s", "VI ACK n2 at 3s".
 * Returns how many.
 */
static unsigned expand(char *text, char outputs[][WORLD_OUTPUT_SIZE], unsigned room)
{
    char verb[48] = "";
    char *labels[16];
    unsigned label_count = 0;
    char *at = strstr(text, " at ");
    char time[32] = "";

    if (at != NULL) {
        snprintf(time, sizeof(time), "%s", at);
        *at = '\0';
    }
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        if (is_label(word) && label_count < 16) {
            labels[label_count++] = word;
        } else {
            size_t used = strlen(verb);
            snprintf(verb + used, sizeof(verb) - used, "%s%s", used > 0 ? " " : "", word);
        }
    }
    if (label_count == 0 && room > 0) {
        snprintf(outputs[0], WORLD_OUTPUT_SIZE, "%s%s", verb, time);
        return 1;
    }
    for (unsigned i = 0; i < label_count && i < room; i++) {
        if ((size_t)snprintf(outputs[i], WORLD_OUTPUT_SIZE, "%s %s%s", verb, labels[i], time) >=
            WORLD_OUTPUT_SIZE) {
            return 0;
        }
    }
    return label_count;
}

static unsigned expand_all(const char *expected, char outputs[][WORLD_OUTPUT_SIZE], unsigned room)
{
    char text[SCRIPT_TEXT_SIZE];
    unsigned count = 0;
    char *next = text;

    snprintf(text, sizeof(text), "%s", expected);
    while (next != NULL && *next != '\0') {
        char *one = next;

        next = strchr(next, ',');
        if (next != NULL) {
            *next++ = '\0';
        }
        count += expand(one, outputs + count, room - count);
    }
    return count;
}

static void print_outputs(const char *what, char outputs[][WORLD_OUTPUT_SIZE], unsigned count)
{
    printf("#   %s: ", what);
    for (unsigned i = 0; i < count; i++) {
        printf("%s%s", i > 0 ? ", " : "", outputs[i]);
    }
    printf("%s\n", count == 0 ? "nothing" : "");
}

static bool compare(struct world *world, const struct script_line *line)
{
    static char expected[WORLD_OUTPUTS_MAX][WORLD_OUTPUT_SIZE];
    unsigned count = expand_all(line->expected, expected, WORLD_OUTPUTS_MAX);
    bool same = count == world->output_count;

    for (unsigned i = 0; same && i < count; i++) {
        same = strcmp(expected[i], world->outputs[i]) == 0;
    }
    if (!same) {
        printf("# %s:%u: %s\n", line->file, line->number, line->command);
        print_outputs("expected", expected, count);
        print_outputs("arbiter ", world->outputs, world->output_count);
    }
    return same;
}

static bool run_scenario(struct script_line *lines, size_t count)
{
    static struct world world;
    bool good = true;

    world_init(&world);
    for (size_t i = 0; i < count && good; i++) {
        world.line_ms = world.now_ms;
        world.output_count = 0;
        if (!run_command(&world, &lines[i])) {
            printf("# %s:%u: %s: not as said, or not understood\n", lines[i].file, lines[i].number,
                   lines[i].command);
            good = false;
        } else {
            good = compare(&world, &lines[i]);
        }
    }
    world_fini(&world);
    return good;
}

/* ---- TAP ----------------------------------------------------------------------------------------- */

static unsigned run_file(const char *path, unsigned *number)
{
    struct script *script = script_read(path);
    const char *slash = strrchr(path, '/');
    unsigned failed = 0;

    if (script == NULL) {
        printf("not ok %u - %s is readable\n", ++*number, path);
        return 1;
    }
    for (unsigned i = 0; i < script_scenario_count(script); i++) {
        size_t count;
        struct script_line *lines = script_lines(script, i, &count);
        bool good = run_scenario(lines, count);

        failed += !good;
        printf("%sok %u - %s: %s\n", good ? "" : "not ", ++*number, slash != NULL ? slash + 1 : path,
               script_title(script, i));
    }
    script_free(script);
    return failed;
}

/* All of tests/trace/scenarios, by name. */
static unsigned run_all(unsigned *number)
{
    const char *src = getenv("Q_SRC");
    unsigned failed = 0;
    char pattern[4096];
    glob_t found;

    snprintf(pattern, sizeof(pattern), "%s/tests/trace/scenarios/*.trace", src != NULL ? src : ".");
    if (glob(pattern, 0, NULL, &found) != 0) {
        printf("Bail out! no %s\n", pattern);
        return 1;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        failed += run_file(found.gl_pathv[i], number);
    }
    globfree(&found);
    return failed;
}

int main(int argc, char **argv)
{
    unsigned number = 0;
    unsigned failed = 0;

    /* What went before must be out when an assertion of the arbiter's ends it all. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 1) {
        failed = run_all(&number);
    }
    for (int i = 1; i < argc; i++) {
        failed += run_file(argv[i], &number);
    }
    printf("1..%u\n", number);
    return failed != 0;
}
