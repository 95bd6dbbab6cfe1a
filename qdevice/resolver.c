/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void resolver_init(struct resolver *resolver, qb_loop_t *loop,
                   void (*on_answer)(void *context, const struct resolver_answer *answer), void *context)
{
    *resolver = (struct resolver){.loop = loop, .fd = -1, .on_answer = on_answer, .context = context};
}

static void look_up(const char *host, uint16_t port, int ip_version, struct resolver_answer *answer)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    char service[8];
    int failure;

    hints.ai_family = ip_version == 4 ? AF_INET : ip_version == 6 ? AF_INET6 : AF_UNSPEC;
    snprintf(service, sizeof(service), "%u", port);
    failure = getaddrinfo(host, service, &hints, &list);
    if (failure == EAI_NONAME || failure == EAI_ADDRFAMILY || failure == EAI_NODATA) {
        hints.ai_flags = 0; /* an address of the loopback alone does not count for AI_ADDRCONFIG */
        failure = getaddrinfo(host, service, &hints, &list);
    }
    if (failure != 0)
        snprintf(answer->text, sizeof(answer->text), "%s",
                 failure == EAI_SYSTEM ? strerror(errno) : gai_strerror(failure));
    for (struct addrinfo *a = failure == 0 ? list : NULL; a != NULL && answer->count < RESOLVER_ADDRESSES_MAX;
         a = a->ai_next)
        if (a->ai_addrlen <= sizeof(answer->addresses[0]))
            memcpy(&answer->addresses[answer->count++], a->ai_addr, a->ai_addrlen);
}

_Noreturn static void answer_and_exit(int fd, const char *host, uint16_t port, int ip_version)
{
    static struct resolver_answer answer;

    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    if (fd > 3)
        close_range(3, (unsigned)fd - 1, 0);
    close_range((unsigned)fd + 1, ~0u, 0);
    look_up(host, port, ip_version, &answer);
    (void)!write(fd, &answer, sizeof(answer)); /* fits into a pipe */
    _exit(0);
}

void resolver_cancel(struct resolver *resolver)
{
    if (resolver->pid == 0)
        return;
    qb_loop_poll_del(resolver->loop, resolver->fd);
    close(resolver->fd);
    resolver->fd = -1;
    kill(resolver->pid, SIGKILL);
    waitpid(resolver->pid, NULL, 0);
    resolver->pid = 0;
}

static int32_t on_readable(int32_t fd, int32_t revents, void *data)
{
    struct resolver *resolver = data;
    static struct resolver_answer answer; /* large */
    ssize_t size = read(fd, &answer, sizeof(answer));

    (void)revents;
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    resolver_cancel(resolver);
    if (size != (ssize_t)sizeof(answer)) {
        answer.count = 0;
        snprintf(answer.text, sizeof(answer.text), "the lookup has failed");
    }
    resolver->on_answer(resolver->context, &answer);
    return 0;
}

enum q_err resolver_ask(struct resolver *resolver, const char *host, uint16_t port, int ip_version)
{
    int ends[2];

    resolver_cancel(resolver);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return Q_ERR_IO;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    resolver->pid = fork();
    if (resolver->pid == 0)
        answer_and_exit(ends[1], host, port, ip_version);
    close(ends[1]);
    if (resolver->pid < 0 || qb_loop_poll_add(resolver->loop, QB_LOOP_MED, ends[0], POLLIN, resolver, on_readable) != 0) {
        close(ends[0]);
        if (resolver->pid > 0) {
            kill(resolver->pid, SIGKILL);
            waitpid(resolver->pid, NULL, 0);
        }
        resolver->pid = 0;
        return Q_ERR_IO;
    }
    resolver->fd = ends[0];
    return Q_OK;
}
