/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The identity a peer's certificate gives it: the dNSName alternative names if there is any, else the
 * common name (the last one, as NSS does), and the end of validity. A channel makes the object when the
 * handshake completes and drops the certificate itself; whoever decides about identity compares names.
 * Every name is free of NUL and control characters, never empty, at most TLS_PEER_NAME_LENGTH_MAX bytes.
 */
#ifndef QUORATE_COMMON_TLS_PEER_NAMES_H
#define QUORATE_COMMON_TLS_PEER_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/cluster_identity.h"
#include "common/err.h"

#define TLS_PEER_NAME_LENGTH_MAX 255
#define TLS_PEER_NAME_COUNT_MAX 64
#define TLS_PEER_NUMBER_SIZE_MAX 64 /* bytes of a serial number; RFC 5280 allows 20 */

struct x509_st;

struct tls_peer_names {
    time_t not_after;
    uint64_t serial;     /* 0: larger than 64 bits */
    const char *number;  /* the serial number whatever its size, in lower-case hexadecimal; a minus sign before it is possible */
    const char *node;    /* the (last) organizational unit, which names a node; "" if there is none or it is no plain text */
    struct cluster_identity cluster; /* which cluster of that name; none in certificates that nobody enrolled for */
    size_t count;        /* 0: the certificate names nobody */
    const char *names[]; /* NUL-terminated; in the same allocation */
};

/*
 * Read the names of cert into *out (tls_peer_names_free). A certificate without any name gives count 0.
 * Q_ERR_INVALID: a name has an embedded NUL, control character or impossible encoding, is empty or too
 * long, or there are too many, or the serial number is too long; err_text says which. Q_ERR_NO_MEMORY.
 */
enum q_err tls_peer_names_new(const struct x509_st *cert, struct tls_peer_names **out, char *err_text,
                              size_t size);

/* NULL is allowed. */
void tls_peer_names_free(struct tls_peer_names *names);

#endif
