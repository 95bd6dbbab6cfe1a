/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/cpg_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/ipc_wire.h"

#define LINE_SIZE 16384
#define TEXT_MAX 40 /* of a payload in a line; longer ones are counted */

/* ---- text ------------------------------------------------------------------------------------------------------- */

static void say(struct q_buf *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct q_buf *text, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    q_buf_append(text, line, strlen(line));
}

static void assert_zero(const uint8_t *bytes, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        assert_int_equal(bytes[i], 0);
}

/* Four bytes and the padding behind them. */
static uint32_t field(const uint8_t *bytes, size_t offset)
{
    assert_zero(bytes, offset + 4, offset + 8);
    return ipc_get_u32(bytes, offset);
}

static void check_name(const uint8_t *bytes, size_t offset)
{
    uint32_t size = field(bytes, offset);

    assert_true(size <= 128);
    assert_zero(bytes, offset + 8 + size, offset + 136);
}

static void say_payload(struct q_buf *text, const uint8_t *bytes, size_t size)
{
    if (size <= TEXT_MAX)
        say(text, "%.*s\n", (int)size, (const char *)bytes);
    else
        say(text, "(%zu bytes)\n", size);
}

static void say_change(struct q_buf *text, const uint8_t *bytes, size_t size)
{
    uint32_t members = field(bytes, 160);
    uint32_t joined = field(bytes, 168);
    uint32_t left = field(bytes, 176);
    const uint8_t *address = bytes + 184;

    check_name(bytes, 24);
    assert_int_equal(size, 184 + 24 * (size_t)(members + joined + left));
    say(text, "change:");
    for (uint32_t i = 0; i < members; i++, address += 24) {
        say(text, " %u:%u", field(address, 0), field(address, 8));
        assert_int_equal(field(address, 16), 0);
    }
    for (uint32_t i = 0; i < left; i++, address += 24)
        say(text, "%s %u:%u/%u", i == 0 ? " left" : "", field(address, 0), field(address, 8),
            field(address, 16));
    for (uint32_t i = 0; i < joined; i++, address += 24)
        say(text, "%s %u:%u/%u", i == 0 ? " joined" : "", field(address, 0), field(address, 8),
            field(address, 16));
    say(text, "\n");
}

static void say_ring(struct q_buf *text, uint32_t seq, const uint8_t *bytes, size_t size)
{
    uint32_t count = ipc_get_u32(bytes, 40);

    assert_int_equal(size, 48 + 4 * (size_t)count);
    assert_zero(bytes, size - 4, size);
    assert_int_equal(ipc_get_u64(bytes, 32), seq);
    say(text, "ring %u:", field(bytes, 24));
    for (uint32_t i = 0; i < count; i++)
        say(text, " %u", ipc_get_u32(bytes, 44 + 4 * (size_t)i));
    say(text, "\n");
}

static void say_event(struct q_buf *text, uint32_t seq, const uint8_t *bytes, size_t size)
{
    uint32_t id = field(bytes, 0);

    assert_int_equal(field(bytes, 16), CS_ERROR_OK);
    switch (id) {
    case 4:
        say_change(text, bytes, size);
        break;
    case 5:
        check_name(bytes, 24);
        assert_int_equal(size, 184 + (size_t)field(bytes, 160));
        say(text, "mcast %u:%u ", field(bytes, 168), field(bytes, 176));
        say_payload(text, bytes + 184, size - 184);
        break;
    case 13:
        say_ring(text, seq, bytes, size);
        break;
    case 17:
        check_name(bytes, 24);
        assert_int_equal(size, 200 + (size_t)field(bytes, 168));
        say(text, "piece %u:%u %u %u/%u ", field(bytes, 176), field(bytes, 184), field(bytes, 192),
            field(bytes, 168), field(bytes, 160));
        say_payload(text, bytes + 200, size - 200);
        break;
    default:
        fail_msg("unknown event %u", id);
    }
}

