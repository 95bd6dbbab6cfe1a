/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's connection to its arbiter: carries out what the agent decides about it (look up, connect, start TLS, send,
 * close), and reports everything that happens as events for the agent. One connection at a time, in a libqb loop; never
 * blocks. Events of a connection that the agent has closed are not delivered.
 */
#ifndef QUORATE_QDEVICE_ARBITER_LINK_H
#define QUORATE_QDEVICE_ARBITER_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <qb/qbloop.h>

#include "common/message_stream.h"
#include "common/tls/credentials.h"
#include "qdevice/logic/agent.h"
#include "qdevice/resolver.h"

enum arbiter_link_state { ARBITER_LINK_NONE, ARBITER_LINK_CONNECTING, ARBITER_LINK_OPEN, ARBITER_LINK_TLS_DUE, ARBITER_LINK_HANDSHAKE };

struct arbiter_link {
    qb_loop_t *loop;
    struct message_stream_limits limits;
    void (*on_event)(void *context, struct agent_event *event); /* fills in time and randomness */
    void *context;

    struct resolver resolver;
    struct resolver_answer addresses; /* of the newest lookup that brought any */
    uint64_t conn;
    enum arbiter_link_state state;
    struct message_stream stream;     /* unless ARBITER_LINK_NONE */
    int32_t events;                   /* registered */
    struct tls_credentials *credentials; /* for the handshake that is due; a reference of ours */
    bool more_queued;                    /* messages have come for which there was no time */
    char peer[64];
    struct wire_message message;      /* scratch */
};

void arbiter_link_init(struct arbiter_link *link, qb_loop_t *loop, const struct message_stream_limits *limits,
                       void (*on_event)(void *context, struct agent_event *event), void *context);
void arbiter_link_fini(struct arbiter_link *link);

/*
 * Each carries out one action. False: it has failed at once, `text` says why; report it to the agent as the event that the
 * action would have been answered with (RESOLVED without addresses, DISCONNECTED), after all actions of the step.
 */
bool arbiter_link_resolve(struct arbiter_link *link, uint64_t conn, const char *host, uint16_t port, int ip_version,
                          char *text, size_t size);
bool arbiter_link_connect(struct arbiter_link *link, uint64_t conn, uint32_t address, char *text, size_t size);
bool arbiter_link_start_tls(struct arbiter_link *link, struct tls_credentials *credentials, char *text, size_t size);
bool arbiter_link_send(struct arbiter_link *link, const uint8_t *bytes, size_t size, char *text, size_t text_size);
void arbiter_link_close(struct arbiter_link *link, bool goodbye);

/* "192.0.2.1:5403" of the present connection; "" without one. */
const char *arbiter_link_peer(const struct arbiter_link *link);

#endif
