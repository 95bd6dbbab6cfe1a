/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/core_stack.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/services/ipc_wire.h"
#include "tests/sim/node.h"
#include "tests/sim/stack_host.h"

#define CFG_RELOAD 7
#define RELOAD_RETRY_MS 100
#define CHECK_EVERY 16 /* steps: looking at all of a node costs more than a step */

/* ---- carrying out ----------------------------------------------------------------------------------------------- */

node_mask stack_host_mask(const struct sim_cluster *cluster, const uint32_t *ids, uint32_t count)
{
    node_mask mask = 0;

    for (uint32_t i = 0; i < count; i++) {
        mask |= 1u << cluster_index_of(cluster, ids[i]);
    }
    return mask;
}

static void on_transitional(struct stack_host *host, const struct totem_action *change)
{
    node_mask with = stack_host_mask(host->node->cluster, change->members, change->member_count);

    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        if (!(with & (1u << i))) {
            host->together_from[i] = change->ring.seq;
        }
    }
    if (host->client.log != NULL) {
        synchrony_on_transitional(host->client.log, host->ring, change->ring, with);
    }
}

static void on_ring_change(struct stack_host *host, const struct totem_action *change)
{
    world_mix(host->node->world, change->ring.seq * 2 + change->kind);
    if (change->kind == TOTEM_REGULAR) {
        host->ring = change->ring;
    } else {
        on_transitional(host, change);
    }
}

static void carry_out_ring(struct stack_host *host, const struct totem_action *action)
{
    struct node *node = host->node;

    switch (action->type) {
    case TOTEM_ACT_SEND:
        lan_send(node, action->node_id, action->bytes, action->size);
        break;
    case TOTEM_ACT_CHANGE:
        on_ring_change(host, action);
        break;
    case TOTEM_ACT_PERSIST:
        if (action->ring_seq <= host->persisted_seq) {
            world_fail(node->world, "RING", "%s node %u: ring %llu is kept after %llu", node->cluster->name, node->id,
                       (unsigned long long)action->ring_seq, (unsigned long long)host->persisted_seq);
        }
        host->persisted_seq = action->ring_seq;
        break;
    case TOTEM_ACT_LINGER:
        timer_set(&host->linger, node->world->now_ms, node->world->now_ms + prng_below(&node->world->prng, 3));
        break;
    case TOTEM_ACT_DRAIN:
        lan_socket_drain(&host->socket);
        break;
    case TOTEM_ACT_NOTE:
        if (action->level != TOTEM_NOTE_DEBUG) {
            NOTE(node->world, node, "(ring: %s)", (const char *)action->bytes);
        }
        break;
    case TOTEM_ACT_DELIVER:
        break;
    }
}

static void carry_out_task(struct stack_host *host, const struct outbox_item *item)
{
    switch (item->task) {
    case OUTBOX_READY:
        host->ready = true;
        break;
    case OUTBOX_STORE_EXPECTED:
        host->stored_expected_votes = (uint32_t)item->number;
        break;
    case OUTBOX_EXIT:
        host->gone = true;
        break;
    case OUTBOX_DIE:
        world_fail(host->node->world, "CONTRACT", "%s node %u: the core gives up", host->node->cluster->name, host->node->id);
        break;
    case OUTBOX_RELOAD:
        host->reloads++;
        break;
    case OUTBOX_LEAVE:
    case OUTBOX_KEY_CHANGED:
    case OUTBOX_REOPEN_LOGS:
    case OUTBOX_CRYPTO_USE:
    case OUTBOX_CRYPTO_FORGET:
    case OUTBOX_CLEAR_STATS:
    case OUTBOX_UNLINK_FILE:
        break;
    }
}


static void to_client(struct stack_host *host, size_t index)
{
    const struct outbox *out = &host->actions.services;
    const struct outbox_item *item = &out->items[index];
    const uint8_t *head = outbox_head_of(out, item);

    world_mix(host->node->world, item->conn << 32 ^ ipc_get_u32(head, 0) << 16 ^ item->head_size ^ item->body_size);
    if (item->conn == host->keeper) {
        stack_votes_on_keeper(host, item->type == OUTBOX_EVENT, head);
    } else if (item->conn == host->device) {
        stack_votes_on_device(host, item->type == OUTBOX_EVENT, head);
    } else if (item->conn == host->client.conn) {
        stack_groups_on_item(host, index);
    }
}

