/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/totem/machine.h"

/* Found by measuring (tests/bench/ring.py): less takes along less, more makes the ring wait. */
#define PATIENCE_US 200
/* So many messages between two visits are not somebody who waits for the answer to each. */
#define FLURRY 4

/* All in 32 bits that may wrap around, as the other nodes calculate: with more sent in a rotation than the window has,
 * the difference is huge and the limit is max_messages alone. */
uint32_t flow_allowance(const struct totem_settings *settings, uint32_t fcc, uint32_t backlog, uint32_t backlog_now,
                        uint32_t backlog_last)
{
    uint32_t allowed = settings->max_messages;
    uint32_t window = settings->window_size - fcc;
    uint32_t everybody = backlog + backlog_now - backlog_last;

    if (window < allowed)
        allowed = window;
    if (everybody != 0) {
        uint32_t share = settings->window_size * backlog_last / everybody;

        if (share > 0 && share < allowed)
            allowed = share;
    }
    return allowed;
}

uint32_t flow_window_guard(const struct totem_settings *settings, uint32_t released, uint32_t seq, uint32_t allowed)
{
    uint32_t safe = released + TOTEM_WINDOW - allowed - settings->window_size;

    return totem_seq_before(safe, seq) ? 0 : allowed;
}

/*
 * A token that comes round without anything to take along costs every node as much as a full one. While clients talk
 * much, but not so much that a visit is full anyway, it pays to let them speak before it goes on.
 */
uint32_t totem_token_patience_us(const struct totem *m, const uint8_t *datagram, size_t size)
{
    if (size < TOTEM_HEADER_SIZE || datagram[3] != TOTEM_TOKEN || m->state != TOTEM_OPERATIONAL || m->waiting)
        return 0;
    return m->messages_last_visit >= FLURRY && m->queue.count < m->settings.max_messages ? PATIENCE_US : 0;
}
