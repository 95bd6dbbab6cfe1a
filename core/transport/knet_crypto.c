/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/transport/knet_crypto.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <qb/qbutil.h>

#include "core/logging.h"
#include "core/transport/key_file.h"

#define FORGET_MS 5000

static bool is_on(const struct core_config *config)
{
    return strcmp(config->crypto_cipher, "none") != 0 || strcmp(config->crypto_hash, "none") != 0;
}

/* ---- from the configuration to what libknet takes ---- */

static bool copy_name(char *out, size_t size, const char *name)
{
    return snprintf(out, size, "%s", name) < (int)size;
}

static enum q_err read_key(const struct core_config *config, struct knet_handle_crypto_cfg *out, char *why,
                           size_t why_size)
{
    size_t size;
    enum q_err err;

    if (config->key_text != NULL) {
        size = strlen(config->key_text) + 1;
        if (size < CORE_KEY_SIZE_MIN || size > CORE_KEY_SIZE_MAX) {
            snprintf(why, why_size, "totem.key has %zu bytes, it must have %d to %d", size, CORE_KEY_SIZE_MIN,
                     CORE_KEY_SIZE_MAX);
            return Q_ERR_INVALID;
        }
        memcpy(out->private_key, config->key_text, size);
    } else {
        err = key_file_read(config->key_file, out->private_key, &size, why, why_size);
        if (err != Q_OK)
            return err;
    }
    out->private_key_len = (unsigned)size;
    return Q_OK;
}

/* The result is to be wiped in every case. */
static enum q_err read_settings(const struct core_config *config, struct knet_handle_crypto_cfg *out,
                                char *why, size_t why_size)
{
    memset(out, 0, sizeof(*out));
    if (!is_on(config)) {
        copy_name(out->crypto_model, sizeof(out->crypto_model), "none");
        copy_name(out->crypto_cipher_type, sizeof(out->crypto_cipher_type), "none");
        copy_name(out->crypto_hash_type, sizeof(out->crypto_hash_type), "none");
        return Q_OK;
    }
    if (!copy_name(out->crypto_model, sizeof(out->crypto_model), config->crypto_model) ||
        !copy_name(out->crypto_cipher_type, sizeof(out->crypto_cipher_type), config->crypto_cipher) ||
        !copy_name(out->crypto_hash_type, sizeof(out->crypto_hash_type), config->crypto_hash)) {
        snprintf(why, why_size, "a crypto setting has a name that is too long");
        return Q_ERR_INVALID;
    }
    return read_key(config, out, why, why_size);
}

/* Everything that is not used is zero. */
static bool digest_of(const struct knet_handle_crypto_cfg *settings, uint8_t digest[KNET_CRYPTO_DIGEST_SIZE])
{
    return EVP_Digest(settings, sizeof(*settings), digest, NULL, EVP_sha256(), NULL) == 1;
}

/* ---- libknet ---- */

static enum q_err set_slot(struct knet_crypto *crypto, uint8_t slot, struct knet_handle_crypto_cfg *settings,
                           char *why, size_t why_size)
{
    int result = knet_handle_crypto_set_config(crypto->handle, settings, slot);

    if (result == 0)
        return Q_OK;
    snprintf(why, why_size, "libknet takes no key for %s, cipher %s, hash %s: %s", settings->crypto_model,
             settings->crypto_cipher_type, settings->crypto_hash_type,
             result == -1 ? strerror(errno) : "its plugin cannot be initialised");
    return Q_ERR_IO;
}

static bool allow_clear(struct knet_crypto *crypto, bool on)
{
    return knet_handle_crypto_rx_clear_traffic(crypto->handle, on ? KNET_CRYPTO_RX_ALLOW_CLEAR_TRAFFIC
                                                                  : KNET_CRYPTO_RX_DISALLOW_CLEAR_TRAFFIC) ==
           0;
}

/* Makes it understood; other_slot says where it is. */
static enum q_err load(struct knet_crypto *crypto, const struct core_config *config,
                       struct knet_handle_crypto_cfg *settings, char *why, size_t why_size)
{
    uint8_t slot = crypto->slot == 1 ? 2 : 1;
    enum q_err err = Q_OK;

    if (!is_on(config)) {
        if (!allow_clear(crypto, true)) {
            snprintf(why, why_size, "libknet does not allow clear traffic: %s", strerror(errno));
            return Q_ERR_IO;
        }
        crypto->other_slot = 0;
    } else {
        err = set_slot(crypto, slot, settings, why, why_size);
        if (err != Q_OK)
            return err;
        crypto->other_slot = slot;
    }
    crypto->phase = KNET_CRYPTO_LOADED;
    return Q_OK;
}

/* ---- the former key ---- */

static void stop_timer(struct knet_crypto *crypto)
{
    if (crypto->is_forgetting)
        qb_loop_timer_del(crypto->loop, crypto->timer);
    crypto->is_forgetting = false;
}