static void carry_out(struct stack_host *host)
{
    const struct stack_actions *actions = &host->actions;

    for (size_t i = 0; i < actions->ring.count; i++) {
        carry_out_ring(host, &actions->ring.items[i]);
    }
    for (size_t i = 0; i < actions->services.count; i++) {
        const struct outbox_item *item = &actions->services.items[i];

        if (item->type == OUTBOX_ANSWER || item->type == OUTBOX_EVENT) {
            to_client(host, i);
        } else if (item->type == OUTBOX_NOTE && item->service == SERVICE_CPG) {
            NOTE(host->node->world, host->node, "(cpg: %.*s)", (int)item->head_size,
                 (const char *)outbox_head_of(&actions->services, item));
        } else if (item->type == OUTBOX_TASK) {
            carry_out_task(host, item);
        }
    }
    stack_actions_reset(&host->actions);
}

/* ---- steps --------------------------------------------------------------------------------------------------- */

static void refresh(struct stack_host *host)
{
    struct node *node = host->node;
    enum ring_state before = node->ring_state;
    struct totem_status status;

    stack_get_ring(host->stack, &status);
    if (status.state != TOTEM_OPERATIONAL) {
        node->ring_state = RING_GATHER;
    } else {
        node->ring_state = status.synchronising ? RING_SYNC : RING_OPERATIONAL;
    }
    if (node->ring_state != before) {
        node->cluster->dirty = true;
        if (node->ring_state != RING_SYNC) {
            node->view.sync_waiting = false;
        }
    }
}

void stack_host_arm(struct stack_host *host)
{
    struct node *node = host->node;

    timer_set(&host->timer, node->world->now_ms, node_clock_reaches(node, stack_deadline_ms(host->stack)));
}

void stack_host_step_once(struct stack_host *host, struct stack_event *event)
{
    struct node *node = host->node;

    event->now_ms = node_clock(node);
    event->random = (uint32_t)prng_next(&node->world->prng);
    if (stack_step(host->stack, event, &host->actions) != Q_OK) {
        world_fail(node->world, "CONTRACT", "stack_step failed");
    }
    if (host->steps++ % CHECK_EVERY == 0) {
        stack_check(host->stack);
    }
    refresh(host);
    carry_out(host);
}

uint64_t stack_host_connect(struct stack_host *host, enum service_id service, uint32_t pid)
{
    uint64_t conn = ++host->last_conn;

    assert(stack_admits(host->stack, service, 0, 0) == STACK_ADMIT);
    stack_host_step_once(host, &(struct stack_event){.type = STACK_EV_CONNECT, .u.client = {conn, service, pid, NULL, 0}});
    return conn;
}

/* This node's file is read again: somebody has asked for that, here or on another node. */
static void reload(struct stack_host *host)
{
    struct node *node = host->node;
    struct config_host_loaded *next;
    struct config_tasks tasks;

    host->reloads--;
    next = stack_config_load(node, stack_keys(host->stack));
    if (config_reload_compare(&host->loaded->config, &next->config, &next->map, &tasks, &next->report) != Q_OK) {
        world_fail(node->world, "CONTRACT", "%s node %u: the configuration cannot be changed: %s", node->cluster->name,
                   node->id, next->report.items[0].text);
        stack_config_free(next);
        return;
    }
    host->wants_info = true;
    stack_host_step_once(host, &(struct stack_event){.type = STACK_EV_RELOADED, .u.reloaded = {&next->map, &next->config, &tasks}});
    stack_config_free(host->loaded);
    host->loaded = next;
}

/* a: boot */
static void on_left(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (node->boot == occurrence->a) {
        node_crash(node);
    }
}

void stack_host_step(struct stack_host *host, struct stack_event *event)
{
    stack_host_step_once(host, event);
    if (host->ready && host->keeper == 0) {
        stack_votes_begin(host);
    }
    while (host->reloads > 0 && !host->node->world->failed) {
        reload(host);
    }
    if (host->wants_info) {
        host->wants_info = false;
        stack_votes_ask_info(host);
    }
    refresh(host);
    stack_votes_check(host);
    stack_host_arm(host);
    if (host->gone && !host->off) {
        host->off = true;
        schedule_add(&host->node->world->schedule, host->node->world->now_ms, on_left, host->node, host->node->boot, 0, 0);
    }
}

