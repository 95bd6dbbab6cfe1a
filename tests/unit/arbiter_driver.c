/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/arbiter_driver.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS 1000000

void driver_init_with(struct driver *driver, const struct arbiter_settings *settings, bool complete)
{
    struct arbiter_event event = {.type = ARBITER_EV_RESTORED, .now_ms = START_MS, .u.restored.complete = complete};

    memset(driver, 0, sizeof(*driver));
    driver->settings = *settings;
    driver->now_ms = START_MS;
    driver->tie_breaker.mode = WIRE_TIE_BREAKER_LOWEST;
    driver->heartbeat_ms = 8000;
    driver->arbiter = arbiter_new(settings, START_MS);
    assert(driver->arbiter != NULL);
    arbiter_actions_init(&driver->actions);
    assert(arbiter_step(driver->arbiter, &event, &driver->actions) == Q_OK);
}

void driver_init(struct driver *driver)
{
    struct arbiter_settings settings;

    arbiter_settings_default(&settings);
    settings.tls = WIRE_TLS_SUPPORTED;
    driver_init_with(driver, &settings, true);
}

void driver_fini(struct driver *driver)
{
    arbiter_actions_fini(&driver->actions);
    arbiter_free(driver->arbiter);
}

/* ---- output ---- */

static void print_output(struct driver *driver, int slot, const char *what)
{
    size_t used = strlen(driver->output);

    snprintf(driver->output + used, sizeof(driver->output) - used, "%s%d<%s", used > 0 ? "; " : "", slot, what);
}

static void print_note(struct driver *driver, int slot, const char *note)
{
    size_t used = strlen(driver->notes);

    snprintf(driver->notes + used, sizeof(driver->notes) - used, "%d: %s\n", slot, note);
}

static void describe_vote(const struct wire_message *m, char *text, size_t size)
{
    int n = snprintf(text, size, "%s %s %u.%llu", wire_type_name(m->type), wire_vote_name(m->u.vote.vote),
                     m->u.vote.ring_id.node_id, (unsigned long long)m->u.vote.ring_id.seq);

    if ((m->present & WIRE_HAS_REASON) != 0)
        snprintf(text + n, size - (size_t)n, " (%.*s)", (int)m->u.vote.reason.size, m->u.vote.reason.data);
}

static void on_send(struct driver *driver, int slot, const uint8_t *bytes, size_t size)
{
    struct wire_message *m = &driver->message;
    char text[2048];

    assert(wire_decode(bytes, size, m));
    assert(wire_has_required(m) || m->type == WIRE_INIT_REPLY); /* that one has what the INIT asked for */
    switch (m->type) {
    case WIRE_VOTE_INFO:
        driver->vote_seq[slot] = m->seq;
        describe_vote(m, text, sizeof(text));
        break;
    case WIRE_NODE_LIST_REPLY:
    case WIRE_ASK_FOR_VOTE_REPLY:
    case WIRE_HEURISTICS_CHANGE_REPLY:
        describe_vote(m, text, sizeof(text));
        break;
    case WIRE_INIT_REPLY:
        snprintf(text, sizeof(text), "INIT_REPLY %d", (int)m->u.init_reply.error);
        break;
    case WIRE_SERVER_ERROR:
        snprintf(text, sizeof(text), "SERVER_ERROR %u", m->u.server_error.error);
        break;
    case WIRE_PREINIT:
    case WIRE_PREINIT_REPLY:
    case WIRE_STARTTLS:
    case WIRE_INIT:
    case WIRE_SET_OPTION:
    case WIRE_SET_OPTION_REPLY:
    case WIRE_ECHO_REQUEST:
    case WIRE_ECHO_REPLY:
    case WIRE_NODE_LIST:
    case WIRE_ASK_FOR_VOTE:
    case WIRE_VOTE_INFO_REPLY:
    case WIRE_HEURISTICS_CHANGE:
        snprintf(text, sizeof(text), "%s", wire_type_name(m->type));
        break;
    }
    print_output(driver, slot, text);
}

static void step(struct driver *driver, const struct arbiter_event *event);

static void on_persist(struct driver *driver, const struct arbiter_actions *actions, const struct arbiter_action *action)
{
    driver->persist_count++;
    snprintf(driver->record, sizeof(driver->record), "%.*s", (int)action->data.size,
             (const char *)arbiter_actions_bytes(actions, action->data));
    if (driver->hold_persist) {
        driver->held_cluster_id = action->cluster_id;
        driver->held_generation = action->generation;
        return;
    }
    struct arbiter_event event = {.type = ARBITER_EV_PERSISTED,
                                  .now_ms = driver->now_ms,
                                  .u.persisted = {action->cluster_id, action->generation, driver->persist_result}};
    step(driver, &event);
}

