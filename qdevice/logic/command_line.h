/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A command line as the administrator writes it, cut into arguments. Pure. As in a shell: blanks separate, a newline ends,
 * backslash takes the next character literally, "..." groups and knows \" and \\, '...' groups and knows no escapes; an empty
 * pair of quotes is an empty argument. Nothing is expanded. An unterminated quote is an error, unlike in the packaged
 * device, which runs something else than what was meant. (spec/qdevice-daemon.md section 13, pain point 20.)
 */
#ifndef QUORATE_QDEVICE_LOGIC_COMMAND_LINE_H
#define QUORATE_QDEVICE_LOGIC_COMMAND_LINE_H

#include <stddef.h>

#include "common/err.h"

#define COMMAND_LINE_ARGUMENTS_MAX 1024

struct command_line {
    char *storage;
    char **arguments; /* ended by NULL, as for execv */
    size_t count;     /* at least 1 */
};

/* Q_ERR_INVALID: no word at all, an unterminated quote or a backslash at the end; Q_ERR_LIMIT; Q_ERR_NO_MEMORY. */
enum q_err command_line_parse(struct command_line *line, const char *text);
void command_line_fini(struct command_line *line);

#endif
