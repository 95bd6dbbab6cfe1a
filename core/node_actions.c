/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/notify.h"
#include "core/client_file.h"
#include "core/logging.h"
#include "core/node_internal.h"

#define WHY_SIZE 512

/* ---- the ring ---- */

static int ring_priority(enum totem_note_level level)
{
    static const int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERR};

    return priorities[level];
}

static void carry_out_ring(struct node *node, const struct totem_action *action)
{
    char why[WHY_SIZE];

    switch (action->type) {
    case TOTEM_ACT_SEND:
        transport_send(node->transport, action->node_id, action->bytes, action->size);
        break;
    case TOTEM_ACT_PERSIST:
        /* What was said before goes out before the disk is waited for. */
        transport_flush(node->transport);
        if (ring_store_save(&node->store, action->ring_seq, why, sizeof(why)) != Q_OK)
            node_die(NODE_EXIT_RING_STORE, why);
        break;
    case TOTEM_ACT_LINGER:
        loop_timer_set_in_us(&node->linger, action->us);
        break;
    case TOTEM_ACT_DRAIN:
        transport_drain(node->transport);
        break;
    case TOTEM_ACT_NOTE:
        logging_text(LOGGING_TOTEM, ring_priority(action->level), (const char *)action->bytes, action->size);
        break;
    case TOTEM_ACT_DELIVER:
    case TOTEM_ACT_CHANGE:
        break; /* the stack's */
    }
}

/* ---- tasks ---- */

/*
 * All nodes have the order to reload, but a packaged one needs some milliseconds to follow it: it has loaded the new key for
 * certain when the token has been around once more, and forgets the old one when it has been around twice.
 */
void node_use_crypto(struct node *node)
{
    if (node->crypto_use_due)
        transport_crypto_use(node->transport);
    node->crypto_use_due = false;
}

static void clear_statistics(struct node *node, const char *what)
{
    bool all = strcmp(what, "all") == 0;

    if (all || strcmp(what, "knet") == 0)
        transport_clear_statistics(node->transport);
    if (all || strcmp(what, "ipc") == 0)
        ipc_server_clear_statistics(node->ipc);
}

static void unlink_file(struct node *node, uint64_t conn, const char *path)
{
    uid_t owner;

    if (!ipc_server_peer(node->ipc, conn, &owner))
        return;
    if (client_file_remove(path, owner) == Q_ERR_INVALID)
        logging_line(LOGGING_CPG, LOG_WARNING,
                     "A client of uid %ld names a file that is no zero-copy buffer of its own: it is left alone", (long)owner);
}

static void on_ready(struct node *node)
{
    (void)node;
    logging_line(LOGGING_MAIN, LOG_NOTICE, "Completed service synchronization, ready to provide service.");
    notify_ready();
}

static void store_expected(struct node *node, uint64_t number)
{
    char why[WHY_SIZE];

    if (ring_store_save_expected(&node->store, (uint32_t)number, why, sizeof(why)) != Q_OK)
        logging_line(LOGGING_VOTEQ, LOG_ERR, "The highest expected votes (%" PRIu64 ") will be forgotten at a restart: %s",
                     number, why);
}

static void carry_out_task(struct node *node, const struct outbox_item *item, const char *text)
{
    switch (item->task) {
    case OUTBOX_RELOAD:
        node->reloads_due++; /* node_step does it next */
        break;
    case OUTBOX_REOPEN_LOGS:
        (void)logging_reopen();
        break;
    case OUTBOX_EXIT:
        node->is_left = true;
        qb_loop_stop(node->loop);
        break;
    case OUTBOX_DIE:
        transport_flush(node->transport);
        node_die(NODE_EXIT_TOLD_TO, text);
    case OUTBOX_CRYPTO_USE:
        node->crypto_use_due = true;
        break;
    case OUTBOX_CRYPTO_FORGET:
        node_use_crypto(node);
        transport_crypto_forget(node->transport);
        break;
    case OUTBOX_KEY_CHANGED:
        node_on_key_changed(node, text);
        break;
    case OUTBOX_STORE_EXPECTED:
        store_expected(node, item->number);
        break;
    case OUTBOX_CLEAR_STATS:
        clear_statistics(node, text);
        break;
    case OUTBOX_UNLINK_FILE:
        unlink_file(node, item->conn, text);
        break;
    case OUTBOX_READY:
        on_ready(node);
        break;
    case OUTBOX_LEAVE:
        break; /* the stack's */
    }
}

/* ---- the services ---- */

static int note_priority(enum outbox_level level)
{
    static const int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERR, LOG_CRIT};

    return priorities[level];
}

static void carry_out_service(struct node *node, const struct outbox_item *item)
{
    const uint8_t *head = outbox_head_of(&node->actions.services, item);
    char text[WHY_SIZE];

    switch (item->type) {
    case OUTBOX_ANSWER:
        ipc_server_send(node->ipc, item->conn, IPC_ANSWER, head, item->head_size, item->body, item->body_size);
        break;
    case OUTBOX_EVENT:
        ipc_server_send(node->ipc, item->conn, IPC_EVENT, head, item->head_size, item->body, item->body_size);
        break;
    case OUTBOX_NOTE:
        logging_text(logging_of_service(item->service), note_priority(item->level), (const char *)head, item->head_size);
        break;
    case OUTBOX_TASK:
        snprintf(text, sizeof(text), "%.*s", (int)item->head_size, (const char *)head);
        carry_out_task(node, item, text);
        break;
    case OUTBOX_MULTICAST:
    case OUTBOX_SYNC_DONE:
        break; /* the stack's */
    }
}

/*
 * The others' datagrams go first, since the ring waits for them; but where the token stays it waits for a client, which
 * hears its message while they are on their way.
 */
void node_carry_out(struct node *node)
{
    bool token_stays = false;

    for (size_t i = 0; i < node->actions.ring.count; i++) {
        carry_out_ring(node, &node->actions.ring.items[i]);
        token_stays = token_stays || node->actions.ring.items[i].type == TOTEM_ACT_LINGER;
    }
    if (!token_stays)
        transport_flush(node->transport);
    for (size_t i = 0; i < node->actions.services.count; i++)
        carry_out_service(node, &node->actions.services.items[i]);
    if (token_stays)
        transport_flush(node->transport);
}
