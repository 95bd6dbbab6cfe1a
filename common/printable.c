/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/printable.h"

#include <assert.h>
#include <string.h>

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

size_t printable_utf8_length(const uint8_t *bytes, size_t byte_count)
{
    if (byte_count == 0)
        return 0;
    if (bytes[0] < 0x80)
        return 1;
    if (bytes[0] >= 0xc2 && bytes[0] <= 0xdf)
        return byte_count >= 2 && is_continuation(bytes[1]) ? 2 : 0;
    if (bytes[0] >= 0xe0 && bytes[0] <= 0xef) {
        if (byte_count < 3 || !is_continuation(bytes[1]) || !is_continuation(bytes[2]))
            return 0;
        if (bytes[0] == 0xe0 && bytes[1] < 0xa0) /* longer than needed */
            return 0;
        if (bytes[0] == 0xed && bytes[1] >= 0xa0) /* surrogates */
            return 0;
        return 3;
    }
    if (bytes[0] >= 0xf0 && bytes[0] <= 0xf4) {
        if (byte_count < 4 || !is_continuation(bytes[1]) || !is_continuation(bytes[2]) ||
            !is_continuation(bytes[3]))
            return 0;
        if (bytes[0] == 0xf0 && bytes[1] < 0x90)
            return 0;
        if (bytes[0] == 0xf4 && bytes[1] >= 0x90) /* above U+10FFFF */
            return 0;
        return 4;
    }
    return 0;
}

/* Length of the character at bytes[0] if it may be shown as it is, else 0. */
static size_t plain_length(const uint8_t *bytes, size_t byte_count)
{
    size_t length = printable_utf8_length(bytes, byte_count);

    if (length == 1 && (bytes[0] < 0x20 || bytes[0] == 0x7f))
        return 0;
    if (length == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0) /* C1 controls */
        return 0;
    return length;
}

bool printable_is_plain(const void *bytes, size_t byte_count)
{
    const uint8_t *at = bytes;

    while (byte_count > 0) {
        size_t length = plain_length(at, byte_count);

        if (length == 0)
            return false;
        at += length;
        byte_count -= length;
    }
    return true;
}

bool printable_text(const void *bytes, size_t byte_count, char *text, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = bytes;
    size_t used = 0;
    size_t cut = 0; /* where "..." still fits */

    assert(size > 0);
    while (byte_count > 0) {
        size_t length = plain_length(at, byte_count);
        char piece[4];
        size_t piece_size;

        if (length == 0) {
            piece[0] = '\\';
            piece[1] = 'x';
            piece[2] = digits[at[0] >> 4];
            piece[3] = digits[at[0] & 15];
            piece_size = 4;
            length = 1;
        } else if (at[0] == '\\') {
            piece[0] = '\\';
            piece[1] = '\\';
            piece_size = 2;
        } else {
            memcpy(piece, at, length);
            piece_size = length;
        }
        if (used + piece_size >= size) {
            size_t dots = size - 1 - cut < 3 ? size - 1 - cut : 3;

            memset(text + cut, '.', dots);
            text[cut + dots] = '\0';
            return false;
        }
        memcpy(text + used, piece, piece_size);
        used += piece_size;
        if (used + 3 < size)
            cut = used;
        at += length;
        byte_count -= length;
    }
    text[used] = '\0';
    return true;
}
