/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config_internal.h"

#define PREFIX "totem.interface."

static const char *link_key(size_t link, const char *key, char name[CMAP_NAME_MAX + 1])
{
    snprintf(name, CMAP_NAME_MAX + 1, PREFIX "%zu.%s", link, key);
    return name;
}

static uint64_t number_or(struct config_reading *r, size_t link, const char *key, enum cmap_type type,
                          uint64_t otherwise)
{
    char name[CMAP_NAME_MAX + 1];
    uint64_t number;

    return config_number(r, link_key(link, key, name), type, &number) ? number : otherwise;
}

/* ---- this node's own addresses ---- */

static void set_local(struct config_reading *r, size_t link, const char *key, const char *text)
{
    const struct conf_address *address;
    bool is_wanted;

    address = config_resolve(r, text, &is_wanted);
    if (is_wanted)
        return;
    if (address == NULL) {
        config_fail(r, CONF_STAGE_READ, key,
                    "it must be an address, or a name that resolves to one that ip_version allows",
                    "failed to parse bindnet address '%s'", text);
        return;
    }
    r->config->links[link].local = *address;
    r->config->links[link].local_text = config_keep(r, text);
}

void config_read_local_addresses(struct config_reading *r)
{
    const struct core_node *node;

    if (r->config->local_index == SIZE_MAX)
        return;
    node = &r->config->nodes[r->config->local_index];
    for (size_t link = 0; link < CORE_LINKS_MAX; link++) {
        char key[CMAP_NAME_MAX + 1];
        snprintf(key, sizeof(key), "nodelist.node.%u.ring%zu_addr", node->position, link);
        if (node->address_texts[link] != NULL)
            set_local(r, link, key, node->address_texts[link]);
    }
}

/* ---- interface sections ---- */

/* Links that have keys of their own; with udp only if they also have an address to bind to. */
static void find_sections(struct config_reading *r)
{
    struct cmap_value value;

    for (const char *name = cmap_store_next(r->keys, PREFIX, "", &value); name != NULL;
         name = cmap_store_next(r->keys, PREFIX, name, &value)) {
        char bind_key[CMAP_NAME_MAX + 1];
        char *end;
        unsigned long link = strtoul(name + strlen(PREFIX), &end, 10);
        if (end == name + strlen(PREFIX) || *end != '.')
            continue;
        if (r->config->transport == CORE_TRANSPORT_UDP &&
            (link >= CORE_LINKS_MAX || r->config->links[link].local.family == 0) &&
            cmap_store_text(r->keys, link_key(link, "bindnetaddr", bind_key)) == NULL)
            continue;
        if (link >= CORE_LINKS_MAX) {
            r->highest_link =
                r->link_is_too_high && r->highest_link > link ? r->highest_link : (uint32_t)link;
            r->link_is_too_high = true;
        } else {
            r->section_is_used[link] = true;
            r->config->links[link].exists = true;
        }
    }
}

static void warn_of_old_keys(struct config_reading *r)
{
    struct cmap_value value;
    bool has_nodelist = r->config->node_count > 0;
    char name[CMAP_NAME_MAX + 1];

    for (size_t link = 0; link < CORE_LINKS_MAX; link++) {
        const char *member;
        if (cmap_store_text(r->keys, link_key(link, "bindnetaddr", name)) != NULL && has_nodelist)
            config_warn(r, name, "migrate to the nodelist",
                        "interface section bindnetaddr is used together with nodelist. "
                        "Nodelist one is going to be used.");
        link_key(link, "member.", name);
        member = cmap_store_next(r->keys, name, "", &value);
        if (member != NULL && has_nodelist)
            config_warn(r, member, "migrate to the nodelist",
                        "member section is used together with nodelist. Members ignored.");
        else if (member != NULL)
            config_warn(r, member, "migrate to the nodelist", "member section is deprecated.");
    }
}

static void read_multicast(struct config_reading *r, size_t link)
{
    struct core_link *l = &r->config->links[link];
    char name[CMAP_NAME_MAX + 1];
    const char *text = cmap_store_text(r->keys, link_key(link, "mcastaddr", name));
    const struct conf_address *address;
    bool is_wanted;

    if (text == NULL)
        return;
    address = config_resolve(r, text, &is_wanted);
    if (is_wanted)
        return;
    if (address == NULL) {
        config_fail(r, CONF_STAGE_READ, name,
                    "it must be a numeric address of a family that ip_version allows",
                    "failed to parse mcast address '%s'", text);
        return;
    }
    l->multicast = *address;
    l->multicast_text = config_keep(r, text);
}