void stack_host_request(struct stack_host *host, uint64_t conn, const uint8_t *bytes, size_t size)
{
    host->answer = CS_ERROR_TRY_AGAIN;
    stack_host_step_once(host, &(struct stack_event){.type = STACK_EV_REQUEST, .u.client = {.conn = conn, .bytes = bytes, .size = size}});
}

static void on_stack_timer(void *owner)
{
    struct stack_host *host = owner;

    if (host->stack == NULL || host->node->paused) {
        return;
    }
    stack_host_step(host, &(struct stack_event){.type = STACK_EV_TIME});
}

static void on_lingered(void *owner)
{
    struct stack_host *host = owner;
    uint64_t now_ms = host->node->world->now_ms;

    if (host->node->paused) {
        timer_set(&host->linger, now_ms, now_ms + 1);
        return;
    }
    stack_host_step(host, &(struct stack_event){.type = STACK_EV_LINGERED});
}

static void receive(struct node *node, struct lan_datagram *datagram)
{
    struct stack_host *host = node->host;

    if (host == NULL || host->stack == NULL) {
        free(datagram);
    } else if (node->paused) {
        lan_socket_put(&host->socket, datagram);
    } else {
        stack_host_step(host, &(struct stack_event){.type = STACK_EV_DATAGRAM, .u.datagram = {datagram->bytes, datagram->size}});
        free(datagram);
    }
}

/* ---- machines ------------------------------------------------------------------------------------------------------- */

static void init(struct node *node)
{
    node->world->receive = receive;
}

static void end(struct stack_host *host)
{
    stack_free(host->stack);
    host->stack = NULL;
    stack_config_free(host->loaded);
    host->loaded = NULL;
    lan_socket_drain(&host->socket);
    stack_groups_end(host);
    timer_set(&host->timer, host->node->world->now_ms, SIM_NEVER);
    timer_set(&host->linger, host->node->world->now_ms, SIM_NEVER);
    host->ready = host->leaving = host->gone = host->off = host->wants_info = host->polled = false;
    host->keeper = host->device = host->admin = host->last_conn = 0;
    host->reloads = 0;
    host->attachment = ATTACH_NONE;
}

static void fini(struct node *node)
{
    struct stack_host *host = node->host;

    if (host != NULL) {
        end(host);
        stack_actions_fini(&host->actions);
        free(host);
        node->host = NULL;
    }
}

static struct stack_host *new_host(struct node *node)
{
    struct stack_host *host = calloc(1, sizeof *host);

    assert(host != NULL);
    host->node = node;
    host->persisted_seq = 4 * prng_below(&node->world->prng, 5);
    stack_actions_init(&host->actions);
    timer_init(&host->timer, &node->world->schedule, on_stack_timer, host);
    timer_init(&host->linger, &node->world->schedule, on_lingered, host);
    return host;
}

static void boot(struct node *node)
{
    struct stack_host *host = node->host;
    struct stack_start start;
    char why[256];

    if (host == NULL) {
        host = node->host = new_host(node);
    }
    host->loaded = stack_config_load(node, NULL);
    start = (struct stack_start){.config = &host->loaded->config,
                                 .map = &host->loaded->map,
                                 .stored_expected_votes = host->stored_expected_votes};
    if (stack_new(&host->stack, &start, why, sizeof why) != Q_OK) {
        world_fail(node->world, "CONTRACT", "the core does not start: %s", why);
        return;
    }
    node->first_ring = false;
    node->members = node_bit(node);
    node->view = (struct quorum_view){.quorate = false};
    stack_host_step(host, &(struct stack_event){.type = STACK_EV_START, .u.ring_seq = host->persisted_seq});
    stack_groups_begin(host);
}

static void stop(struct node *node)
{
    if (node->host != NULL) {
        end(node->host);
    }
    node->ring_state = RING_DOWN;
    node->first_ring = false;
    node->view = (struct quorum_view){.quorate = false};
    node->cluster->dirty = true;
}

/* Timers and sockets come in any order. */
static void resumed(struct node *node, uint64_t since_ms)
{
    struct stack_host *host = node->host;

    (void)since_ms;
    if (host->stack == NULL) {
        return;
    }
    host->catching_up = true;
    for (;;) {
        bool due = stack_deadline_ms(host->stack) <= node_clock(node);
        struct lan_datagram *datagram;

        if (due && (host->socket.first == NULL || prng_chance(&node->world->prng, 500))) {
            stack_host_step(host, &(struct stack_event){.type = STACK_EV_TIME});
            continue;
        }
        datagram = lan_socket_take(&host->socket);
        if (datagram == NULL) {
            break;
        }
        receive(node, datagram);
    }
    host->catching_up = false;
    stack_host_arm(host);
}

