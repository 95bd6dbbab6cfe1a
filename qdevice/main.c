/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * corosync-qdevice: the device. Command line, start into the background, exit status (spec/qdevice-daemon.md section 2).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemonize.h"
#include "common/log.h"
#include "qdevice/device.h"
#include "qdevice/settings.h"

#define PROGRAM "corosync-qdevice"

static int run(const struct settings *settings)
{
    char err_text[DEVICE_ERR_SIZE] = "";
    struct device *device = malloc(sizeof(*device)); /* holds a decoded message: too large for the stack */
    int status = EXIT_FAILURE;

    if (device == NULL) {
        log_line(LOG_CRIT, "Out of memory");
        return EXIT_FAILURE;
    }
    if (device_start(device, settings, err_text, sizeof(err_text)) == Q_OK) {
        log_line(LOG_NOTICE, "Device %s started", PACKAGE_VERSION);
        if (!device->failed) {
            daemonize_completed();
            log_start_completed();
        }
        status = device_run(device);
    } else {
        log_line(LOG_CRIT, "%s", err_text);
    }
    device_stop(device);
    free(device);
    return status;
}

static int run_logged(const struct settings *settings)
{
    struct log_config log = {
        .ident = PROGRAM, .foreground = settings->daemon.foreground, .debug_count = settings->daemon.debug_count};
    int status;

    if (!settings->daemon.foreground && daemonize_begin() != Q_OK) {
        fprintf(stderr, PROGRAM ": can't fork: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    log_open(&log);
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
    } else if (settings.daemon.command == SETTINGS_SHOW_HELP) {
        fputs(settings_usage(), stdout);
    } else {
        status = run_logged(&settings);
    }
    settings_fini(&settings);
    return status;
}
