/* SPDX-License-Identifier: BSD-3-Clause */
/* The schema is documented in docs/json.md: fields may be added, never changed or removed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "common/clock.h"
#include "common/printable.h"
#include "common/text.h"
#include "common/tls/expiry.h"
#include "common/wire/wire.h"
#include "qnetd/logic/cluster.h"
#include "common/protocol_text.h"
#include "qnetd/status.h"

#define SCHEMA_VERSION 1

/*
 * Jansson's setters take NULL for a failed value and then fail themselves, so an allocation failure in a branch
 * leaves that branch out; the `failed` flag makes the whole answer an error instead.
 */
struct builder {
    bool failed;
};

static void set(struct builder *builder, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        builder->failed = true;
}

static void add(struct builder *builder, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        builder->failed = true;
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *text_value(const char *text)
{
    char safe[2048];

    printable_text(text, strlen(text), safe, sizeof(safe));
    return json_string(safe);
}

static json_t *text_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? json_null() : text_value(text);
}

static json_t *time_value(int64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];

    clock_text(wall_ms, text);
    return json_string(text);
}

static json_t *time_s_value(time_t wall_s)
{
    char text[CLOCK_TEXT_SIZE];

    clock_text_s(wall_s, text);
    return json_string(text);
}

/* A moment of the arbiter's clock; 0 and "never" become null. */
static json_t *moment_value(const struct status_source *source, uint64_t at_ms)
{
    return at_ms == 0 || at_ms == ARBITER_NEVER ? json_null() : time_value(status_wall_ms(source, at_ms));
}

static void write_out(struct builder *builder, json_t *root, struct q_buf *out)
{
    char *text = builder->failed ? NULL : json_dumps(root, JSON_COMPACT | JSON_PRESERVE_ORDER);

    if (text != NULL) {
        q_buf_append(out, text, strlen(text));
        q_buf_append(out, "\n", 1);
    } else {
        out->failed = true;
    }
    free(text);
    json_decref(root);
}

static json_t *new_root(struct builder *builder, const struct status_source *source)
{
    json_t *root = json_object();

    set(builder, root, "schema", number(SCHEMA_VERSION));
    set(builder, root, "time", time_value(source->now_wall_ms));
    set(builder, root, "started", time_value(source->started_wall_ms));
    return root;
}

/* ---- status ----------------------------------------------------------------------------------------------- */

static json_t *certificate_value(struct builder *builder, const struct tls_cert_facts *facts)
{
    json_t *object = json_object();

    set(builder, object, "subject", text_value(facts->subject));
    set(builder, object, "issuer", text_value(facts->issuer));
    set(builder, object, "not_before", time_s_value(facts->not_before));
    set(builder, object, "not_after", time_s_value(facts->not_after));
    set(builder, object, "days_left", json_integer(expiry_days_left(facts->not_after, time(NULL))));
    return object;
}

static json_t *tls_value(struct builder *builder, const struct status_source *source)
{
    static const char *const modes[] = {"off", "on", "required"};
    const struct identity *identity = source->identity;
    json_t *object = json_object();

    set(builder, object, "mode", json_string(modes[source->settings->tls]));
    set(builder, object, "client_certificate_required",
        json_boolean(source->settings->tls != (int)WIRE_TLS_UNSUPPORTED &&
                     source->settings->client_cert_required));
    if (identity == NULL || identity->credentials == NULL) {
        set(builder, object, "certificate", json_null());
        set(builder, object, "authorities", json_array());
    } else {
        const struct tls_facts *facts = tls_credentials_facts(identity->credentials);
        json_t *authorities = json_array();

        for (size_t i = 0; i < facts->ca_count; i++)
            add(builder, authorities, certificate_value(builder, &facts->ca[i]));
        set(builder, object, "source", text_value(facts->source));
        set(builder, object, "certificate", certificate_value(builder, &facts->own));
        set(builder, object, "authorities", authorities);
    }
    return object;
}

static json_t *state_value(struct builder *builder, const struct status_source *source)
{
    static const char *const texts[] = {"off", "failing", "working"};
    json_t *object = json_object();

    set(builder, object, "directory", text_or_null(source->state->path));
    set(builder, object, "status", json_string(texts[state_dir_status(source->state)]));
    set(builder, object, "complete_at_start", json_boolean(source->state->start_reason == NULL));
    set(builder, object, "incomplete_because", text_or_null(source->state->start_reason));
    return object;
}

