/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/serial.h"

#include <inttypes.h>
#include <stdio.h>

enum q_err certs_serial_parse(const void *bytes, size_t size, uint64_t *serial)
{
    const char *text = bytes;
    uint64_t value = 0;
    size_t i = 0;

    while (i < size && text[i] >= '0' && text[i] <= '9') {
        unsigned digit = (unsigned)(text[i] - '0');

        if (value > (CERTS_SERIAL_MAX - 1 - digit) / 10)
            return Q_ERR_INVALID;
        value = value * 10 + digit;
        i++;
    }
    if (i == 0)
        return Q_ERR_INVALID;
    for (; i < size; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r' && text[i] != '\n')
            return Q_ERR_INVALID;
    }
    *serial = value;
    return Q_OK;
}

/* Of a drawn number: the upper bits note the count. The largest note says that there is none. */
#define RANDOM_BITS 38
#define NO_NOTE (((uint64_t)1 << 24) - 1)

uint64_t certs_serial_draw(uint64_t counted, uint64_t random)
{
    uint64_t note = counted < NO_NOTE ? counted : NO_NOTE;

    return CERTS_SERIAL_RANDOM_MIN + (note << RANDOM_BITS) + random % (((uint64_t)1 << RANDOM_BITS) - 1);
}

bool certs_serial_is_up_to(uint64_t serial, uint64_t counted)
{
    uint64_t note;

    if (serial <= counted)
        return true;
    if (serial < CERTS_SERIAL_RANDOM_MIN || serial > CERTS_SERIAL_MAX)
        return false;
    note = (serial - CERTS_SERIAL_RANDOM_MIN) >> RANDOM_BITS;
    return note != NO_NOTE && note <= counted;
}

size_t certs_serial_format(uint64_t serial, char text[CERTS_SERIAL_TEXT_SIZE])
{
    return (size_t)snprintf(text, CERTS_SERIAL_TEXT_SIZE, "%" PRIu64 "\n", serial);
}
