/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients of votequorum on a machine with the real core, in the bytes of libvotequorum (spec/corosync-ipc.md section 8). */
#include <string.h>

#include "core/services/ipc_wire.h"
#include "core/services/votequorum.h"
#include "tests/sim/node.h"
#include "tests/sim/stack_host.h"
#include "tests/sim/voter.h"

#define DEVICE_NAME "Qdevice"
#define REGISTER_SIZE 272
#define POLL_SIZE 296
#define EVENT_QUORUM 3
#define EVENT_NODELIST 5
#define ANSWER_INFO 1
#define POLL_SLACK_MS 5
#define INFO_EVERY 200 /* steps */

/* ---- bytes of votequorum's clients ---------------------------------------------------------------------------- */

static void ask_register(struct stack_host *host, uint32_t id)
{
    uint8_t bytes[REGISTER_SIZE] = {0};

    ipc_put_u32(bytes, 0, id);
    ipc_put_u32(bytes, 8, sizeof bytes);
    memcpy(bytes + 16, DEVICE_NAME, sizeof DEVICE_NAME);
    stack_host_request(host, host->device, bytes, sizeof bytes);
}

static void ask_track(struct stack_host *host, uint64_t conn)
{
    uint8_t bytes[32] = {0};

    ipc_put_u32(bytes, 0, VOTEQUORUM_TRACK_START);
    ipc_put_u32(bytes, 8, sizeof bytes);
    ipc_put_u32(bytes, 24, VOTEQUORUM_TRACK_CHANGES);
    stack_host_request(host, conn, bytes, sizeof bytes);
}

void stack_votes_begin(struct stack_host *host)
{
    host->keeper = stack_host_connect(host, SERVICE_VOTEQUORUM, 1);
    ask_track(host, host->keeper);
    host->node->first_ring = true;
}

void stack_votes_ask_info(struct stack_host *host)
{
    uint8_t bytes[24] = {0};

    ipc_put_u32(bytes, 0, VOTEQUORUM_GET_INFO);
    ipc_put_u32(bytes, 8, sizeof bytes);
    stack_host_request(host, host->keeper, bytes, sizeof bytes);
}

static void ask_poll(struct stack_host *host, uint64_t conn, bool cast, struct wire_ring_id ring)
{
    uint8_t bytes[POLL_SIZE] = {0};

    ipc_put_u32(bytes, 0, VOTEQUORUM_POLL);
    ipc_put_u32(bytes, 8, sizeof bytes);
    memcpy(bytes + 16, DEVICE_NAME, sizeof DEVICE_NAME);
    ipc_put_u32(bytes, 272, cast);
    ipc_put_u32(bytes, 280, ring.node_id);
    ipc_put_u64(bytes, 288, ring.seq);
    stack_host_request(host, conn, bytes, sizeof bytes);
}

/* ---- what votequorum's clients are told ------------------------------------------------------------------------ */

static struct wire_ring_id ring_in(const uint8_t *bytes)
{
    return (struct wire_ring_id){ipc_get_u32(bytes, 32), ipc_get_u64(bytes, 40)};
}

static node_mask members_in(const struct sim_cluster *cluster, const uint8_t *bytes)
{
    uint32_t count = ipc_get_u32(bytes, 48);
    node_mask members = 0;

    for (uint32_t i = 0; i < count; i++) {
        members |= 1u << cluster_index_of(cluster, ipc_get_u32(bytes, 56 + 4 * (size_t)i));
    }
    return members;
}

static void on_keeper_nodelist(struct node *node, const uint8_t *bytes)
{
    char text[64];

    node->ring = ring_in(bytes);
    node->members = members_in(node->cluster, bytes);
    node->cluster->dirty = true;
    node->world->rings++;
    NOTE(node->world, node, "ring %u.%llu {%s}", node->ring.node_id, (unsigned long long)node->ring.seq,
         mask_text(node->cluster, node->members, text));
    voter_on_ring(node);
}

static void on_keeper_quorum(struct node *node, const uint8_t *bytes)
{
    bool quorate = ipc_get_u32(bytes, 24) != 0;

    NOTE(node->world, node, "%s", quorate ? "quorate" : "INQUORATE");
    node->cluster->dirty = true;
    node->view.quorate = quorate;
    node->view.sync_waiting = false;
}

/*
 * POLL, the half that looks at what votequorum says of itself: a vote counts that was polled, and was so not long ago. In a
 * synchronisation the old one may stand until sync_timeout.
 */
