/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/transport_lab.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <qb/qbloop.h>
#include <qb/qbutil.h>

#include "common/clock.h"
#include "core/transport/ip_address.h"

#define DEADLINE_MS 20000
#define LOOK_MS 1
#define HEADER_SIZE 17 /* of the ring, and our number */

struct lab_node lab_nodes[LAB_NODES + 1];
qb_loop_t *lab_loop;

/* ---- configuration ---- */

void lab_address(uint32_t id, size_t link, struct conf_address *address)
{
    uint32_t place = (uint32_t)getpid() & 0x3fffff;

    memset(address, 0, sizeof(*address));
    address->family = 4;
    address->bytes[0] = 127;
    address->bytes[1] = (uint8_t)(1 + (place >> 14) % 254);
    address->bytes[2] = (uint8_t)(place >> 6);
    address->bytes[3] = (uint8_t)((place & 0x3f) << 2 | (id - 1));
    /* Links beyond the first are other networks. */
    address->bytes[1] = (uint8_t)(address->bytes[1] ^ (link << 7));
    snprintf(address->text, sizeof(address->text), "%u.%u.%u.%u", address->bytes[0], address->bytes[1],
             address->bytes[2], address->bytes[3]);
}

void lab_set_list(struct lab_node *node, const uint32_t *ids, size_t count)
{
    uint32_t own = (uint32_t)(node - lab_nodes);

    memset(node->list, 0, sizeof(node->list));
    for (size_t i = 0; i < count; i++) {
        node->list[i].id = ids[i];
        for (size_t link = 0; link < CORE_LINKS_MAX; link++)
            if (node->config.links[link].exists)
                lab_address(ids[i], link, &node->list[i].addresses[link]);
        if (ids[i] == own)
            node->config.local_index = i;
    }
    node->config.nodes = node->list;
    node->config.node_count = count;
}

static void set_up(uint32_t id, enum core_transport kind, size_t links)
{
    struct lab_node *node = &lab_nodes[id];
    struct core_config *config = &node->config;

    memset(node, 0, sizeof(*node));
    config->transport = kind;
    config->netmtu = kind == CORE_TRANSPORT_KNET ? 65536 : 1500;
    config->crypto_model = "nss";
    config->crypto_cipher = config->crypto_hash = "none";
    config->totem.block_unlisted_ips = true;
    config->totem.knet_pmtud_interval_s = 30;
    strcpy(config->totem.knet_compression_model, "none");
    config->system.allow_knet_handle_fallback = true;
    for (size_t link = 0; link < links; link++) {
        config->links[link] = (struct core_link){.exists = true,
                                                 .port = (uint16_t)(LAB_PORT + link),
                                                 .ttl = 1,
                                                 .knet_priority = 1,
                                                 .knet_ping_interval_ms = 50,
                                                 .knet_ping_timeout_ms = 400,
                                                 .knet_ping_precision = 2048,
                                                 .knet_pong_count = 1};
        lab_address(id, link, &config->links[link].local);
    }
}

static void open_sinks(struct lab_node *node)
{
    for (size_t link = 0; link < CORE_LINKS_MAX; link++) {
        const struct core_link *l = &node->config.links[link];
        struct sockaddr_storage address;
        socklen_t size;
        node->sinks[link] = -1;
        if (!l->exists)
            continue;
        size = ip_address_to_sockaddr(&l->local, l->port, 0, &address);
        node->sinks[link] = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        /* An address that is not here needs no sink. */
        (void)bind(node->sinks[link], (const struct sockaddr *)(const void *)&address, size);
    }
}

static void close_sinks(struct lab_node *node)
{
    for (size_t link = 0; link < CORE_LINKS_MAX; link++)
        if (node->sinks[link] >= 0)
            close(node->sinks[link]);
}

void lab_init(enum core_transport kind, uint32_t count, size_t links)
{
    const uint32_t ids[LAB_NODES] = {1, 2, 3, 4};

    lab_loop = qb_loop_create();
    assert(lab_loop != NULL && count <= LAB_NODES);
    for (uint32_t id = 1; id <= LAB_NODES; id++) {
        set_up(id, kind, links);
        lab_set_list(&lab_nodes[id], ids, id <= count ? count : LAB_NODES);
        open_sinks(&lab_nodes[id]);
    }
}

void lab_fini(void)
{
    for (uint32_t id = 1; id <= LAB_NODES; id++) {
        lab_stop(id);
        close_sinks(&lab_nodes[id]);
    }
    qb_loop_destroy(lab_loop);
    lab_loop = NULL;
}

/* ---- nodes ---- */

void lab_fill(uint8_t *bytes, size_t size, uint32_t sender, uint32_t target, uint32_t number)
{
    const uint8_t start[5] = {0x70, 0xc0, 3, 1, 2};

    assert(size >= HEADER_SIZE);
    memcpy(bytes, start, sizeof(start));
    memcpy(bytes + 5, &sender, 4);
    memcpy(bytes + 9, &target, 4);
    memcpy(bytes + 13, &number, 4);
    for (size_t i = HEADER_SIZE; i < size; i++)
        bytes[i] = (uint8_t)(number + i * 7 + (i >> 8));
}

