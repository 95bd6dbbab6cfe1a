/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * corosync-core: the membership core. Command line, start into the background, exit status (spec/corosync-conf.md section
 * 1).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemonize.h"
#include "core/daemon.h"
#include "core/logging.h"
#include "core/settings.h"

#define PROGRAM "corosync-core"
#define EXIT_FORK 4

static void show_names(const char *what, const char *const *names)
{
    printf("Available %s models:", what);
    for (size_t i = 0; names[i] != NULL; i++)
        printf(" %s", names[i]);
    printf("\n");
}

static void show_version(void)
{
    printf("Quorate membership core, version '%s'\n", PACKAGE_VERSION);
    printf("Compatible with Corosync Cluster Engine 3.1\n\n");
    show_names("crypto", node_plugins()->crypto_models);
    show_names("compression", node_plugins()->compression_models);
}

static int run(const struct settings *settings)
{
    struct daemon *daemon = malloc(sizeof(*daemon));
    int status;

    if (daemon == NULL)
        return EXIT_FAILURE;
    status = daemon_start(daemon, settings);
    if (status == 0) {
        logging_start_completed();
        daemonize_completed();
        status = daemon_run(daemon);
    }
    daemon_stop(daemon);
    free(daemon);
    return status;
}

static int run_logged(const struct settings *settings)
{
    int status;

    if (!settings->foreground && daemonize_begin() != Q_OK) {
        fprintf(stderr, PROGRAM ": can't fork: %s\n", strerror(errno));
        return EXIT_FORK;
    }
    logging_open(settings->foreground);
    status = run(settings);
    logging_close();
    return status;
}

int main(int argc, char **argv)
{
    struct settings settings;
    int status = EXIT_FAILURE;

    if (settings_parse(&settings, argc, argv) != Q_OK) {
        fputs(settings_usage(), stderr);
    } else {
        switch ((enum settings_command)settings.command) {
        case SETTINGS_SHOW_HELP:
            fputs(settings_usage(), stdout);
            status = EXIT_SUCCESS;
            break;
        case SETTINGS_SHOW_VERSION:
            show_version();
            status = EXIT_SUCCESS;
            break;
        case SETTINGS_TEST:
            status = daemon_test_configuration(&settings);
            break;
        case SETTINGS_RUN:
            status = run_logged(&settings);
            break;
        }
    }
    settings_fini(&settings);
    return status;
}
