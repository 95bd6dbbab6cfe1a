/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The grants on disk: one record file per cluster, replaced by rename, and a marker that tells a later start
 * whether these files are the whole truth. They are, if (a) the marker is of this boot of the machine, (b) the lock
 * file is exactly as the marker's writer left it, so that no other arbiter ran in between, (c) the writer was
 * alive not longer ago than a vote can last, and (d) the writer knew everything itself and could write every
 * record. In any other case the arbiter is told that its knowledge is incomplete, which only costs time. If only the
 * writer's own knowledge was incomplete, the caution is counted from when that began: a restart changes nothing.
 *
 * Nothing is synced to the disk: what a killed process wrote is in the kernel's page cache and is found by its
 * successor; after a crash of the machine the boot id differs, and the votes have run out anyway.
 *
 * Embedded in main's daemon, used by the server. Failing to open or write is never fatal.
 */
#ifndef QUORATE_QNETD_STATE_DIR_H
#define QUORATE_QNETD_STATE_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/pid_lock.h"
#include "qnetd/logic/arbiter.h"

/* The marker is to be touched about this often, so that a later start knows how long nobody was there. */
#define STATE_DIR_TOUCH_MS 5000

#define STATE_DIR_NAME_SIZE (GRANT_RECORD_FILE_NAME_SIZE + 8) /* of a record: "cluster-" and its own name */

enum state_dir_status {
    STATE_DIR_OFF,     /* cannot be used: every start is a cautious one */
    STATE_DIR_FAILING, /* some record could not be written: a restart now would be cautious */
    STATE_DIR_WORKING
};

struct state_dir {
    char *path;
    int fd;        /* of the directory, -1: off */
    int marker_fd; /* -1: no marker, so nobody will trust the records */
    char boot_id[40];
    struct pid_lock_trace lock;
    bool records_grants;       /* every ACK has been recorded before it leaves */
    bool known_marker;         /* at the start: readable and of this boot */
    uint64_t unknown_since_ms; /* CLOCK_MONOTONIC: earlier grants of before may not be known; 0: all are */
    uint64_t unknown_ms_max;   /* after this long they have all ended */
    char (*failed_names)[STATE_DIR_NAME_SIZE]; /* records that could not be written */
    size_t failed_count;
    bool failed_list_lost;    /* no memory for the list */
    const char *start_reason; /* why the knowledge at the start was not complete; NULL: it was */
};

typedef void (*state_dir_record_fn)(void *context, const struct grant_record *record);

/*
 * Takes the directory over (created 0700 if missing), logs what keeps it from being used, and judges what lies in it:
 * unknown_since_ms and start_reason. `unknown_ms_max`: the longest that any vote can last. `records_grants`: the arbiter will
 * ask for a record before each grant; if not (vote_lease=packaged), what lies here goes out of date and no later start may
 * trust it.
 */
void state_dir_open(struct state_dir *state, const char *path, const struct pid_lock *lock,
                    uint64_t unknown_ms_max, bool records_grants);

/* Hands every readable record to `on_record`, or removes them if they are of an earlier boot; from then on the
 * directory is ours. Once, before anything is written. */
void state_dir_restore(struct state_dir *state, state_dir_record_fn on_record, void *context);

/* ARBITER_ACT_PERSIST and ARBITER_ACT_FORGET. */
enum arbiter_persist_result state_dir_persist(struct state_dir *state, struct wire_bytes cluster_name,
                                              const uint8_t *bytes, size_t size);
void state_dir_forget(struct state_dir *state, struct wire_bytes cluster_name);

/* Says in the marker that we live. */
void state_dir_touch(struct state_dir *state);

/* Orderly end, after the lock file was removed: `lock_directory` is what its directory looks like now. */
void state_dir_close(struct state_dir *state, const struct pid_lock_trace *lock_directory);

enum state_dir_status state_dir_status(const struct state_dir *state);

#endif
