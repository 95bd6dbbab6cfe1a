/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/lan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SOCKET_DATAGRAMS_MAX 300 /* beyond, the kernel drops */

static void on_arrival(const struct occurrence *occurrence)
{
    struct lan_datagram *datagram = occurrence->who;
    struct node *node = datagram->to;
    struct world *world = node->world;

    if (datagram->previous != NULL) {
        datagram->previous->next = datagram->next;
    } else {
        world->datagrams = datagram->next;
    }
    if (datagram->next != NULL) {
        datagram->next->previous = datagram->previous;
    }
    world->receive(node, datagram);
}

static uint32_t delay_ms(struct world *world, const struct lan *lan)
{
    if (lan->late_permille > 0 && prng_chance(&world->prng, lan->late_permille)) {
        return prng_below(&world->prng, lan->late_ms_max + 1);
    }
    return prng_below(&world->prng, 2);
}

static void launch(struct node *to, const uint8_t *bytes, size_t size)
{
    struct world *world = to->world;
    struct lan_datagram *datagram = malloc(sizeof *datagram + size);

    assert(datagram != NULL);
    datagram->next = world->datagrams;
    datagram->previous = NULL;
    datagram->to = to;
    datagram->size = size;
    memcpy(datagram->bytes, bytes, size);
    if (world->datagrams != NULL) {
        world->datagrams->previous = datagram;
    }
    world->datagrams = datagram;
    schedule_add(&world->schedule, world->now_ms + delay_ms(world, &to->cluster->lan), on_arrival, datagram, 0, 0, 0);
}

static void send_to(struct node *from, struct node *to, const uint8_t *bytes, size_t size)
{
    const struct lan *lan = &from->cluster->lan;
    struct prng *prng = &from->world->prng;

    if (!to->up || to->color != from->color || (lan->cut[from->index] & node_bit(to)) ||
        (lan->loss_permille > 0 && prng_chance(prng, lan->loss_permille))) {
        return;
    }
    launch(to, bytes, size);
    if (lan->duplicate_permille > 0 && prng_chance(prng, lan->duplicate_permille)) {
        launch(to, bytes, size);
    }
}

void lan_send(struct node *from, uint32_t target, const uint8_t *bytes, size_t size)
{
    struct sim_cluster *cluster = from->cluster;

    for (unsigned i = 0; i < cluster->node_count; i++) {
        struct node *to = &cluster->nodes[i];

        if (to != from && (target == 0 || target == to->id)) {
            send_to(from, to, bytes, size);
        }
    }
}

void lan_free(struct world *world)
{
    while (world->datagrams != NULL) {
        struct lan_datagram *first = world->datagrams;

        world->datagrams = first->next;
        free(first);
    }
}

void lan_socket_put(struct lan_socket *socket, struct lan_datagram *datagram)
{
    if (socket->count == SOCKET_DATAGRAMS_MAX) {
        free(datagram);
        return;
    }
    datagram->next = NULL;
    if (socket->first == NULL) {
        socket->first = datagram;
    } else {
        socket->last->next = datagram;
    }
    socket->last = datagram;
    socket->count++;
}

struct lan_datagram *lan_socket_take(struct lan_socket *socket)
{
    struct lan_datagram *first = socket->first;

    if (first != NULL) {
        socket->first = first->next;
        socket->count--;
    }
    return first;
}

void lan_socket_drain(struct lan_socket *socket)
{
    struct lan_datagram *datagram;

    while ((datagram = lan_socket_take(socket)) != NULL) {
        free(datagram);
    }
}
