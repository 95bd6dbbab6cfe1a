/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/transport/udp_base.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/logging.h"
#include "core/transport/ip_address.h"

/* Of an MCAST, twice: what netmtu keeps free (spec/totem-wire.md section 6.2). */
#define FRAME_HEADERS 90

/* ---- the other nodes ---- */

static int compare_peers(const void *a, const void *b)
{
    uint32_t left = ((const struct udp_peer *)a)->node_id, right = ((const struct udp_peer *)b)->node_id;

    return (left > right) - (left < right);
}

const struct udp_peer *udp_base_find(const struct udp_base *base, uint32_t node_id)
{
    const struct udp_peer key = {.node_id = node_id};

    return base->peer_count == 0 ? NULL
                                 : bsearch(&key, base->peers, base->peer_count, sizeof(key), compare_peers);
}

enum q_err udp_base_set_peers(struct udp_base *base, const struct core_config *config)
{
    struct udp_peer *peers = calloc(config->node_count, sizeof(peers[0]));
    size_t count = 0;

    if (peers == NULL)
        return Q_ERR_NO_MEMORY;
    for (size_t i = 0; i < config->node_count; i++) {
        const struct core_node *node = &config->nodes[i];
        struct udp_peer *peer = &peers[count];
        if (node->id == base->transport.node_id || node->addresses[0].family == 0)
            continue;
        peer->node_id = node->id;
        peer->address = node->addresses[0];
        peer->endpoint_size = ip_address_to_sockaddr(&peer->address, base->place.port,
                                                     base->place.interface_index, &peer->endpoint);
        count++;
    }
    qsort(peers, count, sizeof(peers[0]), compare_peers);
    outbatch_send(&base->batch);
    free(base->peers);
    base->peers = peers;
    base->peer_count = count;
    return Q_OK;
}

/* Link-local addresses are of an interface, which may have another number when it comes back. */
static void set_interface(struct udp_base *base, uint32_t index)
{
    base->place.interface_index = index;
    for (size_t i = 0; i < base->peer_count; i++)
        ip_address_to_sockaddr(&base->peers[i].address, base->place.port, index, &base->peers[i].endpoint);
}

/* ---- sending ---- */

void udp_base_send_to(struct udp_base *base, uint32_t node_id, const uint8_t *bytes, size_t size)
{
    const struct udp_peer *peer = udp_base_find(base, node_id);

    if (peer != NULL)
        outbatch_add(&base->batch, &peer->endpoint, peer->endpoint_size, bytes, size);
}

void udp_base_flush(struct transport *transport)
{
    outbatch_send(&((struct udp_base *)transport)->batch);
}

/* ---- the interface ---- */

static void say(const struct udp_base *base, int priority, const char *what, int fault)
{
    char text[IP_ENDPOINT_TEXT_SIZE];

    logging_line(LOGGING_TOTEM, priority, "%s: %s %s%s%s", base->kind->name,
                 ip_endpoint_text(&base->place.address, base->place.port, text), what, fault != 0 ? ": " : "",
                 fault != 0 ? strerror(fault) : "");
}

static bool open_sockets(struct udp_base *base)
{
    set_interface(base, base->watch.index);
    base->is_open = base->kind->open(base) == Q_OK;
    return base->is_open;
}

static void on_interface_change(void *context)
{
    struct udp_base *base = context;
    bool is_other = base->watch.index != base->place.interface_index;

    if (base->is_open && (!base->watch.is_up || is_other)) {
        outbatch_send(&base->batch);
        base->kind->close(base);
        base->is_open = false;
        say(base, LOG_WARNING, "is gone, its interface is down: this node is alone until it comes back", 0);
    } else if (base->is_open && base->kind->refresh != NULL) {
        base->kind->refresh(base);
    }
    if (base->is_open || !base->watch.is_up)
        return;
    if (!open_sockets(base)) {
        say(base, LOG_ERR, "cannot be opened although its interface is up", errno);
        return;
    }
    say(base, LOG_NOTICE, "is there, its interface is up", 0);
    base->transport.handlers.on_link_up(base->transport.handlers.context);
}

/* ---- begin and end ---- */

static enum q_err open_first(struct udp_base *base, const struct transport_start *start)
{
    char text[IP_ENDPOINT_TEXT_SIZE];

    if (base->watch.is_up && open_sockets(base))
        return Q_OK;
    /* The second: an address that exists, but cannot be used yet (IPv6 looks for duplicates first). */
    if (!base->watch.is_up || errno == EADDRNOTAVAIL) {
        say(base, LOG_WARNING, "is not there, its interface is down: this node is alone until it comes up",
            0);
        return Q_OK;
    }
    snprintf(start->why, start->why_size, "%s cannot use %s: %s", base->kind->name,
             ip_endpoint_text(&base->place.address, base->place.port, text), strerror(errno));
    return Q_ERR_IO;
}

enum q_err udp_base_init(struct udp_base *base, const struct udp_kind *kind,
                         const struct transport_backend *backend, const struct transport_start *start)
{
    const struct core_link *link = &start->config->links[0];
    enum q_err err;

    assert(link->exists && link->local.family != 0);
    base->kind = kind;
    base->frame_size = start->config->netmtu > FRAME_HEADERS ? start->config->netmtu - FRAME_HEADERS : 0;
    base->place = (struct udp_place){.address = link->local, .port = link->port};
    outbatch_init(&base->batch);
    err = transport_init(&base->transport, backend, start);
    if (err == Q_OK)
        err = udp_base_set_peers(base, start->config);
    if (err == Q_OK)
        err = inbox_init(&base->inbox);
    if (err == Q_OK) {
        interface_watch_init(&base->watch, start->loop, &link->local, on_interface_change, base);
        err = open_first(base, start);
        if (err != Q_OK)
            interface_watch_fini(&base->watch);
    }
    if (err != Q_OK) {
        inbox_fini(&base->inbox);
        free(base->peers);
        transport_fini(&base->transport);
    }
    return err;
}

void udp_base_fini(struct udp_base *base)
{
    outbatch_send(&base->batch);
    if (base->is_open)
        base->kind->close(base);
    interface_watch_fini(&base->watch);
    inbox_fini(&base->inbox);
    free(base->peers);
    transport_fini(&base->transport);
}

/* ---- status ---- */

/* What the packaged daemon tells: the node's own address, and no other; whether it answers, the membership must say. */
void udp_base_get_links(struct transport *transport, struct node_link_status *status)
{
    const struct udp_base *base = (const struct udp_base *)transport;
    const struct udp_peer *peer = udp_base_find(base, status->node_id);
    bool is_here = status->node_id == transport->node_id;
    struct link_status *link = &status->links[0];

    if (peer == NULL && !is_here)
        return;
    status->reachable = is_here || base->is_open;
    link->exists = true;
    link->enabled = true;
    link->connected = is_here || base->is_open;
    link->mtu = base->frame_size;
    snprintf(link->source, sizeof(link->source), "%s",
             is_here ? base->place.address.text : peer->address.text);
}
