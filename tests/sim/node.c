/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/node.h"

#include <string.h>

#include "tests/sim/core.h"
#include "tests/sim/network.h"
#include "tests/sim/voter.h"

static void on_device_timer(void *owner);

void node_init(struct node *node)
{
    node->path_to_arbiter = node->path_to_device = true;
    node->config = cluster_all(node->cluster);
    timer_init(&node->device_timer, &node->world->schedule, on_device_timer, node);
    node->cluster->core->init(node);
    voter_init(node);
}

/* ---- what must wait ------------------------------------------------------------------------------------ */

bool node_frozen(const struct node *node, uint64_t *until_ms)
{
    *until_ms = node->resume_ms;
    return node->paused;
}

bool node_device_frozen(const struct node *node, uint64_t *until_ms)
{
    bool frozen = node->paused || (node->device != NULL && node->device_paused);

    *until_ms = node->paused ? node->resume_ms : 0;
    if (node->device != NULL && node->device_paused && node->device_resume_ms > *until_ms) {
        *until_ms = node->device_resume_ms;
    }
    return frozen;
}

/* ---- giving events to the device ----------------------------------------------------------------------- */

static void give(struct node *node, struct device_event *event)
{
    uint64_t due_ms;

    if (node->device == NULL) {
        return;
    }
    event->now_ms = node_clock(node);
    node->ops->step(node->device, event);
    if (node->device == NULL) {
        return;
    }
    due_ms = node->ops->deadline_ms(node->device);
    timer_set(&node->device_timer, node->world->now_ms, node_clock_reaches(node, due_ms));
}

static void on_device_timer(void *owner)
{
    struct node *node = owner;
    struct device_event event = {.type = DEVICE_EV_TIME};
    uint64_t until_ms;

    if (node_device_frozen(node, &until_ms)) {
        timer_set(&node->device_timer, node->world->now_ms, until_ms);
        return;
    }
    give(node, &event);
}

/* Something for the device that may find its process frozen. a: epoch, b: kind and members, c: ring seq or
 * result */
static bool deliverable(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;
    uint64_t until_ms;

    if (node->device == NULL || node->device_epoch != occurrence->a) {
        return false;
    }
    if (node_device_frozen(node, &until_ms)) {
        schedule_add(&node->world->schedule, until_ms, occurrence->fn, node, occurrence->a, occurrence->b,
                     occurrence->c);
        return false;
    }
    return true;
}

/* b: representative above, members below; c: ring seq */
static void on_nodelist(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;
    struct device_event event = {.type = DEVICE_EV_NODELIST,
                                 .ring = {(uint32_t)(occurrence->b >> 32), occurrence->c},
                                 .members = (node_mask)occurrence->b};

    if (deliverable(occurrence)) {
        give(node, &event);
    }
}

/* b: members; c: quorate */
static void on_quorum(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;
    struct device_event event = {
        .type = DEVICE_EV_QUORUM, .members = (node_mask)occurrence->b, .quorate = occurrence->c != 0};

    if (deliverable(occurrence)) {
        give(node, &event);
    }
}

static void on_config(const struct occurrence *occurrence)
{
    struct device_event event = {.type = DEVICE_EV_CONFIG};

    if (deliverable(occurrence)) {
        give(occurrence->who, &event);
    }
}

/* b: run; c: result */
static void on_heuristics(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;
    struct device_event event = {.type = DEVICE_EV_HEURISTICS,
                                 .run = (uint32_t)occurrence->b,
                                 .heuristics = (enum wire_heuristics)occurrence->c};

    if (deliverable(occurrence)) {
        give(node, &event);
    }
}

/* b: sequence */
static void on_cast_done(const struct occurrence *occurrence)
{
    struct device_event event = {.type = DEVICE_EV_CAST_DONE, .sequence = occurrence->b};

    if (deliverable(occurrence)) {
        give(occurrence->who, &event);
    }
}

