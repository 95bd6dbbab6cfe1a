/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/transport/backend.h"

static int compare_ids(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

static enum q_err take_nodes(struct transport *transport, const struct core_config *config)
{
    uint32_t *ids = calloc(config->node_count, sizeof(ids[0]));
    struct node_link_status *links = calloc(config->node_count, sizeof(links[0]));

    if (ids == NULL || links == NULL) {
        free(ids);
        free(links);
        return Q_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < config->node_count; i++)
        ids[i] = config->nodes[i].id;
    qsort(ids, config->node_count, sizeof(ids[0]), compare_ids);
    free(transport->node_ids);
    free(transport->links);
    transport->node_ids = ids;
    transport->links = links;
    transport->node_count = config->node_count;
    return Q_OK;
}

enum q_err transport_init(struct transport *transport, const struct transport_backend *backend,
                          const struct transport_start *start)
{
    transport->backend = backend;
    transport->loop = start->loop;
    transport->node_id = start->node_id;
    transport->handlers = start->handlers;
    return take_nodes(transport, start->config);
}

void transport_fini(struct transport *transport)
{
    free(transport->node_ids);
    free(transport->links);
}

enum q_err transport_new(struct transport **transport, qb_loop_t *loop, const struct core_config *config,
                         uint32_t node_id, const struct transport_handlers *handlers, char *why,
                         size_t why_size)
{
    const struct transport_start start = {.loop = loop,
                                          .config = config,
                                          .node_id = node_id,
                                          .handlers = *handlers,
                                          .why = why,
                                          .why_size = why_size};
    enum q_err err = Q_ERR_INVALID;

    assert(node_id != 0 && config->node_count > 0 && config->local_index < config->node_count);
    snprintf(why, why_size, "%s", "");
    *transport = NULL;
    switch (config->transport) {
    case CORE_TRANSPORT_KNET:
        err = transport_new_knet(transport, &start);
        break;
    case CORE_TRANSPORT_UDPU:
        err = transport_new_udpu(transport, &start);
        break;
    case CORE_TRANSPORT_UDP:
        err = transport_new_udp(transport, &start);
        break;
    }
    if (err == Q_ERR_NO_MEMORY)
        snprintf(why, why_size, "no memory for the transport");
    return err;
}

void transport_free(struct transport *transport)
{
    if (transport != NULL)
        transport->backend->free(transport);
}

void transport_send(struct transport *transport, uint32_t target_node_id, const uint8_t *bytes, size_t size)
{
    assert(size > 0 && size <= TRANSPORT_DATAGRAM_MAX);
    if (target_node_id != transport->node_id)
        transport->backend->send(transport, target_node_id, bytes, size);
}

void transport_flush(struct transport *transport)
{
    transport->backend->flush(transport);
}

void transport_drain(struct transport *transport)
{
    transport->backend->drain(transport);
}

const struct link_status_table *transport_links(struct transport *transport)
{
    memset(transport->links, 0, transport->node_count * sizeof(transport->links[0]));
    for (size_t i = 0; i < transport->node_count; i++) {
        transport->links[i].node_id = transport->node_ids[i];
        transport->backend->get_links(transport, &transport->links[i]);
    }
    transport->table = (struct link_status_table){.nodes = transport->links, .count = transport->node_count};
    return &transport->table;
}

void transport_statistics(struct transport *transport, struct cmap_store *statistics)
{
    if (transport->backend->get_statistics != NULL)
        transport->backend->get_statistics(transport, statistics);
}

void transport_clear_statistics(struct transport *transport)
{
    if (transport->backend->clear_statistics != NULL)
        transport->backend->clear_statistics(transport);
}

bool transport_crypto_differs(struct transport *transport, const struct core_config *next)
{
    return transport->backend->crypto_differs != NULL && transport->backend->crypto_differs(transport, next);
}

enum q_err transport_reconfigure(struct transport *transport, const struct core_config *next,
                                 const struct config_tasks *tasks, char *why, size_t why_size)
{
    enum q_err err;

    snprintf(why, why_size, "%s", "");
    if (tasks->nodes_added_count > 0 || tasks->nodes_removed_count > 0) {
        err = take_nodes(transport, next);
        if (err != Q_OK) {
            snprintf(why, why_size, "no memory for %zu nodes", next->node_count);
            return err;
        }
    }
    return transport->backend->reconfigure(transport, next, why, why_size);
}

enum q_err transport_apply(struct transport *transport, const struct totem_config *totem, char *why, size_t why_size)
{
    snprintf(why, why_size, "%s", "");
    return transport->backend->apply != NULL ? transport->backend->apply(transport, totem, why, why_size) : Q_OK;
}

void transport_crypto_use(struct transport *transport)
{
    if (transport->backend->crypto_use != NULL)
        transport->backend->crypto_use(transport);
}

void transport_crypto_forget(struct transport *transport)
{
    if (transport->backend->crypto_forget != NULL)
        transport->backend->crypto_forget(transport);
}