static void on_datagram(void *context, const uint8_t *bytes, size_t size)
{
    struct lab_node *node = context;
    uint8_t *expected = malloc(size);
    size_t i = node->heard_count;

    assert(i < LAB_DATAGRAMS_MAX && expected != NULL);
    node->heard[i].size = size;
    if (size >= HEADER_SIZE) {
        memcpy(&node->heard[i].sender, bytes + 5, 4);
        memcpy(&node->heard[i].target, bytes + 9, 4);
        memcpy(&node->heard[i].number, bytes + 13, 4);
        lab_fill(expected, size, node->heard[i].sender, node->heard[i].target, node->heard[i].number);
        node->heard[i].is_intact = memcmp(bytes, expected, size) == 0;
    }
    free(expected);
    node->heard_count++;
    if (node->drains)
        transport_drain(node->transport);
    if (node->on_heard != NULL)
        node->on_heard(node);
}

static void on_link_up(void *context)
{
    ((struct lab_node *)context)->link_up_count++;
}

void lab_start(uint32_t id)
{
    struct lab_node *node = &lab_nodes[id];
    const struct transport_handlers handlers = {
        .context = node, .on_datagram = on_datagram, .on_link_up = on_link_up};
    char why[512];

    assert(node->transport == NULL);
    close_sinks(node);
    if (transport_new(&node->transport, lab_loop, &node->config, id, &handlers, why, sizeof(why)) != Q_OK) {
        fprintf(stderr, "node %u does not start: %s\n", id, why);
        abort();
    }
}

void lab_start_all(uint32_t count)
{
    for (uint32_t id = 1; id <= count; id++)
        lab_start(id);
}

void lab_stop(uint32_t id)
{
    if (lab_nodes[id].transport == NULL)
        return;
    transport_free(lab_nodes[id].transport);
    lab_nodes[id].transport = NULL;
    open_sinks(&lab_nodes[id]);
}

void lab_reconfigure(uint32_t id)
{
    /* As if nodes had come and gone: what has is found out by the transport. */
    const struct config_tasks tasks = {.nodes_added_count = 1, .nodes_removed_count = 1};
    char why[512];

    if (transport_reconfigure(lab_nodes[id].transport, &lab_nodes[id].config, &tasks, why, sizeof(why)) !=
        Q_OK) {
        fprintf(stderr, "node %u does not change: %s\n", id, why);
        abort();
    }
}

void lab_send(uint32_t id, uint32_t target, uint32_t number, size_t size)
{
    uint8_t *bytes = malloc(size);

    assert(bytes != NULL);
    lab_fill(bytes, size, id, target, number);
    transport_send(lab_nodes[id].transport, target, bytes, size);
    transport_flush(lab_nodes[id].transport);
    free(bytes);
}

size_t lab_heard(uint32_t id, uint32_t sender, uint32_t number)
{
    const struct lab_node *node = &lab_nodes[id];
    size_t count = 0;

    for (size_t i = 0; i < node->heard_count; i++)
        count +=
            node->heard[i].sender == sender && node->heard[i].number == number && node->heard[i].is_intact;
    return count;
}

/* ---- waiting ---- */

struct wait {
    bool (*is_so)(void *context);
    void *context;
    uint64_t deadline_ms;
    bool result;
};

static void look(void *data)
{
    struct wait *wait = data;
    qb_loop_timer_handle timer;

    wait->result = wait->is_so != NULL && wait->is_so(wait->context);
    if (wait->result || clock_monotonic_ms() >= wait->deadline_ms)
        qb_loop_stop(lab_loop);
    else
        qb_loop_timer_add(lab_loop, QB_LOOP_LOW, LOOK_MS * QB_TIME_NS_IN_MSEC, wait, look, &timer);
}

static bool run(struct wait *wait)
{
    qb_loop_timer_handle timer;

    qb_loop_timer_add(lab_loop, QB_LOOP_LOW, 0, wait, look, &timer);
    qb_loop_run(lab_loop);
    return wait->result;
}

bool lab_wait(bool (*is_so)(void *context), void *context)
{
    struct wait wait = {
        .is_so = is_so, .context = context, .deadline_ms = clock_monotonic_ms() + DEADLINE_MS};

    return run(&wait);
}

void lab_run_ms(uint32_t ms)
{
    struct wait wait = {.deadline_ms = clock_monotonic_ms() + ms};

    run(&wait);
}

struct heard {
    uint32_t id, sender, number;
};

static bool has_heard(void *context)
{
    const struct heard *heard = context;

    return lab_heard(heard->id, heard->sender, heard->number) > 0;
}

bool lab_wait_heard(uint32_t id, uint32_t sender, uint32_t number)
{
    struct heard heard = {id, sender, number};

    return lab_wait(has_heard, &heard);
}

struct attempt {
    uint32_t from, to, number;
};

static bool is_connected(void *context)
{
    const struct attempt *attempt = context;

    if (lab_heard(attempt->to, attempt->from, attempt->number) > 0)
        return true;
    lab_send(attempt->from, attempt->to, attempt->number, 20);
    return false;
}

bool lab_wait_connected(uint32_t from, uint32_t to)
{
    static uint32_t number = 1u << 30;
    struct attempt attempt = {from, to, number++};

    return lab_wait(is_connected, &attempt);
}
