/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/client_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY "/dev/shm"
#define PREFIX DIRECTORY "/corosync_zerocopy-"

enum q_err client_file_remove(const char *path, uid_t owner)
{
    const char *name = path + sizeof(DIRECTORY);
    enum q_err err = Q_ERR_IO;
    struct stat status;
    int fd;

    if (strncmp(path, PREFIX, sizeof(PREFIX) - 1) != 0 || strchr(name, '/') != NULL)
        return Q_ERR_INVALID;
    fd = open(DIRECTORY, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return Q_ERR_IO;
    /* Between the two nobody but the owner can put another file there: the directory is sticky. */
    if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        err = errno == ENOENT ? Q_ERR_NOT_FOUND : Q_ERR_IO;
    else if (!S_ISREG(status.st_mode) || status.st_uid != owner)
        err = Q_ERR_INVALID;
    else if (unlinkat(fd, name, 0) == 0)
        err = Q_OK;
    close(fd);
    return err;
}
