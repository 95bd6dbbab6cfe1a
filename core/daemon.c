/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/notify.h"
#include "core/config/config_start.h"
#include "core/logging.h"
#include "core/node_internal.h"
#include "core/scheduling.h"

#define MS_TO_NS UINT64_C(1000000)
#define LOG_FLUSH_MS 5000 /* the next line flushes too */
#define WHY_SIZE 1024

/* Of the packaged daemon (spec/corosync-conf.md section 1), as those of configurations in conf_report.h. */
#define EXIT_LOGGING 9
#define EXIT_STATE_DIRECTORY 16
#define EXIT_LOCK 17
#define EXIT_RUNNING 18

/* ---- ticks and signals ------------------------------------------------------------------------------------- */

static void every(struct daemon *daemon, uint64_t interval_ms, qb_loop_timer_dispatch_fn on_tick)
{
    qb_loop_timer_handle handle;

    if (qb_loop_timer_add(daemon->loop, QB_LOOP_MED, interval_ms * MS_TO_NS, daemon, on_tick, &handle) != 0)
        logging_line(LOGGING_MAIN, LOG_ERR, "Cannot set a timer: out of memory");
}

static void on_log_tick(void *data)
{
    logging_flush();
    every(data, LOG_FLUSH_MS, on_log_tick);
}

static void on_watchdog_tick(void *data)
{
    struct daemon *daemon = data;

    notify_watchdog();
    every(daemon, daemon->watchdog_ms, on_watchdog_tick);
}

static int32_t on_stop_signal(int32_t signal_number, void *data)
{
    struct daemon *daemon = data;

    logging_line(LOGGING_MAIN, LOG_NOTICE, "Stopping: received signal %d (%s)", (int)signal_number,
                 strsignal(signal_number));
    notify_stopping();
    node_shut_down(&daemon->node);
    return 0;
}

/* Where the packaged daemon dies of it. */
static int32_t on_reopen_signal(int32_t signal_number, void *data)
{
    (void)signal_number;
    (void)data;
    (void)logging_reopen();
    return 0;
}

static bool handle_signals(struct daemon *daemon)
{
    qb_loop_signal_handle handle;

    signal(SIGPIPE, SIG_IGN);
    return qb_loop_signal_add(daemon->loop, QB_LOOP_HIGH, SIGTERM, daemon, on_stop_signal, &handle) == 0 &&
           qb_loop_signal_add(daemon->loop, QB_LOOP_HIGH, SIGINT, daemon, on_stop_signal, &handle) == 0 &&
           qb_loop_signal_add(daemon->loop, QB_LOOP_HIGH, SIGQUIT, daemon, on_stop_signal, &handle) == 0 &&
           qb_loop_signal_add(daemon->loop, QB_LOOP_HIGH, SIGHUP, daemon, on_reopen_signal, &handle) == 0;
}

/* ---- start ------------------------------------------------------------------------------------------------- */

static int fail(int status, const char *why)
{
    logging_line(LOGGING_MAIN, LOG_CRIT, "%s", why);
    return status;
}

/* Of memory errors there is no report. */
static int exit_status_of(const struct config_loaded *loaded)
{
    int status = conf_report_exit_status(&loaded->report);

    return status != 0 ? status : NODE_EXIT_FATAL;
}

static int read_configuration(const struct settings *settings, struct config_loaded *loaded)
{
    char why[WHY_SIZE];
    enum q_err err = config_load(loaded, settings->config_file, node_plugins());

    if (err == Q_OK)
        config_start_check(&loaded->config, &loaded->map, &loaded->report);
    if (err != Q_OK || loaded->report.error_count > 0) {
        node_log_findings(&loaded->report);
        return exit_status_of(loaded);
    }
    if (logging_configure(&loaded->config.logging, why, sizeof(why)) != Q_OK)
        return fail(EXIT_LOGGING, why);
    logging_line(LOGGING_MAIN, LOG_NOTICE, "Quorate membership core %s starting up", PACKAGE_VERSION);
    node_log_findings(&loaded->report); /* warnings */
    if (chdir(loaded->config.system.state_dir) == 0)
        return 0;
    snprintf(why, sizeof(why), "Cannot chdir to state directory %s. %s", loaded->config.system.state_dir,
             strerror(errno));
    return fail(EXIT_STATE_DIRECTORY, why);
}

static int take_lock(struct daemon *daemon)
{
    char why[WHY_SIZE];
    enum q_err err = pid_lock_take(&daemon->lock, daemon->settings->lock_file, why, sizeof(why));

    if (err == Q_OK)
        return 0;
    return fail(err == Q_ERR_BUSY ? EXIT_RUNNING : EXIT_LOCK, why);
}

int daemon_start(struct daemon *daemon, const struct settings *settings)
{
    struct config_loaded *loaded = malloc(sizeof(*loaded));
    char why[WHY_SIZE] = "";
    int status;

    *daemon = (struct daemon){.settings = settings, .lock.fd = -1};
    if (loaded == NULL)
        return fail(NODE_EXIT_FATAL, "Out of memory");
    status = read_configuration(settings, loaded);
    if (status == 0) {
        scheduling_apply(&loaded->config.system);
        scheduling_lock_memory();
        status = take_lock(daemon);
    }
    if (status == 0) {
        daemon->loop = qb_loop_create();
        if (daemon->loop == NULL || !handle_signals(daemon))
            status = fail(NODE_EXIT_FATAL, "Can't create the event loop");
    }
    if (status != 0) {
        config_loaded_fini(loaded);
        free(loaded);
        return status;
    }
    daemon->node_started = true;
    if (node_start(&daemon->node, daemon->loop, loaded, settings->config_file, why, sizeof(why)) != Q_OK)
        return fail(daemon->node.exit_status, why);
    return 0;
}

/* ---- run and stop ------------------------------------------------------------------------------------------ */

int daemon_run(struct daemon *daemon)
{
    every(daemon, LOG_FLUSH_MS, on_log_tick);
    daemon->watchdog_ms = notify_watchdog_interval_ms();
    if (daemon->watchdog_ms > 0)
        on_watchdog_tick(daemon);
    node_run(&daemon->node);
    qb_loop_run(daemon->loop);
    logging_line(LOGGING_MAIN, LOG_NOTICE, "The ring has been left in order: ending");
    return daemon->node.exit_status;
}

void daemon_stop(struct daemon *daemon)
{
    struct pid_lock_trace lock_directory;

    if (daemon->node_started)
        node_stop(&daemon->node);
    pid_lock_remove(&daemon->lock, &lock_directory);
    pid_lock_release(&daemon->lock);
    if (daemon->loop != NULL)
        qb_loop_destroy(daemon->loop);
}

/* ---- -t ---------------------------------------------------------------------------------------------------- */

int daemon_test_configuration(const struct settings *settings)
{
    struct config_loaded *loaded = malloc(sizeof(*loaded));
    enum q_err err;
    int status;

    if (loaded == NULL)
        return NODE_EXIT_FATAL;
    err = config_load(loaded, settings->config_file, node_plugins());
    for (size_t i = 0; i < loaded->report.count; i++) {
        char text[CONF_FINDING_TEXT_SIZE];

        conf_finding_text(&loaded->report.items[i], text, sizeof(text));
        fprintf(stderr, "%s%s\n", loaded->report.items[i].severity == CONF_WARNING ? "warning: " : "", text);
    }
    status = err == Q_OK ? 0 : exit_status_of(loaded);
    config_loaded_fini(loaded);
    free(loaded);
    return status;
}
