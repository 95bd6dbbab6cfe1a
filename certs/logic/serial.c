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

size_t certs_serial_format(uint64_t serial, char text[CERTS_SERIAL_TEXT_SIZE])
{
    return (size_t)snprintf(text, CERTS_SERIAL_TEXT_SIZE, "%" PRIu64 "\n", serial);
}
