/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/config/config_reload.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define RECREATE                                                                                             \
    "To reconfigure an interface it must be deleted and recreated. "                                         \
    "A working interface needs to be available to corosync at all times"

static const char *const fixed_keys[] = {
    "totem.version",
    "totem.threads",
    "totem.ip_version",
    "totem.rrp_mode",
    "totem.netmtu",
    "totem.transport",
    "totem.cluster_name",
    "quorum.provider",
    "system.move_to_root_cgroup",
    "system.allow_knet_handle_fallback",
    "system.sched_rr",
    "system.priority",
    "system.qb_ipc_type",
    "system.state_dir",
};

/* Below these a key that is no longer in the files goes; the last one is derived from such keys. */
static const char *const swept_prefixes[] = {
    "logging.",
    "totem.",
    "nodelist.",
    "quorum.",
    "nozzle.",
    "uidgid.config.",
    "runtime.config.totem.interface.",
};

static void warn(struct conf_report *report, const struct conf_map *map, const char *key, const char *advice,
                 const char *text)
{
    conf_report_add(report, CONF_WARNING, CONF_STAGE_READ, conf_map_place(map, key), advice, "%s", text);
}

static void fail(struct conf_report *report, const struct conf_map *map, const char *key, const char *advice,
                 const char *text)
{
    conf_report_add(report, CONF_ERROR, CONF_STAGE_READ, conf_map_place(map, key), advice, "%s", text);
}

/* ---- fixed keys ---- */

static enum q_err keep_fixed(struct conf_map *map, const struct cmap_store *live, const char *key,
                             struct conf_report *report)
{
    struct cmap_value now = {.type = CMAP_NONE};
    struct cmap_value next = {.type = CMAP_NONE};
    enum cs_error error;
    char text[256];

    cmap_store_get(live, key, &now);
    cmap_store_get(&map->keys, key, &next);
    if (cmap_value_equal(&now, &next))
        return Q_OK;
    snprintf(text, sizeof(text), "Modified entry '%s' in corosync.conf cannot be changed at run-time", key);
    warn(report, map, key, "it takes effect when the daemon is started again", text);
    error = now.type == CMAP_NONE ? cmap_store_delete(&map->keys, key, NULL)
                                  : cmap_store_set(&map->keys, key, now, NULL);
    return error == CS_ERROR_OK ? Q_OK : Q_ERR_NO_MEMORY;
}

enum q_err config_reload_keep_fixed(struct conf_map *map, const struct cmap_store *live,
                                    struct conf_report *report)
{
    for (size_t i = 0; i < COUNT(fixed_keys); i++) {
        enum q_err err = keep_fixed(map, live, fixed_keys[i], report);
        if (err != Q_OK)
            return err;
    }
    return Q_OK;
}

/* ---- what is refused ---- */

static const struct core_node *find_node(const struct core_config *config, uint32_t id)
{
    for (size_t i = 0; i < config->node_count; i++)
        if (config->nodes[i].id == id)
            return &config->nodes[i];
    return NULL;
}

/* A node that stays keeps its address on a link that stays. */
static void check_addresses(const struct core_config *now, const struct core_config *next,
                            const struct conf_map *map, struct conf_report *report)
{
    for (size_t i = 0; i < next->node_count; i++) {
        const struct core_node *node = &next->nodes[i];
        const struct core_node *before = find_node(now, node->id);
        for (size_t link = 0; before != NULL && link < CORE_LINKS_MAX; link++) {
            char key[CMAP_NAME_MAX + 1];
            char text[512];
            if (node->addresses[link].family == 0 || before->addresses[link].family == 0 ||
                conf_address_equal(&node->addresses[link], &before->addresses[link]))
                continue;
            snprintf(key, sizeof(key), "nodelist.node.%u.ring%zu_addr", node->position, link);
            snprintf(text, sizeof(text),
                     "new config has different address for link %zu (addr changed from %s to %s). "
                     "Internal value was NOT changed.",
                     link, before->addresses[link].text, node->addresses[link].text);
            fail(report, map, key, RECREATE, text);
        }
    }
}

static void check_links(const struct core_config *now, const struct core_config *next,
                        const struct conf_map *map, struct conf_report *report)
{
    for (size_t link = 0; link < CORE_LINKS_MAX; link++) {
        char key[CMAP_NAME_MAX + 1];
        char text[256];
        if (!now->links[link].exists || !next->links[link].exists ||
            now->links[link].is_sctp == next->links[link].is_sctp)
            continue;
        snprintf(key, sizeof(key), "totem.interface.%zu.knet_transport", link);
        snprintf(text, sizeof(text),
                 "New config has different knet transport for link %zu. Internal value was NOT changed.",
                 link);
        fail(report, map, key, RECREATE, text);
    }
}

