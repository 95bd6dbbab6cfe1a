/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The core's configuration: a file, and after a byte 0xff a second one as which it is read again while the daemon runs.
 * Whatever the text, sections are balanced, reading ends, every finding can be said in a line, and a second reading of the
 * same says the same. What is accepted keeps the rules it was checked for, its keys can all be published, and a reload
 * leaves exactly the keys of the new configuration; read once more, nothing changes.
 */
#include <assert.h>

#include "core/config/config_start.h"
#include "tests/unit/config_host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_report(const struct conf_report *report, enum q_err err)
{
    char text[CONF_FINDING_TEXT_SIZE];

    assert((err == Q_OK) == (report->error_count == 0));
    assert((conf_report_exit_status(report) == 0) == (report->error_count == 0));
    assert(report->count <= CONF_FINDINGS_MAX);
    for (size_t i = 0; i < report->count; i++) {
        conf_finding_text(&report->items[i], text, sizeof(text));
        assert(text[0] != '\0' && strlen(text) < sizeof(text) && strchr(text, '\n') == NULL);
        assert(report->items[i].line == 0 || report->items[i].file != NULL);
    }
    /* a short text too */
    if (report->count > 0)
        conf_finding_text(&report->items[0], text, 8);
}

static void check_links(const struct core_config *config)
{
    for (size_t link = 0; link < CORE_LINKS_MAX; link++) {
        const struct core_link *l = &config->links[link];
        assert(l->member_count <= config->node_count);
        if (!l->exists)
            continue;
        assert(l->knet_pong_count > 0 && l->knet_ping_precision > 0);
        assert(l->port != 0 || config->transport == CORE_TRANSPORT_UDP);
        assert(config->transport != CORE_TRANSPORT_UDP || l->multicast_text != NULL);
    }
}

static void check_accepted(const struct core_config *config)
{
    const struct totem_config *t = &config->totem;

    assert(config->node_count > 0 && config->node_count <= CORE_NODES_MAX);
    assert(config->local_index < config->node_count);
    for (size_t i = 0; i < config->node_count; i++)
        for (size_t j = 0; j < i; j++)
            assert(config->nodes[i].id == 0 || config->nodes[i].id != config->nodes[j].id);
    assert(t->token_ms >= 30 && t->token_retransmit_ms >= 30 && t->hold_ms >= 14);
    assert(t->join_ms >= 30 && t->consensus_ms >= t->join_ms && t->token_warning_percent <= 100);
    assert(config->logging.target_count >= 1 && config->netmtu > 0 &&
           config->cluster_name != config->crypto_hash);
    check_links(config);
}

static void check_start(const struct config_host_loaded *loaded)
{
    struct conf_report report;

    conf_report_init(&report);
    config_start_check(&loaded->config, &loaded->map, &report);
    check_report(&report, report.error_count == 0 ? Q_OK : Q_ERR_INVALID);
    conf_report_fini(&report);
}

static void copy_keys(struct cmap_store *to, const struct cmap_store *from)
{
    struct cmap_value value;

    for (const char *name = cmap_store_next(from, "", "", &value); name != NULL;
         name = cmap_store_next(from, "", name, &value))
        assert(cmap_store_set(to, name, value, NULL) == CS_ERROR_OK);
}

static void check_same_keys(const struct cmap_store *live, const struct cmap_store *keys)
{
    struct cmap_value value, other;

    for (const char *name = cmap_store_next(keys, "", "", &value); name != NULL;
         name = cmap_store_next(keys, "", name, &value))
        assert(cmap_store_get(live, name, &other) == CS_ERROR_OK && cmap_value_equal(&value, &other));
    for (const char *name = cmap_store_next(live, "totem.", "", &value); name != NULL;
         name = cmap_store_next(live, "totem.", name, &value))
        assert(cmap_store_get(keys, name, &other) == CS_ERROR_OK);
}

/* Returns whether it was accepted; `live` then has its keys. */
static bool reload(const struct core_config *now, struct cmap_store *live, const uint8_t *data, size_t size,
                   struct cmap_changes *changes)
{
    struct config_host_loaded next;
    struct config_tasks tasks;
    enum q_err err = config_host_load(&next, data, size, live);

    if (err == Q_OK)
        err = config_reload_compare(now, &next.config, &next.map, &tasks, &next.report);
    check_report(&next.report, err);
    if (err == Q_OK) {
        assert((tasks.links_added & tasks.links_removed) == 0);
        assert(config_reload_apply(live, &next.map, &next.config, changes) == CS_ERROR_OK);
        check_same_keys(live, &next.map.keys);
    }
    config_host_loaded_fini(&next);
    return err == Q_OK;
}

static void run_and_reload(struct config_host_loaded *now, const uint8_t *second, size_t second_size)
{
    struct cmap_store live;
    struct cmap_client client;
    struct cmap_changes changes;
    uint64_t handle;

    cmap_store_init(&live);
    cmap_changes_init(&changes);
    cmap_client_init(&client, 1);
    assert(core_config_publish(&now->config, &now->map.keys, NULL) == CS_ERROR_OK);
    copy_keys(&live, &now->map.keys);
    assert(cmap_tracker_add(&live, &client, "", 15, 1, &handle) == CS_ERROR_OK);
    if (reload(&now->config, &live, second, second_size, &changes)) {
        size_t count = changes.count;
        assert(changes.notice_count == count);
        if (reload(&now->config, &live, second, second_size, &changes))
            assert(changes.count == count);
    } else {
        assert(changes.count == 0);
    }
    cmap_client_fini(&live, &client);
    cmap_changes_fini(&changes);
    cmap_store_fini(&live);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *separator = size == 0 ? NULL : memchr(data, 0xff, size);
    size_t first_size = separator == NULL ? size : (size_t)(separator - data);
    struct config_host_loaded first, again;
    enum q_err err = config_host_load(&first, data, first_size, NULL);

    check_report(&first.report, err);
    assert(config_host_load(&again, data, first_size, NULL) == err);
    assert(again.report.count == first.report.count && again.report.error_count == first.report.error_count);
    config_host_loaded_fini(&again);
    if (err == Q_OK) {
        check_accepted(&first.config);
        check_start(&first);
        if (separator != NULL)
            run_and_reload(&first, separator + 1, size - first_size - 1);
        else
            run_and_reload(&first, data, size);
    }
    config_host_loaded_fini(&first);
    return 0;
}
