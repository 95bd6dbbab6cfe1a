/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/host_facts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/config/core_config.h"

#define ADDRESSES_MAX 64 /* of one name; more are left out */

/* ---- addresses ---- */

/* False: neither IPv4 nor IPv6. */
static bool from_sockaddr(const struct sockaddr *sockaddr, struct conf_address *address)
{
    memset(address, 0, sizeof(*address));
    if (sockaddr->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sockaddr;
        address->family = 4;
        memcpy(address->bytes, &in->sin_addr, 4);
        inet_ntop(AF_INET, address->bytes, address->text, sizeof(address->text));
    } else if (sockaddr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sockaddr;
        address->family = 6;
        memcpy(address->bytes, &in6->sin6_addr, 16);
        inet_ntop(AF_INET6, address->bytes, address->text, sizeof(address->text));
    }
    return address->family != 0;
}

enum q_err host_facts_begin(struct conf_facts *facts)
{
    struct utsname names;
    struct ifaddrs *list;
    enum q_err err;

    if (uname(&names) != 0 || getifaddrs(&list) != 0)
        return Q_ERR_IO;
    err = conf_facts_set_node_name(facts, names.nodename);
    for (const struct ifaddrs *i = list; i != NULL && err == Q_OK; i = i->ifa_next) {
        struct conf_address address;
        if (i->ifa_addr != NULL && from_sockaddr(i->ifa_addr, &address))
            err = conf_facts_add_local(facts, &address);
    }
    freeifaddrs(list);
    return err;
}

static void find_addresses(struct conf_facts *facts, struct conf_fact *fact)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_protocol = IPPROTO_UDP};
    struct conf_address addresses[ADDRESSES_MAX];
    struct addrinfo *list = NULL;
    size_t count = 0;

    if (conf_fact_text(fact)[0] == '\0' || getaddrinfo(conf_fact_text(fact), NULL, &hints, &list) != 0) {
        conf_fact_set_missing(facts, fact, 0, NULL);
        return;
    }
    for (const struct addrinfo *i = list; i != NULL && count < ADDRESSES_MAX; i = i->ai_next)
        count += from_sockaddr(i->ai_addr, &addresses[count]);
    freeaddrinfo(list);
    conf_fact_set_addresses(facts, fact, addresses, count);
}

static void find_host_name(struct conf_facts *facts, struct conf_fact *fact)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *list = NULL;
    char name[NI_MAXHOST];

    if (getaddrinfo(conf_fact_text(fact), NULL, &hints, &list) != 0) {
        conf_fact_set_missing(facts, fact, 0, NULL);
        return;
    }
    if (getnameinfo(list->ai_addr, list->ai_addrlen, name, sizeof(name), NULL, 0, NI_NAMEREQD) == 0)
        conf_fact_set_text(facts, fact, name);
    else
        conf_fact_set_missing(facts, fact, 0, NULL);
    freeaddrinfo(list);
}

/* ---- accounts ---- */

/* A number is a number, whoever it belongs to; the last one means nobody to the kernel. */
static bool parse_id(const char *text, uint64_t *id)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *id = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *id < UINT32_MAX;
}

static void find_account(struct conf_facts *facts, struct conf_fact *fact)
{
    const char *name = conf_fact_text(fact);
    uint64_t id;

    if (parse_id(name, &id)) {
        conf_fact_set_number(facts, fact, id);
    } else if (fact->kind == CONF_FACT_USER) {
        const struct passwd *user = getpwnam(name);
        if (user != NULL)
            conf_fact_set_number(facts, fact, user->pw_uid);
        else
            conf_fact_set_missing(facts, fact, 0, NULL);
    } else {
        const struct group *group = getgrnam(name);
        if (group != NULL)
            conf_fact_set_number(facts, fact, group->gr_gid);
        else
            conf_fact_set_missing(facts, fact, 0, NULL);
    }
}

/* ---- files ---- */

static void find_key_file(struct conf_facts *facts, struct conf_fact *fact)
{
    const char *path = conf_fact_text(fact);
    unsigned char bytes[CORE_KEY_SIZE_MAX];
    size_t size = 0;
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const char *verb = fd < 0 ? "open" : "read";
    char text[4096 + 128];

    while (fd >= 0 && size < sizeof(bytes) && (got = read(fd, bytes + size, sizeof(bytes) - size)) > 0)
        size += (size_t)got;
    if (fd < 0 || got < 0) {
        snprintf(text, sizeof(text), "Could not %s %s: %s", verb, path, strerror(errno));
        conf_fact_set_missing(facts, fact, errno, text);
    } else {
        conf_fact_set_number(facts, fact, size);
    }
    explicit_bzero(bytes, sizeof(bytes));
    if (fd >= 0)
        close(fd);
}

static void find_log_file(struct conf_facts *facts, struct conf_fact *fact)
{
    int fd = open(conf_fact_text(fact), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

    if (fd < 0) {
        conf_fact_set_missing(facts, fact, errno, strerror(errno));
        return;
    }
    close(fd);
    conf_fact_set_number(facts, fact, 0);
}

static void find_directory(struct conf_facts *facts, struct conf_fact *fact)
{
    struct stat st;
    int error = 0;

    if (stat(conf_fact_text(fact), &st) != 0)
        error = errno;
    else if (!S_ISDIR(st.st_mode))
        error = ENOTDIR;
    else if (access(conf_fact_text(fact), X_OK) != 0)
        error = errno;
    if (error != 0)
        conf_fact_set_missing(facts, fact, error, strerror(error));
    else
        conf_fact_set_number(facts, fact, 0);
}

void host_facts_find(struct conf_facts *facts)
{
    struct conf_fact *fact;

    while ((fact = conf_facts_wanted(facts)) != NULL) {
        switch (fact->kind) {
        case CONF_FACT_ADDRESSES:
            find_addresses(facts, fact);
            break;
        case CONF_FACT_HOST_NAME:
            find_host_name(facts, fact);
            break;
        case CONF_FACT_USER:
        case CONF_FACT_GROUP:
            find_account(facts, fact);
            break;
        case CONF_FACT_KEY_FILE:
            find_key_file(facts, fact);
            break;
        case CONF_FACT_LOG_FILE:
            find_log_file(facts, fact);
            break;
        case CONF_FACT_DIRECTORY:
            find_directory(facts, fact);
            break;
        }
    }
}
