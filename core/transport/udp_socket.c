/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/transport/udp_socket.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/transport/ip_address.h"

/* A window of full datagrams of every node of a large ring, and as much again for the kernel's bookkeeping. */
#define BUFFER_SIZE (4 << 20)

/* Beyond the system's limit if we may; what there is must do. */
static void set_buffer(int fd, int option, int forced)
{
    const int size = BUFFER_SIZE;

    if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof(size)) != 0)
        setsockopt(fd, SOL_SOCKET, option, &size, sizeof(size));
}

static int close_failed(int fd)
{
    int fault = errno;

    close(fd);
    errno = fault;
    return -1;
}

static int set_number(int fd, int level, int option, int number)
{
    return setsockopt(fd, level, option, &number, sizeof(number));
}

int udp_socket_open(const struct udp_place *place)
{
    struct sockaddr_storage address;
    socklen_t size = ip_address_to_sockaddr(&place->address, place->port, place->interface_index, &address);
    int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);

    if (fd < 0)
        return -1;
    set_buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE);
    set_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE);
    set_number(fd, SOL_SOCKET, SO_PRIORITY, TC_PRIO_INTERACTIVE);
    if (address.ss_family == AF_INET6)
        set_number(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (bind(fd, (const struct sockaddr *)(const void *)&address, size) != 0)
        return close_failed(fd);
    return fd;
}

/* ---- groups ---- */

static bool is_broadcast(const struct conf_address *group)
{
    const uint8_t all[4] = {255, 255, 255, 255};

    return group->family == 4 && memcmp(group->bytes, all, sizeof(all)) == 0;
}

static struct ip_mreqn membership4(const struct udp_place *place, const struct conf_address *group)
{
    struct ip_mreqn request = {.imr_ifindex = (int)place->interface_index};

    memcpy(&request.imr_multiaddr, group->bytes, 4);
    if (place->address.family == 4)
        memcpy(&request.imr_address, place->address.bytes, 4);
    return request;
}

int udp_socket_send_to_group(int fd, const struct udp_place *place, const struct conf_address *group,
                             uint8_t ttl)
{
    if (is_broadcast(group))
        return set_number(fd, SOL_SOCKET, SO_BROADCAST, 1);
    if (group->family == 4) {
        const struct ip_mreqn request = membership4(place, group);
        if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof(request)) != 0 ||
            set_number(fd, IPPROTO_IP, IP_MULTICAST_TTL, ttl) != 0)
            return -1;
        return set_number(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    }
    if (set_number(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)place->interface_index) != 0 ||
        set_number(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ttl) != 0)
        return -1;
    return set_number(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
}

static int change_membership(int fd, const struct udp_place *place, const struct conf_address *group,
                             bool is_member)
{
    if (group->family == 4) {
        const struct ip_mreqn request = membership4(place, group);
        return setsockopt(fd, IPPROTO_IP, is_member ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request,
                          sizeof(request));
    }
    struct ipv6_mreq request = {.ipv6mr_interface = place->interface_index};
    memcpy(&request.ipv6mr_multiaddr, group->bytes, 16);
    return setsockopt(fd, IPPROTO_IPV6, is_member ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP, &request,
                      sizeof(request));
}

/* Groups that others on this host are members of are not ours. */
static void refuse_other_groups(int fd, const struct conf_address *group)
{
    if (group->family == 4)
        set_number(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    else
        set_number(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
}

int udp_socket_open_group(const struct udp_place *place, const struct conf_address *group)
{
    struct udp_place there = *place;
    int fd;

    there.address = *group;
    fd = udp_socket_open(&there);
    if (fd < 0 || is_broadcast(group))
        return fd;
    refuse_other_groups(fd, group);
    return change_membership(fd, place, group, true) == 0 ? fd : close_failed(fd);
}

void udp_socket_join_again(int fd, const struct udp_place *place, const struct conf_address *group)
{
    if (is_broadcast(group))
        return;
    change_membership(fd, place, group, false);
    change_membership(fd, place, group, true);
}
