/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/node.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/clock.h"
#include "core/logging.h"
#include "core/node_internal.h"

#define TIMER_REST_MS 20 /* between two times that the timer is put off */

void node_die(int status, const char *why)
{
    logging_line(LOGGING_MAIN, LOG_CRIT, "%s", why);
    logging_close();
    _exit(status);
}

/* ---- the timer ---- */

/*
 * The deadline moves with every token, mostly away. In a busy ring a timer that comes early, finds nothing to do and is set
 * anew is cheaper than setting it with every token; an idle one should not be woken in vain.
 */
static void set_timer(struct node *node, uint64_t now_ms)
{
    uint64_t at_ms = stack_deadline_ms(node->stack);

    if (at_ms == node->timer.at_ms || (at_ms > node->timer.at_ms && now_ms < node->timer_set_ms + TIMER_REST_MS))
        return;
    node->timer_set_ms = now_ms;
    loop_timer_set(&node->timer, at_ms);
}

static void on_timer(void *data)
{
    struct node *node = data;
    struct stack_event event = {.type = STACK_EV_TIME};

    if (stack_wants_statistics(node->stack, 0)) {
        ipc_server_statistics(node->ipc, stack_statistics(node->stack));
        transport_statistics(node->transport, stack_statistics(node->stack));
    }
    node_step(node, &event);
}

static void on_lingered(void *data)
{
    struct stack_event event = {.type = STACK_EV_LINGERED};

    node_step(data, &event);
}

static enum q_err open_timers(struct node *node, char *why, size_t why_size)
{
    enum q_err err = loop_timer_open(&node->timer, node->loop, QB_LOOP_HIGH, on_timer, node);

    node->exit_status = NODE_EXIT_FATAL;
    if (err == Q_OK)
        err = loop_timer_open(&node->linger, node->loop, QB_LOOP_HIGH, on_lingered, node);
    if (err != Q_OK)
        snprintf(why, why_size, "Cannot make a timer: %s", strerror(errno));
    return err;
}

/* ---- steps ---- */

/* xorshift64: it only has to differ from node to node. */
static uint32_t next_random(struct node *node)
{
    node->random ^= node->random << 13;
    node->random ^= node->random >> 7;
    node->random ^= node->random << 17;
    return (uint32_t)(node->random >> 16);
}

static void update_flow(struct node *node)
{
    for (int service = 0; service < SERVICE_COUNT; service++)
        ipc_server_set_flow(node->ipc, (enum service_id)service, stack_flow(node->stack, (enum service_id)service));
}

void node_step(struct node *node, struct stack_event *event)
{
    assert(!node->stepping);
    if (node->is_left)
        return;
    node->stepping = true;
    event->now_ms = clock_monotonic_ms();
    event->wall_ms = (uint64_t)clock_wall_ms();
    event->random = next_random(node);
    if (stack_step(node->stack, event, &node->actions) != Q_OK)
        node_die(NODE_EXIT_FATAL, "Out of memory: this node can no longer follow the others");
    node_carry_out(node);
    stack_actions_reset(&node->actions);
    node->stepping = false;
    if (node->is_left)
        return;
    update_flow(node);
    set_timer(node, event->now_ms);
    /*
     * Before anything else is looked at: whoever has asked for a reload takes it for granted, once the token has been
     * around, that all nodes have loaded a new key (spec/totem-protocol.md section 15.5).
     */
    if (node->reloads_due > 0 && !node->reloading)
        node_reload(node);
}

void node_shut_down(struct node *node)
{
    struct stack_event event = {.type = STACK_EV_SHUTDOWN};

    node_step(node, &event);
}

/* ---- the transport ---- */

static void on_datagram(void *context, const uint8_t *bytes, size_t size)
{
    struct stack_event event = {.type = STACK_EV_DATAGRAM, .u.datagram = {bytes, size}};
    struct node *node = context;

    if (node->crypto_use_due && size >= TOTEM_HEADER_SIZE && bytes[3] == TOTEM_TOKEN)
        node_use_crypto(node);
    node_step(node, &event);
}

static void on_link_up(void *context)
{
    struct stack_event event = {.type = STACK_EV_LINK_UP};

    node_step(context, &event);
}

/* ---- clients ---- */

static enum stack_admission on_admit(void *context, enum service_id service, uid_t uid, gid_t gid)
{
    const struct node *node = context;

    return stack_admits(node->stack, service, (uint32_t)uid, (uint32_t)gid);
}

static void on_connect(void *context, uint64_t conn, enum service_id service, uint32_t pid)
{
    struct stack_event event = {.type = STACK_EV_CONNECT,
                                .u.client = {.conn = conn, .service = service, .pid = pid}};

    node_step(context, &event);
}

