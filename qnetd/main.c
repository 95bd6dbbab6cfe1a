/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * corosync-qnetd: the arbiter. Command line, start into the background, exit status (spec/tools.md section 6).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemonize.h"
#include "common/log.h"
#include "common/tls/memory.h"
#include "common/wire/wire.h"
#include "common/protocol_text.h"
#include "qnetd/daemon.h"
#include "qnetd/settings.h"

#define PROGRAM "corosync-qnetd"

static void show_version(void)
{
    printf("Corosync Qdevice Network Daemon, version '%s'\n\n", PACKAGE_VERSION);
    printf("Supported algorithms: ");
    for (uint32_t i = 0; i < WIRE_ALGORITHM_COUNT; i++)
        printf("%s%s (%u)", i == 0 ? "" : ", ", algorithm_text(i), (unsigned)i);
    printf("\nSupported message types: ");
    for (unsigned i = 0; i < WIRE_TYPE_COUNT; i++)
        printf("%s%s (%u)", i == 0 ? "" : ", ", message_type_text((enum wire_type)i), i);
    printf("\n");
}

static int run(const struct settings *settings)
{
    char err_text[DAEMON_ERR_SIZE] = "";
    struct daemon *daemon = malloc(sizeof(*daemon)); /* holds a decoded message: too large for the stack */
    enum q_err err;

    if (daemon == NULL) {
        log_line(LOG_CRIT, "Out of memory");
        return EXIT_FAILURE;
    }
    if (!tls_memory_init())
        log_line(LOG_DEBUG, "OpenSSL uses the ordinary heap: connections will take more memory");
    err = daemon_start(daemon, settings, err_text, sizeof(err_text));
    if (err == Q_OK) {
        log_line(LOG_NOTICE, "Arbiter %s started", PACKAGE_VERSION);
        daemonize_completed();
        log_start_completed();
        daemon_run(daemon);
    } else {
        log_line(LOG_CRIT, "%s", err_text);
    }
    daemon_stop(daemon);
    free(daemon);
    return err == Q_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_logged(const struct settings *settings, const char *warning)
{
    struct log_config log = {
        .ident = PROGRAM, .foreground = settings->daemon.foreground, .debug_count = settings->daemon.debug_count};
    int status;

    if (!settings->daemon.foreground && daemonize_begin() != Q_OK) {
        fprintf(stderr, PROGRAM ": can't fork: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    log_open(&log);
    if (warning[0] != '\0')
        log_line(LOG_WARNING, "%s", warning);
    status = run(settings);
    log_close();
    return status;
}

int main(int argc, char **argv)
{
    struct settings settings;
    char err_text[SETTINGS_ERR_SIZE];
    int status = EXIT_SUCCESS;

    if (settings_parse(&settings, argc, argv, err_text, sizeof(err_text)) != Q_OK) {
        if (err_text[0] != '\0')
            fprintf(stderr, PROGRAM ": %s\n", err_text);
        fputs(settings_usage(), stderr);
        status = EXIT_FAILURE;
    } else {
        switch ((enum settings_command)settings.daemon.command) {
        case SETTINGS_SHOW_HELP:
            fputs(settings_usage(), stdout);
            break;
        case SETTINGS_SHOW_VERSION:
            show_version();
            break;
        case SETTINGS_RUN:
            status = run_logged(&settings, err_text);
            break;
        }
    }
    settings_fini(&settings);
    return status;
}
