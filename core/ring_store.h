/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a node must find again after a restart, in its state directory: the sequence of the newest ring it has entered,
 * and the highest expected votes it has seen (spec/totem-protocol.md section 14, corosync-conf.md section 6). The same
 * files as the packaged daemon's, in the same format, so that each goes on where the other stopped:
 *
 *   ringid_<node id>   8 bytes, u64 in the order of this machine
 *   ev_tracking        4 bytes, u32 likewise
 *
 * A file is replaced, never written in place: one that was cut short would let a ring id come a second time. It is not
 * synced: a reboot outlasts every ring that could be confused, and a killed process leaves the page cache.
 */
#ifndef QUORATE_CORE_RING_STORE_H
#define QUORATE_CORE_RING_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct ring_store {
    int fd; /* of the directory; -1: not open */
    char ring_name[32];
    char ring_name_new[40];
};

/* Q_ERR_IO: `why` is a sentence. */
enum q_err ring_store_open(struct ring_store *store, const char *directory, uint32_t node_id, char *why, size_t why_size);
void ring_store_close(struct ring_store *store);

/* 0 if there is none or it is not what it should be; it is then written as 0. Q_ERR_IO: that is not possible. */
enum q_err ring_store_load(struct ring_store *store, uint64_t *ring_seq, char *why, size_t why_size);
enum q_err ring_store_save(struct ring_store *store, uint64_t ring_seq, char *why, size_t why_size);

/* 0: nothing is stored. */
uint32_t ring_store_load_expected(struct ring_store *store);
enum q_err ring_store_save_expected(struct ring_store *store, uint32_t expected_votes, char *why, size_t why_size);

#endif
