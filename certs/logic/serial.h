/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The number that tells the certificates of one authority apart, and the text of serial.txt that holds the last one given
 * out: decimal, then a newline, as the packaged script keeps it (certificates.md 2). Pure. The first number ever is
 * CERTS_SERIAL_START + 1, for the authority's own certificate.
 */
#ifndef QUORATE_CERTS_LOGIC_SERIAL_H
#define QUORATE_CERTS_LOGIC_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define CERTS_SERIAL_START 100

/* Positive in a signed 64-bit number, which every program that shows serial numbers can hold. */
#define CERTS_SERIAL_MAX ((uint64_t)INT64_MAX)

#define CERTS_SERIAL_TEXT_SIZE 24

/* From here on numbers are drawn, not counted: of certificates that are renewed where nobody may write to serial.txt. */
#define CERTS_SERIAL_RANDOM_MIN ((uint64_t)1 << 62)

/*
 * Such a number, for a certificate that is made when `counted` was the last number given out, which it notes: 24 bits, then 38 of
 * `random` (any). A count that they cannot hold is not noted.
 */
uint64_t certs_serial_draw(uint64_t counted, uint64_t random);

/*
 * Whether the certificate of that number was made when no more than `counted` had been given out, be it counted itself or drawn. Of
 * one that is drawn without a note nobody knows: false.
 */
bool certs_serial_is_up_to(uint64_t serial, uint64_t counted);

/*
 * The number in the bytes of a serial.txt: digits, then nothing but blanks and newlines. Q_ERR_INVALID: anything else, or more
 * than CERTS_SERIAL_MAX - 1, after which there is no next one.
 */
enum q_err certs_serial_parse(const void *bytes, size_t size, uint64_t *serial);

/* The text for serial.txt, newline included; returns its length. */
size_t certs_serial_format(uint64_t serial, char text[CERTS_SERIAL_TEXT_SIZE]);

#endif