static void on_request(void *context, uint64_t conn, enum service_id service, const uint8_t *bytes, size_t size)
{
    struct stack_event event = {.type = STACK_EV_REQUEST, .u.client = {.conn = conn, .bytes = bytes, .size = size}};
    struct node *node = context;

    if (service == SERVICE_CFG) {
        struct stack_event links = {.type = STACK_EV_LINKS};

        links.u.links = *transport_links(node->transport);
        node_step(node, &links);
    } else if (service == SERVICE_CMAP && stack_wants_statistics(node->stack, conn)) {
        ipc_server_statistics(node->ipc, stack_statistics(node->stack));
        transport_statistics(node->transport, stack_statistics(node->stack));
    }
    node_step(node, &event);
}

static void on_gone(void *context, uint64_t conn)
{
    struct stack_event event = {.type = STACK_EV_GONE, .u.client = {.conn = conn}};

    node_step(context, &event);
}

/* ---- start and stop ---- */

const struct config_plugins *node_plugins(void)
{
    static struct config_plugins plugins;

    plugins.crypto_models = transport_crypto_models();
    plugins.compression_models = transport_compression_models();
    return &plugins;
}

static enum q_err start_transport(struct node *node, char *why, size_t why_size)
{
    const struct transport_handlers handlers = {.context = node, .on_datagram = on_datagram, .on_link_up = on_link_up};

    node->exit_status = NODE_EXIT_FATAL;
    return transport_new(&node->transport, node->loop, &node->config->config, node->id, &handlers, why, why_size);
}

static enum q_err start_stack(struct node *node, char *why, size_t why_size)
{
    struct stack_start start = {.config = &node->config->config,
                                .map = &node->config->map,
                                .stored_expected_votes = ring_store_load_expected(&node->store)};
    enum q_err err;

    node->exit_status = 20;
    err = stack_new(&node->stack, &start, why, why_size);
    if (err == Q_ERR_NO_MEMORY)
        snprintf(why, why_size, "Out of memory");
    return err;
}

static enum q_err start_clients(struct node *node, char *why, size_t why_size)
{
    const struct ipc_handlers handlers = {.context = node,
                                          .admit = on_admit,
                                          .on_connect = on_connect,
                                          .on_request = on_request,
                                          .on_gone = on_gone};

    node->exit_status = 13;
    node->ipc = ipc_server_new(node->loop, node->config->config.system.ipc_type, &handlers);
    if (node->ipc == NULL) {
        snprintf(why, why_size, "Out of memory");
        return Q_ERR_NO_MEMORY;
    }
    for (int service = 0; service < SERVICE_COUNT; service++) {
        enum q_err err;

        if (!stack_has_service(node->stack, (enum service_id)service))
            continue;
        err = ipc_server_listen(node->ipc, (enum service_id)service, why, why_size);
        if (err != Q_OK)
            return err;
    }
    return Q_OK;
}

enum q_err node_start(struct node *node, qb_loop_t *loop, struct config_loaded *config, const char *config_file, char *why,
                      size_t why_size)
{
    const struct core_config *core = &config->config;
    enum q_err err;

    *node = (struct node){.loop = loop, .config_file = config_file, .config = config};
    node->store.fd = node->timer.fd = node->linger.fd = -1;
    node->id = core->nodes[core->local_index].id;
    stack_actions_init(&node->actions);
    if (getrandom(&node->random, sizeof(node->random), 0) != (ssize_t)sizeof(node->random))
        node->random = clock_monotonic_ms();
    node->random |= (uint64_t)1 << 32; /* xorshift must not begin with 0 */
    node->exit_status = NODE_EXIT_RING_STORE;
    err = ring_store_open(&node->store, core->system.state_dir, node->id, why, why_size);
    if (err == Q_OK)
        err = open_timers(node, why, why_size);
    if (err == Q_OK)
        err = start_transport(node, why, why_size);
    if (err == Q_OK)
        err = start_stack(node, why, why_size);
    if (err == Q_OK)
        err = start_clients(node, why, why_size);
    if (err == Q_OK)
        node->exit_status = EXIT_SUCCESS;
    return err;
}

void node_run(struct node *node)
{
    struct stack_event event = {.type = STACK_EV_START};
    char why[512];

    if (ring_store_load(&node->store, &event.u.ring_seq, why, sizeof(why)) != Q_OK)
        node_die(NODE_EXIT_RING_STORE, why);
    node_step(node, &event);
}

void node_stop(struct node *node)
{
    ipc_server_free(node->ipc);
    stack_free(node->stack);
    if (node->transport != NULL)
        transport_free(node->transport);
    loop_timer_close(&node->timer);
    loop_timer_close(&node->linger);
    ring_store_close(&node->store);
    stack_actions_fini(&node->actions);
    config_loaded_fini(node->config);
    free(node->config);
}
