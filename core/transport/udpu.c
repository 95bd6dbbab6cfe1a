/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * udpu (spec/totem-wire.md section 11.1): each datagram to all goes to each node by itself. One socket does everything,
 * so that what a node has sent arrives in its order, and the source of each datagram is looked up in the list of nodes.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/logging.h"
#include "core/transport/ip_address.h"
#include "core/transport/source_filter.h"
#include "core/transport/udp_base.h"

struct udpu {
    struct udp_base base;
    int fd; /* -1: the interface is down */
    bool block_unlisted;
    struct ip_set listed; /* the other nodes */
    uint64_t unlisted_count;
};

/* ---- hearing ---- */

static bool is_welcome(struct udpu *u, const struct sockaddr_storage *source)
{
    if (ip_set_has(&u->listed, source))
        return true;
    if (!u->block_unlisted && !ip_address_is(&u->base.place.address, source))
        return true;
    u->unlisted_count++;
    return false;
}

static int32_t on_readable(int32_t fd, int32_t events, void *data)
{
    struct udpu *u = data;
    const struct transport_handlers *handlers = &u->base.transport.handlers;
    struct inbox_datagram datagram;
    unsigned count;

    (void)events;
    for (unsigned handled = 0; handled < UDP_BUDGET; handled += count) {
        count = inbox_read(&u->base.inbox, fd);
        while (inbox_take(&u->base.inbox, &datagram))
            if (is_welcome(u, datagram.source))
                handlers->on_datagram(handlers->context, datagram.bytes, datagram.size);
        if (count < INBOX_BATCH)
            break;
    }
    return 0;
}

static void drain(struct transport *transport)
{
    struct udpu *u = (struct udpu *)transport;

    inbox_drop(&u->base.inbox);
    if (u->fd >= 0)
        inbox_drain(u->fd);
}

/* ---- speaking ---- */

static void send_datagram(struct transport *transport, uint32_t target_node_id, const uint8_t *bytes,
                          size_t size)
{
    struct udp_base *base = (struct udp_base *)transport;

    if (target_node_id != 0) {
        udp_base_send_to(base, target_node_id, bytes, size);
        return;
    }
    for (size_t i = 0; i < base->peer_count; i++)
        outbatch_add(&base->batch, &base->peers[i].endpoint, base->peers[i].endpoint_size, bytes, size);
}

/* ---- the interface ---- */

static size_t list_peers(const struct udpu *u, struct conf_address addresses[CORE_NODES_MAX])
{
    size_t count = 0;

    while (count < u->base.peer_count && count < CORE_NODES_MAX) {
        addresses[count] = u->base.peers[count].address;
        count++;
    }
    return count;
}

/* What the kernel drops makes no room scarce; on_readable looks again, as a filter may be refused. */
static void set_filter(struct udpu *u)
{
    struct conf_address addresses[CORE_NODES_MAX];
    size_t count;

    if (u->fd < 0)
        return;
    count = list_peers(u, addresses);
    if (u->block_unlisted)
        source_filter_set(u->fd, addresses, count);
    else
        source_filter_clear(u->fd);
}

static enum q_err open_socket(struct udp_base *base)
{
    struct udpu *u = (struct udpu *)base;

    u->fd = udp_socket_open(&base->place);
    if (u->fd < 0)
        return Q_ERR_IO;
    int result = qb_loop_poll_add(base->transport.loop, QB_LOOP_HIGH, u->fd, POLLIN, u, on_readable);
    if (result != 0) {
        close(u->fd);
        u->fd = -1;
        errno = -result;
        return Q_ERR_IO;
    }
    base->batch.fd = u->fd;
    set_filter(u);
    return Q_OK;
}

static void close_socket(struct udp_base *base)
{
    struct udpu *u = (struct udpu *)base;

    qb_loop_poll_del(base->transport.loop, u->fd);
    close(u->fd);
    u->fd = -1;
    base->batch.fd = -1;
}

/* ---- begin, change, end ---- */

static enum q_err set_listed(struct udpu *u, const struct core_config *config)
{
    struct conf_address addresses[CORE_NODES_MAX];
    size_t count;

    count = list_peers(u, addresses);
    u->block_unlisted = config->totem.block_unlisted_ips;
    set_filter(u);
    return ip_set_fill(&u->listed, addresses, count);
}

static enum q_err apply(struct transport *transport, const struct totem_config *totem, char *why,
                        size_t why_size)
{
    (void)why;
    (void)why_size;
    ((struct udpu *)transport)->block_unlisted = totem->block_unlisted_ips;
    set_filter((struct udpu *)transport);
    return Q_OK;
}

static enum q_err reconfigure(struct transport *transport, const struct core_config *next, char *why,
                              size_t why_size)
{
    struct udpu *u = (struct udpu *)transport;
    enum q_err err = udp_base_set_peers(&u->base, next);

    if (err == Q_OK)
        err = set_listed(u, next);
    if (err != Q_OK)
        snprintf(why, why_size, "no memory for the addresses of %zu nodes", next->node_count);
    return err;
}

static void udpu_free(struct transport *transport)
{
    struct udpu *u = (struct udpu *)transport;

    if (u->unlisted_count > 0)
        logging_line(LOGGING_TOTEM, LOG_DEBUG,
                     "udpu: %llu datagrams came from addresses that are not in the node list",
                     (unsigned long long)u->unlisted_count);
    udp_base_fini(&u->base);
    ip_set_fini(&u->listed);
    free(u);
}

static const struct udp_kind udpu_kind = {.name = "udpu", .open = open_socket, .close = close_socket};

static const struct transport_backend udpu_backend = {
    .free = udpu_free,
    .send = send_datagram,
    .flush = udp_base_flush,
    .drain = drain,
    .get_links = udp_base_get_links,
    .reconfigure = reconfigure,
    .apply = apply,
};

enum q_err transport_new_udpu(struct transport **transport, const struct transport_start *start)
{
    struct udpu *u = calloc(1, sizeof(*u));
    enum q_err err;

    if (u == NULL)
        return Q_ERR_NO_MEMORY;
    u->fd = -1;
    err = udp_base_init(&u->base, &udpu_kind, &udpu_backend, start);
    if (err != Q_OK) {
        free(u);
        return err;
    }
    err = set_listed(u, start->config);
    if (err != Q_OK) {
        udpu_free(&u->base.transport);
        return err;
    }
    *transport = &u->base.transport;
    return Q_OK;
}