static json_t *limits_value(struct builder *builder, const struct settings *settings)
{
    json_t *object = json_object();

    set(builder, object, "clients", settings->clients_max == 0 ? json_null() : number(settings->clients_max));
    set(builder, object, "send_size", number(settings->max_client_send_size));
    set(builder, object, "receive_size", number(settings->max_client_receive_size));
    set(builder, object, "heartbeat_ms_min", number(settings->heartbeat_interval_min));
    set(builder, object, "heartbeat_ms_max", number(settings->heartbeat_interval_max));
    return object;
}

static json_t *quarantine_value(const struct status_source *source, uint64_t end_ms)
{
    return end_ms > source->now_ms ? moment_value(source, end_ms) : json_null();
}

void status_json(const struct status_source *source, struct q_buf *out)
{
    const struct settings *settings = source->settings;
    struct builder builder = {0};
    json_t *root = new_root(&builder, source);
    json_t *warnings = json_array();
    char text[STATUS_WARNING_SIZE];
    const char *warning;

    for (unsigned i = 0; (warning = status_warning(source, i, text)) != NULL; i++)
        add(&builder, warnings, text_value(warning));
    set(&builder, root, "version", json_string(PACKAGE_VERSION));
    set(&builder, root, "address", text_or_null(settings->listen_address));
    set(&builder, root, "port", number(settings->listen_port));
    set(&builder, root, "clients", number(arbiter_client_count(source->arbiter)));
    set(&builder, root, "clusters", number(arbiter_cluster_count(source->arbiter)));
    set(&builder, root, "tls", tls_value(&builder, source));
    set(&builder, root, "vote_lease",
        json_string(settings->vote_lease == SETTINGS_LEASE_STRICT ? "strict" : "packaged"));
    set(&builder, root, "limits", limits_value(&builder, settings));
    if (source->state != NULL)
        set(&builder, root, "state", state_value(&builder, source));
    set(&builder, root, "quarantine_until", quarantine_value(source, arbiter_quarantine_end_ms(source->arbiter)));
    set(&builder, root, "newest_decision",
        number(source->decisions == NULL ? 0 : source->decisions->newest_seq));
    set(&builder, root, "warnings", warnings);
    write_out(&builder, root, out);
}

/* ---- list ------------------------------------------------------------------------------------------------- */

static json_t *nodes_value(struct builder *builder, const struct node_set *set_of_nodes)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < set_of_nodes->count; i++)
        add(builder, array, number(set_of_nodes->ids[i]));
    return array;
}

static json_t *ring_value(struct builder *builder, struct wire_ring_id ring)
{
    json_t *object = json_object();
    char text[40];

    snprintf(text, sizeof(text), "%" PRIx32 ".%" PRIx64, ring.node_id, ring.seq);
    set(builder, object, "node_id", number(ring.node_id));
    set(builder, object, "seq", number(ring.seq));
    set(builder, object, "text", json_string(text));
    return object;
}

/* Names as in the log: "ACK", "pass"; nothing yet is null. */
static json_t *vote_value(enum wire_vote vote)
{
    return vote == WIRE_VOTE_UNDEFINED ? json_null() : json_string(wire_vote_name(vote));
}

static json_t *config_value(struct builder *builder, const struct member *member)
{
    json_t *object = json_object();
    json_t *nodes = json_array();

    for (uint32_t i = 0; i < member->config_node_count; i++) {
        const struct wire_node_info *info = &member->config_nodes[i];
        json_t *node = json_object();

        set(builder, node, "node_id", number(info->node_id));
        set(builder, node, "data_center_id",
            info->data_center_id == 0 ? json_null() : number(info->data_center_id));
        add(builder, nodes, node);
    }
    set(builder, object, "version",
        member->has_config_version ? number(member->config_version) : json_null());
    set(builder, object, "nodes", nodes);
    return object;
}

static json_t *heuristics_value(struct builder *builder, const struct member *member)
{
    json_t *object = json_object();

    set(builder, object, "latest", json_string(wire_heuristics_name(member->heuristics)));
    set(builder, object, "membership", json_string(wire_heuristics_name(member->heuristics_membership)));
    set(builder, object, "regular", json_string(wire_heuristics_name(member->heuristics_regular)));
    return object;
}

static json_t *lease_value(struct builder *builder, const struct member *member)
{
    json_t *object;

    if (!member->has_lease)
        return json_null();
    object = json_object();
    set(builder, object, "lease_ms", number(member->lease.lease_ms));
    set(builder, object, "hold_ms", number(member->lease.hold_ms));
    return object;
}

