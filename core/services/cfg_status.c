/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "core/services/cfg_machine.h"
#include "core/services/ipc_wire.h"

#define RINGS_COUNT 24
#define RINGS_NAMES 32
#define RINGS_NAME_SIZE 128
#define RINGS_STATUS 2080
#define RINGS_STATUS_SIZE 512
#define RINGS_SIZE 10272

#define ADDRESSES_FAMILY 24
#define ADDRESSES_COUNT 28
#define ADDRESSES 32
#define ADDRESS_SIZE 16
/* The numbers of this system's <sys/socket.h>, which is nothing for pure code. */
#define FAMILY_IPV4 2
#define FAMILY_IPV6 10

#define NODE_ERROR_SIZE 32
#define NODE_SIZE 4200
#define NODE 24
#define NODE_VERSION (NODE + 0)
#define NODE_ID (NODE + 4)
#define NODE_REACHABLE (NODE + 8)
#define NODE_REMOTE (NODE + 9)
#define NODE_EXTERNAL (NODE + 10)
#define NODE_ONWIRE_MIN (NODE + 11)
#define NODE_ONWIRE_MAX (NODE + 12)
#define NODE_ONWIRE_VERSION (NODE + 13)
#define NODE_LINKS (NODE + 16)
#define LINK_SIZE 520
#define LINK_ENABLED 0
#define LINK_CONNECTED 1
#define LINK_DYNCONNECTED 2
#define LINK_MTU 4
#define LINK_SOURCE 8
#define LINK_DESTINATION (LINK_SOURCE + LINK_STATUS_ADDRESS_SIZE)

static const struct node_link_status *find_node(const struct cfg *cfg, uint32_t node_id)
{
    for (size_t i = 0; cfg->links != NULL && i < cfg->links->count; i++)
        if (cfg->links->nodes[i].node_id == node_id)
            return &cfg->links->nodes[i];
    return NULL;
}

/* ---- links of this node ---- */

/* How this node sees the other over the link. */
static char link_letter(const struct link_status *link)
{
    if (!link->exists)
        return 'd';
    return (char)('0' + (link->enabled ? 1 : 0) + (link->connected ? 2 : 0) + (link->dynconnected ? 4 : 0));
}

/* Only knet looks after its links; else whoever is in the ring is connected. */
static bool sees_links(const struct cfg *cfg)
{
    return cfg->config == NULL || cfg->config->transport == CORE_TRANSPORT_KNET;
}

/* Without knet nobody knows of the others' ends. */
static void put_ring_status(const struct cfg *cfg, size_t link, char status[RINGS_STATUS_SIZE])
{
    if (!sees_links(cfg)) {
        memcpy(status, "OK", 2);
        return;
    }
    for (size_t i = 0; i < cfg->links->count && i < RINGS_STATUS_SIZE - 1; i++) {
        const struct node_link_status *node = &cfg->links->nodes[i];

        status[i] = node->node_id == cfg->node_id ? 'n' : link_letter(&node->links[link]);
    }
}

void cfg_tell_rings(const struct cfg *cfg, uint64_t conn, struct outbox *out)
{
    const struct node_link_status *own = find_node(cfg, cfg->node_id);
    uint8_t *bytes = cfg_answer(out, CFG_RING_STATUS, conn, CS_ERROR_OK, RINGS_SIZE);
    size_t count = 0;

    for (size_t link = 0; own != NULL && link < LINK_STATUS_LINKS; link++) {
        char *name = (char *)bytes + RINGS_NAMES + count * RINGS_NAME_SIZE;
        char *status = (char *)bytes + RINGS_STATUS + count * RINGS_STATUS_SIZE;

        if (!own->links[link].exists)
            continue;
        (void)snprintf(name, RINGS_NAME_SIZE, "%zu %s", link, own->links[link].source);
        put_ring_status(cfg, link, status);
        count++;
    }
    ipc_put_u32(bytes, RINGS_COUNT, (uint32_t)count);
}

/* ---- addresses of a node ---- */

static const struct core_node *configured_node(const struct cfg *cfg, uint32_t node_id)
{
    for (size_t i = 0; cfg->config != NULL && i < cfg->config->node_count; i++)
        if (cfg->config->nodes[i].id == node_id)
            return &cfg->config->nodes[i];
    return NULL;
}

