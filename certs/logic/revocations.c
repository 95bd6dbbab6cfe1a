/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/revocations.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/logic/line_file.h"
#include "certs/logic/serial.h"

static const char head[] = "quorate-revocations 1\n";

enum kind { SINGLE, LARGE, RANGE, NARROW_RANGE, NODE_RANGE, KINDS };

/* With which a line begins. */
static const char *const words[] = {
    [SINGLE] = "serial ", [LARGE] = "number ", [RANGE] = "up-to ", [NARROW_RANGE] = "up-to-of ", [NODE_RANGE] = "up-to-of-node "};

static const char nobody[] = "-";  /* no identity */
static const char anybody[] = "*"; /* any, or none */

/* Names have no slash, so that one can stand between them. */
#define LINE_SIZE                                                                                                      \
    (CERTS_CLUSTER_NAME_LENGTH_MAX + CERTS_NODE_NAME_LENGTH_MAX + REVOCATION_NUMBER_SIZE + CLUSTER_IDENTITY_TEXT_SIZE + 64)

void revocations_fini(struct revocations *revocations)
{
    free(revocations->items);
    *revocations = (struct revocations){0};
}

static bool covers(const struct revocation *one, const struct revocation_subject *subject)
{
    if (!certs_name_same(one->cluster, subject->cluster))
        return false;
    if (one->number[0] != '\0')
        return strcmp(one->number, subject->number) == 0;
    if (!one->up_to)
        return one->serial == subject->serial;
    return subject->serial != 0 && certs_serial_is_up_to(subject->serial, one->serial) &&
           (!one->narrow || cluster_identity_equal(&one->identity, &subject->identity)) &&
           (one->node[0] == '\0' || strcmp(one->node, subject->node) == 0);
}

int64_t revocations_when(const struct revocations *revocations, const struct revocation_subject *subject)
{
    for (size_t i = 0; subject->number[0] != '\0' && i < revocations->count; i++) {
        if (covers(&revocations->items[i], subject))
            return revocations->items[i].when_s;
    }
    return 0;
}

/* Whether every number that `b` covers is covered by `a`, be they of whom they may. */
static bool includes_numbers(const struct revocation *a, const struct revocation *b)
{
    if (!a->up_to || b->number[0] != '\0')
        return !b->up_to && a->serial == b->serial && strcmp(a->number, b->number) == 0;
    return b->up_to ? b->serial <= a->serial : certs_serial_is_up_to(b->serial, a->serial);
}

/*
 * Whether every certificate that `b` covers is covered by `a`. Of a single one nobody notes identity and node. The names come last: a
 * full list is read by comparing each with each, and they are what takes long.
 */
static bool includes(const struct revocation *a, const struct revocation *b)
{
    if (!includes_numbers(a, b))
        return false;
    if (a->node[0] != '\0' && (!b->up_to || strcmp(a->node, b->node) != 0))
        return false;
    if (a->narrow && !(b->up_to && b->narrow && cluster_identity_equal(&a->identity, &b->identity)))
        return false;
    return certs_name_same(a->cluster, b->cluster);
}

enum q_err revocations_add(struct revocations *revocations, const struct revocation *revocation)
{
    struct revocation *grown;
    size_t kept = 0;

