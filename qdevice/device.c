/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/device.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/notify.h"
#include "qdevice/control.h"
#include "qdevice/credentials.h"

#define NS_PER_MS UINT64_C(1000000)
#define VOTER_END_MS 1000

/* ---- the voter ---- */

static void on_carried_out(void *context, uint64_t sequence)
{
    struct device *device = context;
    struct agent_event event = {.type = AGENT_EV_CAST_DONE, .u.cast_done.sequence = sequence};

    if (device->configured)
        device_step(device, &event);
}

static void on_voter_failed(void *context)
{
    struct device *device = context;

    device->failed = true;
    qb_loop_stop(device->loop);
}

/* ---- actions ---- */

static void follow_up(struct device *device, enum agent_event_type type, uint64_t conn, const char *text)
{
    struct device_follow_up *next = &device->follow_ups[device->follow_up_count];

    assert(device->follow_up_count < DEVICE_FOLLOW_UPS_MAX); /* a step begins one connection at most */
    device->follow_up_count++;
    next->type = type;
    next->conn = conn;
    snprintf(next->text, sizeof(next->text), "%s", text);
}

static const char *text_of(const struct device *device, struct agent_span span)
{
    return (const char *)q_buf_bytes(&device->actions.data) + span.offset;
}

static void cast(struct device *device, const struct agent_action *action)
{
    struct voting_command command = {.sequence = action->sequence,
                                     .cast = action->cast,
                                     .poll = action->poll,
                                     .ring_id = action->ring_id,
                                     .until_ms = action->until_ms,
                                     .poll_ms = device->config.agent.timing.poll_ms};

    voter_watch_tell(&device->voter, &command);
}

static int priority_of(enum agent_note_level level)
{
    static const int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERR};

    return priorities[level];
}

static void start_tls(struct device *device, uint64_t conn)
{
    char text[DEVICE_ERR_SIZE] = "";

    if (device->credentials == NULL)
        device->credentials = credentials_open(device->settings, &device->stamp, text, sizeof(text));
    if (!arbiter_link_start_tls(&device->link, device->credentials, text + strlen(text), sizeof(text) - strlen(text)))
        follow_up(device, AGENT_EV_DISCONNECTED, conn, text);
}

static void carry_out(struct device *device, const struct agent_action *action)
{
    char text[AGENT_TEXT_SIZE] = "";

    switch (action->type) {
    case AGENT_ACT_RESOLVE:
        if (!arbiter_link_resolve(&device->link, action->conn, device->config.host_list[action->host],
                                  device->config.port, device->config.force_ip_version, text, sizeof(text)))
            follow_up(device, AGENT_EV_RESOLVED, action->conn, text);
        return;
    case AGENT_ACT_CONNECT:
        if (!arbiter_link_connect(&device->link, action->conn, action->address, text, sizeof(text)))
            follow_up(device, AGENT_EV_DISCONNECTED, action->conn, text);
        return;
    case AGENT_ACT_START_TLS:
        start_tls(device, action->conn);
        return;
    case AGENT_ACT_SEND:
        if (!arbiter_link_send(&device->link, q_buf_bytes(&device->actions.data) + action->data.offset,
                               action->data.size, text, sizeof(text)))
            follow_up(device, AGENT_EV_DISCONNECTED, action->conn, text);
        return;
    case AGENT_ACT_CLOSE:
        arbiter_link_close(&device->link, action->goodbye);
        return;
    case AGENT_ACT_CAST:
        cast(device, action);
        return;
    case AGENT_ACT_HEURISTICS:
        heuristics_run(device->heuristics, action->run, action->sequence, action->timeout_ms);
        return;
    case AGENT_ACT_NOTE:
        log_line(priority_of(action->level), "%s", text_of(device, action->data));
        return;
    case AGENT_ACT_STOP:
        qb_loop_stop(device->loop);
        return;
    }
}

/* ---- steps and the timer ---- */

static void one_step(struct device *device, struct agent_event *event)
{
    event->now_ms = clock_monotonic_ms();
    if (getrandom(&event->random, sizeof(event->random), 0) != (ssize_t)sizeof(event->random))
        event->random = (uint32_t)event->now_ms;
    if (agent_step(device->agent, event, &device->actions) != Q_OK) {
        /* Actions are missing: the voter, left alone, casts NO. */
        log_line(LOG_CRIT, "Out of memory");
        abort();
    }
    for (size_t i = 0; i < device->actions.count; i++)
        carry_out(device, &device->actions.items[i]);
    agent_actions_reset(&device->actions);
}

