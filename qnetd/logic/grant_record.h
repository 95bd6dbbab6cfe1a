/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must survive a restart of the arbiter: for one cluster, which nodes may hold a vote, for how long at most
 * after the arbiter's death, and which partition was active last. Pure. One record is one small file, replaced
 * atomically before an ACK leaves (docs/safety.md). The encoding is text, closed by a checksum; anything damaged
 * is refused as a whole, which the shell reports as incomplete knowledge.
 */
#ifndef QUORATE_QNETD_LOGIC_GRANT_RECORD_H
#define QUORATE_QNETD_LOGIC_GRANT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/cluster_identity.h"
#include "common/err.h"
#include "common/node_set.h"
#include "common/wire/wire.h"

#define GRANT_RECORD_HOLDERS_MAX 4096     /* more than WIRE_NODES_MAX; also of each set's ids */
#define GRANT_RECORD_SIZE_MAX (1u << 20) /* bytes of an encoded record */

struct grant_holder {
    uint32_t node_id;
    uint32_t lease_ms; /* its vote is gone this long after the arbiter last heard it, margins included */
};

struct grant_record {
    struct wire_bytes name; /* cluster */
    struct cluster_identity identity; /* to which the name is bound; may be none */
    struct node_set active; /* the partition that was granted last */
    struct node_set config; /* the configured nodes by which it was; empty: not known */
    struct grant_holder *holders; /* ascending node id */
    uint32_t holder_count;
};

void grant_record_init(struct grant_record *record);
void grant_record_fini(struct grant_record *record);

/*
 * Appends the encoding; buf->failed without memory. What is written can be decoded, whatever clients have said: a set with more
 * ids than may be is written as not known. There must be no more than GRANT_RECORD_HOLDERS_MAX holders.
 */
void grant_record_encode(struct q_buf *buf, const struct grant_record *record);

/*
 * Decodes exactly `size` bytes. The name is a view into memory owned by the record (freed by _fini).
 * Q_ERR_INVALID: damaged, truncated, unknown version or over a limit; Q_ERR_NO_MEMORY.
 */
enum q_err grant_record_decode(struct grant_record *record, const uint8_t *bytes, size_t size);

/* File name for a cluster's record: at most 255 bytes, [A-Za-z0-9._-] only, distinct for distinct names. */
#define GRANT_RECORD_FILE_NAME_SIZE 128
void grant_record_file_name(struct wire_bytes name, char file_name[GRANT_RECORD_FILE_NAME_SIZE]);

#endif
