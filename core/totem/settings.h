/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The timers and limits of the ring, under the names of corosync.conf with their units behind (spec/corosync-conf.md section
 * 4, totem-protocol.md section 4): defaults, what is derived from what, and the minima with the packaged words. Pure.
 * The configuration fills in what it was given and leaves the rest 0; totem_settings_complete makes it whole, at the start and
 * whenever a value or the number of nodes changes.
 */
#ifndef QUORATE_CORE_TOTEM_SETTINGS_H
#define QUORATE_CORE_TOTEM_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOTEM_NETMTU_KNET 65536
#define TOTEM_NETMTU_UDP 1500
#define TOTEM_NETMTU_MIN 512 /* ours: below, lists of groups and headers would leave no room for data */

struct totem_settings {
    uint32_t token_ms; /* completed: with the coefficient in it */
    uint32_t token_coefficient_ms;
    bool token_coefficient_given; /* 0 is a value of its own */
    uint32_t token_retransmits_before_loss_const;
    uint32_t token_retransmit_ms;
    uint32_t hold_ms;
    uint32_t join_ms;
    uint32_t send_join_ms; /* 0: do not wait */
    uint32_t consensus_ms;
    uint32_t merge_ms;
    uint32_t downcheck_ms; /* used by the transports */
    uint32_t fail_recv_const;
    uint32_t seqno_unchanged_const;
    uint32_t window_size;
    uint32_t max_messages;
    uint32_t miss_count_const;
    uint32_t heartbeat_failures_allowed; /* 0: no heartbeat */
    uint32_t max_network_delay_ms;
    uint32_t token_warning_percent; /* of token_ms; 0: no warning */
    bool token_warning_given;
    bool cancel_token_hold_on_retransmit;
    uint32_t netmtu; /* largest datagram */
};

/*
 * Fills in what is 0 (and not a value of its own) and derives what depends on other values. `link_nodes` is the number of nodes
 * on link 0, `netmtu` the transport's default. False if a value is out of its range: `why` (of why_size bytes) then is
 * the packaged daemon's sentence, without its prefix.
 */
bool totem_settings_complete(struct totem_settings *settings, uint32_t link_nodes, uint32_t netmtu, char *why,
                             size_t why_size);

/* The heartbeat's timeout in milliseconds; 0 if it is off or would not be shorter than the token's. */
uint32_t totem_settings_heartbeat_ms(const struct totem_settings *settings);

#endif
