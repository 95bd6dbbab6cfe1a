/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/state_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "qnetd/state_marker.h"

#define MARKER_NAME "marker"
#define RECORD_PREFIX "cluster-"
#define TEMPORARY_NAME "writing"

/* An instance that is just ending may still hold the directory. */
#define TAKEOVER_TRIES 40
#define TAKEOVER_PAUSE_US 50000

static void read_boot_id(char boot_id[40])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? -1 : read(fd, boot_id, 36);

    boot_id[count == 36 ? 36 : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

static int take_directory(const char *path)
{
    int fd;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return -1;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    for (int i = 0; i < TAKEOVER_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        usleep(TAKEOVER_PAUSE_US);
    }
    close(fd);
    errno = EBUSY;
    return -1;
}

/* Returns the number of bytes, or -1. */
static ssize_t read_file(int directory_fd, const char *name, char *bytes, size_t size)
{
    int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    size_t used = 0;
    ssize_t count = -1;

    if (fd < 0)
        return -1;
    while (used < size && (count = read(fd, bytes + used, size - used)) > 0)
        used += (size_t)count;
    close(fd);
    return count < 0 ? -1 : (ssize_t)used;
}

/* Decodes the record in a file. The caller frees it in any case. */
static bool read_record(const struct state_dir *state, const char *file_name, char *bytes,
                        struct grant_record *record)
{
    ssize_t size = read_file(state->fd, file_name, bytes, GRANT_RECORD_SIZE_MAX + 1);

    return size >= 0 && size <= (ssize_t)GRANT_RECORD_SIZE_MAX &&
           grant_record_decode(record, (const uint8_t *)bytes, (size_t)size) == Q_OK;
}

/* A walk over all record files; `record` is NULL if the file is damaged. */
typedef void (*visit_fn)(struct state_dir *state, const char *file_name, const struct grant_record *record,
                         void *context);

static bool visit_records(struct state_dir *state, visit_fn visit, void *context)
{
    int fd = openat(state->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    char *bytes = malloc(GRANT_RECORD_SIZE_MAX + 1);
    const struct dirent *entry;
    bool possible = stream != NULL && bytes != NULL;

    while (possible && (entry = readdir(stream)) != NULL) {
        struct grant_record record;

        if (strncmp(entry->d_name, RECORD_PREFIX, strlen(RECORD_PREFIX)) != 0)
            continue;
        grant_record_init(&record);
        visit(state, entry->d_name, read_record(state, entry->d_name, bytes, &record) ? &record : NULL,
              context);
        grant_record_fini(&record);
    }
    free(bytes);
    if (stream != NULL)
        closedir(stream);
    else if (fd >= 0)
        close(fd);
    return possible;
}

struct survey {
    uint64_t longest_lease_ms;
    unsigned damaged_count;
};

static void survey_record(struct state_dir *state, const char *file_name, const struct grant_record *record,
                          void *context)
{
    struct survey *survey = context;

    if (record == NULL) {
        log_line(LOG_WARNING, "State file %s/%s is damaged", state->path, file_name);
        survey->damaged_count++;
        return;
    }
    for (uint32_t i = 0; i < record->holder_count; i++) {
        if (record->holders[i].lease_ms > survey->longest_lease_ms)
            survey->longest_lease_ms = record->holders[i].lease_ms;
    }
}

/* Why the records are not the whole truth; NULL: they are what the previous arbiter knew. */
static const char *judge(struct state_dir *state, const struct pid_lock *lock, struct state_marker *marker)
{
    struct survey survey = {0};
    char text[STATE_MARKER_SIZE_MAX];
    ssize_t size;

    if (state->fd < 0)
        return "the state directory cannot be used";
    size = read_file(state->fd, MARKER_NAME, text, sizeof(text));
    if (size <= 0 || !state_marker_decode(text, (size_t)size, marker))
        return "no arbiter of ours has run here since the machine started";
    state->known_marker = strcmp(marker->boot_id, state->boot_id) == 0;
    if (!visit_records(state, survey_record, &survey))
        return "the state directory cannot be read";
    if (survey.damaged_count > 0 && state->known_marker)
        return "a state file was damaged";
    return state_marker_doubt(marker, state->boot_id, clock_boot_ms(), survey.longest_lease_ms, lock);
}

static bool knows_everything(const struct state_dir *state)
{
    return state->unknown_since_ms == 0 ||
           clock_monotonic_ms() - state->unknown_since_ms > state->unknown_ms_max;
}

void state_dir_open(struct state_dir *state, const char *path, const struct pid_lock *lock,
                    uint64_t unknown_ms_max, bool records_grants)
{
    struct state_marker marker = {0};

    *state = (struct state_dir){.fd = -1,
                                .marker_fd = -1,
                                .lock = lock->own,
                                .records_grants = records_grants,
                                .unknown_ms_max = unknown_ms_max};
    read_boot_id(state->boot_id);
    state->path = strdup(path);
    state->fd = state->path == NULL ? -1 : take_directory(path);
    if (state->fd < 0)
        log_line(LOG_WARNING,
                 "State directory %s cannot be used (%s): every restart will make clusters wait. Make it "
                 "writable, or "
                 "set state_dir",
                 path, errno == EBUSY ? "another instance uses it" : strerror(errno));
    state->start_reason = judge(state, lock, &marker);
    if (state->start_reason != NULL) {
        state->unknown_since_ms = clock_monotonic_ms();
        return;
    }
    state->unknown_since_ms = marker.unknown_since_ms;
    if (knows_everything(state))
        state->unknown_since_ms = 0;
    else
        state->start_reason = "the previous arbiter did not know them either";
}

/* Overwrites the marker. False: what it says now is not known. */
static bool write_marker(const struct state_dir *state, bool trusted, const struct pid_lock_trace *clean)
{
    struct state_marker marker = {
        .trusted = trusted,
        .unknown_since_ms = knows_everything(state) ? 0 : state->unknown_since_ms,
        .clean = clean != NULL,
        .alive_ms = clock_boot_ms(),
        .lock = state->lock,
        .directory = clean != NULL ? *clean : (struct pid_lock_trace){.pid = -1},
    };
    char text[STATE_MARKER_SIZE_MAX];
    size_t size;

    memcpy(marker.boot_id, state->boot_id, sizeof(marker.boot_id));
    size = state_marker_encode(&marker, text);
    /* One page, one call: a kill leaves the old text or the new one. */
    return pwrite(state->marker_fd, text, size, 0) == (ssize_t)size;
}

static void create_marker(struct state_dir *state)
{
    int fd;

    if (state->boot_id[0] == '\0')
        return;
    fd = openat(state->fd, MARKER_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        log_line(LOG_WARNING, "Can't create %s/%s: %s", state->path, MARKER_NAME, strerror(errno));
        return;
    }
    state->marker_fd = fd;
    if (!write_marker(state, false, NULL)) {
        log_line(LOG_WARNING, "Can't write %s/%s: %s", state->path, MARKER_NAME, strerror(errno));
        unlinkat(state->fd, MARKER_NAME, 0);
        close(fd);
        state->marker_fd = -1;
    }
}

struct restore {
    state_dir_record_fn on_record;
    void *context;
};

static void restore_record(struct state_dir *state, const char *file_name, const struct grant_record *record,
                           void *context)
{
    const struct restore *restore = context;

    /* What another boot wrote has no meaning any more. */
    if (record == NULL || !state->known_marker)
        unlinkat(state->fd, file_name, 0);
    else
        restore->on_record(restore->context, record);
}

void state_dir_restore(struct state_dir *state, state_dir_record_fn on_record, void *context)
{
    struct restore restore = {.on_record = on_record, .context = context};

    if (state->fd < 0)
        return;
    visit_records(state, restore_record, &restore);
    create_marker(state);
}

static void record_file_name(struct wire_bytes cluster_name, char name[STATE_DIR_NAME_SIZE])
{
    char encoded[GRANT_RECORD_FILE_NAME_SIZE];

    grant_record_file_name(cluster_name, encoded);
    snprintf(name, STATE_DIR_NAME_SIZE, "%s%s", RECORD_PREFIX, encoded);
}

static bool replace_file(const struct state_dir *state, const char *name, const uint8_t *bytes, size_t size)
{
    int fd = openat(state->fd, TEMPORARY_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool written;

    if (fd < 0)
        return false;
    written = write(fd, bytes, size) == (ssize_t)size;
    if (close(fd) != 0)
        written = false;
    return written && renameat(state->fd, TEMPORARY_NAME, state->fd, name) == 0;
}

static size_t find_failed(const struct state_dir *state, const char name[STATE_DIR_NAME_SIZE])
{
    size_t i = 0;

    while (i < state->failed_count && strcmp(state->failed_names[i], name) != 0)
        i++;
    return i;
}

static void add_failed(struct state_dir *state, const char name[STATE_DIR_NAME_SIZE])
{
    void *names;

    if (find_failed(state, name) < state->failed_count)
        return;
    names = realloc(state->failed_names, (state->failed_count + 1) * sizeof(*state->failed_names));
    if (names == NULL) {
        state->failed_list_lost = true;
        return;
    }
    state->failed_names = names;
    memcpy(state->failed_names[state->failed_count++], name, sizeof(*state->failed_names));
}

static void remove_failed(struct state_dir *state, const char name[STATE_DIR_NAME_SIZE])
{
    size_t i = find_failed(state, name);

    if (i == state->failed_count)
        return;
    state->failed_count--;
    memmove(state->failed_names[i], state->failed_names[state->failed_count], sizeof(*state->failed_names));
    if (state->failed_count == 0 && !state->failed_list_lost) {
        log_line(LOG_NOTICE, "State directory %s is complete again", state->path);
        state_dir_touch(state);
    }
}

enum state_dir_status state_dir_status(const struct state_dir *state)
{
    if (state->fd < 0)
        return STATE_DIR_OFF;
    if (state->failed_count > 0 || state->failed_list_lost || state->marker_fd < 0)
        return STATE_DIR_FAILING;
    return STATE_DIR_WORKING;
}

/* Whether a later start will know from the records whatever we have granted. */
static bool is_whole_truth(const struct state_dir *state)
{
    return state->records_grants && state_dir_status(state) == STATE_DIR_WORKING;
}

/* Makes sure that no later start trusts the records. */
static enum arbiter_persist_result revoke_trust(struct state_dir *state)
{
    if (state->marker_fd < 0 || write_marker(state, false, NULL) ||
        unlinkat(state->fd, MARKER_NAME, 0) == 0 || errno == ENOENT)
        return ARBITER_PERSIST_VOLATILE;
    log_line(LOG_ERR,
             "State directory %s holds outdated grants that can be neither replaced nor removed (%s): "
             "votes are withheld until that is repaired",
             state->path, strerror(errno));
    return ARBITER_PERSIST_FAILED;
}

enum arbiter_persist_result state_dir_persist(struct state_dir *state, struct wire_bytes cluster_name,
                                              const uint8_t *bytes, size_t size)
{
    char name[STATE_DIR_NAME_SIZE];
    bool was_working = state_dir_status(state) == STATE_DIR_WORKING;

    if (state->fd < 0)
        return ARBITER_PERSIST_VOLATILE;
    record_file_name(cluster_name, name);
    if (replace_file(state, name, bytes, size)) {
        remove_failed(state, name);
        return ARBITER_PERSIST_DONE;
    }
    if (was_working)
        log_line(LOG_WARNING, "Can't write %s/%s (%s): a restart will make clusters wait", state->path, name,
                 strerror(errno));
    add_failed(state, name);
    return revoke_trust(state);
}

void state_dir_forget(struct state_dir *state, struct wire_bytes cluster_name)
{
    char name[STATE_DIR_NAME_SIZE];

    if (state->fd < 0)
        return;
    record_file_name(cluster_name, name);
    if (unlinkat(state->fd, name, 0) == 0 || errno == ENOENT)
        remove_failed(state, name);
}

void state_dir_touch(struct state_dir *state)
{
    if (state->marker_fd >= 0)
        (void)write_marker(state, is_whole_truth(state), NULL);
}

void state_dir_close(struct state_dir *state, const struct pid_lock_trace *lock_directory)
{
    if (state->marker_fd >= 0) {
        (void)write_marker(state, is_whole_truth(state), lock_directory);
        close(state->marker_fd);
    }
    if (state->fd >= 0)
        close(state->fd);
    free(state->failed_names);
    free(state->path);
    *state = (struct state_dir){.fd = -1, .marker_fd = -1};
}
