/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/stack_cluster.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

#include "core/services/ipc_wire.h"
#include "tests/unit/config_host.h"

#define FLIGHT_US 50

struct stack_flight {
    struct stack_flight *next;
    uint64_t at_us;
    uint32_t from, to;
    size_t size;
    uint8_t bytes[];
};

void stack_cluster_init(struct stack_cluster *cluster)
{
    memset(cluster, 0, sizeof(*cluster));
    cluster->now_us = 1000000;
    for (uint32_t id = 1; id <= STACK_NODES_MAX; id++) {
        cluster->hosts[id].id = id;
        stack_actions_init(&cluster->hosts[id].actions);
    }
}

static void drop_flights(struct stack_cluster *cluster)
{
    while (cluster->first != NULL) {
        struct stack_flight *first = cluster->first;

        cluster->first = first->next;
        free(first);
    }
    cluster->last = NULL;
}

static void drop_messages(struct stack_host *host)
{
    for (size_t i = 0; i < host->message_count; i++)
        free(host->messages[i].bytes);
    host->message_count = 0;
}

void stack_cluster_fini(struct stack_cluster *cluster)
{
    for (uint32_t id = 1; id <= STACK_NODES_MAX; id++) {
        stack_cluster_kill(cluster, id);
        drop_messages(&cluster->hosts[id]);
        stack_actions_fini(&cluster->hosts[id].actions);
    }
    drop_flights(cluster);
}

const char *stack_cluster_config(uint32_t count, const char *totem, const char *quorum)
{
    static char text[4096];
    size_t at = (size_t)snprintf(text, sizeof(text),
                                 "totem {\nversion: 2\ncluster_name: t\ntransport: udpu\n%s}\n"
                                 "quorum {\nprovider: corosync_votequorum\n%s}\nnodelist {\n",
                                 totem, quorum);

    for (uint32_t id = 1; id <= count; id++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "node {\nring0_addr: 10.4.0.%u\nnodeid: %u\nname: n%u\n}\n",
                               id, id, id);
    snprintf(text + at, sizeof(text) - at, "}\n");
    return text;
}

/* ---- carrying out ------------------------------------------------------------------------------------------ */

static void launch(struct stack_cluster *cluster, uint32_t from, uint32_t to, const uint8_t *bytes, size_t size)
{
    struct stack_flight *flight;

    if (to == from || cluster->cut[from][to])
        return;
    flight = malloc(sizeof(*flight) + size);
    assert_non_null(flight);
    *flight = (struct stack_flight){.at_us = cluster->now_us + FLIGHT_US, .from = from, .to = to, .size = size};
    memcpy(flight->bytes, bytes, size);
    if (cluster->first == NULL)
        cluster->first = flight;
    else
        cluster->last->next = flight;
    cluster->last = flight;
}

static void note(struct stack_host *host, const uint8_t *text, size_t size)
{
    size_t used = strlen(host->notes);

    if (used + size + 2 < sizeof(host->notes))
        snprintf(host->notes + used, sizeof(host->notes) - used, "%.*s\n", (int)size, (const char *)text);
}

static void carry_out_ring(struct stack_cluster *cluster, struct stack_host *host, const struct totem_action *action)
{
    switch (action->type) {
    case TOTEM_ACT_SEND:
        for (uint32_t to = 1; to <= STACK_NODES_MAX; to++)
            if (action->node_id == 0 || action->node_id == to)
                launch(cluster, host->id, to, action->bytes, action->size);
        break;
    case TOTEM_ACT_PERSIST:
        host->persisted_seq = action->ring_seq;
        break;
    case TOTEM_ACT_LINGER:
        host->linger_end_us = cluster->now_us + action->us;
        break;
    case TOTEM_ACT_NOTE:
        note(host, action->bytes, action->size);
        break;
    case TOTEM_ACT_DELIVER:
    case TOTEM_ACT_CHANGE:
    case TOTEM_ACT_DRAIN:
        break;
    }
}

