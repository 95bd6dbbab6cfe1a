/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/services/cfg.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/cfg_machine.h"
#include "core/services/ipc_wire.h"

/* Messages between nodes (spec/totem-wire.md section 8.6). */
#define MESSAGE_ID 0
#define MESSAGE_SIZE 8
#define KILL_NODE 16
#define KILL_REASON_LENGTH 24
#define KILL_REASON 32
#define KILL_REASON_SIZE 256
#define KILL_SIZE 288
#define RELOAD_NODE 16
#define RELOAD_COOKIE 24
#define RELOAD_SIZE 32
#define CRYPTO_PHASE 16
#define CRYPTO_SIZE 24

/* ---- life ---- */

struct cfg *cfg_new(uint32_t node_id, uint64_t private_id)
{
    struct cfg *cfg = calloc(1, sizeof(*cfg));

    if (cfg == NULL)
        return NULL;
    cfg->node_id = node_id;
    cfg->next_cookie = private_id;
    return cfg;
}

void cfg_free(struct cfg *cfg)
{
    if (cfg == NULL)
        return;
    free(cfg->trackers);
    free(cfg->ordered.items);
    free(cfg->running.items);
    free(cfg);
}

void cfg_set_view(struct cfg *cfg, const struct core_config *config, const struct cmap_store *keys,
                  const struct link_status_table *links)
{
    cfg->config = config;
    cfg->keys = keys;
    cfg->links = links;
}

uint8_t *cfg_multicast(struct outbox *out, enum cfg_message message, size_t size)
{
    uint8_t *bytes;

    outbox_add(out, OUTBOX_MULTICAST);
    bytes = outbox_head(out, size);
    totem_put_u32(bytes + MESSAGE_ID, service_message_id(SERVICE_CFG, message), TOTEM_ORDER_OURS);
    totem_put_u32(bytes + MESSAGE_SIZE, (uint32_t)size, TOTEM_ORDER_OURS);
    return bytes;
}

/* ---- reload ---- */

static enum q_err reloads_add(struct cfg_reloads *reloads, struct cfg_reload reload)
{
    if (reloads->count == reloads->capacity) {
        size_t capacity = reloads->capacity == 0 ? 8 : 2 * reloads->capacity;
        struct cfg_reload *larger = reallocarray(reloads->items, capacity, sizeof(*larger));

        if (larger == NULL)
            return Q_ERR_NO_MEMORY;
        reloads->items = larger;
        reloads->capacity = capacity;
    }
    reloads->items[reloads->count++] = reload;
    return Q_OK;
}

static struct cfg_reload reloads_take(struct cfg_reloads *reloads, size_t index)
{
    struct cfg_reload reload = reloads->items[index];

    reloads->count--;
    memmove(&reloads->items[index], &reloads->items[index + 1],
            (reloads->count - index) * sizeof(reloads->items[0]));
    return reload;
}

static void reloads_forget(struct cfg_reloads *reloads, uint64_t conn)
{
    for (size_t i = 0; i < reloads->count; i++)
        if (reloads->items[i].conn == conn)
            reloads->items[i].conn = 0;
}

enum q_err cfg_order_reload(struct cfg *cfg, uint64_t conn, struct outbox *out)
{
    uint64_t cookie = cfg->next_cookie++;
    uint8_t *bytes = cfg_multicast(out, CFG_MESSAGE_RELOAD, RELOAD_SIZE);

    totem_put_u32(bytes + RELOAD_NODE, cfg->node_id, TOTEM_ORDER_OURS);
    totem_put_u64(bytes + RELOAD_COOKIE, cookie, TOTEM_ORDER_OURS);
    return reloads_add(&cfg->ordered, (struct cfg_reload){conn, cookie});
}

static enum q_err on_reload(struct cfg *cfg, const struct service_event *event, struct outbox *out)
{
    const uint8_t *bytes = event->u.delivered.bytes;
    struct cfg_reload reload = {0, 0};

    if (event->u.delivered.sender == cfg->node_id && event->u.delivered.size >= RELOAD_SIZE) {
        uint64_t cookie = totem_get_u64(bytes + RELOAD_COOKIE, event->u.delivered.order);

        for (size_t i = 0; i < cfg->ordered.count; i++) {
            if (cfg->ordered.items[i].cookie == cookie) {
                reload = reloads_take(&cfg->ordered, i);
                break;
            }
        }
    }
    outbox_note(out, SERVICE_CFG, OUTBOX_NOTICE, "Config reload requested by node %u",
                event->u.delivered.sender);
    outbox_task(out, OUTBOX_RELOAD, reload.conn != 0, NULL);
    return reloads_add(&cfg->running, reload);
}

void cfg_reloaded(struct cfg *cfg, enum cs_error result, struct outbox *out)
{
    struct cfg_reload reload;

    assert(cfg->running.count > 0);
    reload = reloads_take(&cfg->running, 0);
    if (reload.conn != 0)
        cfg_answer_short(out, CFG_RELOAD, reload.conn, result);
}

/* ---- another key ---- */

