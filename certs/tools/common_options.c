/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/tools/common_options.h"

#include <assert.h>
#include <getopt.h>

#include "certs/tools/tool.h"
#include "common/control/tool_options.h"
#include "common/options.h"

/* --- What both tools have ---------------------------------------------------------------------------- */

static bool take_format(void *call, const char *argument, int *status)
{
    struct common_options *common = call;

    (void)status;
    return tool_parse_format(common->program, argument, &common->json);
}

static bool take_port(void *call, const char *argument, int *status)
{
    struct common_options *common = call;

    if (option_parse_number(argument, 1, 65535, &common->port))
        return true;
    *status = tool_fail_text(TOOL_ARGUMENT, "\"%s\" is no port (1 to 65535)", argument);
    return false;
}

#define AT(member) offsetof(struct common_options, member)

static const struct tool_option common_options[] = {
    {'h', "help", .is_operation = true},
    {COMMON_PEM, "pem", .flag = AT(pem)},
    {COMMON_LIST, "list", .is_operation = true},
    {COMMON_CHECK, "check", .is_operation = true},
    {COMMON_IMPORT, "import", .is_operation = true},
    {COMMON_CONVERT, "convert", .has_argument = true, .is_operation = true, .text = AT(form)},
    {COMMON_FORMAT, "format", .has_argument = true, .take = take_format},
    {COMMON_PORT, "port", .has_argument = true, .take = take_port},
    {COMMON_CERT, "cert", .has_argument = true, .text = AT(files.cert)},
    {COMMON_KEY, "key", .has_argument = true, .text = AT(files.key)},
    {COMMON_CA, "ca", .has_argument = true, .text = AT(files.ca)},
};
#define COMMON_COUNT (sizeof(common_options) / sizeof(common_options[0]))

/* --- All of them ------------------------------------------------------------------------------------- */

/* The tables in the form that getopt_long takes. */
struct getopt_tables {
    char letters[2 * TOOL_OPTIONS_MAX + 2];
    size_t letter_count;
    struct option longs[TOOL_OPTIONS_MAX + 1];
    size_t long_count;
};

static void add(struct getopt_tables *tables, const struct tool_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct tool_option *option = &options[i];

        if (option->key < COMMON_PEM) {
            tables->letters[tables->letter_count++] = (char)option->key;
            if (option->has_argument)
                tables->letters[tables->letter_count++] = ':';
        }
        if (option->name != NULL)
            tables->longs[tables->long_count++] = (struct option){
                option->name, option->has_argument ? required_argument : no_argument, NULL, option->key};
    }
}

static const struct tool_option *find(const struct tool_option *options, size_t count, int key)
{
    for (size_t i = 0; i < count; i++) {
        if (options[i].key == key)
            return &options[i];
    }
    return NULL;
}

static bool apply(struct common_options *call, const struct tool_option *option, const char *argument, int *status)
{
    void *text = (char *)call + option->text, *flag = (char *)call + option->flag;

    if (option->is_operation)
        call->operation = option->key;
    if (option->text != 0)
        *(const char **)text = argument;
    if (option->flag != 0)
        *(bool *)flag = true;
    return option->take == NULL || option->take(call, argument, status);
}

bool tool_options_parse(struct common_options *call, const struct tool_option *own, size_t own_count, int argc,
                        char **argv, int *status)
{
    struct getopt_tables tables = {.letters = ":", .letter_count = 1};
    int key;

    assert(own_count + COMMON_COUNT <= TOOL_OPTIONS_MAX);
    add(&tables, own, own_count);
    add(&tables, common_options, COMMON_COUNT);
    call->program = argv[0];
    opterr = 0;
    while ((key = getopt_long(argc, argv, tables.letters, tables.longs, NULL)) != -1) {
        const struct tool_option *option = find(own, own_count, key);

        if (option == NULL)
            option = find(common_options, COMMON_COUNT, key);
        *status = TOOL_FAILED;
        if (option == NULL) {
            *status = tool_bad_option(key, optopt, argv[optind - 1]);
            return false;
        }
        if (!apply(call, option, optarg, status))
            return false;
    }
    return true;
}
