/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes foreign bytes (cluster names, words typed at a socket, texts from peers) fit to be shown: in a log
 * line, on a terminal, in JSON. Pure. Valid UTF-8 without control characters stays as it is, every other
 * byte becomes \xNN, and a backslash is doubled so that the text can be read back without doubt.
 */
#ifndef QUORATE_COMMON_PRINTABLE_H
#define QUORATE_COMMON_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes a terminated text of at most size - 1 bytes (size > 0); one that does not fit ends in "...".
 * Returns false if it was cut off. Works with any bytes, NUL included.
 */
bool printable_text(const void *bytes, size_t byte_count, char *text, size_t size);

/* Length in bytes (1 to 4) of the valid UTF-8 character that starts at bytes[0]; 0: not valid UTF-8. */
size_t printable_utf8_length(const uint8_t *bytes, size_t byte_count);

/* Whether the bytes are valid UTF-8 without control characters (U+0000 to U+001F, U+007F to U+009F). */
bool printable_is_plain(const void *bytes, size_t byte_count);

#endif
