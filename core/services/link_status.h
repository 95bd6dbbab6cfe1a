/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the transport sees other nodes, as cfg tells clients (spec/corosync-ipc.md sections 9.1 and 9.9) and the map of
 * statistics counts. A plain table, filled by the transport, read by the services.
 */
#ifndef QUORATE_CORE_SERVICES_LINK_STATUS_H
#define QUORATE_CORE_SERVICES_LINK_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_STATUS_LINKS 8
#define LINK_STATUS_ADDRESS_SIZE 256

struct link_status {
    bool exists; /* configured to that node */
    bool enabled;
    bool connected;
    bool dynconnected;
    uint32_t mtu;
    char source[LINK_STATUS_ADDRESS_SIZE]; /* numeric, terminated */
    char destination[LINK_STATUS_ADDRESS_SIZE];
};

struct node_link_status {
    uint32_t node_id;
    bool reachable;
    bool remote;
    bool external;
    uint8_t onwire_min, onwire_max, onwire_version; /* 0: the transport does not know */
    struct link_status links[LINK_STATUS_LINKS];
};

struct link_status_table {
    const struct node_link_status *nodes; /* ascending by id, this node among them */
    size_t count;
};

#endif
