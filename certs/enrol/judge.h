/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the enrolment program does about one request, step by step, as its session (certs/logic/enrol_session.h) asks: look
 * the invitation up, check the proof, make the claim last, put the certificate into the answer. Each step leaves a verdict,
 * which becomes the session's next event. A case is embedded in its peer, and owns what it keeps between steps.
 */
#ifndef QUORATE_CERTS_ENROL_JUDGE_H
#define QUORATE_CERTS_ENROL_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "certs/enrol/signer.h"
#include "certs/logic/enrol_guard.h"
#include "certs/logic/enrol_session.h"
#include "certs/logic/invitation.h"
#include "certs/logic/revocations.h"
#include "common/tls/channel.h"
#include "common/tls/credentials.h"

#define JUDGE_TEXT_SIZE 512
#define JUDGE_NAME_SIZE 640

struct judge_case {
    char name[JUDGE_NAME_SIZE];    /* for the log: invitation, cluster, node */
    struct invitation invitation;  /* of a join, once judged */
    struct invitation_claim claim; /* its hash points here: */
    uint8_t key_hash[INVITATION_KEY_HASH_SIZE];
    bool is_renewal;
    uint64_t rests_on; /* of a renewal: number of the certificate that the node has shown, also in hexadecimal */
    char rests_on_number[REVOCATION_NUMBER_SIZE];
    char node[ENROL_NAME_SIZE_MAX + 1]; /* whom the certificate names; may be empty */
    struct q_buf authorities_der;
    struct enrol_bytes authorities[ENROL_AUTHORITIES_MAX]; /* of the grant */
};

struct judge_verdict {
    unsigned reason; /* 0, or of enum enrol_reason, then with text */
    char text[JUDGE_TEXT_SIZE];
    bool granted; /* with the grant below, which points into the case */
    struct enrol_grant grant;
};

void judge_case_init(struct judge_case *matter);
void judge_case_fini(struct judge_case *matter);

/* What all cases have in common; borrowed. */
struct judge_setting {
    const char *invitations;               /* directory */
    const char *store;                     /* directory of the arbiter's certificates */
    const struct tls_credentials *trusted; /* whose authorities nodes shall trust */
    struct enrol_guard *guard;
};

/* A JOIN: granted at once if this key has its certificate already. */
void judge_join(struct judge_case *matter, const struct judge_setting *setting, struct tls_channel *channel,
                const struct enrol_session *session, struct judge_verdict *verdict);

/* A RENEW: whoever shows a good certificate, not revoked, gets another one that says the same. */
void judge_renewal(struct judge_case *matter, const struct judge_setting *setting, struct tls_channel *channel,
                   struct judge_verdict *verdict);

/* Notes in the invitation whose it is from now on. */
void judge_keep(struct judge_case *matter, const struct judge_setting *setting, const char *peer,
                struct judge_verdict *verdict);

/* What is to be signed; points into the case and the request. */
void judge_order(const struct judge_case *matter, const struct certs_place *place, const struct enrol_message *request,
                 struct signer_order *order);

/* The certificate has been signed: kept with the invitation, then granted. */
void judge_signed(struct judge_case *matter, const struct judge_setting *setting, const uint8_t *certificate, size_t size,
                  struct judge_verdict *verdict);

#endif
