/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libknet's counters as keys stats.knet.*, with the names and types of the packaged daemon. Called by the transport.
 */
#ifndef QUORATE_CORE_TRANSPORT_KNET_STATISTICS_H
#define QUORATE_CORE_TRANSPORT_KNET_STATISTICS_H

#include <libknet.h>

#include "core/services/cmap_store.h"
#include "core/transport/knet_links.h"

/* stats.knet.handle.* */
void knet_statistics_of_handle(struct cmap_store *statistics, const struct knet_handle_stats *values);
/* stats.knet.node<N>.link<L>.* */
void knet_statistics_of_link(struct cmap_store *statistics, uint32_t node_id, size_t link,
                             const struct knet_link_status *values);
/* Deletes the keys of nodes and links that are not there any more; this node's stay. */
void knet_statistics_prune(struct cmap_store *statistics, const struct knet_links *links);

#endif
