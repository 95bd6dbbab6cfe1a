/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does the same long, fixed sequence of operations with the running (packaged) daemon through its library and with the
 * core's own map, and compares every answer, every value and every notice. Ends with 0 if there is no difference; says the
 * first one. Started by tests/integration/core_config.py.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <corosync/cmap.h>
#include <corosync/corotypes.h>

#include "core/services/cmap_store.h"

#define STEPS 6000
#define TRACKERS 24
#define NOTICES_MAX 4096
#define NOTICE_TIMEOUT_MS 2000

static cmap_handle_t daemon_handle;
static struct cmap_store store;
static struct cmap_client client;
static struct cmap_changes changes;
static unsigned step;

static void differ(const char *what, const char *name, long theirs, long ours)
{
    printf("step %u: %s of \"%s\": packaged %ld, ours %ld\n", step, what, name, theirs, ours);
    exit(1);
}

static uint32_t number(uint32_t below)
{
    static uint32_t state = 12345;

    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

/* Few enough that most are there, of all kinds. */
static const char *random_name(void)
{
    static char name[CMAP_NAME_MAX + 1];
    static const char *const odd[] = {"ab",
                                      "a b.c",
                                      "totem.token",
                                      "totem.version",
                                      "nodelist.x",
                                      "system.x",
                                      "uidgid.uid.5",
                                      "totem.key",
                                      "quorum.wait_for_all",
                                      "own.a$",
                                      "uidgid.config.x",
                                      "runtime.config.x",
                                      "quorum.wait_for_al"};

    if (number(8) == 0)
        return odd[number(sizeof(odd) / sizeof(odd[0]))];
    if (number(40) == 0) {
        memset(name, 'k', CMAP_NAME_MAX);
        name[CMAP_NAME_MAX - number(2)] = '\0';
        return name;
    }
    snprintf(name, sizeof(name), "own.%c%s%u", 'a' + (int)number(3), number(2) ? "." : "", number(3));
    return name;
}

/* ---- notices ---- */

struct notice {
    uint64_t cookie;
    int event;
    char name[CMAP_NAME_MAX + 1];
    struct {
        int type;
        size_t size;
        uint8_t bytes[32];
    } values[2];
};

static struct notice theirs[NOTICES_MAX], mine[NOTICES_MAX];
static unsigned their_count, my_count;

static void put_value(struct notice *notice, int index, int type, const void *bytes, size_t size)
{
    notice->values[index].type = type;
    notice->values[index].size = size;
    if (size > 0)
        memcpy(notice->values[index].bytes, bytes, size < 32 ? size : 32);
}

static void on_change(cmap_handle_t handle, cmap_track_handle_t track, int32_t event, const char *name,
                      struct cmap_notify_value new_value, struct cmap_notify_value old_value, void *cookie)
{
    struct notice *notice = &theirs[their_count++];

    (void)handle;
    (void)track;
    memset(notice, 0, sizeof(*notice));
    notice->cookie = (uintptr_t)cookie;
    notice->event = event;
    snprintf(notice->name, sizeof(notice->name), "%s", name);
    /* a type without length is what was in memory: the library says nothing of it */
    put_value(notice, 0, new_value.len == 0 ? 0 : (int)new_value.type, new_value.data, new_value.len);
    put_value(notice, 1, old_value.len == 0 ? 0 : (int)old_value.type, old_value.data, old_value.len);
}

static void collect_mine(void)
{
    my_count = 0;
    for (size_t i = 0; i < changes.notice_count; i++) {
        const struct cmap_change *change = &changes.items[changes.notices[i].change_index];
        const struct cmap_value *values[] = {&change->new_value, &change->old_value};
        struct notice *notice = &mine[my_count++];
        memset(notice, 0, sizeof(*notice));
        notice->cookie = changes.notices[i].cookie;
        notice->event = (int)change->event;
        snprintf(notice->name, sizeof(notice->name), "%s", change->name);
        for (int v = 0; v < 2; v++)
            put_value(notice, v, values[v]->size == 0 ? 0 : (int)values[v]->type, values[v]->bytes,
                      values[v]->size);
    }
    cmap_changes_reset(&changes);
}

static int compare_notices(const void *a, const void *b)
{
    const struct notice *x = a;
    const struct notice *y = b;

    if (x->cookie != y->cookie)
        return x->cookie < y->cookie ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* All of one change; their order among trackers of one name is nobody's promise. */
static void check_notices(const char *name)
{
    struct pollfd poll_fd = {.events = POLLIN};

    their_count = 0;
    collect_mine();
    cmap_fd_get(daemon_handle, &poll_fd.fd);
    do {
        if (cmap_dispatch(daemon_handle, CS_DISPATCH_ALL) != CS_OK)
            differ("dispatch", name, 0, 1);
    } while (their_count < my_count && poll(&poll_fd, 1, NOTICE_TIMEOUT_MS) == 1);
    if (their_count != my_count)
        differ("number of notices", name, their_count, my_count);
    qsort(theirs, their_count, sizeof(theirs[0]), compare_notices);
    qsort(mine, my_count, sizeof(mine[0]), compare_notices);
    for (unsigned i = 0; i < my_count; i++)
        if (memcmp(&theirs[i], &mine[i], sizeof(mine[i])) != 0)
            differ("notice", theirs[i].name, theirs[i].event, mine[i].event);
}

/* ---- operations ---- */

static void do_set(void)
{
    static const size_t sizes[] = {0, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 5, 5};
    const char *name = random_name();
    unsigned type = 1 + number(12);
    size_t size = number(6) == 0 ? number(10) : sizes[type];
    char bytes[16] = "abcdefghijklmno";
    int error;
    enum cs_error ours;

    bytes[0] = (char)('a' + number(2));
    if (number(6) == 0)
        bytes[number(6)] = '\0';
    error = cmap_set(daemon_handle, name, bytes, size, (cmap_value_types_t)type);
    ours = cmap_client_set(&store, name, (struct cmap_value){(enum cmap_type)type, size, bytes}, &changes);
    if (error != (int)ours)
        differ("set", name, error, ours);
    check_notices(name);
}

static void do_delete(void)
{
    const char *name = random_name();
    int error = cmap_delete(daemon_handle, name);
    enum cs_error ours = cmap_client_delete(&store, name, &changes);

    if (error != (int)ours)
        differ("delete", name, error, ours);
    check_notices(name);
}

static void do_adjust(void)
{
    const char *name = random_name();
    int up = (int)number(2);
    int error = up ? cmap_inc(daemon_handle, name) : cmap_dec(daemon_handle, name);
    enum cs_error ours = cmap_client_adjust(&store, name, up ? 1 : -1, &changes);

    if (error != (int)ours)
        differ("adjust", name, error, ours);
    check_notices(name);
}

static void do_get(void)
{
    const char *name = random_name();
    char bytes[64];
    size_t size = number(4) == 0 ? number(12) : sizeof(bytes);
    size_t room = size;
    cmap_value_types_t type;
    struct cmap_value value;
    int error = cmap_get(daemon_handle, name, size == 0 ? NULL : bytes, &size, &type);
    enum cs_error ours = cmap_client_get(&store, name, room, &value);

    if (error != (int)ours)
        differ("get", name, error, ours);
    if (error != CS_OK)
        return;
    if (size != value.size || (unsigned)type != (unsigned)value.type)
        differ("size got", name, (long)size, (long)value.size);
    if (room > 0 && memcmp(bytes, value.bytes, size) != 0)
        differ("value", name, bytes[0], *(const char *)value.bytes);
}

static void do_iterate(void)
{
    static const char *const prefixes[] = {"own.", "own.a", "own.b.", "own.c1", "kkk", "zzz"};
    const char *prefix = prefixes[number(sizeof(prefixes) / sizeof(prefixes[0]))];
    cmap_iter_handle_t their_iterator;
    uint64_t iterator = 0;
    bool deletes = number(4) == 0;
    int error;

    if (cmap_iter_init(daemon_handle, prefix, &their_iterator) != CS_OK ||
        cmap_iterator_add(&store, &client, prefix, &iterator) != CS_ERROR_OK)
        differ("iterator", prefix, 0, 1);
    do {
        char their_name[CMAP_KEYNAME_MAXLEN + 1] = "";
        size_t size = 0;
        cmap_value_types_t type = (cmap_value_types_t)0;
        const char *name = "";
        struct cmap_value value = {.type = CMAP_NONE};
        enum cs_error ours = cmap_iterator_next(&store, &client, iterator, &name, &value);
        error = cmap_iter_next(daemon_handle, their_iterator, their_name, &size, &type);
        if (error != (int)ours || strcmp(their_name, name) != 0)
            differ("next key", their_name, error, ours);
        if (error == CS_OK && (size != value.size || (unsigned)type != (unsigned)value.type))
            differ("size while iterating", name, (long)size, (long)value.size);
        if (error == CS_OK && deletes) {
            if (cmap_delete(daemon_handle, their_name) != CS_OK ||
                cmap_client_delete(&store, their_name, &changes) != CS_ERROR_OK)
                differ("delete while iterating", their_name, 0, 1);
        }
    } while (error == CS_OK);
    /* The packaged daemon tells of a key that an iterator stands on only when that has moved on. */
    check_notices(prefix);
    if (cmap_iter_finalize(daemon_handle, their_iterator) != CS_OK ||
        cmap_iterator_remove(&store, &client, iterator) != CS_ERROR_OK)
        differ("end of iterator", prefix, 0, 1);
}

static void do_track(void)
{
    static struct {
        bool used;
        cmap_track_handle_t their_handle;
        uint64_t handle;
    } trackers[TRACKERS];
    static uint64_t next_cookie;
    static const char *const names[] = {"own.", "own.a", "own.a1", "own.b.1", "own", "ab", "totem.token"};
    unsigned i = number(TRACKERS);
    const char *name = names[number(sizeof(names) / sizeof(names[0]))];
    int bits = (int)number(number(10) == 0 ? 32 : 16);
    uint64_t cookie;
    enum cs_error ours;
    int error;

    if (trackers[i].used) {
        error = cmap_track_delete(daemon_handle, trackers[i].their_handle);
        ours = cmap_tracker_remove(&store, &client, trackers[i].handle, &cookie);
        trackers[i].used = false;
    } else {
        cookie = ++next_cookie;
        error = cmap_track_add(daemon_handle, name, bits, on_change, (void *)(uintptr_t)cookie,
                               &trackers[i].their_handle);
        ours = cmap_tracker_add(&store, &client, name, (uint32_t)bits, cookie, &trackers[i].handle);
        trackers[i].used = error == CS_OK;
    }
    if (error != (int)ours)
        differ("track", name, error, ours);
}

/* What the daemon has to begin with, as far as the names above touch it. */
static void copy_keys(void)
{
    cmap_iter_handle_t iterator;
    char name[CMAP_KEYNAME_MAXLEN + 1];
    size_t size;
    cmap_value_types_t type;

    cmap_iter_init(daemon_handle, "", &iterator);
    while (cmap_iter_next(daemon_handle, iterator, name, &size, &type) == CS_OK) {
        char bytes[4096];
        struct cmap_value value = {(enum cmap_type)type, size, bytes};
        if (strncmp(name, "totem.", 6) == 0 && cmap_get(daemon_handle, name, bytes, &size, &type) == CS_OK &&
            cmap_store_set(&store, name, value, NULL) != CS_ERROR_OK)
            differ("copy", name, 0, 1);
    }
    cmap_iter_finalize(daemon_handle, iterator);
}

int main(void)
{
    if (cmap_initialize(&daemon_handle) != CS_OK) {
        puts("no daemon");
        return 1;
    }
    cmap_store_init(&store);
    store.votequorum_runs = true;
    cmap_changes_init(&changes);
    cmap_client_init(&client, 1);
    copy_keys();
    for (step = 0; step < STEPS; step++) {
        static void (*const operations[])(void) = {do_set,    do_set, do_set,  do_delete,
                                                   do_adjust, do_get, do_track};
        if (number(50) == 0)
            do_iterate();
        else
            operations[number(sizeof(operations) / sizeof(operations[0]))]();
    }
    cmap_client_fini(&store, &client);
    cmap_changes_fini(&changes);
    cmap_store_fini(&store);
    cmap_finalize(daemon_handle);
    printf("%u operations, no difference\n", STEPS);
    return 0;
}
