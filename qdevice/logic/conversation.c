/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is said to an arbiter, and what its answers mean (spec/qnet-protocol.md sections 3, 6, 11; qdevice-daemon.md
 * section 10). An arbiter that says something unexpected costs the connection, never the device: pain point 3.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mutation.h"
#include "qdevice/logic/agent_machine.h"

static const struct wire_bytes all_we_know = {NULL, 1};

/* A fresh message of that type with the next sequence number. */
static struct wire_message *begin(struct agent *a, enum wire_type type, uint32_t present)
{
    struct wire_message *m = &a->message;

    m->type = type;
    m->present = present | WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
    m->seq = ++a->seq;
    return m;
}

/* ---- introduction ---- */

void conversation_preinit(struct agent *a)
{
    struct wire_message *m = begin(a, WIRE_PREINIT, WIRE_HAS(WIRE_TLV_CLUSTER_NAME));

    m->u.preinit.cluster_name = (struct wire_bytes){(const uint8_t *)a->cluster_name, strlen(a->cluster_name)};
    agent_act_send(a, m);
}

void conversation_init(struct agent *a)
{
    a->link = AGENT_INIT;
    a->init_pending = false;
    vote_on_introduction(a);
    if (!a->init_pending)
        conversation_send_init(a);
}

void conversation_send_init(struct agent *a)
{
    struct wire_message *m;

    a->init_pending = false;
    a->init_sent_ms = a->now_ms;
    m = begin(a, WIRE_INIT,
              WIRE_HAS(WIRE_TLV_SUPPORTED_MESSAGES) | WIRE_HAS(WIRE_TLV_SUPPORTED_OPTIONS) |
                  WIRE_HAS(WIRE_TLV_NODE_ID) | WIRE_HAS(WIRE_TLV_DECISION_ALGORITHM) |
                  WIRE_HAS(WIRE_TLV_HEARTBEAT_INTERVAL) | WIRE_HAS(WIRE_TLV_TIE_BREAKER) | WIRE_HAS(WIRE_TLV_RING_ID) |
                  WIRE_HAS_LEASE | WIRE_HAS_INSTANCE);
    m->u.init.instance = a->config.instance;
    m->u.init.node_id = a->config.node_id;
    m->u.init.algorithm = a->config.algorithm;
    m->u.init.heartbeat_ms = a->config.timing.heartbeat_ms;
    m->u.init.tie_breaker = a->config.tie_breaker;
    m->u.init.ring_id = a->ring;
    m->u.init.lease = (struct wire_lease){a->config.timing.lease_ms, a->config.timing.hold_ms};
    m->u.init.supported_messages = all_we_know;
    m->u.init.supported_options = all_we_know;
    agent_act_send(a, m);
}

static void on_preinit_reply(struct agent *a, const struct wire_message *message)
{
    enum wire_tls_supported offered = message->u.preinit_reply.tls_supported;

    if (a->link != AGENT_PREINIT || message->seq != a->seq) {
        link_drop(a, "unexpected PREINIT_REPLY");
        return;
    }
    if (a->config.tls == AGENT_TLS_REQUIRED && offered == WIRE_TLS_UNSUPPORTED) {
        link_drop(a, "it offers no TLS and quorum.device.net.tls is required: start it with TLS");
        return;
    }
    if (a->config.tls == AGENT_TLS_OFF && offered == WIRE_TLS_REQUIRED) {
        link_drop(a, "it requires TLS and quorum.device.net.tls is off: set it to on or required");
        return;
    }
    if (a->config.tls == AGENT_TLS_OFF || offered == WIRE_TLS_UNSUPPORTED) {
        conversation_init(a);
        return;
    }
    a->link = AGENT_SECURING;
    agent_act_send(a, begin(a, WIRE_STARTTLS, 0));
    agent_act_start_tls(a);
}

static bool lists_u16(struct wire_bytes list, uint16_t wanted)
{
    for (size_t i = 0; i + 1 < list.size; i += 2)
        if ((list.data[i] << 8 | list.data[i + 1]) == wanted)
            return true;
    return false;
}

