/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the services want done, in order: answers and events for clients, messages for all nodes, text for the log, and
 * deeds that only the daemon can carry out. Pure. One per daemon; services append to it in their steps, the stack takes
 * the messages out of it, the shell carries out the rest and resets it.
 *
 * An item is made of a head, copied into the outbox, and a body that somebody else owns (the bytes of a message that was
 * delivered, or of a request): the body must stay until the outbox is reset or, for MULTICAST, until the end of the step.
 */
#ifndef QUORATE_CORE_SERVICES_OUTBOX_H
#define QUORATE_CORE_SERVICES_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "core/services/cs_error.h"

enum outbox_type {
    OUTBOX_ANSWER,    /* to conn: the one answer to its request, header first */
    OUTBOX_EVENT,     /* to conn, header first */
    OUTBOX_MULTICAST, /* to all nodes in order, this one too: an exec message from its header on */
    OUTBOX_SYNC_DONE, /* PROCESS of `service` is done */
    OUTBOX_NOTE,      /* head: text without terminator */
    OUTBOX_TASK       /* task, number; head: text without terminator */
};

enum outbox_level { OUTBOX_DEBUG, OUTBOX_INFO, OUTBOX_NOTICE, OUTBOX_WARNING, OUTBOX_ERROR, OUTBOX_CRITICAL };

enum outbox_task {
    OUTBOX_RELOAD,         /* read the configuration again; STACK_EV_RELOADED answers */
    OUTBOX_REOPEN_LOGS,
    OUTBOX_LEAVE,          /* of cfg, for the stack: an orderly shutdown was decided */
    OUTBOX_EXIT,           /* the ring has been left: end with status 0 */
    OUTBOX_DIE,            /* end now, without goodbye, with an error; text: why */
    OUTBOX_CRYPTO_USE,     /* knet: send with the new key from now on */
    OUTBOX_CRYPTO_FORGET,  /* knet: the former key is of no use any more */
    OUTBOX_KEY_CHANGED,    /* of cmap, for stack and shell: text: a key of the map that a client has changed */
    OUTBOX_STORE_EXPECTED, /* number: the highest expected votes seen, to be kept on disk */
    OUTBOX_CLEAR_STATS,    /* text: knet, ipc, totem, schedmiss or all */
    OUTBOX_UNLINK_FILE,    /* of the client `conn`; text: a path that it has named and that the shell must check */
    OUTBOX_READY           /* the first synchronisation has ended: clients may come */
};

struct outbox_item {
    enum outbox_type type;
    enum outbox_level level;   /* NOTE */
    enum outbox_task task;     /* TASK */
    uint32_t service;          /* NOTE, SYNC_DONE: an id of services (service.h) */
    bool for_this_ring;        /* MULTICAST: of no use once the membership has changed */
    uint64_t conn;             /* ANSWER, EVENT */
    uint64_t number;           /* TASK */
    size_t head_offset;
    size_t head_size;
    const uint8_t *body; /* NULL: none */
    size_t body_size;
};

struct outbox {
    struct outbox_item *items;
    size_t count;
    size_t capacity;
    struct q_buf heads;
    bool no_memory; /* something is missing: the node must stop, it cannot follow the others */
};

void outbox_init(struct outbox *out);
void outbox_fini(struct outbox *out);
/* Empties it for the next step. */
void outbox_reset(struct outbox *out);

/* Zeroed but for the type; valid until the next one. Never NULL. */
struct outbox_item *outbox_add(struct outbox *out, enum outbox_type type);
/* Room for `size` zeroed bytes at the end of the head of the newest item; valid until the next call. Never NULL. */
uint8_t *outbox_head(struct outbox *out, size_t size);
/* The newest item, an event, for another connection too; the bytes are not copied. */
void outbox_repeat(struct outbox *out, uint64_t conn);
/* The bytes of an item's head. */
const uint8_t *outbox_head_of(const struct outbox *out, const struct outbox_item *item);

/* A header-only answer (24 bytes): spec/corosync-ipc.md section 1.2. */
void outbox_answer(struct outbox *out, uint64_t conn, int32_t id, enum cs_error error);
void outbox_note(struct outbox *out, uint32_t service, enum outbox_level level, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* text: NULL for none. */
void outbox_task(struct outbox *out, enum outbox_task task, uint64_t number, const char *text);
void outbox_sync_done(struct outbox *out, uint32_t service);

#endif
