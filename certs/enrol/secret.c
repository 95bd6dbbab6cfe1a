/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/secret.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

static const char salt[] = "quorate-enrol/01";

/* scrypt: 128 * N * r bytes of memory. */
#define SCRYPT_N 32768
#define SCRYPT_R 8
#define SCRYPT_P 1
#define SCRYPT_MEMORY_MAX (64u << 20)

#define CONTEXT_SIZE sizeof(ENROL_PROOF_CONTEXT)

bool enrol_keys_derive(const uint8_t secret[ENROL_CODE_SECRET_SIZE], struct enrol_keys *keys)
{
    uint8_t bytes[ENROL_ID_SIZE + ENROL_SEED_SIZE + ENROL_PIN_KEY_SIZE];
    bool good = EVP_PBE_scrypt((const char *)secret, ENROL_CODE_SECRET_SIZE, (const unsigned char *)salt,
                               sizeof(salt) - 1, SCRYPT_N, SCRYPT_R, SCRYPT_P, SCRYPT_MEMORY_MAX, bytes,
                               sizeof(bytes)) == 1;

    if (good) {
        memcpy(keys->id, bytes, ENROL_ID_SIZE);
        memcpy(keys->seed, bytes + ENROL_ID_SIZE, ENROL_SEED_SIZE);
        memcpy(keys->pin_key, bytes + ENROL_ID_SIZE + ENROL_SEED_SIZE, ENROL_PIN_KEY_SIZE);
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    ERR_clear_error();
    return good;
}

void enrol_keys_wipe(struct enrol_keys *keys)
{
    OPENSSL_cleanse(keys, sizeof(*keys));
}

bool enrol_pin(const struct enrol_keys *keys, const uint8_t *authority, size_t size, uint64_t *pin)
{
    uint8_t digest[EVP_MAX_MD_SIZE];

    if (HMAC(EVP_sha256(), keys->pin_key, ENROL_PIN_KEY_SIZE, authority, size, digest, NULL) == NULL) {
        ERR_clear_error();
        return false;
    }
    *pin = 0;
    for (size_t i = 0; i < 8; i++)
        *pin = *pin << 8 | digest[i];
    *pin >>= 64 - ENROL_CODE_PIN_BITS;
    return true;
}

bool enrol_code_new(const uint8_t *authority, size_t size, struct enrol_code *code, struct enrol_keys *keys)
{
    return RAND_bytes(code->secret, sizeof(code->secret)) == 1 && enrol_keys_derive(code->secret, keys) &&
           enrol_pin(keys, authority, size, &code->pin);
}

bool enrol_verifier(const struct enrol_keys *keys, uint8_t verifier[INVITATION_VERIFIER_SIZE])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, keys->seed, ENROL_SEED_SIZE);
    size_t size = INVITATION_VERIFIER_SIZE;
    bool good = key != NULL && EVP_PKEY_get_raw_public_key(key, verifier, &size) == 1 &&
                size == INVITATION_VERIFIER_SIZE;

    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}

/* What is signed: the context with its terminator, what both ends exported, the message. On the heap; NULL: no memory. */
static uint8_t *proven_bytes(const uint8_t *exported, const uint8_t *bytes, size_t size, size_t *total)
{
    uint8_t *all = malloc(CONTEXT_SIZE + ENROL_EXPORTER_SIZE + size);

    if (all == NULL)
        return NULL;
    memcpy(all, ENROL_PROOF_CONTEXT, CONTEXT_SIZE);
    memcpy(all + CONTEXT_SIZE, exported, ENROL_EXPORTER_SIZE);
    memcpy(all + CONTEXT_SIZE + ENROL_EXPORTER_SIZE, bytes, size);
    *total = CONTEXT_SIZE + ENROL_EXPORTER_SIZE + size;
    return all;
}

bool enrol_prove(const struct enrol_keys *keys, const uint8_t exported[ENROL_EXPORTER_SIZE], const uint8_t *bytes,
                 size_t size, uint8_t proof[ENROL_PROOF_SIZE])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, keys->seed, ENROL_SEED_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t total = 0, proof_size = ENROL_PROOF_SIZE;
    uint8_t *all = proven_bytes(exported, bytes, size, &total);
    bool good = key != NULL && context != NULL && all != NULL &&
                EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestSign(context, proof, &proof_size, all, total) == 1 && proof_size == ENROL_PROOF_SIZE;

    free(all);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}

bool enrol_proof_good(const uint8_t verifier[INVITATION_VERIFIER_SIZE], const uint8_t exported[ENROL_EXPORTER_SIZE],
                      const uint8_t *bytes, size_t size, const uint8_t proof[ENROL_PROOF_SIZE])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, verifier, INVITATION_VERIFIER_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t total = 0;
    uint8_t *all = proven_bytes(exported, bytes, size, &total);
    bool good = key != NULL && context != NULL && all != NULL &&
                EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(context, proof, ENROL_PROOF_SIZE, all, total) == 1;

    free(all);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}
