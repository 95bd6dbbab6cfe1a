/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/transport/knet_statistics.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define NODES "stats.knet.node"

struct counter {
    const char *name;
    enum cmap_type type;
    size_t offset;
};

/* All of them are uint64_t. */
#define OF_HANDLE(field)                                                                                     \
    {                                                                                                        \
#field, CMAP_U64, offsetof(struct knet_handle_stats, field)                                          \
    }

static const struct counter handle_counters[] = {
    OF_HANDLE(rx_compress_time_ave),   OF_HANDLE(rx_compress_time_max),
    OF_HANDLE(rx_compress_time_min),   OF_HANDLE(rx_compressed_original_bytes),
    OF_HANDLE(rx_compressed_packets),  OF_HANDLE(rx_compressed_size_bytes),
    OF_HANDLE(rx_crypt_packets),       OF_HANDLE(rx_crypt_time_ave),
    OF_HANDLE(rx_crypt_time_max),      OF_HANDLE(rx_crypt_time_min),
    OF_HANDLE(tx_compress_time_ave),   OF_HANDLE(tx_compress_time_max),
    OF_HANDLE(tx_compress_time_min),   OF_HANDLE(tx_compressed_original_bytes),
    OF_HANDLE(tx_compressed_packets),  OF_HANDLE(tx_compressed_size_bytes),
    OF_HANDLE(tx_crypt_byte_overhead), OF_HANDLE(tx_crypt_packets),
    OF_HANDLE(tx_crypt_time_ave),      OF_HANDLE(tx_crypt_time_max),
    OF_HANDLE(tx_crypt_time_min),      OF_HANDLE(tx_uncompressed_packets),
};

#define OF_LINK8(field)                                                                                      \
    {                                                                                                        \
#field, CMAP_U8, offsetof(struct knet_link_status, field)                                            \
    }
#define OF_LINK32(field)                                                                                     \
    {                                                                                                        \
#field, CMAP_U32, offsetof(struct knet_link_status, stats.field)                                     \
    }
#define OF_LINK64(field)                                                                                     \
    {                                                                                                        \
#field, CMAP_U64, offsetof(struct knet_link_status, stats.field)                                     \
    }

static const struct counter link_counters[] = {
    OF_LINK8(connected),
    OF_LINK32(down_count),
    OF_LINK8(enabled),
    OF_LINK32(latency_ave),
    OF_LINK32(latency_max),
    OF_LINK32(latency_min),
    OF_LINK32(latency_samples),
    {"mtu", CMAP_U32, offsetof(struct knet_link_status, mtu)},
    OF_LINK64(rx_data_bytes),
    OF_LINK64(rx_data_packets),
    OF_LINK64(rx_ping_bytes),
    OF_LINK64(rx_ping_packets),
    OF_LINK64(rx_pmtu_bytes),
    OF_LINK64(rx_pmtu_packets),
    OF_LINK64(rx_pong_bytes),
    OF_LINK64(rx_pong_packets),
    OF_LINK64(rx_total_bytes),
    OF_LINK64(rx_total_packets),
    /* That is what the packaged daemon calls it. */
    {"rx_total_retries", CMAP_U64, offsetof(struct knet_link_status, stats.tx_total_retries)},
    OF_LINK64(tx_data_bytes),
    OF_LINK32(tx_data_errors),
    OF_LINK64(tx_data_packets),
    OF_LINK32(tx_data_retries),
    OF_LINK64(tx_ping_bytes),
    OF_LINK32(tx_ping_errors),
    OF_LINK64(tx_ping_packets),
    OF_LINK32(tx_ping_retries),
    OF_LINK64(tx_pmtu_bytes),
    OF_LINK32(tx_pmtu_errors),
    OF_LINK64(tx_pmtu_packets),
    OF_LINK32(tx_pmtu_retries),
    OF_LINK64(tx_pong_bytes),
    OF_LINK32(tx_pong_errors),
    OF_LINK64(tx_pong_packets),
    OF_LINK32(tx_pong_retries),
    OF_LINK64(tx_total_bytes),
    OF_LINK64(tx_total_errors),
    OF_LINK64(tx_total_packets),
    OF_LINK32(up_count),
};

static uint64_t value_of(const struct counter *counter, const void *values)
{
    const char *at = (const char *)values + counter->offset;
    uint32_t number32;
    uint64_t number64;

    if (counter->type == CMAP_U8)
        return *(const uint8_t *)at;
    if (counter->type == CMAP_U32) {
        memcpy(&number32, at, sizeof(number32));
        return number32;
    }
    memcpy(&number64, at, sizeof(number64));
    return number64;
}

/* A map that is full shows less. */
static void set_all(struct cmap_store *statistics, const char *prefix, const struct counter *counters,
                    size_t count, const void *values)
{
    for (size_t i = 0; i < count; i++) {
        char name[CMAP_NAME_MAX + 1];
        snprintf(name, sizeof(name), "%s.%s", prefix, counters[i].name);
        cmap_store_set_number(statistics, name, counters[i].type, value_of(&counters[i], values), NULL);
    }
}

void knet_statistics_of_handle(struct cmap_store *statistics, const struct knet_handle_stats *values)
{
    set_all(statistics, "stats.knet.handle", handle_counters,
            sizeof(handle_counters) / sizeof(handle_counters[0]), values);
}

void knet_statistics_of_link(struct cmap_store *statistics, uint32_t node_id, size_t link,
                             const struct knet_link_status *values)
{
    char prefix[64];

    snprintf(prefix, sizeof(prefix), NODES "%u.link%zu", node_id, link);
    set_all(statistics, prefix, link_counters, sizeof(link_counters) / sizeof(link_counters[0]), values);
}

static bool is_there(const struct knet_links *links, const char *name)
{
    const struct knet_host *host;
    unsigned node_id, link;

    if (sscanf(name, NODES "%u.link%u.", &node_id, &link) != 2 || link >= CORE_LINKS_MAX)
        return false;
    if (node_id == links->node_id)
        return true;
    host = knet_links_find(links, node_id);
    return host != NULL && host->links[link].exists;
}

void knet_statistics_prune(struct cmap_store *statistics, const struct knet_links *links)
{
    struct cmap_value value;
    char name[CMAP_NAME_MAX + 1] = "";

    for (const char *next = cmap_store_next(statistics, NODES, "", &value); next != NULL;
         next = cmap_store_next(statistics, NODES, name, &value)) {
        snprintf(name, sizeof(name), "%s", next);
        if (!is_there(links, name))
            cmap_store_delete(statistics, name, NULL);
    }
}
