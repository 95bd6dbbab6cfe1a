/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/tcp.h"

/*
 * Kernel memory that one client can fill by sending without reading (the kernel doubles it, and would by itself allow
 * megabytes). Connections inherit it from the listening socket.
 */
#define SOCKET_BUFFER_SIZE 131072

/* Returns the descriptor, or -1 with errno and the failed step in *step. */
static int open_at(const struct sockaddr *address, socklen_t address_size, bool only_ipv6, int backlog,
                   const char **step)
{
    int on = 1, v6_only = only_ipv6, buffer_size = SOCKET_BUFFER_SIZE;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error;

    *step = "create a socket";
    if (fd < 0)
        return -1;
    *step = "set socket options";
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_size, sizeof(buffer_size)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_size, sizeof(buffer_size)) != 0)
        goto failed;
    if (address->sa_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only)) != 0)
        goto failed;
    tcp_be_prompt(fd);
    *step = "bind";
    if (bind(fd, address, address_size) != 0)
        goto failed;
    *step = "listen";
    if (listen(fd, backlog) != 0)
        goto failed;
    return fd;
failed:
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int open_wildcard(const struct settings *settings, const char **step)
{
    struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)settings->listen_port)};
    struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)settings->listen_port)};
    int backlog = (int)settings->listen_backlog;
    int fd = -1;

    if (settings->family != SETTINGS_FAMILY_IPV4) {
        fd = open_at((struct sockaddr *)&any6, sizeof(any6), settings->family == SETTINGS_FAMILY_IPV6,
                     backlog, step);
        if (fd >= 0 || settings->family == SETTINGS_FAMILY_IPV6)
            return fd;
        /* A host without IPv6 still has IPv4; anything else (address in use) is an error. */
        if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL)
            return -1;
    }
    return open_at((struct sockaddr *)&any4, sizeof(any4), false, backlog, step);
}

static int open_named(const struct settings *settings, const char **step, const char **reason)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    char port[8];
    int fd = -1;
    int error;

    hints.ai_family = settings->family == SETTINGS_FAMILY_IPV4   ? AF_INET
                      : settings->family == SETTINGS_FAMILY_IPV6 ? AF_INET6
                                                                 : AF_UNSPEC;
    snprintf(port, sizeof(port), "%u", (unsigned)settings->listen_port);
    *step = "resolve the name";
    error = getaddrinfo(settings->listen_address, port, &hints, &found);
    if (error != 0) {
        *reason = error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
        return -1;
    }
    for (const struct addrinfo *info = found; info != NULL && fd < 0; info = info->ai_next)
        fd = open_at(info->ai_addr, info->ai_addrlen, false, (int)settings->listen_backlog, step);
    error = errno;
    freeaddrinfo(found);
    errno = error;
    return fd;
}

enum q_err listener_open(const struct settings *settings, int *fd, char *err_text, size_t size)
{
    const char *step = "";
    const char *reason = NULL;

    *fd = settings->listen_address == NULL ? open_wildcard(settings, &step)
                                           : open_named(settings, &step, &reason);
    if (*fd >= 0)
        return Q_OK;
    if (reason == NULL)
        reason = strerror(errno);
    snprintf(err_text, size, "Can't listen on %s, port %u: can't %s: %s",
             settings->listen_address == NULL ? "any address" : settings->listen_address,
             (unsigned)settings->listen_port, step, reason);
    return Q_ERR_IO;
}

static void write_peer(const struct sockaddr_storage *address, char peer[LISTENER_PEER_SIZE])
{
    char host[INET6_ADDRSTRLEN] = "?";
    unsigned port = 0;

    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        port = ntohs(in6->sin6_port);
    } else if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;

        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        port = ntohs(in->sin_port);
    }
    snprintf(peer, LISTENER_PEER_SIZE, "%s:%u", host, port);
}

/* FNV-1a. */
static uint32_t hash(const uint8_t *bytes, size_t size)
{
    uint32_t value = 2166136261u;

    for (size_t i = 0; i < size; i++)
        value = (value ^ bytes[i]) * 16777619u;
    return value ^ value >> 16;
}

static uint32_t origin_of(const struct sockaddr_storage *address)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

    if (address->ss_family != AF_INET6)
        return hash((const uint8_t *)&v4->sin_addr, 4);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        return hash(v6->sin6_addr.s6_addr + 12, 4);
    return hash(v6->sin6_addr.s6_addr, 8);
}

enum q_err listener_accept(int listener_fd, int *fd, struct listener_peer *peer)
{
    struct sockaddr_storage address;
    socklen_t address_size = sizeof(address);

    memset(&address, 0, sizeof(address));
    *fd = accept4(listener_fd, (struct sockaddr *)&address, &address_size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (*fd < 0) {
        switch (errno) {
        case EAGAIN:
            return Q_ERR_AGAIN;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            return Q_ERR_LIMIT;
        default: /* the connection broke before it was taken (accept(2)) */
            return Q_ERR_IO;
        }
    }
    write_peer(&address, peer->text);
    peer->origin = origin_of(&address);
    return Q_OK;
}
