/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/transport/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum q_err key_file_read(const char *path, uint8_t key[CORE_KEY_SIZE_MAX], size_t *size, char *why,
                         size_t why_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const char *verb = fd < 0 ? "open" : "read";
    ssize_t got = 0;
    enum q_err err = Q_OK;

    *size = 0;
    while (fd >= 0 && *size < CORE_KEY_SIZE_MAX) {
        got = read(fd, key + *size, CORE_KEY_SIZE_MAX - *size);
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        *size += got > 0 ? (size_t)got : 0;
    }
    if (fd < 0 || got < 0) {
        snprintf(why, why_size, "Could not %s %s: %s", verb, path, strerror(errno));
        err = Q_ERR_IO;
    } else if (*size < CORE_KEY_SIZE_MIN) {
        snprintf(why, why_size, "Could only read %zu bits of minimum %d bits from %s.", 8 * *size,
                 8 * CORE_KEY_SIZE_MIN, path);
        err = Q_ERR_INVALID;
    }
    if (fd >= 0)
        close(fd);
    return err;
}
