/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/control/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reader {
    const char *at;
    const char *end;
    bool quoting;
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\f' || byte == '\t' || byte == '\v';
}

/* The next byte of the word into *byte; false at its end. */
static bool next_byte(struct reader *reader, bool *quoted, char *byte)
{
    while (reader->at < reader->end) {
        char here = *reader->at;

        if (!reader->quoting) {
            if (is_blank(here))
                return false;
        } else if (here == '"') {
            *quoted = !*quoted;
            reader->at++;
            continue;
        } else if (here == '\\' && reader->at + 1 < reader->end) {
            char escaped = reader->at[1];

            /* Inside quotes only the two that need it are escapes; the backslash stays before others. */
            if (!*quoted || escaped == '"' || escaped == '\\') {
                *byte = escaped;
                reader->at += 2;
                return true;
            }
        } else if (!*quoted && is_blank(here)) {
            return false;
        }
        *byte = here;
        reader->at++;
        return true;
    }
    return false;
}

/* Copies one word to `into` and terminates it; returns the end of what was written. */
static char *read_word(struct reader *reader, char *into)
{
    bool quoted = false, ended = false;
    char byte;

    while (next_byte(reader, &quoted, &byte)) {
        if (byte == '\0') /* ends the word, the rest of it counts for nothing */
            ended = true;
        if (!ended)
            *into++ = byte;
    }
    *into++ = '\0';
    return into;
}

enum q_err control_request_parse(struct control_request *request, const char *bytes, size_t size,
                                 bool quoting)
{
    struct reader reader = {.at = bytes, .end = bytes, .quoting = quoting};
    char *into;

    memset(request, 0, sizeof(*request));
    while (reader.end < bytes + size && *reader.end != '\r' && *reader.end != '\n')
        reader.end++;
    /* A word of n bytes needs n + 1, and takes at least one byte and a blank of the line. */
    request->storage = into = malloc((size_t)(reader.end - bytes) + 2);
    if (into == NULL)
        return Q_ERR_NO_MEMORY;
    while (request->word_count < CONTROL_WORDS_MAX) {
        while (reader.at < reader.end && is_blank(*reader.at))
            reader.at++;
        if (reader.at == reader.end)
            break;
        request->words[request->word_count++] = into;
        into = read_word(&reader, into);
    }
    return Q_OK;
}

void control_request_fini(struct control_request *request)
{
    free(request->storage);
    memset(request, 0, sizeof(*request));
}

bool control_request_is(const struct control_request *request, size_t index, const char *word)
{
    return index < request->word_count && strcasecmp(request->words[index], word) == 0;
}

void control_request_append_quoted(struct q_buf *buf, const char *text)
{
    q_buf_append_u8(buf, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            q_buf_append_u8(buf, '\\');
        q_buf_append_u8(buf, (uint8_t)*text);
    }
    q_buf_append(buf, "\" ", 2);
}
