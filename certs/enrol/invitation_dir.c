/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/invitation_dir.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char ending[] = ".invitation";
static const char unfinished[] = ".new";
#define UNFINISHED_S 3600
#define LOCK_STEP_MS 10
#define LOCK_PATIENCE_MS 5000

#define NAME_SIZE (2 * ENROL_ID_SIZE + sizeof(ending))
#define TEMPORARY_SIZE (NAME_SIZE + 8)

static void file_name(const uint8_t id[ENROL_ID_SIZE], char name[NAME_SIZE])
{
    for (size_t i = 0; i < ENROL_ID_SIZE; i++)
        snprintf(name + 2 * i, 3, "%02x", id[i]);
    memcpy(name + 2 * ENROL_ID_SIZE, ending, sizeof(ending));
}

/* ---- the directory ---------------------------------------------------------------------------------------------- */

enum q_err invitation_dir_open(struct invitation_dir *dir, const char *path, struct certs_failure *why)
{
    struct stat st;

    dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir->fd < 0)
        return certs_fail_errno(why, "Cannot open the directory of invitations", path);
    if (fstat(dir->fd, &st) != 0) {
        enum q_err err = certs_fail_errno(why, "Cannot look at", path);

        invitation_dir_close(dir);
        return err;
    }
    dir->owner = st.st_uid;
    dir->group = st.st_gid;
    return Q_OK;
}

static bool is_empty(int fd)
{
    int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = own < 0 ? NULL : fdopendir(own);
    struct dirent *entry;
    bool empty = stream != NULL;

    while (empty && (entry = readdir(stream)) != NULL)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    if (stream != NULL)
        closedir(stream);
    else if (own >= 0)
        close(own);
    return empty;
}

/*
 * The directory, made if it is missing, open in *fd. A new one, or an empty one that an interrupted run has left, gets the arbiter's
 * user as owner; of another nothing changes. By descriptor: who owns the parent could put something else in its place.
 */
static enum q_err make_directory(int parent, const char *name, mode_t mode, int *fd, struct certs_failure *why)
{
    const struct passwd *user = getpwnam(INVITATION_DIR_USER);
    struct stat st;

    if (mkdirat(parent, name, mode) != 0 && errno != EEXIST)
        return certs_fail_errno(why, "Cannot make the directory", name);
    *fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*fd < 0 || fstat(*fd, &st) != 0)
        return certs_fail_errno(why, "Cannot open the directory", name);
    if (geteuid() == 0 && user != NULL && st.st_uid == 0 && is_empty(*fd) &&
        fchown(*fd, user->pw_uid, user->pw_gid) != 0)
        return certs_fail_errno(why, "Cannot give to the arbiter's user the directory", name);
    return Q_OK;
}

enum q_err invitation_dir_create(struct invitation_dir *dir, const char *path, struct certs_failure *why)
{
    char *copy = strdup(path), *other = strdup(path);
    int parent = -1, made = -1;
    enum q_err err = copy == NULL || other == NULL ? certs_fail_memory(why) : Q_OK;

    dir->fd = -1;
    if (err == Q_OK)
        err = make_directory(AT_FDCWD, dirname(copy), 0750, &parent, why);
    if (err == Q_OK)
        err = make_directory(parent, basename(other), 0700, &made, why);
    if (parent >= 0)
        close(parent);
    if (made >= 0)
        close(made);
    free(copy);
    free(other);
    return err == Q_OK ? invitation_dir_open(dir, path, why) : err;
}

void invitation_dir_close(struct invitation_dir *dir)
{
    if (dir->fd >= 0)
        close(dir->fd);
    dir->fd = -1;
}

