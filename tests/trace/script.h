/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The text of a trace file, cut into scenarios and lines; no meaning yet. A scenario begins with `== title`.
 * `#` begins a comment. A line is a command and what is expected of it behind `->`; expectations may go on in the
 * following lines, each of which begins with `->` again. The script owns its text; lines live as long as it does.
 */
#ifndef QUORATE_TESTS_TRACE_SCRIPT_H
#define QUORATE_TESTS_TRACE_SCRIPT_H

#include <stddef.h>

#define SCRIPT_WORDS_MAX 24
#define SCRIPT_TEXT_SIZE 512

struct script_line {
    const char *file;
    unsigned number;
    char command[SCRIPT_TEXT_SIZE];
    char expected[SCRIPT_TEXT_SIZE]; /* without the arrows; several separated by commas; "" if none */
    char text[SCRIPT_TEXT_SIZE];     /* storage of words */
    char *words[SCRIPT_WORDS_MAX];   /* of the command, cut at blanks, but not between braces */
    unsigned word_count;
};

struct script;

/* NULL if the file cannot be read or a line is too long; then a message went to standard output. */
struct script *script_read(const char *path);
void script_free(struct script *script);
unsigned script_scenario_count(const struct script *script);
const char *script_title(const struct script *script, unsigned scenario);
/* The lines of one scenario; *count says how many. */
struct script_line *script_lines(struct script *script, unsigned scenario, size_t *count);

#endif
