/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signs one certificate in a process of its own, which is the only one ever to hold the authority's key, for the moment of
 * one signature; the program that talks to the network never does. Started by it for an authenticated node only; the
 * answer comes through a pipe, the program's loop never waits. Embedded in whoever waits for it.
 */
#ifndef QUORATE_CERTS_ENROL_SIGNER_H
#define QUORATE_CERTS_ENROL_SIGNER_H

#include <stdint.h>
#include <sys/types.h>

#include "certs/store/place.h"
#include "common/buf.h"
#include "common/cluster_identity.h"
#include "common/err.h"

struct signer_order {
    const struct certs_place *place;
    const char *cluster;
    struct cluster_identity identity; /* which cluster of that name; may be none */
    const char *node;     /* NULL: the whole cluster's */
    const uint8_t *request; /* PKCS #10, DER */
    size_t request_size;
    uint64_t serial; /* 0: take the next one, which needs permission to write */
};

struct signer {
    pid_t pid; /* 0: none */
    int fd;    /* readable when there is an answer, or part of one */
    struct q_buf answer;
};

void signer_init(struct signer *signer);

/* Kills a process that is still at work. */
void signer_fini(struct signer *signer);

/* Forks. Q_ERR_IO with errno. */
enum q_err signer_start(struct signer *signer, const struct signer_order *order);

/*
 * To be called when fd is readable. Q_ERR_AGAIN: not whole yet. Q_OK: *certificate is DER, in the signer's buffer.
 * Q_ERR_INVALID, Q_ERR_IO: not signed; *why is a sentence for the log, in the signer's buffer.
 */
enum q_err signer_take(struct signer *signer, const uint8_t **certificate, size_t *size, const char **why);

#endif