static void check_cast(const struct stack_host *host, uint32_t flags)
{
    const struct node *node = host->node;
    const struct cluster_settings *settings = &node->cluster->settings;
    uint64_t old_ms = node_clock(node) - host->polled_ms;

    if (!(flags & VOTEQUORUM_INFO_DEVICE_CAST_VOTE) || host->catching_up) {
        return;
    }
    if (!host->polled || !host->polled_yes ||
        (node->ring_state == RING_OPERATIONAL && old_ms > settings->timeout_ms + POLL_SLACK_MS)) {
        world_fail(node->world, "POLL", "%s: votequorum of node %u counts a vote that is %llu ms old, or none",
                   node->cluster->name, node->id, (unsigned long long)old_ms);
    }
}

static void on_info(struct stack_host *host, const uint8_t *bytes)
{
    struct node *node = host->node;
    uint32_t flags = ipc_get_u32(bytes, 52);
    bool awaited = (flags & VOTEQUORUM_INFO_DEVICE_REGISTERED) && (flags & VOTEQUORUM_INFO_DEVICE_ALIVE);

    check_cast(host, flags);
    node->view.quorum = ipc_get_u32(bytes, 48);
    node->view.sync_waiting = awaited && node->ring_state == RING_SYNC &&
                              !(host->polled && wire_ring_id_equal(host->polled_ring, node->ring));
}

void stack_votes_on_keeper(struct stack_host *host, bool is_event, const uint8_t *bytes)
{
    uint32_t id = ipc_get_u32(bytes, 0);

    if (!is_event) {
        host->answer = (enum cs_error)ipc_get_u32(bytes, 16);
        if (id == ANSWER_INFO) {
            on_info(host, bytes);
        }
        return;
    }
    host->wants_info = true;
    if (id == EVENT_NODELIST) {
        on_keeper_nodelist(host->node, bytes);
    } else if (id == EVENT_QUORUM) {
        on_keeper_quorum(host->node, bytes);
    }
}

static void on_registered(struct stack_host *host, enum cs_error error)
{
    if (error == CS_ERROR_OK) {
        host->attachment = ATTACH_DONE;
    } else if (error == CS_ERROR_TRY_AGAIN) {
        host->attachment = ATTACH_NONE;
    } else {
        world_fail(host->node->world, "CONTRACT", "%s node %u: votequorum refuses the device: error %d",
                   host->node->cluster->name, host->node->id, (int)error);
    }
}

/* The keeper was told the same before; but whoever begins to track during a synchronisation hears of what is to come. */
void stack_votes_on_device(struct stack_host *host, bool is_event, const uint8_t *bytes)
{
    struct node *node = host->node;
    uint32_t id = ipc_get_u32(bytes, 0);

    if (!is_event) {
        host->answer = (enum cs_error)ipc_get_u32(bytes, 16);
        if (host->attachment == ATTACH_ASKED) {
            on_registered(host, host->answer);
        }
    } else if (id == EVENT_NODELIST) {
        node_device_on_nodelist(node, ring_in(bytes), members_in(node->cluster, bytes));
    } else if (id == EVENT_QUORUM) {
        node_device_on_quorum(node, ipc_get_u32(bytes, 24) != 0);
        if (node->ring_state == RING_OPERATIONAL && (ipc_get_u32(bytes, 24) != 0) != node->view.quorate) {
            world_fail(node->world, "TOLD", "%s node %u: clients are told different things", node->cluster->name, node->id);
        }
    }
}

/* ---- the rules that are looked at on the node itself ---------------------------------------------------------------- */

/* POLL: who lives on the device's vote has it, for this ring, and not for longer than votequorum is to believe it. */
static bool is_voted_for(const struct stack_host *host)
{
    const struct node *node = host->node;

    return host->polled && host->polled_yes && wire_ring_id_equal(host->polled_ring, node->ring) &&
           node_clock(node) <= host->polled_ms + node->cluster->settings.timeout_ms + POLL_SLACK_MS;
}

static void check_poll(struct stack_host *host)
{
    const struct node *node = host->node;

    if (!node_serves(node) || !node_needs_device(node)) {
        return;
    }
    if (is_voted_for(host)) {
        return;
    }
    stack_votes_ask_info(host); /* the quorum may be another by now */
    if (!node_needs_device(node)) {
        return;
    }
    if (!host->polled || !host->polled_yes || !wire_ring_id_equal(host->polled_ring, node->ring)) {
        world_fail(node->world, "POLL", "%s: node %u is quorate by a vote that its device has not given for ring %u.%llu",
                   node->cluster->name, node->id, node->ring.node_id, (unsigned long long)node->ring.seq);
    } else {
        world_fail(node->world, "POLL", "%s: node %u is quorate by a vote that is %llu ms old", node->cluster->name, node->id,
                   (unsigned long long)(node_clock(node) - host->polled_ms));
    }
}

