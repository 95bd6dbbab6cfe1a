/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opens the sockets of udpu and udp (spec/totem-wire.md sections 11.1 and 11.2). What a call returns is the caller's to close.
 */
#ifndef QUORATE_CORE_TRANSPORT_UDP_SOCKET_H
#define QUORATE_CORE_TRANSPORT_UDP_SOCKET_H

#include <stdint.h>

#include "core/config/conf_facts.h"

/* Where a socket is bound to. */
struct udp_place {
    struct conf_address address;
    uint16_t port;
    uint32_t interface_index; /* of link-local addresses and groups */
};

/* Non-blocking, with large buffers and the priority of interactive traffic. -1: errno. */
int udp_socket_open(const struct udp_place *place);

/* For what is sent to a group: over which interface, how far, and not to ourselves; or to all (broadcast). -1: errno. */
int udp_socket_send_to_group(int fd, const struct udp_place *place, const struct conf_address *group,
                             uint8_t ttl);
/* Bound to the group or the broadcast address, and a member of the group on the interface of `place`. -1: errno. */
int udp_socket_open_group(const struct udp_place *place, const struct conf_address *group);
/* Leaves the group and joins it anew. */
void udp_socket_join_again(int fd, const struct udp_place *place, const struct conf_address *group);

#endif
