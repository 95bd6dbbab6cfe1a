/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device at votequorum: registration and notifications (spec/qdevice-daemon.md section 8).
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "qdevice/core_internal.h"

#define NODES_MAX WIRE_NODES_MAX

static struct core *core_of(votequorum_handle_t handle)
{
    void *context = NULL;

    return votequorum_context_get(handle, &context) == CS_OK ? context : NULL;
}

static void on_nodelist(votequorum_handle_t handle, uint64_t context, votequorum_ring_id_t ring_id, uint32_t count,
                        uint32_t nodes[])
{
    struct core *core = core_of(handle);

    (void)context;
    if (core == NULL)
        return;
    core->in_sync = true;
    core->config.handlers->on_nodelist(core->config.context, (struct wire_ring_id){ring_id.nodeid, ring_id.seq}, nodes,
                                       count);
}

static void on_quorum(votequorum_handle_t handle, uint64_t context, uint32_t quorate, uint32_t count,
                      votequorum_node_t nodes[])
{
    static struct wire_node_info list[NODES_MAX];
    struct core *core = core_of(handle);
    uint32_t kept = 0;

    (void)context;
    if (core == NULL)
        return;
    for (uint32_t i = 0; i < count && kept < NODES_MAX; i++)
        if (nodes[i].nodeid != 0) /* 0 is the device itself */
            list[kept++] = (struct wire_node_info){.node_id = nodes[i].nodeid,
                                                   .state = nodes[i].state <= WIRE_NODE_STATE_LEAVING
                                                                ? (enum wire_node_state)nodes[i].state
                                                                : WIRE_NODE_STATE_NOT_SET};
    core->in_sync = false;
    core->config.handlers->on_quorum(core->config.context, quorate != 0, list, kept);
    core_cmap_deliver(core);
}

static void on_expected_votes(votequorum_handle_t handle, uint64_t context, uint32_t expected_votes)
{
    struct core *core = core_of(handle);

    (void)context;
    if (core == NULL)
        return;
    core->expected_votes = expected_votes;
    core->config.handlers->on_expected_votes(core->config.context, expected_votes);
}

static int32_t on_readable(int32_t fd, int32_t revents, void *data)
{
    struct core *core = data;
    cs_error_t result = votequorum_dispatch(core->votequorum, CS_DISPATCH_ALL);

    (void)fd;
    if ((result != CS_OK && result != CS_ERR_TRY_AGAIN) || (revents & (POLLHUP | POLLNVAL)) != 0) {
        core->votequorum_fd = -1; /* a negative answer takes it out of the loop */
        core_lose(core, "votequorum has closed the connection");
        return -1;
    }
    return 0;
}

static cs_error_t failed(cs_error_t result, const char *what, char text[CORE_TEXT_SIZE])
{
    snprintf(text, CORE_TEXT_SIZE, "%s: %s", what, cs_strerror(result));
    return result;
}

static cs_error_t register_device(struct core *core, char text[CORE_TEXT_SIZE])
{
    cs_error_t result = votequorum_qdevice_register(core->votequorum, core->config.device_name);

    if (result == CS_ERR_ACCESS)
        log_line(LOG_ERR, "votequorum refuses a device: two_node, auto_tie_breaker, last_man_standing or "
                          "allow_downscale is set in corosync.conf, or the device's votes are missing");
    if (result == CS_ERR_EXIST)
        log_line(LOG_ERR, "votequorum refuses the device \"%s\": one of another name is registered",
                 core->config.device_name);
    if (result != CS_OK)
        return failed(result, "votequorum_qdevice_register", text);
    if (core->config.master_wins < 0)
        return CS_OK;
    result = votequorum_qdevice_master_wins(core->votequorum, core->config.device_name,
                                            (unsigned)core->config.master_wins);
    return result == CS_OK ? CS_OK : failed(result, "votequorum_qdevice_master_wins", text);
}

cs_error_t core_votequorum_attach(struct core *core, char text[CORE_TEXT_SIZE])
{
    static votequorum_callbacks_t callbacks = {.votequorum_quorum_notify_fn = on_quorum,
                                               .votequorum_expectedvotes_notify_fn = on_expected_votes,
                                               .votequorum_nodelist_notify_fn = on_nodelist};
    struct votequorum_info info;
    cs_error_t result = votequorum_initialize(&core->votequorum, &callbacks);

    if (result != CS_OK)
        return failed(result, "votequorum_initialize", text);
    core->has_votequorum = true;
    votequorum_context_set(core->votequorum, core);
    result = register_device(core, text);
    if (result != CS_OK)
        return result;
    if (votequorum_getinfo(core->votequorum, 0, &info) == CS_OK)
        core->expected_votes = info.node_expected_votes;
    result = votequorum_fd_get(core->votequorum, &core->votequorum_fd);
    if (result != CS_OK)
        return failed(result, "votequorum_fd_get", text);
    if (qb_loop_poll_add(core->config.loop, QB_LOOP_HIGH, core->votequorum_fd, POLLIN, core, on_readable) != 0) {
        core->votequorum_fd = -1;
        return failed(CS_ERR_LIBRARY, "qb_loop_poll_add", text);
    }
    result = votequorum_trackstart(core->votequorum, 0, CS_TRACK_CHANGES);
    return result == CS_OK ? CS_OK : failed(result, "votequorum_trackstart", text);
}

void core_votequorum_detach(struct core *core, bool unregister)
{
    if (core->votequorum_fd >= 0)
        qb_loop_poll_del(core->config.loop, core->votequorum_fd);
    core->votequorum_fd = -1;
    if (!core->has_votequorum)
        return;
    if (unregister) {
        votequorum_trackstop(core->votequorum);
        votequorum_qdevice_unregister(core->votequorum, core->config.device_name);
    }
    votequorum_finalize(core->votequorum);
    core->has_votequorum = false;
}
