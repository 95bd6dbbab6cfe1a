/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/line_file.h"

#include <string.h>

static enum q_err take_one(const char *at, size_t length, enum q_err (*take)(void *context, const char *line), void *context)
{
    char line[LINE_FILE_LINE_SIZE];

    if (length >= sizeof(line) || memchr(at, '\0', length) != NULL)
        return Q_ERR_INVALID;
    memcpy(line, at, length);
    line[length] = '\0';
    return take(context, line);
}

enum q_err line_file_each(const uint8_t *bytes, size_t size, const char *head, enum q_err (*take)(void *context, const char *line),
                          void *context)
{
    const char *at = (const char *)bytes, *end = at + size;

    if (size < strlen(head) + strlen(LINE_FILE_END) || memcmp(at, head, strlen(head)) != 0)
        return Q_ERR_INVALID;
    at += strlen(head);
    while ((size_t)(end - at) != strlen(LINE_FILE_END) || memcmp(at, LINE_FILE_END, strlen(LINE_FILE_END)) != 0) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        enum q_err err = newline == NULL ? Q_ERR_INVALID : take_one(at, (size_t)(newline - at), take, context);

        if (err != Q_OK)
            return err;
        at = newline + 1;
    }
    return Q_OK;
}