static void carry_out(struct driver *driver, const struct arbiter_actions *actions, const struct arbiter_action *action)
{
    int slot = (int)(uint32_t)action->conn;

    switch (action->type) {
    case ARBITER_ACT_SEND:
        on_send(driver, slot, arbiter_actions_bytes(actions, action->data), action->data.size);
        return;
    case ARBITER_ACT_START_TLS:
        print_output(driver, slot, "START_TLS");
        return;
    case ARBITER_ACT_CLOSE:
        driver->closed |= 1u << slot;
        print_output(driver, slot, "CLOSE");
        print_note(driver, slot, arbiter_actions_text(actions, action->data));
        return;
    case ARBITER_ACT_PERSIST:
        on_persist(driver, actions, action);
        return;
    case ARBITER_ACT_FORGET:
        driver->forget_count++;
        return;
    case ARBITER_ACT_NOTE:
        print_note(driver, slot, arbiter_actions_text(actions, action->data));
        return;
    }
}

static void step(struct driver *driver, const struct arbiter_event *event)
{
    struct arbiter_actions actions; /* of its own: an answered PERSIST steps again in the middle */

    arbiter_actions_init(&actions);
    assert(arbiter_step(driver->arbiter, event, &actions) == Q_OK);
    arbiter_check(driver->arbiter);
    for (size_t i = 0; i < actions.count; i++)
        carry_out(driver, &actions, &actions.items[i]);
    arbiter_actions_fini(&actions);
}

static const char *run(struct driver *driver, struct arbiter_event *event, int slot)
{
    driver->output[0] = '\0';
    driver->notes[0] = '\0';
    event->now_ms = driver->now_ms;
    if (slot != 0)
        event->conn = driver->generation[slot] << 32 | (uint64_t)slot;
    step(driver, event);
    return driver->output;
}

/* ---- events ---- */

const char *driver_connect(struct driver *driver, int slot)
{
    struct arbiter_event event = {.type = ARBITER_EV_CONNECTED, .u.connected.peer = "192.0.2.1:40000"};

    driver->generation[slot]++;
    driver->closed &= ~(1u << slot);
    return run(driver, &event, slot);
}

const char *driver_disconnect(struct driver *driver, int slot, enum arbiter_disconnect how)
{
    struct arbiter_event event = {.type = ARBITER_EV_DISCONNECTED, .u.disconnected.how = how};

    return run(driver, &event, slot);
}

const char *driver_message(struct driver *driver, int slot, const struct wire_message *message)
{
    struct arbiter_event event = {.type = ARBITER_EV_MESSAGE};
    struct wire_message *decoded = malloc(sizeof(*decoded));
    struct q_buf bytes;
    const char *output;

    assert(decoded != NULL);
    q_buf_init(&bytes);
    wire_encode(&bytes, message);
    if (wire_decode(q_buf_bytes(&bytes), bytes.size, decoded)) {
        event.u.message.message = decoded;
        event.u.message.raw = (struct wire_bytes){q_buf_bytes(&bytes), bytes.size};
    } else {
        event.type = ARBITER_EV_UNDECODABLE;
        event.u.message.message = decoded;
    }
    output = run(driver, &event, slot);
    q_buf_fini(&bytes);
    free(decoded);
    return output;
}

const char *driver_undecodable(struct driver *driver, int slot, enum wire_type type, uint32_t seq)
{
    struct wire_message *message = calloc(1, sizeof(*message));
    struct arbiter_event event = {.type = ARBITER_EV_UNDECODABLE, .u.message.message = message};
    const char *output;

    assert(message != NULL);
    message->type = type;
    message->present = seq != 0 ? WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER) : 0;
    message->seq = seq;
    output = run(driver, &event, slot);
    free(message);
    return output;
}

const char *driver_skipped(struct driver *driver, int slot, enum wire_error error)
{
    struct arbiter_event event = {.type = ARBITER_EV_SKIPPED, .u.skipped.error = error};

    return run(driver, &event, slot);
}

const char *driver_tls_names(struct driver *driver, int slot, const char *const *names, size_t count)
{
    struct arbiter_event event = {.type = ARBITER_EV_TLS_ESTABLISHED,
                                  .u.tls = {.names = names, .name_count = count}};

    return run(driver, &event, slot);
}

