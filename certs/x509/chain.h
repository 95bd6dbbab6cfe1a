/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether certificates are what the other side will accept: signed by an authority of the list, for the purpose, with a name,
 * within their time. This is where certificates from someone else's authority are judged, so every sentence names the field
 * that is at fault (docs/certificates.md, "Someone else's authority"). In memory only.
 */
#ifndef QUORATE_CERTS_CHAIN_H
#define QUORATE_CERTS_CHAIN_H

#include "certs/failure.h"
#include "certs/x509/identity.h"

/* At least one, each allowed to sign certificates. Expired ones are let pass: whoever renews them needs to get on. */
enum q_err chain_check_authorities(const STACK_OF(X509) * authorities, struct certs_failure *why);

/*
 * cert, with the help of intermediates, against authorities, as the arbiter would judge a client. Q_ERR_INVALID, or Q_ERR_EXPIRED
 * if nothing but the time is wrong.
 */
enum q_err chain_check_client(const struct certs_identity *identity, struct certs_failure *why);

/* The same as a device would judge the arbiter: its name must be CERTS_SERVER_NAME. */
enum q_err chain_check_server(const struct certs_identity *identity, struct certs_failure *why);

/* Whether the arbiter would take the certificate for this cluster's: Q_ERR_INVALID if not. */
enum q_err chain_check_name(X509 *cert, const char *cluster_name, struct certs_failure *why);

#endif
