/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/printable.h"
#include "common/text.h"
#include "common/tls/expiry.h"
#include "qnetd/logic/cluster.h"
#include "common/protocol_text.h"
#include "qnetd/status.h"

/* ---- status ----------------------------------------------------------------------------------------------- */

static const char *tls_text(int tls)
{
    static const char *const texts[] = {"Unsupported", "Supported", "Required"};

    return texts[tls];
}

static void put_certificate(struct q_buf *out, const char *what, const struct tls_cert_facts *facts)
{
    char expiry[EXPIRY_TEXT_SIZE];

    expiry_text(facts->not_before, facts->not_after, time(NULL), expiry, sizeof(expiry));
    text_append(out, "%s\t%s, %s\n", what, facts->subject, expiry);
}

static void put_own_lines(const struct status_source *source, struct q_buf *out)
{
    char text[STATUS_WARNING_SIZE], time_text[CLOCK_TEXT_SIZE];
    const char *warning;

    clock_text(source->started_wall_ms, time_text);
    text_append(out, "Running since:\t\t\t%s\n", time_text);
    if (source->identity != NULL && source->identity->credentials != NULL) {
        const struct tls_facts *facts = tls_credentials_facts(source->identity->credentials);

        put_certificate(out, "Certificate:\t\t", &facts->own);
        for (size_t i = 0; i < facts->ca_count; i++)
            put_certificate(out, "Certificate authority:\t", &facts->ca[i]);
    }
    for (unsigned i = 0; (warning = status_warning(source, i, text)) != NULL; i++)
        text_append(out, "Warning:\t\t\t%s\n", warning);
}

void status_text(const struct status_source *source, bool verbose, struct q_buf *out)
{
    const struct settings *settings = source->settings;
    bool certificates = settings->tls != (int)WIRE_TLS_UNSUPPORTED && settings->client_cert_required;

    text_append(out, "QNetd address:\t\t\t%s:%u\n",
                settings->listen_address == NULL ? "*" : settings->listen_address,
                (unsigned)settings->listen_port);
    text_append(out, "TLS:\t\t\t\t%s%s\n", tls_text(settings->tls),
                certificates ? " (client certificate required)" : "");
    text_append(out, "Connected clients:\t\t%" PRIu32 "\n", arbiter_client_count(source->arbiter));
    text_append(out, "Connected clusters:\t\t%" PRIu32 "\n", arbiter_cluster_count(source->arbiter));
    if (!verbose)
        return;
    if (settings->clients_max != 0)
        text_append(out, "Maximum allowed clients:\t%" PRIu64 "\n", settings->clients_max);
    text_append(out, "Maximum send/receive size:\t%" PRIu64 "/%" PRIu64 " bytes\n",
                settings->max_client_send_size, settings->max_client_receive_size);
    put_own_lines(source, out);
}

/* ---- list ------------------------------------------------------------------------------------------------- */

static bool is_connected(const struct member *member)
{
    return member->conn != 0;
}

static bool all_keep_active_partition(const struct cluster *cluster)
{
    if (cluster->algorithm != WIRE_ALGORITHM_FFSPLIT)
        return false;
    for (const struct member *member = cluster->members; member != NULL; member = member->next) {
        if (is_connected(member) && !member->keep_active_partition)
            return false;
    }
    return true;
}

static void put_node_list(struct q_buf *out, const struct node_set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        text_append(out, "%s%" PRIu32, i == 0 ? "" : ", ", set->ids[i]);
    text_append(out, "\n");
}

static void put_config(struct q_buf *out, const struct member *member)
{
    if (member->has_config_version)
        text_append(out, "        Configuration version:\t%" PRIu64 "\n", member->config_version);
    if (member->config_node_count == 0)
        return;
    text_append(out, "        Configured node list:\t");
    for (uint32_t i = 0; i < member->config_node_count; i++) {
        const struct wire_node_info *node = &member->config_nodes[i];

        text_append(out, "%s%" PRIu32, i == 0 ? "" : ", ", node->node_id);
        if (node->data_center_id != 0)
            text_append(out, " (%" PRIu32 ")", node->data_center_id);
    }
    text_append(out, "\n");
}

