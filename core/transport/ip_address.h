/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses of nodes as the kernel wants them, which interface carries one, and sets of addresses that say in constant
 * time whether a source is listed. Used by the transports; sets are embedded and own their table.
 */
#ifndef QUORATE_CORE_TRANSPORT_IP_ADDRESS_H
#define QUORATE_CORE_TRANSPORT_IP_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/err.h"
#include "core/config/conf_facts.h"

/* "address:port", with brackets around IPv6. */
#define IP_ENDPOINT_TEXT_SIZE (CONF_ADDRESS_TEXT_SIZE + 10)

/* interface_index: for link-local addresses of IPv6, otherwise unused. Returns the size of what is in storage. */
socklen_t ip_address_to_sockaddr(const struct conf_address *address, uint16_t port, uint32_t interface_index,
                                 struct sockaddr_storage *storage);
const char *ip_endpoint_text(const struct conf_address *address, uint16_t port,
                             char text[IP_ENDPOINT_TEXT_SIZE]);

/*
 * The interface that has the address: its index, and whether it is up. 0: none has. An address within the network of a
 * loopback interface is its own. Q_ERR_IO: the system does not tell.
 */
enum q_err ip_address_find_interface(const struct conf_address *address, uint32_t *index, bool *is_up);

struct ip_set_entry {
    int family; /* AF_INET, AF_INET6; 0: free */
    uint8_t bytes[16];
};

struct ip_set {
    struct ip_set_entry *entries;
    size_t capacity; /* a power of two, at least twice what is in it; 0: empty */
};

void ip_set_fini(struct ip_set *set);
/* Replaces what was in it; on Q_ERR_NO_MEMORY nothing has changed. */
enum q_err ip_set_fill(struct ip_set *set, const struct conf_address *addresses, size_t count);
/* IPv4 in IPv6 counts as IPv4. */
bool ip_set_has(const struct ip_set *set, const struct sockaddr_storage *source);

bool ip_address_is(const struct conf_address *address, const struct sockaddr_storage *source);

#endif