static void resumed_later(struct node *node)
{
    (void)node;
}

static void topology_changed(struct sim_cluster *cluster)
{
    cluster->dirty = true;
    cluster->topology_ms = cluster->world->now_ms;
}

bool stack_host_runs(const struct node *node)
{
    return node_responds(node) && node->host != NULL && node->host->stack != NULL;
}

static void burst(struct node *node)
{
    if (stack_host_runs(node)) {
        NOTE(node->world, node, "its interface comes back");
        node->cluster->topology_ms = node->world->now_ms;
        stack_host_step(node->host, &(struct stack_event){.type = STACK_EV_LINK_UP});
    }
}


static void ask_reload(struct node *node);

/* a: boot. Who asks has patience with a machine that stands still, too. */
static void on_ask_reload(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (node->boot == occurrence->a && node->host != NULL && node->host->stack != NULL) {
        ask_reload(node);
    }
}

static void ask_reload(struct node *node)
{
    struct stack_host *host = node->host;
    uint8_t bytes[IPC_REQUEST_SIZE] = {0};

    if (!host->ready || node->paused || stack_flow(host->stack, SERVICE_CFG) == STACK_FLOW_OFF) {
        schedule_add(&node->world->schedule, node->world->now_ms + RELOAD_RETRY_MS, on_ask_reload, node, node->boot, 0, 0);
        return;
    }
    if (host->admin == 0) {
        host->admin = stack_host_connect(host, SERVICE_CFG, 3);
    }
    ipc_put_u32(bytes, 0, CFG_RELOAD);
    ipc_put_u32(bytes, 8, sizeof bytes);
    stack_host_request(host, host->admin, bytes, sizeof bytes);
    stack_host_step(host, &(struct stack_event){.type = STACK_EV_TIME});
}

static void on_config(struct node *node)
{
    if (stack_host_runs(node)) {
        ask_reload(node);
    }
}


void core_stack_leave(struct node *node)
{
    struct stack_host *host = node->host;

    if (stack_host_runs(node) && !host->leaving) {
        NOTE(node->world, node, "is shut down in order");
        host->leaving = true;
        stack_host_step(host, &(struct stack_event){.type = STACK_EV_SHUTDOWN});
    }
}

/* ---- after the last fault ------------------------------------------------------------------------------------------------ */

/* Derived in README.md. */
uint64_t core_stack_reform_bound_ms(const struct sim_cluster *cluster)
{
    const struct cluster_settings *settings = &cluster->settings;

    return settings->token_ms + 6 * (uint64_t)settings->consensus_ms + 2000;
}

/* Its services may still be synchronising; clients hear of the ring only then. */
static bool is_in_ring_of(const struct node *node, node_mask members)
{
    struct totem_status status;

    stack_get_ring(node->host->stack, &status);
    return status.state == TOTEM_OPERATIONAL &&
           stack_host_mask(node->cluster, status.members->ids, status.members->count) == members;
}

bool core_stack_is_reformed(const struct sim_cluster *cluster, char *why, size_t size)
{
    for (unsigned i = 0; i < cluster->node_count; i++) {
        const struct node *node = &cluster->nodes[i];
        node_mask reached = 0;
        char text[64];

        for (unsigned j = 0; j < cluster->node_count; j++) {
            const struct node *other = &cluster->nodes[j];

            reached |= stack_host_runs(other) && other->color == node->color ? node_bit(other) : 0;
        }
        if (stack_host_runs(node) && !is_in_ring_of(node, reached)) {
            (void)snprintf(why, size, "%s: node %u is not in a ring of {%s}", cluster->name, node->id,
                           mask_text(cluster, reached, text));
            return false;
        }
    }
    return true;
}

const struct core_ops core_stack = {
    .name = "real",
    .init = init,
    .fini = fini,
    .boot = boot,
    .stop = stop,
    .resumed = resumed,
    .resumed_later = resumed_later,
    .topology_changed = topology_changed,
    .burst = burst,
    .on_config = on_config,
    .has_told_ring = stack_votes_has_told_ring,
    .attach = stack_votes_attach,
    .track = stack_votes_track,
    .detach = stack_votes_detach,
    .unregister = stack_votes_unregister,
    .poll = stack_votes_poll,
};
