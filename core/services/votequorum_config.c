/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "core/services/votequorum_config.h"

#define LMS_WINDOW_MS_DEFAULT 10000
#define DEVICE_TIMEOUT_MS_DEFAULT 10000
#define DEVICE_SYNC_TIMEOUT_MS_DEFAULT 30000

/* The expected votes and the device's may not leave less than this to the nodes. */
#define NODE_VOTES_MIN 2

void votequorum_config_default(struct votequorum_config *config)
{
    memset(config, 0, sizeof(*config));
    config->votes = 1;
    config->last_man_standing_window_ms = LMS_WINDOW_MS_DEFAULT;
    config->device_timeout_ms = DEVICE_TIMEOUT_MS_DEFAULT;
    config->device_sync_timeout_ms = DEVICE_SYNC_TIMEOUT_MS_DEFAULT;
}

void votequorum_settings_init(struct votequorum_settings *settings)
{
    memset(settings, 0, sizeof(*settings));
    settings->device_can_operate = true;
}

void votequorum_settings_fini(struct votequorum_settings *settings)
{
    free(settings->tie_breaker_nodes);
    votequorum_settings_init(settings);
}

static void complain(struct votequorum_complaints *complaints, const char *text)
{
    size_t count = 0;

    while (complaints->texts[count] != NULL)
        count++;
    if (count < VOTEQUORUM_COMPLAINTS_MAX)
        complaints->texts[count] = text;
}

/* ---- the node list ------------------------------------------------------------------------------------- */

struct sum {
    uint64_t votes;
    uint32_t own_votes;
    bool has_own; /* this node is in the list */
    bool all_one; /* every node has one vote */
};

static struct sum sum_up(const struct votequorum_config *config)
{
    struct sum sum = {.own_votes = config->votes, .all_one = true};

    for (size_t i = 0; i < config->node_count; i++) {
        sum.votes += config->nodes[i].votes;
        sum.all_one = sum.all_one && config->nodes[i].votes == 1;
        if (config->nodes[i].node_id == config->node_id) {
            sum.has_own = true;
            sum.own_votes = config->nodes[i].votes;
        }
    }
    return sum;
}

static bool counts_device_itself(const struct votequorum_config *config)
{
    return config->has_device && !config->has_device_votes;
}

/* Votes and expected votes, once no contradiction is left. */
static void take_votes(struct votequorum_settings *settings, const struct votequorum_config *config,
                       const struct sum *sum)
{
    uint64_t expected = sum->votes;
    uint64_t device_votes = config->has_device && config->has_device_votes ? config->device_votes : 0;

    if (counts_device_itself(config) && sum->all_one && config->expected_votes == 0) {
        /* As many as all nodes but one: the device may keep the last of them alive. */
        device_votes = sum->votes > 0 ? sum->votes - 1 : 0;
        expected += device_votes;
    }
    if (config->expected_votes > 0)
        expected = config->expected_votes;
    if (settings->options.expected_votes_tracking && config->stored_expected_votes > expected)
        expected = config->stored_expected_votes;
    settings->own_votes = sum->own_votes;
    settings->own_expected_votes = expected > UINT32_MAX ? UINT32_MAX : (uint32_t)expected;
    settings->device_votes = device_votes > UINT32_MAX ? UINT32_MAX : (uint32_t)device_votes;
    settings->has_device = config->has_device;
    settings->device_timeout_ms = config->device_timeout_ms;
    settings->device_sync_timeout_ms = config->device_sync_timeout_ms;
}

/* ---- contradictions ------------------------------------------------------------------------------------ */

