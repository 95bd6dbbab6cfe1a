/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/settings.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option long_options[] = {{"config-file", required_argument, NULL, 'c'},
                                             {"foreground", no_argument, NULL, 'f'},
                                             {"lock-file", required_argument, NULL, 'l'},
                                             {"test", no_argument, NULL, 't'},
                                             {"version", no_argument, NULL, 'v'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

/* NULL without memory. */
static char *absolute_path(const char *path)
{
    char *directory, *absolute;

    directory = path[0] == '/' ? NULL : getcwd(NULL, 0);
    if (directory == NULL)
        return strdup(path);
    if (asprintf(&absolute, "%s/%s", directory, path) < 0)
        absolute = NULL;
    free(directory);
    return absolute;
}

enum q_err settings_parse(struct settings *settings, int argc, char **argv)
{
    const char *config_file = Q_CONFDIR "/corosync.conf";
    const char *lock_file = Q_RUNDIR "/corosync.pid";
    int option;

    *settings = (struct settings){.command = SETTINGS_RUN};
    optind = 0; /* glibc: begin anew, even after options that ended the last time early */
    while ((option = getopt_long(argc, argv, "c:fhl:tv", long_options, NULL)) != -1) {
        switch (option) {
        case 'c':
            config_file = optarg;
            break;
        case 'f':
            settings->foreground = true;
            break;
        case 'h':
            settings->command = SETTINGS_SHOW_HELP;
            return Q_OK;
        case 'l':
            lock_file = optarg;
            break;
        case 't':
            settings->command = SETTINGS_TEST;
            break;
        case 'v':
            settings->command = SETTINGS_SHOW_VERSION;
            return Q_OK;
        default:
            return Q_ERR_INVALID;
        }
    }
    settings->config_file = absolute_path(config_file);
    settings->lock_file = absolute_path(lock_file);
    return settings->config_file != NULL && settings->lock_file != NULL ? Q_OK : Q_ERR_NO_MEMORY;
}

void settings_fini(struct settings *settings)
{
    free(settings->config_file);
    free(settings->lock_file);
}

const char *settings_usage(void)
{
    return "usage: corosync-core [-ftvh] [-c config_file] [-l lock_file]\n"
           "  -c, --config-file FILE  configuration, default " Q_CONFDIR "/corosync.conf\n"
           "  -f, --foreground        stay in the foreground\n"
           "  -l, --lock-file FILE    process id, and lock against a second daemon, default " Q_RUNDIR
           "/corosync.pid\n"
           "  -t, --test              test the configuration and exit\n"
           "  -v, --version           version, crypto and compression models\n"
           "  -h, --help              this text\n";
}
