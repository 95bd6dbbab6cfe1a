/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The marker beside the grant records, as text of a fixed length, and what it says about them. Pure: used by
 * state_dir.c, and by tests.
 */
#ifndef QUORATE_QNETD_STATE_MARKER_H
#define QUORATE_QNETD_STATE_MARKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/pid_lock.h"

#define STATE_MARKER_SIZE_MAX 512

struct state_marker {
    char boot_id[40];
    bool trusted; /* the writer has recorded every grant it knew */
    /* When the first arbiter in an unbroken chain started without knowing earlier grants, CLOCK_MONOTONIC; 0: all
     * of them knew everything. A restart must not shorten the caution that such a start demands. */
    uint64_t unknown_since_ms;
    bool clean;                      /* it ended in an orderly way and removed its lock file */
    uint64_t alive_ms;               /* CLOCK_BOOTTIME of the newest sign of life */
    struct pid_lock_trace lock;      /* the lock file, while the writer lived */
    struct pid_lock_trace directory; /* clean: the lock file's directory afterwards */
};

/* Always the same length, so that it can be overwritten in place. Returns it. */
size_t state_marker_encode(const struct state_marker *marker, char text[STATE_MARKER_SIZE_MAX]);
bool state_marker_decode(const char *text, size_t size, struct state_marker *marker);

/*
 * Why records beside this marker are not the whole truth, in words for the log; NULL: they are.
 * `longest_lease_ms` is the longest that a record names.
 */
const char *state_marker_doubt(const struct state_marker *marker, const char *boot_id, uint64_t now_boot_ms,
                               uint64_t longest_lease_ms, const struct pid_lock *lock);

#endif
