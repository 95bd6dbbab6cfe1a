/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/stack/stack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config_ring.h"
#include "core/stack/stack_internal.h"

/* ---- actions ---------------------------------------------------------------------------------------------- */

void stack_actions_init(struct stack_actions *actions)
{
    totem_actions_init(&actions->ring);
    outbox_init(&actions->services);
}

void stack_actions_fini(struct stack_actions *actions)
{
    totem_actions_fini(&actions->ring);
    outbox_fini(&actions->services);
}

void stack_actions_reset(struct stack_actions *actions)
{
    totem_actions_reset(&actions->ring);
    outbox_reset(&actions->services);
}

void stack_failed(struct stack *stack, enum q_err err)
{
    if (err == Q_ERR_NO_MEMORY)
        stack->out_of_memory = true;
    else
        assert(err == Q_OK);
}

/* ---- the services ------------------------------------------------------------------------------------------ */

void stack_service_step(struct stack *stack, enum service_id service, struct service_event *event)
{
    struct outbox *out = &stack->out->services;

    event->now_ms = stack->now_ms;
    switch (service) {
    case SERVICE_CMAP:
        stack_failed(stack, cmap_service_step(stack->cmap, event, out));
        break;
    case SERVICE_CFG:
        stack_failed(stack, cfg_step(stack->cfg, event, out));
        break;
    case SERVICE_CPG:
        stack_failed(stack, cpg_step(stack->cpg, event, out));
        break;
    case SERVICE_QUORUM:
    case SERVICE_VOTEQUORUM:
    case SERVICE_COUNT:
    case SERVICE_SYNC:
    case SERVICE_MAIN:
        break; /* these have events of their own (votes.c), or none */
    }
}

/* ---- what a step brings about --------------------------------------------------------------------------------- */

/* The others are told that this node leaves, or know it. */
static void on_leave_decided(struct stack *stack)
{
    struct totem_status status;

    if (stack->leaving == STACK_STAYING) {
        totem_get_status(stack->totem, &status);
        stack->leave_deadline_ms = stack->now_ms + status.settings->token_ms + status.settings->consensus_ms;
    }
    stack->leaving = STACK_FLUSHING;
    votes_step(stack, &(struct votequorum_event){.type = VOTEQUORUM_EV_SHUTDOWN});
}

static void on_key_changed(struct stack *stack, const struct outbox_item *item)
{
    char name[CMAP_NAME_MAX + 1];

    assert(item->head_size < sizeof(name));
    memcpy(name, outbox_head_of(&stack->out->services, item), item->head_size);
    name[item->head_size] = '\0';
    keys_on_changed(stack, name);
}

static void carry_out(struct stack *stack, const struct outbox_item *item)
{
    switch (item->type) {
    case OUTBOX_MULTICAST:
        ring_multicast(stack, item);
        break;
    case OUTBOX_SYNC_DONE:
        walk_on_done(stack, item->service);
        break;
    case OUTBOX_TASK:
        if (item->task == OUTBOX_LEAVE)
            on_leave_decided(stack);
        else if (item->task == OUTBOX_KEY_CHANGED)
            on_key_changed(stack, item);
        else if (item->task == OUTBOX_CLEAR_STATS)
            statistics_clear(stack, (const char *)outbox_head_of(&stack->out->services, item), item->head_size);
        break;
    case OUTBOX_ANSWER:
    case OUTBOX_EVENT:
    case OUTBOX_NOTE:
        break; /* the shell's */
    }
}

/* Until nothing is left that concerns this machine. What services say comes before what the ring does next, and the ring
 * hears that they have synchronised when they have said all. */
static void settle(struct stack *stack)
{
    const struct stack_actions *out = stack->out;

    while (!stack->out_of_memory && !out->services.no_memory) {
        if (stack->services_done < out->services.count) {
            const struct outbox_item item = out->services.items[stack->services_done++];

            carry_out(stack, &item);
        } else if (stack->ring_done < out->ring.count) {
            const struct totem_action action = out->ring.items[stack->ring_done++];

            ring_carry_out(stack, &action);
        } else if (stack->synced_is_due) {
            ring_synced(stack);
            ring_send_mail(stack);
        } else {
            break;
        }
    }
}

