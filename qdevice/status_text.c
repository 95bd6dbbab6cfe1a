/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/printable.h"
#include "common/protocol_text.h"
#include "common/text.h"
#include "qdevice/device.h"
#include "qdevice/status.h"

#define TIME_SIZE 32

/* As the packaged tool writes times: local, without a zone. */
static const char *time_text(uint64_t wall_ms, char text[TIME_SIZE])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm local;

    strftime(text, TIME_SIZE, "%Y-%m-%dT%H:%M:%S", localtime_r(&seconds, &local));
    return text;
}

/* A moment of the monotonic clock as a time of day. */
static const char *moment_text(uint64_t at_ms, char text[TIME_SIZE])
{
    return time_text((uint64_t)clock_wall_ms() - (clock_monotonic_ms() - at_ms), text);
}

static const char *yes_no(bool yes)
{
    return yes ? "Yes" : "No";
}

static void put_configured_nodes(const struct agent_config *config, struct q_buf *out)
{
    if (config->has_config_version)
        text_append(out, "Configuration version:\t%" PRIu64 "\n", config->config_version);
    text_append(out, "Configured node list:\n");
    for (uint32_t i = 0; i < config->node_count; i++) {
        text_append(out, "    %" PRIu32 "\tNode ID = %" PRIu32, i, config->nodes[i].node_id);
        if (config->nodes[i].data_center_id != 0)
            text_append(out, ", Data center ID = %" PRIu32, config->nodes[i].data_center_id);
        text_append(out, "\n");
    }
}

static void put_members(const struct agent_status *status, struct q_buf *out)
{
    text_append(out, "Membership node list:\t");
    for (uint32_t i = 0; i < status->members->count; i++)
        text_append(out, "%s%" PRIu32, i == 0 ? "" : ", ", status->members->ids[i]);
    text_append(out, "\n");
}

static void put_quorum(const struct device *device, const struct agent_status *status, struct q_buf *out)
{
    static const char *const states[] = {"", "member", "dead", "leaving"};
    const struct voting_report *report = &device->voter.report;
    char text[TIME_SIZE];

    text_append(out, "Quorate:\t\t%s\n", yes_no(status->quorate));
    text_append(out, "Quorum node list:\n");
    for (uint32_t i = 0; i < status->quorum_node_count; i++)
        text_append(out, "    %" PRIu32 "\tNode ID = %" PRIu32 ", State = %s\n", i, status->quorum_nodes[i].node_id,
                    states[status->quorum_nodes[i].state]);
    text_append(out, "Expected votes:\t\t%" PRIu32 "\n", core_expected_votes(device->core));
    text_append(out, "Last poll call:\t\t%s%s\n",
                report->polled_wall_ms == 0 ? "Never" : time_text(report->polled_wall_ms, text),
                report->polled_wall_ms != 0 && report->cast == AGENT_CAST_YES ? " (cast vote)" : "");
}

static void put_general(const struct device *device, const struct agent_status *status, bool verbose, struct q_buf *out)
{
    static const char *const modes[] = {"Disabled", "Enabled only on sync", "Enabled"};
    const struct agent_config *config = &device->config.agent;

    text_append(out, "Qdevice information\n-------------------\n");
    text_append(out, "Model:\t\t\tNet\n");
    text_append(out, "Node ID:\t\t%" PRIu32 "\n", config->node_id);
    if (verbose) {
        text_append(out, "HB interval:\t\t%" PRIu32 "ms\n", config->timing.device_timeout_ms);
        text_append(out, "Sync HB interval:\t%" PRIu32 "ms\n", config->timing.sync_timeout_ms);
    }
    put_configured_nodes(config, out);
    if (verbose) {
        text_append(out, "Heuristics:\t\t%s\n", modes[device->config.heuristics.mode]);
        text_append(out, "Ring ID:\t\t%" PRIx32 ".%" PRIx64 "\n", status->ring_id.node_id, status->ring_id.seq);
    }
    put_members(status, out);
    if (verbose)
        put_quorum(device, status, out);
}

static const char *state_text(const struct agent_status *status)
{
    switch (status->link) {
    case AGENT_IDLE:
        return "Connect failed";
    case AGENT_RESOLVING:
    case AGENT_CONNECTING:
    case AGENT_PREINIT:
    case AGENT_SECURING:
    case AGENT_INIT:
        return "Connecting";
    case AGENT_READY:
        return "Connected";
    }
    return "";
}

static const char *kap_text(const struct agent_config *config, const struct agent_status *status)
{
    switch (config->algorithm) {
    case WIRE_ALGORITHM_FFSPLIT:
        if (status->link == AGENT_READY && !status->arbiter_knows_kap)
            return "Unsupported by QNetd";
        return config->keep_active_partition ? "Enabled" : "Disabled";
    case WIRE_ALGORITHM_2NODELMS:
    case WIRE_ALGORITHM_LMS:
        return "Algorithm hard-coded";
    case WIRE_ALGORITHM_TEST:
        break;
    }
    return "Unsupported by algorithm";
}

