/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "core/config/config_internal.h"

/* What only shows when all is read (spec/corosync-conf.md section 8, step 4), in the packaged daemon's order. */

static void fail_about_link(struct config_reading *r, size_t link, const char *key, const char *advice,
                            const char *sentence)
{
    char name[CMAP_NAME_MAX + 1];

    snprintf(name, sizeof(name), "totem.interface.%zu.%s", link, key);
    config_fail(r, CONF_STAGE_CHECK, name, advice, "%s for interface %zu", sentence, link);
}

static bool check_interfaces_exist(struct config_reading *r)
{
    bool any = r->link_is_too_high;

    for (size_t link = 0; link < CORE_LINKS_MAX; link++)
        any |= r->config->links[link].exists;
    if (!any)
        config_fail(r, CONF_STAGE_CHECK, NULL, "list the nodes and their ring0_addr in nodelist { node { } }",
                    "No interfaces defined");
    else if (r->config->local_index == SIZE_MAX)
        config_fail(
            r, CONF_STAGE_CHECK, NULL,
            "name or ring0_addr of one node of the nodelist must be this host's name or an address of it",
            "No valid name found for local host");
    else if (r->link_is_too_high)
        config_fail(r, CONF_STAGE_CHECK, NULL, "links have the numbers 0 to 7",
                    "interface ring number %u is bigger than allowed maximum %d", r->highest_link,
                    CORE_LINKS_MAX - 1);
    return r->report->error_count == 0;
}

static bool is_multicast(const struct conf_address *address)
{
    return address->family == 6 ? address->bytes[0] == 0xff : (address->bytes[0] & 0xf0) == 0xe0;
}

static void check_udp_link(struct config_reading *r, size_t link)
{
    const struct core_link *l = &r->config->links[link];

    if (l->multicast_text == NULL)
        fail_about_link(r, link, "mcastaddr", "set totem.cluster_name or mcastaddr",
                        "No multicast address specified");
    else if (l->port == 0)
        fail_about_link(r, link, "mcastport", "this node needs an address on the link",
                        "No multicast port specified");
    else if (!l->is_broadcast && l->multicast.family != l->local.family)
        fail_about_link(r, link, "mcastaddr", "the group and this node's address must be of one family",
                        "Multicast address family does not match bind address family");
    else if (!l->is_broadcast && !is_multicast(&l->multicast))
        fail_about_link(r, link, "mcastaddr", "use an address of 239.0.0.0/8 or ff00::/8",
                        "mcastaddr is not a correct multicast address");
}

static void check_link(struct config_reading *r, size_t link)
{
    const struct core_link *l = &r->config->links[link];

    if (r->config->transport == CORE_TRANSPORT_UDP)
        check_udp_link(r, link);
    else if (l->port == 0)
        fail_about_link(r, link, "mcastport",
                        "the node of this host has no address on a link that others are on",
                        "No multicast port specified");
    if (r->ttl_is_set[link] && r->config->transport != CORE_TRANSPORT_UDP)
        fail_about_link(r, link, "ttl", "leave it out", "Can only set ttl on multicast transport types");
    if (l->knet_priority > 1 && r->config->transport != CORE_TRANSPORT_KNET)
        fail_about_link(r, link, "knet_link_priority", "leave it out",
                        "Can only set link priority on knet transport type");
}

static void check_version(struct config_reading *r)
{
    uint64_t version;

    if (!config_number(r, "totem.version", CMAP_U32, &version) || version != 2)
        config_fail(r, CONF_STAGE_CHECK, "totem.version", "write \"version: 2\" in section totem",
                    "This totem parser can only parse version 2 configurations.");
}

/* ---- links and nodes ---- */

static size_t count_links(const struct core_config *config, size_t *first)
{
    size_t count = 0;

    for (size_t link = CORE_LINKS_MAX; link-- > 0;)
        if (config->links[link].exists) {
            *first = link;
            count++;
        }
    return count;
}