static void say_answer(struct q_buf *text, const uint8_t *bytes, size_t size)
{
    uint32_t id = field(bytes, 0);
    uint32_t error = field(bytes, 16);

    say(text, "answer %u: %u", id, error);
    if (size == 24) {
        say(text, "\n");
        return;
    }
    switch (id) {
    case 3:
        assert_int_equal(size, 9248);
        for (uint32_t i = 0; i < field(bytes, 24); i++)
            say(text, " %u:%u", field(bytes, 32 + 24 * (size_t)i), field(bytes, 40 + 24 * (size_t)i));
        assert_zero(bytes, 32 + 24 * (size_t)field(bytes, 24), size);
        break;
    case 7:
    case 9:
        assert_int_equal(size, 32);
        say(text, " %u", field(bytes, 24));
        break;
    case 10:
        assert_int_equal(size, 168);
        check_name(bytes, 24);
        if (error == CS_ERROR_OK)
            say(text, " %.*s %u:%u", (int)field(bytes, 24), (const char *)bytes + 32, ipc_get_u32(bytes, 160),
                ipc_get_u32(bytes, 164));
        else
            assert_zero(bytes, 24, size);
        break;
    default:
        fail_msg("answer %u of %zu bytes", id, size);
    }
    say(text, "\n");
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */

static struct cluster_client *client_of(struct cluster_node *node, uint64_t conn)
{
    for (size_t i = 0; i < CLUSTER_CLIENTS_MAX; i++)
        if (node->clients[i].conn == conn)
            return &node->clients[i];
    fail_msg("node %u says something to connection %u", node->id, (unsigned)conn);
    return NULL;
}

static uint8_t *join_bytes(const struct outbox *out, const struct outbox_item *item, size_t *size)
{
    uint8_t *bytes = malloc(item->head_size + item->body_size + 1);

    assert_non_null(bytes);
    memcpy(bytes, outbox_head_of(out, item), item->head_size);
    if (item->body_size > 0)
        memcpy(bytes + item->head_size, item->body, item->body_size);
    *size = item->head_size + item->body_size;
    bytes[*size] = '\0';
    return bytes;
}

static void enqueue(struct cluster_node *node, uint8_t *bytes, size_t size, bool for_this_ring)
{
    assert_true(size >= 16 && ipc_get_u32(bytes, 8) == size);
    if (node->queue_count == node->queue_capacity) {
        node->queue_capacity = 2 * node->queue_capacity + 16;
        node->queue = realloc(node->queue, node->queue_capacity * sizeof(*node->queue));
        assert_non_null(node->queue);
    }
    node->queue[node->queue_count++] = (struct cluster_message){node->id, for_this_ring, bytes, size};
}

static void carry_out(struct cluster *cluster, struct cluster_node *node, const struct outbox_item *item)
{
    size_t size;
    uint8_t *bytes = join_bytes(&cluster->out, item, &size);

    switch (item->type) {
    case OUTBOX_ANSWER:
        assert_int_equal(field(bytes, 8), size);
        say_answer(&client_of(node, item->conn)->text, bytes, size);
        break;
    case OUTBOX_EVENT:
        assert_int_equal(field(bytes, 8), size);
        say_event(&client_of(node, item->conn)->text, node->seq, bytes, size);
        break;
    case OUTBOX_MULTICAST:
        enqueue(node, bytes, size, item->for_this_ring);
        return;
    case OUTBOX_SYNC_DONE:
        assert_true(node->syncing && !node->done);
        node->done = true;
        break;
    case OUTBOX_NOTE:
        say(&node->notes, "%s\n", (const char *)bytes);
        break;
    case OUTBOX_TASK:
        say(&node->tasks, "%u %u %s\n", item->task, (unsigned)item->conn, (const char *)bytes);
        break;
    }
    free(bytes);
}

static void step(struct cluster *cluster, uint32_t id, struct service_event *event)
{
    struct cluster_node *node = &cluster->nodes[id];

    event->now_ms = cluster->now_ms;
    outbox_reset(&cluster->out);
    assert_int_equal(cpg_step(node->cpg, event, &cluster->out), Q_OK);
    for (size_t i = 0; i < cluster->out.count; i++)
        carry_out(cluster, node, &cluster->out.items[i]);
    if (!cluster->unchecked)
        cpg_check(node->cpg);
}

/* ---- nodes and rings --------------------------------------------------------------------------------------------- */

struct cluster *cluster_new(void)
{
    struct cluster *cluster = calloc(1, sizeof(*cluster));

    assert_non_null(cluster);
    outbox_init(&cluster->out);
    cluster->order = TOTEM_ORDER_OURS;
    for (uint32_t id = 1; id <= CLUSTER_NODES_MAX; id++) {
        cluster->nodes[id].id = id;
        q_buf_init(&cluster->nodes[id].notes);
        q_buf_init(&cluster->nodes[id].tasks);
    }
    return cluster;
}

void cluster_start(struct cluster *cluster, uint32_t id)
{
    struct cluster_node *node = &cluster->nodes[id];

    assert_null(node->cpg);
    node->cpg = cpg_new(id);
    assert_non_null(node->cpg);
    node->ring = ++cluster->next_ring; /* alone */
    node->syncing = false;
}

static void forget_queue(struct cluster_node *node)
{
    for (size_t i = 0; i < node->queue_count; i++)
        free(node->queue[i].bytes);
    node->queue_count = 0;
}

void cluster_stop(struct cluster *cluster, uint32_t id)
{
    struct cluster_node *node = &cluster->nodes[id];

    forget_queue(node);
    for (size_t i = 0; i < CLUSTER_CLIENTS_MAX; i++) {
        q_buf_fini(&node->clients[i].text);
        node->clients[i] = (struct cluster_client){0};
    }
    cpg_free(node->cpg);
    node->cpg = NULL;
}

void cluster_free(struct cluster *cluster)
{
    for (uint32_t id = 1; id <= CLUSTER_NODES_MAX; id++) {
        cluster_stop(cluster, id);
        free(cluster->nodes[id].queue);
        q_buf_fini(&cluster->nodes[id].notes);
        q_buf_fini(&cluster->nodes[id].tasks);
    }
    outbox_fini(&cluster->out);
    free(cluster);
}

static void init_node(struct cluster *cluster, uint32_t id, const struct node_set *members,
                      const uint32_t *old_rings, uint32_t seq)
{
    struct service_event event = {.type = SERVICE_EV_SYNC_INIT};
    struct cluster_node *node = &cluster->nodes[id];
    struct node_set together;

    node_set_init(&together);
    for (uint32_t i = 0; i < members->count; i++)
        if (old_rings[members->ids[i]] == old_rings[id])
            assert_int_equal(node_set_add(&together, members->ids[i]), Q_OK);
    event.u.init.ring_id = (struct totem_ring_id){members->ids[0], seq};
    event.u.init.members = members;
    event.u.init.transitional = &together;
    node->syncing = true;
    node->done = false;
    node->seq = seq;
    step(cluster, id, &event);
    node_set_fini(&together);
}

static void drop_stale(struct cluster_node *node)
{
    size_t kept = 0;

    for (size_t i = 0; i < node->queue_count; i++)
        if (node->queue[i].for_this_ring)
            free(node->queue[i].bytes);
        else
            node->queue[kept++] = node->queue[i];
    node->queue_count = kept;
}

void cluster_init_ring(struct cluster *cluster, const uint32_t *members)
{
    uint32_t old_rings[CLUSTER_NODES_MAX + 1];
    uint32_t ring = ++cluster->next_ring;
    struct node_set set;

    node_set_init(&set);
    for (size_t i = 0; members[i] != 0; i++) {
        struct cluster_node *node = &cluster->nodes[members[i]];

        assert_int_equal(node_set_add(&set, members[i]), Q_OK);
        old_rings[members[i]] = node->cpg == NULL ? 0 : node->ring;
        node->ring = ring;
        drop_stale(node);
    }
    for (uint32_t i = 0; i < set.count; i++)
        if (cluster->nodes[set.ids[i]].cpg != NULL)
            init_node(cluster, set.ids[i], &set, old_rings, 4 * ring);
    node_set_fini(&set);
}

static void deliver(struct cluster *cluster, const struct cluster_message *message, uint32_t ring)
{
    for (uint32_t id = 1; id <= CLUSTER_NODES_MAX; id++)
        if (cluster->nodes[id].cpg != NULL && cluster->nodes[id].ring == ring)
            cluster_deliver_raw(cluster, id, message->sender, message->bytes, message->size);
}

/* The oldest message that may be sent; false: there is none. */
static bool send_one(struct cluster *cluster, struct cluster_node *node)
{
    for (size_t i = 0; i < node->queue_count; i++) {
        struct cluster_message message = node->queue[i];

        if (node->syncing && !message.for_this_ring)
            continue;
        node->queue_count--;
        memmove(node->queue + i, node->queue + i + 1, (node->queue_count - i) * sizeof(message));
        deliver(cluster, &message, node->ring);
        free(message.bytes);
        return true;
    }
    return false;
}

void cluster_deliver(struct cluster *cluster)
{
    bool more = true;

    /* A message of each in turn. */
    while (more) {
        more = false;
        for (uint32_t id = 1; id <= CLUSTER_NODES_MAX; id++)
            if (cluster->nodes[id].cpg != NULL && send_one(cluster, &cluster->nodes[id]))
                more = true;
    }
}

static void step_all(struct cluster *cluster, const uint32_t *members, enum service_event_type type)
{
    for (size_t i = 0; members[i] != 0; i++) {
        struct service_event event = {.type = type};

        if (cluster->nodes[members[i]].cpg != NULL)
            step(cluster, members[i], &event);
    }
}

void cluster_process(struct cluster *cluster, const uint32_t *members)
{
    step_all(cluster, members, SERVICE_EV_SYNC_PROCESS);
    for (size_t i = 0; members[i] != 0; i++)
        assert_true(cluster->nodes[members[i]].cpg == NULL || cluster->nodes[members[i]].done);
    cluster_deliver(cluster);
}

void cluster_activate(struct cluster *cluster, const uint32_t *members)
{
    step_all(cluster, members, SERVICE_EV_SYNC_ACTIVATE);
    for (size_t i = 0; members[i] != 0; i++)
        cluster->nodes[members[i]].syncing = false;
    cluster_deliver(cluster);
}

void cluster_abort(struct cluster *cluster, const uint32_t *members)
{
    step_all(cluster, members, SERVICE_EV_SYNC_ABORT);
}

void cluster_ring(struct cluster *cluster, const uint32_t *members)
{
    cluster_init_ring(cluster, members);
    cluster_process(cluster, members);
    cluster_activate(cluster, members);
}

void cluster_deliver_raw(struct cluster *cluster, uint32_t node, uint32_t sender, const uint8_t *bytes,
                         size_t size)
{
    struct service_event event = {.type = SERVICE_EV_DELIVERED};

    event.u.delivered.sender = sender;
    event.u.delivered.order = cluster->order;
    event.u.delivered.bytes = bytes;
    event.u.delivered.size = size;
    step(cluster, node, &event);
}

/* ---- clients ------------------------------------------------------------------------------------------------------ */

struct cluster_client *cluster_connect(struct cluster *cluster, uint32_t node, uint32_t client, uint32_t pid)
{
    struct cluster_client *one = &cluster->nodes[node].clients[client];
    struct service_event event = {.type = SERVICE_EV_CONNECT};

    assert_int_equal(one->conn, 0);
    one->conn = ++cluster->next_conn;
    one->pid = pid;
    event.u.client.conn = one->conn;
    event.u.client.pid = pid;
    step(cluster, node, &event);
    return one;
}

void cluster_gone(struct cluster *cluster, uint32_t node, uint32_t client)
{
    struct cluster_client *one = &cluster->nodes[node].clients[client];
    struct service_event event = {.type = SERVICE_EV_GONE};

    event.u.client.conn = one->conn;
    one->conn = 0;
    step(cluster, node, &event);
    q_buf_fini(&one->text);
}

void cluster_request(struct cluster *cluster, uint32_t node, uint32_t client, const uint8_t *bytes,
                     size_t size)
{
    struct service_event event = {.type = SERVICE_EV_REQUEST};

    event.u.client.conn = cluster->nodes[node].clients[client].conn;
    event.u.client.bytes = bytes;
    event.u.client.size = size;
    step(cluster, node, &event);
}

/* The padding of requests is whatever was there. */
static void begin(uint8_t *bytes, uint32_t id, size_t size)
{
    memset(bytes, 0xA5, size);
    ipc_put_u32(bytes, 0, id);
    ipc_put_u32(bytes, 8, (uint32_t)size);
}

static void put_group(uint8_t *bytes, const char *group)
{
    ipc_put_u32(bytes, 16, (uint32_t)strlen(group));
    memcpy(bytes + 24, group, strlen(group));
}

void cluster_ask_join(struct cluster *cluster, uint32_t node, uint32_t client, const char *group,
                      uint32_t flags)
{
    uint8_t bytes[168];

    begin(bytes, 0, sizeof(bytes));
    put_group(bytes, group);
    ipc_put_u32(bytes, 152, cluster->nodes[node].clients[client].pid);
    ipc_put_u32(bytes, 160, flags);
    cluster_request(cluster, node, client, bytes, sizeof(bytes));
}

void cluster_ask_leave(struct cluster *cluster, uint32_t node, uint32_t client)
{
    uint8_t bytes[160];

    begin(bytes, 1, sizeof(bytes));
    cluster_request(cluster, node, client, bytes, sizeof(bytes));
}

void cluster_ask_header(struct cluster *cluster, uint32_t node, uint32_t client, uint32_t id)
{
    uint8_t bytes[16];

    begin(bytes, id, sizeof(bytes));
    cluster_request(cluster, node, client, bytes, sizeof(bytes));
}

void cluster_ask_handle(struct cluster *cluster, uint32_t node, uint32_t client, uint32_t id, uint64_t handle)
{
    uint8_t bytes[24];

    begin(bytes, id, sizeof(bytes));
    ipc_put_u64(bytes, 16, handle);
    cluster_request(cluster, node, client, bytes, sizeof(bytes));
}

void cluster_ask_iteration(struct cluster *cluster, uint32_t node, uint32_t client, uint32_t type,
                           const char *group)
{
    uint8_t bytes[160];

    begin(bytes, 5, sizeof(bytes));
    put_group(bytes, group);
    ipc_put_u32(bytes, 152, type);
    cluster_request(cluster, node, client, bytes, sizeof(bytes));
}

void cluster_ask_members(struct cluster *cluster, uint32_t node, uint32_t client, const char *group)
{
    uint8_t bytes[152];

    begin(bytes, 3, sizeof(bytes));
    put_group(bytes, group);
    cluster_request(cluster, node, client, bytes, sizeof(bytes));
}

static void send_text(struct cluster *cluster, uint32_t node, uint32_t client, uint8_t *head,
                      size_t head_size, const char *text)
{
    size_t size = head_size + strlen(text);
    uint8_t *bytes = malloc(size + 1);

    assert_non_null(bytes);
    memcpy(bytes, head, head_size);
    ipc_put_u32(bytes, 8, (uint32_t)size);
    memcpy(bytes + head_size, text, strlen(text));
    cluster_request(cluster, node, client, bytes, size);
    memset(bytes, 0xEE, size); /* requests do not outlive their step */
    free(bytes);
}

void cluster_mcast(struct cluster *cluster, uint32_t node, uint32_t client, const char *text)
{
    uint8_t head[40];

    begin(head, 2, sizeof(head));
    ipc_put_u32(head, 32, (uint32_t)strlen(text));
    send_text(cluster, node, client, head, sizeof(head), text);
}

void cluster_fragment(struct cluster *cluster, uint32_t node, uint32_t client, uint32_t type, uint32_t whole,
                      const char *text)
{
    uint8_t head[56];

    begin(head, 12, sizeof(head));
    ipc_put_u32(head, 32, whole);
    ipc_put_u32(head, 40, (uint32_t)strlen(text));
    ipc_put_u32(head, 48, type);
    send_text(cluster, node, client, head, sizeof(head), text);
}

void cluster_join(struct cluster *cluster, uint32_t node, uint32_t client, uint32_t pid, const char *group)
{
    cluster_connect(cluster, node, client, pid);
    cluster_ask_join(cluster, node, client, group, 0);
    SAID(cluster, node, client, "answer 0: 1\n");
    cluster_deliver(cluster);
    cluster_hush(cluster);
}

/* ---- what was said ------------------------------------------------------------------------------------------------ */

static const char *take(struct q_buf *text)
{
    const char *said;

    q_buf_append_u8(text, 0);
    said = (const char *)q_buf_bytes(text);
    q_buf_consume(text, text->size); /* the bytes stay until more is appended */
    return said;
}

const char *cluster_said(struct cluster *cluster, uint32_t node, uint32_t client)
{
    return take(&cluster->nodes[node].clients[client].text);
}

const char *cluster_notes(struct cluster *cluster, uint32_t node)
{
    return take(&cluster->nodes[node].notes);
}

const char *cluster_tasks(struct cluster *cluster, uint32_t node)
{
    return take(&cluster->nodes[node].tasks);
}

void cluster_hush(struct cluster *cluster)
{
    for (uint32_t id = 1; id <= CLUSTER_NODES_MAX; id++)
        for (size_t i = 0; i < CLUSTER_CLIENTS_MAX; i++)
            q_buf_reset(&cluster->nodes[id].clients[i].text);
}
