/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/control/tool_options.h"

#include <stdio.h>

#include "common/options.h"

bool tool_parse_format(const char *program, const char *text, bool *json)
{
    static const char *const formats[] = {"text", "json", NULL};
    int format;

    if (!option_parse_choice(text, formats, &format)) {
        fprintf(stderr, "%s: --format: '%s' is neither text nor json\n", program, text);
        return false;
    }
    *json = format == 1;
    return true;
}

bool tool_parse_seconds(const char *program, const char *name, const char *text, uint64_t *milliseconds)
{
    if (option_parse_permille(text, 100, UINT64_C(86400000), milliseconds))
        return true;
    fprintf(stderr, "%s: --%s: '%s' is not a number of seconds (0.1 to 86400)\n", program, name, text);
    return false;
}
