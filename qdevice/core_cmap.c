/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration in cmap: what concerns the device is read as a whole and handed over as keys, at the beginning and whenever
 * something of it has changed; once per reload, not once per key (spec/qdevice-daemon.md section 7).
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "qdevice/core_internal.h"

#define RELOAD_KEY "config.totemconfig_reload_in_progress"

static const char *const prefixes_read[] = {"quorum.",
                                            "totem.cluster_name",
                                            "totem.config_version",
                                            "totem.clear_node_high_bit",
                                            "nodelist.",
                                            "logging.",
                                            "runtime.votequorum.this_node_id"};
static const char *const prefixes_tracked[] = {"quorum.", "totem.config_version", "nodelist.", "logging."};

#define REREAD_MS 200
#define NS_PER_MS UINT64_C(1000000)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- reading ---- */

/* Q_OK: it was deleted meanwhile, and the notification is under way. A key that is there must not be taken for deleted. */
static enum q_err not_read(cs_error_t result)
{
    return result == CS_ERR_NOT_EXIST ? Q_OK : Q_ERR_AGAIN;
}

static enum q_err add_text(struct core *core, const char *name, struct keys *keys)
{
    enum q_err err;
    char *text;
    cs_error_t result = cmap_get_string(core->cmap, name, &text);

    if (result != CS_OK)
        return not_read(result);
    err = keys_add_text(keys, name, text, strlen(text));
    free(text);
    return err;
}

static enum q_err add_number(struct core *core, const char *name, enum key_type type, struct keys *keys)
{
    union {
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;
    } value;
    size_t size = sizeof(value);
    uint64_t number;
    cs_error_t result = cmap_get(core->cmap, name, &value, &size, NULL);

    if (result != CS_OK)
        return not_read(result);
    if (type == KEY_U8)
        number = value.u8;
    else if (type == KEY_U16)
        number = value.u16;
    else if (type == KEY_U32)
        number = value.u32;
    else
        number = value.u64;
    return keys_add_number(keys, name, type, number);
}

static enum q_err add_key(struct core *core, const char *name, cmap_value_types_t type, struct keys *keys)
{
    switch (type) {
    case CMAP_VALUETYPE_STRING:
        return add_text(core, name, keys);
    case CMAP_VALUETYPE_UINT8:
        return add_number(core, name, KEY_U8, keys);
    case CMAP_VALUETYPE_UINT16:
        return add_number(core, name, KEY_U16, keys);
    case CMAP_VALUETYPE_UINT32:
        return add_number(core, name, KEY_U32, keys);
    case CMAP_VALUETYPE_UINT64:
        return add_number(core, name, KEY_U64, keys);
    case CMAP_VALUETYPE_INT8:
    case CMAP_VALUETYPE_INT16:
    case CMAP_VALUETYPE_INT32:
    case CMAP_VALUETYPE_INT64:
    case CMAP_VALUETYPE_FLOAT:
    case CMAP_VALUETYPE_DOUBLE:
    case CMAP_VALUETYPE_BINARY:
        break;
    }
    return keys_add_number(keys, name, KEY_OTHER, 0);
}

static bool read_prefix(struct core *core, const char *prefix, struct keys *keys)
{
    char name[CMAP_KEYNAME_MAXLEN + 1];
    cmap_iter_handle_t iteration;
    cmap_value_types_t type;
    enum q_err err = Q_OK;
    cs_error_t result = cmap_iter_init(core->cmap, prefix, &iteration);

    if (result != CS_OK)
        return false;
    do {
        result = cmap_iter_next(core->cmap, iteration, name, NULL, &type);
        if (result == CS_OK)
            err = add_key(core, name, type, keys);
    } while (result == CS_OK && err == Q_OK);
    cmap_iter_finalize(core->cmap, iteration);
    return err == Q_OK && result == CS_ERR_NO_SECTIONS;
}

static void on_reread(void *data)
{
    struct core *core = data;

    core->reread_armed = false;
    (void)core_cmap_deliver(core);
}

/* Half of a configuration is none: with a key missing a default would take its place. */
static void read_again_later(struct core *core)
{
    log_line(LOG_WARNING, "The configuration cannot be read from cmap now: trying again");
    if (!core->reread_armed)
        core->reread_armed = qb_loop_timer_add(core->config.loop, QB_LOOP_LOW, REREAD_MS * NS_PER_MS, core, on_reread,
                                               &core->reread_timer) == 0;
}