static void send_phase(struct outbox *out, enum cfg_crypto_phase phase)
{
    totem_put_u32(cfg_multicast(out, CFG_MESSAGE_CRYPTO, CRYPTO_SIZE) + CRYPTO_PHASE, phase,
                  TOTEM_ORDER_OURS);
}

void cfg_crypto_changed(struct cfg *cfg, struct outbox *out)
{
    cfg->crypto_first_count++;
    send_phase(out, CFG_CRYPTO_USE);
}

/*
 * When our own message of the first phase is here, the order to reload has been here and everywhere: all nodes can read
 * what is sent with the new key. A key that was replaced meanwhile is not taken into use.
 */
static void on_crypto(struct cfg *cfg, const struct service_event *event, struct outbox *out)
{
    uint32_t phase;

    if (event->u.delivered.sender != cfg->node_id || event->u.delivered.size < CRYPTO_SIZE)
        return;
    phase = totem_get_u32(event->u.delivered.bytes + CRYPTO_PHASE, event->u.delivered.order);
    if (phase == CFG_CRYPTO_USE && cfg->crypto_first_count > 0 && --cfg->crypto_first_count == 0) {
        outbox_task(out, OUTBOX_CRYPTO_USE, 0, NULL);
        cfg->crypto_second_count++;
        send_phase(out, CFG_CRYPTO_FORGET);
    } else if (phase == CFG_CRYPTO_FORGET && cfg->crypto_second_count > 0 &&
               --cfg->crypto_second_count == 0 && cfg->crypto_first_count == 0) {
        outbox_task(out, OUTBOX_CRYPTO_FORGET, 0, NULL);
    }
}

/* ---- the end of a node ---- */

/* The text as it may stand in a log: up to its end, a question mark for what cannot be printed. */
static void printable(char text[KILL_REASON_SIZE + 1], const uint8_t *bytes, size_t size)
{
    size_t count = 0;

    while (count < size && bytes[count] != '\0') {
        text[count] = bytes[count] >= ' ' && bytes[count] <= '~' ? (char)bytes[count] : '?';
        count++;
    }
    text[count] = '\0';
}

static void on_kill(const struct cfg *cfg, const struct service_event *event, struct outbox *out)
{
    const uint8_t *bytes = event->u.delivered.bytes;
    enum totem_order order = event->u.delivered.order;
    char reason[KILL_REASON_SIZE + 1];
    size_t length;

    if (event->u.delivered.size < KILL_SIZE || totem_get_u32(bytes + KILL_NODE, order) != cfg->node_id)
        return;
    length = totem_get_u16(bytes + KILL_REASON_LENGTH, order);
    printable(reason, bytes + KILL_REASON, length < KILL_REASON_SIZE ? length : KILL_REASON_SIZE);
    outbox_note(out, SERVICE_CFG, OUTBOX_NOTICE, "Killed by node %u : %s", event->u.delivered.sender, reason);
    outbox_task(out, OUTBOX_DIE, 0, reason);
}

/* ---- steps ---- */

static enum q_err on_delivered(struct cfg *cfg, const struct service_event *event, struct outbox *out)
{
    uint32_t id;

    if (event->u.delivered.size < SERVICE_MESSAGE_HEADER_SIZE)
        return Q_OK;
    id = totem_get_u32(event->u.delivered.bytes + MESSAGE_ID, event->u.delivered.order);
    if (id == service_message_id(SERVICE_CFG, CFG_MESSAGE_KILL))
        on_kill(cfg, event, out);
    else if (id == service_message_id(SERVICE_CFG, CFG_MESSAGE_SHUTDOWN))
        cfg_shutdown_delivered(cfg, event->u.delivered.sender, out);
    else if (id == service_message_id(SERVICE_CFG, CFG_MESSAGE_RELOAD))
        return on_reload(cfg, event, out);
    else if (id == service_message_id(SERVICE_CFG, CFG_MESSAGE_CRYPTO))
        on_crypto(cfg, event, out);
    return Q_OK;
}

static enum q_err apply(struct cfg *cfg, const struct service_event *event, struct outbox *out)
{
    switch (event->type) {
    case SERVICE_EV_DELIVERED:
        return on_delivered(cfg, event, out);
    case SERVICE_EV_REQUEST:
        return cfg_request(cfg, event, out);
    case SERVICE_EV_GONE:
        reloads_forget(&cfg->ordered, event->u.client.conn);
        reloads_forget(&cfg->running, event->u.client.conn);
        cfg_shutdown_gone(cfg, event->u.client.conn, out);
        return Q_OK;
    case SERVICE_EV_TIME:
        cfg_shutdown_time(cfg, event->now_ms, out);
        return Q_OK;
    case SERVICE_EV_SYNC_INIT: /* it takes no part in that */
    case SERVICE_EV_SYNC_PROCESS:
    case SERVICE_EV_SYNC_ACTIVATE:
    case SERVICE_EV_SYNC_ABORT:
    case SERVICE_EV_CONNECT:
        return Q_OK;
    }
    return Q_OK;
}

enum q_err cfg_step(struct cfg *cfg, const struct service_event *event, struct outbox *out)
{
    enum q_err err = apply(cfg, event, out);

    return err == Q_OK && out->no_memory ? Q_ERR_NO_MEMORY : err;
}