static void to_client(struct stack_cluster *cluster, struct stack_host *host, const struct outbox_item *item)
{
    struct stack_message *message = &host->messages[host->message_count];

    assert_true(host->message_count < STACK_MESSAGES_MAX);
    host->message_count++;
    *message = (struct stack_message){.conn = item->conn,
                                      .is_event = item->type == OUTBOX_EVENT,
                                      .at_ms = cluster->now_us / 1000,
                                      .size = item->head_size + item->body_size};
    message->bytes = malloc(message->size + 1);
    assert_non_null(message->bytes);
    memcpy(message->bytes, outbox_head_of(&host->actions.services, item), item->head_size);
    if (item->body_size > 0)
        memcpy(message->bytes + item->head_size, item->body, item->body_size);
    assert_true(message->size >= IPC_ANSWER_SIZE);
    assert_int_equal(ipc_get_u32(message->bytes, 8), message->size);
}

static void carry_out_task(struct stack_host *host, const struct outbox_item *item)
{
    switch (item->task) {
    case OUTBOX_READY:
        host->ready = true;
        break;
    case OUTBOX_EXIT:
        host->left = true;
        break;
    case OUTBOX_DIE:
        host->died = true;
        break;
    case OUTBOX_RELOAD:
        host->reloads++;
        break;
    case OUTBOX_LEAVE:
    case OUTBOX_KEY_CHANGED:
    case OUTBOX_REOPEN_LOGS:
    case OUTBOX_CRYPTO_USE:
    case OUTBOX_CRYPTO_FORGET:
    case OUTBOX_STORE_EXPECTED:
    case OUTBOX_CLEAR_STATS:
    case OUTBOX_UNLINK_FILE:
        break;
    }
}

static void carry_out(struct stack_cluster *cluster, struct stack_host *host)
{
    const struct stack_actions *actions = &host->actions;

    for (size_t i = 0; i < actions->ring.count; i++)
        carry_out_ring(cluster, host, &actions->ring.items[i]);
    for (size_t i = 0; i < actions->services.count; i++) {
        const struct outbox_item *item = &actions->services.items[i];

        if (item->type == OUTBOX_ANSWER || item->type == OUTBOX_EVENT)
            to_client(cluster, host, item);
        else if (item->type == OUTBOX_NOTE)
            note(host, outbox_head_of(&actions->services, item), item->head_size);
        else if (item->type == OUTBOX_TASK)
            carry_out_task(host, item);
    }
    stack_actions_reset(&host->actions);
}

void stack_cluster_step(struct stack_cluster *cluster, uint32_t id, struct stack_event *event)
{
    struct stack_host *host = &cluster->hosts[id];

    event->now_ms = cluster->now_us / 1000;
    event->random = id;
    assert_int_equal(stack_step(host->stack, event, &host->actions), Q_OK);
    stack_check(host->stack);
    carry_out(cluster, host);
}

/* ---- nodes ------------------------------------------------------------------------------------------------- */

static struct config_host_loaded *load(const char *config, const struct cmap_store *live)
{
    struct config_host_loaded *loaded = calloc(1, sizeof(*loaded));

    assert_non_null(loaded);
    if (config_host_load(loaded, config, strlen(config), live) != Q_OK)
        fail_msg("refused: %s", loaded->report.items[0].text);
    return loaded;
}

/* The made-up host of config_host.h is node 1; here it may be any. */
static void be_node(struct config_host_loaded *loaded, uint32_t id)
{
    for (size_t i = 0; i < loaded->config.node_count; i++)
        if (loaded->config.nodes[i].id == id)
            loaded->config.local_index = i;
}

