/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/transport/interface_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/logging.h"
#include "core/transport/ip_address.h"

#define READS_MAX 64 /* of one wake-up */

/* If the system does not tell, the interface counts as up: then sockets fail or do not. */
static void look(struct interface_watch *watch)
{
    if (ip_address_find_interface(&watch->address, &watch->index, &watch->is_up) != Q_OK)
        watch->is_up = true;
}

static bool is_about_address(const struct interface_watch *watch, const struct nlmsghdr *header)
{
    const struct ifaddrmsg *message = NLMSG_DATA(header);
    const size_t size = watch->address.family == 4 ? 4 : 16;
    int left = (int)IFA_PAYLOAD(header);

    if (message->ifa_index == watch->index)
        return true;
    for (const struct rtattr *i = IFA_RTA(message); RTA_OK(i, left); i = RTA_NEXT(i, left))
        if ((i->rta_type == IFA_LOCAL || i->rta_type == IFA_ADDRESS) && RTA_PAYLOAD(i) == size &&
            memcmp(RTA_DATA(i), watch->address.bytes, size) == 0)
            return true;
    return false;
}

static bool concerns(const struct interface_watch *watch, const struct nlmsghdr *header)
{
    switch (header->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        return header->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifinfomsg)) &&
               (uint32_t)((const struct ifinfomsg *)NLMSG_DATA(header))->ifi_index == watch->index;
    case RTM_NEWADDR:
    case RTM_DELADDR:
        return header->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifaddrmsg)) && is_about_address(watch, header);
    default:
        return false;
    }
}

/* Reads what the kernel says; true: something of it is about our interface, or was lost. */
static bool read_messages(const struct interface_watch *watch)
{
    _Alignas(struct nlmsghdr) char buffer[16384];
    bool is_concerned = false;

    for (int i = 0; i < READS_MAX; i++) {
        ssize_t got = recv(watch->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
        if (got < 0 && errno == ENOBUFS)
            is_concerned = true;
        else if (got <= 0)
            break;
        if (got < 0)
            continue;
        size_t left = (size_t)got;
        for (const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)buffer;
             NLMSG_OK(header, left); header = NLMSG_NEXT(header, left))
            is_concerned = is_concerned || concerns(watch, header);
    }
    return is_concerned;
}

static int32_t on_readable(int32_t fd, int32_t events, void *data)
{
    struct interface_watch *watch = data;

    (void)fd;
    (void)events;
    if (read_messages(watch)) {
        look(watch);
        watch->on_change(watch->context);
    }
    return 0;
}

void interface_watch_init(struct interface_watch *watch, qb_loop_t *loop, const struct conf_address *address,
                          void (*on_change)(void *context), void *context)
{
    const struct sockaddr_nl groups = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_LINK | (address->family == 4 ? RTMGRP_IPV4_IFADDR : RTMGRP_IPV6_IFADDR)};

    *watch = (struct interface_watch){
        .loop = loop, .address = *address, .on_change = on_change, .context = context};
    watch->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (watch->fd >= 0 &&
        (bind(watch->fd, (const struct sockaddr *)(const void *)&groups, sizeof(groups)) != 0 ||
         qb_loop_poll_add(loop, QB_LOOP_MED, watch->fd, POLLIN, watch, on_readable) != 0)) {
        close(watch->fd);
        watch->fd = -1;
    }
    if (watch->fd < 0)
        logging_line(LOGGING_TOTEM, LOG_WARNING,
                     "transport: the kernel does not tell when the interface of %s goes down or comes up",
                     address->text);
    look(watch);
}

void interface_watch_fini(struct interface_watch *watch)
{
    if (watch->fd >= 0) {
        qb_loop_poll_del(watch->loop, watch->fd);
        close(watch->fd);
    }
    watch->fd = -1;
}
