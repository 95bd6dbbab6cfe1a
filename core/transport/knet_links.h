/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hosts of a knet handle and the links to each of them: makes them what a configuration says, at the start and
 * when it changes, by comparing it with what has been set up so far. Embedded in the transport, owns the table.
 * This node is not among the hosts: nothing comes back to it.
 */
#ifndef QUORATE_CORE_TRANSPORT_KNET_LINKS_H
#define QUORATE_CORE_TRANSPORT_KNET_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libknet.h>

#include "common/err.h"
#include "core/config/core_config.h"

struct knet_link {
    bool exists;
    bool is_sctp;
    uint16_t port;
    struct conf_address source, destination;
    uint8_t priority, pong_count;
    uint32_t ping_interval_ms, ping_timeout_ms, ping_precision;
};

struct knet_host {
    uint32_t node_id;
    bool exists; /* in libknet */
    struct knet_link links[CORE_LINKS_MAX];
};

struct knet_links {
    knet_handle_t handle;
    uint32_t node_id;
    struct knet_host *hosts; /* ascending */
    size_t host_count;
};

void knet_links_init(struct knet_links *links, knet_handle_t handle, uint32_t node_id);
/* Takes everything down, or libknet does not let its handle go. */
void knet_links_fini(struct knet_links *links);

/*
 * What cannot be done is told by `why` (the first) and Q_ERR_IO, the rest is done; what failed is tried again the
 * next time. Q_ERR_NO_MEMORY: nothing has changed.
 */
enum q_err knet_links_set(struct knet_links *links, const struct core_config *config, char *why,
                          size_t why_size);

/* NULL: no such host. */
const struct knet_host *knet_links_find(const struct knet_links *links, uint32_t node_id);

#endif
