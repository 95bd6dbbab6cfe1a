/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/enrol_wire.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/printable.h"

#define FIELD_HEADER_SIZE 4 /* tag, length */
#define TYPE_LAST ENROL_VERDICT

/* Ascending as in the message. */
enum tag {
    TAG_ID = 1,
    TAG_CLUSTER,
    TAG_NODE,
    TAG_REQUEST,
    TAG_CERTIFICATE,
    TAG_AUTHORITY,
    TAG_REASON,
    TAG_TEXT,
    TAG_PROOF,
    TAG_TIME
};
#define TAG_LAST TAG_TIME

enum content { CONTENT_BYTES, CONTENT_NAME };

static const struct field {
    const char *name;
    enum content content;
    size_t size_min;
    size_t size_max;
    unsigned needed_by; /* bits by enum enrol_type */
    unsigned allowed_in;
} fields[] = {
    [TAG_ID] = {"invitation", CONTENT_BYTES, ENROL_ID_SIZE, ENROL_ID_SIZE, 1 << ENROL_JOIN, 1 << ENROL_JOIN},
    [TAG_CLUSTER] = {"cluster name", CONTENT_NAME, 1, ENROL_NAME_SIZE_MAX, 1 << ENROL_GRANTED | 1 << ENROL_ASK,
                     1 << ENROL_JOIN | 1 << ENROL_GRANTED | 1 << ENROL_ASK},
    [TAG_NODE] = {"node name", CONTENT_NAME, 1, ENROL_NAME_SIZE_MAX, 0, 1 << ENROL_JOIN},
    [TAG_REQUEST] = {"certificate request", CONTENT_BYTES, 1, ENROL_REQUEST_SIZE_MAX,
                     1 << ENROL_JOIN | 1 << ENROL_RENEW, 1 << ENROL_JOIN | 1 << ENROL_RENEW},
    [TAG_CERTIFICATE] = {"certificate", CONTENT_BYTES, 1, ENROL_CERTIFICATE_SIZE_MAX, 1 << ENROL_GRANTED, 1 << ENROL_GRANTED},
    [TAG_AUTHORITY] = {"authority", CONTENT_BYTES, 1, ENROL_CERTIFICATE_SIZE_MAX, 1 << ENROL_GRANTED, 1 << ENROL_GRANTED},
    [TAG_REASON] = {"reason", CONTENT_BYTES, 1, 1, 1 << ENROL_REFUSED, 1 << ENROL_REFUSED | 1 << ENROL_VERDICT},
    [TAG_TEXT] = {"text", CONTENT_NAME, 1, ENROL_TEXT_SIZE_MAX, 1 << ENROL_REFUSED, 1 << ENROL_REFUSED | 1 << ENROL_VERDICT},
    [TAG_PROOF] = {"proof", CONTENT_BYTES, ENROL_PROOF_SIZE, ENROL_PROOF_SIZE, 1 << ENROL_JOIN, 1 << ENROL_JOIN},
    [TAG_TIME] = {"time", CONTENT_BYTES, ENROL_TIME_SIZE, ENROL_TIME_SIZE, 1 << ENROL_VERDICT, 1 << ENROL_VERDICT},
};

/* ---- encoding ------------------------------------------------------------------------------------------------ */

static void append_field(struct q_buf *out, enum enrol_type type, enum tag tag, const struct enrol_bytes *bytes)
{
    const struct field *field = &fields[tag];

    if (bytes->bytes == NULL) {
        assert(!(field->needed_by & 1u << type));
        return;
    }
    assert(field->allowed_in & 1u << type);
    assert(bytes->size >= field->size_min && bytes->size <= field->size_max);
    assert(field->content != CONTENT_NAME || printable_is_plain(bytes->bytes, bytes->size));
    q_buf_append_u16(out, (uint16_t)tag);
    q_buf_append_u16(out, (uint16_t)bytes->size);
    q_buf_append(out, bytes->bytes, bytes->size);
}

