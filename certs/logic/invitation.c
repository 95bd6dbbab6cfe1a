/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/invitation.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/printable.h"

static const char head[] = "quorate-invitation 1\n";
static const char tail[] = "end\n";

#define SHOWN_NAME_SIZE 201

/* ---- writing --------------------------------------------------------------------------------------------------- */

static void append_text(struct q_buf *out, const char *text)
{
    q_buf_append(out, text, strlen(text));
}

static void append_format(struct q_buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append_format(struct q_buf *out, const char *format, ...)
{
    char line[ENROL_NAME_SIZE_MAX + 32];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    append_text(out, line);
}

static void append_hex(struct q_buf *out, const char *name, const uint8_t *bytes, size_t size)
{
    append_text(out, name);
    append_text(out, " ");
    for (size_t i = 0; i < size; i++)
        append_format(out, "%02x", bytes[i]);
    append_text(out, "\n");
}

void invitation_encode(const struct invitation *invitation, struct q_buf *out)
{
    char identity[CLUSTER_IDENTITY_TEXT_SIZE];

    append_text(out, head);
    append_hex(out, "id", invitation->id, sizeof(invitation->id));
    append_hex(out, "verifier", invitation->verifier, sizeof(invitation->verifier));
    append_format(out, "cluster %s\n", invitation->cluster);
    if (cluster_identity_is_set(&invitation->identity)) {
        cluster_identity_text(&invitation->identity, identity);
        append_format(out, "identity %s\n", identity);
    }
    append_format(out, "node %s\n", invitation->node);
    append_format(out, "created %" PRId64 "\n", invitation->created_s);
    append_format(out, "expires %" PRId64 "\n", invitation->expires_s);
    append_format(out, "serial %" PRIu64 "\n", invitation->serial);
    if (invitation->claimed_s != 0) {
        append_format(out, "claimed %" PRId64 "\n", invitation->claimed_s);
        append_hex(out, "key", invitation->key_hash, sizeof(invitation->key_hash));
        append_format(out, "by %s\n", invitation->claimed_by);
        if (invitation->certificate != NULL)
            append_hex(out, "certificate", invitation->certificate, invitation->certificate_size);
    }
    append_text(out, tail);
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

struct reader {
    const char *at;
    const char *end;
};

/* The rest of the line if it begins with that word, and moves on; NULL otherwise. */
static const char *line_of(struct reader *reader, const char *name, size_t *length)
{
    size_t name_length = strlen(name), left = (size_t)(reader->end - reader->at);
    const char *value, *newline;

    if (left <= name_length || memcmp(reader->at, name, name_length) != 0 || reader->at[name_length] != ' ')
        return NULL;
    value = reader->at + name_length + 1;
    newline = memchr(value, '\n', (size_t)(reader->end - value));
    if (newline == NULL)
        return NULL;
    *length = (size_t)(newline - value);
    reader->at = newline + 1;
    return value;
}

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

static bool hex_bytes(const char *text, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool read_hex(struct reader *reader, const char *name, uint8_t *bytes, size_t size)
{
    size_t length;
    const char *value = line_of(reader, name, &length);

    return value != NULL && length == 2 * size && hex_bytes(value, bytes, size);
}

static bool read_text(struct reader *reader, const char *name, char *text, size_t size, bool may_be_empty)
{
    size_t length;
    const char *value = line_of(reader, name, &length);

    if (value == NULL || length >= size || (length == 0 && !may_be_empty) || !printable_is_plain(value, length))
        return false;
    memcpy(text, value, length);
    text[length] = '\0';
    return true;
}

/* Decimal, as printf writes it: neither sign nor leading zero. */
static bool read_number(struct reader *reader, const char *name, uint64_t max, uint64_t *number)
{
    char digits[24];
    size_t length;
    const char *value = line_of(reader, name, &length);

    if (value == NULL || length == 0 || length >= sizeof(digits) || (length > 1 && value[0] == '0'))
        return false;
    memcpy(digits, value, length);
    digits[length] = '\0';
    if (strspn(digits, "0123456789") != length)
        return false;
    errno = 0;
    *number = strtoull(digits, NULL, 10);
    return errno == 0 && *number <= max;
}

static bool read_time(struct reader *reader, const char *name, int64_t *time_s)
{
    uint64_t number;
    bool good = read_number(reader, name, INT64_MAX, &number);

    *time_s = good ? (int64_t)number : 0;
    return good && number > 0;
}

/* Its line need not be there. */
static bool read_identity(struct reader *reader, struct cluster_identity *identity)
{
    size_t length;
    const char *value = line_of(reader, "identity", &length);

    return value == NULL || cluster_identity_parse(value, length, identity);
}

static bool read_until_claim(struct reader *reader, struct invitation *invitation)
{
    return read_hex(reader, "id", invitation->id, sizeof(invitation->id)) &&
           read_hex(reader, "verifier", invitation->verifier, sizeof(invitation->verifier)) &&
           read_text(reader, "cluster", invitation->cluster, sizeof(invitation->cluster), false) &&
           read_identity(reader, &invitation->identity) &&
           read_text(reader, "node", invitation->node, sizeof(invitation->node), true) &&
           read_time(reader, "created", &invitation->created_s) &&
           read_time(reader, "expires", &invitation->expires_s) &&
           read_number(reader, "serial", UINT64_MAX, &invitation->serial);
}

static bool at_end(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at) == strlen(tail) && memcmp(reader->at, tail, strlen(tail)) == 0;
}

static enum q_err read_certificate(struct reader *reader, struct invitation *invitation)
{
    size_t length;
    const char *value = line_of(reader, "certificate", &length);

    if (value == NULL || length == 0 || length % 2 != 0 || length / 2 > INVITATION_CERTIFICATE_SIZE_MAX)
        return Q_ERR_INVALID;
    invitation->certificate = malloc(length / 2);
    if (invitation->certificate == NULL)
        return Q_ERR_NO_MEMORY;
    invitation->certificate_size = length / 2;
    return hex_bytes(value, invitation->certificate, length / 2) ? Q_OK : Q_ERR_INVALID;
}

static enum q_err read_all(struct reader *reader, struct invitation *invitation)
{
    enum q_err err;

    if (!read_until_claim(reader, invitation))
        return Q_ERR_INVALID;
    if (at_end(reader))
        return Q_OK;
    if (!read_time(reader, "claimed", &invitation->claimed_s) ||
        !read_hex(reader, "key", invitation->key_hash, sizeof(invitation->key_hash)) ||
        !read_text(reader, "by", invitation->claimed_by, sizeof(invitation->claimed_by), false))
        return Q_ERR_INVALID;
    if (at_end(reader))
        return Q_OK;
    err = read_certificate(reader, invitation);
    return err == Q_OK && !at_end(reader) ? Q_ERR_INVALID : err;
}

enum q_err invitation_decode(const uint8_t *bytes, size_t size, struct invitation *invitation)
{
    struct reader reader = {(const char *)bytes, (const char *)bytes + size};
    enum q_err err;

    memset(invitation, 0, sizeof(*invitation));
    if (size < strlen(head) || memcmp(bytes, head, strlen(head)) != 0)
        return Q_ERR_INVALID;
    reader.at += strlen(head);
    err = read_all(&reader, invitation);
    if (err != Q_OK)
        invitation_fini(invitation);
    return err;
}

void invitation_fini(struct invitation *invitation)
{
    free(invitation->certificate);
    invitation->certificate = NULL;
    invitation->certificate_size = 0;
}

/* ---- judging --------------------------------------------------------------------------------------------------- */

enum invitation_state invitation_state(const struct invitation *invitation, int64_t now_s)
{
    if (invitation->certificate != NULL)
        return INVITATION_USED;
    if (now_s >= invitation->expires_s)
        return INVITATION_EXPIRED;
    return invitation->claimed_s != 0 ? INVITATION_CLAIMED : INVITATION_OPEN;
}

static bool same_cluster(const struct invitation *invitation, const struct enrol_bytes *cluster)
{
    return cluster->bytes == NULL || (cluster->size == strlen(invitation->cluster) &&
                                      memcmp(cluster->bytes, invitation->cluster, cluster->size) == 0);
}

unsigned invitation_judge(const struct invitation *invitation, const struct invitation_claim *claim,
                          char text[INVITATION_TEXT_SIZE])
{
    text[0] = '\0';
    if (invitation == NULL) {
        snprintf(text, INVITATION_TEXT_SIZE, "no invitation has this code (it is another arbiter's, or was withdrawn)");
        return ENROL_UNKNOWN;
    }
    if (!claim->proof_good) {
        snprintf(text, INVITATION_TEXT_SIZE, "the proof that the code is known does not belong to this connection");
        return ENROL_BAD_PROOF;
    }
    if (!same_cluster(invitation, claim->cluster)) {
        char ours[SHOWN_NAME_SIZE], theirs[SHOWN_NAME_SIZE];

        /* Cut between characters: the text goes into a message, which holds no others. */
        printable_text(invitation->cluster, strlen(invitation->cluster), ours, sizeof(ours));
        printable_text(claim->cluster->bytes, claim->cluster->size, theirs, sizeof(theirs));
        snprintf(text, INVITATION_TEXT_SIZE, "the code is for cluster \"%s\", the node is in cluster \"%s\"", ours, theirs);
        return ENROL_OTHER_CLUSTER;
    }
    if (invitation->claimed_s != 0 && memcmp(invitation->key_hash, claim->key_hash, INVITATION_KEY_HASH_SIZE) != 0) {
        snprintf(text, INVITATION_TEXT_SIZE,
                 "the code has been used %" PRId64 " minutes ago, from %s, with another key",
                 claim->now_s > invitation->claimed_s ? (claim->now_s - invitation->claimed_s) / 60 : 0,
                 invitation->claimed_by);
        return ENROL_USED;
    }
    if (claim->now_s >= invitation->expires_s) {
        snprintf(text, INVITATION_TEXT_SIZE, "the code expired %" PRId64 " minutes ago",
                 (claim->now_s - invitation->expires_s) / 60);
        return ENROL_EXPIRED;
    }
    return 0;
}

void invitation_claim(struct invitation *invitation, const struct invitation_claim *claim, const char *peer)
{
    if (invitation->claimed_s != 0)
        return;
    invitation->claimed_s = claim->now_s;
    memcpy(invitation->key_hash, claim->key_hash, INVITATION_KEY_HASH_SIZE);
    snprintf(invitation->claimed_by, sizeof(invitation->claimed_by), "%s", peer);
}
