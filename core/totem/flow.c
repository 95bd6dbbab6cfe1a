/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/totem/machine.h"

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