enum q_err invitation_dir_lock(struct invitation_dir *dir, struct certs_failure *why)
{
    for (int waited_ms = 0; flock(dir->fd, LOCK_EX | LOCK_NB) != 0; waited_ms += LOCK_STEP_MS) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return certs_fail_errno(why, "Cannot lock the directory", "of invitations");
        if (waited_ms >= LOCK_PATIENCE_MS)
            return certs_fail(why, Q_ERR_BUSY, "The directory of invitations is being used by another program. Try again.");
        usleep(LOCK_STEP_MS * 1000);
    }
    return Q_OK;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static enum q_err read_all(int fd, struct q_buf *bytes, size_t max, const char *name, struct certs_failure *why)
{
    for (;;) {
        uint8_t *room = q_buf_reserve(bytes, 4096);
        ssize_t count;

        if (room == NULL)
            return certs_fail_memory(why);
        count = read(fd, room, 4096);
        if (count < 0)
            return certs_fail_errno(why, "Cannot read", name);
        if (count == 0)
            return Q_OK;
        q_buf_commit(bytes, (size_t)count);
        if (bytes->size > max)
            return certs_fail(why, Q_ERR_INVALID, "%s is larger than it can be.", name);
    }
}

enum q_err invitation_dir_load(const struct invitation_dir *dir, const char *name, struct q_buf *bytes, size_t max,
                               struct certs_failure *why)
{
    int fd = openat(dir->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    enum q_err err;

    if (fd < 0)
        return certs_fail_errno(why, "Cannot open", name);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        err = certs_fail(why, Q_ERR_INVALID, "%s is no file.", name);
    else
        err = read_all(fd, bytes, max, name, why);
    close(fd);
    return err;
}

static enum q_err read_file(const struct invitation_dir *dir, const char *name, struct invitation *invitation,
                            struct certs_failure *why)
{
    struct q_buf bytes;
    enum q_err err;

    memset(invitation, 0, sizeof(*invitation));
    q_buf_init(&bytes);
    err = invitation_dir_load(dir, name, &bytes, INVITATION_FILE_SIZE_MAX, why);
    if (err == Q_OK)
        err = invitation_decode(q_buf_bytes(&bytes), bytes.size, invitation);
    if (err == Q_ERR_INVALID)
        certs_fail(why, err, "The invitation %s is damaged.", name);
    q_buf_fini(&bytes);
    return err;
}

enum q_err invitation_dir_read(const struct invitation_dir *dir, const uint8_t id[ENROL_ID_SIZE],
                               struct invitation *invitation, struct certs_failure *why)
{
    char name[NAME_SIZE];
    enum q_err err;

    file_name(id, name);
    err = read_file(dir, name, invitation, why);
    if (err == Q_OK && memcmp(invitation->id, id, ENROL_ID_SIZE) != 0) {
        invitation_fini(invitation);
        return certs_fail(why, Q_ERR_INVALID, "The invitation %s is another one's file.", name);
    }
    return err;
}

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, bytes, size);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        bytes += count;
        size -= (size_t)count;
    }
    return true;
}

/* A file of that content under that name, which nobody else has or will have; left behind if it fails. */
static enum q_err write_new(const struct invitation_dir *dir, const char *name, const struct q_buf *bytes,
                            struct certs_failure *why)
{
    int fd;
    bool good;

    if (unlinkat(dir->fd, name, 0) != 0 && errno != ENOENT)
        return certs_fail_errno(why, "Cannot replace", name);
    fd = openat(dir->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return certs_fail_errno(why, "Cannot make", name);
    good = (geteuid() != 0 || fchown(fd, dir->owner, dir->group) == 0) &&
           write_all(fd, q_buf_bytes(bytes), bytes->size) && fsync(fd) == 0;
    if (!good)
        certs_fail_errno(why, "Cannot write", name);
    close(fd);
    return good ? Q_OK : Q_ERR_IO;
}

enum q_err invitation_dir_store(const struct invitation_dir *dir, const char *name, const struct q_buf *bytes,
                                struct certs_failure *why)
{
    char temporary[TEMPORARY_SIZE];
    enum q_err err;

