/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "qdevice/core_internal.h"

#define RETRY_NS UINT64_C(1000000000)

static void try_to_attach(void *data);

static void try_again_later(struct core *core)
{
    if (core->retry_armed)
        return;
    core->retry_armed =
        qb_loop_timer_add(core->config.loop, QB_LOOP_MED, RETRY_NS, core, try_to_attach, &core->retry_timer) == 0;
    if (!core->retry_armed)
        log_line(LOG_CRIT, "Cannot set a timer: the core will not be looked for again");
}

static void detach(struct core *core, bool unregister)
{
    core_cmap_detach(core);
    core_votequorum_detach(core, unregister);
    core->attached = false;
    core->in_sync = false;
}

static bool attach(struct core *core, char text[CORE_TEXT_SIZE])
{
    if (core_votequorum_attach(core, text) != CS_OK || core_cmap_attach(core, text) != CS_OK) {
        detach(core, false);
        return false;
    }
    return true;
}

static void try_to_attach(void *data)
{
    struct core *core = data;
    char text[CORE_TEXT_SIZE] = "";

    core->retry_armed = false;
    if (!attach(core, text)) {
        log_line(LOG_DEBUG, "The core cannot be attached to yet: %s", text);
        try_again_later(core);
        return;
    }
    core->attached = true;
    core->config.handlers->on_attached(core->config.context);
    core->keys_changed = true;
    /* Nobody could use the ring that votequorum is about to name: attached anew it names it again. */
    if (!core_cmap_deliver(core))
        core_lose(core, "cmap cannot be read");
}

void core_lose(struct core *core, const char *why)
{
    if (!core->attached)
        return;
    detach(core, false);
    core->config.handlers->on_lost(core->config.context, why);
    try_again_later(core);
}

enum q_err core_new(const struct core_config *config, struct core **out)
{
    struct core *core = calloc(1, sizeof(*core));

    if (core == NULL)
        return Q_ERR_NO_MEMORY;
    core->config = *config;
    core->votequorum_fd = -1;
    core->cmap_fd = -1;
    *out = core;
    try_to_attach(core);
    if (!core->attached)
        log_line(LOG_NOTICE, "No core is running yet (corosync.service): waiting for it");
    return Q_OK;
}

void core_free(struct core *core, bool unregister)
{
    if (core == NULL)
        return;
    if (core->retry_armed)
        qb_loop_timer_del(core->config.loop, core->retry_timer);
    detach(core, unregister);
    free(core);
}

uint32_t core_expected_votes(const struct core *core)
{
    return core->expected_votes;
}