void node_on_cast_done(struct node *node, uint64_t sequence)
{
    if (node->device != NULL) {
        schedule_add(&node->world->schedule, node->world->now_ms + prng_below(&node->world->prng, 4), on_cast_done, node,
                     node->device_epoch, sequence, 0);
    }
}

void node_on_nodelist(struct node *node)
{
    voter_on_ring(node);
    node_device_on_nodelist(node, node->ring, node->members);
}

void node_device_on_nodelist(struct node *node, struct wire_ring_id ring, node_mask members)
{
    if (node->device != NULL) {
        schedule_add(&node->world->schedule, node->world->now_ms, on_nodelist, node, node->device_epoch,
                     (uint64_t)ring.node_id << 32 | members, ring.seq);
    }
}

void node_on_quorum(struct node *node)
{
    node_device_on_quorum(node, node->view.quorate);
}

void node_device_on_quorum(struct node *node, bool quorate)
{
    if (node->device != NULL) {
        schedule_add(&node->world->schedule, node->world->now_ms, on_quorum, node, node->device_epoch,
                     node->members, quorate);
    }
}

/* ---- its connection ------------------------------------------------------------------------------------ */

static bool is_current(const struct conn *conn)
{
    return conn->node->device != NULL && conn->node->conn == conn;
}

void node_on_connected(struct conn *conn)
{
    struct device_event event = {.type = DEVICE_EV_CONNECTED};

    if (is_current(conn)) {
        give(conn->node, &event);
    }
}

void node_on_secured(struct conn *conn)
{
    struct device_event event = {.type = DEVICE_EV_SECURED};

    if (is_current(conn)) {
        give(conn->node, &event);
    }
}

void node_on_closed(struct conn *conn)
{
    struct device_event event = {.type = DEVICE_EV_CLOSED};

    if (is_current(conn)) {
        conn->node->conn = NULL;
        give(conn->node, &event);
    }
}

void node_on_bytes(struct conn *conn, const uint8_t *bytes, size_t size)
{
    struct node *node = conn->node;
    struct wire_message *message = &node->world->in;
    struct wire_frame_message frame;
    size_t room;

    while (size > 0 && is_current(conn)) {
        size_t wanted = wire_framer_wanted(&conn->device_framer);
        uint8_t *into = wire_framer_room(&conn->device_framer, wanted < size ? wanted : size, &room);
        enum wire_frame got;

        room = room < size ? room : size;
        memcpy(into, bytes, room);
        wire_framer_fed(&conn->device_framer, room);
        bytes += room;
        size -= room;
        while (is_current(conn) &&
               (got = wire_framer_next(&conn->device_framer, &frame)) != WIRE_FRAME_MORE) {
            struct device_event event = {.type = DEVICE_EV_MESSAGE, .message = message};

            if (got != WIRE_FRAME_MESSAGE || !wire_decode(frame.bytes, frame.size, message)) {
                event.type = DEVICE_EV_UNREADABLE;
            }
            give(node, &event);
        }
    }
}

/* ---- services for the device --------------------------------------------------------------------------- */

void device_connect(struct node *node)
{
    node->conn = network_connect(node);
}

void device_start_tls(struct node *node)
{
    if (node->conn != NULL) {
        network_device_send(node->conn, CHUNK_HELLO, NULL, 0);
    }
}

void device_send(struct node *node, const struct wire_message *message)
{
    struct q_buf *buf = &node->world->encoded;

    if (node->conn == NULL) {
        return;
    }
    q_buf_reset(buf);
    wire_encode(buf, message);
    if (message->type != WIRE_ECHO_REQUEST) {
        NOTE(node->world, node, "> %s #%u", wire_type_name(message->type), message->seq);
    }
    network_device_send(node->conn, CHUNK_DATA, q_buf_bytes(buf), buf->size);
}

void device_send_bytes(struct node *node, const uint8_t *bytes, size_t size)
{
    if (node->conn != NULL) {
        network_device_send(node->conn, CHUNK_DATA, bytes, size);
    }
}

void device_close(struct node *node, bool goodbye)
{
    struct conn *conn = node->conn;

    if (conn != NULL) {
        node->conn = NULL;
        NOTE(node->world, node, "closes its connection");
        network_device_close(conn, goodbye);
    }
}