    assert((revocation->serial != 0) == (revocation->number[0] == '\0') && revocation->when_s != 0 && revocation->cluster[0] != '\0');
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

static int write_line(const struct revocation *one, char line[LINE_SIZE])
{
    char text[CLUSTER_IDENTITY_TEXT_SIZE];
    const char *identity;

    cluster_identity_text(&one->identity, text);
    identity = !one->narrow ? anybody : text[0] != '\0' ? text : nobody;
    if (one->number[0] != '\0')
        return snprintf(line, LINE_SIZE, "%s%s %" PRId64 " %s\n", words[LARGE], one->number, one->when_s, one->cluster);
    if (one->node[0] != '\0')
        return snprintf(line, LINE_SIZE, "%s%" PRIu64 " %" PRId64 " %s %s/%s\n", words[NODE_RANGE], one->serial, one->when_s, identity,
                        one->node, one->cluster);
    if (one->narrow)
        return snprintf(line, LINE_SIZE, "%s%" PRIu64 " %" PRId64 " %s %s\n", words[NARROW_RANGE], one->serial, one->when_s, identity,
                        one->cluster);
    return snprintf(line, LINE_SIZE, "%s%" PRIu64 " %" PRId64 " %s\n", words[one->up_to ? RANGE : SINGLE], one->serial,
                    one->when_s, one->cluster);
}

void revocations_encode(const struct revocations *revocations, struct q_buf *out)
{
    char line[LINE_SIZE];

    q_buf_append(out, head, strlen(head));
    for (size_t i = 0; i < revocations->count; i++) {
        int length = write_line(&revocations->items[i], line);

        q_buf_append(out, line, (size_t)length);
    }
    q_buf_append(out, LINE_FILE_END, strlen(LINE_FILE_END));
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

/* Hexadecimal as it stands in a certificate, and the blank after it. What 64 bits hold is written in the other way. */
static bool take_large(const char **at, char number[REVOCATION_NUMBER_SIZE])
{
    size_t sign = **at == '-', digits = strspn(*at + sign, "0123456789abcdef");

    bool zero = sign == 0 && digits == 2 && memcmp(*at, "00", 2) == 0;

    if (digits % 2 != 0 || (sign == 0 && digits <= 16 && !zero) || digits == 0 || sign + digits >= REVOCATION_NUMBER_SIZE ||
        (*at)[sign + digits] != ' ')
        return false;
    memcpy(number, *at, sign + digits);
    number[sign + digits] = '\0';
    *at += sign + digits + 1;
    return true;
}

/* An identity, or the sign for none, and the blank after it. */
static bool take_identity(const char **at, struct cluster_identity *identity)
{
    const char *blank = strchr(*at, ' ');
    size_t length = blank == NULL ? 0 : (size_t)(blank - *at);
    bool good = length == strlen(nobody) ? memcmp(*at, nobody, length) == 0
                                         : cluster_identity_parse(*at, length, identity);

    *at += length + 1;
    return length > 0 && good;
}

static bool take_word(const char **line, const char *word)
{
    if (strncmp(*line, word, strlen(word)) != 0)
        return false;
    *line += strlen(word);
    return true;
}

/* The name of a node, and the slash after it. */
static bool take_node(const char **at, char node[CERTS_NODE_NAME_LENGTH_MAX + 1])
{
    const char *slash = strchr(*at, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - *at);

    if (length == 0 || length > CERTS_NODE_NAME_LENGTH_MAX)
        return false;
    memcpy(node, *at, length);
    node[length] = '\0';
    *at = slash + 1;
    return certs_node_name_fault(node) == NULL;
}

/* What comes after the time: of which certificates it is true. */
static bool parse_scope(const char **line, enum kind kind, struct revocation *one)
{
    one->narrow = kind == NARROW_RANGE || (kind == NODE_RANGE && strncmp(*line, "* ", 2) != 0);
    if (kind == NODE_RANGE && !one->narrow)
        *line += 2;
    if (one->narrow && !take_identity(line, &one->identity))
        return false;
    return kind != NODE_RANGE || take_node(line, one->node);
}

/* One line, terminated, without its end. */
static bool parse_line(const char *line, struct revocation *one)
{
    enum kind kind = SINGLE;
    uint64_t when;

    memset(one, 0, sizeof(*one));
    while (kind < KINDS && !take_word(&line, words[kind]))
        kind++;
    if (kind == KINDS)
        return false;
    one->up_to = kind != SINGLE && kind != LARGE;
    if (kind == LARGE ? !take_large(&line, one->number) : !take_number(&line, &one->serial))
        return false;
    if (!take_number(&line, &when) || when > INT64_MAX || !parse_scope(&line, kind, one) || certs_name_fault(line) != NULL)
        return false;
    one->when_s = (int64_t)when;
    memcpy(one->cluster, line, strlen(line));
    return true;
}

static enum q_err take_entry(void *context, const char *line)
{
    struct revocations *out = context;
    struct revocation one;
    size_t before = out->count;
    enum q_err err = parse_line(line, &one) ? revocations_add(out, &one) : Q_ERR_INVALID;

    /* One that covers another is never written. */
    return err == Q_OK && out->count != before + 1 ? Q_ERR_INVALID : err;
}

enum q_err revocations_decode(const uint8_t *bytes, size_t size, struct revocations *out)
{
    enum q_err err;

    *out = (struct revocations){0};
    err = line_file_each(bytes, size, head, take_entry, out);
    if (err != Q_OK)
        revocations_fini(out);
    return err;
}
