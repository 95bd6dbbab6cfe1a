/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What udpu and udp have in common: the nodes' addresses on the one link, batches of datagrams, and the interface that
 * comes and goes. Sockets exist while it is up; while it is down nothing is sent or heard and the ring, which hears
 * itself, shrinks to this node (spec/totem-protocol.md section 10.8). Embedded as the first member of each kind.
 */
#ifndef QUORATE_CORE_TRANSPORT_UDP_BASE_H
#define QUORATE_CORE_TRANSPORT_UDP_BASE_H

#include "core/transport/backend.h"
#include "core/transport/inbox.h"
#include "core/transport/interface_watch.h"
#include "core/transport/outbatch.h"
#include "core/transport/udp_socket.h"

/* Datagrams of one wake-up; others want to be served too. */
#define UDP_BUDGET 128

struct udp_base;

struct udp_kind {
    const char *name;
    /* Opens all sockets, sets outbatch.fd, adds to the loop. Q_ERR_IO: errno, nothing stays open. */
    enum q_err (*open)(struct udp_base *base);
    void (*close)(struct udp_base *base);
    void (*refresh)(struct udp_base *base); /* the interface has changed, but was up and is; NULL: no need */
};

struct udp_peer {
    uint32_t node_id;
    struct conf_address address;
    struct sockaddr_storage endpoint;
    socklen_t endpoint_size;
};

struct udp_base {
    struct transport transport;
    const struct udp_kind *kind;
    struct udp_place place; /* this node */
    struct udp_peer *peers; /* the others, ascending by id */
    size_t peer_count;
    struct interface_watch watch;
    bool is_open;
    uint32_t frame_size; /* bytes of the ring's frames, which are told as the link's MTU */
    struct inbox inbox;
    struct outbatch batch;
};

/* The kind's own fields are set before: open is called if the interface is up. On failure nothing is left behind. */
enum q_err udp_base_init(struct udp_base *base, const struct udp_kind *kind,
                         const struct transport_backend *backend, const struct transport_start *start);
void udp_base_fini(struct udp_base *base);

/* NULL: not in the list, or not on the link. */
const struct udp_peer *udp_base_find(const struct udp_base *base, uint32_t node_id);
/* What has been noted for sending goes out before. Q_ERR_NO_MEMORY: nothing has changed. */
enum q_err udp_base_set_peers(struct udp_base *base, const struct core_config *config);

void udp_base_send_to(struct udp_base *base, uint32_t node_id, const uint8_t *bytes, size_t size);
void udp_base_flush(struct transport *transport);
void udp_base_get_links(struct transport *transport, struct node_link_status *status);

#endif
