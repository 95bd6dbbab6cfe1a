/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The format, one record a file:
 *
 *   quorate-grants 1
 *   cluster 6c6162            the name in hexadecimal
 *   identity 3f2a9c04-...     to which the name is bound; no line: to nobody
 *   active 1,2                the partition granted last; "-" if none
 *   config 1,2,3              the nodes configured then, likewise
 *   holder 1 19000            node id, lease in milliseconds; ascending, one line each
 *   end 9f3a00c1              CRC-32 (IEEE) of everything before this line
 */
#include "qnetd/logic/grant_record.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "quorate-grants 1\n"

void grant_record_init(struct grant_record *record)
{
    memset(record, 0, sizeof(*record));
}

void grant_record_fini(struct grant_record *record)
{
    free((void *)record->name.data);
    node_set_fini(&record->active);
    node_set_fini(&record->config);
    free(record->holders);
    grant_record_init(record);
}

static uint32_t crc32_ieee(const uint8_t *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

/* ---- encoding ---- */

static void put(struct q_buf *buf, const char *text)
{
    q_buf_append(buf, text, strlen(text));
}

static void put_number(struct q_buf *buf, const char *before, uint32_t number)
{
    char text[32];

    snprintf(text, sizeof(text), "%s%u", before, number);
    put(buf, text);
}

static void put_set(struct q_buf *buf, const char *before, const struct node_set *set)
{
    put(buf, before);
    if (set->count == 0 || set->count > GRANT_RECORD_HOLDERS_MAX) {
        put(buf, "-");
        return;
    }
    for (uint32_t i = 0; i < set->count; i++)
        put_number(buf, i == 0 ? "" : ",", set->ids[i]);
}

void grant_record_encode(struct q_buf *buf, const struct grant_record *record)
{
    size_t begin = buf->size;
    char text[32], identity[CLUSTER_IDENTITY_TEXT_SIZE];

    assert(record->holder_count <= GRANT_RECORD_HOLDERS_MAX);
    put(buf, FIRST_LINE "cluster ");
    for (size_t i = 0; i < record->name.size; i++) {
        snprintf(text, sizeof(text), "%02x", record->name.data[i]);
        put(buf, text);
    }
    if (cluster_identity_is_set(&record->identity)) {
        cluster_identity_text(&record->identity, identity);
        put(buf, "\nidentity ");
        put(buf, identity);
    }
    put_set(buf, "\nactive ", &record->active);
    put_set(buf, "\nconfig ", &record->config);
    put(buf, "\n");
    for (uint32_t i = 0; i < record->holder_count; i++) {
        put_number(buf, "holder ", record->holders[i].node_id);
        put_number(buf, " ", record->holders[i].lease_ms);
        put(buf, "\n");
    }
    if (buf->failed)
        return;
    snprintf(text, sizeof(text), "end %08x\n", crc32_ieee(q_buf_bytes(buf) + begin, buf->size - begin));
    put(buf, text);
    assert(buf->size - begin <= GRANT_RECORD_SIZE_MAX);
}

/* ---- decoding: a cursor over the bytes that never runs past their end ---- */

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

static bool take(struct cursor *cursor, const char *text)
{
    size_t size = strlen(text);

    if ((size_t)(cursor->end - cursor->at) < size || memcmp(cursor->at, text, size) != 0)
        return false;
    cursor->at += size;
    return true;
}

/* A decimal number without sign or leading zeros. */
static bool take_number(struct cursor *cursor, uint32_t *number)
{
    const uint8_t *begin = cursor->at;
    uint64_t value = 0;

    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9' && value <= UINT32_MAX)
        value = value * 10 + (uint64_t)(*cursor->at++ - '0');
    if (cursor->at == begin || value > UINT32_MAX || (*begin == '0' && cursor->at - begin > 1))
        return false;
    *number = (uint32_t)value;
    return true;
}

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    return -1;
}

static enum q_err take_name(struct cursor *cursor, struct grant_record *record)
{
    const uint8_t *newline = memchr(cursor->at, '\n', (size_t)(cursor->end - cursor->at));
    size_t digits = newline != NULL ? (size_t)(newline - cursor->at) : 1;
    uint8_t *name;

    if (digits % 2 != 0)
        return Q_ERR_INVALID;
    name = malloc(digits / 2 + 1);
    if (name == NULL)
        return Q_ERR_NO_MEMORY;
    record->name = (struct wire_bytes){name, digits / 2};
    for (size_t i = 0; i < digits / 2; i++) {
        int high = hex_digit(cursor->at[2 * i]);
        int low = hex_digit(cursor->at[2 * i + 1]);

        if (high < 0 || low < 0)
            return Q_ERR_INVALID;
        name[i] = (uint8_t)(high * 16 + low);
    }
    cursor->at = newline;
    return Q_OK;
}

static bool take_identity(struct cursor *cursor, struct cluster_identity *identity)
{
    size_t length = CLUSTER_IDENTITY_TEXT_SIZE - 1;

    if ((size_t)(cursor->end - cursor->at) < length ||
        !cluster_identity_parse((const char *)cursor->at, length, identity))
        return false;
    cursor->at += length;
    return true;
}

