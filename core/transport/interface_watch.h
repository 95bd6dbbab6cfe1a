/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tells when the interface that carries an address may have come up or gone down (spec/totem-protocol.md section 10.8), by
 * the kernel's own messages: no polling, and what concerns other interfaces is read and forgotten. Embedded in a transport;
 * without such messages, in a sandbox, nothing is ever told.
 */
#ifndef QUORATE_CORE_TRANSPORT_INTERFACE_WATCH_H
#define QUORATE_CORE_TRANSPORT_INTERFACE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <qb/qbloop.h>

#include "core/config/conf_facts.h"

struct interface_watch {
    qb_loop_t *loop;
    struct conf_address address;
    uint32_t index; /* of the interface; 0: none has the address */
    bool is_up;
    int fd; /* -1: none */
    void *context;
    void (*on_change)(void *context); /* index and is_up are new, or should be tried again */
};

/* on_change is not called before the loop runs. */
void interface_watch_init(struct interface_watch *watch, qb_loop_t *loop, const struct conf_address *address,
                          void (*on_change)(void *context), void *context);
void interface_watch_fini(struct interface_watch *watch);

#endif
