/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/state_marker.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Records without any lease are still good for a quick restart. */
#define AWAY_MS_MIN 60000

#define TRACE_FORMAT "%d %020" PRIu64 " %020" PRIu64 " %020" PRId64 " %011" PRId64
#define TRACE_SCAN "%d %" SCNu64 " %" SCNu64 " %" SCNd64 " %" SCNd64

size_t state_marker_encode(const struct state_marker *marker, char text[STATE_MARKER_SIZE_MAX])
{
    const struct pid_lock_trace *lock = &marker->lock, *directory = &marker->directory;
    int length =
        snprintf(text, STATE_MARKER_SIZE_MAX,
                 "quorate-arbiter-state 1\nboot %-36.36s\ntrusted %d\nunknown %020" PRIu64
                 "\nclean %d\nalive %020" PRIu64 "\nlock " TRACE_FORMAT "\ndirectory " TRACE_FORMAT "\nend\n",
                 marker->boot_id, marker->trusted, marker->unknown_since_ms, marker->clean, marker->alive_ms,
                 lock->exists, lock->device, lock->inode, lock->modified_ns, lock->pid, directory->exists,
                 directory->device, directory->inode, directory->modified_ns, directory->pid);

    return (size_t)length;
}

bool state_marker_decode(const char *text, size_t size, struct state_marker *marker)
{
    int trusted, clean, lock_exists, directory_exists, end = -1;
    struct pid_lock_trace *lock = &marker->lock, *directory = &marker->directory;
    char copy[STATE_MARKER_SIZE_MAX];

    memset(marker, 0, sizeof(*marker));
    if (size == 0 || size >= sizeof(copy))
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (sscanf(copy,
               "quorate-arbiter-state 1\nboot %36s\ntrusted %d\nunknown %" SCNu64 "\nclean %d\nalive %" SCNu64
               "\nlock " TRACE_SCAN "\ndirectory " TRACE_SCAN "\nend%n",
               marker->boot_id, &trusted, &marker->unknown_since_ms, &clean, &marker->alive_ms, &lock_exists,
               &lock->device, &lock->inode, &lock->modified_ns, &lock->pid, &directory_exists,
               &directory->device, &directory->inode, &directory->modified_ns, &directory->pid, &end) != 15 ||
        end < 0)
        return false;
    marker->trusted = trusted == 1;
    marker->clean = clean == 1;
    lock->exists = lock_exists == 1;
    directory->exists = directory_exists == 1;
    return true;
}

const char *state_marker_doubt(const struct state_marker *marker, const char *boot_id, uint64_t now_boot_ms,
                               uint64_t longest_lease_ms, const struct pid_lock *lock)
{
    uint64_t away_ms_max = longest_lease_ms > AWAY_MS_MIN ? longest_lease_ms : AWAY_MS_MIN;

    if (boot_id[0] == '\0')
        return "the boot id of the machine cannot be read";
    if (strcmp(marker->boot_id, boot_id) != 0)
        return "the machine was restarted";
    if (!marker->trusted)
        return "the previous arbiter could not record everything";
    if (marker->clean) {
        if (lock->before.exists || !pid_lock_trace_equal(&marker->directory, &lock->directory_before))
            return "another arbiter may have run since the previous stop";
    } else if (!pid_lock_trace_equal(&marker->lock, &lock->before)) {
        return "another arbiter has run in between, or the lock file was replaced";
    }
    if (now_boot_ms < marker->alive_ms || now_boot_ms - marker->alive_ms > away_ms_max)
        return "no arbiter was running for longer than votes last";
    return NULL;
}
