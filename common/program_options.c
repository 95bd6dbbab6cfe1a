/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/program_options.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>

/* The tables in the form that getopt_long takes. */
struct getopt_tables {
    char letters[3 * PROGRAM_OPTIONS_MAX + 2];
    size_t letter_count;
    struct option longs[PROGRAM_OPTIONS_MAX + 1];
    size_t long_count;
};

static void add(struct getopt_tables *tables, const struct program_option *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct program_option *row = &rows[i];
        int argument = !row->has_argument           ? no_argument
                       : row->argument_is_optional ? optional_argument
                                                   : required_argument;

        if (row->key < PROGRAM_OPTION_LONG) {
            tables->letters[tables->letter_count++] = (char)row->key;
            for (int colons = argument; colons != no_argument; colons--)
                tables->letters[tables->letter_count++] = ':';
        }
        if (row->name != NULL)
            tables->longs[tables->long_count++] = (struct option){row->name, argument, NULL, row->key};
    }
}

static const struct program_option *find_in(const struct program_option *rows, size_t count, int key)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].key == key)
            return &rows[i];
    }
    return NULL;
}

static const struct program_option *find(const struct program_options *options, int key)
{
    const struct program_option *row = find_in(options->own, options->own_count, key);

    return row != NULL ? row : find_in(options->common, options->common_count, key);
}

/* Without long names "--name" is the letter '-', which is none. */
static int next(const struct getopt_tables *tables, int argc, char **argv)
{
    if (tables->long_count == 0)
        return getopt(argc, argv, tables->letters);
    return getopt_long(argc, argv, tables->letters, tables->longs, NULL);
}

static void *at(void *call, size_t offset)
{
    return (char *)call + offset;
}

static void apply(const struct program_options *options, const struct program_option *row, void *call, const char *argument)
{
    if (row->is_operation)
        *(int *)at(call, options->operation) = row->key;
    if (row->text != 0)
        *(const char **)at(call, row->text) = argument;
    if (row->flag != 0)
        *(bool *)at(call, row->flag) = true;
    if (row->count != 0)
        ++*(int *)at(call, row->count);
    if (row->letter != 0)
        *(int *)at(call, row->letter) = row->key;
}

/* "Option -p: WHY", "--format: WHY". */
static void explain(const struct program_option *row, const char *why, char *text, size_t size)
{
    if (row->key < PROGRAM_OPTION_LONG)
        snprintf(text, size, "Option -%c: %s", row->key, why);
    else
        snprintf(text, size, "--%s: %s", row->name, why);
}

static bool store(const struct program_option *row, void *call, const char *argument, char *text, size_t size)
{
    char why[OPTIONS_ERR_SIZE] = "";
    enum q_err err = Q_OK;

    if (argument == NULL)
        return true;
    if (row->value != NULL)
        err = option_store(row->value, call, argument);
    if (err == Q_ERR_INVALID)
        snprintf(why, sizeof(why), "'%s' %s", argument, row->expected);
    else if (err != Q_OK)
        snprintf(why, sizeof(why), "Out of memory");
    else if (row->list != NULL)
        err = options_apply(row->list, call, argument, why, sizeof(why));
    if (err != Q_OK)
        explain(row, why, text, size);
    else if (why[0] != '\0')
        snprintf(text, size, "%s", why); /* a warning */
    return err == Q_OK;
}

enum program_outcome program_options_read(const struct program_options *options, void *call, int argc, char **argv,
                                          int status, struct program_result *result)
{
    struct getopt_tables tables = {.letter_count = 0};
    int key;

    assert(options->own_count + options->common_count <= PROGRAM_OPTIONS_MAX);
    if (options->quiet)
        tables.letters[tables.letter_count++] = ':';
    add(&tables, options->own, options->own_count);
    add(&tables, options->common, options->common_count);
    *result = (struct program_result){.status = status};
    opterr = !options->quiet;
    optind = 0; /* glibc: begin anew, even after options that ended the last time early */
    while ((key = next(&tables, argc, argv)) != -1) {
        const struct program_option *row = find(options, key);

        result->key = key;
        result->status = status;
        if (row == NULL) {
            result->letter = optopt;
            result->word = argv[optind - 1];
            return PROGRAM_UNKNOWN;
        }
        apply(options, row, call, optarg);
        if (!store(row, call, optarg, result->text, sizeof(result->text)))
            return PROGRAM_INVALID;
        if (row->take != NULL && !row->take(call, optarg, &result->status))
            return PROGRAM_REFUSED;
        if (row->ends)
            return PROGRAM_ENDED;
    }
    return PROGRAM_READ;
}
