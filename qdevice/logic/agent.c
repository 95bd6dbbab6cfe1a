/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/logic/agent.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "qdevice/logic/agent_machine.h"

struct agent *agent_new(void)
{
    struct agent *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return NULL;
    a->link = AGENT_IDLE;
    a->idle_until_ms = AGENT_NEVER;
    a->cast = AGENT_CAST_NOTHING;
    a->cast_until_ms = AGENT_NEVER;
    a->undecided_until_ms = AGENT_NEVER;
    return a;
}

static void free_config(struct agent *a)
{
    free(a->cluster_name);
    a->cluster_name = NULL;
    for (size_t i = 0; i < AGENT_HOSTS_MAX; i++) {
        free(a->hosts[i]);
        a->hosts[i] = NULL;
    }
    free(a->nodes);
    a->nodes = NULL;
}

void agent_free(struct agent *agent)
{
    if (agent == NULL)
        return;
    free_config(agent);
    node_set_fini(&agent->members);
    free(agent->quorum_nodes);
    free(agent);
}

/* ---- configuration ---- */

static struct wire_node_info *copy_nodes(const struct wire_node_info *nodes, uint32_t count)
{
    struct wire_node_info *copy = malloc((count > 0 ? count : 1) * sizeof(*copy));

    if (copy != NULL && count > 0)
        memcpy(copy, nodes, count * sizeof(*copy));
    return copy;
}

static bool take_config(struct agent *a, const struct agent_config *config)
{
    bool ok = true;

    free_config(a);
    a->config = *config;
    a->cluster_name = strdup(config->cluster_name);
    a->nodes = copy_nodes(config->nodes, config->node_count);
    ok = a->cluster_name != NULL && a->nodes != NULL;
    for (size_t i = 0; i < config->host_count; i++) {
        a->hosts[i] = strdup(config->hosts[i]);
        ok = ok && a->hosts[i] != NULL;
    }
    return ok;
}

static bool same_hosts(const struct agent *a, const struct agent_config *config)
{
    if (a->config.host_count != config->host_count || a->config.port != config->port ||
        a->config.ip_version != config->ip_version)
        return false;
    for (size_t i = 0; i < config->host_count; i++)
        if (strcmp(a->hosts[i], config->hosts[i]) != 0)
            return false;
    return true;
}

static bool same_nodes(const struct agent *a, const struct agent_config *config)
{
    return a->config.node_count == config->node_count &&
           a->config.has_config_version == config->has_config_version &&
           a->config.config_version == config->config_version &&
           memcmp(a->nodes, config->nodes, config->node_count * sizeof(*a->nodes)) == 0;
}

/* Why a changed configuration needs a new introduction; NULL: it does not. */
static const char *why_restart(const struct agent *a, const struct agent_config *config)
{
    if (!same_hosts(a, config))
        return "quorum.device.net.host, port or force_ip_version has changed";
    if (a->config.tls != config->tls)
        return "quorum.device.net.tls has changed";
    if (a->config.algorithm != config->algorithm)
        return "quorum.device.net.algorithm has changed";
    if (!wire_tie_breaker_equal(a->config.tie_breaker, config->tie_breaker))
        return "quorum.device.net.tie_breaker has changed";
    if (a->config.timing.heartbeat_ms != config->timing.heartbeat_ms)
        return "quorum.device.timeout has changed";
    return NULL;
}

static void on_config(struct agent *a, const struct agent_config *config)
{
    const char *restart = a->configured ? why_restart(a, config) : NULL;
    bool other_hosts = a->configured && !same_hosts(a, config);
    bool other_nodes = a->configured && !same_nodes(a, config);
    bool other_kap = a->configured && a->config.keep_active_partition != config->keep_active_partition;
    bool other_pace = a->configured && a->config.timing.poll_ms != config->timing.poll_ms;
    bool heuristics_off = a->configured && a->config.heuristics_active && !config->heuristics_active;

    assert(config->host_count >= 1 && config->host_count <= AGENT_HOSTS_MAX);
    if (!take_config(a, config)) {
        a->out_of_memory = true;
        return;
    }
    a->configured = true;
    if (other_pace)
        a->cast_again = true; /* votequorum's patience with us has changed: poll now, at the new pace from here on */
    if (other_hosts) {
        a->granted_host = AGENT_HOSTS_MAX; /* whoever granted, it is none of these for certain */
        a->resolved_host = AGENT_HOSTS_MAX;
    }
    if (a->host >= config->host_count)
        a->host = 0; /* without a ring, or at the end, nothing is connected anew */
    heuristics_off = heuristics_off && a->heuristics != WIRE_HEURISTICS_UNDEFINED;
    if (heuristics_off)
        a->heuristics = WIRE_HEURISTICS_UNDEFINED;
    if (restart != NULL) {
        link_restart(a, restart);
        return;
    }
    if (other_nodes)
        conversation_config_list(a);
    if (other_kap)
        conversation_keep_active(a);
    if (heuristics_off)
        conversation_membership_list(a); /* the only message that can say "undefined" */
}