/* What does not go together with a device, two_node aside; NULL: nothing. `options` are those in force. */
static const char *device_conflict(const struct votequorum_config *config,
                                   const struct votequorum_options *options, const struct sum *sum)
{
    if (options->last_man_standing)
        return "configuration error: quorum.device is not compatible with last_man_standing";
    if (options->tie_breaker != VOTEQUORUM_TIE_BREAKER_NONE)
        return "configuration error: quorum.device is not compatible with auto_tie_breaker";
    if (options->allow_downscale)
        return "configuration error: quorum.device is not compatible with allow_downscale";
    if (!config->has_device_votes && config->expected_votes > 0)
        return "configuration error: quorum.device.votes must be specified when quorum.expected_votes is set";
    if (!config->has_device_votes && !sum->all_one)
        return "configuration error: quorum.device.votes must be specified when not all nodes votes 1";
    if (config->has_device_votes && config->device_votes > 0 && config->expected_votes > 0 &&
        (uint64_t)config->expected_votes < (uint64_t)config->device_votes + NODE_VOTES_MIN)
        return "configuration error: quorum.device.votes is too high or expected_votes is too low";
    return NULL;
}

#define NO_NODES "configuration error: nodelist or quorum.expected_votes must be configured!"
#define TWO_NODE_AND_DEVICE                                                                                  \
    "configuration error: two_node and quorum device cannot be configured at the same time!"
#define ODD_WITH_LMS                                                                                         \
    "configuration error: auto_tie_breaker & last_man_standing not available in odd sized cluster"

static void settle_two_node(struct votequorum_settings *settings, const struct votequorum_config *config,
                            struct votequorum_complaints *complaints)
{
    settings->options.two_node = config->two_node;
    if (config->two_node && settings->options.tie_breaker != VOTEQUORUM_TIE_BREAKER_NONE) {
        settings->options.two_node = false;
        complain(complaints, "two_node and auto_tie_breaker exclude one another: two_node is disabled");
    }
    if (settings->wait_for_all_is_implied)
        settings->options.wait_for_all = config->two_node;
}

/* A half is no tie if the sum is odd: without wait_for_all the tie-breaker could pass a minority for a half. */
static bool tie_breaker_needs_all(const struct votequorum_settings *settings, const struct sum *sum)
{
    return settings->options.tie_breaker != VOTEQUORUM_TIE_BREAKER_NONE && sum->votes % 2 == 1 &&
           !settings->options.wait_for_all;
}

static void drop_tie_breaker(struct votequorum_settings *settings, struct votequorum_complaints *complaints)
{
    settings->options.tie_breaker = VOTEQUORUM_TIE_BREAKER_NONE;
    complain(complaints, "auto_tie_breaker needs wait_for_all where the sum of votes is odd: it is disabled");
}

/* ---- the list of the tie-breaker ----------------------------------------------------------------------- */

/* Node ids with blanks between them, as far as they are that. */
static enum q_err read_list(const char *text, struct votequorum_settings *settings,
                            struct votequorum_complaints *complaints)
{
    size_t count = 0;

    settings->tie_breaker_nodes = calloc(strlen(text) / 2 + 1, sizeof(*settings->tie_breaker_nodes));
    if (settings->tie_breaker_nodes == NULL)
        return Q_ERR_NO_MEMORY;
    for (;;) {
        char *end;
        unsigned long id;

        text += strspn(text, " \t");
        if (*text < '0' || *text > '9')
            break;
        id = strtoul(text, &end, 10);
        if (id == 0 || id > UINT32_MAX || (*end != '\0' && *end != ' ' && *end != '\t'))
            break;
        settings->tie_breaker_nodes[count++] = (uint32_t)id;
        text = end;
    }
    if (*text != '\0')
        complain(complaints,
                 count > 0 ? "auto_tie_breaker_node: what follows the last node id is ignored"
                           : "auto_tie_breaker_node is no list of node ids: auto_tie_breaker is disabled");
    else if (count == 0)
        complain(complaints, "auto_tie_breaker_node is empty: auto_tie_breaker is disabled");
    settings->options.tie_breaker_nodes = settings->tie_breaker_nodes;
    settings->options.tie_breaker_node_count = count;
    settings->options.tie_breaker = count > 0 ? VOTEQUORUM_TIE_BREAKER_LIST : VOTEQUORUM_TIE_BREAKER_NONE;
    return Q_OK;
}

