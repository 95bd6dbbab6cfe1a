/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/logic/command_line.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

static bool is_end(char c)
{
    return c == '\0' || c == '\n';
}

/* Copies what a quote at *from encloses; false: it is not closed. */
static bool copy_quoted(const char **from, char **to)
{
    char quote = *(*from)++;

    while (!is_end(**from) && **from != quote) {
        bool escape = quote == '"' && **from == '\\' && ((*from)[1] == '"' || (*from)[1] == '\\');

        *from += escape;
        *(*to)++ = *(*from)++;
    }
    if (**from != quote)
        return false;
    (*from)++;
    return true;
}

/* Copies one argument with its terminator; false: it is malformed. */
static bool copy_argument(const char **from, char **to)
{
    while (!is_end(**from) && !is_blank(**from)) {
        if (**from == '"' || **from == '\'') {
            if (!copy_quoted(from, to))
                return false;
            continue;
        }
        if (**from == '\\' && is_end(*++*from))
            return false;
        *(*to)++ = *(*from)++;
    }
    *(*to)++ = '\0';
    return true;
}

enum q_err command_line_parse(struct command_line *line, const char *text)
{
    enum q_err err = Q_ERR_INVALID;
    char *to;

    memset(line, 0, sizeof(*line));
    line->storage = malloc(strlen(text) + 1); /* never longer than the text: each argument is followed by something */
    line->arguments = calloc(COMMAND_LINE_ARGUMENTS_MAX + 1, sizeof(char *));
    if (line->storage == NULL || line->arguments == NULL) {
        command_line_fini(line);
        return Q_ERR_NO_MEMORY;
    }
    to = line->storage;
    for (;;) {
        while (is_blank(*text))
            text++;
        if (is_end(*text))
            break;
        if (line->count == COMMAND_LINE_ARGUMENTS_MAX) {
            err = Q_ERR_LIMIT;
            goto fail;
        }
        line->arguments[line->count++] = to;
        if (!copy_argument(&text, &to))
            goto fail;
    }
    if (line->count > 0 && line->arguments[0][0] != '\0')
        return Q_OK;
fail:
    command_line_fini(line);
    return err;
}

void command_line_fini(struct command_line *line)
{
    free(line->storage);
    free(line->arguments);
    memset(line, 0, sizeof(*line));
}
