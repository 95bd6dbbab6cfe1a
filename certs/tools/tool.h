/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two certificate tools share: words and exit statuses of the packaged scripts (certificates.md 3 and 4), which front
 * ends know, the choice of the store, and reading the files that are named to them. Steps and "stored in" lines go to standard
 * output, everything that failed to standard error.
 */
#ifndef QUORATE_CERTS_TOOL_H
#define QUORATE_CERTS_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/failure.h"

/* Exit statuses. The first three are the packaged scripts'; so are the last two, which come from the tools they run. */
#define TOOL_OK 0
#define TOOL_FAILED 1   /* the environment, a store that is (not) there, an option that is none */
#define TOOL_ARGUMENT 2 /* a file that cannot be opened, a name that is missing or cannot be */
#define TOOL_CONTENT 3  /* a file that is not what it should be */
#define TOOL_NOT_PKCS12 18
#define TOOL_NOT_AUTHORITY 255

/* Once at the start of main: nothing is ever created for others to see; output appears line by line. */
void tool_init(void);

/* A step, on standard output. */
void tool_say(const char *step);

/* Says what failed; returns `status`, so that "return tool_fail(...)" reads well. */
int tool_fail(const struct certs_failure *why, int status);
int tool_fail_text(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "LABEL stored in PATH", the line from which front ends take the path. */
void tool_stored(const char *label, const char *path);

/* What getopt_long did not accept (it must have been told to be silent); returns the status to end with. */
int tool_bad_option(int result, int letter, const char *word);

/* The file of option -c, at most CERTS_FILE_SIZE_MAX bytes; false: said why. Free *bytes. */
bool tool_read_file(const char *path, char **bytes, size_t *size);

/* Whether -n was given and can be a cluster's name; if not, says why. */
bool tool_check_name(const char *name);

/* A whole number of days, 1 to 36525; if it is none, says so. */
bool tool_parse_days(const char *text, int64_t *seconds);

#endif
