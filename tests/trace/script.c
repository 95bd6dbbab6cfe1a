/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/trace/script.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCENARIOS_MAX 64

struct script {
    char titles[SCENARIOS_MAX][SCRIPT_TEXT_SIZE];
    size_t first[SCENARIOS_MAX + 1]; /* lines of scenario i: first[i] .. first[i + 1] - 1 */
    unsigned scenario_count;
    struct script_line *lines;
    size_t line_count;
};

static char *trim(char *text)
{
    size_t size;

    text += strspn(text, " \t\r\n");
    size = strlen(text);
    while (size > 0 && strchr(" \t\r\n", text[size - 1]) != NULL) {
        text[--size] = '\0';
    }
    return text;
}

static bool append(char *to, const char *text)
{
    const char *comma = to[0] != '\0' && text[0] != '\0' ? ", " : "";

    if (strlen(to) + strlen(comma) + strlen(text) >= SCRIPT_TEXT_SIZE) {
        return false;
    }
    strcat(to, comma);
    strcat(to, text);
    return true;
}

static bool cut_into_words(struct script_line *line)
{
    unsigned braces = 0;
    bool inside = false;

    memcpy(line->text, line->command, sizeof(line->text));
    line->word_count = 0;
    for (char *c = line->text; *c != '\0'; c++) {
        braces += *c == '{';
        braces -= *c == '}' && braces > 0;
        if (*c == ' ' && braces == 0) {
            *c = '\0';
            inside = false;
        } else if (!inside) {
            if (line->word_count == SCRIPT_WORDS_MAX) {
                return false;
            }
            line->words[line->word_count++] = c;
            inside = true;
        }
    }
    return true;
}

static bool add_line(struct script *script, const char *file, unsigned number, char *text)
{
    char *arrow = strstr(text, "->");
    const char *expected = "";
    struct script_line *line;

    if (arrow != NULL) {
        *arrow = '\0';
        expected = trim(arrow + 2);
    }
    text = trim(text);
    if (text[0] == '\0') {
        return script->line_count > 0 && append(script->lines[script->line_count - 1].expected, expected);
    }
    line = realloc(script->lines, (script->line_count + 1) * sizeof(*line));
    if (line == NULL) {
        return false;
    }
    script->lines = line;
    line += script->line_count++;
    memset(line, 0, sizeof(*line));
    line->file = file;
    line->number = number;
    return append(line->command, text) && append(line->expected, expected);
}

static bool add(struct script *script, const char *file, unsigned number, char *text)
{
    char *comment = text[0] == '#' ? text : strstr(text, " #");

    if (comment != NULL) {
        *comment = '\0';
    }
    text = trim(text);
    if (text[0] == '\0') {
        return true;
    }
    if (strncmp(text, "== ", 3) != 0) {
        return script->scenario_count > 0 && add_line(script, file, number, text);
    }
    if (script->scenario_count == SCENARIOS_MAX) {
        return false;
    }
    script->first[script->scenario_count] = script->line_count;
    return append(script->titles[script->scenario_count++], text + 3);
}

static bool read_all(struct script *script, FILE *file, const char *path)
{
    char text[SCRIPT_TEXT_SIZE];

    for (unsigned number = 1; fgets(text, sizeof(text), file) != NULL; number++) {
        if ((strchr(text, '\n') == NULL && !feof(file)) || !add(script, path, number, text)) {
            printf("# %s:%u: not understood\n", path, number);
            return false;
        }
    }
    script->first[script->scenario_count] = script->line_count;
    for (size_t i = 0; i < script->line_count; i++) {
        if (!cut_into_words(&script->lines[i])) {
            printf("# %s:%u: too many words\n", path, script->lines[i].number);
            return false;
        }
    }
    return true;
}

struct script *script_read(const char *path)
{
    struct script *script = calloc(1, sizeof(*script));
    FILE *file = fopen(path, "r");

    if (script == NULL || file == NULL || !read_all(script, file, path)) {
        printf("# %s: cannot be used\n", path);
        script_free(script);
        script = NULL;
    }
    if (file != NULL) {
        fclose(file);
    }
    return script;
}

void script_free(struct script *script)
{
    if (script != NULL) {
        free(script->lines);
        free(script);
    }
}

unsigned script_scenario_count(const struct script *script)
{
    return script->scenario_count;
}

const char *script_title(const struct script *script, unsigned scenario)
{
    return script->titles[scenario];
}

struct script_line *script_lines(struct script *script, unsigned scenario, size_t *count)
{
    *count = script->first[scenario + 1] - script->first[scenario];
    return script->lines + script->first[scenario];
}