const char *driver_tls_identity(struct driver *driver, int slot, unsigned digit)
{
    static const char *const name = "C";
    struct arbiter_event event = {.type = ARBITER_EV_TLS_ESTABLISHED, .u.tls = {.names = &name, .name_count = 1}};

    memset(event.u.tls.cluster.bytes, (int)(digit * 0x11), sizeof(event.u.tls.cluster.bytes));
    return run(driver, &event, slot);
}

const char *driver_tls(struct driver *driver, int slot, const char *name)
{
    return driver_tls_names(driver, slot, &name, name != NULL);
}

const char *driver_pass(struct driver *driver, uint64_t ms)
{
    uint64_t end = driver->now_ms + ms;

    driver->output[0] = '\0';
    driver->notes[0] = '\0';
    while (arbiter_deadline_ms(driver->arbiter) <= end) {
        struct arbiter_event event = {.type = ARBITER_EV_TIME};

        if (arbiter_deadline_ms(driver->arbiter) > driver->now_ms)
            driver->now_ms = arbiter_deadline_ms(driver->arbiter);
        event.now_ms = driver->now_ms;
        step(driver, &event);
    }
    driver->now_ms = end;
    return driver->output;
}

const char *driver_persisted(struct driver *driver, enum arbiter_persist_result result)
{
    struct arbiter_event event = {.type = ARBITER_EV_PERSISTED,
                                  .u.persisted = {driver->held_cluster_id, driver->held_generation, result}};

    return run(driver, &event, 0);
}

/* ---- messages ---- */

static struct wire_message *new_message(enum wire_type type, uint32_t present)
{
    struct wire_message *message = calloc(1, sizeof(*message));

    assert(message != NULL);
    message->type = type;
    message->present = present | WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
    message->seq = 7;
    return message;
}

static const char *send_and_free(struct driver *driver, int slot, struct wire_message *message)
{
    const char *output = driver_message(driver, slot, message);

    free(message);
    return output;
}

const char *driver_preinit(struct driver *driver, int slot, const char *name)
{
    struct wire_message *m = new_message(WIRE_PREINIT, WIRE_HAS(WIRE_TLV_CLUSTER_NAME));

    m->u.preinit.cluster_name = (struct wire_bytes){(const uint8_t *)name, strlen(name)};
    return send_and_free(driver, slot, m);
}

const char *driver_init_message(struct driver *driver, int slot, uint32_t node_id, enum wire_algorithm algorithm)
{
    struct wire_message *m = new_message(
        WIRE_INIT, WIRE_HAS(WIRE_TLV_NODE_ID) | WIRE_HAS(WIRE_TLV_DECISION_ALGORITHM) |
                       WIRE_HAS(WIRE_TLV_HEARTBEAT_INTERVAL) | WIRE_HAS(WIRE_TLV_TIE_BREAKER) |
                       WIRE_HAS(WIRE_TLV_RING_ID) | WIRE_HAS(WIRE_TLV_SUPPORTED_MESSAGES) |
                       WIRE_HAS(WIRE_TLV_SUPPORTED_OPTIONS));

    m->u.init.node_id = node_id;
    m->u.init.algorithm = algorithm;
    m->u.init.heartbeat_ms = driver->heartbeat_ms;
    m->u.init.tie_breaker = driver->tie_breaker;
    m->u.init.ring_id = (struct wire_ring_id){node_id, 1};
    if (driver->instance != 0) {
        m->present |= WIRE_HAS_LEASE | WIRE_HAS_INSTANCE;
        m->u.init.lease = (struct wire_lease){2500, 200};
        m->u.init.instance = driver->instance;
    }
    m->u.init.supported_messages = (struct wire_bytes){NULL, 1};
    m->u.init.supported_options = (struct wire_bytes){NULL, 1};
    return send_and_free(driver, slot, m);
}

static void parse_nodes(const char *text, struct wire_node_list *list)
{
    while (*text != '\0') {
        char *end;

        list->nodes[list->node_count++].node_id = (uint32_t)strtoul(text, &end, 10);
        text = *end == ',' ? end + 1 : end;
    }
}

const char *driver_list(struct driver *driver, int slot, enum wire_node_list_type type, const char *nodes)
{
    struct wire_message *m = new_message(WIRE_NODE_LIST, WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE));

    m->u.node_list.list_type = type;
    parse_nodes(nodes, &m->u.node_list);
    return send_and_free(driver, slot, m);
}

const char *driver_config(struct driver *driver, int slot, const char *nodes)
{
    return driver_list(driver, slot, WIRE_LIST_INITIAL_CONFIG, nodes);
}

const char *driver_ask(struct driver *driver, int slot)
{
    return send_and_free(driver, slot, new_message(WIRE_ASK_FOR_VOTE, 0));
}

