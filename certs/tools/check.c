/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/tools/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include <jansson.h>

#include "certs/tools/tool.h"
#include "common/printable.h"
#include "common/tls/expiry.h"

static const char *const level_names[] = {
    [CHECK_GOOD] = "good", [CHECK_WARNING] = "warning", [CHECK_PROBLEM] = "problem"};

void check_begin(struct check *check, bool json)
{
    *check = (struct check){.array = json ? json_array() : NULL, .now = time(NULL)};
}

void check_find(struct check *check, enum check_level level, const char *what, const char *format, ...)
{
    char raw[4096], text[4096];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(raw, sizeof(raw), format, args);
    va_end(args);
    if (length >= (int)sizeof(raw))
        length = sizeof(raw) - 1;
    (void)printable_text(raw, length > 0 ? (size_t)length : 0, text, sizeof(text));
    if (level == CHECK_PROBLEM)
        check->problems++;
    if (check->array != NULL)
        json_array_append_new(check->array, json_pack("{s:s, s:s, s:s}", "level", level_names[level], "what",
                                                      what, "text", text));
    else
        printf("%-8s %-14s %s\n", level_names[level], what, text);
}

int check_end(struct check *check)
{
    if (check->array != NULL) {
        json_dumpf(check->array, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(check->array);
        check->array = NULL;
    }
    return check->problems == 0 && fflush(stdout) == 0 ? TOOL_OK : TOOL_FAILED;
}

void check_permissions(struct check *check, const char *dir, const char *const *secrets)
{
    unsigned found = 0;
    struct stat st;

    if (stat(dir, &st) == 0 && (st.st_mode & S_IWOTH) != 0) {
        check_find(check, CHECK_PROBLEM, "permissions",
                   "%s can be changed by every user of this machine: run chmod o= %s.", dir, dir);
        found++;
    }
    for (; *secrets != NULL; secrets++) {
        char path[4096];

        snprintf(path, sizeof(path), "%s/%s", dir, *secrets);
        if (stat(path, &st) != 0 || (st.st_mode & (S_IROTH | S_IWOTH)) == 0)
            continue;
        found++;
        check_find(check, CHECK_PROBLEM, "permissions",
                   "%s, which holds a private key, can be %s by every user of this machine: run chmod o= %s, "
                   "and if others use this "
                   "machine, make a new key.",
                   path, (st.st_mode & S_IROTH) != 0 ? "read" : "changed", path);
    }
    if (found == 0)
        check_find(check, CHECK_GOOD, "permissions", "private keys in %s are out of others' reach.", dir);
}

int64_t check_time_of(const ASN1_TIME *at)
{
    struct tm tm;

    return ASN1_TIME_to_tm(at, &tm) == 1 ? timegm(&tm) : 0;
}

void check_dates(struct check *check, const char *what, X509 *cert)
{
    time_t before = check_time_of(X509_get0_notBefore(cert)), after = check_time_of(X509_get0_notAfter(cert));
    char text[EXPIRY_TEXT_SIZE], subject[256] = "";

    X509_NAME_oneline(X509_get_subject_name(cert), subject, sizeof(subject));
    expiry_text(before, after, (time_t)check->now, text, sizeof(text));
    switch (expiry_check(before, after, (time_t)check->now)) {
    case EXPIRY_VALID:
        check_find(check, CHECK_GOOD, what, "%s %s.", subject, text);
        break;
    case EXPIRY_SOON:
        check_find(check, CHECK_WARNING, what, "%s %s: renew it before.", subject, text);
        break;
    case EXPIRY_EXPIRED:
        check_find(check, CHECK_PROBLEM, what, "%s %s: have a new one issued.", subject, text);
        break;
    case EXPIRY_NOT_YET_VALID:
        check_find(check, CHECK_PROBLEM, what,
                   "%s is %s: this machine's clock is behind, or was ahead where it was issued.", subject,
                   text);
        break;
    }
}
