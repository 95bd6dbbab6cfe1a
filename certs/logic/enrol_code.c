/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/enrol_code.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* No I, L, O (taken for digits) and no U. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#define GROUP_LENGTH 5
#define SYMBOL_BITS 5
#define VERSION_SYMBOL 23 /* 'Q' */
#define SECRET_FIRST 1
#define SECRET_SYMBOLS 16
#define PIN_FIRST (SECRET_FIRST + SECRET_SYMBOLS)
#define PIN_SYMBOLS (ENROL_CODE_PIN_BITS / SYMBOL_BITS)
#define CHECK_FIRST (PIN_FIRST + PIN_SYMBOLS)

static_assert(CHECK_FIRST + 2 == ENROL_CODE_LENGTH, "the symbols fill the code");
static_assert(SECRET_SYMBOLS * SYMBOL_BITS == ENROL_CODE_SECRET_SIZE * 8, "the secret fills its symbols");

/* ---- arithmetic in the field of 32 elements, x^5 + x^2 + 1 -------------------------------------------------- */

#define ORDER 31

static uint8_t power_of_two(unsigned exponent)
{
    unsigned value = 1;

    for (exponent %= ORDER; exponent > 0; exponent--) {
        value <<= 1;
        if (value & 0x20)
            value ^= 0x25;
    }
    return (uint8_t)value;
}

static unsigned logarithm(uint8_t value)
{
    unsigned exponent = 0;

    assert(value > 0 && value < 32);
    while (power_of_two(exponent) != value)
        exponent++;
    return exponent;
}

static uint8_t multiply(uint8_t a, uint8_t b)
{
    return a == 0 || b == 0 ? 0 : power_of_two(logarithm(a) + logarithm(b));
}

static uint8_t divide(uint8_t a, uint8_t b)
{
    return a == 0 ? 0 : power_of_two(logarithm(a) + ORDER - logarithm(b));
}

/* The sum of symbol times 2^(step * place): zero for step 1 and 2 if the code is whole. */
static uint8_t syndrome(const uint8_t *symbols, unsigned count, unsigned step)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < count; i++)
        sum ^= multiply(symbols[i], power_of_two(step * i));
    return sum;
}

/* Two equations with the two check symbols as unknowns. */
static void set_check(uint8_t symbols[ENROL_CODE_LENGTH])
{
    uint8_t one = syndrome(symbols, CHECK_FIRST, 1), two = syndrome(symbols, CHECK_FIRST, 2);
    uint8_t a = power_of_two(CHECK_FIRST), b = power_of_two(CHECK_FIRST + 1);
    uint8_t aa = multiply(a, a), bb = multiply(b, b);
    uint8_t determinant = multiply(a, bb) ^ multiply(b, aa);

    symbols[CHECK_FIRST] = divide(multiply(one, bb) ^ multiply(two, b), determinant);
    symbols[CHECK_FIRST + 1] = divide(multiply(two, a) ^ multiply(one, aa), determinant);
}

/* ---- symbols and what they stand for ------------------------------------------------------------------------ */

static void put_bits(uint8_t *symbols, unsigned count, const uint8_t *bytes)
{
    for (unsigned i = 0; i < count; i++) {
        symbols[i] = 0;
        for (unsigned bit = i * SYMBOL_BITS; bit < (i + 1) * SYMBOL_BITS; bit++)
            symbols[i] = (uint8_t)(symbols[i] << 1 | (bytes[bit / 8] >> (7 - bit % 8) & 1));
    }
}

static void get_bits(const uint8_t *symbols, unsigned count, uint8_t *bytes)
{
    memset(bytes, 0, count * SYMBOL_BITS / 8);
    for (unsigned bit = 0; bit < count * SYMBOL_BITS; bit++) {
        unsigned value = symbols[bit / SYMBOL_BITS] >> (SYMBOL_BITS - 1 - bit % SYMBOL_BITS) & 1;

        bytes[bit / 8] |= (uint8_t)(value << (7 - bit % 8));
    }
}