static void on_timer(void *data)
{
    struct device *device = data;
    struct agent_event event = {.type = AGENT_EV_TIME};

    device->timer_at_ms = AGENT_NEVER;
    device_step(device, &event);
}

static void arm_timer(struct device *device)
{
    uint64_t at_ms = agent_deadline_ms(device->agent);
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t delay_ms;

    if (at_ms == device->timer_at_ms)
        return;
    if (device->timer_at_ms != AGENT_NEVER)
        qb_loop_timer_del(device->loop, device->timer);
    device->timer_at_ms = at_ms;
    if (at_ms == AGENT_NEVER)
        return;
    delay_ms = (at_ms > now_ms ? at_ms - now_ms : 0) + 1; /* libqb rounds down, and would come in vain */
    if (qb_loop_timer_add(device->loop, QB_LOOP_HIGH, delay_ms * NS_PER_MS, device, on_timer, &device->timer) != 0) {
        log_line(LOG_CRIT, "Cannot set a timer: out of memory");
        abort();
    }
}

enum agent_cast device_carried_out(const struct device *device, const struct agent_status *status)
{
    const struct voter_watch *voter = &device->voter;

    if (status->cast == AGENT_CAST_NOTHING && voter->report.sequence >= voter->command.sequence)
        return AGENT_CAST_NOTHING;
    return voter->report.accepted;
}

void device_step(struct device *device, struct agent_event *event)
{
    assert(!device->stepping);
    device->stepping = true;
    one_step(device, event);
    while (device->follow_up_count > 0) {
        struct device_follow_up next = device->follow_ups[0];
        struct agent_event late = {.type = next.type, .conn = next.conn};

        if (next.type == AGENT_EV_RESOLVED)
            late.u.resolved.text = next.text;
        else
            late.u.disconnected.text = next.text;
        device->follow_up_count--;
        memmove(device->follow_ups, device->follow_ups + 1, device->follow_up_count * sizeof(next));
        one_step(device, &late);
    }
    device->stepping = false;
    arm_timer(device);
}

/* ---- what is reported ---- */

static void on_link_event(void *context, struct agent_event *event)
{
    device_step(context, event);
}

static void on_heuristics(void *context, enum agent_run run, uint64_t sequence, enum wire_heuristics result)
{
    struct agent_event event = {.type = AGENT_EV_HEURISTICS, .u.heuristics = {run, sequence, result}};

    device_step(context, &event);
}

static bool is_other_child(void *context, pid_t pid)
{
    const struct device *device = context;

    return voter_watch_is_voter(&device->voter, pid) || pid == device->link.resolver.pid;
}

static void become_ready(struct device *device)
{
    if (device->ready)
        return;
    device->ready = true;
    notify_ready();
}

static void on_attached(void *context)
{
    struct device *device = context;

    device->attached = true;
    log_line(LOG_NOTICE, "Attached to the core");
}

static void on_lost(void *context, const char *why)
{
    struct device *device = context;
    struct agent_event event = {.type = AGENT_EV_CORE_LOST};

    device->attached = false;
    log_line(LOG_WARNING, "The core has gone: %s", why);
    if (device->configured)
        device_step(device, &event);
}

static void refuse_config(struct device *device, const char *err_text)
{
    if (device->configured) {
        log_line(LOG_ERR, "The new configuration is not taken, the former one stays: %s", err_text);
        return;
    }
    log_line(LOG_CRIT, "The configuration is not valid: %s", err_text);
    device->failed = true;
    qb_loop_stop(device->loop);
}

static void take_config(struct device *device, struct device_config *config)
{
    struct agent_event event = {.type = AGENT_EV_CONFIG};
    struct device_config former = device->config;

    config->agent.instance = device->instance;
    device->config = *config;
    event.u.config = &device->config.agent;
    if (config->warning[0] != '\0' && strcmp(config->warning, former.warning) != 0)
        log_line(LOG_WARNING, "%s", config->warning);
    log_set_debug(config->debug != DEVICE_DEBUG_OFF);
    if (heuristics_configure(device->heuristics, &config->heuristics) != Q_OK)
        log_line(LOG_ERR, "Out of memory: heuristics are incomplete");
    device->configured = true;
    device_step(device, &event);
    device_config_fini(&former);
    become_ready(device);
}

