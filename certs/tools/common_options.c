/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/tools/common_options.h"

#include <stdio.h>

#include "certs/tools/tool.h"
#include "common/control/tool_options.h"
#include "common/options.h"

static bool take_port(void *call, const char *argument, int *status)
{
    struct common_options *common = call;

    if (option_parse_number(argument, 1, 65535, &common->port))
        return true;
    *status = tool_fail_text(TOOL_ARGUMENT, "\"%s\" is no port (1 to 65535)", argument);
    return false;
}

#define AT(member) offsetof(struct common_options, member)

static const struct option_def format = {.kind = OPTION_EITHER, .offset = AT(json), .choices = tool_formats};

static const struct program_option common_options[] = {
    {'h', "help", .is_operation = true},
    {COMMON_PEM, "pem", .flag = AT(pem)},
    {COMMON_LIST, "list", .is_operation = true},
    {COMMON_CHECK, "check", .is_operation = true},
    {COMMON_IMPORT, "import", .is_operation = true},
    {COMMON_CONVERT, "convert", .has_argument = true, .is_operation = true, .text = AT(form)},
    {COMMON_FORMAT, "format", .has_argument = true, .value = &format, .expected = TOOL_FORMAT_EXPECTED},
    {COMMON_PORT, "port", .has_argument = true, .take = take_port},
    {COMMON_CERT, "cert", .has_argument = true, .text = AT(files.cert)},
    {COMMON_KEY, "key", .has_argument = true, .text = AT(files.key)},
    {COMMON_CA, "ca", .has_argument = true, .text = AT(files.ca)},
};
#define COMMON_COUNT (sizeof(common_options) / sizeof(common_options[0]))

bool tool_options_parse(struct common_options *call, const struct program_option *own, size_t own_count, int argc,
                        char **argv, int *status)
{
    const struct program_options line = {.own = own,
                                         .own_count = own_count,
                                         .common = common_options,
                                         .common_count = COMMON_COUNT,
                                         .operation = AT(operation),
                                         .quiet = true};
    struct program_result result;
    enum program_outcome outcome = program_options_read(&line, call, argc, argv, TOOL_FAILED, &result);

    *status = result.status;
    if (outcome == PROGRAM_UNKNOWN)
        *status = tool_bad_option(result.key, result.letter, result.word);
    else if (outcome == PROGRAM_INVALID)
        fprintf(stderr, "%s: %s\n", argv[0], result.text);
    return outcome == PROGRAM_READ;
}
