/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/store/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/x509/decode.h"

#define PARENT_MODE 0755

/* A database has 40 KB; room for somebody who keeps more in it. */
#define DATABASE_SIZE_MAX ((size_t)64 << 20)

char *certs_folder_path(const struct certs_folder *folder, const char *name)
{
    char *path;

    return asprintf(&path, "%s/%s", folder->path, name) < 0 ? NULL : path;
}

static enum q_err fail_at(const struct certs_folder *folder, const char *what, const char *name,
                          struct certs_failure *why)
{
    int reason = errno;
    char *path = certs_folder_path(folder, name);
    enum q_err err;

    errno = reason;
    err = certs_fail_errno(why, what, path != NULL ? path : name);
    free(path);
    return err;
}

/* --- Opening ---------------------------------------------------------------------------------------- */

/* The directory that holds path; on the heap. */
static char *parent_of(const char *path)
{
    char *copy = strdup(path);
    char *parent = copy != NULL ? strdup(dirname(copy)) : NULL;

    free(copy);
    return parent;
}

/* mkdir -p. New ones are visible to all, whatever the umask: the secret is in the folder below. */
static enum q_err make_parents(char *path, struct certs_failure *why)
{
    enum q_err err = Q_OK;
    mode_t old = umask(S_IWGRP | S_IWOTH);

    for (char *slash = path + 1; err == Q_OK; slash++) {
        char end = *slash;

        if (end != '/' && end != '\0')
            continue;
        *slash = '\0';
        if (mkdir(path, PARENT_MODE) != 0 && errno != EEXIST)
            err = certs_fail_errno(why, "Cannot create the directory", path);
        *slash = end;
        if (end == '\0')
            break;
    }
    umask(old);
    return err;
}

static void choose_owner(struct certs_folder *folder, int parent, const char *reader_group)
{
    struct stat st;
    struct group *group;

    if (geteuid() != 0 || fstat(parent, &st) != 0)
        return;
    folder->give = true;
    folder->guarded = st.st_uid != 0;
    folder->uid = st.st_uid;
    folder->gid = st.st_gid;
    if (st.st_gid == 0 && reader_group != NULL && (group = getgrnam(reader_group)) != NULL)
        folder->gid = group->gr_gid;
}

static enum q_err take_lock(struct certs_folder *folder, struct certs_failure *why)
{
    if (flock(folder->lock, LOCK_EX | LOCK_NB) == 0)
        return Q_OK;
    if (errno == EWOULDBLOCK) {
        fprintf(stderr, "Waiting for another program that works on %s\n", folder->path);
        while (flock(folder->lock, LOCK_EX) != 0) {
            if (errno != EINTR)
                return certs_fail_errno(why, "Cannot lock the directory that holds", folder->path);
        }
        return Q_OK;
    }
    return certs_fail_errno(why, "Cannot lock the directory that holds", folder->path);
}