static void on_init_refused(struct agent *a, enum wire_error error)
{
    switch (error) {
    case WIRE_ERROR_DUPLICATE_NODE_ID:
        link_drop(a, "another connection uses node id %u; if that was our own, it ends by itself", a->config.node_id);
        return;
    case WIRE_ERROR_TIE_BREAKER_DIFFERS:
        link_drop(a, "other nodes use another tie-breaker: make quorum.device.net.tie_breaker the same everywhere");
        return;
    case WIRE_ERROR_ALGORITHM_DIFFERS:
        link_drop(a, "other nodes use another algorithm: make quorum.device.net.algorithm the same everywhere");
        return;
    case WIRE_ERROR_NAME_TAKEN:
        link_drop(a, "it serves another cluster of this name, whose certificates have another identity: rename one of them "
                     "(totem.cluster_name) and let its nodes join anew; if they are one cluster, the arbiter's log says what to do");
        return;
    case WIRE_ERROR_NONE:
    case WIRE_ERROR_UNSUPPORTED_NEEDED_MESSAGE:
    case WIRE_ERROR_UNSUPPORTED_NEEDED_OPTION:
    case WIRE_ERROR_TLS_REQUIRED:
    case WIRE_ERROR_UNSUPPORTED_MESSAGE:
    case WIRE_ERROR_MESSAGE_TOO_LONG:
    case WIRE_ERROR_PREINIT_REQUIRED:
    case WIRE_ERROR_MISSING_OPTION:
    case WIRE_ERROR_UNEXPECTED_MESSAGE:
    case WIRE_ERROR_DECODING:
    case WIRE_ERROR_INTERNAL:
    case WIRE_ERROR_INIT_REQUIRED:
    case WIRE_ERROR_UNSUPPORTED_ALGORITHM:
    case WIRE_ERROR_INVALID_HEARTBEAT_INTERVAL:
    case WIRE_ERROR_UNSUPPORTED_BY_ALGORITHM:
    case WIRE_ERROR_INVALID_CONFIG_LIST:
    case WIRE_ERROR_INVALID_MEMBERSHIP_LIST:
        break;
    }
    link_drop(a, "it refuses us: %s", wire_error_text(error));
}

/* The newest moment of which we know that the arbiter has heard us after it. */
static void heard(struct agent *a, uint64_t sent_ms)
{
    uint64_t until = (MUTATION(lease_start) ? a->now_ms : sent_ms) + a->lease_ms;

    if (MUTATION(lease_end))
        until += a->config.timing.heartbeat_ms;
    if (until > a->heard_until_ms)
        a->heard_until_ms = until;
}

static void send_echo(struct agent *a)
{
    struct wire_message *m = &a->message;

    if (a->echo_count < ECHOES_MAX) {
        a->echoes[a->echo_count++] = (struct echo){++a->echo_seq, a->now_ms};
        m->type = WIRE_ECHO_REQUEST;
        m->present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
        m->seq = a->echo_seq;
        agent_act_send(a, m);
    }
    a->echo_due_ms = a->now_ms + (MUTATION(echo_pacing) ? 2 * a->lease_ms : a->config.timing.echo_ms);
}

static void become_ready(struct agent *a, const struct wire_message *message)
{
    const struct wire_init_reply *reply = &message->u.init_reply;

    a->link = AGENT_READY;
    a->session++;
    a->connected_ms = a->now_ms;
    a->answered_ms = 0;
    a->ours = (message->present & WIRE_HAS_LEASE) != 0;
    a->knows_kap = lists_u16(reply->supported_options, WIRE_TLV_KEEP_ACTIVE_PARTITION);
    a->lists_sent = false;
    a->reason[0] = '\0';
    a->trouble[0] = '\0';
    a->remembering = false;
    a->echo_count = 0;
    a->echo_seq = 0;
    a->heard_until_ms = 0;
    a->lease_ms = a->config.timing.lease_ms;
    if (a->ours && reply->lease.lease_ms < a->lease_ms)
        a->lease_ms = reply->lease.lease_ms;
    heard(a, a->init_sent_ms);
    agent_act_note(a, AGENT_NOTE_NOTICE, "arbiter %s: connected%s%s", a->hosts[a->host], a->secured ? " over TLS" : " in plain text",
              a->ours ? "; it honours leases" : "");
    send_echo(a);
}