bool device_poll(struct node *node, bool cast, struct wire_ring_id ring)
{
    bool accepted = node->cluster->core->poll(node, cast, ring);

    if (accepted && !cast) {
        node->tainted = false;
    }
    return accepted;
}

uint32_t device_run_heuristics(struct node *node, uint32_t timeout_ms)
{
    const struct cluster_settings *settings = &node->cluster->settings;
    enum wire_heuristics result = settings->heuristics_used ? node->heuristics : WIRE_HEURISTICS_UNDEFINED;
    uint32_t takes_ms = settings->heuristics_used ? prng_between(&node->world->prng, 0, 250) : 0;

    if (settings->heuristics_used && prng_chance(&node->world->prng, 10)) {
        takes_ms = timeout_ms; /* a command that hangs */
        result = WIRE_HEURISTICS_FAIL;
    }
    node->heuristics_run++;
    schedule_add(&node->world->schedule, node->world->now_ms + takes_ms, on_heuristics, node,
                 node->device_epoch, node->heuristics_run, result);
    return node->heuristics_run;
}

uint32_t device_random(struct node *node, uint32_t below)
{
    return prng_below(&node->world->prng, below);
}

void device_unregister(struct node *node)
{
    node->cluster->core->unregister(node);
    node->tainted = false;
}

/* What is read in the instant in which the device goes on has lain in its socket: nobody knows for how long. */
void device_fresh_verdict(struct node *node)
{
    uint64_t now_ms = node->world->now_ms;

    node->tainted = now_ms == node->device_resume_ms || now_ms == node->resume_ms;
}

void device_keeps_vote(struct node *node)
{
    if (node->view.cast) {
        node->tainted = true;
    }
}

void device_fatal(struct node *node, const char *why)
{
    world_fail(node->world, "NO-KILL", "%s node %u: a stock device would have ended: %s", node->cluster->name,
               node->id, why);
}

void device_message(struct wire_message *message, enum wire_type type, uint32_t seq)
{
    message->type = type;
    message->present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
    message->seq = seq;
}

uint32_t device_heartbeat_ms(const struct node *node)
{
    const struct cluster_settings *settings = &node->cluster->settings;

    return settings->timeout_unset && node->ops->ours ? OURS_HEARTBEAT_DEFAULT_MS : settings->heartbeat_ms;
}

void device_init_message(const struct node *node, struct wire_message *message, uint32_t seq,
                         struct wire_ring_id ring)
{
    const struct cluster_settings *settings = &node->cluster->settings;

    device_message(message, WIRE_INIT, seq);
    message->present |= WIRE_HAS(WIRE_TLV_SUPPORTED_MESSAGES) | WIRE_HAS(WIRE_TLV_SUPPORTED_OPTIONS) |
                        WIRE_HAS(WIRE_TLV_NODE_ID) | WIRE_HAS(WIRE_TLV_DECISION_ALGORITHM) |
                        WIRE_HAS(WIRE_TLV_HEARTBEAT_INTERVAL) | WIRE_HAS(WIRE_TLV_TIE_BREAKER) |
                        WIRE_HAS(WIRE_TLV_RING_ID);
    message->u.init = (struct wire_init){.node_id = node->id,
                                         .algorithm = (uint32_t)settings->algorithm,
                                         .heartbeat_ms = device_heartbeat_ms(node),
                                         .tie_breaker = settings->tie_breaker,
                                         .ring_id = ring,
                                         .supported_messages = {NULL, 1},
                                         .supported_options = {NULL, 1}};
}

void device_list_message(const struct node *node, struct wire_message *message, uint32_t seq,
                         enum wire_node_list_type type, node_mask nodes)
{
    struct wire_node_list *list = &message->u.node_list;