/* ---- leaving ---------------------------------------------------------------------------------------------------- */

static void leave(struct stack *stack)
{
    stack->leaving = STACK_GONE;
    ring_step(stack, &(struct totem_event){.type = TOTEM_EV_LEAVE});
    outbox_task(&stack->out->services, OUTBOX_EXIT, 0, NULL);
}

/* True: something has been done that is to be settled. */
static bool go_on_leaving(struct stack *stack)
{
    struct totem_status status;

    if (stack->leaving == STACK_STAYING || stack->leaving == STACK_GONE)
        return false;
    totem_get_status(stack->totem, &status);
    if (stack->now_ms >= stack->leave_deadline_ms ||
        (stack->leaving == STACK_FLUSHING && status.queued == 0 && stack->mail.first == NULL)) {
        leave(stack);
        return true;
    }
    if (stack->leaving == STACK_ASKED && stack->was_ready && !stack->synchronising &&
        status.state == TOTEM_OPERATIONAL) {
        stack->leaving = STACK_TELLING;
        cfg_shutdown(stack->cfg, &stack->out->services);
        return true;
    }
    return false;
}

static void on_shutdown(struct stack *stack)
{
    struct totem_status status;

    if (stack->leaving != STACK_STAYING)
        return;
    totem_get_status(stack->totem, &status);
    stack->leaving = STACK_ASKED;
    stack->leave_deadline_ms = stack->now_ms + status.settings->token_ms + status.settings->consensus_ms;
}

/* ---- flow ------------------------------------------------------------------------------------------------------- */

/* Between the bands the level stays as it is (spec/corosync-ipc.md section 1.5). */
static void update_flow(struct stack *stack)
{
    struct totem_status status;
    size_t percent;

    totem_get_status(stack->totem, &status);
    percent = stack->mail.first != NULL ? 100 : 100 * status.queued / status.queue_max;
    if (percent >= 75)
        stack->flow = STACK_FLOW_OFF;
    else if (percent < 30)
        stack->flow = STACK_FLOW_FAST;
    else if (percent >= 40 && percent <= 50)
        stack->flow = STACK_FLOW_NORMAL;
    else if (percent >= 60 && percent <= 70)
        stack->flow = STACK_FLOW_SLOW;
}

enum stack_flow stack_flow(const struct stack *stack, enum service_id service)
{
    if (stack->synchronising && stack->was_ready && service != SERVICE_VOTEQUORUM)
        return STACK_FLOW_OFF;
    return stack->flow;
}

/* ---- events ----------------------------------------------------------------------------------------------------- */

static void on_start(struct stack *stack, uint64_t ring_seq)
{
    if (stack->votequorum != NULL)
        votes_configure(stack);
    ring_start(stack, ring_seq);
}

static void on_links(struct stack *stack, const struct link_status_table *links)
{
    if (links->count > stack->link_capacity) {
        struct node_link_status *nodes = realloc(stack->link_nodes, links->count * sizeof(*nodes));

        if (nodes == NULL) {
            stack_failed(stack, Q_ERR_NO_MEMORY);
            return;
        }
        stack->link_nodes = nodes;
        stack->link_capacity = links->count;
    }
    if (links->count > 0)
        memcpy(stack->link_nodes, links->nodes, links->count * sizeof(*links->nodes));
    stack->links = (struct link_status_table){stack->link_nodes, links->count};
}

static void on_time(struct stack *stack)
{
    if (totem_deadline_ms(stack->totem) <= stack->now_ms)
        ring_step(stack, &(struct totem_event){.type = TOTEM_EV_TIME});
    if (stack->votequorum != NULL && votequorum_deadline_ms(stack->votequorum) <= stack->now_ms)
        votes_step(stack, &(struct votequorum_event){.type = VOTEQUORUM_EV_TIME});
    if (cmap_service_deadline_ms(stack->cmap) <= stack->now_ms) {
        keys_refresh_counters(stack);
        statistics_refresh(stack);
        stack_service_step(stack, SERVICE_CMAP, &(struct service_event){.type = SERVICE_EV_TIME});
    }
    if (cfg_deadline_ms(stack->cfg) <= stack->now_ms)
        stack_service_step(stack, SERVICE_CFG, &(struct service_event){.type = SERVICE_EV_TIME});
}