static void on_init_reply(struct agent *a, const struct wire_message *message)
{
    const struct wire_init_reply *reply = &message->u.init_reply;

    if (a->link != AGENT_INIT || a->init_pending || message->seq != a->seq) {
        link_drop(a, "unexpected INIT_REPLY");
        return;
    }
    if (reply->error != WIRE_ERROR_NONE) {
        on_init_refused(a, reply->error);
        return;
    }
    if (!lists_u16(reply->supported_algorithms, (uint16_t)a->config.algorithm)) {
        link_drop(a, "it does not know the algorithm %s", wire_algorithm_name(a->config.algorithm));
        return;
    }
    if (a->config.heuristics_active && !lists_u16(reply->supported_options, WIRE_TLV_HEURISTICS)) {
        link_drop(a, "it does not know heuristics: switch them off or use a newer arbiter");
        return;
    }
    become_ready(a, message);
    if (!a->config.heuristics_active) {
        conversation_first_lists(a);
        return;
    }
    if (a->run_pending) /* a membership run is under way: its result serves both */
        return;
    a->run_pending = true;
    a->run = AGENT_RUN_CONNECT;
    a->run_sequence++;
    agent_act_heuristics(a, AGENT_RUN_CONNECT, 0);
}

/* ---- lists ---- */

static void send_node_list(struct agent *a, enum wire_node_list_type type, uint32_t present,
                           const struct wire_node_info *nodes, uint32_t count)
{
    struct wire_message *m = begin(a, WIRE_NODE_LIST, present | WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE));
    struct wire_node_list *list = &m->u.node_list;

    if (count > WIRE_NODES_MAX)
        count = WIRE_NODES_MAX;
    list->list_type = type;
    list->ring_id = a->ring;
    list->config_version = a->config.config_version;
    list->quorate = a->quorate;
    list->heuristics = type == WIRE_LIST_MEMBERSHIP ? a->heuristics : WIRE_HEURISTICS_UNDEFINED;
    list->node_count = count;
    if (count > 0)
        memcpy(list->nodes, nodes, count * sizeof(*nodes));
    agent_act_send(a, m);
}

static void send_config(struct agent *a, enum wire_node_list_type type)
{
    send_node_list(a, type, a->config.has_config_version ? WIRE_HAS(WIRE_TLV_CONFIG_VERSION) : 0, a->nodes,
                   a->config.node_count);
}

static void send_membership(struct agent *a)
{
    struct wire_node_info *nodes = calloc(a->members.count > 0 ? a->members.count : 1, sizeof(*nodes));
    uint32_t present = WIRE_HAS(WIRE_TLV_RING_ID);

    if (nodes == NULL) {
        a->out_of_memory = true;
        return;
    }
    for (uint32_t i = 0; i < a->members.count; i++)
        nodes[i].node_id = a->members.ids[i];
    if (a->heuristics != WIRE_HEURISTICS_UNDEFINED)
        present |= WIRE_HAS(WIRE_TLV_HEURISTICS);
    send_node_list(a, WIRE_LIST_MEMBERSHIP, present, nodes, a->members.count);
    free(nodes);
}

static void send_quorum(struct agent *a)
{
    send_node_list(a, WIRE_LIST_QUORUM, WIRE_HAS(WIRE_TLV_QUORATE), a->quorum_nodes, a->quorum_node_count);
}

static void send_keep_active(struct agent *a)
{
    struct wire_message *m = begin(a, WIRE_SET_OPTION, WIRE_HAS(WIRE_TLV_KEEP_ACTIVE_PARTITION));

    m->u.set_option.keep_active_partition = a->config.keep_active_partition;
    agent_act_send(a, m);
}

void conversation_first_lists(struct agent *a)
{
    if (a->link != AGENT_READY || a->lists_sent)
        return;
    a->lists_sent = true;
    if (a->knows_kap)
        send_keep_active(a);
    send_config(a, WIRE_LIST_INITIAL_CONFIG);
    send_membership(a);
    if (a->has_quorum)
        send_quorum(a);
}

static bool talks(const struct agent *a)
{
    return a->link == AGENT_READY && a->lists_sent;
}