    device_message(message, WIRE_NODE_LIST, seq);
    message->present |= WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE);
    list->list_type = type;
    list->heuristics = WIRE_HEURISTICS_UNDEFINED;
    list->node_count = 0;
    for (unsigned i = 0; i < node->cluster->node_count; i++) {
        if (nodes & (1u << i)) {
            list->nodes[list->node_count++] = (struct wire_node_info){.node_id = node->cluster->nodes[i].id};
        }
    }
}

/* ---- life and death ------------------------------------------------------------------------------------ */

static void on_device_start(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;
    struct world *world = node->world;
    struct device_event event = {.type = DEVICE_EV_START};
    uint64_t until_ms;

    if (!node->up || node->boot != occurrence->a || node->device != NULL || !node->device_wanted) {
        return;
    }
    if (node_frozen(node, &until_ms) || !node->first_ring || !node->cluster->core->attach(node)) {
        schedule_add(&world->schedule, world->now_ms + 200, on_device_start, node, occurrence->a, 0, 0);
        return;
    }
    NOTE(world, node, "device starts (%s)", node->ops->name);
    node->device_epoch++;
    node->device = node->ops->create(node);
    node->device_paused = false;
    if (node->ops->voter) {
        voter_start(node);
    }
    give(node, &event);
    node->cluster->core->track(node);
}

void node_device_start(struct node *node, uint32_t delay_ms)
{
    node->device_wanted = true;
    schedule_add(&node->world->schedule, node->world->now_ms + delay_ms, on_device_start, node, node->boot, 0,
                 0);
}

static void destroy_device(struct node *node)
{
    if (node->device != NULL) {
        node->ops->destroy(node->device);
        node->device = NULL;
        node->cluster->core->detach(node);
        node->device_paused = false;
        node->device_epoch++;
        timer_set(&node->device_timer, node->world->now_ms, SIM_NEVER);
    }
}

/* a: epoch */
static void on_device_stop(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (node->device != NULL && node->device_epoch == occurrence->a && !node->device_wanted) {
        node_device_stop(node);
    }
}

void node_device_stop(struct node *node)
{
    struct device_event event = {.type = DEVICE_EV_SHUTDOWN};
    uint64_t until_ms;

    node->device_wanted = false;
    if (node->device == NULL || node_device_frozen(node, &until_ms)) {
        return;
    }
    if (!node->cluster->core->has_told_ring(node)) { /* its last poll would be for a ring that has passed */
        schedule_add(&node->world->schedule, node->world->now_ms + 2, on_device_stop, node, node->device_epoch, 0, 0);
        return;
    }
    NOTE(node->world, node, "device is stopped");
    give(node, &event);
    destroy_device(node);
    voter_end(node);
}

/* What survives a dead device of ours, where that is not the real voter, casts NACK for it, even beside a successor. b: boot */
static void on_guard(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;
    uint64_t until_ms;

    if (!node->up || node->boot != occurrence->b) {
        return; /* votequorum has gone too */
    }
    if (node_frozen(node, &until_ms)) {
        schedule_add(&node->world->schedule, until_ms, on_guard, node, occurrence->a, occurrence->b, 0);
        return;
    }
    device_poll(node, false, node->ring);
}

void node_device_kill(struct node *node)
{
    struct world *world = node->world;
    struct conn *conn = node->conn;

    node->device_wanted = false;
    if (node->device == NULL) {
        return;
    }
    NOTE(world, node, "device is killed");
    if (node->ops->voter) {
        destroy_device(node);
        voter_orphan(node);
    } else if (node->ops->ours) {
        uint32_t within_ms = node->ops->hold_ms(node);

        destroy_device(node);
        schedule_add(&world->schedule, world->now_ms + prng_below(&world->prng, within_ms), on_guard, node, 0,
                     node->boot, 0);
    } else {
        node->tainted = node->view.cast;
        destroy_device(node);
    }
    if (conn != NULL) {
        node->conn = NULL;
        network_device_died(conn);
    }
}

/* a: epoch, b: boot, c: when the pause ends */
static void on_device_resume(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (node->device != NULL && node->device_epoch == occurrence->a && node->boot == occurrence->b &&
        node->device_resume_ms == occurrence->c) {
        NOTE(node->world, node, "device goes on");
        node->device_paused = false;
    }
}

