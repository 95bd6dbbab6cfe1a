/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How datagrams of the ring get from node to node (spec/totem-wire.md section 11): by libknet over one to eight links,
 * encrypted or not, by UDP to each node (udpu), or by UDP multicast or broadcast (udp). Shell; owned by the daemon, one
 * per process, from its start to its end, on the daemon's loop, whose thread alone may call it. It copies what it needs
 * of a configuration.
 *
 * What a node sends to all does not come back to it: the ring hears itself (core/totem/totem.h). Datagrams may be lost,
 * doubled, reordered or made up by anybody who can send to the node; whoever takes them must expect that.
 */
#ifndef QUORATE_CORE_TRANSPORT_TRANSPORT_H
#define QUORATE_CORE_TRANSPORT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <qb/qbloop.h>

#include "common/err.h"
#include "core/config/config_reload.h"
#include "core/config/core_config.h"
#include "core/services/cmap_store.h"
#include "core/services/link_status.h"

#define TRANSPORT_DATAGRAM_MAX 65536

struct transport;

/*
 * Called from the loop only. They may call any function of this header but transport_free. Bytes are good during the
 * call; when transport_drain is called in it, no datagram that has arrived before follows.
 */
struct transport_handlers {
    void *context;
    void (*on_datagram)(void *context, const uint8_t *bytes, size_t size);
    void (*on_link_up)(void *context); /* udp, udpu: the interface has come back; never from transport_new */
};

/*
 * node_id: of this node, which is in the configuration's list. With udp and udpu an interface that is down is no error:
 * nothing is heard or said until it comes up. Q_ERR_IO, Q_ERR_INVALID, Q_ERR_NO_MEMORY: `why` says in a sentence
 * what cannot be, naming the file or address.
 */
enum q_err transport_new(struct transport **transport, qb_loop_t *loop, const struct core_config *config,
                         uint32_t node_id, const struct transport_handlers *handlers, char *why,
                         size_t why_size);
void transport_free(struct transport *transport);

/*
 * To one node, or to all others (0). It may only be noted here and go out with transport_flush, which is to be called
 * after the sends of a step; the bytes must stay until then. Never blocks and never fails: what cannot be sent is
 * dropped and counted, and the ring asks for it again.
 */
void transport_send(struct transport *transport, uint32_t target_node_id, const uint8_t *bytes, size_t size);
void transport_flush(struct transport *transport);

/* Reads and drops what has arrived. */
void transport_drain(struct transport *transport);

/* How things are now; good until the next call. */
const struct link_status_table *transport_links(struct transport *transport);

/* Sets the keys stats.knet.*, and deletes those of nodes and links that are gone. None for udp and udpu. */
void transport_statistics(struct transport *transport, struct cmap_store *statistics);
void transport_clear_statistics(struct transport *transport);

/* Whether `next` asks for another key, cipher or hash than what was loaded last; reads the key file. */
bool transport_crypto_differs(struct transport *transport, const struct core_config *next);

/*
 * Makes nodes, links and settings those of `next`, which has passed config_reload_compare; other crypto is loaded so that
 * it is understood, but not used for sending before transport_crypto_use. What cannot be done is told by
 * `why` (its first fault) and an error; everything else is done nevertheless.
 */
enum q_err transport_reconfigure(struct transport *transport, const struct core_config *next,
                                 const struct config_tasks *tasks, char *why, size_t why_size);

/* Those settings of the ring that are the transport's, and how much it logs, as they are now. Errors as above. */
enum q_err transport_apply(struct transport *transport, const struct totem_config *totem, char *why, size_t why_size);

/* The two phases of another key (spec/totem-protocol.md section 15.5); without one that waits they do nothing. */
void transport_crypto_use(struct transport *transport);
void transport_crypto_forget(struct transport *transport);

/* Names of the installed plugins of libknet, NULL-terminated; good until the end of the process. */
const char *const *transport_crypto_models(void);
const char *const *transport_compression_models(void);

#endif