/* ---- the core ---- */

static void on_nodelist(struct agent *a, const struct agent_event *event)
{
    bool first = !a->has_ring;

    if (node_set_assign(&a->members, event->u.nodelist.members, event->u.nodelist.member_count) != Q_OK) {
        a->out_of_memory = true;
        return;
    }
    a->has_ring = true;
    a->ring = event->u.nodelist.ring_id;
    vote_on_ring(a);
    a->in_sync = true;
    if (first)
        link_begin(a);
    if (!a->config.heuristics_active) {
        conversation_membership_list(a);
        return;
    }
    a->run_pending = true;
    a->run = AGENT_RUN_MEMBERSHIP;
    a->run_sequence++;
    agent_act_heuristics(a, AGENT_RUN_MEMBERSHIP, 0);
}

static void on_quorum(struct agent *a, const struct agent_event *event)
{
    struct wire_node_info *nodes = copy_nodes(event->u.quorum.nodes, event->u.quorum.node_count);

    if (nodes == NULL) {
        a->out_of_memory = true;
        return;
    }
    free(a->quorum_nodes);
    a->quorum_nodes = nodes;
    a->quorum_node_count = event->u.quorum.node_count;
    a->has_quorum = true;
    a->quorate = event->u.quorum.quorate;
    a->in_sync = false;
    if (a->quorate && a->cast == AGENT_CAST_NO)
        a->cast_again = true; /* votequorum may have brought the withdrawn vote back (docs/observed.md) */
    conversation_quorum_list(a);
}

/* The ring is gone with the core; the next nodelist notification begins anew. */
static void on_core_lost(struct agent *a)
{
    if (a->link != AGENT_IDLE)
        agent_act_close(a, false);
    if (a->link == AGENT_READY)
        vote_on_session_end(a);
    a->link = AGENT_IDLE;
    a->idle_until_ms = AGENT_NEVER;
    a->lists_sent = false;
    a->connected_ms = 0;
    a->has_ring = false;
    a->has_quorum = false;
    a->quorate = false;
    a->in_sync = false;
    a->run_pending = false;
    a->session = 0;
    agent_act_note(a, AGENT_NOTE_WARNING, "the core has gone; waiting for it");
    vote_on_core_lost(a);
}

/* ---- heuristics ---- */

static void on_heuristics(struct agent *a, const struct agent_event *event)
{
    enum agent_run run = event->u.heuristics.run;
    enum wire_heuristics result = event->u.heuristics.result;
    bool changed = a->heuristics != result;

    if (run != AGENT_RUN_REGULAR && (!a->run_pending || event->u.heuristics.sequence != a->run_sequence))
        return;
    if (run == AGENT_RUN_REGULAR && a->run_pending)
        return; /* overtaken: the run under way is newer */
    if (!a->config.heuristics_active)
        result = WIRE_HEURISTICS_UNDEFINED;
    a->heuristics_by_run[run] = result;
    a->heuristics = result;
    if (run == AGENT_RUN_REGULAR) {
        if (changed)
            conversation_heuristics(a);
        return;
    }
    a->run_pending = false;
    if (a->link == AGENT_READY && !a->lists_sent)
        conversation_first_lists(a);
    else if (run == AGENT_RUN_MEMBERSHIP)
        conversation_membership_list(a);
}

/* ---- the step ---- */

static bool is_about_connection(enum agent_event_type type)
{
    return type == AGENT_EV_RESOLVED || type == AGENT_EV_CONNECTED || type == AGENT_EV_SECURED ||
           type == AGENT_EV_MESSAGE || type == AGENT_EV_UNREADABLE || type == AGENT_EV_DISCONNECTED;
}

