/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * udp (spec/totem-wire.md section 11.2): what is for all goes to a multicast group or is broadcast, tokens go to the one
 * node. Everything is sent from the port below the ring's. Tokens and the rest arrive at two sockets, so their order is
 * made up for: a token is looked at after all that has arrived before it.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/transport/ip_address.h"
#include "core/transport/udp_base.h"

struct udp {
    struct udp_base base;
    struct conf_address group;
    struct sockaddr_storage group_endpoint;
    socklen_t group_endpoint_size;
    uint8_t ttl;
    int sender_fd, group_fd, token_fd; /* -1: the interface is down */
    struct inbox tokens;               /* base.inbox is the group's */
};

/* ---- hearing ---- */

static void hand_over(struct udp *u, struct inbox *inbox)
{
    const struct transport_handlers *handlers = &u->base.transport.handlers;
    struct inbox_datagram datagram;

    while (inbox_take(inbox, &datagram))
        /* Broadcasts come back. */
        if (!ip_address_is(&u->base.place.address, datagram.source))
            handlers->on_datagram(handlers->context, datagram.bytes, datagram.size);
}

/* Of both sockets: tokens are read first and handed over last. */
static int32_t on_readable(int32_t fd, int32_t events, void *data)
{
    struct udp *u = data;
    unsigned count;

    (void)fd;
    (void)events;
    inbox_read(&u->tokens, u->token_fd);
    for (unsigned handled = 0; handled < UDP_BUDGET; handled += count) {
        count = inbox_read(&u->base.inbox, u->group_fd);
        hand_over(u, &u->base.inbox);
        if (count < INBOX_BATCH)
            break;
    }
    hand_over(u, &u->tokens);
    return 0;
}

static void drain(struct transport *transport)
{
    struct udp *u = (struct udp *)transport;

    inbox_drop(&u->base.inbox);
    inbox_drop(&u->tokens);
    if (u->base.is_open) {
        inbox_drain(u->group_fd);
        inbox_drain(u->token_fd);
    }
}

/* ---- speaking ---- */

static void send_datagram(struct transport *transport, uint32_t target_node_id, const uint8_t *bytes,
                          size_t size)
{
    struct udp *u = (struct udp *)transport;

    if (target_node_id != 0)
        udp_base_send_to(&u->base, target_node_id, bytes, size);
    else
        outbatch_add(&u->base.batch, &u->group_endpoint, u->group_endpoint_size, bytes, size);
}

/* ---- the interface ---- */

static void close_one(struct udp *u, int *fd)
{
    if (*fd < 0)
        return;
    if (fd != &u->sender_fd)
        qb_loop_poll_del(u->base.transport.loop, *fd);
    close(*fd);
    *fd = -1;
}

static void close_sockets(struct udp_base *base)
{
    struct udp *u = (struct udp *)base;

    base->batch.fd = -1;
    close_one(u, &u->token_fd);
    close_one(u, &u->group_fd);
    close_one(u, &u->sender_fd);
}

static bool listen_to(struct udp *u, int fd)
{
    int result =
        fd < 0 ? 0 : qb_loop_poll_add(u->base.transport.loop, QB_LOOP_HIGH, fd, POLLIN, u, on_readable);

    if (result < 0)
        errno = -result;
    return fd >= 0 && result == 0;
}

static enum q_err open_sockets(struct udp_base *base)
{
    struct udp *u = (struct udp *)base;
    struct udp_place sender = base->place;
    int fault;

    sender.port--;
    u->group_endpoint_size =
        ip_address_to_sockaddr(&u->group, base->place.port, base->place.interface_index, &u->group_endpoint);
    u->sender_fd = udp_socket_open(&sender);
    if (u->sender_fd >= 0 && udp_socket_send_to_group(u->sender_fd, &base->place, &u->group, u->ttl) == 0) {
        u->group_fd = udp_socket_open_group(&base->place, &u->group);
        if (listen_to(u, u->group_fd)) {
            u->token_fd = udp_socket_open(&base->place);
            if (listen_to(u, u->token_fd)) {
                base->batch.fd = u->sender_fd;
                return Q_OK;
            }
        }
    }
    fault = errno;
    close_sockets(base);
    errno = fault;
    return Q_ERR_IO;
}

/* An interface that has lost its addresses for a moment has forgotten its groups. */
static void refresh(struct udp_base *base)
{
    struct udp *u = (struct udp *)base;

    udp_socket_join_again(u->group_fd, &base->place, &u->group);
}

/* ---- begin, change, end ---- */

static enum q_err reconfigure(struct transport *transport, const struct core_config *next, char *why,
                              size_t why_size)
{
    enum q_err err = udp_base_set_peers((struct udp_base *)transport, next);

    if (err != Q_OK)
        snprintf(why, why_size, "no memory for the addresses of %zu nodes", next->node_count);
    return err;
}

static void udp_free(struct transport *transport)
{
    struct udp *u = (struct udp *)transport;

    udp_base_fini(&u->base);
    inbox_fini(&u->tokens);
    free(u);
}

static const struct udp_kind udp_kind = {
    .name = "udp", .open = open_sockets, .close = close_sockets, .refresh = refresh};

static const struct transport_backend udp_backend = {
    .free = udp_free,
    .send = send_datagram,
    .flush = udp_base_flush,
    .drain = drain,
    .get_links = udp_base_get_links,
    .reconfigure = reconfigure,
};

enum q_err transport_new_udp(struct transport **transport, const struct transport_start *start)
{
    const struct core_link *link = &start->config->links[0];
    struct udp *u = calloc(1, sizeof(*u));
    enum q_err err;

    if (u == NULL)
        return Q_ERR_NO_MEMORY;
    u->group = link->multicast;
    u->ttl = link->ttl;
    u->sender_fd = u->group_fd = u->token_fd = -1;
    err = inbox_init(&u->tokens);
    if (err == Q_OK)
        err = udp_base_init(&u->base, &udp_kind, &udp_backend, start);
    if (err != Q_OK) {
        inbox_fini(&u->tokens);
        free(u);
        return err;
    }
    *transport = &u->base.transport;
    return Q_OK;
}