void conversation_config_list(struct agent *a)
{
    if (talks(a))
        send_config(a, WIRE_LIST_CHANGED_CONFIG);
}

void conversation_membership_list(struct agent *a)
{
    if (talks(a))
        send_membership(a);
}

void conversation_quorum_list(struct agent *a)
{
    if (talks(a))
        send_quorum(a);
}

void conversation_keep_active(struct agent *a)
{
    if (talks(a) && a->knows_kap)
        send_keep_active(a);
}

void conversation_heuristics(struct agent *a)
{
    struct wire_message *m;

    if (!talks(a) || a->heuristics == WIRE_HEURISTICS_UNDEFINED)
        return;
    m = begin(a, WIRE_HEURISTICS_CHANGE, WIRE_HAS(WIRE_TLV_HEURISTICS));
    m->u.heuristics_change.heuristics = a->heuristics;
    agent_act_send(a, m);
}

/* ---- answers ---- */

static void on_echo_reply(struct agent *a, uint32_t seq)
{
    uint32_t kept = 0;

    if (seq > a->echo_seq)
        return; /* never asked; what is under way must still count */
    for (uint32_t i = 0; i < a->echo_count; i++) {
        if (a->echoes[i].seq == seq) {
            heard(a, a->echoes[i].sent_ms);
            a->answered_ms = a->now_ms;
        }
        if (a->echoes[i].seq > seq)
            a->echoes[kept++] = a->echoes[i];
    }
    a->echo_count = kept;
}

static void on_vote_reply(struct agent *a, const struct wire_message *message)
{
    vote_on_verdict(a, message->u.vote.vote, message->u.vote.ring_id, message->u.vote.reason);
}

void conversation_on_message(struct agent *a, const struct wire_message *message)
{
    bool greeting = message->type == WIRE_PREINIT_REPLY || message->type == WIRE_INIT_REPLY;

    if (!wire_has_required(message)) {
        link_drop(a, "%s lacks a required field", wire_type_name(message->type));
        return;
    }
    if (message->type == WIRE_SERVER_ERROR) {
        link_drop(a, "it reports an error: %s", wire_error_text(message->u.server_error.error));
        return;
    }
    if (!greeting && !talks(a) && message->type != WIRE_ECHO_REPLY) {
        link_drop(a, "unexpected %s", wire_type_name(message->type));
        return;
    }
    switch (message->type) {
    case WIRE_PREINIT_REPLY:
        on_preinit_reply(a, message);
        return;
    case WIRE_INIT_REPLY:
        on_init_reply(a, message);
        return;
    case WIRE_ECHO_REPLY:
        if (a->link == AGENT_READY)
            on_echo_reply(a, message->seq);
        else
            link_drop(a, "unexpected ECHO_REPLY");
        return;
    case WIRE_VOTE_INFO:
        vote_on_info(a, message);
        return;
    case WIRE_NODE_LIST_REPLY:
    case WIRE_ASK_FOR_VOTE_REPLY:
    case WIRE_HEURISTICS_CHANGE_REPLY:
        on_vote_reply(a, message);
        return;
    case WIRE_SET_OPTION_REPLY:
        return;
    case WIRE_PREINIT:
    case WIRE_STARTTLS:
    case WIRE_INIT:
    case WIRE_SERVER_ERROR:
    case WIRE_SET_OPTION:
    case WIRE_ECHO_REQUEST:
    case WIRE_NODE_LIST:
    case WIRE_ASK_FOR_VOTE:
    case WIRE_VOTE_INFO_REPLY:
    case WIRE_HEURISTICS_CHANGE:
        link_drop(a, "unexpected %s", wire_type_name(message->type));
        return;
    }
}

void conversation_on_unreadable(struct agent *a)
{
    link_drop(a, "a message from it cannot be read");
}

/* ---- time ---- */

void conversation_on_time(struct agent *a)
{
    if (a->now_ms >= a->heard_until_ms) {
        link_drop(a, "no answer for %u ms", a->lease_ms);
        return;
    }
    if (a->now_ms >= a->echo_due_ms)
        send_echo(a);
}

uint64_t conversation_deadline_ms(const struct agent *a)
{
    return a->echo_due_ms < a->heard_until_ms ? a->echo_due_ms : a->heard_until_ms;
}