static void set_connection(struct builder *builder, const struct status_source *source, json_t *object,
                           const struct member *member)
{
    set(builder, object, "address", text_value(member->peer));
    set(builder, object, "connected_since", moment_value(source, member->joined_ms));
    set(builder, object, "last_heard", moment_value(source, member->heard_ms));
    set(builder, object, "tls", json_boolean(member->tls_active));
    set(builder, object, "certificate_verified",
        json_boolean(member->tls_active && member->tls_cert_verified));
    set(builder, object, "heartbeat_ms", number(member->heartbeat_ms));
    set(builder, object, "lease", lease_value(builder, member));
    set(builder, object, "keep_active_partition", json_boolean(member->keep_active_partition));
    set(builder, object, "configuration", member->has_config ? config_value(builder, member) : json_null());
    set(builder, object, "membership",
        member->has_membership ? nodes_value(builder, &member->membership) : json_null());
    set(builder, object, "ring", ring_value(builder, member->ring));
    set(builder, object, "heuristics", heuristics_value(builder, member));
    set(builder, object, "quorate", member->has_quorum ? json_boolean(member->quorate) : json_null());
    set(builder, object, "last_message_vote", vote_value(member->last_vote));
    set(builder, object, "last_verdict", vote_value(member->verdict));
    set(builder, object, "vote_confirmed", json_boolean(!member->vote_unconfirmed));
}

static json_t *member_value(struct builder *builder, const struct status_source *source,
                            const struct cluster *cluster, const struct member *member)
{
    json_t *object = json_object();

    set(builder, object, "node_id", number(member->node_id));
    set(builder, object, "connected", json_boolean(member->conn != 0));
    set(builder, object, "reporting", json_boolean(member_is_reporting(cluster, member)));
    set(builder, object, "effective_vote", json_string(member->grant == GRANT_NONE ? "NACK" : "ACK"));
    set(builder, object, "grant", json_string(status_grant_text((int)member->grant)));
    set(builder, object, "ghost_until",
        member->grant == GRANT_GHOST ? moment_value(source, member->ghost_until_ms) : json_null());
    set(builder, object, "from_before_restart", json_boolean(member->restored));
    if (member->conn != 0)
        set_connection(builder, source, object, member);
    return object;
}

/* The memberships that the reporting clients have, each once, and whether it is the winner. */
static json_t *partitions_value(struct builder *builder, const struct cluster *cluster)
{
    json_t *array = json_array();

    for (const struct member *member = cluster->members; member != NULL; member = member->next) {
        const struct member *earlier = cluster->members;
        json_t *object, *reporting;

        if (!member_is_reporting(cluster, member))
            continue;
        while (earlier != member && !(member_is_reporting(cluster, earlier) &&
                                      node_set_equal(&earlier->membership, &member->membership) &&
                                      wire_ring_id_equal(earlier->ring, member->ring)))
            earlier = earlier->next;
        if (earlier != member)
            continue;
        object = json_object();
        reporting = json_array();
        for (const struct member *later = member; later != NULL; later = later->next) {
            if (member_is_reporting(cluster, later) && wire_ring_id_equal(later->ring, member->ring) &&
                node_set_equal(&later->membership, &member->membership))
                add(builder, reporting, number(later->node_id));
        }
        set(builder, object, "nodes", nodes_value(builder, &member->membership));
        set(builder, object, "ring", ring_value(builder, member->ring));
        set(builder, object, "reporting", reporting);
        set(builder, object, "winner",
            json_boolean(cluster->winner.count > 0 && node_set_equal(&cluster->winner, &member->membership)));
        add(builder, array, object);
    }
    return array;
}

static void set_name(struct builder *builder, json_t *object, const char *key, struct wire_bytes name)
{
    char label[1024];

    printable_text(name.data, name.size, label, sizeof(label));
    set(builder, object, key, json_string(label));
}

static json_t *tie_breaker_value(struct builder *builder, struct wire_tie_breaker tie_breaker)
{
    static const char *const modes[] = {"", "lowest", "highest", "node"};
    json_t *object = json_object();
    bool by_node = tie_breaker.mode == WIRE_TIE_BREAKER_NODE_ID;

    set(builder, object, "mode", json_string((unsigned)tie_breaker.mode < 4 ? modes[tie_breaker.mode] : ""));
    set(builder, object, "node_id", by_node ? number(tie_breaker.node_id) : json_null());
    return object;
}

