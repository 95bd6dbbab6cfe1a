/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tools show of the arbiter, as text (spec/tools.md section 5, byte for byte, with lines of our own only at
 * the end of verbose blocks) and as JSON (docs/json.md). Reads the daemon's state, changes nothing; called by the
 * control socket's commands and by tests.
 */
#ifndef QUORATE_QNETD_STATUS_H
#define QUORATE_QNETD_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "qnetd/decisions.h"
#include "qnetd/identity.h"
#include "qnetd/logic/arbiter.h"
#include "qnetd/settings.h"
#include "qnetd/state_dir.h"

/* Everything borrowed. `identity` and `state` may be NULL in tests: then nothing is said about them. */
struct status_source {
    const struct arbiter *arbiter;
    const struct settings *settings;
    const struct identity *identity;
    const struct state_dir *state;
    const struct decisions *decisions;
    int64_t started_wall_ms;
    uint64_t now_ms;     /* of the arbiter's clock */
    int64_t now_wall_ms; /* the same moment for people */
};

/* Only the cluster of that name; data == NULL: all. */
void status_text(const struct status_source *source, bool verbose, struct q_buf *out);
void status_list_text(const struct status_source *source, bool verbose, struct wire_bytes cluster_name,
                      struct q_buf *out);

/* out->failed without memory. */
void status_json(const struct status_source *source, struct q_buf *out);
/* A page of at most `limit` clusters from the one of index `offset` on; "next" tells where the following begins. */
void status_list_json(const struct status_source *source, struct wire_bytes cluster_name, uint64_t offset,
                      uint64_t limit, struct q_buf *out);
void status_decisions_json(const struct status_source *source, uint64_t since, struct wire_bytes cluster_name,
                           struct q_buf *out);

/*
 * Texts that need attention now, one at a time by index, NULL after the last; `text` is room to build it in.
 * Shown in verbose status and in JSON.
 */
#define STATUS_WARNING_SIZE 512
const char *status_warning(const struct status_source *source, unsigned index,
                           char text[STATUS_WARNING_SIZE]);

/* The wall clock time of a moment of the arbiter's clock. */
int64_t status_wall_ms(const struct status_source *source, uint64_t at_ms);

/* ACK or NACK: what the node may be casting by our leave. "held" and "ghost" mean ACK. */
const char *status_grant_text(int grant_state);
const char *status_phase_text(int phase);

#endif
