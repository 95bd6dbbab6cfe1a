/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/agent_driver.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS 1000000

void agent_driver_init(struct agent_driver *driver, bool ours)
{
    struct timing_input input = {.sync_timeout_ms = TIMING_SYNC_TIMEOUT_DEFAULT_MS,
                                 .heartbeat_ms_min = 1000,
                                 .heartbeat_ms_max = 120000};

    memset(driver, 0, sizeof(*driver));
    driver->agent = agent_new();
    assert(driver->agent != NULL);
    driver->now_ms = START_MS;
    driver->ours = ours;
    driver->nodes[0].node_id = 1;
    driver->nodes[1].node_id = 2;
    driver->config.cluster_name = "C";
    driver->config.node_id = 1;
    driver->config.instance = 42;
    driver->config.algorithm = WIRE_ALGORITHM_FFSPLIT;
    driver->config.tie_breaker.mode = WIRE_TIE_BREAKER_LOWEST;
    driver->config.keep_active_partition = true;
    driver->config.tls = AGENT_TLS_ON;
    driver->config.hosts[0] = "a";
    driver->config.host_count = 1;
    driver->config.nodes = driver->nodes;
    driver->config.node_count = 2;
    timing_derive(&input, &driver->config.timing);
}

void agent_driver_fini(struct agent_driver *driver)
{
    agent_free(driver->agent);
}

/* ---- output ---- */

static void print(struct agent_driver *driver, const char *format, ...)
{
    size_t used = strlen(driver->output);
    va_list arguments;

    used += (size_t)snprintf(driver->output + used, sizeof(driver->output) - used, "%s", used > 0 ? "; " : "");
    va_start(arguments, format);
    vsnprintf(driver->output + used, sizeof(driver->output) - used, format, arguments);
    va_end(arguments);
}

static void step(struct agent_driver *driver, struct agent_event *event);

static void on_send(struct agent_driver *driver, const struct agent_actions *actions, const struct agent_action *action)
{
    struct wire_message *m = malloc(sizeof(*m));

    assert(m != NULL && wire_decode(q_buf_bytes(&actions->data) + action->data.offset, action->data.size, m));
    if (m->type == WIRE_ECHO_REQUEST)
        driver->echo_seq = m->seq;
    else if (m->type != WIRE_VOTE_INFO_REPLY)
        driver->seq = m->seq;
    if (m->type == WIRE_NODE_LIST && m->u.node_list.list_type == WIRE_LIST_MEMBERSHIP)
        driver->list_heuristics = m->u.node_list.heuristics;
    if (m->type == WIRE_NODE_LIST)
        print(driver, "SEND NODE_LIST %d", (int)m->u.node_list.list_type);
    else
        print(driver, "SEND %s", wire_type_name(m->type));
    free(m);
}

static void on_cast(struct agent_driver *driver, const struct agent_action *action)
{
    struct agent_event event = {.type = AGENT_EV_CAST_DONE, .u.cast_done.sequence = action->sequence};

    driver->cast = action->cast;
    driver->until_ms = action->until_ms;
    driver->cast_sequence = action->sequence;
    if (action->cast == AGENT_CAST_YES)
        print(driver, "%s until +%llu", action->poll ? "YES" : "YES still",
              (unsigned long long)(action->until_ms - driver->now_ms));
    else if (action->poll)
        print(driver, "%s", action->cast == AGENT_CAST_NO ? "NO" : "NOTHING");
    if (!driver->hold_casts)
        step(driver, &event);
}

static void carry_out(struct agent_driver *driver, const struct agent_actions *actions, const struct agent_action *action)
{
    switch (action->type) {
    case AGENT_ACT_RESOLVE:
        driver->conn = action->conn;
        print(driver, "RESOLVE %s", driver->config.hosts[action->host]);
        return;
    case AGENT_ACT_CONNECT:
        driver->conn = action->conn;
        print(driver, "CONNECT %u", action->address);
        return;
    case AGENT_ACT_START_TLS:
        print(driver, "START_TLS");
        return;
    case AGENT_ACT_SEND:
        on_send(driver, actions, action);
        return;
    case AGENT_ACT_CLOSE:
        print(driver, action->goodbye ? "GOODBYE" : "CLOSE");
        return;
    case AGENT_ACT_CAST:
        on_cast(driver, action);
        return;
    case AGENT_ACT_HEURISTICS:
        driver->run_sequence = action->sequence;
        print(driver, "HEURISTICS %d", (int)action->run);
        return;
    case AGENT_ACT_NOTE:
        driver->warning_count += action->level == AGENT_NOTE_WARNING;
        return;
    case AGENT_ACT_STOP:
        print(driver, "STOP");
        return;
    }
}

