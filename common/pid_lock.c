/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/pid_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void take_identity(const struct stat *status, struct pid_lock_trace *trace)
{
    trace->exists = true;
    trace->device = status->st_dev;
    trace->inode = status->st_ino;
    trace->modified_ns = (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

/* Creates the directory of the file if it is missing, one level. Whether it is there shows later. */
static void prepare_directory(const char *path, struct pid_lock_trace *before)
{
    char *copy = strdup(path);
    struct stat status;
    const char *directory;

    if (copy == NULL)
        return;
    directory = dirname(copy);
    if (stat(directory, &status) == 0)
        take_identity(&status, before);
    else
        (void)!mkdir(directory, 0770);
    free(copy);
}

static void read_trace(int fd, struct pid_lock_trace *trace)
{
    struct stat status;
    char text[32];
    ssize_t count;
    char *end;

    *trace = (struct pid_lock_trace){.pid = -1};
    if (fstat(fd, &status) != 0)
        return;
    take_identity(&status, trace);
    count = pread(fd, text, sizeof(text) - 1, 0);
    if (count <= 0)
        return;
    text[count] = '\0';
    trace->pid = strtoll(text, &end, 10);
    if (end == text || (*end != '\n' && *end != '\0'))
        trace->pid = -1;
}

bool pid_lock_trace_equal(const struct pid_lock_trace *a, const struct pid_lock_trace *b)
{
    return a->exists && b->exists && a->device == b->device && a->inode == b->inode &&
           a->modified_ns == b->modified_ns && a->pid == b->pid;
}

/* A previous holder may have removed the file between our open and our lock. */
static bool is_still_at(int fd, const char *path)
{
    struct stat opened, present;

    return fstat(fd, &opened) == 0 && stat(path, &present) == 0 && opened.st_dev == present.st_dev &&
           opened.st_ino == present.st_ino;
}

enum q_err pid_lock_take(struct pid_lock *lock, const char *path, char *err_text, size_t size)
{
    struct flock request = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char text[32];
    int length;
    bool existed;
    int fd;

    memset(lock, 0, sizeof(*lock));
    lock->fd = -1;
    lock->before.pid = lock->directory_before.pid = -1;
    prepare_directory(path, &lock->directory_before);
    fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    existed = fd >= 0;
    if (fd < 0 && errno == ENOENT)
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        snprintf(err_text, size, "Can't open lock file %s: %s", path, strerror(errno));
        return Q_ERR_IO;
    }
    if (fcntl(fd, F_SETLK, &request) != 0) {
        bool busy = errno == EACCES || errno == EAGAIN;

        if (busy)
            snprintf(err_text, size, "Another instance is running: lock file %s is held", path);
        else
            snprintf(err_text, size, "Can't lock %s: %s", path, strerror(errno));
        close(fd);
        return busy ? Q_ERR_BUSY : Q_ERR_IO;
    }
    if (!is_still_at(fd, path)) {
        snprintf(err_text, size, "Another instance is just stopping: lock file %s was removed", path);
        close(fd);
        return Q_ERR_BUSY;
    }
    if (existed)
        read_trace(fd, &lock->before);

    length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)length, 0) != length) {
        snprintf(err_text, size, "Can't write lock file %s: %s", path, strerror(errno));
        close(fd);
        return Q_ERR_IO;
    }
    read_trace(fd, &lock->own);
    lock->path = strdup(path);
    if (lock->path == NULL) {
        snprintf(err_text, size, "Out of memory");
        close(fd);
        return Q_ERR_NO_MEMORY;
    }
    lock->fd = fd;
    return Q_OK;
}

void pid_lock_remove(struct pid_lock *lock, struct pid_lock_trace *directory)
{
    struct stat status;

    *directory = (struct pid_lock_trace){.pid = -1};
    if (lock->fd < 0)
        return;
    /* Removed while still locked: nobody else can hold this file at this moment. */
    unlink(lock->path);
    if (stat(dirname(lock->path), &status) == 0)
        take_identity(&status, directory);
}

void pid_lock_release(struct pid_lock *lock)
{
    if (lock->fd < 0)
        return;
    close(lock->fd);
    free(lock->path);
    lock->fd = -1;
    lock->path = NULL;
}
