/* SPDX-License-Identifier: BSD-3-Clause */
/* The map of keys: what stands in it from the start, what follows when somebody changes it, and a configuration read again. */
#include <stdio.h>
#include <string.h>

#include "core/config/config_ring.h"
#include "core/stack/stack_internal.h"

#define WHY_SIZE 256

static const struct {
    const char *name;
    uint32_t functions; /* exec messages */
} services[SERVICE_COUNT] = {
    [SERVICE_CMAP] = {"cmap", 1},       [SERVICE_CFG] = {"cfg", 5}, [SERVICE_CPG] = {"cpg", 7},
    [SERVICE_QUORUM] = {"quorum", 0},   [SERVICE_VOTEQUORUM] = {"votequorum", 4},
};

/* ---- the start ------------------------------------------------------------------------------------------------ */

static enum cs_error publish_service(struct cmap_store *keys, enum service_id service)
{
    char name[CMAP_NAME_MAX + 1];
    char text[64];
    enum cs_error error;

    snprintf(name, sizeof(name), "internal_configuration.service.%d.name", (int)service);
    snprintf(text, sizeof(text), "corosync_%s", services[service].name);
    error = cmap_store_set_text(keys, name, text, NULL);
    if (error != CS_ERROR_OK)
        return error;
    snprintf(name, sizeof(name), "internal_configuration.service.%d.ver", (int)service);
    error = cmap_store_set_number(keys, name, CMAP_U32, 0, NULL);
    if (error != CS_ERROR_OK)
        return error;
    snprintf(name, sizeof(name), "runtime.services.%s.service_id", services[service].name);
    return cmap_store_set_number(keys, name, CMAP_U16, service, NULL);
}

static enum cs_error publish(struct stack *stack, const struct stack_start *start)
{
    enum cs_error error = config_reload_apply(&stack->keys, start->map, start->config, NULL);

    for (uint32_t service = 0; service < SERVICE_COUNT && error == CS_ERROR_OK; service++)
        if (stack_has_service(stack, (enum service_id)service))
            error = publish_service(&stack->keys, (enum service_id)service);
    if (error == CS_ERROR_OK)
        error = cmap_store_set_text(&stack->keys, "runtime.force_gather", "no", NULL);
    if (error == CS_ERROR_OK)
        error = cmap_store_set_text(&stack->keys, "runtime.blackbox.dump_flight_data", "no", NULL);
    if (error == CS_ERROR_OK)
        error = cmap_store_set_text(&stack->keys, "runtime.blackbox.dump_state", "no", NULL);
    return error;
}

/* What is told of a node's addresses when it joins. */
static void address_text(const struct core_node *node, char *text, size_t size)
{
    size_t at = 0;

    text[0] = '\0';
    for (unsigned link = 0; link < CORE_LINKS_MAX && at < size; link++)
        if (node->addresses[link].family != 0)
            at += (size_t)snprintf(text + at, size - at, "r(%u) ip(%s) ", link, node->addresses[link].text);
}

static void name_nodes(struct stack *stack, const struct core_config *config)
{
    char text[CORE_LINKS_MAX * (CONF_ADDRESS_TEXT_SIZE + 16)];

    for (size_t i = 0; i < config->node_count; i++) {
        address_text(&config->nodes[i], text, sizeof(text));
        stack_failed(stack, cmap_service_set_node(stack->cmap, config->nodes[i].id, text));
    }
}

enum q_err keys_start(struct stack *stack, const struct stack_start *start)
{
    enum cs_error error = publish(stack, start);

    name_nodes(stack, start->config);
    if (stack->out_of_memory)
        return Q_ERR_NO_MEMORY;
    stack->totem_config = start->config->totem;
    stack->counters_changed = true;
    if (error == CS_ERROR_NO_MEMORY)
        return Q_ERR_NO_MEMORY;
    return error == CS_ERROR_OK ? Q_OK : Q_ERR_INVALID;
}

/* ---- changes --------------------------------------------------------------------------------------------------- */

void keys_tell(struct stack *stack)
{
    cmap_service_tell(stack->cmap, &stack->changes, &stack->out->services);
}

void keys_set_number(struct stack *stack, const char *name, enum cmap_type type, uint64_t number)
{
    if (cmap_store_set_number(&stack->keys, name, type, number, &stack->changes) == CS_ERROR_NO_MEMORY)
        stack_failed(stack, Q_ERR_NO_MEMORY);
    keys_tell(stack);
}

static bool begins_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* The ring goes on with what the keys and the configuration together say now. */
static void apply_ring_settings(struct stack *stack)
{
    struct totem_settings settings;
    char why[WHY_SIZE];

    if (config_ring_settings(stack->config, &stack->keys, &settings, why, sizeof(why)) != Q_OK) {
        outbox_note(&stack->out->services, SERVICE_TOTEM, OUTBOX_ERROR, "the ring keeps its settings: %s", why);
        return;
    }
    ring_step(stack, &(struct totem_event){.type = TOTEM_EV_SETTINGS, .u.settings = &settings});
}

static void on_totem_key(struct stack *stack)
{
    struct conf_report report;
    enum q_err err;

    conf_report_init(&report);
    err = totem_config_update(&stack->totem_config, &stack->keys, stack->config->token_node_count, &report);
    if (err == Q_OK) {
        if (totem_config_publish(&stack->totem_config, &stack->keys, &stack->changes) == CS_ERROR_NO_MEMORY)
            err = Q_ERR_NO_MEMORY;
        keys_tell(stack);
        apply_ring_settings(stack);
    } else if (err == Q_ERR_INVALID) {
        const struct conf_finding *finding = conf_report_first_error(&report);

        outbox_note(&stack->out->services, SERVICE_TOTEM, OUTBOX_ERROR,
                    "the ring keeps its settings, for what the keys say now cannot be: %s",
                    finding != NULL ? finding->text : "they contradict each other");
    }
    conf_report_fini(&report);
    stack_failed(stack, err == Q_ERR_NO_MEMORY ? err : Q_OK);
}