/* An answer has one family: that of the first address, and only what is of it. */
void cfg_tell_addresses(const struct cfg *cfg, uint64_t conn, uint32_t node_id, struct outbox *out)
{
    const struct core_node *node = configured_node(cfg, node_id == 0 ? cfg->node_id : node_id);
    uint8_t addresses[CORE_LINKS_MAX * ADDRESS_SIZE] = {0};
    uint8_t *bytes;
    size_t count = 0;
    int family = 0;

    for (size_t link = 0; node != NULL && link < CORE_LINKS_MAX; link++) {
        const struct conf_address *address = &node->addresses[link];

        if (family == 0)
            family = address->family;
        if (address->family != 0 && address->family == family)
            memcpy(addresses + ADDRESS_SIZE * count++, address->bytes, family == 4 ? 4 : 16);
    }
    if (count == 0) {
        (void)cfg_answer(out, CFG_NODE_ADDRESSES, conn, CS_ERROR_NOT_EXIST, ADDRESSES);
        return;
    }
    bytes = cfg_answer(out, CFG_NODE_ADDRESSES, conn, CS_ERROR_OK, ADDRESSES + ADDRESS_SIZE * count);
    ipc_put_u32(bytes, ADDRESSES_FAMILY, family == 4 ? FAMILY_IPV4 : FAMILY_IPV6);
    ipc_put_u32(bytes, ADDRESSES_COUNT, (uint32_t)count);
    memcpy(bytes + ADDRESSES, addresses, ADDRESS_SIZE * count);
}

/* ---- a node and its links ---- */

bool cfg_has_joined(const struct cfg *cfg, uint32_t node_id)
{
    char key[64];
    const char *status;

    (void)snprintf(key, sizeof(key), "runtime.members.%u.status", node_id);
    status = cfg->keys == NULL ? NULL : cmap_store_text(cfg->keys, key);
    return status != NULL && strcmp(status, "joined") == 0;
}

static void put_address(uint8_t *bytes, const char *address)
{
    memcpy(bytes, address, strnlen(address, LINK_STATUS_ADDRESS_SIZE - 1));
}

static void put_link(uint8_t *bytes, const struct link_status *link, bool is_reachable)
{
    if (!link->exists)
        return;
    ipc_put_u8(bytes, LINK_ENABLED, link->enabled);
    ipc_put_u8(bytes, LINK_CONNECTED, link->connected && is_reachable);
    ipc_put_u8(bytes, LINK_DYNCONNECTED, link->dynconnected);
    ipc_put_u32(bytes, LINK_MTU, link->mtu);
    put_address(bytes + LINK_SOURCE, link->source);
    put_address(bytes + LINK_DESTINATION, link->destination);
}

void cfg_tell_node(const struct cfg *cfg, uint64_t conn, uint32_t node_id, uint32_t version,
                   struct outbox *out)
{
    const struct node_link_status *node = find_node(cfg, node_id);
    bool is_member = sees_links(cfg) || cfg_has_joined(cfg, node_id);
    uint8_t *bytes;

    if (node == NULL || version != 1) {
        (void)cfg_answer(out, CFG_NODE_STATUS, conn,
                         node == NULL ? CS_ERROR_FAILED_OPERATION : CS_ERROR_NOT_SUPPORTED, NODE_ERROR_SIZE);
        return;
    }
    bytes = cfg_answer(out, CFG_NODE_STATUS, conn, CS_ERROR_OK, NODE_SIZE);
    ipc_put_u32(bytes, NODE_VERSION, version);
    ipc_put_u32(bytes, NODE_ID, node_id);
    ipc_put_u8(bytes, NODE_REACHABLE, node->reachable && is_member);
    ipc_put_u8(bytes, NODE_REMOTE, node->remote);
    ipc_put_u8(bytes, NODE_EXTERNAL, node->external);
    ipc_put_u8(bytes, NODE_ONWIRE_MIN, node->onwire_min);
    ipc_put_u8(bytes, NODE_ONWIRE_MAX, node->onwire_max);
    ipc_put_u8(bytes, NODE_ONWIRE_VERSION, node->onwire_version);
    for (size_t link = 0; link < LINK_STATUS_LINKS; link++)
        put_link(bytes + NODE_LINKS + link * LINK_SIZE, &node->links[link], is_member);
}