static void dispatch(struct agent *a, const struct agent_event *event)
{
    if (is_about_connection(event->type) && event->conn != a->conn)
        return;
    switch (event->type) {
    case AGENT_EV_CONFIG:
        on_config(a, event->u.config);
        return;
    case AGENT_EV_CORE_NODELIST:
        on_nodelist(a, event);
        return;
    case AGENT_EV_CORE_QUORUM:
        on_quorum(a, event);
        return;
    case AGENT_EV_CORE_LOST:
        on_core_lost(a);
        return;
    case AGENT_EV_RESOLVED:
        link_on_resolved(a, event->u.resolved.address_count, event->u.resolved.text);
        return;
    case AGENT_EV_CONNECTED:
        link_on_connected(a);
        return;
    case AGENT_EV_SECURED:
        link_on_secured(a);
        return;
    case AGENT_EV_MESSAGE:
        if (a->link != AGENT_IDLE && a->link != AGENT_RESOLVING)
            conversation_on_message(a, event->u.message.message);
        return;
    case AGENT_EV_UNREADABLE:
        if (a->link != AGENT_IDLE && a->link != AGENT_RESOLVING)
            conversation_on_unreadable(a);
        return;
    case AGENT_EV_DISCONNECTED:
        link_on_disconnected(a, event->u.disconnected.text);
        return;
    case AGENT_EV_CAST_DONE:
        vote_on_cast_done(a, event->u.cast_done.sequence);
        return;
    case AGENT_EV_HEURISTICS:
        on_heuristics(a, event);
        return;
    case AGENT_EV_SHUTDOWN:
        if (!a->shutting_down)
            vote_begin_stop(a);
        return;
    case AGENT_EV_TIME:
        vote_on_time(a);
        if (!a->shutting_down)
            link_on_time(a);
        return;
    }
}

enum q_err agent_step(struct agent *agent, const struct agent_event *event, struct agent_actions *out)
{
    struct agent *a = agent;

    assert(event->now_ms >= a->now_ms);
    assert(a->configured || event->type == AGENT_EV_CONFIG);
    a->now_ms = event->now_ms;
    a->random = event->random;
    a->out = out;
    dispatch(a, event);
    vote_update(a);
    a->out = NULL;
    return a->out_of_memory || out->data.failed ? Q_ERR_NO_MEMORY : Q_OK;
}

uint64_t agent_deadline_ms(const struct agent *agent)
{
    uint64_t link = agent->shutting_down ? AGENT_NEVER : link_deadline_ms(agent);
    uint64_t vote = vote_deadline_ms(agent);

    if (agent->stopped)
        return AGENT_NEVER;
    return link < vote ? link : vote;
}

void agent_get_status(const struct agent *agent, struct agent_status *status)
{
    const struct agent *a = agent;
    bool current = wire_ring_id_equal(a->verdict_ring, a->ring);

    memset(status, 0, sizeof(*status));
    status->link = a->link;
    status->host = a->host;
    status->secured = a->secured;
    status->arbiter_is_ours = a->ours;
    status->arbiter_knows_kap = a->knows_kap;
    status->connected_ms = a->connected_ms;
    status->answered_ms = a->answered_ms;
    status->lease_until_ms = a->verdict == WIRE_VOTE_ACK ? vote_lease_until_ms(a) : 0;
    status->next_attempt_ms = a->link == AGENT_IDLE ? a->idle_until_ms : 0;
    status->cast = a->cast;
    status->verdict = current ? a->verdict : WIRE_VOTE_UNDEFINED;
    status->in_sync = a->in_sync;
    status->ring_id = a->ring;
    status->members = &a->members;
    status->quorate = a->quorate;
    status->quorum_nodes = a->quorum_nodes;
    status->quorum_node_count = a->quorum_node_count;
    status->heuristics = a->heuristics;
    status->heuristics_membership = a->heuristics_by_run[AGENT_RUN_MEMBERSHIP];
    status->heuristics_connect = a->heuristics_by_run[AGENT_RUN_CONNECT];
    status->heuristics_regular = a->heuristics_by_run[AGENT_RUN_REGULAR];
    vote_explain(a, status->why, sizeof(status->why));
}