/* The guard of a paused device of ours: it knows the lease. */
static void on_guard_of_paused(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (node->up && node->device != NULL && node->device_epoch == occurrence->a && node->device_paused &&
        node->device_resume_ms == occurrence->c && !node->paused) {
        NOTE(node->world, node, "the guard withdraws the vote of the paused device");
        device_poll(node, false, node->ring);
    }
}

void node_device_pause(struct node *node, uint32_t duration_ms)
{
    struct world *world = node->world;

    if (node->device == NULL || node->device_paused) {
        return;
    }
    NOTE(world, node, "device stands still for %u ms", duration_ms);
    node->device_paused = true;
    node->device_resume_ms = world->now_ms + duration_ms;
    schedule_add(&world->schedule, node->device_resume_ms, on_device_resume, node, node->device_epoch,
                 node->boot, node->device_resume_ms);
    if (node->ops->voter) {
        return; /* it has been told until when, and is not stopped */
    }
    if (node->ops->ours) {
        uint64_t end_ms = node_clock_reaches(node, node->ops->vote_until_ms(node->device));

        if (end_ms != SIM_NEVER) {
            schedule_add(&world->schedule, end_ms + prng_below(&world->prng, node->ops->hold_ms(node)),
                         on_guard_of_paused, node, node->device_epoch, 0, node->device_resume_ms);
        }
    } else {
        node->tainted = node->view.cast;
    }
}

/* a: boot */
static void on_boot(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (node->boot == occurrence->a) {
        node_start(node);
    }
}

void node_start(struct node *node)
{
    if (node->up) {
        return;
    }
    if (node->world->now_ms < node->away_until_ms) {
        schedule_add(&node->world->schedule, node->away_until_ms, on_boot, node, node->boot, 0, 0);
        return;
    }
    NOTE(node->world, node, "boots");
    node->up = true;
    node->paused = false;
    node->boot++;
    node->config = node->cluster->config;
    node->tainted = false;
    node->cluster->core->boot(node);
    network_node_host_back(node);
    node->cluster->core->topology_changed(node->cluster);
    node_device_start(node, prng_between(&node->world->prng, 100, 1500));
}

void node_crash(struct node *node)
{
    if (!node->up) {
        return;
    }
    NOTE(node->world, node, "loses power");
    node->up = false;
    node->paused = false;
    node->boot++;
    node->device_wanted = false;
    destroy_device(node);
    voter_on_crash(node);
    for (struct conn *conn = node->world->conns; conn != NULL; conn = conn->next) {
        if (conn->node == node && conn->device_open) {
            conn->device_open = false;
            conn->device_end_lost = true;
        }
    }
    node->conn = NULL;
    node->tainted = false;
    node->away_until_ms = node->world->now_ms + node->cluster->settings.token_ms + 100;
    node->cluster->core->stop(node);
    node->cluster->core->topology_changed(node->cluster);
}

/* b: boot, c: since when */
static void on_node_resume(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;
    struct device_event event = {.type = DEVICE_EV_TIME};
    uint64_t until_ms;

    if (!node->paused || node->boot != occurrence->b) {
        return;
    }
    NOTE(node->world, node, "the machine goes on");
    node->paused = false;
    node->cluster->core->resumed(node, occurrence->c);
    if (node->ops->voter) {
        voter_on_resume(node);
    } else if (node->ops->ours &&
        (node->device == NULL ||
         (node->device_paused && node_clock(node) >= node->ops->vote_until_ms(node->device)))) {
        device_poll(node, false, node->ring); /* the guard, which stood still too */
    }
    /* Everything whose time has passed runs before anybody else gets to see this node. */
    node->cluster->core->resumed_later(node);
    if (node->device != NULL && !node_device_frozen(node, &until_ms)) {
        give(node, &event);
    }
    node->cluster->core->topology_changed(node->cluster);
}