static void read_section(struct config_reading *r, size_t link)
{
    struct core_link *l = &r->config->links[link];
    char name[CMAP_NAME_MAX + 1];
    const char *text;
    uint64_t number;

    if (l->local.family == 0) {
        text = cmap_store_text(r->keys, link_key(link, "bindnetaddr", name));
        if (text != NULL)
            set_local(r, link, name, text);
    }
    read_multicast(r, link);
    text = cmap_store_text(r->keys, link_key(link, "broadcast", name));
    l->is_broadcast = text != NULL && strcmp(text, "yes") == 0;
    r->ttl_is_set[link] = config_number(r, link_key(link, "ttl", name), CMAP_U8, &number);
    text = cmap_store_text(r->keys, link_key(link, "knet_transport", name));
    l->is_sctp = text != NULL && strcmp(text, "sctp") == 0;
    if (text != NULL && !l->is_sctp && strcmp(text, "udp") != 0)
        config_fail(r, CONF_STAGE_READ, name, NULL, "Unrecognised knet_transport. expected 'udp' or 'sctp'");
}

void config_read_interfaces(struct config_reading *r)
{
    warn_of_old_keys(r);
    find_sections(r);
    for (size_t link = 0; link < CORE_LINKS_MAX; link++)
        if (r->section_is_used[link])
            read_section(r, link);
}

/* ---- what is not said ---- */

/* The group that udp makes of the cluster's name (spec/totem-wire.md). */
static void generate_multicast(struct config_reading *r, size_t link)
{
    struct core_link *l = &r->config->links[link];
    uint16_t id = 0;

    for (const char *c = r->config->cluster_name; *c != '\0'; c++)
        id = (uint16_t)(id * 2 + (uint16_t)(signed char)*c);
    id = (uint16_t)(id + link);
    memset(&l->multicast, 0, sizeof(l->multicast));
    l->multicast.family = l->local.family;
    if (l->local.family == 6) {
        const uint8_t bytes[16] = {0xff, 0x15, [14] = (uint8_t)(id >> 8), [15] = (uint8_t)id};
        memcpy(l->multicast.bytes, bytes, sizeof(bytes));
        snprintf(l->multicast.text, sizeof(l->multicast.text), "ff15::%x", id);
    } else {
        const uint8_t bytes[4] = {239, 192, (uint8_t)(id >> 8), (uint8_t)(id % 255)};
        memcpy(l->multicast.bytes, bytes, sizeof(bytes));
        snprintf(l->multicast.text, sizeof(l->multicast.text), "239.192.%d.%d", id >> 8, id % 255);
    }
    l->multicast_text = config_keep(r, l->multicast.text);
}

static void set_multicast_default(struct config_reading *r, size_t link)
{
    struct core_link *l = &r->config->links[link];

    if (r->config->transport != CORE_TRANSPORT_UDP || l->local.family == 0)
        return;
    if (l->is_broadcast) {
        l->multicast =
            (struct conf_address){.family = 4, .bytes = {255, 255, 255, 255}, .text = "255.255.255.255"};
        l->multicast_text = config_keep(r, l->multicast.text);
    } else if (l->multicast_text == NULL && r->config->cluster_name != NULL) {
        generate_multicast(r, link);
    }
}

static void set_knet_defaults(struct config_reading *r, size_t link)
{
    struct core_link *l = &r->config->links[link];
    uint32_t token_ms = r->config->totem.token_ms;
    uint64_t interval_ms = number_or(r, link, "knet_ping_interval", CMAP_U32, 0);
    uint64_t timeout_ms = number_or(r, link, "knet_ping_timeout", CMAP_U32, 0);
    uint64_t precision = number_or(r, link, "knet_ping_precision", CMAP_U32, 0);
    uint64_t pong_count = number_or(r, link, "knet_pong_count", CMAP_U32, 0);

    l->knet_priority = (uint8_t)number_or(r, link, "knet_link_priority", CMAP_U8, 1);
    l->knet_pong_count = pong_count != 0 ? (uint32_t)pong_count : 2;
    l->knet_ping_precision = precision != 0 ? (uint32_t)precision : 2048;
    l->knet_ping_timeout_is_set = timeout_ms != 0;
    l->knet_ping_timeout_ms = timeout_ms != 0 ? (uint32_t)timeout_ms : token_ms / l->knet_pong_count;
    l->knet_ping_interval_is_set = interval_ms != 0;
    l->knet_ping_interval_ms =
        interval_ms != 0 ? (uint32_t)interval_ms : (uint32_t)(token_ms / (2 * (uint64_t)l->knet_pong_count));
}

void config_set_link_defaults(struct config_reading *r)
{
    for (size_t link = 0; link < CORE_LINKS_MAX; link++) {
        struct core_link *l = &r->config->links[link];
        bool has_port = l->local.family != 0 || r->section_is_used[link];
        uint16_t port;
        if (!l->exists)
            continue;
        port = (uint16_t)number_or(r, link, "mcastport", CMAP_U16, 0);
        l->port = port != 0   ? port
                  : !has_port ? 0
                              : (uint16_t)(CORE_PORT_DEFAULT + (l->is_broadcast ? 2 * link : link));
        l->ttl = (uint8_t)number_or(r, link, "ttl", CMAP_U8, 1);
        set_multicast_default(r, link);
        set_knet_defaults(r, link);
    }
}
