/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/control/explain.h"

#include <stdio.h>

enum tool_exit control_explain(const struct control_answer *answer, const char *program, const char *cannot_connect)
{
    switch (answer->outcome) {
    case CONTROL_OK:
        return TOOL_EXIT_OK;
    case CONTROL_REFUSED:
        fprintf(stderr, "Error: ");
        fwrite(q_buf_bytes(&answer->body), 1, answer->body.size, stderr);
        return TOOL_EXIT_REFUSED;
    case CONTROL_INTERNAL:
        fprintf(stderr, "%s: %s\n", program, answer->error_text);
        return TOOL_EXIT_INTERNAL;
    case CONTROL_CANNOT_CONNECT:
        fprintf(stderr, "%s: %s: %s\n", program, cannot_connect, answer->error_text);
        return TOOL_EXIT_UNREACHABLE;
    case CONTROL_TIMED_OUT:
        fprintf(stderr, "%s: Timed out: %s\n", program, answer->error_text);
        return TOOL_EXIT_UNREACHABLE;
    case CONTROL_NO_REPLY:
    case CONTROL_UNKNOWN_REPLY:
        fprintf(stderr, "%s: %s\n", program, answer->error_text);
        return TOOL_EXIT_UNREACHABLE;
    }
    return TOOL_EXIT_INTERNAL;
}
