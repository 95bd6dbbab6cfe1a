/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/votequorum_cluster.h"

static void carry_out(struct vq_cluster *cluster, uint32_t id);

static void step(struct vq_cluster *cluster, uint32_t id, struct votequorum_event *event)
{
    struct vq_node *node = &cluster->nodes[id];

    event->now_ms = cluster->now_ms;
    votequorum_actions_reset(&cluster->actions);
    assert(votequorum_step(node->machine, event, &cluster->actions) == Q_OK);
    votequorum_check(node->machine);
    assert(votequorum_deadline_ms(node->machine) > cluster->now_ms || event->type != VOTEQUORUM_EV_TIME);
    carry_out(cluster, id);
}

/* ---- actions --------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void tell(char text[VQ_TEXT_SIZE], const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + used, VQ_TEXT_SIZE - used, format, args);
    va_end(args);
}

static void tell_nodes(struct vq_cluster *cluster, char text[VQ_TEXT_SIZE], struct votequorum_span span,
                       bool states)
{
    tell(text, " [");
    for (size_t i = 0; i < span.size; i++) {
        const struct votequorum_node_and_state *node = &cluster->actions.nodes[span.offset + i];

        tell(text, "%s%u", i == 0 ? "" : " ", node->node_id);
        if (states)
            tell(text, "/%u", node->state);
    }
    tell(text, "]; ");
}

static void enqueue(struct vq_cluster *cluster, struct vq_node *node, const struct votequorum_action *action)
{
    struct vq_queue *queue = node->synchronising ? &node->sync_queue : &node->queue;
    struct vq_message *message = &queue->items[queue->count++];

    assert(queue->count <= VQ_QUEUE_MAX);
    message->size = action->data.size;
    message->for_this_ring = action->for_this_ring;
    memcpy(message->bytes, votequorum_actions_bytes(&cluster->actions, action->data), action->data.size);
}

static void carry_out_one(struct vq_cluster *cluster, struct vq_node *node,
                          const struct votequorum_action *action)
{
    switch (action->type) {
    case VOTEQUORUM_ACT_REFUSE:
        tell(node->text, "REFUSE %s; ", votequorum_actions_text(&cluster->actions, action->data));
        break;
    case VOTEQUORUM_ACT_SEND:
        enqueue(cluster, node, action);
        break;
    case VOTEQUORUM_ACT_PASS:
        assert(node->synchronising && !node->has_passed);
        node->has_passed = true;
        tell(node->text, "PASS; ");
        break;
    case VOTEQUORUM_ACT_REPORT:
        node->reported_quorate = action->quorate;
        node->report_count++;
        tell(node->text, "REPORT %d %u.%u", action->quorate, action->ring_id.rep,
             (unsigned)action->ring_id.seq);
        tell_nodes(cluster, node->text, action->nodes, false);
        break;
    case VOTEQUORUM_ACT_ANSWER:
        node->answer = action->error;
        node->info = cluster->actions.info;
        tell(node->text, "ANSWER %d; ", action->error);
        break;
    case VOTEQUORUM_ACT_QUORUM_EVENT:
        tell(node->text, "QUORUM %d", action->quorate);
        tell_nodes(cluster, node->text, action->nodes, true);
        break;
    case VOTEQUORUM_ACT_NODELIST_EVENT:
        tell(node->text, "NODELIST %u.%u", action->ring_id.rep, (unsigned)action->ring_id.seq);
        tell_nodes(cluster, node->text, action->nodes, false);
        break;
    case VOTEQUORUM_ACT_EXPECTED_EVENT:
        tell(node->text, "EXPECTED %u; ", action->value);
        break;
    case VOTEQUORUM_ACT_PUBLISH:
        node->published[action->key] = action->value;
        node->is_published[action->key] = true;
        break;
    case VOTEQUORUM_ACT_STORE_EXPECTED:
        node->stored = action->value;
        break;
    case VOTEQUORUM_ACT_NOTE:
        tell(node->notes, "%s\n", votequorum_actions_text(&cluster->actions, action->data));
        break;
    }
}

static void carry_out(struct vq_cluster *cluster, uint32_t id)
{
    for (size_t i = 0; i < cluster->actions.count; i++)
        carry_out_one(cluster, &cluster->nodes[id], &cluster->actions.items[i]);
}

/* ---- rings ------------------------------------------------------------------------------------------------------- */

