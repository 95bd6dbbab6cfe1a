/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The quorum section of the configuration, from the keys as they stand to what votequorum works with:
 * defaults, what follows from what, and what contradicts what (spec/votequorum.md section 1, corosync-conf.md
 * section 6). Pure. A struct votequorum_settings owns the list of tie-breaker nodes.
 *
 * At start a contradiction ends the daemon. When the configuration is read again it must not: then what was
 * configured last gives way, and a text says so.
 *
 *   contradiction                                          | at start | later
 *   neither a node list with this node nor expected_votes  | refused  | everything stays as it is
 *   two_node and a device                                  | refused  | no device; if one is registered here, two_node off
 *   a device and last_man_standing, auto_tie_breaker or    | refused  | no device
 *     allow_downscale
 *   expected_votes and a device without votes              | refused  | no device
 *   a device without votes, nodes with other than one      | refused  | no device
 *   expected_votes less than two above the device's votes  | refused  | no device
 *   auto_tie_breaker, last_man_standing, an odd sum of     | refused  | auto_tie_breaker off
 *     votes, no wait_for_all
 *   auto_tie_breaker, an odd sum of votes, no wait_for_all | auto_tie_breaker off
 *   two_node and auto_tie_breaker                          | two_node off
 *   auto_tie_breaker_node that is no list of node ids      | auto_tie_breaker off
 */
#ifndef QUORATE_CORE_SERVICES_VOTEQUORUM_CONFIG_H
#define QUORATE_CORE_SERVICES_VOTEQUORUM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "core/services/votequorum_rules.h"

struct votequorum_config_node {
    uint32_t node_id;
    uint32_t votes; /* nodelist.node.N.quorum_votes, 1 if it is not set */
};

/* One reading of the keys. Strings and arrays belong to the caller. */
struct votequorum_config {
    uint32_t node_id;                           /* this node */
    const struct votequorum_config_node *nodes; /* nodelist */
    size_t node_count;
    uint32_t expected_votes; /* 0: not set */
    uint32_t votes;          /* of this node, if it is not in the node list */
    bool two_node;
    bool has_wait_for_all;
    bool wait_for_all;
    bool last_man_standing;
    uint32_t last_man_standing_window_ms;
    bool auto_tie_breaker;
    const char *auto_tie_breaker_node; /* NULL: not set */
    bool allow_downscale;
    bool expected_votes_tracking;
    uint32_t stored_expected_votes; /* expected_votes_tracking: what was kept on disk; 0: nothing */
    bool has_device;                /* quorum.device.model is not empty */
    bool has_device_votes;
    uint32_t device_votes;
    uint32_t device_timeout_ms;
    uint32_t device_sync_timeout_ms;
};

/* What the keys mean that are not there. */
void votequorum_config_default(struct votequorum_config *config);

struct votequorum_settings {
    struct votequorum_options options; /* its list points to tie_breaker_nodes */
    uint32_t *tie_breaker_nodes;
    uint32_t last_man_standing_window_ms;
    bool wait_for_all_is_implied; /* by two_node: it comes and goes with it */
    bool has_device;              /* configured */
    bool device_can_operate;      /* false: it is configured, but contradicts something */
    uint32_t device_votes;
    uint32_t device_timeout_ms;
    uint32_t device_sync_timeout_ms;
    uint32_t own_votes;
    uint32_t own_expected_votes;
};

/* What is to be told to the administrator; NULL ends. The texts are constant. */
#define VOTEQUORUM_COMPLAINTS_MAX 8
struct votequorum_complaints {
    const char *texts[VOTEQUORUM_COMPLAINTS_MAX + 1];
};

void votequorum_settings_init(struct votequorum_settings *settings);
void votequorum_settings_fini(struct votequorum_settings *settings);

/*
 * At start. Q_ERR_INVALID: refused, the first complaint says why. `settings` is initialised and empty.
 */
enum q_err votequorum_settings_start(struct votequorum_settings *settings, const struct votequorum_config *config,
                                     struct votequorum_complaints *complaints);

/*
 * Later. What is read at start only stays (options except two_node and what follows from it). Q_ERR_INVALID:
 * everything stays as it is, the first complaint says why.
 */
enum q_err votequorum_settings_update(struct votequorum_settings *settings, const struct votequorum_config *config,
                                      bool device_is_registered, struct votequorum_complaints *complaints);

#endif
