/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/config/config_start.h"

#include <stdlib.h>
#include <string.h>

#include "core/config/conf_values.h"
#include "core/config/config_ring.h"

/* ---- priority ---- */

bool config_priority_number(const char *priority, int32_t *number)
{
    uint64_t value;

    if (priority[0] == '\0') {
        *number = 0; /* as the packaged daemon reads it */
        return true;
    }
    if (!conf_parse_integer(priority, CMAP_I32, &value))
        return false;
    *number = (int32_t)value;
    return true;
}

static void check_priority(const struct core_config *config, const struct conf_map *map,
                           struct conf_report *report)
{
    const char *priority = config->system.priority;
    int32_t number;

    if (priority == NULL || strcmp(priority, "max") == 0 || strcmp(priority, "min") == 0 ||
        config_priority_number(priority, &number))
        return;
    conf_report_add(report, CONF_ERROR, CONF_STAGE_READ, conf_map_place(map, "system.priority"),
                    "it is max, min or a nice value", "Priority value %s is invalid", priority);
}

/* Where the ring is stricter: the packaged daemon fails with a netmtu of 1 but starts with 100, or with 70000. */
static void check_ring(const struct core_config *config, const struct conf_map *map,
                       struct conf_report *report)
{
    struct totem_settings settings;
    char why[256];

    if (config_ring_settings(config, &map->keys, &settings, why, sizeof(why)) == Q_ERR_INVALID)
        conf_report_add(report, CONF_ERROR, CONF_STAGE_CHECK, conf_map_place(map, "totem.netmtu"), NULL, "%s",
                        why);
}

/* ---- votequorum ---- */

void config_votequorum(const struct core_config *config, struct votequorum_config *votequorum,
                       struct votequorum_config_node nodes[CORE_NODES_MAX])
{
    const struct core_quorum *quorum = &config->quorum;

    for (size_t i = 0; i < config->node_count; i++)
        nodes[i] = (struct votequorum_config_node){config->nodes[i].id, config->nodes[i].votes};
    votequorum_config_default(votequorum);
    votequorum->node_id = config->local_index == SIZE_MAX ? 0 : config->nodes[config->local_index].id;
    votequorum->nodes = nodes;
    votequorum->node_count = config->node_count;
    votequorum->expected_votes = quorum->expected_votes;
    votequorum->votes = quorum->votes;
    votequorum->two_node = quorum->two_node;
    votequorum->has_wait_for_all = quorum->wait_for_all_is_set;
    votequorum->wait_for_all = quorum->wait_for_all_is_set && quorum->wait_for_all;
    votequorum->last_man_standing = quorum->last_man_standing;
    votequorum->last_man_standing_window_ms = quorum->last_man_standing_window_ms;
    votequorum->auto_tie_breaker = quorum->auto_tie_breaker;
    votequorum->auto_tie_breaker_node = quorum->auto_tie_breaker_node;
    votequorum->allow_downscale = quorum->allow_downscale;
    votequorum->expected_votes_tracking = quorum->expected_votes_tracking;
    votequorum->has_device = quorum->device.is_configured;
    votequorum->has_device_votes = quorum->device.votes_are_set;
    votequorum->device_votes = quorum->device.votes;
    votequorum->device_timeout_ms = quorum->device.timeout_ms;
    votequorum->device_sync_timeout_ms = quorum->device.sync_timeout_ms;
}

static void check_votequorum(const struct core_config *config, const struct conf_map *map,
                             struct conf_report *report)
{
    struct votequorum_config_node nodes[CORE_NODES_MAX];
    struct votequorum_config votequorum;
    struct votequorum_settings settings;
    struct votequorum_complaints complaints = {{NULL}};
    enum q_err err;

    config_votequorum(config, &votequorum, nodes);
    votequorum_settings_init(&settings);
    err = votequorum_settings_start(&settings, &votequorum, &complaints);
    report->no_memory |= err == Q_ERR_NO_MEMORY;
    for (size_t i = 0; complaints.texts[i] != NULL; i++)
        conf_report_add(
            report, i == 0 && err == Q_ERR_INVALID ? CONF_ERROR : CONF_WARNING, CONF_STAGE_SERVICE,
            (struct conf_place){.file = conf_map_place(map, "quorum.provider").file, .key = "quorum"}, NULL,
            "%s", complaints.texts[i]);
    votequorum_settings_fini(&settings);
}

void config_start_check(const struct core_config *config, const struct conf_map *map,
                        struct conf_report *report)
{
    const char *provider = config->quorum.provider;

    check_ring(config, map, report);
    check_priority(config, map, report);
    if (provider != NULL && strcmp(provider, "corosync_votequorum") != 0)
        conf_report_add(report, CONF_ERROR, CONF_STAGE_SERVICE, conf_map_place(map, "quorum.provider"),
                        "corosync_votequorum is the only one there is", "Invalid quorum provider");
    else if (provider != NULL)
        check_votequorum(config, map, report);
}
