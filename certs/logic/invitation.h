/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One invitation as the arbiter keeps it (docs/enrolment.md): for which cluster, until when, who has used it, and how
 * to check a proof without knowing the secret. Pure: the text of its file, and the judgement on who wants to use it.
 * Files are the business of certs/enrol/invitation_dir.h.
 *
 * An invitation is open, then claimed by one key for ever, then it holds the certificate made for that key. So a node
 * whose connection broke, or that was killed, asks again with the same key and gets the same certificate; nobody else
 * gets one.
 */
#ifndef QUORATE_CERTS_LOGIC_INVITATION_H
#define QUORATE_CERTS_LOGIC_INVITATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/logic/enrol_wire.h"
#include "common/buf.h"
#include "common/cluster_identity.h"
#include "common/err.h"

#define INVITATION_VERIFIER_SIZE 32
#define INVITATION_KEY_HASH_SIZE 32
#define INVITATION_PEER_SIZE 64
#define INVITATION_CERTIFICATE_SIZE_MAX 8192
#define INVITATION_FILE_SIZE_MAX 32768
#define INVITATION_TEXT_SIZE 512

struct invitation {
    uint8_t id[ENROL_ID_SIZE];
    uint8_t verifier[INVITATION_VERIFIER_SIZE]; /* public key of the proofs */
    char cluster[ENROL_NAME_SIZE_MAX + 1];
    struct cluster_identity identity;   /* which cluster of that name; none: made before there were identities */
    char node[ENROL_NAME_SIZE_MAX + 1]; /* for whom the administrator made it; may be empty */
    int64_t created_s;                  /* since 1970, as the next two */
    int64_t expires_s;                  /* the first second in which it is not accepted */
    uint64_t serial;                    /* of the certificate, reserved when the invitation was made */

    int64_t claimed_s; /* 0: open */
    uint8_t key_hash[INVITATION_KEY_HASH_SIZE];
    char claimed_by[INVITATION_PEER_SIZE]; /* address */
    uint8_t *certificate; /* DER, of whoever has read or signed; NULL: none yet */
    size_t certificate_size;
};

/* Appends the file's text. An allocation that failed shows in out->failed. */
void invitation_encode(const struct invitation *invitation, struct q_buf *out);

/*
 * Reads it back into *invitation, whose certificate is the caller's to free with invitation_fini. Q_ERR_INVALID: it is
 * not what invitation_encode writes; Q_ERR_NO_MEMORY.
 */
enum q_err invitation_decode(const uint8_t *bytes, size_t size, struct invitation *invitation);
void invitation_fini(struct invitation *invitation);

/* Whoever wants to use an invitation. */
struct invitation_claim {
    int64_t now_s;
    bool proof_good;                     /* it knows the secret, and says so in this very connection */
    const uint8_t *key_hash;             /* INVITATION_KEY_HASH_SIZE, of the public key to be certified */
    const struct enrol_bytes *cluster;   /* where it believes to be; bytes NULL: it does not say */
};

/*
 * The reason to refuse it, with a sentence in text for the node and the log (no other bytes of the peer's than a plain
 * cluster name); 0: it may have its certificate. invitation NULL: there is none of that id.
 */
unsigned invitation_judge(const struct invitation *invitation, const struct invitation_claim *claim,
                          char text[INVITATION_TEXT_SIZE]);

/* Notes who claims an invitation that was judged usable. */
void invitation_claim(struct invitation *invitation, const struct invitation_claim *claim, const char *peer);

/* "open until ...", for the administrator. */
enum invitation_state { INVITATION_OPEN, INVITATION_EXPIRED, INVITATION_CLAIMED, INVITATION_USED };
enum invitation_state invitation_state(const struct invitation *invitation, int64_t now_s);

#endif
