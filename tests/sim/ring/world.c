/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/ring/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWERS_PERMILLE 800 /* clients that answer their own messages at once */
#define OCCURRENCE_NOTHING (-1)

struct ring_datagram {
    struct ring_datagram *next;
    uint32_t to;
    size_t size;
    uint8_t bytes[];
};

enum message_stream { MESSAGE_OF_SYNC, MESSAGE_OF_APPLICATION };

/* What a message begins with; the rest follows from it. */
struct content {
    struct check_message message;
    struct totem_ring_id ring; /* MESSAGE_OF_SYNC */
};

static void mix(struct ring_world *world, uint64_t value)
{
    world->hash = (world->hash ^ value) * UINT64_C(0x100000001b3);
}

static void tell(const struct ring_world *world, const struct ring_node *node, const char *what, const char *text)
{
    if (world->verbose)
        printf("%12.3f  %u  %s %s\n", (double)world->now_us / 1000, node->id, what, text);
}

/* ---- what will happen ------------------------------------------------------------------------------------ */

static bool earlier(const struct ring_occurrence *a, const struct ring_occurrence *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void plan(struct ring_world *world, struct ring_occurrence added)
{
    size_t i = world->heap_count++;

    if (world->heap_count > world->heap_capacity) {
        world->heap_capacity = world->heap_capacity > 0 ? 2 * world->heap_capacity : 1024;
        world->heap = realloc(world->heap, world->heap_capacity * sizeof(world->heap[0]));
        assert(world->heap != NULL);
    }
    added.order = world->next_order++;
    for (; i > 0 && earlier(&added, &world->heap[(i - 1) / 2]); i = (i - 1) / 2)
        world->heap[i] = world->heap[(i - 1) / 2];
    world->heap[i] = added;
}

static struct ring_occurrence take(struct ring_world *world)
{
    struct ring_occurrence first = world->heap[0];
    struct ring_occurrence last = world->heap[--world->heap_count];
    size_t i = 0;

    for (size_t child = 1; child < world->heap_count; child = 2 * i + 1) {
        if (child + 1 < world->heap_count && earlier(&world->heap[child + 1], &world->heap[child]))
            child++;
        if (!earlier(&world->heap[child], &last))
            break;
        world->heap[i] = world->heap[child];
        i = child;
    }
    if (world->heap_count > 0)
        world->heap[i] = last;
    return first;
}

void ring_world_plan(struct ring_world *world, uint64_t at_us, int kind, uint32_t node)
{
    plan(world, (struct ring_occurrence){.at_us = at_us, .kind = kind, .node = node});
}

/* ---- the network ----------------------------------------------------------------------------------------- */

static void put_on_wire(struct ring_world *world, uint32_t to, const uint8_t *bytes, size_t size)
{
    uint64_t delay_us = prng_between(&world->prng, 40, 160);
    struct ring_datagram *datagram = malloc(sizeof(*datagram) + size);

    assert(datagram != NULL);
    if (prng_chance(&world->prng, world->late_permille))
        delay_us += prng_below(&world->prng, prng_chance(&world->prng, 100) ? 400000 : 4000);
    *datagram = (struct ring_datagram){.to = to, .size = size};
    memcpy(datagram->bytes, bytes, size);
    plan(world, (struct ring_occurrence){.at_us = world->now_us + delay_us, .datagram = datagram, .kind = OCCURRENCE_NOTHING});
}

static void send_to(struct ring_world *world, uint32_t from, uint32_t to, const uint8_t *bytes, size_t size)
{
    if (world->cut[from][to] || prng_chance(&world->prng, world->loss_permille))
        return;
    put_on_wire(world, to, bytes, size);
    if (prng_chance(&world->prng, world->duplicate_permille))
        put_on_wire(world, to, bytes, size);
}

static void send_datagram(struct ring_world *world, uint32_t from, const struct totem_action *action)
{
    assert(action->size <= world->settings.netmtu && action->node_id != from);
    for (uint32_t to = 1; to <= world->node_count; to++) {
        if (to != from && (action->node_id == 0 || action->node_id == to))
            send_to(world, from, to, action->bytes, action->size);
    }
}

/* ---- one node -------------------------------------------------------------------------------------------- */

static void fill(uint8_t *bytes, const struct content *content)
{
    memcpy(bytes, content, sizeof(*content));
    for (size_t i = sizeof(*content); i < content->message.size; i++)
        bytes[i] = (uint8_t)(content->message.number * 31 + content->message.sender * 7 + i);
}

static void on_deliver(struct ring_world *world, struct ring_node *node, const struct totem_action *action)
{
    struct content content;

    if (action->size < sizeof(content)) {
        check_fail(&world->check, "node %u delivers a message of %zu bytes", node->id, action->size);
        return;
    }
    memcpy(&content, action->bytes, sizeof(content));
    if (content.message.size != action->size || content.message.sender != action->node_id) {
        check_fail(&world->check, "node %u delivers a damaged message", node->id);
        return;
    }
    for (size_t i = sizeof(content); i < action->size; i++) {
        if (action->bytes[i] != (uint8_t)(content.message.number * 31 + content.message.sender * 7 + i)) {
            check_fail(&world->check, "node %u delivers a message with other bytes than were sent", node->id);
            return;
        }
    }
    if (world->verbose)
        printf("%12.3f  %u  <- %u:%u of %zu bytes\n", (double)world->now_us / 1000, node->id, content.message.sender,
               content.message.number, action->size);
    mix(world, node->id * 1000003 + content.message.sender * 101 + content.message.number);
    check_delivered(&world->check, node->log, content.message);
    if (content.message.stream == MESSAGE_OF_SYNC && totem_ring_equal(&content.ring, &node->sync_ring)) {
        node->sync_missing &= ~(UINT32_C(1) << content.message.sender);
        node->synced_due = node->sync_missing == 0;
    }
    if (content.message.stream == MESSAGE_OF_APPLICATION && action->node_id == node->id)
        node->answer_due = prng_chance(&world->prng, ANSWERS_PERMILLE);
}

static void on_change(struct ring_world *world, struct ring_node *node, const struct totem_action *change)
{
    char text[128];
    int used;

    check_changed(&world->check, node->log, change);
    mix(world, change->ring.seq * 2 + change->kind);
    node->synchronised = false;
    node->synced_due = false;
    node->sync_ring = change->ring;
    node->sync_missing = 0;
    node->sync_message_due = change->kind == TOTEM_REGULAR;
    used = snprintf(text, sizeof(text), "%s %u.%llu:", change->kind == TOTEM_REGULAR ? "regular" : "transitional",
                    change->ring.rep, (unsigned long long)change->ring.seq);
    for (uint32_t i = 0; i < change->member_count; i++) {
        node->sync_missing |= UINT32_C(1) << change->members[i];
        used += snprintf(text + used, sizeof(text) - (size_t)used, " %u", change->members[i]);
    }
    if (change->kind == TOTEM_TRANSITIONAL)
        node->sync_ring = (struct totem_ring_id){0, 0};
    tell(world, node, "==", text);
}

static void drop_inbox(struct ring_node *node)
{
    while (node->inbox != NULL) {
        struct ring_datagram *datagram = node->inbox;

        node->inbox = datagram->next;
        free(datagram);
    }
    node->inbox_last = NULL;
}

static enum q_err step(struct ring_world *world, struct ring_node *node, struct totem_event *event)
{
    enum q_err result;

    event->now_ms = world->now_us / 1000;
    event->random = (uint32_t)prng_next(&world->prng);
    totem_actions_reset(&world->actions);
    result = totem_step(node->totem, event, &world->actions);
    assert(result != Q_ERR_NO_MEMORY);
    totem_check(node->totem);
    for (size_t i = 0; i < world->actions.count; i++) {
        const struct totem_action *action = &world->actions.items[i];

        mix(world, (uint64_t)action->type << 32 ^ action->size);
        switch (action->type) {
        case TOTEM_ACT_SEND:
            send_datagram(world, node->id, action);
            break;
        case TOTEM_ACT_DELIVER:
            on_deliver(world, node, action);
            break;
        case TOTEM_ACT_CHANGE:
            on_change(world, node, action);
            break;
        case TOTEM_ACT_PERSIST:
            if (action->ring_seq <= node->persisted_seq)
                check_fail(&world->check, "RING: node %u persists %llu after %llu", node->id,
                           (unsigned long long)action->ring_seq, (unsigned long long)node->persisted_seq);
            node->persisted_seq = action->ring_seq;
            break;
        case TOTEM_ACT_LINGER:
            /* Timers of a busy machine are late, at times very late. */
            node->linger_end_us = world->now_us + action->us;
            if (prng_chance(&world->prng, 100))
                node->linger_end_us += prng_below(&world->prng, prng_chance(&world->prng, 100) ? 400000 : 3000);
            break;
        case TOTEM_ACT_DRAIN:
            drop_inbox(node);
            break;
        case TOTEM_ACT_NOTE:
            tell(world, node, "--", (const char *)action->bytes);
            break;
        }
    }
    return result;
}

static bool send_message(struct ring_world *world, struct ring_node *node, enum message_stream stream, size_t size)
{
    static uint8_t bytes[TOTEM_MESSAGE_MAX];
    struct content content = {.message = {node->id, node->incarnation, stream, node->number, (uint32_t)size, 0}};
    struct totem_event event = {.type = TOTEM_EV_MESSAGE, .u.message = {&(struct totem_part){bytes, size}, 1}};

    assert(size >= sizeof(content) && size <= sizeof(bytes));
    if (node->log->stay_count > 0)
        content.message.since = node->log->stays[node->log->stay_count - 1].ring.seq;
    if (stream == MESSAGE_OF_SYNC)
        content.ring = node->sync_ring;
    fill(bytes, &content);
    if (!totem_has_room(node->totem, size))
        return false;
    node->number++;
    check_sent(node->log, content.message);
    if (step(world, node, &event) != Q_OK)
        check_fail(&world->check, "node %u had room and refuses a message", node->id);
    return true;
}

/* What the services would do next; each step may bring more of it. */
static void services(struct ring_world *world, struct ring_node *node)
{
    struct totem_event synced = {.type = TOTEM_EV_SYNCED};

    while (node->sync_message_due || node->synced_due || (node->answer_due && node->synchronised)) {
        if (node->sync_message_due) {
            node->sync_message_due = false;
            if (!send_message(world, node, MESSAGE_OF_SYNC, prng_chance(&world->prng, 300) ? 2500 : 60))
                check_fail(&world->check, "node %u has no room for its synchronisation", node->id);
        } else if (node->synced_due) {
            node->synced_due = false;
            node->synchronised = true;
            step(world, node, &synced);
        } else {
            node->answer_due = false;
            (void)send_message(world, node, MESSAGE_OF_APPLICATION, 60);
        }
    }
}

static void act(struct ring_world *world, struct ring_node *node, struct totem_event *event)
{
    step(world, node, event);
    services(world, node);
}

void ring_world_boot(struct ring_world *world, uint32_t id)
{
    struct ring_node *node = &world->nodes[id];
    struct totem_event event = {.type = TOTEM_EV_START, .u.ring_seq = node->persisted_seq};

    if (node->totem != NULL)
        return;
    node->incarnation++;
    node->number = 1;
    node->stopped_until_us = 0;
    node->linger_end_us = UINT64_MAX;
    node->totem = totem_new(&world->settings, id);
    assert(node->totem != NULL);
    node->log = check_new_log(&world->check, id, node->incarnation);
    node->synchronised = node->sync_message_due = node->synced_due = node->answer_due = false;
    tell(world, node, "**", "starts");
    act(world, node, &event);
}

void ring_world_crash(struct ring_world *world, uint32_t id)
{
    struct ring_node *node = &world->nodes[id];

    if (node->totem == NULL)
        return;
    tell(world, node, "**", "dies");
    totem_free(node->totem);
    node->totem = NULL;
    node->log->died = true;
    node->synchronised = false;
    drop_inbox(node);
}

void ring_world_leave(struct ring_world *world, uint32_t id)
{
    struct totem_event event = {.type = TOTEM_EV_LEAVE};

    if (world->nodes[id].totem == NULL)
        return;
    act(world, &world->nodes[id], &event);
    ring_world_crash(world, id);
}

void ring_world_pause(struct ring_world *world, uint32_t id, uint64_t for_us)
{
    struct ring_node *node = &world->nodes[id];

    tell(world, node, "**", "stands still");
    if (node->stopped_until_us < world->now_us + for_us)
        node->stopped_until_us = world->now_us + for_us;
}

void ring_world_send(struct ring_world *world, uint32_t id, size_t size)
{
    struct ring_node *node = &world->nodes[id];

    if (node->totem == NULL || !node->synchronised || node->stopped_until_us > world->now_us)
        return;
    (void)send_message(world, node, MESSAGE_OF_APPLICATION, size);
    services(world, node);
}

bool ring_world_whole(const struct ring_world *world)
{
    struct totem_ring_id ring = {0, 0};

    for (uint32_t id = 1; id <= world->node_count; id++) {
        const struct ring_node *node = &world->nodes[id];
        struct totem_status status;

        if (node->totem == NULL)
            return false;
        totem_get_status(node->totem, &status);
        if (status.state != TOTEM_OPERATIONAL || status.members->count != world->node_count || status.synchronising ||
            !node->synchronised || (id > 1 && !totem_ring_equal(&status.ring, &ring)))
            return false;
        ring = status.ring;
    }
    return true;
}

/* ---- time ------------------------------------------------------------------------------------------------ */

static void arrive(struct ring_world *world, struct ring_datagram *datagram)
{
    struct ring_node *node = &world->nodes[datagram->to];
    struct totem_event event = {.type = TOTEM_EV_DATAGRAM, .u.datagram = {datagram->bytes, datagram->size}};

    if (node->totem == NULL) {
        free(datagram);
    } else if (node->stopped_until_us > world->now_us || node->inbox != NULL) {
        if (node->inbox == NULL)
            node->inbox = datagram;
        else
            node->inbox_last->next = datagram;
        node->inbox_last = datagram;
    } else {
        act(world, node, &event);
        free(datagram);
    }
}

/* When a node wants to do something on its own: its timer, or what has arrived while it stood still. */
static uint64_t node_due_us(const struct ring_world *world, const struct ring_node *node)
{
    uint64_t due_us;
    uint64_t deadline_ms;

    if (node->totem == NULL)
        return UINT64_MAX;
    deadline_ms = totem_deadline_ms(node->totem);
    due_us = deadline_ms == TOTEM_NEVER ? UINT64_MAX : deadline_ms * 1000;
    if (node->linger_end_us < due_us)
        due_us = node->linger_end_us;
    if (node->inbox != NULL)
        due_us = 0;
    if (due_us < node->stopped_until_us)
        due_us = node->stopped_until_us;
    return due_us < world->now_us ? world->now_us : due_us;
}

/* After a pause one of the timers or the sockets come first, as it happens. */
static void run_node(struct ring_world *world, struct ring_node *node)
{
    struct ring_datagram *datagram = node->inbox;
    bool timer_due = totem_deadline_ms(node->totem) <= world->now_us / 1000;
    bool linger_due = node->linger_end_us <= world->now_us;

    if (linger_due && !((timer_due || datagram != NULL) && prng_chance(&world->prng, 500))) {
        struct totem_event event = {.type = TOTEM_EV_LINGERED};

        node->linger_end_us = UINT64_MAX;
        act(world, node, &event);
    } else if (datagram != NULL && !(timer_due && prng_chance(&world->prng, 500))) {
        struct totem_event event = {.type = TOTEM_EV_DATAGRAM, .u.datagram = {datagram->bytes, datagram->size}};

        node->inbox = datagram->next;
        act(world, node, &event);
        free(datagram);
    } else {
        struct totem_event event = {.type = TOTEM_EV_TIME};

        act(world, node, &event);
    }
}

bool ring_world_run(struct ring_world *world, uint64_t until_us, struct ring_occurrence *out)
{
    while (world->check.failure[0] == '\0') {
        uint64_t next_us = world->heap_count > 0 ? world->heap[0].at_us : UINT64_MAX;
        struct ring_node *first = NULL;

        for (uint32_t id = 1; id <= world->node_count; id++) {
            uint64_t due_us = node_due_us(world, &world->nodes[id]);

            if (due_us < next_us) {
                next_us = due_us;
                first = &world->nodes[id];
            }
        }
        if (next_us > until_us)
            break;
        world->now_us = next_us > world->now_us ? next_us : world->now_us;
        if (first != NULL) {
            run_node(world, first);
            continue;
        }
        *out = take(world);
        if (out->datagram == NULL)
            return true;
        arrive(world, out->datagram);
    }
    world->now_us = until_us > world->now_us ? until_us : world->now_us;
    return false;
}

/* ---- life ------------------------------------------------------------------------------------------------ */

void ring_world_init(struct ring_world *world, uint64_t seed, uint32_t node_count, bool verbose)
{
    char why[200];
    bool good;

    *world = (struct ring_world){.node_count = node_count, .verbose = verbose, .hash = 1};
    assert(node_count <= CHECK_NODES_MAX);
    prng_seed(&world->prng, seed);
    world->settings.token_ms = 1000;
    world->settings.token_coefficient_given = true;
    good = totem_settings_complete(&world->settings, node_count, TOTEM_NETMTU_UDP, why, sizeof(why));
    assert(good);
    world->now_us = 1000000;
    for (uint32_t id = 1; id <= node_count; id++)
        world->nodes[id].id = id;
    totem_actions_init(&world->actions);
    check_init(&world->check);
}

void ring_world_fini(struct ring_world *world)
{
    for (uint32_t id = 1; id <= world->node_count; id++) {
        if (world->nodes[id].totem != NULL)
            totem_free(world->nodes[id].totem);
        drop_inbox(&world->nodes[id]);
    }
    for (size_t i = 0; i < world->heap_count; i++)
        free(world->heap[i].datagram);
    free(world->heap);
    totem_actions_fini(&world->actions);
    check_fini(&world->check);
}
