/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ring's timers and limits: what the keys of totem. set, what is derived from that, and what the rest defaults to
 * (spec/totem-protocol.md section 4, spec/corosync-conf.md section 4). Pure. Read from a configuration's keys at start
 * and reload, and from the daemon's live keys whenever a client has changed one of them.
 */
#ifndef QUORATE_CORE_CONFIG_TOTEM_CONFIG_H
#define QUORATE_CORE_CONFIG_TOTEM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "core/config/conf_report.h"
#include "core/services/cmap_store.h"

#define TOTEM_COMPRESSION_MODEL_SIZE 64

struct conf_map;

struct totem_config {
    uint32_t token_ms;              /* effective: with the share of each node beyond two */
    uint32_t token_warning_percent; /* 0: off */
    uint32_t token_retransmit_ms;
    uint32_t token_retransmits_before_loss_const;
    uint32_t hold_ms;
    uint32_t join_ms;
    uint32_t send_join_ms;
    uint32_t consensus_ms;
    uint32_t merge_ms;
    uint32_t downcheck_ms;
    uint32_t max_network_delay_ms;
    uint32_t fail_recv_const;            /* visits of the token */
    uint32_t seqno_unchanged_const;      /* visits */
    uint32_t miss_count_const;           /* visits */
    uint32_t window_size;                /* messages per rotation */
    uint32_t max_messages;               /* messages per visit */
    uint32_t heartbeat_failures_allowed; /* 0: off */
    bool cancel_token_hold_on_retransmit;
    bool block_unlisted_ips;
    uint32_t knet_pmtud_interval_s;
    uint32_t knet_mtu;                   /* 0: found out */
    uint32_t knet_compression_threshold; /* bytes; 0: knet's default */
    int32_t knet_compression_level;
    char knet_compression_model[TOTEM_COMPRESSION_MODEL_SIZE]; /* "none" or a plugin's name */
};

/* node_count: members of link 0 in the node list. Keys of another type than theirs count as not set. */
void totem_config_read(struct totem_config *settings, const struct cmap_store *keys, size_t node_count);

/*
 * Adds an error for each rule that is broken, in the order in which the packaged daemon looks; without a map (values
 * that clients have set) the findings name no place.
 */
void totem_config_check(const struct totem_config *settings, const struct cmap_store *keys,
                        const struct conf_map *map, struct conf_report *report);

/*
 * After a client has changed keys of the running daemon: takes over what they say now. Q_ERR_INVALID: it breaks a rule,
 * the report says which, and the settings stay as they are (the packaged daemon says so too, but uses the values).
 */
enum q_err totem_config_update(struct totem_config *settings, const struct cmap_store *keys,
                               size_t node_count, struct conf_report *report);

bool totem_config_equal(const struct totem_config *a, const struct totem_config *b);

/* The keys runtime.config.totem.*, as far as they are not of one link. NO_MEMORY, NO_RESOURCES. */
enum cs_error totem_config_publish(const struct totem_config *settings, struct cmap_store *keys,
                                   struct cmap_changes *changes);

#endif
