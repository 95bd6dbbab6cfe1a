/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "core/config/config_reload.h"
#include "core/logging.h"
#include "core/node_internal.h"

#define WHY_SIZE 512

void node_log_findings(const struct conf_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        char text[CONF_FINDING_TEXT_SIZE];

        conf_finding_text(&report->items[i], text, sizeof(text));
        logging_line(LOGGING_MAIN, report->items[i].severity == CONF_ERROR ? LOG_ERR : LOG_WARNING, "%s", text);
    }
    if (report->left_out > 0)
        logging_line(LOGGING_MAIN, LOG_WARNING, "%zu more findings in the configuration are left out", report->left_out);
}

static void configure_logging(const struct core_logging *settings)
{
    char why[WHY_SIZE];

    if (logging_configure(settings, why, sizeof(why)) != Q_OK)
        logging_line(LOGGING_MAIN, LOG_ERR, "Logging goes on as it was: %s", why);
}

/* ---- reload ---- */

/* Reads, compares, and takes over into the transport. */
static enum q_err prepare(struct node *node, struct config_loaded *next, struct config_tasks *tasks)
{
    char why[WHY_SIZE];
    enum q_err err = config_load_again(next, node->config_file, node_plugins(), stack_keys(node->stack));

    if (err == Q_OK)
        err = config_reload_compare(&node->config->config, &next->config, &next->map, tasks, &next->report);
    node_log_findings(&next->report);
    if (err != Q_OK)
        return err;
    tasks->crypto = transport_crypto_differs(node->transport, &next->config);
    err = transport_reconfigure(node->transport, &next->config, tasks, why, sizeof(why));
    if (err != Q_OK)
        logging_line(LOGGING_TOTEM, LOG_ERR, "%s", why);
    return Q_OK; /* the transport has done what it can: keys and nodes follow it */
}

static void take_over(struct node *node, struct config_loaded *next, const struct config_tasks *tasks)
{
    config_loaded_fini(node->config);
    free(node->config);
    node->config = next;
    if (tasks->logging)
        configure_logging(&next->config.logging);
}

static void reload_one(struct node *node)
{
    struct config_loaded *next = malloc(sizeof(*next));
    struct stack_event event = {.type = STACK_EV_RELOADED};
    struct config_tasks tasks = {0};
    enum q_err err;

    if (next == NULL)
        node_die(NODE_EXIT_FATAL, "Out of memory");
    err = prepare(node, next, &tasks);
    if (err == Q_ERR_NO_MEMORY)
        node_die(NODE_EXIT_FATAL, "Out of memory");
    if (err == Q_OK) {
        event.u.reloaded.map = &next->map;
        event.u.reloaded.next = &next->config;
        event.u.reloaded.tasks = &tasks;
        node_step(node, &event);
        take_over(node, next, &tasks);
        logging_line(LOGGING_MAIN, LOG_NOTICE, "The configuration has been read again");
        return;
    }
    node_step(node, &event);
    config_loaded_fini(next);
    free(next);
    logging_line(LOGGING_MAIN, LOG_ERR, "The configuration cannot be used and stays as it was");
}

void node_reload(struct node *node)
{
    node->reloading = true;
    for (; node->reloads_due > 0 && !node->is_left; node->reloads_due--)
        reload_one(node);
    node->reloading = false;
}

/* ---- keys that clients change ---- */

static void apply_to_transport(struct node *node)
{
    char why[WHY_SIZE];

    if (transport_apply(node->transport, stack_totem_config(node->stack), why, sizeof(why)) != Q_OK)
        logging_line(LOGGING_TOTEM, LOG_ERR, "%s", why);
}

static void apply_to_logging(struct node *node)
{
    struct core_config scratch;
    struct conf_report report;
    enum q_err err;

    core_config_init(&scratch);
    conf_report_init(&report);
    err = core_config_read_logging(&scratch, stack_keys(node->stack), &report);
    node_log_findings(&report);
    if (err == Q_OK)
        configure_logging(&scratch.logging);
    core_config_fini(&scratch);
    conf_report_fini(&report);
}

void node_on_key_changed(struct node *node, const char *name)
{
    if (strncmp(name, "logging.", 8) == 0)
        apply_to_logging(node);
    if (strncmp(name, "logging.", 8) == 0 || strncmp(name, "totem.knet_", 11) == 0 ||
        strcmp(name, "totem.block_unlisted_ips") == 0)
        apply_to_transport(node);
}
