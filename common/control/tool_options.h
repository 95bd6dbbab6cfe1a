/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Option values that both tools take. A value that is none is complained about on stderr. Used by the tools only.
 */
#ifndef QUORATE_COMMON_CONTROL_TOOL_OPTIONS_H
#define QUORATE_COMMON_CONTROL_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* --format=text|json */
bool tool_parse_format(const char *program, const char *text, bool *json);

/* A number of seconds, 0.1 to 86400, for the option --NAME. */
bool tool_parse_seconds(const char *program, const char *name, const char *text, uint64_t *milliseconds);

#endif
