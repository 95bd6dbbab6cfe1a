/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads the cluster's key from its file. The bytes are the caller's to wipe.
 */
#ifndef QUORATE_CORE_TRANSPORT_KEY_FILE_H
#define QUORATE_CORE_TRANSPORT_KEY_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "core/config/core_config.h"

/*
 * The first CORE_KEY_SIZE_MAX bytes of the file. Q_ERR_IO; Q_ERR_INVALID: fewer than CORE_KEY_SIZE_MIN. `why` names
 * the file, in the packaged daemon's words.
 */
enum q_err key_file_read(const char *path, uint8_t key[CORE_KEY_SIZE_MAX], size_t *size, char *why,
                         size_t why_size);

#endif