void enrol_code_write(const struct enrol_code *code, char text[ENROL_CODE_TEXT_SIZE])
{
    uint8_t symbols[ENROL_CODE_LENGTH] = {VERSION_SYMBOL};

    assert(code->pin >> ENROL_CODE_PIN_BITS == 0);
    put_bits(symbols + SECRET_FIRST, SECRET_SYMBOLS, code->secret);
    for (unsigned i = 0; i < PIN_SYMBOLS; i++)
        symbols[PIN_FIRST + i] = code->pin >> (SYMBOL_BITS * (PIN_SYMBOLS - 1 - i)) & 0x1f;
    set_check(symbols);
    for (unsigned i = 0; i < ENROL_CODE_LENGTH; i++) {
        if (i > 0 && i % GROUP_LENGTH == 0)
            *text++ = '-';
        *text++ = alphabet[symbols[i]];
    }
    *text = '\0';
}

/* -1: not a character of a code. */
static int symbol_of(char character)
{
    const char *found;

    if (character >= 'a' && character <= 'z')
        character = (char)(character - 'a' + 'A');
    if (character == 'O')
        character = '0';
    if (character == 'I' || character == 'L')
        character = '1';
    found = character == '\0' ? NULL : strchr(alphabet, character);
    return found == NULL ? -1 : (int)(found - alphabet);
}

static bool is_separator(char character)
{
    return character == '-' || character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

/* Returns how many symbols there are; one more than a code has if there are too many. */
static enum q_err read_symbols(const char *text, uint8_t symbols[ENROL_CODE_LENGTH], unsigned *count, char *err_text,
                               size_t size)
{
    *count = 0;
    for (; *text != '\0'; text++) {
        int symbol = symbol_of(*text);

        if (is_separator(*text))
            continue;
        if (symbol < 0 && *text > ' ' && *text <= '~')
            snprintf(err_text, size, "The code is mistyped: '%c' (character %u) is none of a code.", *text, *count + 1);
        else if (symbol < 0)
            snprintf(err_text, size, "The code is mistyped: character %u is none of a code.", *count + 1);
        if (symbol < 0)
            return Q_ERR_INVALID;
        if (*count < ENROL_CODE_LENGTH)
            symbols[*count] = (uint8_t)symbol;
        ++*count;
        if (*count > ENROL_CODE_LENGTH)
            break;
    }
    return Q_OK;
}

/* The group in which a single wrong character must be, from 1; 0: more than one is wrong. */
static unsigned wrong_group(uint8_t one, uint8_t two)
{
    unsigned place;

    if (one == 0 || two == 0)
        return 0;
    place = logarithm(divide(two, one));
    return place < ENROL_CODE_LENGTH ? place / GROUP_LENGTH + 1 : 0;
}

enum q_err enrol_code_read(const char *text, struct enrol_code *code, char *err_text, size_t size)
{
    uint8_t symbols[ENROL_CODE_LENGTH] = {0}, one, two;
    unsigned count, group;
    enum q_err err = read_symbols(text, symbols, &count, err_text, size);

    if (err != Q_OK)
        return err;
    if (count != ENROL_CODE_LENGTH) {
        snprintf(err_text, size, "The code is mistyped: it has %s %d characters in six groups of five.",
                 count < ENROL_CODE_LENGTH ? "fewer than" : "more than", ENROL_CODE_LENGTH);
        return Q_ERR_INVALID;
    }
    one = syndrome(symbols, ENROL_CODE_LENGTH, 1);
    two = syndrome(symbols, ENROL_CODE_LENGTH, 2);
    if (one != 0 || two != 0) {
        group = wrong_group(one, two);
        if (group > 0)
            snprintf(err_text, size, "The code is mistyped: look at group %u (if a single character is wrong, it is "
                                     "there).", group);
        else
            snprintf(err_text, size, "The code is mistyped: more than one character is wrong.");
        return Q_ERR_INVALID;
    }
    if (symbols[0] != VERSION_SYMBOL) {
        snprintf(err_text, size, "The code is well typed, but of a kind this program does not know: use a newer one.");
        return Q_ERR_INVALID;
    }
    get_bits(symbols + SECRET_FIRST, SECRET_SYMBOLS, code->secret);
    code->pin = 0;
    for (unsigned i = 0; i < PIN_SYMBOLS; i++)
        code->pin = code->pin << SYMBOL_BITS | symbols[PIN_FIRST + i];
    return Q_OK;
}
