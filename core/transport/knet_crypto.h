/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keys of a knet handle and how they change while it runs (spec/totem-wire.md section 11.3, totem-protocol.md section
 * 15.5): what is new is understood first, then used, and last the former is forgotten. Embedded in the transport; keys
 * are in libknet only, here is a digest of what was loaded.
 *
 *     IDLE ──load──► LOADED ──use──► USED ──forget, and some seconds──► IDLE
 *
 * The second phase of one node tells it nothing about the others: a busy one may still send with the former key, which is
 * therefore understood for some seconds more.
 */
#ifndef QUORATE_CORE_TRANSPORT_KNET_CRYPTO_H
#define QUORATE_CORE_TRANSPORT_KNET_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libknet.h>

#include <qb/qbloop.h>

#include "common/err.h"
#include "core/config/core_config.h"

#define KNET_CRYPTO_DIGEST_SIZE 32

enum knet_crypto_phase { KNET_CRYPTO_IDLE, KNET_CRYPTO_LOADED, KNET_CRYPTO_USED };

struct knet_crypto {
    knet_handle_t handle;
    qb_loop_t *loop;
    enum knet_crypto_phase phase;
    bool is_forgetting; /* USED: the timer runs */
    qb_loop_timer_handle timer;
    uint8_t slot;                            /* of libknet, for sending: 1, 2; 0: clear */
    uint8_t other_slot;                      /* LOADED: the next one; USED: the former one */
    uint8_t digest[KNET_CRYPTO_DIGEST_SIZE]; /* of what was loaded last */
};

/* Loads what the configuration says and uses it at once. Q_ERR_INVALID, Q_ERR_IO: why (of why_size) says what of it. */
enum q_err knet_crypto_init(struct knet_crypto *crypto, knet_handle_t handle, qb_loop_t *loop,
                            const struct core_config *config, char *why, size_t why_size);
void knet_crypto_fini(struct knet_crypto *crypto);

/* Whether the configuration says something else than what was loaded last; a key that cannot be read is something else. */
bool knet_crypto_differs(const struct knet_crypto *crypto, const struct core_config *next);
/* Q_OK, also if nothing differs. */
enum q_err knet_crypto_load(struct knet_crypto *crypto, const struct core_config *next, char *why,
                            size_t why_size);
void knet_crypto_use(struct knet_crypto *crypto);
void knet_crypto_forget(struct knet_crypto *crypto);

#endif
