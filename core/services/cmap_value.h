/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What may stand in the key/value map: the rules of names and of typed values (spec/corosync-ipc.md section 5.1). Pure.
 * A struct cmap_value is a view of bytes that somebody else owns; numbers are in the host's byte order, text has one
 * terminator, which its size counts.
 */
#ifndef QUORATE_CORE_SERVICES_CMAP_VALUE_H
#define QUORATE_CORE_SERVICES_CMAP_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CMAP_NAME_MIN 3
#define CMAP_NAME_MAX 255
#define CMAP_VALUE_MAX 16384 /* bytes, as submitted */

/* The numbers are those of the library and of the wire. */
enum cmap_type {
    CMAP_NONE = 0, /* no value: what a key had before it was made, and has after it is gone */
    CMAP_I8 = 1,
    CMAP_U8 = 2,
    CMAP_I16 = 3,
    CMAP_U16 = 4,
    CMAP_I32 = 5,
    CMAP_U32 = 6,
    CMAP_I64 = 7,
    CMAP_U64 = 8,
    CMAP_FLOAT = 9,
    CMAP_DOUBLE = 10,
    CMAP_TEXT = 11,
    CMAP_BINARY = 12
};

struct cmap_value {
    enum cmap_type type;
    size_t size;
    const void *bytes; /* may be NULL if size is 0 */
};

/* 3 to 255 characters out of A-Z a-z 0-9 . _ - / : */
bool cmap_name_is_valid(const char *name);

/* Bytes of a value of that type; 0 for text, binary and what is no type. */
size_t cmap_type_size(enum cmap_type type);
bool cmap_type_is_integer(enum cmap_type type);

/*
 * Whether a submitted value may be stored: a type there is, its exact size for numbers, for text no terminator but at
 * the end (where it need not be), and CMAP_VALUE_MAX at most.
 */
bool cmap_value_is_valid(const struct cmap_value *value);
bool cmap_value_equal(const struct cmap_value *a, const struct cmap_value *b);

/* A value of eight bytes at most, kept in place: numbers on their way into or out of the map. */
struct cmap_number {
    enum cmap_type type;
    uint8_t bytes[8];
};

/* The low bytes of `number` as a value of an integer type. */
struct cmap_number cmap_number(enum cmap_type type, uint64_t number);
struct cmap_value cmap_number_value(const struct cmap_number *number);
/* The number of a value of an integer type, with its sign for the types that have one. */
int64_t cmap_value_signed(const struct cmap_value *value);
uint64_t cmap_value_unsigned(const struct cmap_value *value);

#endif