void stack_cluster_start(struct stack_cluster *cluster, uint32_t id, const char *config)
{
    struct stack_host *host = &cluster->hosts[id];
    struct stack_start start;
    char why[256];

    assert_null(host->stack);
    host->loaded = load(config, NULL);
    be_node(host->loaded, id);
    host->ready = host->left = host->died = false;
    start = (struct stack_start){.config = &host->loaded->config, .map = &host->loaded->map};
    if (stack_new(&host->stack, &start, why, sizeof(why)) != Q_OK)
        fail_msg("%s", why);
    stack_cluster_step(cluster, id, &(struct stack_event){.type = STACK_EV_START, .u.ring_seq = host->persisted_seq});
}

static void unload(struct config_host_loaded *loaded)
{
    if (loaded != NULL)
        config_host_loaded_fini(loaded);
    free(loaded);
}

void stack_cluster_kill(struct stack_cluster *cluster, uint32_t id)
{
    struct stack_host *host = &cluster->hosts[id];

    stack_free(host->stack);
    host->stack = NULL;
    unload(host->loaded);
    host->loaded = NULL;
}

void stack_cluster_reload(struct stack_cluster *cluster, uint32_t id, const char *config)
{
    struct stack_host *host = &cluster->hosts[id];
    struct config_host_loaded *next = load(config, stack_keys(host->stack));
    struct config_tasks tasks;

    be_node(next, id);
    assert_int_equal(
        config_reload_compare(&host->loaded->config, &next->config, &next->map, &tasks, &next->report), Q_OK);
    stack_cluster_step(cluster, id,
                       &(struct stack_event){
                           .type = STACK_EV_RELOADED,
                           .u.reloaded = {&next->map, &next->config, &tasks},
                       });
    unload(host->loaded);
    host->loaded = next;
}

/* ---- time -------------------------------------------------------------------------------------------------- */

/* The next instant at which something is due. */
static uint64_t next_us(const struct stack_cluster *cluster)
{
    uint64_t at_us = cluster->first != NULL ? cluster->first->at_us : UINT64_MAX;

    for (uint32_t id = 1; id <= STACK_NODES_MAX; id++) {
        const struct stack_host *host = &cluster->hosts[id];
        uint64_t deadline_ms = host->stack != NULL ? stack_deadline_ms(host->stack) : STACK_NEVER;

        if (deadline_ms != STACK_NEVER && deadline_ms * 1000 < at_us)
            at_us = deadline_ms * 1000;
        if (host->stack != NULL && host->linger_end_us != 0 && host->linger_end_us < at_us)
            at_us = host->linger_end_us;
    }
    return at_us > cluster->now_us ? at_us : cluster->now_us;
}

static void land(struct stack_cluster *cluster)
{
    struct stack_flight *flight = cluster->first;

    cluster->first = flight->next;
    if (cluster->hosts[flight->to].stack != NULL && !cluster->cut[flight->from][flight->to])
        stack_cluster_step(cluster, flight->to,
                           &(struct stack_event){
                               .type = STACK_EV_DATAGRAM,
                               .u.datagram = {flight->bytes, flight->size},
                           });
    free(flight);
}

static void run_timers(struct stack_cluster *cluster)
{
    for (uint32_t id = 1; id <= STACK_NODES_MAX; id++) {
        struct stack_host *host = &cluster->hosts[id];

        if (host->stack != NULL && stack_deadline_ms(host->stack) <= cluster->now_us / 1000)
            stack_cluster_step(cluster, id, &(struct stack_event){.type = STACK_EV_TIME});
        if (host->stack != NULL && host->linger_end_us != 0 && host->linger_end_us <= cluster->now_us) {
            host->linger_end_us = 0;
            stack_cluster_step(cluster, id, &(struct stack_event){.type = STACK_EV_LINGERED});
        }
    }
}

void stack_cluster_run_ms(struct stack_cluster *cluster, uint64_t ms)
{
    uint64_t until_us = cluster->now_us + 1000 * ms;

    for (;;) {
        uint64_t at_us = next_us(cluster);

        if (at_us > until_us)
            break;
        cluster->now_us = at_us;
        if (cluster->first != NULL && cluster->first->at_us <= at_us)
            land(cluster);
        else
            run_timers(cluster);
    }
    cluster->now_us = until_us;
}

