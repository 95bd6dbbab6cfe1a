/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/notify.h"
#include "qnetd/control.h"
#include "qnetd/listener.h"
#include "qnetd/logic/lease.h"

#define MS_TO_NS UINT64_C(1000000)
#define LOG_FLUSH_MS 1000
#define DAY_MS UINT64_C(86400000)

/* ---- ticks and signals ------------------------------------------------------------------------------------ */

static void every(struct daemon *daemon, uint64_t interval_ms, qb_loop_timer_dispatch_fn on_tick)
{
    qb_loop_timer_handle handle;

    if (qb_loop_timer_add(daemon->loop, QB_LOOP_HIGH, interval_ms * MS_TO_NS, daemon, on_tick, &handle) != 0)
        log_line(LOG_ERR, "Cannot set a timer: out of memory");
}

/* Told to by a signal, or because the files are others by now. */
static void reload(struct daemon *daemon)
{
    identity_reload(&daemon->identity, daemon->settings);
    enrolment_renew(&daemon->enrolment);
    revocation_reload(&daemon->revoked);
}

static void on_state_tick(void *data)
{
    struct daemon *daemon = data;

    state_dir_touch(&daemon->state);
    server_tidy(&daemon->server);
    if (identity_is_old(&daemon->identity, daemon->settings))
        reload(daemon);
    enrolment_tidy(&daemon->enrolment);
    every(daemon, STATE_DIR_TOUCH_MS, on_state_tick);
}

static void on_log_tick(void *data)
{
    struct daemon *daemon = data;

    log_flush();
    every(daemon, LOG_FLUSH_MS, on_log_tick);
}

static void on_day(void *data)
{
    struct daemon *daemon = data;

    identity_warn_of_expiry(&daemon->identity);
    every(daemon, DAY_MS, on_day);
}

static void on_watchdog_tick(void *data)
{
    struct daemon *daemon = data;

    notify_watchdog();
    every(daemon, daemon->watchdog_ms, on_watchdog_tick);
}

static int32_t on_stop_signal(int32_t signal_number, void *data)
{
    log_line(LOG_NOTICE, "Stopping: received signal %d (%s)", (int)signal_number, strsignal(signal_number));
    daemon_quit(data);
    return 0;
}

static int32_t on_reload_signal(int32_t signal_number, void *data)
{
    struct daemon *daemon = data;

    (void)signal_number;
    notify_reloading();
    reload(daemon);
    notify_ready();
    return 0;
}

static enum q_err handle_signals(struct daemon *daemon)
{
    qb_loop_signal_handle handle;

    signal(SIGPIPE, SIG_IGN);
    if (qb_loop_signal_add(daemon->loop, QB_LOOP_HIGH, SIGTERM, daemon, on_stop_signal, &handle) != 0 ||
        qb_loop_signal_add(daemon->loop, QB_LOOP_HIGH, SIGINT, daemon, on_stop_signal, &handle) != 0 ||
        qb_loop_signal_add(daemon->loop, QB_LOOP_HIGH, SIGHUP, daemon, on_reload_signal, &handle) != 0)
        return Q_ERR_NO_MEMORY;
    return Q_OK;
}

/* ---- start ------------------------------------------------------------------------------------------------ */

static void on_restored_record(void *context, const struct grant_record *record)
{
    struct arbiter_event event = {.type = ARBITER_EV_RESTORE};

    event.u.record = record;
    server_step(context, &event);
}

static void restore(struct daemon *daemon)
{
    struct arbiter_event event = {.type = ARBITER_EV_RESTORED};

    state_dir_restore(&daemon->state, on_restored_record, &daemon->server);
    event.u.restored.complete = daemon->state.unknown_since_ms == 0;
    if (event.u.restored.complete)
        log_line(LOG_INFO, "The votes given before the restart are known");
    else
        log_line(LOG_NOTICE,
                 "Votes given by an earlier arbiter are not known for certain (%s): exclusive votes "
                 "are withheld until such must have ended",
                 daemon->state.start_reason);
    server_step(&daemon->server, &event);
    state_dir_touch(&daemon->state);
}

static enum q_err start_server(struct daemon *daemon, char *err_text, size_t size)
{
    /* Caution is counted from the moment since which every vote is known. */
    uint64_t start_ms =
        daemon->state.unknown_since_ms != 0 ? daemon->state.unknown_since_ms : clock_monotonic_ms();
    struct arbiter_settings logic;
    struct server_parts parts = {
        .loop = daemon->loop,
        .settings = daemon->settings,
        .identity = &daemon->identity,
        .enrolment = &daemon->enrolment,
        .revoked = &daemon->revoked,
        .state = &daemon->state,
        .decisions = &daemon->decisions,
    };
    enum q_err err;

    settings_for_arbiter(daemon->settings, &logic);
    daemon->arbiter = arbiter_new(&logic, start_ms);
    if (daemon->arbiter == NULL) {
        snprintf(err_text, size, "Out of memory");
        return Q_ERR_NO_MEMORY;
    }
    parts.arbiter = daemon->arbiter;
    err = listener_open(daemon->settings, &parts.listener_fd, err_text, size);
    if (err != Q_OK)
        return err;
    daemon->server_started = true;
    return server_init(&daemon->server, &parts, err_text, size);
}