static void handle(struct stack *stack, const struct stack_event *event)
{
    switch (event->type) {
    case STACK_EV_START:
        on_start(stack, event->u.ring_seq);
        break;
    case STACK_EV_DATAGRAM:
        ring_step(stack, &(struct totem_event){
                             .type = TOTEM_EV_DATAGRAM,
                             .u.datagram = {event->u.datagram.bytes, event->u.datagram.size},
                         });
        break;
    case STACK_EV_CONNECT:
        requests_on_connect(stack, event->u.client.conn, event->u.client.service, event->u.client.pid);
        break;
    case STACK_EV_REQUEST:
        requests_on_request(stack, event->u.client.conn, event->u.client.bytes, event->u.client.size);
        break;
    case STACK_EV_GONE:
        requests_on_gone(stack, event->u.client.conn);
        break;
    case STACK_EV_LINKS:
        on_links(stack, &event->u.links);
        break;
    case STACK_EV_LINGERED:
        ring_step(stack, &(struct totem_event){.type = TOTEM_EV_LINGERED});
        break;
    case STACK_EV_LINK_UP:
        ring_step(stack, &(struct totem_event){.type = TOTEM_EV_LINK_UP});
        break;
    case STACK_EV_RELOADED:
        keys_on_reloaded(stack, event);
        break;
    case STACK_EV_SHUTDOWN:
        on_shutdown(stack);
        break;
    case STACK_EV_TIME:
        on_time(stack);
        break;
    }
}

enum q_err stack_step(struct stack *stack, const struct stack_event *event, struct stack_actions *out)
{
    assert(event->now_ms >= stack->now_ms);
    if (stack->leaving == STACK_GONE)
        return Q_OK;
    stack->out = out;
    stack->ring_done = out->ring.count;
    stack->services_done = out->services.count;
    absence_notice(stack, event->now_ms, event->wall_ms);
    stack->now_ms = event->now_ms;
    stack->random = event->random;
    handle(stack, event);
    if (!stack->synchronising)
        ring_send_mail(stack);
    do
        settle(stack);
    while (go_on_leaving(stack));
    update_flow(stack);
    stack->out = NULL;
    return stack->out_of_memory || out->services.no_memory ? Q_ERR_NO_MEMORY : Q_OK;
}

