/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "core/services/cfg_machine.h"
#include "core/services/ipc_wire.h"

#define TEST_EVENT_ID 10
#define TEST_EVENT_FLAGS 24
#define TEST_EVENT_SIZE 32

/* ---- the end ---- */

/* Everybody is told, and only then it begins: when our own message is here, or when no ring brings it. */
static void begin_end(struct cfg *cfg, struct outbox *out)
{
    cfg->shutdown = CFG_ENDING;
    cfg->requester = 0;
    cfg->shutdown_deadline_ms = 0;
    (void)cfg_multicast(out, CFG_MESSAGE_SHUTDOWN, SERVICE_MESSAGE_HEADER_SIZE);
}

static void leave(struct cfg *cfg, struct outbox *out)
{
    cfg->shutdown = CFG_ENDED;
    outbox_task(out, OUTBOX_LEAVE, 0, NULL);
}

void cfg_shutdown_delivered(struct cfg *cfg, uint32_t sender, struct outbox *out)
{
    outbox_note(out, SERVICE_CFG, OUTBOX_NOTICE, "Node %u was shut down by sysadmin", sender);
    if (sender == cfg->node_id && cfg->shutdown == CFG_ENDING)
        leave(cfg, out);
}

/* ---- the vote ---- */

static struct cfg_tracker *tracker_of(struct cfg *cfg, uint64_t conn)
{
    for (size_t i = 0; i < cfg->tracker_count; i++)
        if (cfg->trackers[i].conn == conn)
            return &cfg->trackers[i];
    return NULL;
}

/* Answers who has asked for the shutdown. */
static void decide(struct cfg *cfg, bool agreed, struct outbox *out)
{
    if (agreed || cfg->flags == CFG_SHUTDOWN_REGARDLESS) {
        cfg_answer_short(out, CFG_TRY_SHUTDOWN, cfg->requester, CS_ERROR_OK);
        begin_end(cfg, out);
    } else {
        cfg_answer_short(out, CFG_TRY_SHUTDOWN, cfg->requester, CS_ERROR_BUSY);
        cfg->shutdown = CFG_WORKING;
        cfg->requester = 0;
    }
}

static void count_replies(struct cfg *cfg, struct outbox *out)
{
    bool all_agree = true;

    if (cfg->shutdown != CFG_ASKING)
        return;
    for (size_t i = 0; i < cfg->tracker_count; i++) {
        if (cfg->trackers[i].reply == CFG_ASKED)
            return;
        all_agree = all_agree && cfg->trackers[i].reply != CFG_SAID_NO;
    }
    decide(cfg, all_agree, out);
}

static void ask(struct cfg *cfg, struct cfg_tracker *tracker, struct outbox *out)
{
    uint8_t *bytes;

    tracker->reply = CFG_ASKED;
    outbox_add(out, OUTBOX_EVENT)->conn = tracker->conn;
    bytes = outbox_head(out, TEST_EVENT_SIZE);
    ipc_put_answer(bytes, TEST_EVENT_ID, TEST_EVENT_SIZE, CS_ERROR_OK);
    ipc_put_u32(bytes, TEST_EVENT_FLAGS, cfg->flags);
}

static uint64_t timeout_ms(const struct cfg *cfg)
{
    uint64_t number;

    if (cfg->keys != NULL && cmap_store_number(cfg->keys, "cfg.shutdown_timeout", CMAP_U32, &number))
        return number;
    return CFG_SHUTDOWN_TIMEOUT_MS;
}

static bool is_alone(const struct cfg *cfg, uint64_t conn)
{
    return cfg->tracker_count == 0 || (cfg->tracker_count == 1 && cfg->trackers[0].conn == conn);
}