static void forget_former(struct knet_crypto *crypto)
{
    struct knet_handle_crypto_cfg none;
    char why[256] = "";

    memset(&none, 0, sizeof(none));
    copy_name(none.crypto_model, sizeof(none.crypto_model), "none");
    copy_name(none.crypto_cipher_type, sizeof(none.crypto_cipher_type), "none");
    copy_name(none.crypto_hash_type, sizeof(none.crypto_hash_type), "none");
    if (crypto->other_slot != 0 && set_slot(crypto, crypto->other_slot, &none, why, sizeof(why)) != Q_OK)
        logging_line(LOGGING_TOTEM, LOG_ERR, "knet: the former key cannot be forgotten: %s", why);
    if (!allow_clear(crypto, crypto->slot == 0))
        logging_line(LOGGING_TOTEM, LOG_ERR, "knet: clear traffic cannot be %s: %s",
                     crypto->slot == 0 ? "allowed" : "refused", strerror(errno));
    crypto->phase = KNET_CRYPTO_IDLE;
    logging_line(LOGGING_TOTEM, LOG_INFO, "knet: the former crypto is forgotten");
}

static void on_timer(void *data)
{
    struct knet_crypto *crypto = data;

    crypto->is_forgetting = false;
    forget_former(crypto);
}

/* ---- the phases ---- */

enum q_err knet_crypto_load(struct knet_crypto *crypto, const struct core_config *next, char *why,
                            size_t why_size)
{
    struct knet_handle_crypto_cfg settings;
    uint8_t digest[KNET_CRYPTO_DIGEST_SIZE];
    enum q_err err = read_settings(next, &settings, why, why_size);

    if (err == Q_OK && !digest_of(&settings, digest)) {
        snprintf(why, why_size, "the key cannot be hashed");
        err = Q_ERR_IO;
    }
    if (err == Q_OK && memcmp(digest, crypto->digest, sizeof(digest)) != 0) {
        /* Its place is needed. */
        stop_timer(crypto);
        if (crypto->phase == KNET_CRYPTO_USED)
            forget_former(crypto);
        err = load(crypto, next, &settings, why, why_size);
        if (err == Q_OK) {
            memcpy(crypto->digest, digest, sizeof(digest));
            logging_line(LOGGING_TOTEM, LOG_INFO,
                         "knet: other crypto is loaded: model %s, cipher %s, hash %s", settings.crypto_model,
                         settings.crypto_cipher_type, settings.crypto_hash_type);
        }
    }
    explicit_bzero(&settings, sizeof(settings));
    return err;
}

bool knet_crypto_differs(const struct knet_crypto *crypto, const struct core_config *next)
{
    struct knet_handle_crypto_cfg settings;
    uint8_t digest[KNET_CRYPTO_DIGEST_SIZE];
    char why[256];
    bool is_same = read_settings(next, &settings, why, sizeof(why)) == Q_OK && digest_of(&settings, digest) &&
                   memcmp(digest, crypto->digest, sizeof(digest)) == 0;

    explicit_bzero(&settings, sizeof(settings));
    return !is_same;
}

void knet_crypto_use(struct knet_crypto *crypto)
{
    uint8_t former = crypto->slot;

    if (crypto->phase != KNET_CRYPTO_LOADED)
        return;
    if (knet_handle_crypto_use_config(crypto->handle, crypto->other_slot) != 0) {
        logging_line(LOGGING_TOTEM, LOG_ERR, "knet: the new key cannot be used, the old one stays: %s",
                     strerror(errno));
        return;
    }
    crypto->slot = crypto->other_slot;
    crypto->other_slot = former;
    crypto->phase = KNET_CRYPTO_USED;
    logging_line(LOGGING_TOTEM, LOG_INFO, "knet: the new crypto is used for sending");
}

void knet_crypto_forget(struct knet_crypto *crypto)
{
    if (crypto->phase != KNET_CRYPTO_USED || crypto->is_forgetting)
        return;
    crypto->is_forgetting = qb_loop_timer_add(crypto->loop, QB_LOOP_MED, FORGET_MS * QB_TIME_NS_IN_MSEC,
                                              crypto, on_timer, &crypto->timer) == 0;
    if (!crypto->is_forgetting)
        forget_former(crypto);
}

void knet_crypto_fini(struct knet_crypto *crypto)
{
    stop_timer(crypto);
}

enum q_err knet_crypto_init(struct knet_crypto *crypto, knet_handle_t handle, qb_loop_t *loop,
                            const struct core_config *config, char *why, size_t why_size)
{
    struct knet_handle_crypto_cfg settings;
    enum q_err err = read_settings(config, &settings, why, why_size);

    *crypto = (struct knet_crypto){.handle = handle, .loop = loop};
    if (err == Q_OK && !digest_of(&settings, crypto->digest)) {
        snprintf(why, why_size, "the key cannot be hashed");
        err = Q_ERR_IO;
    }
    if (err == Q_OK)
        err = load(crypto, config, &settings, why, why_size);
    explicit_bzero(&settings, sizeof(settings));
    if (err != Q_OK)
        return err;
    if (crypto->other_slot != 0 && knet_handle_crypto_use_config(handle, crypto->other_slot) != 0) {
        snprintf(why, why_size, "libknet does not use its key: %s", strerror(errno));
        return Q_ERR_IO;
    }
    crypto->slot = crypto->other_slot;
    if (crypto->slot != 0 && !allow_clear(crypto, false)) {
        snprintf(why, why_size, "libknet does not refuse clear traffic: %s", strerror(errno));
        return Q_ERR_IO;
    }
    crypto->phase = KNET_CRYPTO_IDLE;
    return Q_OK;
}