static bool runs(const struct vq_cluster *cluster, uint32_t id)
{
    return cluster->nodes[id].machine != NULL;
}

static void deliver(struct vq_cluster *cluster, uint32_t sender, struct vq_queue *queue)
{
    struct vq_message message = queue->items[0];
    uint32_t members = cluster->nodes[sender].members;
    struct totem_ring_id ring_id = cluster->nodes[sender].ring_id;

    queue->count--;
    memmove(&queue->items[0], &queue->items[1], queue->count * sizeof(queue->items[0]));
    for (uint32_t id = 1; id <= cluster->count; id++) {
        struct votequorum_event event = {
            .type = VOTEQUORUM_EV_DELIVERED,
            .u.delivered = {sender, cluster->order[sender], message.bytes, message.size}};

        if ((members >> (id - 1) & 1) != 0 && runs(cluster, id) &&
            totem_ring_equal(&cluster->nodes[id].ring_id, &ring_id))
            step(cluster, id, &event);
    }
}

/* One message of each node per rotation; false: nobody had one. */
static bool rotate(struct vq_cluster *cluster)
{
    bool any = false;

    for (uint32_t id = 1; id <= cluster->count; id++) {
        struct vq_node *node = &cluster->nodes[id];
        struct vq_queue *queue = node->synchronising ? &node->sync_queue : &node->queue;

        if (!runs(cluster, id) || node->members == 0 || node->is_stuck)
            continue;
        /* Left over from a synchronisation that was given up, or that others have completed. */
        if (!node->synchronising && node->sync_queue.count > 0)
            queue = &node->sync_queue;
        if (queue->count > 0) {
            deliver(cluster, id, queue);
            any = true;
        }
    }
    return any;
}

static bool all_have_passed(const struct vq_cluster *cluster, const struct vq_node *node)
{
    for (uint32_t id = 1; id <= cluster->count; id++)
        if ((node->members >> (id - 1) & 1) != 0 && runs(cluster, id) && !cluster->nodes[id].has_passed)
            return false;
    return true;
}

static bool activate(struct vq_cluster *cluster)
{
    bool any = false;

    for (uint32_t first = 1; first <= cluster->count; first++) {
        struct vq_node *node = &cluster->nodes[first];
        uint32_t members = node->members;

        if (!runs(cluster, first) || !node->synchronising || node->is_stuck ||
            !all_have_passed(cluster, node))
            continue;
        for (uint32_t id = 1; id <= cluster->count; id++) {
            struct votequorum_event event = {.type = VOTEQUORUM_EV_SYNC_ACTIVATE};

            if ((members >> (id - 1) & 1) == 0 || !runs(cluster, id))
                continue;
            step(cluster, id, &event);
            cluster->nodes[id].synchronising = false;
        }
        any = true;
    }
    return any;
}

void vq_cluster_run(struct vq_cluster *cluster)
{
    int rounds = 0;

    while (rotate(cluster) || activate(cluster))
        assert(++rounds < 10000); /* else they answer one another for ever */
}

static void drop_stale(struct vq_queue *queue)
{
    size_t kept = 0;

    for (size_t i = 0; i < queue->count; i++)
        if (!queue->items[i].for_this_ring)
            queue->items[kept++] = queue->items[i];
    queue->count = kept;
}

