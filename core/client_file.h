/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file that a client makes for its zero-copy buffer and leaves to the daemon to remove (spec/corosync-ipc.md section
 * 6.12). The path comes from the client and the daemon is root: only what such a file can be is removed.
 */
#ifndef QUORATE_CORE_CLIENT_FILE_H
#define QUORATE_CORE_CLIENT_FILE_H

#include <sys/types.h>

#include "common/err.h"

/*
 * Removes a regular file directly in /dev/shm whose name begins with corosync_zerocopy- and that belongs to `owner`.
 * Q_ERR_INVALID: it is none such; Q_ERR_NOT_FOUND; Q_ERR_IO.
 */
enum q_err client_file_remove(const char *path, uid_t owner);

#endif