static void step(struct agent_driver *driver, struct agent_event *event)
{
    struct agent_actions actions;

    agent_actions_init(&actions);
    event->now_ms = driver->now_ms;
    event->random = driver->random;
    event->conn = driver->conn;
    assert(agent_step(driver->agent, event, &actions) == Q_OK);
    for (size_t i = 0; i < actions.count; i++)
        carry_out(driver, &actions, &actions.items[i]);
    agent_actions_fini(&actions);
}

static const char *run(struct agent_driver *driver, struct agent_event *event)
{
    driver->output[0] = '\0';
    step(driver, event);
    return driver->output;
}

/* ---- events ---- */

const char *agent_driver_config(struct agent_driver *driver)
{
    struct agent_event event = {.type = AGENT_EV_CONFIG, .u.config = &driver->config};

    return run(driver, &event);
}

const char *agent_driver_nodelist(struct agent_driver *driver, const char *members, uint64_t ring_seq)
{
    struct agent_event event = {.type = AGENT_EV_CORE_NODELIST};
    uint32_t ids[8];
    uint32_t count = 0;

    while (*members != '\0') {
        char *end;

        ids[count++] = (uint32_t)strtoul(members, &end, 10);
        members = *end == ',' ? end + 1 : end;
    }
    event.u.nodelist.ring_id = (struct wire_ring_id){1, ring_seq};
    event.u.nodelist.members = ids;
    event.u.nodelist.member_count = count;
    return run(driver, &event);
}

const char *agent_driver_quorum(struct agent_driver *driver, bool quorate)
{
    struct agent_event event = {.type = AGENT_EV_CORE_QUORUM,
                                .u.quorum = {quorate, driver->nodes, driver->config.node_count}};

    return run(driver, &event);
}

const char *agent_driver_event(struct agent_driver *driver, enum agent_event_type type)
{
    struct agent_event event = {.type = type};

    if (type == AGENT_EV_DISCONNECTED)
        event.u.disconnected.text = "connection reset";
    return run(driver, &event);
}

const char *agent_driver_resolved(struct agent_driver *driver, uint32_t address_count)
{
    struct agent_event event = {.type = AGENT_EV_RESOLVED, .u.resolved = {address_count, "no such host"}};

    return run(driver, &event);
}

const char *agent_driver_message(struct agent_driver *driver)
{
    struct agent_event event = {.type = AGENT_EV_MESSAGE};
    struct wire_message *decoded = malloc(sizeof(*decoded));
    struct q_buf bytes;
    const char *output;

    q_buf_init(&bytes);
    wire_encode(&bytes, &driver->message);
    assert(decoded != NULL && wire_decode(q_buf_bytes(&bytes), bytes.size, decoded));
    event.u.message.message = decoded;
    output = run(driver, &event);
    free(decoded);
    q_buf_fini(&bytes);
    return output;
}

static struct wire_message *begin(struct agent_driver *driver, enum wire_type type, uint32_t present)
{
    memset(&driver->message, 0, sizeof(driver->message));
    driver->message.type = type;
    driver->message.present = present | WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
    driver->message.seq = driver->seq;
    return &driver->message;
}

const char *agent_driver_preinit_reply(struct agent_driver *driver, enum wire_tls_supported tls)
{
    struct wire_message *m = begin(driver, WIRE_PREINIT_REPLY,
                                   WIRE_HAS(WIRE_TLV_TLS_SUPPORTED) | WIRE_HAS(WIRE_TLV_TLS_CLIENT_CERT_REQUIRED));

    m->u.preinit_reply.tls_supported = tls;
    return agent_driver_message(driver);
}