static void begin(struct vq_cluster *cluster, uint32_t id, uint32_t mask, struct totem_ring_id ring_id)
{
    struct vq_node *node = &cluster->nodes[id];
    uint32_t members[VQ_NODES_MAX];
    struct votequorum_event event = {.type = VOTEQUORUM_EV_SYNC_BEGIN, .u.begin = {ring_id, members, 0}};

    for (uint32_t other = 1; other <= cluster->count; other++)
        if ((mask >> (other - 1) & 1) != 0)
            members[event.u.begin.member_count++] = other;
    if (!cluster->keeps_stale) {
        drop_stale(&node->queue);
        drop_stale(&node->sync_queue);
    }
    node->members = mask;
    node->ring_id = ring_id;
    node->synchronising = true;
    node->has_passed = false;
    node->is_stuck = false;
    step(cluster, id, &event);
}

void vq_cluster_form(struct vq_cluster *cluster, uint32_t mask)
{
    struct totem_ring_id ring_id = {(uint32_t)__builtin_ctz(mask) + 1, cluster->ring_seq += 4};

    for (uint32_t id = 1; id <= cluster->count; id++)
        if ((mask >> (id - 1) & 1) != 0) {
            assert(runs(cluster, id));
            begin(cluster, id, mask, ring_id);
        }
    for (uint32_t id = 1; id <= cluster->count; id++) {
        struct votequorum_event event = {.type = VOTEQUORUM_EV_SYNC_PROCESS};

        if ((mask >> (id - 1) & 1) != 0)
            step(cluster, id, &event);
    }
    vq_cluster_run(cluster);
}

void vq_cluster_lose_token(struct vq_cluster *cluster, uint32_t mask)
{
    for (uint32_t id = 1; id <= cluster->count; id++)
        if ((mask >> (id - 1) & 1) != 0)
            cluster->nodes[id].is_stuck = true;
}

