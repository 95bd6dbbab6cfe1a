/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The code of an invitation as people read, say and type it (docs/enrolment.md): 30 letters and digits in six groups
 * of five, of which one names the version, sixteen hold the secret, eleven the pin of the arbiter's authority, and two
 * are a check. Pure: what secret and pin mean is the business of certs/enrol/secret.h. Used by both certificate tools.
 *
 * The alphabet is that of Crockford's base 32. The check is a Reed-Solomon code over the 32 symbols: any one or two
 * wrong characters, and any two that changed places, are found; a single one is even located.
 */
#ifndef QUORATE_CERTS_LOGIC_ENROL_CODE_H
#define QUORATE_CERTS_LOGIC_ENROL_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define ENROL_CODE_SECRET_SIZE 10 /* bytes: 80 bits */
#define ENROL_CODE_PIN_BITS 55
#define ENROL_CODE_LENGTH 30    /* characters without hyphens */
#define ENROL_CODE_TEXT_SIZE 36 /* with hyphens and terminator */
#define ENROL_CODE_ERR_SIZE 200

struct enrol_code {
    uint8_t secret[ENROL_CODE_SECRET_SIZE];
    uint64_t pin; /* ENROL_CODE_PIN_BITS bits */
};

/* "QXXXX-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX". */
void enrol_code_write(const struct enrol_code *code, char text[ENROL_CODE_TEXT_SIZE]);

/*
 * Reads what somebody typed: either case, with or without hyphens and blanks, O for 0, I and L for 1. Q_ERR_INVALID:
 * it is mistyped; err_text says in a sentence what is wrong and, if that can be told, where. Nothing but the text is
 * looked at: a code that is well typed may still be unknown to the arbiter.
 */
enum q_err enrol_code_read(const char *text, struct enrol_code *code, char *err_text, size_t size);

#endif