const char *driver_heartbeat(struct driver *driver, int slot, uint32_t heartbeat_ms)
{
    struct wire_message *m = new_message(WIRE_SET_OPTION, WIRE_HAS(WIRE_TLV_HEARTBEAT_INTERVAL));

    m->u.set_option.heartbeat_ms = heartbeat_ms;
    return send_and_free(driver, slot, m);
}

const char *driver_membership(struct driver *driver, int slot, const char *nodes, uint32_t ring_node,
                              uint64_t ring_seq, enum wire_heuristics heuristics)
{
    struct wire_message *m =
        new_message(WIRE_NODE_LIST, WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE) | WIRE_HAS(WIRE_TLV_RING_ID) |
                                        (heuristics != WIRE_HEURISTICS_UNDEFINED ? WIRE_HAS(WIRE_TLV_HEURISTICS) : 0));

    m->u.node_list.list_type = WIRE_LIST_MEMBERSHIP;
    m->u.node_list.ring_id = (struct wire_ring_id){ring_node, ring_seq};
    m->u.node_list.heuristics = heuristics;
    parse_nodes(nodes, &m->u.node_list);
    return send_and_free(driver, slot, m);
}

const char *driver_quorum(struct driver *driver, int slot, const char *nodes, bool quorate)
{
    struct wire_message *m =
        new_message(WIRE_NODE_LIST, WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE) | WIRE_HAS(WIRE_TLV_QUORATE));

    m->u.node_list.list_type = WIRE_LIST_QUORUM;
    m->u.node_list.quorate = quorate;
    parse_nodes(nodes, &m->u.node_list);
    return send_and_free(driver, slot, m);
}

const char *driver_heuristics(struct driver *driver, int slot, enum wire_heuristics heuristics)
{
    struct wire_message *m = new_message(WIRE_HEURISTICS_CHANGE, WIRE_HAS(WIRE_TLV_HEURISTICS));

    m->u.heuristics_change.heuristics = heuristics;
    return send_and_free(driver, slot, m);
}

const char *driver_confirm(struct driver *driver, int slot)
{
    struct wire_message *m = new_message(WIRE_VOTE_INFO_REPLY, 0);

    m->seq = driver->vote_seq[slot];
    return send_and_free(driver, slot, m);
}

const char *driver_echo(struct driver *driver, int slot)
{
    return send_and_free(driver, slot, new_message(WIRE_ECHO_REQUEST, 0));
}

const char *driver_keep_active(struct driver *driver, int slot, bool on)
{
    struct wire_message *m = new_message(WIRE_SET_OPTION, WIRE_HAS(WIRE_TLV_KEEP_ACTIVE_PARTITION));

    m->u.set_option.keep_active_partition = on;
    return send_and_free(driver, slot, m);
}

void driver_restore(struct driver *driver, const char *nodes, uint32_t lease_ms)
{
    struct wire_node_list *list = &driver->message.u.node_list;
    struct grant_record record = {.name = {(const uint8_t *)"C", 1}};
    struct arbiter_event event = {.type = ARBITER_EV_RESTORE, .u.record = &record};

    list->node_count = 0;
    parse_nodes(nodes, list);
    record.holders = calloc(list->node_count + 1, sizeof(*record.holders));
    assert(record.holders != NULL);
    record.holder_count = list->node_count;
    for (uint32_t i = 0; i < list->node_count; i++) {
        record.holders[i] = (struct grant_holder){list->nodes[i].node_id, lease_ms};
        assert(node_set_add(&record.active, list->nodes[i].node_id) == Q_OK);
    }
    run(driver, &event, 0);
    free(record.holders);
    node_set_fini(&record.active);
}

void driver_join(struct driver *driver, int slot, uint32_t node_id, enum wire_algorithm algorithm, const char *config)
{
    driver_connect(driver, slot);
    driver_preinit(driver, slot, "C");
    driver_init_message(driver, slot, node_id, algorithm);
    driver_config(driver, slot, config);
}

/* ---- state ---- */

const struct cluster *driver_cluster(const struct driver *driver)
{
    return arbiter_find_cluster(driver->arbiter, (struct wire_bytes){(const uint8_t *)"C", 1});
}

enum grant_state driver_grant(const struct driver *driver, uint32_t node_id)
{
    const struct cluster *cluster = driver_cluster(driver);

    for (const struct member *m = cluster != NULL ? cluster->members : NULL; m != NULL; m = m->next)
        if (m->node_id == node_id)
            return m->grant;
    return GRANT_NONE;
}