const char *agent_driver_init_reply(struct agent_driver *driver, enum wire_error error)
{
    static const struct wire_bytes all = {NULL, 1};
    struct wire_message *m =
        begin(driver, WIRE_INIT_REPLY,
              WIRE_HAS(WIRE_TLV_REPLY_ERROR_CODE) | WIRE_HAS(WIRE_TLV_SERVER_MAXIMUM_REQUEST_SIZE) |
                  WIRE_HAS(WIRE_TLV_SERVER_MAXIMUM_REPLY_SIZE) | WIRE_HAS(WIRE_TLV_SUPPORTED_MESSAGES) |
                  WIRE_HAS(WIRE_TLV_SUPPORTED_OPTIONS) | WIRE_HAS(WIRE_TLV_SUPPORTED_DECISION_ALGORITHMS) |
                  (driver->ours ? WIRE_HAS_LEASE : 0));

    m->u.init_reply = (struct wire_init_reply){.error = error,
                                               .lease = {driver->config.timing.lease_ms, driver->config.timing.hold_ms},
                                               .maximum_request_size = WIRE_SIZE_DEFAULT,
                                               .maximum_reply_size = WIRE_SIZE_DEFAULT,
                                               .supported_messages = all,
                                               .supported_options = all,
                                               .supported_algorithms = all};
    return agent_driver_message(driver);
}

const char *agent_driver_vote(struct agent_driver *driver, enum wire_vote vote, uint64_t ring_seq)
{
    struct wire_message *m = begin(driver, WIRE_VOTE_INFO, WIRE_HAS(WIRE_TLV_VOTE) | WIRE_HAS(WIRE_TLV_RING_ID));

    m->u.vote.vote = vote;
    m->u.vote.ring_id = (struct wire_ring_id){1, ring_seq};
    return agent_driver_message(driver);
}

const char *agent_driver_echo_reply(struct agent_driver *driver, uint32_t seq)
{
    begin(driver, WIRE_ECHO_REPLY, 0)->seq = seq;
    return agent_driver_message(driver);
}

const char *agent_driver_heuristics(struct agent_driver *driver, enum agent_run which, enum wire_heuristics result)
{
    struct agent_event event = {.type = AGENT_EV_HEURISTICS, .u.heuristics = {which, driver->run_sequence, result}};

    return run(driver, &event);
}

const char *agent_driver_cast_done(struct agent_driver *driver)
{
    struct agent_event event = {.type = AGENT_EV_CAST_DONE, .u.cast_done.sequence = driver->cast_sequence};

    return run(driver, &event);
}

static const char *pass(struct agent_driver *driver, uint64_t ms, bool answered)
{
    uint64_t end = driver->now_ms + ms;
    int steps = 0;

    driver->output[0] = '\0';
    while (agent_deadline_ms(driver->agent) <= end) {
        struct agent_event event = {.type = AGENT_EV_TIME};
        uint32_t echo_seq = driver->echo_seq;
        char kept[AGENT_DRIVER_OUTPUT_SIZE];

        assert(++steps < 100000); /* a deadline that is never dealt with */
        if (agent_deadline_ms(driver->agent) > driver->now_ms)
            driver->now_ms = agent_deadline_ms(driver->agent);
        step(driver, &event);
        if (!answered || driver->echo_seq == echo_seq)
            continue;
        memcpy(kept, driver->output, sizeof(kept));
        agent_driver_echo_reply(driver, driver->echo_seq);
        memcpy(driver->output, kept, sizeof(kept));
    }
    driver->now_ms = end;
    return driver->output;
}

const char *agent_driver_pass(struct agent_driver *driver, uint64_t ms)
{
    return pass(driver, ms, false);
}

const char *agent_driver_pass_answered(struct agent_driver *driver, uint64_t ms)
{
    return pass(driver, ms, true);
}

void agent_driver_ready(struct agent_driver *driver, bool ours)
{
    agent_driver_init(driver, ours);
    agent_driver_config(driver);
    agent_driver_nodelist(driver, "1,2", 8);
    agent_driver_quorum(driver, true);
    agent_driver_resolved(driver, 1);
    agent_driver_event(driver, AGENT_EV_CONNECTED);
    agent_driver_preinit_reply(driver, WIRE_TLS_REQUIRED);
    agent_driver_event(driver, AGENT_EV_SECURED);
    agent_driver_init_reply(driver, WIRE_ERROR_NONE);
}