void vq_cluster_abort(struct vq_cluster *cluster, uint32_t mask)
{
    for (uint32_t id = 1; id <= cluster->count; id++)
        if ((mask >> (id - 1) & 1) != 0) {
            cluster->nodes[id].is_stuck = true;
            vq_cluster_event(cluster, id, VOTEQUORUM_EV_SYNC_ABORT);
        }
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

void vq_cluster_init(struct vq_cluster *cluster, uint32_t count)
{
    assert(count <= VQ_NODES_MAX);
    memset(cluster, 0, sizeof(*cluster));
    cluster->count = count;
    cluster->now_ms = 1000;
    cluster->ring_seq = 1;
    votequorum_actions_init(&cluster->actions);
    for (uint32_t id = 1; id <= count; id++) {
        struct votequorum_config *config = &cluster->nodes[id].config;

        cluster->list[id - 1] = (struct votequorum_config_node){id, 1};
        votequorum_config_default(config);
        config->node_id = id;
        config->nodes = cluster->list;
        config->node_count = count;
        cluster->order[id] = TOTEM_LITTLE_ENDIAN;
    }
}

void vq_cluster_fini(struct vq_cluster *cluster)
{
    for (uint32_t id = 1; id <= cluster->count; id++)
        votequorum_free(cluster->nodes[id].machine);
    votequorum_actions_fini(&cluster->actions);
}

void vq_cluster_start(struct vq_cluster *cluster, uint32_t id)
{
    struct vq_node *node = &cluster->nodes[id];
    struct votequorum_event event = {.type = VOTEQUORUM_EV_CONFIG, .u.config = &node->config};

    assert(!runs(cluster, id));
    node->machine = votequorum_new(cluster->order[id]);
    assert(node->machine != NULL);
    event.now_ms = cluster->now_ms;
    votequorum_actions_reset(&cluster->actions);
    assert(votequorum_step(node->machine, &event, &cluster->actions) == Q_OK);
    carry_out(cluster, id);
}

void vq_cluster_kill(struct vq_cluster *cluster, uint32_t id)
{
    struct vq_node *node = &cluster->nodes[id];
    struct votequorum_config config = node->config;

    votequorum_free(node->machine);
    memset(node, 0, sizeof(*node));
    node->config = config;
}

void vq_cluster_start_all(struct vq_cluster *cluster, uint32_t mask)
{
    for (uint32_t id = 1; id <= cluster->count; id++)
        if ((mask >> (id - 1) & 1) != 0)
            vq_cluster_start(cluster, id);
}

void vq_cluster_reload(struct vq_cluster *cluster, uint32_t id)
{
    struct votequorum_event event = {.type = VOTEQUORUM_EV_CONFIG, .u.config = &cluster->nodes[id].config};

    step(cluster, id, &event);
}

void vq_cluster_event(struct vq_cluster *cluster, uint32_t id, enum votequorum_event_type type)
{
    struct votequorum_event event = {.type = type};

    if (type == VOTEQUORUM_EV_CLIENT_GONE)
        event.u.gone.conn = VQ_CONN + id;
    step(cluster, id, &event);
    vq_cluster_run(cluster);
}

void vq_cluster_advance(struct vq_cluster *cluster, uint64_t ms)
{
    uint64_t end_ms = cluster->now_ms + ms;

    for (;;) {
        uint64_t next_ms = VOTEQUORUM_NEVER;

        for (uint32_t id = 1; id <= cluster->count; id++)
            if (runs(cluster, id) && votequorum_deadline_ms(cluster->nodes[id].machine) < next_ms)
                next_ms = votequorum_deadline_ms(cluster->nodes[id].machine);
        if (next_ms > end_ms)
            break;
        if (next_ms > cluster->now_ms)
            cluster->now_ms = next_ms;
        for (uint32_t id = 1; id <= cluster->count; id++) {
            struct votequorum_event event = {.type = VOTEQUORUM_EV_TIME};

            if (runs(cluster, id) && votequorum_deadline_ms(cluster->nodes[id].machine) <= cluster->now_ms)
                step(cluster, id, &event);
        }
        vq_cluster_run(cluster);
    }
    cluster->now_ms = end_ms;
}

/* ---- clients ----------------------------------------------------------------------------------------------------- */

enum cs_error vq_cluster_ask(struct vq_cluster *cluster, uint32_t id,
                             const struct votequorum_request *request)
{
    struct votequorum_event event = {
        .type = VOTEQUORUM_EV_REQUEST,
        .u.request = {.conn = VQ_CONN + id, .can_send = true, .request = request}};

    cluster->nodes[id].answer = 0;
    step(cluster, id, &event);
    vq_cluster_run(cluster);
    return cluster->nodes[id].answer;
}

enum cs_error vq_cluster_poll(struct vq_cluster *cluster, uint32_t id, bool vote)
{
    struct votequorum_request request = {
        .type = VOTEQUORUM_POLL, .name = "D", .value = vote, .ring_id = cluster->nodes[id].ring_id};

    return vq_cluster_ask(cluster, id, &request);
}

enum cs_error vq_cluster_device(struct vq_cluster *cluster, uint32_t id, enum votequorum_request_type type,
                                uint32_t value)
{
    struct votequorum_request request = {.type = type, .name = "D", .allow = value};

    return vq_cluster_ask(cluster, id, &request);
}

const struct votequorum_node_info *vq_cluster_info(struct vq_cluster *cluster, uint32_t id, uint32_t about)
{
    struct votequorum_request request = {.type = VOTEQUORUM_GET_INFO, .node_id = about};

    vq_cluster_ask(cluster, id, &request);
    return &cluster->nodes[id].info;
}

uint32_t vq_cluster_quorate(const struct vq_cluster *cluster)
{
    uint32_t mask = 0;

    for (uint32_t id = 1; id <= cluster->count; id++)
        if (runs(cluster, id) && votequorum_is_quorate(cluster->nodes[id].machine))
            mask |= 1u << (id - 1);
    return mask;
}

const char *vq_cluster_told(struct vq_cluster *cluster, uint32_t id)
{
    static char text[VQ_TEXT_SIZE];

    memcpy(text, cluster->nodes[id].text, sizeof(text));
    cluster->nodes[id].text[0] = '\0';
    return text;
}
