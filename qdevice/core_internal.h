/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What core.c (attaching, and letting go), core_votequorum.c and core_cmap.c share.
 */
#ifndef QUORATE_QDEVICE_CORE_INTERNAL_H
#define QUORATE_QDEVICE_CORE_INTERNAL_H

#include <corosync/cmap.h>
#include <corosync/corotypes.h>
#include <corosync/votequorum.h>

#include "qdevice/core.h"

#define CORE_TEXT_SIZE 256

struct core {
    struct core_config config;
    bool attached;
    qb_loop_timer_handle retry_timer;
    bool retry_armed;

    bool has_votequorum;
    votequorum_handle_t votequorum;
    int votequorum_fd; /* registered in the loop; -1 */
    uint32_t expected_votes;

    bool has_cmap;
    cmap_handle_t cmap;
    int cmap_fd; /* registered in the loop; -1 */
    /*
     * Between a nodelist and the next quorum notification the core serves no cmap request: asking would block until
     * votequorum has its vote, for which the agent is needed. So what has changed is read afterwards.
     */
    bool in_sync;
    bool reload_under_way;
    bool keys_changed;
    qb_loop_timer_handle reread_timer;
    bool reread_armed;
};

/* CS_OK, or what failed, named in text. */
cs_error_t core_votequorum_attach(struct core *core, char text[CORE_TEXT_SIZE]);
void core_votequorum_detach(struct core *core, bool unregister);
cs_error_t core_cmap_attach(struct core *core, char text[CORE_TEXT_SIZE]);
void core_cmap_detach(struct core *core);

/* Reads the keys and hands them over, if they have changed and may be read now. False: they cannot be read; tried again. */
bool core_cmap_deliver(struct core *core);

/* The core has gone: detaches, tells the handler, begins to try again. */
void core_lose(struct core *core, const char *why);

#endif
