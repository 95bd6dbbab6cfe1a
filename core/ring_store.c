/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/ring_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXPECTED_NAME "ev_tracking"

enum q_err ring_store_open(struct ring_store *store, const char *directory, uint32_t node_id, char *why, size_t why_size)
{
    store->fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->fd < 0) {
        snprintf(why, why_size, "Cannot open state directory %s. %s", directory, strerror(errno));
        return Q_ERR_IO;
    }
    snprintf(store->ring_name, sizeof(store->ring_name), "ringid_%" PRIu32, node_id);
    snprintf(store->ring_name_new, sizeof(store->ring_name_new), "%s.new", store->ring_name);
    return Q_OK;
}

void ring_store_close(struct ring_store *store)
{
    if (store->fd >= 0)
        close(store->fd);
    store->fd = -1;
}

/* Whether the file has exactly these many bytes. */
static bool read_file(int directory_fd, const char *name, void *bytes, size_t size)
{
    int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    uint8_t more;
    bool whole;

    if (fd < 0)
        return false;
    whole = pread(fd, bytes, size, 0) == (ssize_t)size && pread(fd, &more, 1, (off_t)size) == 0;
    close(fd);
    return whole;
}

static enum q_err replace_file(int directory_fd, const char *name, const char *name_new, const void *bytes, size_t size,
                               char *why, size_t why_size)
{
    const char *deed = "create";
    int fd = openat(directory_fd, name_new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd >= 0) {
        ssize_t written = write(fd, bytes, size);

        deed = "write";
        if (written >= 0 && written != (ssize_t)size)
            errno = ENOSPC;
        close(fd);
        if (written == (ssize_t)size) {
            deed = "replace";
            if (renameat(directory_fd, name_new, directory_fd, name) == 0)
                return Q_OK;
        }
    }
    snprintf(why, why_size, "Cannot %s %s in the state directory: %s", deed, name, strerror(errno));
    return Q_ERR_IO;
}

enum q_err ring_store_load(struct ring_store *store, uint64_t *ring_seq, char *why, size_t why_size)
{
    if (read_file(store->fd, store->ring_name, ring_seq, sizeof(*ring_seq)))
        return Q_OK;
    *ring_seq = 0;
    return ring_store_save(store, 0, why, why_size);
}

enum q_err ring_store_save(struct ring_store *store, uint64_t ring_seq, char *why, size_t why_size)
{
    return replace_file(store->fd, store->ring_name, store->ring_name_new, &ring_seq, sizeof(ring_seq), why, why_size);
}

uint32_t ring_store_load_expected(struct ring_store *store)
{
    uint32_t expected_votes;

    return read_file(store->fd, EXPECTED_NAME, &expected_votes, sizeof(expected_votes)) ? expected_votes : 0;
}

enum q_err ring_store_save_expected(struct ring_store *store, uint32_t expected_votes, char *why, size_t why_size)
{
    return replace_file(store->fd, EXPECTED_NAME, EXPECTED_NAME ".new", &expected_votes, sizeof(expected_votes), why,
                        why_size);
}
