/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file that keeps a second instance out and tells the process id: an fcntl record lock on the whole file,
 * as the packaged daemons use it, so that ours and theirs exclude each other. Held by the process that took it
 * (a lock does not survive fork) until released or its end. What stood in the file before is kept, because it
 * tells whether another daemon ran in between (qnetd/state_dir.h).
 */
#ifndef QUORATE_COMMON_PID_LOCK_H
#define QUORATE_COMMON_PID_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* Identity of a lock file's content: any writer, and any re-creation, changes it. */
struct pid_lock_trace {
    bool exists;
    uint64_t device;
    uint64_t inode;
    int64_t modified_ns;
    int64_t pid; /* as written in the file; -1: none */
};

struct pid_lock {
    int fd;
    char *path;
    struct pid_lock_trace before;           /* what was found */
    struct pid_lock_trace directory_before; /* its directory (pid -1), before anything was done */
    struct pid_lock_trace own;              /* what we left */
};

/*
 * Creates the file (mode 0640) and, one level, its directory (0770) if missing, locks it and writes our process
 * id. Q_ERR_BUSY: another instance holds it; Q_ERR_IO, Q_ERR_NO_MEMORY. err_text is a sentence for the log.
 */
enum q_err pid_lock_take(struct pid_lock *lock, const char *path, char *err_text, size_t size);

/* Removes the file, still locked. What its directory looks like afterwards goes into *directory. */
void pid_lock_remove(struct pid_lock *lock, struct pid_lock_trace *directory);

/* Lets the lock go. */
void pid_lock_release(struct pid_lock *lock);

bool pid_lock_trace_equal(const struct pid_lock_trace *a, const struct pid_lock_trace *b);

#endif