/*
 * No vote lasts longer than 9/4 of the longest heartbeat interval, plus margins (qnetd/logic/lease.h). An arbiter before us may
 * have allowed the packaged device its default even if we do not.
 */
static uint64_t longest_vote_ms(const struct settings *settings)
{
    uint64_t heartbeat_ms = settings->heartbeat_interval_max;

    if (heartbeat_ms < LEASE_PACKAGED_HEARTBEAT_DEFAULT_MS)
        heartbeat_ms = LEASE_PACKAGED_HEARTBEAT_DEFAULT_MS;
    return heartbeat_ms * 5 / 2 + settings->lease_margin;
}

static void warn_of_looseness(const struct settings *settings)
{
    if (settings->tls == (int)WIRE_TLS_UNSUPPORTED)
        log_line(LOG_WARNING, "TLS is off (-s off): anybody who reaches the port can vote for any cluster");
    else if (settings->tls == (int)WIRE_TLS_SUPPORTED)
        log_line(LOG_WARNING, "TLS is not required (-s on): clients in plain text are not authenticated");
    if (settings->tls != (int)WIRE_TLS_UNSUPPORTED && !settings->client_cert_required)
        log_line(LOG_WARNING, "Client certificates are not required (-c off): clients are not authenticated");
    if (settings->vote_lease == SETTINGS_LEASE_PACKAGED)
        log_line(LOG_WARNING,
                 "vote_lease=packaged: two halves can both be quorate for seconds; use it only with "
                 "fencing");
}

static void on_revocations(void *data)
{
    struct daemon *daemon = data;

    server_drop_revoked(&daemon->server);
}

enum q_err daemon_start(struct daemon *daemon, const struct settings *settings, char *err_text, size_t size)
{
    enum q_err err;

    memset(daemon, 0, sizeof(*daemon));
    daemon->settings = settings;
    daemon->lock.fd = -1;
    daemon->enrolment.channel = -1;
    daemon->revoked.fd = -1;
    daemon->state = (struct state_dir){.fd = -1, .marker_fd = -1};
    daemon->started_wall_ms = clock_wall_ms();
    decisions_init(&daemon->decisions);

    daemon->loop = qb_loop_create();
    if (daemon->loop == NULL || handle_signals(daemon) != Q_OK) {
        snprintf(err_text, size, "Can't create the event loop");
        return Q_ERR_NO_MEMORY;
    }
    enrolment_init(&daemon->enrolment, daemon->loop, settings);
    err = pid_lock_take(&daemon->lock, settings->daemon.lock_file, err_text, size);
    if (err != Q_OK)
        return err;
    err = identity_open(&daemon->identity, settings, err_text, size);
    if (err != Q_OK)
        return err;
    state_dir_open(&daemon->state, settings->state_dir, &daemon->lock, longest_vote_ms(settings),
                   settings->vote_lease == SETTINGS_LEASE_STRICT);
    if (settings->tls != (int)WIRE_TLS_UNSUPPORTED)
        revocation_open(&daemon->revoked, daemon->loop, settings, on_revocations, daemon);
    err = start_server(daemon, err_text, size);
    if (err != Q_OK)
        return err;
    err = control_open(daemon, &daemon->control, err_text, size);
    if (err != Q_OK)
        return err;
    /* Last, since from here on the earlier arbiter's state is ours. */
    restore(daemon);
    warn_of_looseness(settings);
    return Q_OK;
}

/* ---- run and stop ----------------------------------------------------------------------------------------- */

void daemon_run(struct daemon *daemon)
{
    every(daemon, STATE_DIR_TOUCH_MS, on_state_tick);
    every(daemon, LOG_FLUSH_MS, on_log_tick);
    every(daemon, DAY_MS, on_day);
    daemon->watchdog_ms = notify_watchdog_interval_ms();
    if (daemon->watchdog_ms > 0)
        on_watchdog_tick(daemon);
    notify_ready();
    qb_loop_run(daemon->loop);
    notify_stopping();
}

void daemon_quit(struct daemon *daemon)
{
    qb_loop_stop(daemon->loop);
}

void daemon_stop(struct daemon *daemon)
{
    struct pid_lock_trace lock_directory;

    control_server_free(daemon->control);
    enrolment_fini(&daemon->enrolment);
    revocation_close(&daemon->revoked);
    if (daemon->server_started)
        server_fini(&daemon->server);
    arbiter_free(daemon->arbiter);
    identity_close(&daemon->identity);
    decisions_fini(&daemon->decisions);
    pid_lock_remove(&daemon->lock, &lock_directory);
    state_dir_close(&daemon->state, &lock_directory);
    pid_lock_release(&daemon->lock);
    if (daemon->loop != NULL)
        qb_loop_destroy(daemon->loop);
}
