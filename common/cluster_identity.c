/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/cluster_identity.h"

#include <stdio.h>
#include <string.h>

static const struct cluster_identity none;

bool cluster_identity_is_set(const struct cluster_identity *identity)
{
    return !cluster_identity_equal(identity, &none);
}

bool cluster_identity_equal(const struct cluster_identity *a, const struct cluster_identity *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool cluster_identity_conflict(const struct cluster_identity *a, const struct cluster_identity *b)
{
    return cluster_identity_is_set(a) && cluster_identity_is_set(b) && !cluster_identity_equal(a, b);
}

static bool dash_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void cluster_identity_text(const struct cluster_identity *identity, char text[CLUSTER_IDENTITY_TEXT_SIZE])
{
    char *to = text;

    text[0] = '\0';
    for (size_t i = 0; cluster_identity_is_set(identity) && i < CLUSTER_IDENTITY_SIZE; i++) {
        if (dash_before(i))
            *to++ = '-';
        snprintf(to, 3, "%02x", identity->bytes[i]);
        to += 2;
    }
}

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

static bool parse(const char *text, struct cluster_identity *identity)
{
    for (size_t i = 0; i < CLUSTER_IDENTITY_SIZE; i++) {
        int high, low;

        if (dash_before(i) && *text++ != '-')
            return false;
        high = hex_digit(text[0]);
        low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0)
            return false;
        identity->bytes[i] = (uint8_t)(high * 16 + low);
        text += 2;
    }
    return cluster_identity_is_set(identity);
}

bool cluster_identity_parse(const char *text, size_t length, struct cluster_identity *identity)
{
    if (length == CLUSTER_IDENTITY_TEXT_SIZE - 1 && parse(text, identity))
        return true;
    *identity = none;
    return false;
}

bool cluster_identity_parse_uri(const char *text, size_t length, struct cluster_identity *identity)
{
    size_t prefix = strlen(CLUSTER_IDENTITY_URI);

    if (length > prefix && memcmp(text, CLUSTER_IDENTITY_URI, prefix) == 0)
        return cluster_identity_parse(text + prefix, length - prefix, identity);
    *identity = none;
    return false;
}