static void put_heuristics(struct q_buf *out, const struct member *member, bool verbose)
{
    if (!verbose && member->heuristics == WIRE_HEURISTICS_UNDEFINED)
        return;
    text_append(out, "        Heuristics:\t\t%s", heuristics_text(member->heuristics));
    if (verbose)
        text_append(out, " (membership: %s, regular: %s)", heuristics_text(member->heuristics_membership),
                    heuristics_text(member->heuristics_regular));
    text_append(out, "\n");
}

static void put_vote(struct q_buf *out, const struct member *member)
{
    if (member->last_vote == WIRE_VOTE_UNDEFINED)
        return;
    text_append(out, "        Vote:\t\t\t%s", vote_text(member->last_vote));
    if (member->verdict != WIRE_VOTE_UNDEFINED)
        text_append(out, " (%s)", vote_text(member->verdict));
    text_append(out, "\n");
}

static void put_member(struct q_buf *out, const struct member *member, bool verbose)
{
    text_append(out, "    Node ID %" PRIu32 ":\n", member->node_id);
    text_append(out, "        Client address:\t\t%s\n", member->peer);
    if (verbose)
        text_append(out, "        HB interval:\t\t%" PRIu32 "ms\n", member->heartbeat_ms);
    put_config(out, member);
    if (verbose)
        text_append(out, "        Ring ID:\t\t%" PRIx32 ".%" PRIx64 "\n", member->ring.node_id,
                    member->ring.seq);
    if (member->membership.count > 0) {
        text_append(out, "        Membership node list:\t");
        put_node_list(out, &member->membership);
    }
    put_heuristics(out, member, verbose);
    if (verbose)
        text_append(out, "        TLS active:\t\t%s%s\n", member->tls_active ? "Yes" : "No",
                    member->tls_active && member->tls_cert_verified ? " (client certificate verified)" : "");
    put_vote(out, member);
    if (verbose)
        text_append(out, "        Effective vote:\t\t%s\n", member->grant == GRANT_NONE ? "NACK" : "ACK");
}

static void put_decision(const struct status_source *source, struct q_buf *out, const struct cluster *cluster)
{
    if (cluster->verdict.reason[0] != '\0')
        text_append(out, "    Decision:\t\t%s\n", cluster->verdict.reason);
    if (cluster->waiting_for[0] != '\0')
        text_append(out, "    Waiting for:\t%s\n", cluster->waiting_for);
    for (const struct member *member = cluster->members; member != NULL; member = member->next) {
        char until[CLOCK_TEXT_SIZE];

        if (member->grant != GRANT_GHOST)
            continue;
        clock_text(status_wall_ms(source, member->ghost_until_ms), until);
        text_append(out, "    Vote left with:\tnode %" PRIu32 " until %s\n", member->node_id, until);
    }
}

static void put_cluster(const struct status_source *source, struct q_buf *out, const struct cluster *cluster,
                        bool verbose)
{
    char label[512], tie_breaker[64];

    printable_text(cluster->name.data, cluster->name.size, label, sizeof(label));
    tie_breaker_text(cluster->tie_breaker, tie_breaker, sizeof(tie_breaker));
    text_append(out, "Cluster \"%s\":\n", label);
    text_append(out, "    Algorithm:\t\t%s%s\n", algorithm_text(cluster->algorithm),
                all_keep_active_partition(cluster) ? " (KAP Tie-breaker)" : "");
    text_append(out, "    Tie-breaker:\t%s\n", tie_breaker);
    for (const struct member *member = cluster->members; member != NULL; member = member->next) {
        if (is_connected(member))
            put_member(out, member, verbose);
    }
    if (verbose)
        put_decision(source, out, cluster);
}

void status_list_text(const struct status_source *source, bool verbose, struct wire_bytes cluster_name,
                      struct q_buf *out)
{
    const struct cluster *cluster = cluster_name.data != NULL
                                        ? arbiter_find_cluster(source->arbiter, cluster_name)
                                        : arbiter_first_cluster(source->arbiter);

    while (cluster != NULL) {
        /* pcs takes every cluster listed for a connected one. */
        if (cluster->connected_count > 0)
            put_cluster(source, out, cluster, verbose);
        cluster = cluster_name.data != NULL ? NULL : arbiter_next_cluster(cluster);
    }
}