static void on_force_gather(struct stack *stack)
{
    const char *value = cmap_store_text(&stack->keys, "runtime.force_gather");

    if (value == NULL || strcmp(value, "no") == 0)
        return;
    outbox_note(&stack->out->services, SERVICE_TOTEM, OUTBOX_NOTICE, "a new membership was asked for by runtime.force_gather");
    if (cmap_store_set_text(&stack->keys, "runtime.force_gather", "no", &stack->changes) == CS_ERROR_NO_MEMORY)
        stack_failed(stack, Q_ERR_NO_MEMORY);
    keys_tell(stack);
    ring_step(stack, &(struct totem_event){.type = TOTEM_EV_LINK_UP});
}

/*
 * Whatever the key: all of the configuration is read again, and what was set at run time is forgotten. Then only is waiting
 * cancelled: counted with the votes that were expected before, it might begin anew at once.
 */
static void on_quorum_key(struct stack *stack, const char *name)
{
    uint64_t number;

    votes_configure(stack);
    if (strcmp(name, "quorum.cancel_wait_for_all") == 0 &&
        cmap_store_number(&stack->keys, "quorum.cancel_wait_for_all", CMAP_U8, &number) && number >= 1)
        votes_step(stack, &(struct votequorum_event){.type = VOTEQUORUM_EV_CANCEL_WAIT});
}

void keys_on_changed(struct stack *stack, const char *name)
{
    if (strcmp(name, "runtime.force_gather") == 0)
        on_force_gather(stack);
    else if (begins_with(name, "totem.") && strcmp(name, "totem.config_version") != 0)
        on_totem_key(stack);
    else if (begins_with(name, "quorum.") && stack->votequorum != NULL)
        on_quorum_key(stack, name);
    else if (strcmp(name, "runtime.blackbox.dump_flight_data") == 0)
        outbox_note(&stack->out->services, SERVICE_MAIN, OUTBOX_WARNING,
                    "There is no black box to write: an fdata file in the state directory is from another daemon's time. "
                    "All that this one says is in the log.");
}

/* ---- the configuration, read again --------------------------------------------------------------------------------- */

static enum cs_error take_over(struct stack *stack, const struct stack_event *event)
{
    const struct core_config *next = event->u.reloaded.next;
    const struct config_tasks *tasks = event->u.reloaded.tasks;
    /* A client may have set keys of the ring that the files now set back. */
    bool ring = tasks->totem || !totem_config_equal(&stack->totem_config, &next->totem);
    enum cs_error error = config_reload_apply(&stack->keys, event->u.reloaded.map, next, &stack->changes);

    keys_tell(stack);
    stack->config = next;
    name_nodes(stack, next);
    cfg_set_view(stack->cfg, next, &stack->keys, &stack->links);
    stack->totem_config = next->totem;
    if (ring || tasks->nodes_added_count > 0 || tasks->nodes_removed_count > 0)
        apply_ring_settings(stack);
    if (stack->votequorum != NULL)
        votes_configure(stack); /* also what clients have set until now */
    return error;
}

void keys_on_reloaded(struct stack *stack, const struct stack_event *event)
{
    enum cs_error result = CS_ERROR_INVALID_PARAM;
    bool crypto = false;

    if (config_reload_begin(&stack->keys, &stack->changes) == CS_ERROR_NO_MEMORY)
        stack_failed(stack, Q_ERR_NO_MEMORY);
    keys_tell(stack);
    if (event->u.reloaded.next != NULL) {
        result = take_over(stack, event);
        crypto = event->u.reloaded.tasks->crypto;
    }
    if (result == CS_ERROR_NO_MEMORY || config_reload_end(&stack->keys, result, &stack->changes) == CS_ERROR_NO_MEMORY)
        stack_failed(stack, Q_ERR_NO_MEMORY);
    keys_tell(stack);
    cfg_reloaded(stack->cfg, result, &stack->out->services);
    if (crypto)
        cfg_crypto_changed(stack->cfg, &stack->out->services);
}

/* ---- counters ------------------------------------------------------------------------------------------------------- */

static void set_counter(struct stack *stack, enum service_id service, uint32_t function, const char *what, uint64_t value)
{
    char name[CMAP_NAME_MAX + 1];

    snprintf(name, sizeof(name), "runtime.services.%s.%u.%s", services[service].name, function, what);
    if (cmap_store_set_number(&stack->keys, name, CMAP_U64, value, &stack->changes) == CS_ERROR_NO_MEMORY)
        stack_failed(stack, Q_ERR_NO_MEMORY);
}

void keys_refresh_counters(struct stack *stack)
{
    if (!stack->counters_changed)
        return;
    stack->counters_changed = false;
    for (uint32_t service = 0; service < SERVICE_COUNT; service++) {
        if (!stack_has_service(stack, (enum service_id)service))
            continue;
        for (uint32_t function = 0; function < services[service].functions; function++) {
            set_counter(stack, (enum service_id)service, function, "tx", stack->counters[service][function].sent);
            set_counter(stack, (enum service_id)service, function, "rx", stack->counters[service][function].received);
        }
    }
    keys_tell(stack);
}
