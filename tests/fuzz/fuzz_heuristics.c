/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commands of heuristics, from the value of a configuration key to the arguments of execv. Arguments lie within the
 * line's storage and are no more than its text can hold; quoted anew, they are the same again. What is refused leaves
 * nothing behind.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "qdevice/logic/command_line.h"
#include "qdevice/logic/device_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum quoting { WITH_BACKSLASHES, WITH_SINGLE_QUOTES, WITH_DOUBLE_QUOTES, QUOTINGS };

static void check_arguments(const struct command_line *line, size_t text_size)
{
    const char *at = line->storage;

    assert(line->count >= 1 && line->count <= COMMAND_LINE_ARGUMENTS_MAX);
    for (size_t i = 0; i < line->count; i++) {
        assert(line->arguments[i] == at); /* one after the other, nothing between them */
        assert(strchr(at, '\n') == NULL);
        at += strlen(at) + 1;
    }
    assert(line->arguments[line->count] == NULL);
    assert(line->arguments[0][0] != '\0');
    assert((size_t)(at - line->storage) <= text_size + 1);
}

static void append_quoted(struct q_buf *text, const char *argument, enum quoting quoting)
{
    static const char *const marks[] = {"", "'", "\""};
    const char *mark = marks[*argument == '\0' ? WITH_SINGLE_QUOTES : quoting];

    q_buf_append(text, mark, strlen(mark));
    for (const char *c = argument; *c != '\0'; c++) {
        if (quoting == WITH_SINGLE_QUOTES && *c == '\'') {
            q_buf_append(text, "'\\''", 4);
            continue;
        }
        if (quoting == WITH_BACKSLASHES || (quoting == WITH_DOUBLE_QUOTES && (*c == '"' || *c == '\\')))
            q_buf_append(text, "\\", 1);
        q_buf_append(text, c, 1);
    }
    q_buf_append(text, mark, strlen(mark));
    q_buf_append(text, " ", 1);
}

static void check_quoted_anew(const struct command_line *line, enum quoting quoting)
{
    struct command_line again;
    struct q_buf text;

    q_buf_init(&text);
    for (size_t i = 0; i < line->count; i++)
        append_quoted(&text, line->arguments[i], quoting);
    q_buf_append(&text, "", 1);
    assert(command_line_parse(&again, (const char *)q_buf_bytes(&text)) == Q_OK);
    assert(again.count == line->count);
    for (size_t i = 0; i < line->count; i++)
        assert(strcmp(again.arguments[i], line->arguments[i]) == 0);
    command_line_fini(&again);
    q_buf_fini(&text);
}

/* Whether quotes are closed and nothing is missing after a backslash, read in another way than by the parser. */
static bool is_well_formed(const char *text)
{
    char quote = '\0';

    for (; *text != '\0' && *text != '\n'; text++) {
        bool escapes = *text == '\\' && quote != '\'' && (quote == '\0' || text[1] == '"' || text[1] == '\\');

        if (escapes && (text[1] == '\0' || text[1] == '\n'))
            return false;
        if (escapes)
            text++;
        else if (quote == '\0' && (*text == '"' || *text == '\''))
            quote = *text;
        else if (*text == quote)
            quote = '\0';
    }
    return quote == '\0';
}

static void check_command(const char *text)
{
    struct command_line line;
    enum q_err err = command_line_parse(&line, text);

    assert(err == Q_ERR_LIMIT || is_well_formed(text) || err == Q_ERR_INVALID);
    if (err != Q_OK) {
        assert(err == Q_ERR_INVALID || err == Q_ERR_LIMIT);
        assert(line.storage == NULL && line.arguments == NULL && line.count == 0);
        return;
    }
    check_arguments(&line, strlen(text));
    for (int quoting = 0; quoting < QUOTINGS; quoting++)
        check_quoted_anew(&line, (enum quoting)quoting);
    command_line_fini(&line);
}

/* On one line. */
static bool is_a_command(const char *text)
{
    struct command_line line;
    char *copy = strdup(text);
    bool good;

    assert(copy != NULL);
    for (char *at = strchr(copy, '\n'); at != NULL; at = strchr(at, '\n'))
        *at = ' ';
    good = command_line_parse(&line, copy) == Q_OK;
    if (good)
        command_line_fini(&line);
    free(copy);
    return good;
}

/* As a value of a key it is one line, and otherwise what was configured; what is no command is refused. */
static void check_configured(const char *text)
{
    static const char *const needed[][2] = {{"quorum.device.model", "net"},
                                            {"quorum.device.net.host", "arbiter"},
                                            {"quorum.device.net.algorithm", "lms"},
                                            {"totem.cluster_name", "lab"},
                                            {"nodelist.node.0.name", "n1"},
                                            {"quorum.device.heuristics.mode", "on"}};
    char err_text[DEVICE_CONFIG_ERR_SIZE];
    struct device_limits limits;
    struct device_config config;
    struct keys keys;

    device_limits_default(&limits);
    keys_init(&keys);
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        assert(keys_add_text(&keys, needed[i][0], needed[i][1], strlen(needed[i][1])) == Q_OK);
    assert(keys_add_number(&keys, "nodelist.node.0.nodeid", KEY_U32, 1) == Q_OK);
    assert(keys_add_number(&keys, "runtime.votequorum.this_node_id", KEY_U32, 1) == Q_OK);
    assert(keys_add_text(&keys, "quorum.device.heuristics.exec_x", text, strlen(text)) == Q_OK);
    if (!is_a_command(text)) {
        assert(device_config_parse(&keys, &limits, &config, err_text) == Q_ERR_INVALID);
        keys_fini(&keys);
        return;
    }
    assert(device_config_parse(&keys, &limits, &config, err_text) == Q_OK);
    assert(config.agent.heuristics_active && config.heuristics.exec_count == 1);
    assert(strcmp(config.heuristics.execs[0].name, "x") == 0);
    assert(strlen(config.heuristics.execs[0].command) == strlen(text));
    for (const char *was = text, *is = config.heuristics.execs[0].command; *was != '\0'; was++, is++)
        assert(*is == (*was == '\n' ? ' ' : *was));
    check_command(config.heuristics.execs[0].command);
    device_config_fini(&config);
    keys_fini(&keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1); /* of the exact size, for the sanitizer */

    assert(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    check_command(text);
    check_configured(text);
    free(text);
    return 0;
}
