/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/revocations.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] = "quorate-revocations 1\n";
static const char tail[] = "end\n";
static const char single[] = "serial ";
static const char range[] = "up-to ";

#define LINE_SIZE (CERTS_CLUSTER_NAME_LENGTH_MAX + 64)

void revocations_fini(struct revocations *revocations)
{
    free(revocations->items);
    *revocations = (struct revocations){0};
}

static bool covers(const struct revocation *one, const char *cluster, uint64_t serial)
{
    return (one->up_to ? serial <= one->serial : serial == one->serial) && certs_name_same(one->cluster, cluster);
}

int64_t revocations_when(const struct revocations *revocations, const char *cluster, uint64_t serial)
{
    for (size_t i = 0; serial != 0 && i < revocations->count; i++) {
        if (covers(&revocations->items[i], cluster, serial))
            return revocations->items[i].when_s;
    }
    return 0;
}

/* Whether every certificate that `b` covers is covered by `a`. */
static bool includes(const struct revocation *a, const struct revocation *b)
{
    return (a->up_to || !b->up_to) && covers(a, b->cluster, b->serial);
}

enum q_err revocations_add(struct revocations *revocations, const struct revocation *revocation)
{
    struct revocation *grown;
    size_t kept = 0;

    assert(revocation->serial != 0 && revocation->when_s != 0 && revocation->cluster[0] != '\0');
    for (size_t i = 0; i < revocations->count; i++) {
        if (includes(&revocations->items[i], revocation))
            return Q_OK;
    }
    for (size_t i = 0; i < revocations->count; i++) {
        if (!includes(revocation, &revocations->items[i]))
            revocations->items[kept++] = revocations->items[i];
    }
    revocations->count = kept;
    if (kept == REVOCATIONS_MAX)
        return Q_ERR_LIMIT;
    grown = realloc(revocations->items, (kept + 1) * sizeof(*grown));
    if (grown == NULL)
        return Q_ERR_NO_MEMORY;
    revocations->items = grown;
    grown[revocations->count++] = *revocation;
    return Q_OK;
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

void revocations_encode(const struct revocations *revocations, struct q_buf *out)
{
    char line[LINE_SIZE];

    q_buf_append(out, head, strlen(head));
    for (size_t i = 0; i < revocations->count; i++) {
        const struct revocation *one = &revocations->items[i];
        int length = snprintf(line, sizeof(line), "%s%" PRIu64 " %" PRId64 " %s\n", one->up_to ? range : single,
                              one->serial, one->when_s, one->cluster);

        q_buf_append(out, line, (size_t)length);
    }
    q_buf_append(out, tail, strlen(tail));
}

/* A positive decimal number as printf writes it, and the blank after it. */
static bool take_number(const char **at, uint64_t *number)
{
    size_t digits = strspn(*at, "0123456789");
    char *end;

    if (digits == 0 || digits > 20 || (*at)[0] == '0' || (*at)[digits] != ' ')
        return false;
    errno = 0;
    *number = strtoull(*at, &end, 10);
    *at += digits + 1;
    return errno == 0;
}

/* One line, terminated, without its end. */
static bool parse_line(const char *line, struct revocation *one)
{
    uint64_t when;

    memset(one, 0, sizeof(*one));
    one->up_to = strncmp(line, range, strlen(range)) == 0;
    if (!one->up_to && strncmp(line, single, strlen(single)) != 0)
        return false;
    line += strlen(one->up_to ? range : single);
    if (!take_number(&line, &one->serial) || !take_number(&line, &when) || when > INT64_MAX ||
        certs_name_fault(line) != NULL)
        return false;
    one->when_s = (int64_t)when;
    memcpy(one->cluster, line, strlen(line));
    return true;
}

static enum q_err parse(const char *at, const char *end, struct revocations *out)
{
    while ((size_t)(end - at) != strlen(tail) || memcmp(at, tail, strlen(tail)) != 0) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct revocation one;
        char line[LINE_SIZE];
        enum q_err err;
        size_t before = out->count;

        if (newline == NULL || (size_t)(newline - at) >= sizeof(line) || memchr(at, '\0', (size_t)(newline - at)) != NULL)
            return Q_ERR_INVALID;
        memcpy(line, at, (size_t)(newline - at));
        line[newline - at] = '\0';
        if (!parse_line(line, &one))
            return Q_ERR_INVALID;
        err = revocations_add(out, &one);
        if (err != Q_OK)
            return err;
        if (out->count != before + 1) /* one covers another: that is never written */
            return Q_ERR_INVALID;
        at = newline + 1;
    }
    return Q_OK;
}

enum q_err revocations_decode(const uint8_t *bytes, size_t size, struct revocations *out)
{
    const char *text = (const char *)bytes;
    enum q_err err;

    *out = (struct revocations){0};
    if (size < strlen(head) + strlen(tail) || memcmp(text, head, strlen(head)) != 0)
        return Q_ERR_INVALID;
    err = parse(text + strlen(head), text + size, out);
    if (err != Q_OK)
        revocations_fini(out);
    return err;
}
