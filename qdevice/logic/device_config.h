/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From keys to what the device works with: checks every value that spec/qdevice-daemon.md section 5 names, with its
 * defaults and ranges. Pure. A reading either is valid as a whole or is refused with a sentence that names the key, its
 * value and what is allowed; the daemon then keeps the former one (pain point 2).
 */
#ifndef QUORATE_QDEVICE_LOGIC_DEVICE_CONFIG_H
#define QUORATE_QDEVICE_LOGIC_DEVICE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "qdevice/logic/agent.h"
#include "qdevice/logic/keys.h"

#define DEVICE_CONFIG_ERR_SIZE 512
#define HEURISTICS_EXECS_MAX 32 /* default of the setting heuristics_max_execs */

enum heuristics_mode { HEURISTICS_OFF, HEURISTICS_SYNC, HEURISTICS_ON };

struct heuristics_exec {
    char *name;    /* NAME of exec_NAME */
    char *command; /* as configured, newlines turned into blanks */
};

struct heuristics_config {
    enum heuristics_mode mode;
    uint32_t timeout_ms;
    uint32_t sync_timeout_ms;
    uint32_t interval_ms;
    struct heuristics_exec *execs;
    uint32_t exec_count;
};

enum device_debug { DEVICE_DEBUG_OFF, DEVICE_DEBUG_ON, DEVICE_DEBUG_TRACE };

struct device_config {
    struct agent_config agent; /* points into the fields below; instance is left to the daemon */
    uint16_t port;
    int force_ip_version; /* 0, 4 or 6 */
    struct heuristics_config heuristics;
    enum device_debug debug;
    uint32_t sync_timeout_ms;
    char *cluster_name;
    char *host_list[AGENT_HOSTS_MAX];
    struct wire_node_info *node_list;
    char warning[DEVICE_CONFIG_ERR_SIZE]; /* something odd that is no error: "" if nothing */
};

/* What -S sets and the configuration is checked against. */
struct device_limits {
    uint32_t heartbeat_ms_min, heartbeat_ms_max;             /* net_heartbeat_interval_min/max */
    uint32_t connect_timeout_ms_min, connect_timeout_ms_max; /* net_min/max_connect_timeout */
    uint32_t heuristics_timeout_ms_min, heuristics_timeout_ms_max;
    uint32_t heuristics_interval_ms_min, heuristics_interval_ms_max;
    uint32_t heuristics_execs_max;
    bool test_algorithm_enabled;
};

void device_limits_default(struct device_limits *limits);

/* Q_ERR_INVALID with a sentence in err_text; Q_ERR_NO_MEMORY. On success device_config_fini is due. */
enum q_err device_config_parse(const struct keys *keys, const struct device_limits *limits,
                               struct device_config *config, char err_text[DEVICE_CONFIG_ERR_SIZE]);
void device_config_fini(struct device_config *config);

#endif
