/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/clock.h"
#include "qdevice/device.h"
#include "qdevice/status.h"

static json_t *wall_time(uint64_t at_ms)
{
    char text[CLOCK_TEXT_SIZE];

    if (at_ms == 0)
        return json_null();
    clock_text(clock_wall_ms() - (int64_t)(clock_monotonic_ms() - at_ms), text);
    return json_string(text);
}

/* Names come from the configuration and may be any bytes; JSON takes only UTF-8. */
static json_t *text(const char *bytes)
{
    json_t *value = json_string(bytes);

    return value != NULL ? value : json_string("(not UTF-8)");
}

static json_t *ring(struct wire_ring_id ring_id)
{
    char packaged[40];

    snprintf(packaged, sizeof(packaged), "%x.%llx", ring_id.node_id, (unsigned long long)ring_id.seq);
    return json_pack("{s:I, s:I, s:s}", "node_id", (json_int_t)ring_id.node_id, "seq", (json_int_t)ring_id.seq, "text",
                     packaged);
}

static json_t *configured_nodes(const struct agent_config *config)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < config->node_count; i++)
        json_array_append_new(array, json_pack("{s:I, s:I}", "node_id", (json_int_t)config->nodes[i].node_id,
                                               "data_center_id", (json_int_t)config->nodes[i].data_center_id));
    return array;
}

static json_t *members(const struct agent_status *status)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < status->members->count; i++)
        json_array_append_new(array, json_integer(status->members->ids[i]));
    return array;
}

static json_t *timing(const struct timing *t)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "device_timeout_ms", (json_int_t)t->device_timeout_ms,
                     "sync_timeout_ms", (json_int_t)t->sync_timeout_ms, "heartbeat_ms", (json_int_t)t->heartbeat_ms,
                     "echo_ms", (json_int_t)t->echo_ms, "lease_ms", (json_int_t)t->lease_ms, "hold_ms",
                     (json_int_t)t->hold_ms, "poll_ms", (json_int_t)t->poll_ms, "connect_timeout_ms",
                     (json_int_t)t->connect_timeout_ms);
}

static json_t *vote(const struct device *device, const struct agent_status *status)
{
    static const char *const casts[] = {"nothing", "no", "yes"};
    uint64_t now_ms = clock_monotonic_ms();
    json_int_t left = status->lease_until_ms > now_ms ? (json_int_t)(status->lease_until_ms - now_ms) : 0;

    return json_pack("{s:s, s:s, s:s, s:I, s:s}", "cast", casts[device_carried_out(device, status)], "wanted",
                     casts[status->cast], "verdict",
                     status->verdict == WIRE_VOTE_UNDEFINED ? "none" : wire_vote_name(status->verdict), "lease_left_ms",
                     left, "why", status->why);
}

static json_t *arbiter(const struct device *device, const struct agent_status *status)
{
    static const char *const states[] = {"idle", "resolving", "connecting", "preinit", "securing", "init", "connected"};

    return json_pack("{s:o, s:i, s:s, s:s, s:b, s:b, s:o, s:o}", "host", text(device->config.host_list[status->host]),
                     "port", (int)device->config.port, "address", arbiter_link_peer(&device->link), "state",
                     states[status->link], "tls_active", status->secured, "honours_leases", status->arbiter_is_ours,
                     "connected_since", wall_time(status->connected_ms), "echo_answered", wall_time(status->answered_ms));
}

static json_t *heuristics(const struct device *device, const struct agent_status *status)
{
    static const char *const modes[] = {"off", "sync", "on"};

    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "mode", modes[device->config.heuristics.mode], "result",
                     wire_heuristics_name(status->heuristics), "regular",
                     wire_heuristics_name(status->heuristics_regular), "membership",
                     wire_heuristics_name(status->heuristics_membership), "connect",
                     wire_heuristics_name(status->heuristics_connect));
}

void status_json(const struct device *device, struct q_buf *out)
{
    const struct agent_config *config = &device->config.agent;
    struct agent_status status;
    json_t *root;
    char *dump;

    agent_get_status(device->agent, &status);
    root = json_pack("{s:s, s:I, s:o, s:s, s:o, s:o, s:o, s:b, s:b, s:I, s:o, s:o, s:o, s:o}", "version",
                     PACKAGE_VERSION, "node_id", (json_int_t)config->node_id, "cluster", text(config->cluster_name),
                     "algorithm", wire_algorithm_name(config->algorithm), "configured_nodes", configured_nodes(config),
                     "ring", ring(status.ring_id), "members", members(&status), "quorate", status.quorate,
                     "synchronising", status.in_sync, "expected_votes", (json_int_t)core_expected_votes(device->core),
                     "timing", timing(&config->timing), "vote", vote(device, &status), "arbiter", arbiter(device, &status),
                     "heuristics", heuristics(device, &status));
    dump = root != NULL ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (dump == NULL) {
        out->failed = true;
        return;
    }
    q_buf_append(out, dump, strlen(dump));
    q_buf_append(out, "\n", 1);
    free(dump);
}
