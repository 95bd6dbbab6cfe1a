/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/program_options.h"

/* The words of the command line, before they become paths. */
struct call {
    int command;
    bool foreground;
    const char *config_file;
    const char *lock_file;
};

static const struct program_option options[] = {
    {'c', "config-file", .has_argument = true, .text = offsetof(struct call, config_file)},
    {'f', "foreground", .flag = offsetof(struct call, foreground)},
    {'l', "lock-file", .has_argument = true, .text = offsetof(struct call, lock_file)},
    {SETTINGS_TEST, "test", .is_operation = true},
    {SETTINGS_SHOW_VERSION, "version", .is_operation = true, .ends = true},
    {SETTINGS_SHOW_HELP, "help", .is_operation = true, .ends = true},
};

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
    const struct program_options line = {
        .own = options, .own_count = sizeof(options) / sizeof(options[0]), .operation = offsetof(struct call, command)};
    struct call call = {.command = SETTINGS_RUN,
                        .config_file = Q_CONFDIR "/corosync.conf",
                        .lock_file = Q_RUNDIR "/corosync.pid"};
    struct program_result result;
    enum program_outcome outcome = program_options_read(&line, &call, argc, argv, 0, &result);

    *settings = (struct settings){.command = call.command, .foreground = call.foreground};
    if (outcome == PROGRAM_ENDED)
        return Q_OK;
    if (outcome != PROGRAM_READ)
        return Q_ERR_INVALID;
    settings->config_file = absolute_path(call.config_file);
    settings->lock_file = absolute_path(call.lock_file);
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
