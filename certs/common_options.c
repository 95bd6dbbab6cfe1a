/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/common_options.h"

#include <getopt.h>

#include "certs/tool.h"
#include "common/control/tool_options.h"
#include "common/options.h"

bool common_take(struct common_options *common, int option, char **argv, int *status)
{
    switch (option) {
    case COMMON_LIST:
    case COMMON_CHECK:
    case COMMON_IMPORT:
        common->operation = option;
        return true;
    case COMMON_CONVERT:
        common->operation = option;
        common->form = optarg;
        return true;
    case COMMON_PEM:
        common->pem = true;
        return true;
    case COMMON_FORMAT:
        *status = TOOL_FAILED;
        return tool_parse_format(argv[0], optarg, &common->json);
    case COMMON_PORT:
        if (option_parse_number(optarg, 1, 65535, &common->port))
            return true;
        *status = tool_fail_text(TOOL_ARGUMENT, "\"%s\" is no port (1 to 65535)", optarg);
        return false;
    case COMMON_CERT:
        common->files.cert = optarg;
        return true;
    case COMMON_KEY:
        common->files.key = optarg;
        return true;
    case COMMON_CA:
        common->files.ca = optarg;
        return true;
    default:
        *status = tool_bad_option(option, optopt, argv[optind - 1]);
        return false;
    }
}