static void put_verbose_net(const struct device *device, struct q_buf *out)
{
    static const char *const tls[] = {"Unsupported", "Supported", "Required"};
    const struct timing *timing = &device->config.agent.timing;

    if (device->config.force_ip_version != 0)
        text_append(out, "Force IP version:\t%d\n", device->config.force_ip_version);
    text_append(out, "Connect timeout:\t%" PRIu32 "ms\n", timing->connect_timeout_ms);
    text_append(out, "HB interval:\t\t%" PRIu32 "ms\n", timing->heartbeat_ms);
    text_append(out, "VQ vote timer interval:\t%" PRIu32 "ms\n", timing->poll_ms);
    text_append(out, "TLS:\t\t\t%s\n", tls[device->config.agent.tls]);
}

static void put_heuristics(const struct device *device, const struct agent_status *status, bool verbose,
                           struct q_buf *out)
{
    if (device->config.heuristics.mode == HEURISTICS_OFF)
        return;
    text_append(out, "Heuristics result:\t%s", heuristics_text(status->heuristics));
    if (verbose)
        text_append(out, " (regular: %s, membership: %s, connect: %s)", heuristics_text(status->heuristics_regular),
                    heuristics_text(status->heuristics_membership), heuristics_text(status->heuristics_connect));
    text_append(out, "\n");
}

static void put_connection(const struct agent_status *status, struct q_buf *out)
{
    char text[TIME_SIZE];

    if (status->link != AGENT_READY)
        return;
    text_append(out, "TLS active:\t\t%s%s\n", yes_no(status->secured),
                status->secured ? " (client certificate sent)" : "");
    text_append(out, "Connected since:\t%s\n", moment_text(status->connected_ms, text));
    if (status->answered_ms != 0)
        text_append(out, "Echo reply received:\t%s\n", moment_text(status->answered_ms, text));
}

/* Lines of ours, behind those that scripts know. */
static void put_lease(const struct device *device, const struct agent_status *status, struct q_buf *out)
{
    const struct timing *timing = &device->config.agent.timing;
    uint64_t now_ms = clock_monotonic_ms();

    text_append(out, "Echo interval:\t\t%" PRIu32 "ms\n", timing->echo_ms);
    text_append(out, "Vote lease:\t\t%" PRIu32 "ms, vote withdrawn within %" PRIu32 "ms of its end\n", timing->lease_ms,
                timing->hold_ms);
    if (status->lease_until_ms > now_ms)
        text_append(out, "Vote lease left:\t%" PRIu64 "ms\n", status->lease_until_ms - now_ms);
    if (status->link == AGENT_READY)
        text_append(out, "Arbiter address:\t%s%s\n", arbiter_link_peer(&device->link),
                    status->arbiter_is_ours ? " (honours leases)" : "");
    else if (status->next_attempt_ms > now_ms && status->next_attempt_ms != AGENT_NEVER)
        text_append(out, "Next attempt:\t\tin %" PRIu64 "ms, %s\n", status->next_attempt_ms - now_ms,
                    device->config.host_list[status->host]);
}

static void put_net(const struct device *device, const struct agent_status *status, bool verbose, struct q_buf *out)
{
    const struct agent_config *config = &device->config.agent;
    char text[512];

    text_append(out, "\nQdevice-net information\n----------------------\n");
    printable_text(config->cluster_name, strlen(config->cluster_name), text, sizeof(text));
    text_append(out, "Cluster name:\t\t%s\n", text);
    text_append(out, "QNetd host:\t\t%s:%" PRIu16 "\n", device->config.host_list[status->host], device->config.port);
    if (verbose)
        put_verbose_net(device, out);
    tie_breaker_text(config->tie_breaker, text, sizeof(text));
    text_append(out, "Algorithm:\t\t%s\n", algorithm_text(config->algorithm));
    text_append(out, "Tie-breaker:\t\t%s\n", text);
    if (verbose) {
        text_append(out, "KAP Tie-breaker:\t%s\n", kap_text(config, status));
        text_append(out, "Poll timer running:\t%s%s\n", yes_no(status->cast != AGENT_CAST_NOTHING),
                    device_carried_out(device, status) == AGENT_CAST_YES ? " (cast vote)" : "");
    }
    text_append(out, "State:\t\t\t%s\n", state_text(status));
    put_heuristics(device, status, verbose, out);
    if (!verbose)
        return;
    put_connection(status, out);
    put_lease(device, status, out);
    text_append(out, "Vote:\t\t\t%s\n", status->why);
}

void status_text(const struct device *device, bool verbose, struct q_buf *out)
{
    struct agent_status status;

    agent_get_status(device->agent, &status);
    put_general(device, &status, verbose, out);
    put_net(device, &status, verbose, out);
}
