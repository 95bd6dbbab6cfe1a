/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The enrolment program's loop: takes connections from the arbiter, speaks TLS and the protocol of docs/enrolment.md with
 * up to REGISTRAR_PEERS_MAX nodes at once, and has certificates signed. Everything it holds is bounded, each connection
 * has REGISTRAR_PEER_MS, one address and one site a share (certs/logic/enrol_guard.h, enrol_room.h). It may block for the disk: nobody but nodes that
 * enrol waits for it. One, owned by main.
 */
#ifndef QUORATE_CERTS_ENROL_REGISTRAR_H
#define QUORATE_CERTS_ENROL_REGISTRAR_H

#include <stdbool.h>
#include <stddef.h>

#include "certs/store/place.h"
#include "common/err.h"
#include "common/tls/credentials.h"

#define REGISTRAR_PEERS_MAX 32
#define REGISTRAR_PEER_MS 10000
/* Without a connection for this long, nobody's wrong codes are remembered any more, and the program ends. */
#define REGISTRAR_IDLE_MS 600000

struct registrar_settings {
    struct tls_credentials_source identity; /* the arbiter's own */
    struct certs_place place;               /* where the authority is */
    const char *invitations;                /* directory */
    int channel;                            /* to the arbiter */
};

struct registrar;

/* Loads the arbiter's certificate. Q_ERR_*: err_text says what is wrong. */
enum q_err registrar_new(const struct registrar_settings *settings, struct registrar **out, char *err_text, size_t size);
void registrar_free(struct registrar *registrar);

/* Until the arbiter closes the channel, or REGISTRAR_IDLE_MS. */
void registrar_run(struct registrar *registrar);

#endif
