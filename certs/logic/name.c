/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/name.h"

#include <string.h>

#include "common/printable.h"

/* What both kinds of name have in common. */
static const char *text_fault(const char *name)
{
    size_t length = strlen(name);

    if (length == 0)
        return "is empty";
    if (!printable_is_plain(name, length))
        return "contains control characters, or bytes that are no UTF-8";
    if (strchr(name, '/') != NULL)
        return "contains a slash, and would become part of a file name";
    if (strchr(name, '*') != NULL)
        return "contains an asterisk, which the packaged arbiter takes for a wildcard";
    if (name[0] == ' ' || name[length - 1] == ' ')
        return "begins or ends with a blank, which other tools drop";
    return NULL;
}

const char *certs_name_fault(const char *name)
{
    const char *fault = text_fault(name);

    if (fault != NULL)
        return fault;
    if (strlen(name) > CERTS_CLUSTER_NAME_LENGTH_MAX)
        return "is longer than 200 bytes";
    if (certs_name_same(name, CERTS_SERVER_NAME))
        return "is the name of the arbiter itself: whoever had such a certificate could pose as the arbiter";
    if (certs_name_same(name, CERTS_AUTHORITY_NAME))
        return "is the name of the certificate authority itself";
    return NULL;
}

const char *certs_node_name_fault(const char *name)
{
    const char *fault = text_fault(name);

    if (fault != NULL)
        return fault;
    return strlen(name) > CERTS_NODE_NAME_LENGTH_MAX ? "is longer than 64 bytes" : NULL;
}

bool certs_name_same(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        int x = *a >= 'A' && *a <= 'Z' ? *a + 32 : *a;
        int y = *b >= 'A' && *b <= 'Z' ? *b + 32 : *b;

        if (x != y)
            return false;
    }
    return *a == *b;
}
