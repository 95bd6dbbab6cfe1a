/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of the core: the packaged daemon's options (spec/corosync-conf.md section 1), `-l` of its newest
 * version, and long names for all of them. Parsed once by main.
 */
#ifndef QUORATE_CORE_SETTINGS_H
#define QUORATE_CORE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* The key of the option that says so. */
enum settings_command { SETTINGS_RUN = 0, SETTINGS_TEST = 't', SETTINGS_SHOW_HELP = 'h', SETTINGS_SHOW_VERSION = 'v' };

struct settings {
    int command; /* enum settings_command */
    bool foreground;
    char *config_file; /* absolute, as the next: the daemon leaves the directory it is started in */
    char *lock_file;
};

/*
 * Q_ERR_INVALID: getopt has said on stderr what is wrong. Words behind the options are ignored, as they always were.
 * Q_ERR_NO_MEMORY. To be ended in every case.
 */
enum q_err settings_parse(struct settings *settings, int argc, char **argv);
void settings_fini(struct settings *settings);

const char *settings_usage(void);

#endif