static void on_keys(void *context, const struct keys *keys)
{
    struct device *device = context;
    struct device_config config;
    char err_text[DEVICE_CONFIG_ERR_SIZE];

    if (device_config_parse(keys, &device->limits, &config, err_text) != Q_OK)
        refuse_config(device, err_text[0] != '\0' ? err_text : "out of memory");
    else
        take_config(device, &config);
}

static void on_nodelist(void *context, struct wire_ring_id ring_id, const uint32_t *members, uint32_t count)
{
    struct device *device = context;
    struct agent_event event = {.type = AGENT_EV_CORE_NODELIST, .u.nodelist = {ring_id, members, count}};

    if (device->configured)
        device_step(device, &event);
}

static void on_quorum(void *context, bool quorate, const struct wire_node_info *nodes, uint32_t count)
{
    struct device *device = context;
    struct agent_event event = {.type = AGENT_EV_CORE_QUORUM, .u.quorum = {quorate, nodes, count}};

    if (device->configured)
        device_step(device, &event);
}

static void on_expected_votes(void *context, uint32_t expected_votes)
{
    (void)context;
    log_line(LOG_DEBUG, "Expected votes: %u", expected_votes);
}

/* ---- signals ---- */

static int32_t on_stop_signal(int32_t signal_number, void *data)
{
    log_line(LOG_NOTICE, "Stopping: received signal %d (%s)", (int)signal_number, strsignal(signal_number));
    device_shut_down(data);
    return 0;
}

/* Told to by a signal, or because the files are others by now. */
static void reload(struct device *device)
{
    char text[DEVICE_ERR_SIZE];
    struct tls_credentials *fresh;

    fresh = credentials_open(device->settings, &device->stamp, text, sizeof(text));
    if (fresh != NULL) {
        tls_credentials_unref(device->credentials);
        device->credentials = fresh;
        log_line(LOG_NOTICE, "Reload: new connections use the certificates just read");
    } else {
        log_line(LOG_ERR, "Reload failed, the certificates read before stay in force: %s", text);
    }
}

static int32_t on_reload_signal(int32_t signal_number, void *data)
{
    (void)signal_number;
    notify_reloading();
    reload(data);
    notify_ready();
    return 0;
}

static enum q_err handle_signals(struct device *device)
{
    qb_loop_signal_handle handle;

    signal(SIGPIPE, SIG_IGN);
    if (qb_loop_signal_add(device->loop, QB_LOOP_HIGH, SIGTERM, device, on_stop_signal, &handle) != 0 ||
        qb_loop_signal_add(device->loop, QB_LOOP_HIGH, SIGINT, device, on_stop_signal, &handle) != 0 ||
        qb_loop_signal_add(device->loop, QB_LOOP_HIGH, SIGHUP, device, on_reload_signal, &handle) != 0)
        return Q_ERR_NO_MEMORY;
    return Q_OK;
}

/* ---- life ---- */

/* The helpers are forked before there are descriptors, signal handlers and a loop for them to inherit. */
static enum q_err start_helpers(struct device *device, char *err_text, size_t size)
{
    const struct settings *settings = device->settings;

    if (voter_watch_start(&device->voter, settings->votequorum_device_name, settings->daemon.lock_file) != Q_OK) {
        snprintf(err_text, size, "The voter cannot be started: %s", strerror(errno));
        return Q_ERR_IO;
    }
    if (heuristics_new(settings->heuristics_use_execvp, (uint32_t)settings->heuristics_max_processes,
                       &device->heuristics) != Q_OK) {
        snprintf(err_text, size, "The heuristics worker cannot be started: %s", strerror(errno));
        return Q_ERR_IO;
    }
    return Q_OK;
}

static enum q_err start_core(struct device *device, char *err_text, size_t size)
{
    static const struct core_handlers handlers = {.on_attached = on_attached,
                                                  .on_lost = on_lost,
                                                  .on_keys = on_keys,
                                                  .on_nodelist = on_nodelist,
                                                  .on_quorum = on_quorum,
                                                  .on_expected_votes = on_expected_votes};
    struct core_config config = {.loop = device->loop,
                                 .device_name = device->settings->votequorum_device_name,
                                 .master_wins = device->settings->master_wins == SETTINGS_MASTER_WINS_ON,
                                 .handlers = &handlers,
                                 .context = device};
    enum q_err err = core_new(&config, &device->core);