void node_pause(struct node *node, uint32_t duration_ms)
{
    struct world *world = node->world;

    if (!node_responds(node)) {
        return;
    }
    NOTE(world, node, "the machine stands still for %u ms", duration_ms);
    node->paused = true;
    node->resume_ms = world->now_ms + duration_ms;
    if (!node->ops->ours) {
        node->tainted = node->view.cast;
    }
    schedule_add(&world->schedule, node->resume_ms, on_node_resume, node, 0, node->boot, world->now_ms);
    node->cluster->core->topology_changed(node->cluster);
}

/* ---- the core alone -------------------------------------------------------------------------------------- */

#define REATTACH_MS 100

/* The agent looks for the core. a: epoch, b: boot */
static void on_reattach(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;
    uint64_t until_ms;

    if (node->device == NULL || node->device_epoch != occurrence->a || node->boot != occurrence->b) {
        return;
    }
    if (node->first_ring && !node_device_frozen(node, &until_ms) && node->cluster->core->attach(node)) {
        NOTE(node->world, node, "device has found the core again");
        node->cluster->core->track(node);
        return;
    }
    schedule_add(&node->world->schedule, node->world->now_ms + REATTACH_MS, on_reattach, node, occurrence->a, occurrence->b,
                 0);
}

/* a: boot */
static void on_core_back(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (!node->up || node->boot != occurrence->a || node->ring_state != RING_DOWN) {
        return;
    }
    if (node->paused) {
        schedule_add(&node->world->schedule, node->resume_ms, on_core_back, node, node->boot, 0, 0);
        return;
    }
    NOTE(node->world, node, "its core is started again");
    node->cluster->core->boot(node);
    node->cluster->core->topology_changed(node->cluster);
}

static void on_core_lost(const struct occurrence *occurrence)
{
    struct device_event event = {.type = DEVICE_EV_CORE_LOST};

    if (deliverable(occurrence)) {
        give(occurrence->who, &event);
    }
}

/* Devices end with their core and are started again, but for our agent, which waits. */
static void lose_core(struct node *node)
{
    const struct occurrence lost = {.fn = on_core_lost, .who = node, .a = node->device_epoch};
    uint64_t until_ms;

    if (node->device == NULL) {
        return;
    }
    if (node->ops->voter) {
        on_core_lost(&lost);
        schedule_add(&node->world->schedule, node->world->now_ms + REATTACH_MS, on_reattach, node, node->device_epoch,
                     node->boot, 0);
        return;
    }
    if (node->ops->ours || node_device_frozen(node, &until_ms)) {
        node_device_kill(node);
    } else {
        device_close(node, true);
        destroy_device(node);
    }
    node->tainted = false;
    node_device_start(node, prng_between(&node->world->prng, 100, 2000));
}

void node_core_kill(struct node *node, uint32_t away_ms)
{
    uint32_t least_ms = node->cluster->settings.token_ms + 100;

    if (!node_responds(node) || node->ring_state == RING_DOWN) {
        return;
    }
    NOTE(node->world, node, "its core is killed");
    node->cluster->core->stop(node);
    node->cluster->core->topology_changed(node->cluster);
    voter_on_core_lost(node);
    lose_core(node);
    schedule_add(&node->world->schedule, node->world->now_ms + (away_ms > least_ms ? away_ms : least_ms), on_core_back, node,
                 node->boot, 0, 0);
}

/* a: boot, b: configuration */
void node_set_config(struct node *node, node_mask config)
{
    char text[64];

    if (!node->up || node->config == config) {
        return;
    }
    NOTE(node->world, node, "reads configuration {%s}", mask_text(node->cluster, config, text));
    node->config = config;
    node->cluster->core->on_config(node);
    if (node->device != NULL) {
        schedule_add(&node->world->schedule, node->world->now_ms, on_config, node, node->device_epoch, 0, 0);
    }
}

void node_set_heuristics(struct node *node, enum wire_heuristics result)
{
    if (node->heuristics != result) {
        NOTE(node->world, node, "heuristics would %s now", wire_heuristics_name(result));
        node->heuristics = result;
    }
}
