/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decoder of grant records. What it accepts is canonical: encoded again it is the same bytes. The input is
 * also tried with the closing checksum put right, so that damage further in is reached; and as a cluster's name.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qnetd/logic/grant_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t crc32_of(const uint8_t *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
        }
    }
    return ~crc;
}

static void check(const uint8_t *bytes, size_t size)
{
    struct grant_record record;
    struct q_buf again;

    if (grant_record_decode(&record, bytes, size) != Q_OK) {
        assert(record.name.data == NULL && record.holders == NULL && record.active.ids == NULL);
        return;
    }
    assert(record.holder_count <= GRANT_RECORD_HOLDERS_MAX);
    q_buf_init(&again);
    grant_record_encode(&again, &record);
    assert(again.size == size && memcmp(q_buf_bytes(&again), bytes, size) == 0);
    q_buf_fini(&again);
    grant_record_fini(&record);
}

static void check_with_checksum(const uint8_t *data, size_t size)
{
    struct q_buf bytes;
    char end[32];

    snprintf(end, sizeof(end), "end %08x\n", (unsigned)crc32_of(data, size));
    q_buf_init(&bytes);
    q_buf_append(&bytes, data, size);
    q_buf_append(&bytes, end, strlen(end));
    check(q_buf_bytes(&bytes), bytes.size);
    q_buf_fini(&bytes);
}

static void check_file_name(const uint8_t *data, size_t size)
{
    char name[GRANT_RECORD_FILE_NAME_SIZE];
    size_t length;

    memset(name, 'x', sizeof(name));
    grant_record_file_name((struct wire_bytes){data, size}, name);
    assert(memchr(name, '\0', sizeof(name)) != NULL);
    length = strlen(name);
    assert(length > strlen(".grants") - 1 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                        "0123456789._-") == length);
    assert(strstr(name, "/") == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(data, size);
    check_with_checksum(data, size);
    check_file_name(data, size);
    return 0;
}