static enum q_err take_set(struct cursor *cursor, struct node_set *set)
{
    uint32_t *ids;
    size_t count = 0;
    enum q_err err = Q_ERR_INVALID;

    if (take(cursor, "-"))
        return Q_OK;
    ids = malloc(GRANT_RECORD_HOLDERS_MAX * sizeof(*ids));
    if (ids == NULL)
        return Q_ERR_NO_MEMORY;
    do {
        if (count == GRANT_RECORD_HOLDERS_MAX || !take_number(cursor, &ids[count]))
            goto out;
        if (count > 0 && ids[count] <= ids[count - 1])
            goto out;
        count++;
    } while (take(cursor, ","));
    err = node_set_assign(set, ids, count);
out:
    free(ids);
    return err;
}

static enum q_err take_holders(struct cursor *cursor, struct grant_record *record)
{
    record->holders = malloc(GRANT_RECORD_HOLDERS_MAX * sizeof(*record->holders));
    if (record->holders == NULL)
        return Q_ERR_NO_MEMORY;
    while (take(cursor, "holder ")) {
        struct grant_holder *holder = &record->holders[record->holder_count];

        if (record->holder_count == GRANT_RECORD_HOLDERS_MAX || !take_number(cursor, &holder->node_id) ||
            !take(cursor, " ") || !take_number(cursor, &holder->lease_ms) || !take(cursor, "\n"))
            return Q_ERR_INVALID;
        if (record->holder_count > 0 && holder->node_id <= holder[-1].node_id)
            return Q_ERR_INVALID;
        record->holder_count++;
    }
    return Q_OK;
}

static enum q_err decode(struct grant_record *record, const uint8_t *bytes, size_t size)
{
    struct cursor cursor = {bytes, bytes + size};
    char end[32];
    enum q_err err;

    if (!take(&cursor, FIRST_LINE) || !take(&cursor, "cluster "))
        return Q_ERR_INVALID;
    err = take_name(&cursor, record);
    if (err != Q_OK)
        return err;
    if (take(&cursor, "\nidentity ") && !take_identity(&cursor, &record->identity))
        return Q_ERR_INVALID;
    if (!take(&cursor, "\nactive "))
        return Q_ERR_INVALID;
    err = take_set(&cursor, &record->active);
    if (err != Q_OK)
        return err;
    if (!take(&cursor, "\nconfig "))
        return Q_ERR_INVALID;
    err = take_set(&cursor, &record->config);
    if (err != Q_OK)
        return err;
    if (!take(&cursor, "\n"))
        return Q_ERR_INVALID;
    err = take_holders(&cursor, record);
    if (err != Q_OK)
        return err;
    snprintf(end, sizeof(end), "end %08x\n", crc32_ieee(bytes, (size_t)(cursor.at - bytes)));
    return take(&cursor, end) && cursor.at == cursor.end ? Q_OK : Q_ERR_INVALID;
}

enum q_err grant_record_decode(struct grant_record *record, const uint8_t *bytes, size_t size)
{
    enum q_err err;

    grant_record_init(record);
    if (size > GRANT_RECORD_SIZE_MAX)
        return Q_ERR_INVALID;
    err = decode(record, bytes, size);
    if (err != Q_OK)
        grant_record_fini(record);
    return err;
}

/* ---- file name ---- */

static uint64_t fnv1a(struct wire_bytes name, uint64_t hash)
{
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ name.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/*
 * Letters, digits and '-' stand for themselves, any other byte is _HH; too long a name ends in a hash instead. The empty
 * name is a lone '_', so that its file is not a hidden one.
 */
void grant_record_file_name(struct wire_bytes name, char file_name[GRANT_RECORD_FILE_NAME_SIZE])
{
    static const char suffix[] = ".grants";
    const size_t hashed_size = sizeof("..0123456789abcdef0123456789abcdef") - 1;
    const size_t room = GRANT_RECORD_FILE_NAME_SIZE - sizeof(suffix);
    size_t used = 0;
    size_t cut = 0; /* where the hash goes if the rest does not fit */
    bool fits = true;

    if (name.size == 0)
        file_name[used++] = '_';
    for (size_t i = 0; i < name.size && fits; i++) {
        uint8_t byte = name.data[i];
        bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                     byte == '-';
        size_t size = plain ? 1 : 3;

        fits = used + size <= room;
        if (!fits)
            break;
        snprintf(file_name + used, size + 1, plain ? "%c" : "_%02x", byte);
        used += size;
        if (used + hashed_size <= room)
            cut = used;
    }
    if (!fits) {
        snprintf(file_name + cut, hashed_size + 1, "..%016llx%016llx",
                 (unsigned long long)fnv1a(name, UINT64_C(0xcbf29ce484222325)),
                 (unsigned long long)fnv1a(name, UINT64_C(0x9e3779b97f4a7c15)));
        used = cut + hashed_size;
    }
    memcpy(file_name + used, suffix, sizeof(suffix));
}
