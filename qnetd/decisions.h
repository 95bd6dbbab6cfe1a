/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The latest decisions, for the tools: a ring of fixed length, numbered from 1 since the start of the daemon. The
 * server adds, the control socket reads. Nothing here outlives the daemon; the log is the archive.
 */
#ifndef QUORATE_QNETD_DECISIONS_H
#define QUORATE_QNETD_DECISIONS_H

#include <stddef.h>
#include <stdint.h>

#include "common/wire/wire.h"

#define DECISIONS_KEPT 1024

/* Of a longer cluster name, which no certificate can carry, only the beginning is kept. */
#define DECISION_NAME_MAX 256

struct decision {
    uint64_t seq;
    int64_t wall_ms;
    int level;        /* syslog priority */
    uint32_t node_id; /* 0: the whole cluster */
    struct wire_bytes cluster_name;
    const char *text; /* behind the name, in the same allocation */
};

struct decisions {
    struct decision *entries[DECISIONS_KEPT]; /* entry of seq n at n % DECISIONS_KEPT */
    uint64_t newest_seq;                      /* 0: none yet */
};

void decisions_init(struct decisions *decisions);
void decisions_fini(struct decisions *decisions);

/* Without memory the entry is missing, its number stays unused. */
void decisions_add(struct decisions *decisions, int64_t wall_ms, int level, struct wire_bytes cluster_name,
                   uint32_t node_id, const char *text);

/* The oldest decision that is kept and has a number above `seq`; NULL: none. */
const struct decision *decisions_after(const struct decisions *decisions, uint64_t seq);

#endif