/* This node may not leave, and not become another. */
static void check_local_node(const struct core_config *now, const struct core_config *next,
                             const struct conf_map *map, struct conf_report *report)
{
    const struct core_node *local = &now->nodes[now->local_index];
    const struct core_node *same_place = &next->nodes[next->local_index];
    char key[CMAP_NAME_MAX + 1];
    char text[256];

    if (same_place->id == local->id)
        return;
    snprintf(key, sizeof(key), "nodelist.node.%u.nodeid", same_place->position);
    snprintf(text, sizeof(text), "The id of this node cannot change from %u to %u while it runs", local->id,
             same_place->id);
    fail(report, map, key, "stop the daemon, change the list everywhere, and start it again", text);
}

/* ---- what waits for the next start ---- */

static void delay(const char *key, const struct conf_map *map, struct conf_report *report)
{
    char text[256];

    snprintf(text, sizeof(text), "%s cannot be changed at run-time", key);
    warn(report, map, key, "it takes effect when the daemon is started again", text);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void keep_flag(bool now, bool *next, const char *key, const struct conf_map *map,
                      struct conf_report *report)
{
    if (now != *next)
        delay(key, map, report);
    *next = now;
}

static void delay_quorum(const struct core_quorum *now, struct core_quorum *next, const struct conf_map *map,
                         struct conf_report *report)
{
    /* what two_node implies is not in the file, and goes with two_node */
    if (now->wait_for_all_is_set || next->wait_for_all_is_set)
        keep_flag(now->wait_for_all, &next->wait_for_all, "quorum.wait_for_all", map, report);
    keep_flag(now->last_man_standing, &next->last_man_standing, "quorum.last_man_standing", map, report);
    keep_flag(now->auto_tie_breaker, &next->auto_tie_breaker, "quorum.auto_tie_breaker", map, report);
    keep_flag(now->allow_downscale, &next->allow_downscale, "quorum.allow_downscale", map, report);
    keep_flag(now->expected_votes_tracking, &next->expected_votes_tracking, "quorum.expected_votes_tracking",
              map, report);
    if (now->last_man_standing_window_ms != next->last_man_standing_window_ms)
        delay("quorum.last_man_standing_window", map, report);
    next->last_man_standing_window_ms = now->last_man_standing_window_ms;
    if (!same_text(now->auto_tie_breaker_node, next->auto_tie_breaker_node))
        delay("quorum.auto_tie_breaker_node", map, report);
}

static void delay_links(const struct core_config *now, struct core_config *next, const struct conf_map *map,
                        struct conf_report *report)
{
    if (now->link_mode != next->link_mode)
        delay("totem.link_mode", map, report);
    next->link_mode = now->link_mode;
    for (size_t link = 0; link < CORE_LINKS_MAX; link++) {
        struct core_link *l = &next->links[link];
        char key[CMAP_NAME_MAX + 1];
        if (!l->exists || !now->links[link].exists || l->port == now->links[link].port)
            continue;
        snprintf(key, sizeof(key), "totem.interface.%zu.mcastport", link);
        warn(report, map, key,
             "remove the link from all configurations, reload, then add it with the other port",
             "The port of a link cannot be changed at run-time");
        l->port = now->links[link].port;
    }
}

/* ---- what is to be done ---- */

static void compare_links(const struct core_config *now, const struct core_config *next,
                          struct config_tasks *tasks)
{
    for (size_t link = 0; link < CORE_LINKS_MAX; link++) {
        const struct core_link *before = &now->links[link];
        const struct core_link *after = &next->links[link];
        uint8_t bit = (uint8_t)(1 << link);
        if (before->exists && !after->exists)
            tasks->links_removed |= bit;
        else if (!before->exists && after->exists)
            tasks->links_added |= bit;
        else if (before->exists && (before->knet_priority != after->knet_priority ||
                                    before->knet_ping_interval_ms != after->knet_ping_interval_ms ||
                                    before->knet_ping_timeout_ms != after->knet_ping_timeout_ms ||
                                    before->knet_ping_precision != after->knet_ping_precision ||
                                    before->knet_pong_count != after->knet_pong_count))
            tasks->links_changed |= bit;
    }
}

static void compare_nodes(const struct core_config *now, const struct core_config *next,
                          struct config_tasks *tasks)
{
    for (size_t i = 0; i < next->node_count; i++) {
        const struct core_node *before = find_node(now, next->nodes[i].id);
        if (before == NULL)
            tasks->nodes_added[tasks->nodes_added_count++] = next->nodes[i].id;
        else if (before->votes != next->nodes[i].votes)
            tasks->quorum = true;
    }
    for (size_t i = 0; i < now->node_count; i++)
        if (find_node(next, now->nodes[i].id) == NULL)
            tasks->nodes_removed[tasks->nodes_removed_count++] = now->nodes[i].id;
    tasks->quorum |= tasks->nodes_added_count > 0 || tasks->nodes_removed_count > 0;
}

static bool same_quorum(const struct core_quorum *a, const struct core_quorum *b)
{
    return a->expected_votes == b->expected_votes && a->votes == b->votes && a->two_node == b->two_node &&
           a->wait_for_all == b->wait_for_all && same_text(a->device.model, b->device.model) &&
           a->device.votes_are_set == b->device.votes_are_set && a->device.votes == b->device.votes &&
           a->device.timeout_ms == b->device.timeout_ms &&
           a->device.sync_timeout_ms == b->device.sync_timeout_ms;
}

static bool same_log_target(const struct core_log_target *a, const struct core_log_target *b)
{
    return same_text(a->subsystem, b->subsystem) && a->to_stderr == b->to_stderr &&
           a->to_syslog == b->to_syslog && a->to_logfile == b->to_logfile &&
           same_text(a->logfile, b->logfile) && a->syslog_facility == b->syslog_facility &&
           a->syslog_priority == b->syslog_priority && a->logfile_priority == b->logfile_priority &&
           a->debug == b->debug;
}

static bool same_logging(const struct core_logging *a, const struct core_logging *b)
{
    if (a->target_count != b->target_count || a->timestamp != b->timestamp || a->fileline != b->fileline ||
        a->function_name != b->function_name || a->blackbox != b->blackbox)
        return false;
    for (size_t i = 0; i < a->target_count; i++)
        if (!same_log_target(&a->targets[i], &b->targets[i]))
            return false;
    return true;
}

enum q_err config_reload_compare(const struct core_config *now, struct core_config *next,
                                 const struct conf_map *next_map, struct config_tasks *tasks,
                                 struct conf_report *report)
{
    memset(tasks, 0, sizeof(*tasks));
    check_local_node(now, next, next_map, report);
    check_addresses(now, next, next_map, report);
    check_links(now, next, next_map, report);
    if (report->no_memory)
        return Q_ERR_NO_MEMORY;
    if (report->error_count > 0)
        return Q_ERR_INVALID;
    delay_links(now, next, next_map, report);
    delay_quorum(&now->quorum, &next->quorum, next_map, report);
    compare_links(now, next, tasks);
    compare_nodes(now, next, tasks);
    tasks->totem = !totem_config_equal(&now->totem, &next->totem);
    tasks->crypto = !same_text(now->crypto_model, next->crypto_model) ||
                    !same_text(now->crypto_cipher, next->crypto_cipher) ||
                    !same_text(now->crypto_hash, next->crypto_hash) ||
                    !same_text(now->key_file, next->key_file) || !same_text(now->key_text, next->key_text);
    tasks->quorum |= !same_quorum(&now->quorum, &next->quorum);
    tasks->logging = next->logging_is_valid && !same_logging(&now->logging, &next->logging);
    return Q_OK;
}

/* ---- the keys ---- */

static enum cs_error sweep(struct cmap_store *live, const struct cmap_store *next, const char *prefix,
                           struct cmap_changes *changes)
{
    char name[CMAP_NAME_MAX + 1] = "";
    struct cmap_value value, kept;
    const char *found;

    while ((found = cmap_store_next(live, prefix, name, &value)) != NULL) {
        memcpy(name, found, strlen(found) + 1);
        if (cmap_store_get(next, name, &kept) == CS_ERROR_NOT_EXIST) {
            enum cs_error error = cmap_store_delete(live, name, changes);
            if (error != CS_ERROR_OK)
                return error;
        }
    }
    return CS_ERROR_OK;
}

enum cs_error config_reload_apply(struct cmap_store *live, struct conf_map *map,
                                  const struct core_config *next, struct cmap_changes *changes)
{
    enum cs_error error = core_config_publish(next, &map->keys, NULL);
    struct cmap_value value;

    for (size_t i = 0; i < COUNT(swept_prefixes) && error == CS_ERROR_OK; i++)
        error = sweep(live, &map->keys, swept_prefixes[i], changes);
    for (const char *name = cmap_store_next(&map->keys, "", "", &value); name != NULL && error == CS_ERROR_OK;
         name = cmap_store_next(&map->keys, "", name, &value))
        error = cmap_store_set(live, name, value, changes);
    return error;
}

enum cs_error config_reload_begin(struct cmap_store *live, struct cmap_changes *changes)
{
    enum cs_error error =
        cmap_store_set_number(live, "config.totemconfig_reload_in_progress", CMAP_U8, 1, changes);

    if (error != CS_ERROR_OK)
        return error;
    return cmap_store_set_number(live, "config.reload_in_progress", CMAP_U8, 1, changes);
}

enum cs_error config_reload_end(struct cmap_store *live, enum cs_error result, struct cmap_changes *changes)
{
    enum cs_error error =
        cmap_store_set_number(live, "config.reload_status", CMAP_I32, (uint64_t)result, changes);

    if (error == CS_ERROR_OK)
        error = cmap_store_set_number(live, "config.totemconfig_reload_in_progress", CMAP_U8, 0, changes);
    if (error == CS_ERROR_OK)
        error = cmap_store_set_number(live, "config.reload_in_progress", CMAP_U8, 0, changes);
    return error;
}
