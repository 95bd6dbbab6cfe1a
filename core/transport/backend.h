/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a kind of transport does: the operations behind transport.h, and the part of its state that all kinds have. Each
 * kind embeds struct transport as its first member and is made by its own function; transport.c calls the operations.
 */
#ifndef QUORATE_CORE_TRANSPORT_BACKEND_H
#define QUORATE_CORE_TRANSPORT_BACKEND_H

#include "core/transport/transport.h"

/* Operations that a kind has no use for are NULL. */
struct transport_backend {
    void (*free)(struct transport *transport);
    void (*send)(struct transport *transport, uint32_t target_node_id, const uint8_t *bytes, size_t size);
    void (*flush)(struct transport *transport);
    void (*drain)(struct transport *transport);
    /* Fills in one entry, whose node_id is set and whose rest is zero. */
    void (*get_links)(struct transport *transport, struct node_link_status *status);
    void (*get_statistics)(struct transport *transport, struct cmap_store *statistics);
    void (*clear_statistics)(struct transport *transport);
    bool (*crypto_differs)(struct transport *transport, const struct core_config *next);
    enum q_err (*reconfigure)(struct transport *transport, const struct core_config *next, char *why,
                              size_t why_size);
    enum q_err (*apply)(struct transport *transport, const struct totem_config *totem, char *why, size_t why_size);
    void (*crypto_use)(struct transport *transport);
    void (*crypto_forget)(struct transport *transport);
};

struct transport_start {
    qb_loop_t *loop;
    const struct core_config *config;
    uint32_t node_id;
    struct transport_handlers handlers;
    char *why; /* filled in if it fails */
    size_t why_size;
};

struct transport {
    const struct transport_backend *backend;
    qb_loop_t *loop;
    uint32_t node_id;
    struct transport_handlers handlers;
    uint32_t *node_ids;             /* all, ascending, this node among them */
    struct node_link_status *links; /* room for each of them */
    size_t node_count;
    struct link_status_table table;
};

/* The part that all kinds have; it takes over the nodes of the configuration. Q_ERR_NO_MEMORY. */
enum q_err transport_init(struct transport *transport, const struct transport_backend *backend,
                          const struct transport_start *start);
void transport_fini(struct transport *transport);

/* The kinds. The transport is what they have made; NULL if they fail. */
enum q_err transport_new_udpu(struct transport **transport, const struct transport_start *start);
enum q_err transport_new_udp(struct transport **transport, const struct transport_start *start);
enum q_err transport_new_knet(struct transport **transport, const struct transport_start *start);

#endif
