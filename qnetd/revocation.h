/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The certificates that the arbiter does not accept any more: the file "revoked" beside its own ones (certs/enrol/revoked.h), read at
 * the start and whenever it is replaced, so that corosync-qnetd-certutil --revoke needs no word with the daemon. No file is a list of
 * none. A list that cannot be read leaves the former one in force; at the start there is none, nobody can tell who has been
 * revoked, and every certificate is turned away until the file is mended. Embedded in main's daemon.
 */
#ifndef QUORATE_QNETD_REVOCATION_H
#define QUORATE_QNETD_REVOCATION_H

#include <stdbool.h>

#include <qb/qbloop.h>

#include "certs/logic/revocations.h"
#include "common/tls/peer_names.h"
#include "qnetd/settings.h"

struct revocation_watch {
    qb_loop_t *loop;
    const struct settings *settings;
    struct revocations list;
    bool unknown; /* it could not be read since the start */
    int fd; /* inotify; -1: not watched */
    void (*on_change)(void *data); /* the list is another one */
    void *data;
};

/* Reads the list. What fails is logged. */
void revocation_open(struct revocation_watch *watch, qb_loop_t *loop, const struct settings *settings,
                     void (*on_change)(void *data), void *data);
void revocation_close(struct revocation_watch *watch);

/* Reads the list again; calls on_change if that succeeds. */
void revocation_reload(struct revocation_watch *watch);

/* Why a client with this certificate (NULL: with none) must go; NULL: it need not. A sentence without its end. */
const char *revocation_reason(const struct revocation_watch *watch, const struct tls_peer_names *peer);

#endif
