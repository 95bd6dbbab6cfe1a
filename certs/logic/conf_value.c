/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/conf_value.h"

#include <string.h>

struct walk {
    size_t depth;                          /* sections we are in */
    size_t matched;                        /* of them, how many belong to the path */
    const char *rests[CONF_DEPTH_MAX + 1]; /* [n]: what is left of the path after n sections */
};

static bool blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == '\0';
}

static void trim(const char **at, size_t *size)
{
    while (*size > 0 && blank(**at)) {
        (*at)++;
        (*size)--;
    }
    while (*size > 0 && blank((*at)[*size - 1]))
        (*size)--;
}

static void enter(struct walk *w, const char *name, size_t size)
{
    const char *rest = w->rests[w->matched];

    if (w->depth == w->matched && w->matched < CONF_DEPTH_MAX && strncmp(rest, name, size) == 0 &&
        rest[size] == '.') {
        w->matched++;
        w->rests[w->matched] = rest + size + 1;
    }
    w->depth++;
}

static void leave(struct walk *w)
{
    if (w->depth == 0)
        return;
    if (w->matched == w->depth)
        w->matched--;
    w->depth--;
}

static bool is_wanted(const struct walk *w, const char *name, size_t size)
{
    const char *rest = w->rests[w->matched];

    return w->depth == w->matched && strlen(rest) == size && memcmp(rest, name, size) == 0;
}

static bool take_line(struct walk *w, const char *line, size_t size, char *value)
{
    const char *mark, *from;
    size_t name_size, length;

    trim(&line, &size);
    if (size == 0 || line[0] == '#')
        return false;
    if (line[size - 1] == '{') {
        name_size = size - 1;
        trim(&line, &name_size);
        enter(w, line, name_size);
        return false;
    }
    if (size == 1 && line[0] == '}') {
        leave(w);
        return false;
    }
    mark = memchr(line, ':', size);
    if (mark == NULL)
        return false;
    name_size = (size_t)(mark - line);
    from = mark + 1;
    length = size - name_size - 1;
    trim(&line, &name_size);
    trim(&from, &length);
    if (!is_wanted(w, line, name_size) || length == 0 || length >= CONF_VALUE_SIZE ||
        memchr(from, '\0', length) != NULL)
        return false;
    memcpy(value, from, length);
    value[length] = '\0';
    return true;
}

bool conf_value(const char *text, size_t size, const char *path, char *value)
{
    struct walk w = {0};
    bool found = false;

    w.rests[0] = path;
    while (size > 0) {
        const char *end = memchr(text, '\n', size);
        size_t length = end != NULL ? (size_t)(end - text) : size;

        if (take_line(&w, text, length, value))
            found = true;
        text += length;
        size -= length;
        if (size > 0) {
            text++;
            size--;
        }
    }
    return found;
}