static void check_names(struct config_reading *r)
{
    for (size_t i = 0; i < r->config->node_count; i++) {
        char key[CMAP_NAME_MAX + 1];
        if (r->config->nodes[i].name != NULL)
            continue;
        snprintf(key, sizeof(key), "nodelist.node.%u.name", r->config->nodes[i].position);
        config_fail(r, CONF_STAGE_CHECK, key, "give every node its host's name as name",
                    "for a multi-link configuration, all nodes must have a 'name' attribute");
        return;
    }
}

static void check_member_counts(struct config_reading *r, size_t first)
{
    for (size_t link = first + 1; link < CORE_LINKS_MAX; link++)
        if (r->config->links[link].exists &&
            r->config->links[link].member_count != r->config->links[first].member_count) {
            config_fail(r, CONF_STAGE_CHECK, NULL, "give every node an address on every link",
                        "Not all nodes have the same number of links");
            return;
        }
}

static void check_families(struct config_reading *r, size_t link)
{
    const struct conf_address *first = NULL;

    for (size_t i = 0; i < r->config->node_count; i++) {
        const struct core_node *node = &r->config->nodes[i];
        char key[CMAP_NAME_MAX + 1];
        if (node->addresses[link].family == 0)
            continue;
        if (first == NULL)
            first = &node->addresses[link];
        if (first->family == node->addresses[link].family)
            continue;
        snprintf(key, sizeof(key), "nodelist.node.%u.ring%zu_addr", node->position, link);
        config_fail(r, CONF_STAGE_CHECK, key, "use IPv4 or IPv6 for all nodes of a link",
                    "Nodes for link %zu have different IP families (compared %s with %s)", link,
                    node->addresses[link].text, first->text);
        return;
    }
}

static void check_duplicate_ids(struct config_reading *r)
{
    const struct core_node *nodes = r->config->nodes;

    for (size_t i = 0; i < r->config->node_count; i++)
        for (size_t j = i + 1; j < r->config->node_count; j++) {
            char key[CMAP_NAME_MAX + 1];
            if (nodes[i].id == 0 || nodes[i].id != nodes[j].id)
                continue;
            snprintf(key, sizeof(key), "nodelist.node.%u.nodeid", nodes[j].position);
            config_fail(r, CONF_STAGE_READ, key, "give every node a nodeid of its own",
                        "Nodeid %u appears twice in corosync.conf", nodes[i].id);
            return;
        }
}

static void check_link_mode(struct config_reading *r)
{
    const char *mode = cmap_store_text(r->keys, "totem.link_mode");

    if (mode != NULL && strcmp(mode, "passive") != 0 && strcmp(mode, "active") != 0 &&
        strcmp(mode, "rr") != 0)
        config_fail(r, CONF_STAGE_CHECK, "totem.link_mode", NULL,
                    "The Knet link mode \"%s\" specified is invalid.  It must be active, passive or rr.",
                    mode);
}

static void check_transport(struct config_reading *r, size_t link_count)
{
    struct core_config *config = r->config;

    if (config->transport == CORE_TRANSPORT_KNET)
        return;
    if (link_count > 1)
        config_fail(r, CONF_STAGE_CHECK, "totem.transport", "use knet, or one ring0_addr per node",
                    "%zu is too many configured interfaces for non-Knet transport.", link_count);
    if (strcmp(config->crypto_cipher, "none") != 0 || strcmp(config->crypto_hash, "none") != 0)
        config_fail(r, CONF_STAGE_CHECK, "totem.transport", "use knet, or leave out encryption",
                    "crypto_cipher & crypto_hash are only valid for the Knet transport.");
}

void config_check(struct config_reading *r)
{
    struct core_config *config = r->config;
    size_t first = 0;
    size_t link_count;

    if (!check_interfaces_exist(r))
        return;
    for (size_t link = 0; link < CORE_LINKS_MAX; link++)
        if (config->links[link].exists)
            check_link(r, link);
    check_version(r);
    totem_config_check(&config->totem, r->keys, r->map, r->report);
    link_count = count_links(config, &first);
    if (link_count > 1) {
        check_names(r);
        check_member_counts(r, first);
    }
    for (size_t link = 0; link < CORE_LINKS_MAX; link++)
        check_families(r, link);
    check_duplicate_ids(r);
    check_link_mode(r);
    check_transport(r, link_count);
}