static uint64_t earlier(uint64_t a_ms, uint64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

uint64_t stack_deadline_ms(const struct stack *stack)
{
    uint64_t deadline_ms = totem_deadline_ms(stack->totem);

    if (stack->leaving == STACK_GONE)
        return STACK_NEVER;
    if (stack->votequorum != NULL)
        deadline_ms = earlier(deadline_ms, votequorum_deadline_ms(stack->votequorum));
    deadline_ms = earlier(deadline_ms, cmap_service_deadline_ms(stack->cmap));
    deadline_ms = earlier(deadline_ms, cfg_deadline_ms(stack->cfg));
    return stack->leaving == STACK_STAYING ? deadline_ms : earlier(deadline_ms, stack->leave_deadline_ms);
}

/* ---- life --------------------------------------------------------------------------------------------------------- */

static uint64_t services_in_sync(const struct stack *stack)
{
    uint64_t services = 1u << SERVICE_CMAP | 1u << SERVICE_CPG | 1u << SERVICE_QUORUM;

    return stack->votequorum != NULL ? services | 1u << SERVICE_VOTEQUORUM : services;
}

/* The machines; false without memory. */
static bool make_services(struct stack *stack, bool has_provider)
{
    stack->cmap = cmap_service_new(stack->me, &stack->keys);
    stack->cfg = cfg_new(stack->me, 1);
    stack->cpg = cpg_new(stack->me);
    stack->quorum = quorum_new(has_provider);
    if (has_provider)
        stack->votequorum = votequorum_new(TOTEM_ORDER_OURS);
    return stack->cmap != NULL && stack->cfg != NULL && stack->cpg != NULL && stack->quorum != NULL &&
           (stack->votequorum != NULL || !has_provider);
}

static enum q_err make(struct stack *stack, const struct stack_start *start, char *why, size_t why_size)
{
    bool has_provider = start->config->quorum.provider != NULL;
    struct totem_settings settings;
    enum q_err err;

    if (!make_services(stack, has_provider))
        return Q_ERR_NO_MEMORY;
    stack->keys.votequorum_runs = has_provider;
    err = keys_start(stack, start);
    if (err == Q_OK)
        err = config_ring_settings(start->config, &stack->keys, &settings, why, why_size);
    if (err != Q_OK)
        return err;
    stack->totem = totem_new(&settings, stack->me);
    if (stack->totem == NULL)
        return Q_ERR_NO_MEMORY;
    sync_init(&stack->sync, TOTEM_ORDER_OURS, services_in_sync(stack));
    cfg_set_view(stack->cfg, start->config, &stack->keys, &stack->links);
    return Q_OK;
}

static uint32_t own_id(const struct core_config *config)
{
    return config->local_index == SIZE_MAX ? 0 : config->nodes[config->local_index].id;
}

enum q_err stack_new(struct stack **made, const struct stack_start *start, char *why, size_t why_size)
{
    struct stack *stack = calloc(1, sizeof(*stack));
    enum q_err err;

    *made = NULL;
    if (why_size > 0)
        why[0] = '\0';
    if (stack == NULL)
        return Q_ERR_NO_MEMORY;
    stack->me = own_id(start->config);
    stack->config = start->config;
    stack->stored_expected_votes = start->stored_expected_votes;
    stack->flow = STACK_FLOW_FAST;
    cmap_store_init(&stack->keys);
    cmap_changes_init(&stack->changes);
    quorum_actions_init(&stack->quorum_actions);
    votequorum_actions_init(&stack->votequorum_actions);
    node_set_init(&stack->transitional);
    assert(stack->me != 0);
    err = make(stack, start, why, why_size);
    if (err != Q_OK)
        stack_free(stack);
    else
        *made = stack;
    return err;
}

void stack_free(struct stack *stack)
{
    if (stack == NULL)
        return;
    if (stack->totem != NULL)
        totem_free(stack->totem);
    cmap_service_free(stack->cmap);
    cfg_free(stack->cfg);
    cpg_free(stack->cpg);
    quorum_free(stack->quorum);
    votequorum_free(stack->votequorum);
    quorum_actions_fini(&stack->quorum_actions);
    votequorum_actions_fini(&stack->votequorum_actions);
    sync_fini(&stack->sync);
    node_set_fini(&stack->transitional);
    connections_fini(&stack->connections);
    mail_fini(&stack->mail);
    free(stack->link_nodes);
    cmap_changes_fini(&stack->changes);
    cmap_store_fini(&stack->keys);
    free(stack);
}

void stack_check(const struct stack *stack)
{
    totem_check(stack->totem);
    cpg_check(stack->cpg);
    if (stack->votequorum != NULL)
        votequorum_check(stack->votequorum);
    assert(stack->leaving != STACK_STAYING || !stack->synced_is_due);
}

/* ---- what the shell asks -------------------------------------------------------------------------------------------- */

const struct cmap_store *stack_keys(const struct stack *stack)
{
    return &stack->keys;
}

bool stack_wants_statistics(const struct stack *stack, uint64_t conn)
{
    return cmap_service_wants_statistics(stack->cmap, conn);
}

struct cmap_store *stack_statistics(struct stack *stack)
{
    return cmap_service_statistics(stack->cmap);
}

const struct totem_config *stack_totem_config(const struct stack *stack)
{
    return &stack->totem_config;
}

void stack_get_ring(const struct stack *stack, struct totem_status *status)
{
    totem_get_status(stack->totem, status);
}

bool stack_is_quorate(const struct stack *stack)
{
    return quorum_is_quorate(stack->quorum);
}