/* Everything below a directory; its own files only, since ".new" has no deeper ones. */
static void empty_stage(int stage)
{
    int copy = openat(stage, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    struct dirent *entry;

    if (dir == NULL) {
        if (copy >= 0)
            close(copy);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(stage, entry->d_name, 0);
    }
    closedir(dir);
}

static enum q_err open_stage(struct certs_folder *folder, struct certs_failure *why)
{
    if (mkdirat(folder->fd, CERTS_STAGE, 0700) != 0 && errno != EEXIST)
        return fail_at(folder, "Cannot create", CERTS_STAGE, why);
    folder->stage = openat(folder->fd, CERTS_STAGE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (folder->stage < 0)
        return fail_at(folder, "Cannot open", CERTS_STAGE, why);
    empty_stage(folder->stage);
    return Q_OK;
}

/* A new directory `name` in `at`: it has its owner and mode before it has its name, or there is none. */
static enum q_err make_directory(struct certs_folder *folder, int at, const char *name, bool *made,
                                 struct certs_failure *why)
{
    enum q_err err = Q_OK;
    struct stat st;
    char *early;

    *made = false;
    if (fstatat(at, name, &st, 0) == 0)
        return Q_OK;
    if (asprintf(&early, ".%s.new", name) < 0)
        return certs_fail_memory(why);
    if (mkdirat(at, early, 0700) != 0 && errno != EEXIST)
        err = certs_fail_errno(why, "Cannot create the directory", name);
    /* Losing the owner is not worth failing: the packaged script ignores it too, on file systems without owners. */
    if (err == Q_OK && folder->give &&
        fchownat(at, early, folder->uid, folder->gid, AT_SYMLINK_NOFOLLOW) != 0)
        errno = 0;
    if (err == Q_OK && (fchmodat(at, early, CERTS_MODE_DIR, 0) != 0 || renameat(at, early, at, name) != 0))
        err = certs_fail_errno(why, "Cannot create the directory", name);
    *made = err == Q_OK;
    free(early);
    return err;
}

static enum q_err make_folder(struct certs_folder *folder, struct certs_failure *why)
{
    char *copy = strdup(folder->path);
    enum q_err err = copy != NULL ? make_directory(folder, folder->lock, basename(copy), &folder->made, why)
                                  : certs_fail_memory(why);

    free(copy);
    return err;
}

static enum q_err open_parts(struct certs_folder *folder, char *parent, enum certs_folder_access access,
                             const char *reader_group, struct certs_failure *why)
{
    enum q_err err;

    if (access == CERTS_FOLDER_CREATE) {
        err = make_parents(parent, why);
        if (err != Q_OK)
            return err;
    }
    if (access != CERTS_FOLDER_READ) {
        folder->lock = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder->lock < 0)
            return certs_fail_errno(why, "Cannot open the directory", parent);
        choose_owner(folder, folder->lock, reader_group);
        err = take_lock(folder, why);
        if (err == Q_OK && access == CERTS_FOLDER_CREATE)
            err = make_folder(folder, why);
        if (err != Q_OK)
            return err;
    }
    folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (folder->guarded ? O_NOFOLLOW : 0));
    if (folder->fd < 0)
        return certs_fail_errno(why, "Cannot open the directory", folder->path);
    return access == CERTS_FOLDER_READ ? Q_OK : open_stage(folder, why);
}

enum q_err certs_folder_open(struct certs_folder *folder, const char *path, enum certs_folder_access access,
                             const char *reader_group, struct certs_failure *why)
{
    char *parent = parent_of(path);
    enum q_err err;

    *folder = (struct certs_folder){.path = strdup(path), .fd = -1, .stage = -1, .lock = -1};
    if (folder->path == NULL || parent == NULL)
        err = certs_fail_memory(why);
    else
        err = open_parts(folder, parent, access, reader_group, why);
    free(parent);
    if (err != Q_OK)
        certs_folder_close(folder);
    return err;
}

void certs_folder_close(struct certs_folder *folder)
{
    if (folder->stage >= 0) {
        empty_stage(folder->stage);
        unlinkat(folder->fd, CERTS_STAGE, AT_REMOVEDIR);
        close(folder->stage);
    }
    if (folder->fd >= 0)
        close(folder->fd);
    if (folder->lock >= 0)
        close(folder->lock);
    free(folder->path);
    *folder = (struct certs_folder){.fd = -1, .stage = -1, .lock = -1};
}

/* --- Reading ---------------------------------------------------------------------------------------- */

bool certs_folder_has(const struct certs_folder *folder, const char *name)
{
    struct stat st;

    return fstatat(folder->fd, name, &st, 0) == 0 && S_ISREG(st.st_mode);
}

/* All of it, up to about `limit` bytes; takes over fd. False with errno. */
static bool read_all(int fd, size_t limit, char **bytes, size_t *size)
{
    size_t capacity = 4096;
    ssize_t got = 0;

    *bytes = malloc(capacity + 1);
    *size = 0;
    while (*bytes != NULL && (got = read(fd, *bytes + *size, capacity - *size)) != 0) {
        char *more;

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        *size += (size_t)got;
        if (*size < capacity)
            continue;
        if (capacity >= limit) {
            errno = EFBIG;
            got = -1;
            break;
        }
        capacity *= 2;
        more = realloc(*bytes, capacity + 1);
        if (more == NULL)
            got = -1;
        else
            *bytes = more;
        if (more == NULL)
            break;
    }
    close(fd);
    if (*bytes == NULL || got < 0) {
        free(*bytes);
        *bytes = NULL;
        return false;
    }
    (*bytes)[*size] = '\0';
    return true;
}

static enum q_err read_up_to(const struct certs_folder *folder, const char *name, size_t limit, char **bytes,
                             size_t *size, struct certs_failure *why)
{
    int fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC);

    *bytes = NULL;
    if (fd >= 0 && read_all(fd, limit, bytes, size))
        return Q_OK;
    return fail_at(folder, "Cannot read", name, why);
}

