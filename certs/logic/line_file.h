/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A list of the arbiter's as the text of a file: a first line with kind and version, a line for each entry, and "end", by which a
 * file that was cut is told from a whole one. Pure, stateless. Used by cluster_register.c and revocations.c.
 */
#ifndef QUORATE_CERTS_LOGIC_LINE_FILE_H
#define QUORATE_CERTS_LOGIC_LINE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define LINE_FILE_END "end\n"
/* Longer than any line of those lists, with the end of a text. */
#define LINE_FILE_LINE_SIZE 1024

/*
 * Shows `take` each entry in its order, terminated and without the end of the line; what it returns, if not Q_OK, ends this and is
 * returned. `head`: the whole first line. Q_ERR_INVALID: it begins or ends otherwise, or a line is too long or holds a zero.
 */
enum q_err line_file_each(const uint8_t *bytes, size_t size, const char *head, enum q_err (*take)(void *context, const char *line),
                          void *context);

#endif