void cfg_try_shutdown(struct cfg *cfg, uint64_t conn, uint32_t flags, uint64_t now_ms, struct outbox *out)
{
    if (cfg->shutdown == CFG_ENDING || cfg->shutdown == CFG_ENDED) {
        cfg_answer_short(out, CFG_TRY_SHUTDOWN, conn, CS_ERROR_OK);
        return;
    }
    if (flags > CFG_SHUTDOWN_IMMEDIATE) {
        cfg_answer_short(out, CFG_TRY_SHUTDOWN, conn, CS_ERROR_INVALID_PARAM);
        return;
    }
    if (cfg->shutdown == CFG_ASKING && flags != CFG_SHUTDOWN_IMMEDIATE) {
        cfg_answer_short(out, CFG_TRY_SHUTDOWN, conn, CS_ERROR_EXIST);
        return;
    }
    if (cfg->shutdown == CFG_ASKING) /* somebody will not wait for that */
        cfg_answer_short(out, CFG_TRY_SHUTDOWN, cfg->requester, CS_ERROR_OK);
    if (flags == CFG_SHUTDOWN_IMMEDIATE || is_alone(cfg, conn)) {
        cfg_answer_short(out, CFG_TRY_SHUTDOWN, conn, CS_ERROR_OK);
        begin_end(cfg, out);
        return;
    }
    cfg->shutdown = CFG_ASKING;
    cfg->requester = conn;
    cfg->flags = flags;
    cfg->shutdown_deadline_ms = now_ms + timeout_ms(cfg);
    for (size_t i = 0; i < cfg->tracker_count; i++) {
        cfg->trackers[i].reply = CFG_NOT_ASKED;
        if (cfg->trackers[i].conn != conn)
            ask(cfg, &cfg->trackers[i], out);
    }
}

enum cs_error cfg_reply_shutdown(struct cfg *cfg, uint64_t conn, bool yes, struct outbox *out)
{
    struct cfg_tracker *tracker = tracker_of(cfg, conn);

    if (cfg->shutdown != CFG_ASKING)
        return CS_ERROR_ACCESS;
    if (tracker != NULL && tracker->reply != CFG_NOT_ASKED)
        tracker->reply = yes ? CFG_SAID_YES : CFG_SAID_NO;
    count_replies(cfg, out);
    return CS_ERROR_OK;
}

/* ---- who is asked ---- */

enum q_err cfg_track(struct cfg *cfg, uint64_t conn, struct outbox *out)
{
    struct cfg_tracker *tracker = tracker_of(cfg, conn);

    if (tracker == NULL) {
        if (cfg->tracker_count == cfg->tracker_capacity) {
            size_t capacity = cfg->tracker_capacity == 0 ? 8 : 2 * cfg->tracker_capacity;
            struct cfg_tracker *larger = reallocarray(cfg->trackers, capacity, sizeof(*larger));

            if (larger == NULL)
                return Q_ERR_NO_MEMORY;
            cfg->trackers = larger;
            cfg->tracker_capacity = capacity;
        }
        tracker = &cfg->trackers[cfg->tracker_count++];
        *tracker = (struct cfg_tracker){conn, CFG_NOT_ASKED};
        if (cfg->shutdown == CFG_ASKING && conn != cfg->requester)
            ask(cfg, tracker, out);
    }
    return Q_OK;
}

void cfg_untrack(struct cfg *cfg, uint64_t conn, struct outbox *out)
{
    struct cfg_tracker *tracker = tracker_of(cfg, conn);

    if (tracker == NULL)
        return;
    cfg->tracker_count--;
    memmove(tracker, tracker + 1, (size_t)(&cfg->trackers[cfg->tracker_count] - tracker) * sizeof(*tracker));
    count_replies(cfg, out);
}

void cfg_shutdown_gone(struct cfg *cfg, uint64_t conn, struct outbox *out)
{
    if (cfg->shutdown == CFG_ASKING && cfg->requester == conn) {
        cfg->shutdown = CFG_WORKING;
        cfg->requester = 0;
    }
    cfg_untrack(cfg, conn, out);
}

/* ---- time ---- */

void cfg_shutdown_time(struct cfg *cfg, uint64_t now_ms, struct outbox *out)
{
    if (cfg->shutdown == CFG_ASKING && cfg->shutdown_deadline_ms <= now_ms)
        decide(cfg, false, out);
    if (cfg->shutdown == CFG_ENDING && cfg->shutdown_deadline_ms == 0)
        cfg->shutdown_deadline_ms = now_ms + CFG_LEAVE_PATIENCE_MS;
    else if (cfg->shutdown == CFG_ENDING && cfg->shutdown_deadline_ms <= now_ms)
        leave(cfg, out);
}

uint64_t cfg_deadline_ms(const struct cfg *cfg)
{
    return cfg->shutdown == CFG_ASKING || cfg->shutdown == CFG_ENDING ? cfg->shutdown_deadline_ms
                                                                      : SERVICE_NEVER;
}

void cfg_shutdown(struct cfg *cfg, struct outbox *out)
{
    if (cfg->shutdown == CFG_ASKING)
        cfg_answer_short(out, CFG_TRY_SHUTDOWN, cfg->requester, CS_ERROR_OK);
    if (cfg->shutdown == CFG_WORKING || cfg->shutdown == CFG_ASKING)
        begin_end(cfg, out);
}