bool enrol_grant_fits(const struct enrol_message *granted)
{
    size_t size = ENROL_HEADER_SIZE + 2 * FIELD_HEADER_SIZE + granted->cluster.size + granted->certificate.size;

    if (granted->authority_count == 0 || granted->authority_count > ENROL_AUTHORITIES_MAX ||
        granted->cluster.size > ENROL_NAME_SIZE_MAX || granted->certificate.size > ENROL_CERTIFICATE_SIZE_MAX)
        return false;
    for (size_t i = 0; i < granted->authority_count; i++) {
        if (granted->authorities[i].size > ENROL_CERTIFICATE_SIZE_MAX)
            return false;
        size += FIELD_HEADER_SIZE + granted->authorities[i].size;
    }
    return size <= ENROL_MESSAGE_SIZE_MAX;
}

static void put_time(uint8_t bytes[ENROL_TIME_SIZE], int64_t time_ms)
{
    assert(time_ms >= 0);
    for (unsigned i = 0; i < ENROL_TIME_SIZE; i++)
        bytes[i] = (uint8_t)((uint64_t)time_ms >> 8 * (ENROL_TIME_SIZE - 1 - i));
}

void enrol_encode(const struct enrol_message *message, struct q_buf *out)
{
    size_t first = out->size;
    uint8_t reason = (uint8_t)message->reason;
    struct enrol_bytes reason_bytes = {reason == 0 ? NULL : &reason, 1};
    uint8_t time[ENROL_TIME_SIZE];
    struct enrol_bytes time_bytes = {message->type == ENROL_VERDICT ? time : NULL, sizeof(time)};

    put_time(time, message->time_ms);
    q_buf_append_u8(out, (uint8_t)message->type);
    q_buf_append_u8(out, 0);
    q_buf_append_u16(out, 0);
    append_field(out, message->type, TAG_ID, &message->id);
    append_field(out, message->type, TAG_CLUSTER, &message->cluster);
    append_field(out, message->type, TAG_NODE, &message->node);
    append_field(out, message->type, TAG_REQUEST, &message->request);
    append_field(out, message->type, TAG_CERTIFICATE, &message->certificate);
    assert(message->authority_count <= ENROL_AUTHORITIES_MAX);
    assert(message->type != ENROL_GRANTED || message->authority_count > 0);
    for (size_t i = 0; i < message->authority_count; i++)
        append_field(out, message->type, TAG_AUTHORITY, &message->authorities[i]);
    append_field(out, message->type, TAG_REASON, &reason_bytes);
    append_field(out, message->type, TAG_TEXT, &message->text);
    append_field(out, message->type, TAG_PROOF, &message->proof);
    append_field(out, message->type, TAG_TIME, &time_bytes);
    assert((reason == 0) == (message->text.bytes == NULL));
    if (out->failed)
        return;
    assert(out->size - first <= ENROL_MESSAGE_SIZE_MAX);
    q_buf_put_u16(out, first + 2, (uint16_t)(out->size - first - ENROL_HEADER_SIZE));
}

size_t enrol_proven_size(size_t message_size)
{
    assert(message_size > FIELD_HEADER_SIZE + ENROL_PROOF_SIZE);
    return message_size - FIELD_HEADER_SIZE - ENROL_PROOF_SIZE;
}

/* ---- decoding ------------------------------------------------------------------------------------------------ */

static size_t u16_at(const uint8_t *bytes)
{
    return (size_t)bytes[0] << 8 | bytes[1];
}

enum q_err enrol_missing(const uint8_t *bytes, size_t count, size_t *missing, size_t *size)
{
    *size = ENROL_HEADER_SIZE;
    if (count >= ENROL_HEADER_SIZE)
        *size += u16_at(bytes + 2);
    *missing = count < *size ? *size - count : 0;
    return *size > ENROL_MESSAGE_SIZE_MAX ? Q_ERR_INVALID : Q_OK;
}

static enum q_err wrong(char *err_text, size_t err_size, const char *what, const char *how)
{
    snprintf(err_text, err_size, "%s %s", what, how);
    return Q_ERR_INVALID;
}

static struct enrol_bytes *place_of(struct enrol_message *message, enum tag tag)
{
    switch (tag) {
    case TAG_ID:
        return &message->id;
    case TAG_CLUSTER:
        return &message->cluster;
    case TAG_NODE:
        return &message->node;
    case TAG_REQUEST:
        return &message->request;
    case TAG_CERTIFICATE:
        return &message->certificate;
    case TAG_AUTHORITY:
        return message->authority_count < ENROL_AUTHORITIES_MAX ? &message->authorities[message->authority_count++]
                                                                : NULL;
    case TAG_TEXT:
        return &message->text;
    case TAG_PROOF:
        return &message->proof;
    case TAG_REASON:
    case TAG_TIME:
        break;
    }
    return NULL;
}