void stack_cluster_run_until_ready(struct stack_cluster *cluster, uint32_t id)
{
    for (int i = 0; i < 20000 && !cluster->hosts[id].ready; i++)
        stack_cluster_run_ms(cluster, 1);
    assert_true(cluster->hosts[id].ready);
}

void stack_cluster_cut(struct stack_cluster *cluster, uint32_t mask)
{
    for (uint32_t from = 1; from <= STACK_NODES_MAX; from++)
        for (uint32_t to = 1; to <= STACK_NODES_MAX; to++)
            cluster->cut[from][to] = (mask >> (from - 1) & 1) != (mask >> (to - 1) & 1);
}

/* ---- clients ------------------------------------------------------------------------------------------------ */

uint64_t stack_cluster_connect(struct stack_cluster *cluster, uint32_t id, enum service_id service)
{
    uint64_t conn = ++cluster->last_conn;

    assert_int_equal(stack_admits(cluster->hosts[id].stack, service, 0, 0), STACK_ADMIT);
    stack_cluster_step(cluster, id,
                       &(struct stack_event){
                           .type = STACK_EV_CONNECT,
                           .u.client = {.conn = conn, .service = service, .pid = 1000 + id},
                       });
    return conn;
}

void stack_cluster_disconnect(struct stack_cluster *cluster, uint32_t id, uint64_t conn)
{
    stack_cluster_step(cluster, id, &(struct stack_event){.type = STACK_EV_GONE, .u.client = {.conn = conn}});
}

const struct stack_message *stack_cluster_request(struct stack_cluster *cluster, uint32_t id, uint64_t conn,
                                                  uint32_t request, const void *body, size_t body_size)
{
    struct stack_host *host = &cluster->hosts[id];
    size_t before = host->message_count;
    size_t size = IPC_REQUEST_SIZE + body_size;
    uint8_t *bytes = calloc(1, size);

    assert_non_null(bytes);
    ipc_put_u32(bytes, 0, request);
    ipc_put_u32(bytes, 8, (uint32_t)size);
    if (body_size > 0)
        memcpy(bytes + IPC_REQUEST_SIZE, body, body_size);
    stack_cluster_step(
        cluster, id,
        &(struct stack_event){.type = STACK_EV_REQUEST, .u.client = {.conn = conn, .bytes = bytes, .size = size}});
    free(bytes);
    for (size_t i = before; i < host->message_count; i++)
        if (host->messages[i].conn == conn && !host->messages[i].is_event)
            return &host->messages[i];
    return NULL;
}

uint32_t stack_cluster_ask(struct stack_cluster *cluster, uint32_t id, uint64_t conn, uint32_t request,
                           const void *body, size_t body_size)
{
    const struct stack_message *answer = stack_cluster_request(cluster, id, conn, request, body, body_size);

    return answer != NULL ? stack_message_u32(answer, 16) : 0;
}

static bool is_event(const struct stack_message *message, uint64_t conn, uint32_t event)
{
    return message->conn == conn && message->is_event && ipc_get_u32(message->bytes, 0) == event;
}

const struct stack_message *stack_cluster_event(const struct stack_cluster *cluster, uint32_t id, uint64_t conn,
                                                uint32_t event)
{
    const struct stack_host *host = &cluster->hosts[id];

    for (size_t i = host->message_count; i-- > 0;)
        if (is_event(&host->messages[i], conn, event))
            return &host->messages[i];
    return NULL;
}

size_t stack_cluster_event_count(const struct stack_cluster *cluster, uint32_t id, uint64_t conn, uint32_t event)
{
    const struct stack_host *host = &cluster->hosts[id];
    size_t count = 0;

    for (size_t i = 0; i < host->message_count; i++)
        count += is_event(&host->messages[i], conn, event);
    return count;
}

uint32_t stack_message_u32(const struct stack_message *message, size_t offset)
{
    assert_true(offset + 4 <= message->size);
    return ipc_get_u32(message->bytes, offset);
}
