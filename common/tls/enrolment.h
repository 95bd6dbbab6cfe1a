/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is special about TLS in an enrolment (docs/enrolment.md): version 1.3 with a protocol name of its own, an arbiter
 * that sends its authority along, and a node that knows nothing of the arbiter but how to recognise this authority. Makes
 * or adapts credentials, with which a tls_channel is then started as with any other. Used by certs/enrol only.
 */
#ifndef QUORATE_COMMON_TLS_ENROLMENT_H
#define QUORATE_COMMON_TLS_ENROLMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/tls/channel.h"
#include "common/tls/credentials.h"

/*
 * Change credentials of a server, just loaded and not used yet: they speak nothing but TLS 1.3 with the protocol `alpn` (as
 * ALPN has it: a byte of length, then the name; must live as long as they do), show the trusted authorities after their
 * own certificate, and take a client's certificate if it has one. Q_ERR_NO_MEMORY.
 */
enum q_err tls_enrolment_serve(struct tls_credentials *creds, const char *alpn);

struct stack_st_X509;

/* How a node recognises the arbiter's authority: true for the DER form of the right certificate. */
struct tls_pin {
    bool (*is_pinned)(void *context, const uint8_t *der, size_t size);
    void *context;
    const struct stack_st_X509 *known; /* instead of is_pinned: the authorities themselves, whether it shows them or not; or NULL */
    bool any_time; /* for who asks what time it is there: the clock that says "expired" may be wrong itself */
    bool refused; /* set in a handshake: the peer showed certificates, and none of them was the right one */
};

/*
 * Credentials of a client without anything of its own. The server's certificate must come from an authority that it shows and
 * that `pin` (which must live as long as they do) recognises, be valid now, and carry peer_name. `own`: a certificate to
 * show, or NULL. Q_ERR_NO_MEMORY, Q_ERR_INVALID (own).
 */
struct x509_st;
struct evp_pkey_st;
struct tls_own {
    struct x509_st *cert;
    struct evp_pkey_st *key;
    struct stack_st_X509 *intermediates; /* or NULL */
};
enum q_err tls_enrolment_join(struct tls_pin *pin, const char *peer_name, const char *alpn, const struct tls_own *own,
                              struct tls_credentials **out);

/* Bytes that only both ends of this very connection know, after the handshake. False: there are none. */
bool tls_enrolment_export(struct tls_channel *ch, const char *label, uint8_t *out, size_t size);

/* Calls `each` for the DER form of every authority that creds trusts, as long as it returns true. False: no memory. */
bool tls_enrolment_authorities(const struct tls_credentials *creds,
                               bool (*each)(void *context, const uint8_t *der, size_t size), void *context);

#endif
