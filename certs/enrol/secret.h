/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the secret of a code proves (docs/enrolment.md). From its 80 bits come, by a slow function, the invitation's id, a
 * key pair whose public half is all that the arbiter keeps, and the key under which the code's pin is a fingerprint of the
 * arbiter's authority. So whoever reads the arbiter's disk cannot join, and a pin cannot be aimed at without the secret.
 * Used by both certificate tools and the enrolment program. Values only; wiped by enrol_keys_wipe.
 */
#ifndef QUORATE_CERTS_ENROL_SECRET_H
#define QUORATE_CERTS_ENROL_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/logic/enrol_code.h"
#include "certs/logic/enrol_wire.h"
#include "certs/logic/invitation.h"

#define ENROL_SEED_SIZE 32
#define ENROL_PIN_KEY_SIZE 32

struct enrol_keys {
    uint8_t id[ENROL_ID_SIZE];
    uint8_t seed[ENROL_SEED_SIZE]; /* the private half, Ed25519 */
    uint8_t pin_key[ENROL_PIN_KEY_SIZE];
};

/* A tenth of a second and 32 MiB, on purpose. False: no memory, or no such algorithm in this OpenSSL. */
bool enrol_keys_derive(const uint8_t secret[ENROL_CODE_SECRET_SIZE], struct enrol_keys *keys);
void enrol_keys_wipe(struct enrol_keys *keys);

/* A code with a new secret, for the authority with this certificate (DER), and its keys. False as above. */
bool enrol_code_new(const uint8_t *authority, size_t size, struct enrol_code *code, struct enrol_keys *keys);

/* The pin of an authority's certificate (DER): ENROL_CODE_PIN_BITS bits. */
bool enrol_pin(const struct enrol_keys *keys, const uint8_t *authority, size_t size, uint64_t *pin);

/* The public half: what an invitation keeps. */
bool enrol_verifier(const struct enrol_keys *keys, uint8_t verifier[INVITATION_VERIFIER_SIZE]);

/* The proof that the secret is known: over the bytes of a message, in the connection from which `exported` was exported. */
bool enrol_prove(const struct enrol_keys *keys, const uint8_t exported[ENROL_EXPORTER_SIZE], const uint8_t *bytes,
                 size_t size, uint8_t proof[ENROL_PROOF_SIZE]);
bool enrol_proof_good(const uint8_t verifier[INVITATION_VERIFIER_SIZE], const uint8_t exported[ENROL_EXPORTER_SIZE],
                      const uint8_t *bytes, size_t size, const uint8_t proof[ENROL_PROOF_SIZE]);

#endif
