/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/tools/tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "certs/store/folder.h"
#include "certs/logic/name.h"
#include "certs/logic/profile.h"
#include "common/options.h"

void tool_init(void)
{
    umask(S_IRWXG | S_IRWXO);
    setvbuf(stdout, NULL, _IOLBF, 0);
}

void tool_say(const char *step)
{
    puts(step);
}

int tool_fail(const struct certs_failure *why, int status)
{
    fprintf(stderr, "%s\n", why->text);
    return status;
}

int tool_fail_text(int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return status;
}

void tool_stored(const char *label, const char *path)
{
    printf("%s stored in %s\n", label, path);
}

int tool_bad_option(int result, int letter, const char *word)
{
    bool short_one = letter > 0 && letter < 128;

    if (result == ':' && short_one)
        return tool_fail_text(TOOL_FAILED, "Option -%c requires an argument.", letter);
    if (result == ':')
        return tool_fail_text(TOOL_FAILED, "Option %s requires an argument.", word);
    if (short_one)
        return tool_fail_text(TOOL_FAILED, "Invalid option: -%c", letter);
    return tool_fail_text(TOOL_FAILED, "Invalid option: %s", word);
}

bool tool_read_file(const char *path, char **bytes, size_t *size)
{
    struct certs_failure why;
    struct stat st;

    *bytes = NULL;
    if (path == NULL || path[0] == '\0' || stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        fprintf(stderr, "Can't open certificate file %s\n", path != NULL ? path : "");
        if (path == NULL)
            fputs("Name the file with option -c.\n", stderr);
        return false;
    }
    if (certs_file_read(path, bytes, size, &why) == Q_OK)
        return true;
    fprintf(stderr, "%s\n", why.text);
    return false;
}

bool tool_check_name(const char *name)
{
    const char *fault;

    if (name == NULL || name[0] == '\0') {
        fputs("You have to specify cluster name\n", stderr);
        return false;
    }
    fault = certs_name_fault(name);
    if (fault != NULL)
        fprintf(stderr,
                "The cluster name %s. Give the name that totem.cluster_name has in corosync.conf; if it is "
                "this one, "
                "change it there first.\n",
                fault);
    return fault == NULL;
}

bool tool_parse_days(const char *text, int64_t *seconds)
{
    uint64_t days;

    if (!option_parse_number(text, 1, CERTS_LIFETIME_MAX_S / 86400, &days)) {
        fprintf(stderr, "\"%s\" is no number of days from 1 to %lld\n", text,
                (long long)(CERTS_LIFETIME_MAX_S / 86400));
        return false;
    }
    *seconds = (int64_t)days * 86400;
    return true;
}