/* TOLD: what clients of votequorum have been told is so. */
static void check_told(const struct stack_host *host)
{
    const struct node *node = host->node;
    struct totem_status status;

    stack_get_ring(host->stack, &status);
    if (node->ring_state != RING_OPERATIONAL || !host->ready) {
        return;
    }
    if (node->view.quorate != stack_is_quorate(host->stack) || node->ring.seq != status.ring.seq ||
        node->ring.node_id != status.ring.rep ||
        node->members != stack_host_mask(node->cluster, status.members->ids, status.members->count)) {
        world_fail(node->world, "TOLD", "%s: clients of node %u know another ring, or another answer, than there is",
                   node->cluster->name, node->id);
    }
}

void stack_votes_check(struct stack_host *host)
{
    if (host->keeper != 0 && host->steps >= host->next_info) {
        host->next_info = host->steps + INFO_EVERY;
        stack_votes_ask_info(host);
    }
    check_told(host);
    if (!host->catching_up) {
        check_poll(host);
    }
}

/* ---- the device's way to votequorum ----------------------------------------------------------------------------------- */

bool stack_votes_has_told_ring(const struct node *node)
{
    const struct stack_host *host = node->host;

    return host->stack == NULL || !host->ready ||
           (host->ring.seq == node->ring.seq && host->ring.rep == node->ring.node_id);
}

bool stack_votes_attach(struct node *node)
{
    struct stack_host *host = node->host;

    if (!host->ready || host->leaving) {
        return false;
    }
    if (host->device == 0) {
        host->device = stack_host_connect(host, SERVICE_VOTEQUORUM, 2);
    }
    if (host->attachment == ATTACH_NONE) {
        host->attachment = ATTACH_ASKED;
        ask_register(host, VOTEQUORUM_REGISTER);
        stack_host_arm(host);
    }
    return host->attachment == ATTACH_DONE;
}

void stack_votes_track(struct node *node)
{
    ask_track(node->host, node->host->device);
    stack_host_arm(node->host);
    voter_on_ring(node);
}

void stack_votes_detach(struct node *node)
{
    struct stack_host *host = node->host;
    uint64_t conn;

    if (host == NULL || host->stack == NULL || host->device == 0) {
        return;
    }
    conn = host->device;
    host->device = 0;
    host->attachment = ATTACH_NONE;
    stack_host_step(host, &(struct stack_event){.type = STACK_EV_GONE, .u.client = {.conn = conn}});
}

void stack_votes_unregister(struct node *node)
{
    struct stack_host *host = node->host;

    host->polled = false;
    node->view.cast = node->view.sync_waiting = false;
    if (host->attachment != ATTACH_DONE) { /* it is still looking for its core */
        return;
    }
    ask_register(host, VOTEQUORUM_UNREGISTER);
    host->wants_info = true;
    stack_host_step(host, &(struct stack_event){.type = STACK_EV_TIME});
}

bool stack_votes_poll(struct node *node, bool cast, struct wire_ring_id ring)
{
    struct stack_host *host = node->host;
    bool accepted;
    uint64_t conn;

    if (host == NULL || host->keeper == 0 || host->gone) {
        return false;
    }
    conn = node->ops->voter || host->attachment != ATTACH_DONE ? host->keeper : host->device;
    ask_poll(host, conn, cast, ring);
    accepted = host->answer == CS_ERROR_OK;
    if (accepted) {
        if (cast != node->view.cast) {
            NOTE(node->world, node, "casts %s", cast ? "ACK" : "NACK");
        }
        host->polled = true;
        host->polled_yes = cast;
        host->polled_ring = ring;
        host->polled_ms = node_clock(node);
        node->view.cast = cast;
        node->view.sync_waiting = false;
    } else if (host->answer != CS_ERROR_MESSAGE_ERROR && host->answer != CS_ERROR_NOT_EXIST) {
        world_fail(node->world, "CONTRACT", "%s node %u: a poll is answered %d", node->cluster->name, node->id,
                   (int)host->answer);
    }
    stack_host_step(host, &(struct stack_event){.type = STACK_EV_TIME});
    return accepted;
}
