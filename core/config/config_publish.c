/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "core/config/config_internal.h"

/* Several settings in a row, of which the first that fails stays. */
struct publishing {
    struct cmap_store *keys;
    struct cmap_changes *changes;
    enum cs_error error;
};

static void set_number(struct publishing *p, const char *name, enum cmap_type type, uint64_t number)
{
    if (p->error == CS_ERROR_OK)
        p->error = cmap_store_set_number(p->keys, name, type, number, p->changes);
}

static void set_text(struct publishing *p, const char *name, const char *text)
{
    if (p->error == CS_ERROR_OK)
        p->error = cmap_store_set_text(p->keys, name, text, p->changes);
}

static void publish_nodes(struct publishing *p, const struct core_config *config)
{
    char name[CMAP_NAME_MAX + 1];

    for (size_t i = 0; i < config->node_count; i++) {
        if (!config->nodes[i].id_is_generated)
            continue;
        snprintf(name, sizeof(name), "nodelist.node.%u.nodeid", config->nodes[i].position);
        set_number(p, name, CMAP_U32, config->nodes[i].id);
    }
    if (config->local_index != SIZE_MAX)
        set_number(p, "nodelist.local_node_pos", CMAP_U32, config->nodes[config->local_index].position);
}

static void publish_link(struct publishing *p, const struct core_config *config, size_t link)
{
    const struct core_link *l = &config->links[link];
    char name[CMAP_NAME_MAX + 1];
    struct cmap_value value;

    if (l->local_text != NULL) {
        snprintf(name, sizeof(name), "totem.interface.%zu.bindnetaddr", link);
        set_text(p, name, l->local_text);
    }
    if (config->transport == CORE_TRANSPORT_UDP && l->multicast_text != NULL) {
        snprintf(name, sizeof(name), "totem.interface.%zu.mcastaddr", link);
        set_text(p, name, l->multicast_text);
        snprintf(name, sizeof(name), "totem.interface.%zu.mcastport", link);
        if (cmap_store_get(p->keys, name, &value) == CS_ERROR_NOT_EXIST)
            set_number(p, name, CMAP_U16, l->port);
    }
    snprintf(name, sizeof(name), "runtime.config.totem.interface.%zu.knet_ping_interval", link);
    set_number(p, name, CMAP_U32, l->knet_ping_interval_ms);
    snprintf(name, sizeof(name), "runtime.config.totem.interface.%zu.knet_ping_timeout", link);
    set_number(p, name, CMAP_U32, l->knet_ping_timeout_ms);
}

enum cs_error core_config_publish(const struct core_config *config, struct cmap_store *keys,
                                  struct cmap_changes *changes)
{
    struct publishing p = {keys, changes, CS_ERROR_OK};

    publish_nodes(&p, config);
    for (size_t link = 0; link < CORE_LINKS_MAX; link++)
        if (config->links[link].exists)
            publish_link(&p, config, link);
    if (p.error != CS_ERROR_OK)
        return p.error;
    return totem_config_publish(&config->totem, keys, changes);
}
