/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/enrolment.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "certs/enrol/handover.h"
#include "certs/enrol/invitation_dir.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/wire/wire.h"
#include "qnetd/identity.h"

#define RECORD_TYPE_HANDSHAKE 0x16
#define PROGRAM_CHANNEL 3
#define ARGUMENTS_MAX 20

void enrolment_init(struct enrolment *enrolment, qb_loop_t *loop, const struct settings *settings)
{
    *enrolment = (struct enrolment){.loop = loop, .settings = settings, .channel = -1};
}

bool enrolment_offered(const struct enrolment *enrolment)
{
    return enrolment->settings->enrolment && enrolment->settings->tls != (int)WIRE_TLS_UNSUPPORTED;
}

bool enrolment_is_wanted(int fd)
{
    uint8_t first;

    return recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1 && first == RECORD_TYPE_HANDSHAKE;
}

/* ---- the program's life ----------------------------------------------------------------------------------------- */

static void reap_one(pid_t *pid)
{
    if (*pid > 0 && waitpid(*pid, NULL, WNOHANG) != 0)
        *pid = 0;
}

static void reap(struct enrolment *enrolment)
{
    reap_one(&enrolment->pid);
    reap_one(&enrolment->leaving);
}

static void close_channel(struct enrolment *enrolment)
{
    if (enrolment->channel < 0)
        return;
    qb_loop_poll_del(enrolment->loop, enrolment->channel);
    close(enrolment->channel);
    enrolment->channel = -1;
    reap(enrolment);
}

/* It has ended: it says nothing else. */
static int32_t on_end(int32_t fd, int32_t revents, void *data)
{
    struct enrolment *enrolment = data;

    (void)fd;
    (void)revents;
    close_channel(enrolment);
    return -1;
}

/* The arbiter's settings, as the program takes them. */
static void arguments(const struct settings *settings, const char *argv[ARGUMENTS_MAX])
{
    struct tls_credentials_source source;
    size_t count = 0;

    identity_source(settings, &source);
    argv[count++] = settings->enrol_program;
    if (settings->daemon.foreground)
        argv[count++] = "-f";
    if (settings->daemon.debug_count > 0)
        argv[count++] = "-d";
    argv[count++] = "-i";
    argv[count++] = INVITATION_DIR_DEFAULT;
    switch (source.kind) {
    case TLS_SOURCE_PEM:
        argv[count++] = "-c";
        argv[count++] = source.pem.cert_file;
        argv[count++] = "-k";
        argv[count++] = source.pem.key_file;
        argv[count++] = "-a";
        argv[count++] = source.pem.ca_file;
        break;
    case TLS_SOURCE_NSS:
        argv[count++] = "-n";
        argv[count++] = source.nss.dir;
        argv[count++] = "-N";
        argv[count++] = source.nss.nickname;
        if (source.nss.password_file != NULL) {
            argv[count++] = "-w";
            argv[count++] = source.nss.password_file;
        }
        break;
    }
    argv[count] = NULL;
}

/* Spawned, not forked: the time it takes does not grow with the arbiter. Returns 0 or an errno. */
static int spawn(struct enrolment *enrolment, int channel)
{
    const char *argv[ARGUMENTS_MAX];
    char journal[64]; /* that standard error leads to the journal: else each line would be there twice */
    const char *stream = getenv("JOURNAL_STREAM");
    char *const environment[] = {stream == NULL ? NULL : journal, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int error;

    snprintf(journal, sizeof(journal), "JOURNAL_STREAM=%s", stream == NULL ? "" : stream);
    arguments(enrolment->settings, argv);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    error = posix_spawn_file_actions_adddup2(&actions, channel, PROGRAM_CHANNEL);
    if (error == 0)
        error = posix_spawn_file_actions_addclosefrom_np(&actions, PROGRAM_CHANNEL + 1);
    if (error == 0)
        error = posix_spawn(&enrolment->pid, enrolment->settings->enrol_program, &actions, &attributes,
                            (char *const *)(uintptr_t)argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        enrolment->pid = 0;
    return error;
}

static enum q_err start(struct enrolment *enrolment)
{
    uint64_t now_ms = clock_monotonic_ms();
    int fds[2], error;

    reap(enrolment);
    if (enrolment->pid != 0 ||
        (enrolment->started_ms != 0 && now_ms - enrolment->started_ms < ENROLMENT_RESTART_MS))
        return Q_ERR_AGAIN;
    enrolment->started_ms = now_ms;
    if (handover_pair(fds) != Q_OK)
        return Q_ERR_IO;
    error = spawn(enrolment, fds[1]);
    close(fds[1]);
    if (error != 0) {
        if (!enrolment->failed)
            log_line(LOG_ERR, "Nodes cannot enrol: %s cannot be started: %s (-S enrolment=off if they shall not)",
                     enrolment->settings->enrol_program, strerror(error));
        enrolment->failed = true;
        close(fds[0]);
        return Q_ERR_IO;
    }
    enrolment->failed = false;
    enrolment->channel = fds[0];
    if (qb_loop_poll_add(enrolment->loop, QB_LOOP_LOW, fds[0], EPOLLIN, enrolment, on_end) == 0)
        return Q_OK;
    close(fds[0]);
    enrolment->channel = -1;
    return Q_ERR_IO;
}

/* ---- what the arbiter asks for ---------------------------------------------------------------------------------- */

enum q_err enrolment_pass_on(struct enrolment *enrolment, int fd, const char *peer)
{
    struct handover handover;
    enum q_err err = enrolment->channel < 0 ? start(enrolment) : Q_OK;

    if (err != Q_OK)
        return err;
    memset(&handover, 0, sizeof(handover)); /* all of it leaves this process */
    snprintf(handover.peer, sizeof(handover.peer), "%s", peer);
    err = handover_send(enrolment->channel, &handover, fd);
    if (err == Q_ERR_CLOSED)
        close_channel(enrolment);
    return err == Q_OK ? Q_OK : Q_ERR_AGAIN;
}

void enrolment_renew(struct enrolment *enrolment)
{
    close_channel(enrolment);
    enrolment->started_ms = 0;
    if (enrolment->leaving != 0)
        return; /* two of them at their ends are enough: the next one waits for this one, some seconds */
    enrolment->leaving = enrolment->pid;
    enrolment->pid = 0;
}

void enrolment_tidy(struct enrolment *enrolment)
{
    if (enrolment->channel < 0)
        reap(enrolment);
    reap_one(&enrolment->leaving);
}

void enrolment_fini(struct enrolment *enrolment)
{
    close_channel(enrolment);
}
