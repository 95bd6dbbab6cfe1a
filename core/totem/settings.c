/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/totem/settings.h"

#include <stdio.h>

#define TIMEOUT_MS_MIN 30
#define HOLD_MS_MIN 14

static void set_default(uint32_t *value, uint64_t otherwise)
{
    if (*value == 0)
        *value = otherwise > UINT32_MAX ? UINT32_MAX : (uint32_t)otherwise;
}

static void fill_in(struct totem_settings *s, uint32_t link_nodes, uint32_t netmtu)
{
    uint64_t token_ms;

    set_default(&s->token_ms, 3000);
    if (!s->token_coefficient_given)
        set_default(&s->token_coefficient_ms, 650);
    token_ms = s->token_ms;
    if (link_nodes > 2)
        token_ms += (uint64_t)(link_nodes - 2) * s->token_coefficient_ms;
    s->token_ms = token_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)token_ms;
    set_default(&s->token_retransmits_before_loss_const, 4);
    /* T / (k + 0.2), in floating point: 1001 and 2 give 454. And 0.8 times that less the length of a kernel tick at 100 Hz. */
    set_default(&s->token_retransmit_ms,
                (uint64_t)((double)s->token_ms / ((double)s->token_retransmits_before_loss_const + 0.2)));
    if (s->token_retransmit_ms > HOLD_MS_MIN)
        set_default(&s->hold_ms, (uint64_t)s->token_retransmit_ms * 8 / 10 > 10
                                     ? (uint64_t)s->token_retransmit_ms * 8 / 10 - 10
                                     : 1);
    set_default(&s->join_ms, 50);
    set_default(&s->consensus_ms, (uint64_t)s->token_ms * 12 / 10);
    set_default(&s->merge_ms, 200);
    set_default(&s->downcheck_ms, 1000);
    set_default(&s->fail_recv_const, 2500);
    set_default(&s->seqno_unchanged_const, 30);
    set_default(&s->window_size, 50);
    set_default(&s->max_messages, 17);
    set_default(&s->miss_count_const, 5);
    set_default(&s->max_network_delay_ms, 50);
    if (!s->token_warning_given)
        set_default(&s->token_warning_percent, 75);
    set_default(&s->netmtu, netmtu);
}

bool totem_settings_complete(struct totem_settings *settings, uint32_t link_nodes, uint32_t netmtu, char *why,
                             size_t why_size)
{
    bool retransmit_given = settings->token_retransmit_ms != 0;

    fill_in(settings, link_nodes, netmtu);
    if (!retransmit_given && settings->token_retransmit_ms < TIMEOUT_MS_MIN && settings->token_ms >= TIMEOUT_MS_MIN) {
        snprintf(why, why_size, "Not appropriate token or token_retransmits_before_loss_const value set");
        return false;
    }
    const struct {
        const char *name;
        uint32_t value;
    } timeouts[] = {
        {"token timeout parameter", settings->token_ms},
        {"token retransmit timeout parameter", settings->token_retransmit_ms},
        {"join timeout parameter", settings->join_ms},
        {"consensus timeout parameter", settings->consensus_ms},
        {"merge timeout parameter", settings->merge_ms},
        {"downcheck timeout parameter", settings->downcheck_ms},
        {"max_network_delay parameter", settings->max_network_delay_ms},
    };
    for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++) {
        if (timeouts[i].value < TIMEOUT_MS_MIN) {
            snprintf(why, why_size, "The %s (%u ms) may not be less than (%d ms).", timeouts[i].name,
                     timeouts[i].value, TIMEOUT_MS_MIN);
            return false;
        }
    }
    if (settings->hold_ms < HOLD_MS_MIN) {
        snprintf(why, why_size, "The token hold timeout parameter (%u ms) may not be less than (%d ms).",
                 settings->hold_ms, HOLD_MS_MIN);
        return false;
    }
    if (settings->consensus_ms < settings->join_ms) {
        snprintf(why, why_size, "The consensus timeout parameter (%u ms) may not be less than join timeout (%u ms).",
                 settings->consensus_ms, settings->join_ms);
        return false;
    }
    if (settings->token_warning_percent > 100) {
        snprintf(why, why_size, "The token warning parameter (%u%%) must be between 0 (disabled) and 100.",
                 settings->token_warning_percent);
        return false;
    }
    if (settings->netmtu < TOTEM_NETMTU_MIN || settings->netmtu > TOTEM_NETMTU_KNET) {
        snprintf(why, why_size, "The netmtu parameter (%u) must be between %d and %d.", settings->netmtu,
                 TOTEM_NETMTU_MIN, TOTEM_NETMTU_KNET);
        return false;
    }
    return true;
}

uint32_t totem_settings_heartbeat_ms(const struct totem_settings *settings)
{
    uint64_t timeout_ms = (uint64_t)settings->heartbeat_failures_allowed * settings->token_retransmit_ms +
                          settings->max_network_delay_ms;

    return settings->heartbeat_failures_allowed > 0 && timeout_ms < settings->token_ms ? (uint32_t)timeout_ms : 0;
}