    assert(strlen(name) < NAME_SIZE && !bytes->failed);
    snprintf(temporary, sizeof(temporary), "%s%s", name, unfinished);
    err = write_new(dir, temporary, bytes, why);
    if (err == Q_OK && (renameat(dir->fd, temporary, dir->fd, name) != 0 || fsync(dir->fd) != 0))
        err = certs_fail_errno(why, "Cannot write", name);
    if (err != Q_OK)
        unlinkat(dir->fd, temporary, 0);
    return err;
}

enum q_err invitation_dir_write(const struct invitation_dir *dir, const struct invitation *invitation,
                                struct certs_failure *why)
{
    char name[NAME_SIZE];
    struct q_buf bytes;
    enum q_err err;

    file_name(invitation->id, name);
    q_buf_init(&bytes);
    invitation_encode(invitation, &bytes);
    err = bytes.failed ? certs_fail_memory(why) : invitation_dir_store(dir, name, &bytes, why);
    q_buf_fini(&bytes);
    return err;
}

enum q_err invitation_dir_remove(const struct invitation_dir *dir, const uint8_t id[ENROL_ID_SIZE],
                                 struct certs_failure *why)
{
    char name[NAME_SIZE];

    file_name(id, name);
    return unlinkat(dir->fd, name, 0) == 0 ? Q_OK : certs_fail_errno(why, "Cannot remove the invitation", name);
}

static bool is_invitation(const char *name)
{
    size_t length = strlen(name);

    return length == NAME_SIZE - 1 && strspn(name, "0123456789abcdef") == 2 * ENROL_ID_SIZE &&
           strcmp(name + 2 * ENROL_ID_SIZE, ending) == 0;
}

/* A stream of its own over the directory. NULL with errno. */
static DIR *list(const struct invitation_dir *dir)
{
    int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    int error = errno;

    if (stream == NULL && fd >= 0)
        close(fd);
    errno = error;
    return stream;
}

size_t invitation_dir_count(const struct invitation_dir *dir)
{
    DIR *stream = list(dir);
    struct dirent *entry;
    size_t count = 0;

    while (stream != NULL && count < INVITATION_COUNT_MAX && (entry = readdir(stream)) != NULL)
        count += is_invitation(entry->d_name);
    if (stream != NULL)
        closedir(stream);
    return count;
}

void invitation_dir_sweep(const struct invitation_dir *dir, int64_t now_s)
{
    DIR *stream = list(dir);
    struct dirent *entry;

    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        size_t length = strlen(entry->d_name);
        struct stat st;

        if (length == NAME_SIZE - 1 + strlen(unfinished) &&
            strcmp(entry->d_name + NAME_SIZE - 1, unfinished) == 0 &&
            fstatat(dir->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && now_s - st.st_mtim.tv_sec > UNFINISHED_S)
            unlinkat(dir->fd, entry->d_name, 0);
    }
    if (stream != NULL)
        closedir(stream);
}

enum q_err invitation_dir_each(const struct invitation_dir *dir,
                               void (*each)(void *context, const struct invitation *invitation), void *context,
                               struct certs_failure *why)
{
    DIR *stream = list(dir);
    enum q_err err = Q_OK;
    struct dirent *entry;
    size_t count = 0;

    if (stream == NULL)
        return certs_fail_errno(why, "Cannot list the directory", "of invitations");
    while (err == Q_OK && (entry = readdir(stream)) != NULL) {
        struct invitation invitation;
        struct certs_failure skipped;

        if (!is_invitation(entry->d_name))
            continue;
        if (++count > INVITATION_COUNT_MAX)
            err = certs_fail(why, Q_ERR_LIMIT, "There are more than %d invitations.", INVITATION_COUNT_MAX);
        else if (read_file(dir, entry->d_name, &invitation, &skipped) == Q_OK) {
            each(context, &invitation);
            invitation_fini(&invitation);
        }
    }
    closedir(stream);
    return err;
}