static int64_t time_at(const uint8_t bytes[ENROL_TIME_SIZE])
{
    uint64_t time_ms = 0;

    for (unsigned i = 0; i < ENROL_TIME_SIZE; i++)
        time_ms = time_ms << 8 | bytes[i];
    return time_ms > INT64_MAX ? -1 : (int64_t)time_ms;
}

static enum q_err take_field(struct enrol_message *message, enum tag tag, const uint8_t *value, size_t size,
                             char *err_text, size_t err_size)
{
    const struct field *field = &fields[tag];
    struct enrol_bytes *place;

    if (!(field->allowed_in & 1u << message->type))
        return wrong(err_text, err_size, field->name, "does not belong into this message");
    if (size < field->size_min || size > field->size_max)
        return wrong(err_text, err_size, field->name, "has an impossible size");
    if (field->content == CONTENT_NAME && !printable_is_plain(value, size))
        return wrong(err_text, err_size, field->name, "is no text");
    if (tag == TAG_REASON) {
        if (value[0] == 0 || value[0] > ENROL_REASON_LAST)
            return wrong(err_text, err_size, field->name, "is unknown");
        message->reason = (enum enrol_reason)value[0];
        return Q_OK;
    }
    if (tag == TAG_TIME) {
        message->time_ms = time_at(value);
        return message->time_ms >= 0 ? Q_OK : wrong(err_text, err_size, field->name, "is none");
    }
    place = place_of(message, tag);
    if (place == NULL)
        return wrong(err_text, err_size, field->name, "comes too often");
    *place = (struct enrol_bytes){value, size};
    return Q_OK;
}

static enum q_err check_needed(unsigned seen, enum enrol_type type, char *err_text, size_t err_size)
{
    for (unsigned tag = TAG_ID; tag <= TAG_LAST; tag++) {
        if ((fields[tag].needed_by & 1u << type) && !(seen & 1u << tag))
            return wrong(err_text, err_size, fields[tag].name, "is missing");
    }
    if (!(seen & 1u << TAG_REASON) != !(seen & 1u << TAG_TEXT))
        return wrong(err_text, err_size, "a reason or its text", "is missing");
    return Q_OK;
}

enum q_err enrol_decode(const uint8_t *bytes, size_t size, struct enrol_message *message, char *err_text,
                        size_t err_size)
{
    size_t at = ENROL_HEADER_SIZE, missing, whole;
    unsigned seen = 0, newest = 0;

    memset(message, 0, sizeof(*message));
    if (enrol_missing(bytes, size, &missing, &whole) != Q_OK || missing > 0 || whole != size)
        return wrong(err_text, err_size, "the message", "does not end where it says");
    if (bytes[0] == 0 || bytes[0] > TYPE_LAST || bytes[1] != 0)
        return wrong(err_text, err_size, "the message's type", "is unknown");
    message->type = (enum enrol_type)bytes[0];
    while (at < size) {
        size_t tag, value_size;
        enum q_err err;

        if (size - at < FIELD_HEADER_SIZE)
            return wrong(err_text, err_size, "a field", "is cut off");
        tag = u16_at(bytes + at);
        value_size = u16_at(bytes + at + 2);
        if (tag == 0 || tag > TAG_LAST)
            return wrong(err_text, err_size, "a field", "is unknown");
        if (value_size > size - at - FIELD_HEADER_SIZE)
            return wrong(err_text, err_size, fields[tag].name, "is cut off");
        if (tag < newest || (tag == newest && tag != TAG_AUTHORITY))
            return wrong(err_text, err_size, fields[tag].name, "is not where it belongs");
        if (tag == TAG_PROOF)
            message->proven_size = at;
        err = take_field(message, (enum tag)tag, bytes + at + FIELD_HEADER_SIZE, value_size, err_text, err_size);
        if (err != Q_OK)
            return err;
        newest = (unsigned)tag;
        seen |= 1u << tag;
        at += FIELD_HEADER_SIZE + value_size;
    }
    return check_needed(seen, message->type, err_text, err_size);
}
