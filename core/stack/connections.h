/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which client belongs to which service. Pure. Ids only grow (service.h), so the table is an array in their order.
 * Embedded.
 */
#ifndef QUORATE_CORE_STACK_CONNECTIONS_H
#define QUORATE_CORE_STACK_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/services/service.h"

struct connection {
    uint64_t id;
    enum service_id service;
};

struct connections {
    struct connection *items;
    size_t count;
    size_t capacity;
};

void connections_fini(struct connections *connections);
/* False without memory. The id is larger than all before. */
bool connections_add(struct connections *connections, uint64_t id, enum service_id service);
/* NULL: not there. */
const struct connection *connections_find(const struct connections *connections, uint64_t id);
void connections_remove(struct connections *connections, uint64_t id);

#endif
