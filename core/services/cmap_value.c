/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/services/cmap_value.h"

#include <assert.h>
#include <string.h>

bool cmap_name_is_valid(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/:";
    size_t size = strnlen(name, CMAP_NAME_MAX + 1);

    return size >= CMAP_NAME_MIN && size <= CMAP_NAME_MAX && strspn(name, allowed) == size;
}

size_t cmap_type_size(enum cmap_type type)
{
    switch (type) {
    case CMAP_I8:
    case CMAP_U8:
        return 1;
    case CMAP_I16:
    case CMAP_U16:
        return 2;
    case CMAP_I32:
    case CMAP_U32:
    case CMAP_FLOAT:
        return 4;
    case CMAP_I64:
    case CMAP_U64:
    case CMAP_DOUBLE:
        return 8;
    case CMAP_NONE:
    case CMAP_TEXT:
    case CMAP_BINARY:
        break;
    }
    return 0;
}

bool cmap_type_is_integer(enum cmap_type type)
{
    return type >= CMAP_I8 && type <= CMAP_U64;
}

bool cmap_value_is_valid(const struct cmap_value *value)
{
    const char *end;

    if (value->type <= CMAP_NONE || value->type > CMAP_BINARY || value->size > CMAP_VALUE_MAX)
        return false;
    if (value->type == CMAP_BINARY)
        return true;
    if (value->type != CMAP_TEXT)
        return value->size == cmap_type_size(value->type);
    if (value->size == 0)
        return true;
    end = memchr(value->bytes, '\0', value->size);
    return end == NULL || end == (const char *)value->bytes + value->size - 1;
}

bool cmap_value_equal(const struct cmap_value *a, const struct cmap_value *b)
{
    return a->type == b->type && a->size == b->size &&
           (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0);
}

/* Wide to narrow and back by way of the types themselves, so that the byte order does not matter. */

struct cmap_number cmap_number(enum cmap_type type, uint64_t number)
{
    struct cmap_number result = {.type = type};
    uint8_t n8 = (uint8_t)number;
    uint16_t n16 = (uint16_t)number;
    uint32_t n32 = (uint32_t)number;

    assert(cmap_type_is_integer(type));
    switch (cmap_type_size(type)) {
    case 1:
        memcpy(result.bytes, &n8, sizeof(n8));
        break;
    case 2:
        memcpy(result.bytes, &n16, sizeof(n16));
        break;
    case 4:
        memcpy(result.bytes, &n32, sizeof(n32));
        break;
    default:
        memcpy(result.bytes, &number, sizeof(number));
        break;
    }
    return result;
}

struct cmap_value cmap_number_value(const struct cmap_number *number)
{
    return (struct cmap_value){number->type, cmap_type_size(number->type), number->bytes};
}

uint64_t cmap_value_unsigned(const struct cmap_value *value)
{
    uint8_t n8;
    uint16_t n16;
    uint32_t n32;
    uint64_t n64;

    assert(cmap_type_is_integer(value->type) && value->size == cmap_type_size(value->type));
    switch (value->size) {
    case 1:
        memcpy(&n8, value->bytes, sizeof(n8));
        return n8;
    case 2:
        memcpy(&n16, value->bytes, sizeof(n16));
        return n16;
    case 4:
        memcpy(&n32, value->bytes, sizeof(n32));
        return n32;
    default:
        memcpy(&n64, value->bytes, sizeof(n64));
        return n64;
    }
}

int64_t cmap_value_signed(const struct cmap_value *value)
{
    uint64_t number = cmap_value_unsigned(value);

    switch (value->type) {
    case CMAP_I8:
        return (int8_t)number;
    case CMAP_I16:
        return (int16_t)number;
    case CMAP_I32:
        return (int32_t)number;
    case CMAP_I64:
    case CMAP_U8:
    case CMAP_U16:
    case CMAP_U32:
    case CMAP_U64:
    case CMAP_NONE:
    case CMAP_FLOAT:
    case CMAP_DOUBLE:
    case CMAP_TEXT:
    case CMAP_BINARY:
        break;
    }
    return (int64_t)number;
}
