/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>

#define GUESS 128 /* most pieces fit, and need formatting only once */

void text_append(struct q_buf *buf, const char *format, ...)
{
    size_t room = GUESS;

    for (int i = 0; i < 2; i++) {
        uint8_t *into = q_buf_reserve(buf, room);
        va_list args;
        int length;

        if (into == NULL)
            return;
        va_start(args, format);
        length = vsnprintf((char *)into, room, format, args);
        va_end(args);
        if (length < 0) {
            buf->failed = true;
            return;
        }
        if ((size_t)length < room) {
            q_buf_commit(buf, (size_t)length);
            return;
        }
        room = (size_t)length + 1;
    }
}