bool core_cmap_deliver(struct core *core)
{
    struct keys keys;
    bool ok = true;

    if (!core->keys_changed || core->in_sync || core->reload_under_way || !core->has_cmap)
        return true;
    keys_init(&keys);
    for (size_t i = 0; i < COUNT(prefixes_read) && ok; i++)
        ok = read_prefix(core, prefixes_read[i], &keys);
    core->keys_changed = !ok;
    if (ok)
        core->config.handlers->on_keys(core->config.context, &keys);
    else
        read_again_later(core);
    keys_fini(&keys);
    return ok;
}

/* ---- tracking ---- */

static void on_change(cmap_handle_t handle, cmap_track_handle_t track, int32_t event, const char *name,
                      struct cmap_notify_value new_value, struct cmap_notify_value old_value, void *data)
{
    struct core *core = data;

    (void)handle;
    (void)track;
    (void)event;
    (void)name;
    (void)new_value;
    (void)old_value;
    core->keys_changed = true;
}

static void on_reload(cmap_handle_t handle, cmap_track_handle_t track, int32_t event, const char *name,
                      struct cmap_notify_value new_value, struct cmap_notify_value old_value, void *data)
{
    struct core *core = data;

    (void)handle;
    (void)track;
    (void)event;
    (void)name;
    (void)old_value;
    core->reload_under_way =
        new_value.type == CMAP_VALUETYPE_UINT8 && new_value.len == 1 && *(const uint8_t *)new_value.data == 1;
    core->keys_changed = true;
}

static int32_t on_readable(int32_t fd, int32_t revents, void *data)
{
    struct core *core = data;
    cs_error_t result = cmap_dispatch(core->cmap, CS_DISPATCH_ALL);

    (void)fd;
    if ((result != CS_OK && result != CS_ERR_TRY_AGAIN) || (revents & (POLLHUP | POLLNVAL)) != 0) {
        core->cmap_fd = -1;
        core_lose(core, "cmap has closed the connection");
        return -1;
    }
    (void)core_cmap_deliver(core);
    return 0;
}

static cs_error_t failed(cs_error_t result, const char *what, char text[CORE_TEXT_SIZE])
{
    snprintf(text, CORE_TEXT_SIZE, "%s: %s", what, cs_strerror(result));
    return result;
}

static cs_error_t track(struct core *core, char text[CORE_TEXT_SIZE])
{
    cmap_track_handle_t handle;
    cs_error_t result =
        cmap_track_add(core->cmap, RELOAD_KEY, CMAP_TRACK_ADD | CMAP_TRACK_MODIFY, on_reload, core, &handle);

    for (size_t i = 0; i < COUNT(prefixes_tracked) && result == CS_OK; i++)
        result = cmap_track_add(core->cmap, prefixes_tracked[i],
                                CMAP_TRACK_ADD | CMAP_TRACK_MODIFY | CMAP_TRACK_DELETE | CMAP_TRACK_PREFIX, on_change,
                                core, &handle);
    return result == CS_OK ? CS_OK : failed(result, "cmap_track_add", text);
}

cs_error_t core_cmap_attach(struct core *core, char text[CORE_TEXT_SIZE])
{
    cs_error_t result = cmap_initialize(&core->cmap);

    if (result != CS_OK)
        return failed(result, "cmap_initialize", text);
    core->has_cmap = true;
    core->reload_under_way = false;
    result = track(core, text);
    if (result != CS_OK)
        return result;
    result = cmap_fd_get(core->cmap, &core->cmap_fd);
    if (result != CS_OK)
        return failed(result, "cmap_fd_get", text);
    if (qb_loop_poll_add(core->config.loop, QB_LOOP_LOW, core->cmap_fd, POLLIN, core, on_readable) != 0) {
        core->cmap_fd = -1;
        return failed(CS_ERR_LIBRARY, "qb_loop_poll_add", text);
    }
    return CS_OK;
}

void core_cmap_detach(struct core *core)
{
    if (core->reread_armed)
        qb_loop_timer_del(core->config.loop, core->reread_timer);
    core->reread_armed = false;
    if (core->cmap_fd >= 0)
        qb_loop_poll_del(core->config.loop, core->cmap_fd);
    core->cmap_fd = -1;
    if (core->has_cmap)
        cmap_finalize(core->cmap);
    core->has_cmap = false;
}
