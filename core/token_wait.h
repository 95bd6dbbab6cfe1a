/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keeps the token for some microseconds (totem_token_patience_us) before it is handed to the ring. One datagram at a time:
 * what comes meanwhile is for the ring to judge. If it is a repetition, the ring takes it and knows the kept one for late; if it is
 * forged or replayed, the kept one is not lost for it. Embedded, by node.c.
 */
#ifndef QUORATE_CORE_TOKEN_WAIT_H
#define QUORATE_CORE_TOKEN_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <qb/qbloop.h>

#include "common/err.h"

#define TOKEN_WAIT_SIZE_MAX 2048 /* larger than any token */

struct token_wait {
    int fd;
    bool running;
    size_t size;
    uint8_t bytes[TOKEN_WAIT_SIZE_MAX];
    void *context;
    void (*on_datagram)(void *context, const uint8_t *bytes, size_t size);
};

/* Q_ERR_IO: no timer can be had. */
enum q_err token_wait_init(struct token_wait *wait, qb_loop_t *loop, void *context,
                           void (*on_datagram)(void *context, const uint8_t *bytes, size_t size));
void token_wait_fini(struct token_wait *wait, qb_loop_t *loop);

/* Copies the datagram. False: one is kept already, it is too large, or the timer cannot be set; hand it in now. */
bool token_wait_keep(struct token_wait *wait, const uint8_t *bytes, size_t size, uint32_t us);

/* What is kept, if anything, is of the past. */
void token_wait_drop(struct token_wait *wait);

#endif