enum q_err certs_folder_read(const struct certs_folder *folder, const char *name, char **bytes, size_t *size,
                             struct certs_failure *why)
{
    return read_up_to(folder, name, CERTS_FILE_SIZE_MAX, bytes, size, why);
}

enum q_err certs_file_read(const char *path, char **bytes, size_t *size, struct certs_failure *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    *bytes = NULL;
    if (fd >= 0 && read_all(fd, CERTS_FILE_SIZE_MAX, bytes, size))
        return Q_OK;
    return certs_fail_errno(why, "Can't open certificate file", path);
}

/* --- Writing ---------------------------------------------------------------------------------------- */

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = write(fd, bytes, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        bytes += done;
        size -= (size_t)done;
    }
    return true;
}

/* The last part of "SUB/NAME": ".new" has no subdirectories. */
static const char *leaf(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash != NULL ? slash + 1 : name;
}

enum q_err certs_folder_publish(struct certs_folder *folder, const char *name, mode_t mode,
                                struct certs_failure *why)
{
    int fd = openat(folder->stage, leaf(name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return fail_at(folder, "Cannot open what was written for", name, why);
    if (folder->give && fchown(fd, folder->uid, folder->gid) != 0)
        errno = 0; /* as for the directory */
    if (fchmod(fd, mode) != 0 || fsync(fd) != 0) {
        close(fd);
        return fail_at(folder, "Cannot complete", name, why);
    }
    close(fd);
    if (renameat(folder->stage, leaf(name), folder->fd, name) != 0)
        return fail_at(folder, "Cannot replace", name, why);
    fsync(folder->fd); /* some file systems do not do this for directories */
    return Q_OK;
}

static enum q_err stage_bytes(struct certs_folder *folder, const char *name, const void *bytes, size_t size,
                              struct certs_failure *why)
{
    int fd = openat(folder->stage, leaf(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return fail_at(folder, "Cannot create", name, why);
    if (!write_all(fd, bytes, size)) {
        enum q_err err = fail_at(folder, "Cannot write", name, why);

        close(fd);
        return err;
    }
    if (close(fd) != 0)
        return fail_at(folder, "Cannot write", name, why);
    return Q_OK;
}

enum q_err certs_folder_write(struct certs_folder *folder, const char *name, const void *bytes, size_t size,
                              mode_t mode, struct certs_failure *why)
{
    enum q_err err = stage_bytes(folder, name, bytes, size, why);

    return err == Q_OK ? certs_folder_publish(folder, name, mode, why) : err;
}

char *certs_folder_stage_path(const struct certs_folder *folder)
{
    return certs_folder_path(folder, CERTS_STAGE);
}

enum q_err certs_folder_stage_copy(struct certs_folder *folder, const char *name, struct certs_failure *why)
{
    char *bytes;
    size_t size;
    enum q_err err;

    if (!certs_folder_has(folder, name))
        return Q_OK;
    err = read_up_to(folder, name, DATABASE_SIZE_MAX, &bytes, &size, why);
    if (err == Q_OK)
        err = stage_bytes(folder, name, bytes, size, why);
    if (bytes != NULL)
        explicit_bzero(bytes, size);
    free(bytes);
    return err;
}

enum q_err certs_folder_remove(struct certs_folder *folder, const char *name, struct certs_failure *why)
{
    if (unlinkat(folder->fd, name, 0) != 0 && errno != ENOENT)
        return fail_at(folder, "Cannot remove", name, why);
    return Q_OK;
}

enum q_err certs_folder_make_sub(struct certs_folder *folder, const char *name, struct certs_failure *why)
{
    bool made;

    return make_directory(folder, folder->fd, name, &made, why);
}

enum q_err certs_folder_refuse_old(const struct certs_folder *folder, struct certs_failure *why)
{
    if (!certs_folder_has(folder, "cert8.db") || certs_folder_has(folder, "cert9.db"))
        return Q_OK;
    return certs_fail(why, Q_ERR_BUSY,
                      "%s holds a database of the old format (cert8.db). The daemon can use it as it is; to "
                      "change it, convert "
                      "it first: certutil -N -d sql:%s -f %s/pwdfile.txt -@ %s/pwdfile.txt",
                      folder->path, folder->path, folder->path, folder->path);
}