static enum q_err read_tie_breaker(const struct votequorum_config *config,
                                   struct votequorum_settings *settings,
                                   struct votequorum_complaints *complaints)
{
    const char *text = config->auto_tie_breaker_node;

    if (!config->auto_tie_breaker) {
        if (text != NULL)
            complain(complaints, "auto_tie_breaker_node is without effect: auto_tie_breaker is off");
        return Q_OK;
    }
    if (text == NULL || strcmp(text, "lowest") == 0)
        settings->options.tie_breaker = VOTEQUORUM_TIE_BREAKER_LOWEST;
    else if (strcmp(text, "highest") == 0)
        settings->options.tie_breaker = VOTEQUORUM_TIE_BREAKER_HIGHEST;
    else
        return read_list(text, settings, complaints);
    return Q_OK;
}

/* ---- the two readings ---------------------------------------------------------------------------------- */

static enum q_err refuse(struct votequorum_complaints *complaints, const char *text)
{
    memset(complaints, 0, sizeof(*complaints));
    complain(complaints, text);
    return Q_ERR_INVALID;
}

enum q_err votequorum_settings_start(struct votequorum_settings *settings,
                                     const struct votequorum_config *config,
                                     struct votequorum_complaints *complaints)
{
    struct sum sum = sum_up(config);
    enum q_err err;

    memset(complaints, 0, sizeof(*complaints));
    if (!sum.has_own && config->expected_votes == 0)
        return refuse(complaints, NO_NODES);
    if (config->two_node && config->has_device)
        return refuse(complaints, TWO_NODE_AND_DEVICE);
    settings->options.last_man_standing = config->last_man_standing;
    settings->options.allow_downscale = config->allow_downscale;
    settings->options.expected_votes_tracking = config->expected_votes_tracking || config->allow_downscale;
    settings->last_man_standing_window_ms = config->last_man_standing_window_ms;
    settings->wait_for_all_is_implied = !config->has_wait_for_all;
    settings->options.wait_for_all = config->has_wait_for_all && config->wait_for_all;
    err = read_tie_breaker(config, settings, complaints);
    if (err != Q_OK)
        return err;
    settle_two_node(settings, config, complaints);
    if (config->has_device) {
        const char *conflict = device_conflict(config, &settings->options, &sum);

        if (conflict != NULL)
            return refuse(complaints, conflict);
    }
    if (tie_breaker_needs_all(settings, &sum)) {
        if (settings->options.last_man_standing)
            return refuse(complaints, ODD_WITH_LMS);
        drop_tie_breaker(settings, complaints);
    }
    take_votes(settings, config, &sum);
    return Q_OK;
}

enum q_err votequorum_settings_update(struct votequorum_settings *settings,
                                      const struct votequorum_config *config, bool device_is_registered,
                                      struct votequorum_complaints *complaints)
{
    struct sum sum = sum_up(config);
    const char *conflict;

    memset(complaints, 0, sizeof(*complaints));
    if (!sum.has_own && config->expected_votes == 0)
        return refuse(complaints, NO_NODES);
    settle_two_node(settings, config, complaints);
    if (config->has_device) {
        settings->device_can_operate = true;
        if (settings->options.two_node && device_is_registered) {
            settings->options.two_node = false;
            if (settings->wait_for_all_is_implied)
                settings->options.wait_for_all = false;
            complain(complaints, TWO_NODE_AND_DEVICE " two_node is disabled");
        } else if (settings->options.two_node) {
            settings->device_can_operate = false;
            complain(complaints, TWO_NODE_AND_DEVICE " The quorum device is disabled");
        }
        conflict = device_conflict(config, &settings->options, &sum);
        if (conflict != NULL) {
            settings->device_can_operate = false;
            complain(complaints, conflict);
        }
    }
    if (tie_breaker_needs_all(settings, &sum))
        drop_tie_breaker(settings, complaints);
    take_votes(settings, config, &sum);
    return Q_OK;
}
