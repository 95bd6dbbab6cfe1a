/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/verdict.h"

#include "tests/bench/device.h"

#define RING_STEP 4 /* Corosync's ring sequence numbers grow by four */

static uint32_t expected_winner(const struct cluster *cluster)
{
    switch (cluster->tie_breaker.mode) {
    case WIRE_TIE_BREAKER_LOWEST:
        return 1;
    case WIRE_TIE_BREAKER_HIGHEST:
        return FLEET_NODES;
    case WIRE_TIE_BREAKER_NODE_ID:
        break;
    }
    return cluster->tie_breaker.node_id;
}

void cluster_change(struct cluster *cluster, bool split)
{
    cluster->split = split;
    cluster->ring_seq += RING_STEP;
    cluster->decided_ns = 0;
}

void cluster_report(struct fleet *fleet, struct cluster *cluster, unsigned node_index)
{
    struct device *device = &cluster->nodes[node_index];

    if (device->state != DEVICE_READY)
        return;
    device->ring.node_id = cluster->split ? device->node_id : 1;
    device->ring.seq = cluster->ring_seq;
    device->vote = WIRE_VOTE_UNDEFINED;
    device->vote_confirmed = false;
    cluster->last_report_ns = bench_now_ns();
    device_send_membership(fleet, device, cluster->split);
}

static void decided(struct fleet *fleet, struct cluster *cluster)
{
    if (cluster->decided_ns == 0) {
        cluster->decided_ns = bench_now_ns();
        fleet->decided++;
    }
}

static void on_ack_in_split(struct fleet *fleet, struct cluster *cluster, const struct device *device,
                            const struct device *peer)
{
    if (peer->vote != WIRE_VOTE_NACK || !peer->vote_confirmed)
        fleet->early_verdicts++;
    if (device->node_id == expected_winner(cluster))
        decided(fleet, cluster);
    else
        fleet->wrong_verdicts++;
}

void cluster_on_vote(struct fleet *fleet, struct cluster *cluster, struct device *device)
{
    const struct device *peer = &cluster->nodes[FLEET_NODES - device->node_id];

    /* A node that has gone holds nothing after its lease, and its rival rightly gets the vote. */
    if (device->vote != WIRE_VOTE_ACK || peer->state != DEVICE_READY)
        return;
    if (cluster->split)
        on_ack_in_split(fleet, cluster, device, peer);
    else if (peer->vote == WIRE_VOTE_ACK)
        decided(fleet, cluster);
}
