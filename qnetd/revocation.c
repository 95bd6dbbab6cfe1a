/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/revocation.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "certs/enrol/revoked.h"
#include "common/log.h"
#include "qnetd/identity.h"

/* Where the arbiter's certificates are now. */
static void find_directory(const struct settings *settings, char dir[PATH_MAX])
{
    struct tls_credentials_source source;
    char file[PATH_MAX];

    identity_source(settings, &source);
    switch (source.kind) {
    case TLS_SOURCE_NSS:
        snprintf(dir, PATH_MAX, "%s", source.nss.dir);
        break;
    case TLS_SOURCE_PEM:
        snprintf(file, sizeof(file), "%s", source.pem.cert_file);
        snprintf(dir, PATH_MAX, "%s", dirname(file));
        break;
    }
}

static bool read_list(struct revocation_watch *watch)
{
    struct certs_failure why;
    struct revocations fresh;
    char dir[PATH_MAX];

    find_directory(watch->settings, dir);
    if (revoked_read(dir, &fresh, &why) != Q_OK) {
        if (watch->unknown)
            log_line(LOG_CRIT, "TLS: %s Until then nobody with a certificate is served", why.text);
        else
            log_line(LOG_ERR, "TLS: %s Until then the list read before stays in force", why.text);
        return false;
    }
    watch->unknown = false;
    revocations_fini(&watch->list);
    watch->list = fresh;
    return true;
}

/*
 * The directory that there is now: another one may have taken the place of the one watched before. Beside what the tool does (a
 * rename), what an administrator does who was told to mend the list or to remove it.
 */
static bool watch_directory(struct revocation_watch *watch)
{
    char dir[PATH_MAX];

    find_directory(watch->settings, dir);
    if (inotify_add_watch(watch->fd, dir, IN_MOVED_TO | IN_MOVED_FROM | IN_CLOSE_WRITE | IN_DELETE) >= 0)
        return true;
    log_line(LOG_WARNING, "TLS: %s cannot be watched (%s): after corosync-qnetd-certutil --revoke send SIGHUP", dir,
             strerror(errno));
    return false;
}

void revocation_reload(struct revocation_watch *watch)
{
    if (watch->settings == NULL)
        return;
    if (watch->fd >= 0)
        (void)watch_directory(watch);
    if (!read_list(watch))
        return;
    log_line(LOG_INFO, "TLS: revocations in force: %zu", watch->list.count);
    watch->on_change(watch->data);
}

static int32_t on_readable(int32_t fd, int32_t revents, void *data)
{
    char bytes[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool concerned = false;
    ssize_t count;

    (void)revents;
    while ((count = read(fd, bytes, sizeof(bytes))) > 0) {
        for (char *at = bytes; at < bytes + count;) {
            const struct inotify_event *event = (const struct inotify_event *)at;

            concerned = concerned || (event->len > 0 && strcmp(event->name, REVOKED_FILE) == 0) ||
                        (event->mask & IN_Q_OVERFLOW) != 0;
            at += sizeof(*event) + event->len;
        }
    }
    if (concerned)
        revocation_reload(data);
    return 0;
}

static void start_watching(struct revocation_watch *watch)
{
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd >= 0 && qb_loop_poll_add(watch->loop, QB_LOOP_MED, watch->fd, EPOLLIN, watch, on_readable) == 0) {
        (void)watch_directory(watch);
        return;
    }
    log_line(LOG_WARNING, "TLS: the list of revoked certificates cannot be watched (%s): after corosync-qnetd-certutil "
             "--revoke send SIGHUP", strerror(errno));
    if (watch->fd >= 0)
        close(watch->fd);
    watch->fd = -1;
}

void revocation_open(struct revocation_watch *watch, qb_loop_t *loop, const struct settings *settings,
                     void (*on_change)(void *data), void *data)
{
    *watch = (struct revocation_watch){.loop = loop, .settings = settings, .unknown = true, .fd = -1, .on_change = on_change, .data = data};
    start_watching(watch);
    if (read_list(watch) && watch->list.count > 0)
        log_line(LOG_INFO, "TLS: revocations in force: %zu", watch->list.count);
}

void revocation_close(struct revocation_watch *watch)
{
    if (watch->fd >= 0) {
        qb_loop_poll_del(watch->loop, watch->fd);
        close(watch->fd);
    }
    watch->fd = -1;
    revocations_fini(&watch->list);
}

const char *revocation_reason(const struct revocation_watch *watch, const struct tls_peer_names *peer)
{
    if (peer == NULL)
        return NULL;
    if (watch->unknown)
        return "the list of revoked certificates cannot be read, so its certificate may be one of them";
    return revoked_concerns(&watch->list, peer) ? "its certificate has been revoked" : NULL;
}
