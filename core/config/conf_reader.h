/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The grammar of corosync.conf (spec/corosync-conf.md section 2): from text to sections and keys, line by line, with
 * what is wrong about a line. Pure. The text is the caller's and stays where it is; name and value live until the next
 * step. After an error reading goes on with what was most likely meant, so that one slip is one finding.
 */
#ifndef QUORATE_CORE_CONFIG_CONF_READER_H
#define QUORATE_CORE_CONFIG_CONF_READER_H

#include <stddef.h>
#include <stdint.h>

#define CONF_LINE_MAX 510 /* without its newline */

enum conf_event {
    CONF_EVENT_SECTION, /* name */
    CONF_EVENT_END,     /* of the innermost section */
    CONF_EVENT_KEY,     /* name and value */
    CONF_EVENT_ERROR,   /* error and advice */
    CONF_EVENT_END_OF_TEXT
};

struct conf_reader {
    const char *next, *end;
    uint32_t line; /* of what was read last, from 1; 0 before */
    uint32_t depth;
    enum conf_event pending; /* what follows the error; CONF_EVENT_ERROR: nothing */
    char name[CONF_LINE_MAX + 1];
    char value[CONF_LINE_MAX + 1];
    const char *error, *advice;
};

void conf_reader_init(struct conf_reader *reader, const void *text, size_t size);
/* Sections and ends are always balanced; at the end of the text nothing is open. */
enum conf_event conf_reader_next(struct conf_reader *reader);

#endif
