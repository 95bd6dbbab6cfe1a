/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/config/conf_reader.h"

#include <stdbool.h>
#include <string.h>

#define NOTHING CONF_EVENT_ERROR

void conf_reader_init(struct conf_reader *reader, const void *text, size_t size)
{
    *reader = (struct conf_reader){.next = text, .end = (const char *)text + size, .pending = NOTHING};
}

/* An error, and what is taken to stand there. */
static enum conf_event fail(struct conf_reader *reader, enum conf_event pending, const char *error,
                            const char *advice)
{
    reader->pending = pending;
    reader->error = error;
    reader->advice = advice;
    return CONF_EVENT_ERROR;
}

static enum conf_event enter(struct conf_reader *reader, enum conf_event event)
{
    if (event == CONF_EVENT_SECTION)
        reader->depth++;
    if (event == CONF_EVENT_END)
        reader->depth--;
    return event;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* text[0..size-1] without blanks around it, as `to`; what else may stand at its end is `also`. */
static void copy_trimmed(char *to, const char *text, size_t size, char also)
{
    while (size > 0 && is_blank(text[0])) {
        text++;
        size--;
    }
    while (size > 0 && (is_blank(text[size - 1]) || (also != '\0' && text[size - 1] == also)))
        size--;
    memcpy(to, text, size);
    to[size] = '\0';
}

static enum conf_event read_section(struct conf_reader *reader, const char *line, const char *bracket)
{
    if (bracket == line) {
        reader->name[0] = '\0';
        return fail(reader, CONF_EVENT_SECTION, "Missing section name before opening bracket '{'",
                    "write the section's name before the bracket");
    }
    copy_trimmed(reader->name, line, (size_t)(bracket - line), ':');
    if (reader->name[0] == '\0')
        strcpy(reader->name, ":"); /* as the packaged daemon has it */
    if (bracket[1] != '\0')
        return fail(
            reader, strchr(bracket, '}') == NULL ? CONF_EVENT_SECTION : NOTHING,
            "Extra characters after opening bracket '{'",
            "nothing may follow the bracket in its line, not even a comment; a value cannot contain one");
    return enter(reader, CONF_EVENT_SECTION);
}

static enum conf_event read_key(struct conf_reader *reader, const char *line, const char *colon)
{
    copy_trimmed(reader->name, line, (size_t)(colon - line), '\0');
    if (reader->name[0] == '\0')
        strcpy(reader->name, ":");
    copy_trimmed(reader->value, colon + 1, strlen(colon + 1), '\0');
    return CONF_EVENT_KEY;
}

static enum conf_event read_end(struct conf_reader *reader, const char *line)
{
    if (strcmp(line, "}") != 0)
        return fail(reader, reader->depth > 0 ? CONF_EVENT_END : NOTHING,
                    "Extra characters before or after closing bracket '}'",
                    "put the bracket on a line of its own");
    if (reader->depth == 0)
        return fail(reader, NOTHING, "Unexpected closing brace",
                    "no section is open here; a bracket before this one is one too many");
    return enter(reader, CONF_EVENT_END);
}

/* The next line into `line`, trimmed. False: it cannot be used, the error is set. */
static bool read_line(struct conf_reader *reader, char line[CONF_LINE_MAX + 1])
{
    const char *newline = memchr(reader->next, '\n', (size_t)(reader->end - reader->next));
    const char *stop = newline == NULL ? reader->end : newline;
    const char *start = reader->next;
    size_t size = (size_t)(stop - start);

    reader->next = newline == NULL ? reader->end : newline + 1;
    reader->line++;
    if (size > CONF_LINE_MAX) {
        fail(reader, NOTHING, "Line too long", "a line, a comment too, may have 510 characters");
        return false;
    }
    if (memchr(start, '\0', size) != NULL) {
        fail(reader, NOTHING, "Line contains a NUL byte", "the file must be plain text");
        return false;
    }
    while (size > 0 && (is_blank(start[size - 1]) || start[size - 1] == '\r'))
        size--;
    copy_trimmed(line, start, size, '\0');
    return true;
}

static enum conf_event read_end_of_text(struct conf_reader *reader)
{
    if (reader->depth == 0)
        return CONF_EVENT_END_OF_TEXT;
    if (reader->error == NULL || strcmp(reader->error, "Missing closing brace") != 0)
        return fail(reader, NOTHING, "Missing closing brace", "a section that was opened is never closed");
    return enter(reader, CONF_EVENT_END);
}

enum conf_event conf_reader_next(struct conf_reader *reader)
{
    char line[CONF_LINE_MAX + 1];
    const char *found;

    if (reader->pending != NOTHING) {
        enum conf_event event = reader->pending;
        reader->pending = NOTHING;
        return enter(reader, event);
    }
    do {
        if (reader->next == reader->end)
            return read_end_of_text(reader);
        if (!read_line(reader, line))
            return CONF_EVENT_ERROR;
    } while (line[0] == '\0' || line[0] == '#');
    found = strchr(line, '{');
    if (found != NULL)
        return read_section(reader, line, found);
    found = strchr(line, ':');
    if (found != NULL)
        return read_key(reader, line, found);
    if (strchr(line, '}') != NULL)
        return read_end(reader, line);
    return fail(reader, NOTHING, "Line is not opening or closing section or key value",
                "write \"key: value\", \"section {\" or \"}\"");
}
