/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/transport/ip_address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SET_CAPACITY_MIN 8

socklen_t ip_address_to_sockaddr(const struct conf_address *address, uint16_t port, uint32_t interface_index,
                                 struct sockaddr_storage *storage)
{
    memset(storage, 0, sizeof(*storage));
    if (address->family == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)storage;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        memcpy(&in->sin_addr, address->bytes, 4);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)storage;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    memcpy(&in6->sin6_addr, address->bytes, 16);
    if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&in6->sin6_addr))
        in6->sin6_scope_id = interface_index;
    return sizeof(*in6);
}

const char *ip_endpoint_text(const struct conf_address *address, uint16_t port,
                             char text[IP_ENDPOINT_TEXT_SIZE])
{
    snprintf(text, IP_ENDPOINT_TEXT_SIZE, address->family == 6 ? "[%s]:%u" : "%s:%u", address->text, port);
    return text;
}

/* ---- interfaces ---- */

static const void *bytes_of(const struct sockaddr *sockaddr)
{
    if (sockaddr->sa_family == AF_INET)
        return &((const struct sockaddr_in *)(const void *)sockaddr)->sin_addr;
    return &((const struct sockaddr_in6 *)(const void *)sockaddr)->sin6_addr;
}

static bool is_in_network(const uint8_t *address, const uint8_t *network, const uint8_t *mask, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((address[i] & mask[i]) != (network[i] & mask[i]))
            return false;
    return true;
}

static bool carries(const struct ifaddrs *interface, const struct conf_address *address)
{
    const size_t size = address->family == 4 ? 4 : 16;

    if (interface->ifa_addr == NULL ||
        interface->ifa_addr->sa_family != (address->family == 4 ? AF_INET : AF_INET6))
        return false;
    if (memcmp(bytes_of(interface->ifa_addr), address->bytes, size) == 0)
        return true;
    return (interface->ifa_flags & IFF_LOOPBACK) != 0 && interface->ifa_netmask != NULL &&
           is_in_network(address->bytes, bytes_of(interface->ifa_addr), bytes_of(interface->ifa_netmask),
                         size);
}

enum q_err ip_address_find_interface(const struct conf_address *address, uint32_t *index, bool *is_up)
{
    struct ifaddrs *list;

    *index = 0;
    *is_up = false;
    if (getifaddrs(&list) != 0)
        return Q_ERR_IO;
    for (const struct ifaddrs *i = list; i != NULL && *index == 0; i = i->ifa_next) {
        if (carries(i, address)) {
            *index = if_nametoindex(i->ifa_name);
            *is_up = *index != 0 && (i->ifa_flags & IFF_UP) != 0;
        }
    }
    freeifaddrs(list);
    return Q_OK;
}

/* ---- sets ---- */

static size_t slot_of(const struct ip_set *set, const struct ip_set_entry *entry)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < sizeof(entry->bytes); i++)
        hash = (hash ^ entry->bytes[i]) * 0x100000001b3u;
    return (size_t)(hash ^ (hash >> 32)) & (set->capacity - 1);
}

static bool is_equal(const struct ip_set_entry *a, const struct ip_set_entry *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* The entry itself, or the free place where it belongs. */
static struct ip_set_entry *find(const struct ip_set *set, const struct ip_set_entry *entry)
{
    size_t slot = slot_of(set, entry);

    while (set->entries[slot].family != 0 && !is_equal(&set->entries[slot], entry))
        slot = (slot + 1) & (set->capacity - 1);
    return &set->entries[slot];
}

static void entry_of_address(const struct conf_address *address, struct ip_set_entry *entry)
{
    memset(entry, 0, sizeof(*entry));
    entry->family = address->family == 4 ? AF_INET : AF_INET6;
    memcpy(entry->bytes, address->bytes, address->family == 4 ? 4 : 16);
}

static void entry_of_source(const struct sockaddr_storage *source, struct ip_set_entry *entry)
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)source;

    memset(entry, 0, sizeof(*entry));
    entry->family = source->ss_family;
    if (source->ss_family == AF_INET) {
        memcpy(entry->bytes, bytes_of((const struct sockaddr *)(const void *)source), 4);
    } else if (source->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        entry->family = AF_INET;
        memcpy(entry->bytes, in6->sin6_addr.s6_addr + 12, 4);
    } else if (source->ss_family == AF_INET6) {
        memcpy(entry->bytes, &in6->sin6_addr, 16);
    }
}

void ip_set_fini(struct ip_set *set)
{
    free(set->entries);
    *set = (struct ip_set){0};
}

enum q_err ip_set_fill(struct ip_set *set, const struct conf_address *addresses, size_t count)
{
    struct ip_set filled = {.capacity = SET_CAPACITY_MIN};

    while (filled.capacity < 2 * count)
        filled.capacity *= 2;
    filled.entries = calloc(filled.capacity, sizeof(filled.entries[0]));
    if (filled.entries == NULL)
        return Q_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct ip_set_entry entry;
        entry_of_address(&addresses[i], &entry);
        *find(&filled, &entry) = entry;
    }
    ip_set_fini(set);
    *set = filled;
    return Q_OK;
}

bool ip_set_has(const struct ip_set *set, const struct sockaddr_storage *source)
{
    struct ip_set_entry entry;

    entry_of_source(source, &entry);
    return set->capacity > 0 && entry.family != 0 && find(set, &entry)->family != 0;
}

bool ip_address_is(const struct conf_address *address, const struct sockaddr_storage *source)
{
    struct ip_set_entry a, b;

    entry_of_address(address, &a);
    entry_of_source(source, &b);
    return is_equal(&a, &b);
}