/* Until when the present phase lasts at most. */
static uint64_t phase_until_ms(const struct cluster *cluster)
{
    switch (cluster->phase) {
    case CLUSTER_UNSTABLE:
        return cluster->unstable_until_ms;
    case CLUSTER_WAITING:
        return cluster->waiting_until_ms;
    case CLUSTER_EMPTY:
    case CLUSTER_PERSISTING:
    case CLUSTER_SETTLED:
        return 0;
    }
    return 0;
}

static json_t *identity_value(const struct cluster_identity *identity)
{
    char text[CLUSTER_IDENTITY_TEXT_SIZE];

    cluster_identity_text(identity, text);
    return text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *cluster_value(struct builder *builder, const struct status_source *source,
                             const struct cluster *cluster)
{
    json_t *object = json_object();
    json_t *nodes = json_array();

    for (const struct member *member = cluster->members; member != NULL; member = member->next)
        add(builder, nodes, member_value(builder, source, cluster, member));
    set_name(builder, object, "name", cluster->name);
    set(builder, object, "identity", identity_value(&cluster->identity));
    set(builder, object, "algorithm", json_string(wire_algorithm_name(cluster->algorithm)));
    set(builder, object, "tie_breaker", tie_breaker_value(builder, cluster->tie_breaker));
    set(builder, object, "connected_nodes", number(cluster->connected_count));
    set(builder, object, "phase", json_string(status_phase_text((int)cluster->phase)));
    set(builder, object, "phase_until", moment_value(source, phase_until_ms(cluster)));
    set(builder, object, "waiting_for", text_or_null(cluster->waiting_for));
    set(builder, object, "quarantine_until", quarantine_value(source, arbiter_cautious_until_ms(source->arbiter, cluster)));
    set(builder, object, "reason", text_or_null(cluster->verdict.reason));
    set(builder, object, "decided", moment_value(source, cluster->decided_ms));
    set(builder, object, "winner", nodes_value(builder, &cluster->winner));
    set(builder, object, "last_granted", nodes_value(builder, &cluster->granted));
    set(builder, object, "partitions", partitions_value(builder, cluster));
    set(builder, object, "nodes", nodes);
    return object;
}

void status_list_json(const struct status_source *source, struct wire_bytes cluster_name, uint64_t offset,
                      uint64_t limit, struct q_buf *out)
{
    struct builder builder = {0};
    json_t *root = new_root(&builder, source);
    json_t *clusters = json_array();
    const struct cluster *cluster;
    uint64_t index = 0;

    if (cluster_name.data != NULL) {
        cluster = arbiter_find_cluster(source->arbiter, cluster_name);
        if (cluster != NULL)
            add(&builder, clusters, cluster_value(&builder, source, cluster));
        cluster = NULL;
    } else {
        cluster = arbiter_first_cluster(source->arbiter);
        for (; cluster != NULL && index < offset; index++)
            cluster = arbiter_next_cluster(cluster);
        for (; cluster != NULL && index - offset < limit; index++) {
            add(&builder, clusters, cluster_value(&builder, source, cluster));
            cluster = arbiter_next_cluster(cluster);
        }
    }
    set(&builder, root, "clusters", clusters);
    set(&builder, root, "next", cluster == NULL ? json_null() : number(index));
    write_out(&builder, root, out);
}

/* ---- decisions -------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct decision *decision, struct wire_bytes cluster_name)
{
    return cluster_name.data == NULL ||
           (decision->cluster_name.size == cluster_name.size &&
            memcmp(decision->cluster_name.data, cluster_name.data, cluster_name.size) == 0);
}

void status_decisions_json(const struct status_source *source, uint64_t since, struct wire_bytes cluster_name,
                           struct q_buf *out)
{
    struct builder builder = {0};
    json_t *root = new_root(&builder, source);
    json_t *array = json_array();
    const struct decision *decision = decisions_after(source->decisions, since);

    for (; decision != NULL; decision = decisions_after(source->decisions, decision->seq)) {
        json_t *object;

        if (!is_wanted(decision, cluster_name))
            continue;
        object = json_object();
        set(&builder, object, "seq", number(decision->seq));
        set(&builder, object, "time", time_value(decision->wall_ms));
        set_name(&builder, object, "cluster", decision->cluster_name);
        set(&builder, object, "node_id", decision->node_id == 0 ? json_null() : number(decision->node_id));
        set(&builder, object, "text", text_value(decision->text));
        add(&builder, array, object);
    }
    set(&builder, root, "newest", number(source->decisions->newest_seq));
    set(&builder, root, "decisions", array);
    write_out(&builder, root, out);
}
