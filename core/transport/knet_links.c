/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/transport/knet_links.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/logging.h"
#include "core/transport/ip_address.h"

/* ---- what is wanted ---- */

static int compare_hosts(const void *a, const void *b)
{
    uint32_t left = ((const struct knet_host *)a)->node_id, right = ((const struct knet_host *)b)->node_id;

    return (left > right) - (left < right);
}

static void want_link(const struct core_link *link, const struct conf_address *destination,
                      struct knet_link *wanted)
{
    if (!link->exists || link->local.family == 0 || destination->family == 0)
        return;
    *wanted = (struct knet_link){
        .exists = true,
        .is_sctp = link->is_sctp,
        .port = link->port,
        .source = link->local,
        .destination = *destination,
        .priority = link->knet_priority,
        .pong_count = link->knet_pong_count < UINT8_MAX ? (uint8_t)link->knet_pong_count : UINT8_MAX,
        .ping_interval_ms = link->knet_ping_interval_ms,
        .ping_timeout_ms = link->knet_ping_timeout_ms,
        .ping_precision = link->knet_ping_precision,
    };
}

/* All others of the configuration, ascending; none of them exists yet. */
static struct knet_host *want_hosts(const struct knet_links *links, const struct core_config *config,
                                    size_t *count)
{
    struct knet_host *hosts = calloc(config->node_count, sizeof(hosts[0]));

    *count = 0;
    for (size_t i = 0; hosts != NULL && i < config->node_count; i++) {
        const struct core_node *node = &config->nodes[i];
        if (node->id == links->node_id)
            continue;
        assert(node->id <= UINT16_MAX);
        hosts[*count].node_id = node->id;
        for (size_t link = 0; link < CORE_LINKS_MAX; link++)
            want_link(&config->links[link], &node->addresses[link], &hosts[*count].links[link]);
        ++*count;
    }
    if (hosts != NULL)
        qsort(hosts, *count, sizeof(hosts[0]), compare_hosts);
    return hosts;
}

static struct knet_host *find(struct knet_host *hosts, size_t count, uint32_t node_id)
{
    const struct knet_host key = {.node_id = node_id};

    return count == 0 ? NULL : bsearch(&key, hosts, count, sizeof(key), compare_hosts);
}

const struct knet_host *knet_links_find(const struct knet_links *links, uint32_t node_id)
{
    return find(links->hosts, links->host_count, node_id);
}

/* ---- what can fail ---- */

/* One round of changes: its first fault is told, all are logged. */
struct round {
    struct knet_links *links;
    uint8_t policy;
    bool has_failed;
    char *why;
    size_t why_size;
};

static bool succeeds(struct round *round, int result, const char *what, uint32_t node_id, size_t link)
{
    char text[256];

    if (result == 0)
        return true;
    snprintf(text, sizeof(text), "libknet cannot %s node %u link %zu: %s", what, node_id, link,
             strerror(errno));
    logging_line(LOGGING_TOTEM, LOG_ERR, "knet: %s", text);
    if (!round->has_failed)
        snprintf(round->why, round->why_size, "%s", text);
    round->has_failed = true;
    return false;
}

/* ---- taking down ---- */

static bool is_same_path(const struct knet_link *a, const struct knet_link *b)
{
    return a->exists == b->exists && a->is_sctp == b->is_sctp && a->port == b->port &&
           conf_address_equal(&a->source, &b->source) && conf_address_equal(&a->destination, &b->destination);
}

static void remove_link(struct round *round, struct knet_host *host, size_t link)
{
    knet_handle_t handle = round->links->handle;
    knet_node_id_t id = (knet_node_id_t)host->node_id;

    if (!host->links[link].exists)
        return;
    if (succeeds(round, knet_link_set_enable(handle, id, (uint8_t)link, 0), "disable", id, link) &&
        succeeds(round, knet_link_clear_config(handle, id, (uint8_t)link), "clear", id, link))
        host->links[link].exists = false;
}

static void remove_host(struct round *round, struct knet_host *host)
{
    for (size_t link = 0; link < CORE_LINKS_MAX; link++)
        remove_link(round, host, link);
    if (host->exists && succeeds(round, knet_host_remove(round->links->handle, (knet_node_id_t)host->node_id),
                                 "remove", host->node_id, 0))
        host->exists = false;
}

/* ---- setting up ---- */

/* Link-local addresses of IPv6 need to know where. */
static uint32_t interface_of(const struct conf_address *address)
{
    uint32_t index = 0;
    bool is_up;

    if (address->family == 6)
        ip_address_find_interface(address, &index, &is_up);
    return index;
}

static bool tune_link(struct round *round, uint32_t node_id, size_t link, const struct knet_link *wanted)
{
    knet_handle_t handle = round->links->handle;
    knet_node_id_t id = (knet_node_id_t)node_id;
    uint8_t number = (uint8_t)link;

    return succeeds(round, knet_link_set_priority(handle, id, number, wanted->priority),
                    "set the priority of", id, link) &&
           succeeds(round,
                    knet_link_set_ping_timers(handle, id, number, (time_t)wanted->ping_interval_ms,
                                              (time_t)wanted->ping_timeout_ms, wanted->ping_precision),
                    "set the ping timers of", id, link) &&
           succeeds(round, knet_link_set_pong_count(handle, id, number, wanted->pong_count),
                    "set the pong count of", id, link);
}

