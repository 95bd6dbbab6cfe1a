/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/stack_config.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

struct text {
    char bytes[4096];
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text->size += (size_t)vsnprintf(text->bytes + text->size, sizeof text->bytes - text->size, format, arguments);
    va_end(arguments);
    assert(text->size < sizeof text->bytes);
}

static void add_totem(struct text *text, const struct sim_cluster *cluster)
{
    const struct cluster_settings *settings = &cluster->settings;

    add(text, "totem {\nversion: 2\ncluster_name: %s\ntransport: udpu\ntoken: %u\ntoken_coefficient: 0\nconsensus: %u\n",
        cluster->name, settings->token_ms, settings->consensus_ms);
    if (cluster->lan.idle_visits > 0) {
        add(text, "seqno_unchanged_const: %u\n", cluster->lan.idle_visits);
    }
    add(text, "}\n");
}

static void add_nodes(struct text *text, const struct node *node)
{
    add(text, "nodelist {\n");
    for (unsigned i = 0; i < node->cluster->node_count; i++) {
        if (node->config & (1u << i)) {
            add(text, "node {\nring0_addr: 10.4.0.%u\nnodeid: %u\n}\n", i + 1, node->cluster->nodes[i].id);
        }
    }
    add(text, "}\n");
}

static void add_quorum(struct text *text, const struct cluster_settings *settings)
{
    add(text, "quorum {\nprovider: corosync_votequorum\ndevice {\nmodel: net\nsync_timeout: %u\n", settings->sync_timeout_ms);
    if (!settings->timeout_unset) {
        add(text, "timeout: %u\n", settings->timeout_ms);
    }
    if (settings->algorithm == WIRE_ALGORITHM_FFSPLIT) {
        add(text, "votes: 1\n");
    }
    add(text, "net {\nhost: arbiter\n}\n}\n}\n");
}

struct config_host_loaded *stack_config_load(const struct node *node, const struct cmap_store *live)
{
    struct config_host_loaded *loaded = calloc(1, sizeof *loaded);
    struct text text = {.size = 0};
    char address[24];
    enum q_err err;

    assert(loaded != NULL);
    add_totem(&text, node->cluster);
    add_nodes(&text, node);
    add_quorum(&text, &node->cluster->settings);
    (void)snprintf(address, sizeof address, "10.4.0.%u", node->index + 1);
    err = config_host_load_at(loaded, address, text.bytes, text.size, live);
    if (err != Q_OK) {
        (void)fprintf(stderr, "the core refuses this configuration: %s\n%s",
                      loaded->report.count > 0 ? loaded->report.items[0].text : "?", text.bytes);
        abort();
    }
    return loaded;
}

void stack_config_free(struct config_host_loaded *loaded)
{
    if (loaded != NULL) {
        config_host_loaded_fini(loaded);
        free(loaded);
    }
}