    if (err != Q_OK)
        snprintf(err_text, size, "Out of memory");
    return err;
}

enum q_err device_start(struct device *device, const struct settings *settings, char *err_text, size_t size)
{
    static const struct voter_watch_handlers voter_handlers = {.on_carried_out = on_carried_out,
                                                               .on_failed = on_voter_failed};
    static const struct heuristics_handlers heuristics_handlers = {.on_result = on_heuristics, .is_other_child = is_other_child};
    struct message_stream_limits limits = {.receive_size = settings->net_max_msg_receive_size,
                                           .queued_messages = (uint32_t)settings->net_max_send_buffers,
                                           .queued_bytes = settings->net_max_send_buffers *
                                                           settings->net_min_msg_send_size};
    enum q_err err;

    memset(device, 0, sizeof(*device));
    device->settings = settings;
    device->lock.fd = -1;
    device->voter.voter = (struct voter){-1, -1};
    device->timer_at_ms = AGENT_NEVER;
    agent_actions_init(&device->actions);
    settings_for_config(settings, &device->limits);
    err = start_helpers(device, err_text, size);
    if (err != Q_OK)
        return err;
    device->loop = qb_loop_create();
    device->agent = agent_new();
    if (device->loop == NULL || device->agent == NULL || handle_signals(device) != Q_OK ||
        getrandom(&device->instance, sizeof(device->instance), 0) != (ssize_t)sizeof(device->instance)) {
        snprintf(err_text, size, "Can't create the event loop");
        return Q_ERR_NO_MEMORY;
    }
    err = pid_lock_take(&device->lock, settings->daemon.lock_file, err_text, size);
    if (err != Q_OK)
        return err;
    arbiter_link_init(&device->link, device->loop, &limits, on_link_event, device);
    voter_watch_attach(&device->voter, device->loop, &voter_handlers, device);
    err = heuristics_attach(device->heuristics, device->loop, &heuristics_handlers, device);
    if (err != Q_OK)
        return err;
    err = control_open(device, &device->control, err_text, size);
    if (err != Q_OK)
        return err;
    return start_core(device, err_text, size);
}

static void on_second(void *data)
{
    struct device *device = data;
    qb_loop_timer_handle handle;

    log_flush();
    if (device->credentials != NULL && credentials_are_old(device->settings, &device->stamp))
        reload(device);
    qb_loop_timer_add(device->loop, QB_LOOP_LOW, 1000 * NS_PER_MS, device, on_second, &handle);
}

static void on_watchdog(void *data)
{
    struct device *device = data;
    qb_loop_timer_handle handle;

    notify_watchdog();
    qb_loop_timer_add(device->loop, QB_LOOP_LOW, notify_watchdog_interval_ms() * NS_PER_MS, device, on_watchdog, &handle);
}

int device_run(struct device *device)
{
    on_second(device);
    if (notify_watchdog_interval_ms() > 0)
        on_watchdog(device);
    if (!device->failed)
        qb_loop_run(device->loop);
    notify_stopping();
    return device->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

void device_shut_down(struct device *device)
{
    struct agent_event event = {.type = AGENT_EV_SHUTDOWN};

    if (device->configured && device->attached)
        device_step(device, &event);
    else
        qb_loop_stop(device->loop);
}

void device_stop(struct device *device)
{
    struct pid_lock_trace directory;

    control_server_free(device->control);
    if (device->link.loop != NULL)
        arbiter_link_fini(&device->link);
    core_free(device->core, true);
    voter_watch_stop(&device->voter, VOTER_END_MS);
    heuristics_free(device->heuristics);
    agent_free(device->agent);
    agent_actions_fini(&device->actions);
    device_config_fini(&device->config);
    tls_credentials_unref(device->credentials);
    if (device->lock.fd >= 0) {
        pid_lock_remove(&device->lock, &directory);
        pid_lock_release(&device->lock);
    }
    if (device->loop != NULL)
        qb_loop_destroy(device->loop);
}