/* Half a link is taken down again. */
static void add_link(struct round *round, struct knet_host *host, size_t link, const struct knet_link *wanted)
{
    knet_handle_t handle = round->links->handle;
    knet_node_id_t id = (knet_node_id_t)host->node_id;
    struct sockaddr_storage source, destination;
    uint32_t interface_index = interface_of(&wanted->source);
    uint8_t kind = wanted->is_sctp ? KNET_TRANSPORT_SCTP : KNET_TRANSPORT_UDP;

    ip_address_to_sockaddr(&wanted->source, wanted->port, interface_index, &source);
    ip_address_to_sockaddr(&wanted->destination, wanted->port, interface_index, &destination);
    if (!succeeds(round,
                  knet_link_set_config(handle, id, (uint8_t)link, kind, &source, &destination,
                                       KNET_LINK_FLAG_TRAFFICHIPRIO),
                  "set up", id, link))
        return;
    if (tune_link(round, id, link, wanted) &&
        succeeds(round, knet_link_set_enable(handle, id, (uint8_t)link, 1), "enable", id, link))
        host->links[link] = *wanted;
    else
        knet_link_clear_config(handle, id, (uint8_t)link);
}

static bool is_same_tuning(const struct knet_link *a, const struct knet_link *b)
{
    return a->priority == b->priority && a->pong_count == b->pong_count &&
           a->ping_interval_ms == b->ping_interval_ms && a->ping_timeout_ms == b->ping_timeout_ms &&
           a->ping_precision == b->ping_precision;
}

static void set_link(struct round *round, struct knet_host *host, size_t link, const struct knet_link *wanted)
{
    struct knet_link *now = &host->links[link];

    if (now->exists && !is_same_path(now, wanted))
        remove_link(round, host, link);
    if (!now->exists && wanted->exists)
        add_link(round, host, link, wanted);
    else if (now->exists && !is_same_tuning(now, wanted) && tune_link(round, host->node_id, link, wanted))
        *now = *wanted;
}

static void set_host(struct round *round, struct knet_host *host, const struct knet_host *wanted)
{
    knet_handle_t handle = round->links->handle;
    knet_node_id_t id = (knet_node_id_t)host->node_id;

    if (!host->exists) {
        if (!succeeds(round, knet_host_add(handle, id), "add", id, 0))
            return;
        host->exists = true;
        succeeds(round, knet_host_set_policy(handle, id, round->policy), "set the policy of", id, 0);
    }
    for (size_t link = 0; link < CORE_LINKS_MAX; link++)
        set_link(round, host, link, &wanted->links[link]);
}

static uint8_t policy_of(enum core_link_mode mode)
{
    switch (mode) {
    case CORE_LINK_PASSIVE:
        return KNET_LINK_POLICY_PASSIVE;
    case CORE_LINK_ACTIVE:
        return KNET_LINK_POLICY_ACTIVE;
    case CORE_LINK_RR:
        return KNET_LINK_POLICY_RR;
    }
    return KNET_LINK_POLICY_PASSIVE;
}

enum q_err knet_links_set(struct knet_links *links, const struct core_config *config, char *why,
                          size_t why_size)
{
    struct round round = {
        .links = links, .policy = policy_of(config->link_mode), .why = why, .why_size = why_size};
    size_t wanted_count, count;
    struct knet_host *wanted = want_hosts(links, config, &wanted_count);
    struct knet_host *hosts = want_hosts(links, config, &count);

    if (wanted == NULL || hosts == NULL) {
        free(wanted);
        free(hosts);
        return Q_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < links->host_count; i++)
        if (find(wanted, wanted_count, links->hosts[i].node_id) == NULL)
            remove_host(&round, &links->hosts[i]);
    for (size_t i = 0; i < count; i++) {
        const struct knet_host *now = knet_links_find(links, hosts[i].node_id);
        if (now != NULL)
            hosts[i] = *now;
        else
            memset(hosts[i].links, 0, sizeof(hosts[i].links));
        set_host(&round, &hosts[i], &wanted[i]);
    }
    free(wanted);
    free(links->hosts);
    links->hosts = hosts;
    links->host_count = count;
    return round.has_failed ? Q_ERR_IO : Q_OK;
}

void knet_links_init(struct knet_links *links, knet_handle_t handle, uint32_t node_id)
{
    *links = (struct knet_links){.handle = handle, .node_id = node_id};
}

void knet_links_fini(struct knet_links *links)
{
    char why[256];
    struct round round = {.links = links, .why = why, .why_size = sizeof(why)};

    for (size_t i = 0; i < links->host_count; i++)
        remove_host(&round, &links->hosts[i]);
    free(links->hosts);
    *links = (struct knet_links){.handle = links->handle, .node_id = links->node_id};
}
