/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/config/config_ring.h"

/* 0: not set. */
static uint32_t number_of(const struct cmap_store *keys, const char *name)
{
    uint64_t number;

    return cmap_store_number(keys, name, CMAP_U32, &number) ? (uint32_t)number : 0;
}

static bool is_given(const struct cmap_store *keys, const char *name)
{
    uint64_t number;

    return cmap_store_number(keys, name, CMAP_U32, &number);
}

enum q_err config_ring_settings(const struct core_config *config, const struct cmap_store *keys,
                                struct totem_settings *settings, char *why, size_t why_size)
{
    *settings = (struct totem_settings){
        .token_ms = number_of(keys, "totem.token"),
        .token_coefficient_ms = number_of(keys, "totem.token_coefficient"),
        .token_coefficient_given = is_given(keys, "totem.token_coefficient"),
        .token_retransmits_before_loss_const = number_of(keys, "totem.token_retransmits_before_loss_const"),
        .token_retransmit_ms = number_of(keys, "totem.token_retransmit"),
        .hold_ms = number_of(keys, "totem.hold"),
        .join_ms = number_of(keys, "totem.join"),
        .send_join_ms = number_of(keys, "totem.send_join"),
        .consensus_ms = number_of(keys, "totem.consensus"),
        .merge_ms = number_of(keys, "totem.merge"),
        .downcheck_ms = number_of(keys, "totem.downcheck"),
        .fail_recv_const = number_of(keys, "totem.fail_recv_const"),
        .seqno_unchanged_const = number_of(keys, "totem.seqno_unchanged_const"),
        .window_size = number_of(keys, "totem.window_size"),
        .max_messages = number_of(keys, "totem.max_messages"),
        .miss_count_const = number_of(keys, "totem.miss_count_const"),
        .heartbeat_failures_allowed = number_of(keys, "totem.heartbeat_failures_allowed"),
        .max_network_delay_ms = number_of(keys, "totem.max_network_delay"),
        .token_warning_percent = number_of(keys, "totem.token_warning"),
        .token_warning_given = is_given(keys, "totem.token_warning"),
        .cancel_token_hold_on_retransmit = config->totem.cancel_token_hold_on_retransmit,
        .netmtu = config->netmtu,
    };
    if (!totem_settings_complete(settings, (uint32_t)config->token_node_count, config->netmtu, why, why_size))
        return Q_ERR_INVALID;
    return Q_OK;
}
