/* SPDX-License-Identifier: BSD-3-Clause */
/* Codes of invitations: there and back, what people do to them while typing, and that every small slip is found. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "certs/logic/enrol_code.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static struct enrol_code a_code(unsigned seed)
{
    struct enrol_code code;
    uint32_t value = seed * 2654435761u + 12345;

    code.pin = 0;
    for (size_t i = 0; i < sizeof(code.secret); i++) {
        value = value * 1664525u + 1013904223u;
        code.secret[i] = (uint8_t)(value >> 24);
        code.pin = (code.pin << 6 | value >> 26) & ((UINT64_C(1) << ENROL_CODE_PIN_BITS) - 1);
    }
    return code;
}

static bool readable(const char *text, char err_text[ENROL_CODE_ERR_SIZE])
{
    struct enrol_code code;

    err_text[0] = '\0';
    return enrol_code_read(text, &code, err_text, ENROL_CODE_ERR_SIZE) == Q_OK;
}

static void assert_same(const struct enrol_code *a, const struct enrol_code *b)
{
    assert_memory_equal(a->secret, b->secret, sizeof(a->secret));
    assert_true(a->pin == b->pin);
}

static void a_code_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 2000; seed++) {
        struct enrol_code code = a_code(seed), again;
        char text[ENROL_CODE_TEXT_SIZE], err_text[ENROL_CODE_ERR_SIZE];

        enrol_code_write(&code, text);
        assert_int_equal(strlen(text), ENROL_CODE_TEXT_SIZE - 1);
        assert_int_equal(text[0], 'Q');
        assert_int_equal(enrol_code_read(text, &again, err_text, sizeof(err_text)), Q_OK);
        assert_same(&code, &again);
    }
}

static void the_text_of_a_code_never_changes(void **state)
{
    struct enrol_code code = {.secret = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, .pin = UINT64_C(0x0123456789abcd)};
    char text[ENROL_CODE_TEXT_SIZE];

    (void)state;
    enrol_code_write(&code, text);
    assert_string_equal(text, "Q000G-40R40-M30E2-09093-8NKRK-AYDAW");
}

static void case_blanks_and_look_alikes_do_not_matter(void **state)
{
    struct enrol_code code = {{0}, 0}, again;
    char text[ENROL_CODE_TEXT_SIZE], typed[3 * ENROL_CODE_TEXT_SIZE] = "", err_text[ENROL_CODE_ERR_SIZE];
    size_t length = 0;

    (void)state;
    code.secret[3] = 0x08; /* some digits 1 among the 0 */
    code.secret[7] = 0x21;
    enrol_code_write(&code, text);
    for (const char *at = text; *at != '\0'; at++) {
        char character = *at == '0' ? 'o' : *at == '1' ? (at - text) % 2 == 0 ? 'l' : 'I' : *at;

        if (character == '-')
            continue;
        if (character >= 'A' && character <= 'Z' && character != 'I')
            character = (char)(character - 'A' + 'a');
        typed[length++] = character;
        typed[length++] = ' ';
    }
    assert_int_equal(enrol_code_read(typed, &again, err_text, sizeof(err_text)), Q_OK);
    assert_same(&code, &again);
}

/* All 30 * 31 single slips of some codes, each found and located. */
static void a_wrong_character_is_found_and_located(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 8; seed++) {
        struct enrol_code code = a_code(seed);
        char text[ENROL_CODE_TEXT_SIZE], err_text[ENROL_CODE_ERR_SIZE], group[16];

        enrol_code_write(&code, text);
        for (size_t at = 0; text[at] != '\0'; at++) {
            char right = text[at];

            if (right == '-')
                continue;
            snprintf(group, sizeof(group), "group %zu ", at / 6 + 1);
            for (const char *wrong = alphabet; *wrong != '\0'; wrong++) {
                if (*wrong == right)
                    continue;
                text[at] = *wrong;
                assert_false(readable(text, err_text));
                assert_non_null(strstr(err_text, group));
            }
            text[at] = right;
        }
    }
}

/* All pairs of places, a seventh of all pairs of wrong characters, for one code; and all exchanges of two characters. */
static void two_wrong_characters_are_found(void **state)
{
    struct enrol_code code = a_code(99);
    char text[ENROL_CODE_TEXT_SIZE], err_text[ENROL_CODE_ERR_SIZE];
    size_t length = ENROL_CODE_TEXT_SIZE - 1;

    (void)state;
    enrol_code_write(&code, text);
    for (size_t i = 0; i < length; i++) {
        for (size_t j = i + 1; j < length; j++) {
            char a = text[i], b = text[j];

            if (a == '-' || b == '-')
                continue;
            for (size_t x = 0; x < 32; x += 7) {
                for (size_t y = 0; y < 32; y++) {
                    text[i] = alphabet[x];
                    text[j] = alphabet[y];
                    assert_true(readable(text, err_text) == (alphabet[x] == a && alphabet[y] == b));
                }
            }
            text[i] = b;
            text[j] = a;
            assert_true(readable(text, err_text) == (a == b));
            text[i] = a;
            text[j] = b;
        }
    }
}

static void what_is_no_code_is_refused_with_a_sentence(void **state)
{
    static const char *const texts[] = {"", "-----", "Q", "hello", "QQQQQ-QQQQQ-QQQQQ-QQQQQ-QQQQQ-QQQQ",
                                        "QQQQQ-QQQQQ-QQQQQ-QQQQQ-QQQQQ-QQQQQQ", "Q\x01", "Q\xc3\xa4", "Q%s%n"};
    char err_text[ENROL_CODE_ERR_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(readable(texts[i], err_text));
        assert_non_null(strstr(err_text, "mistyped"));
    }
}

/* Another version keeps the check, so that a newer program's code is not taken for a typing mistake. */
static void a_code_of_another_kind_is_told_from_a_slip(void **state)
{
    char err_text[ENROL_CODE_ERR_SIZE];

    (void)state;
    assert_false(readable("00000-00000-00000-00000-00000-00000", err_text));
    assert_non_null(strstr(err_text, "newer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_is_read_as_it_was_written),
        cmocka_unit_test(the_text_of_a_code_never_changes),
        cmocka_unit_test(case_blanks_and_look_alikes_do_not_matter),
        cmocka_unit_test(a_wrong_character_is_found_and_located),
        cmocka_unit_test(two_wrong_characters_are_found),
        cmocka_unit_test(what_is_no_code_is_refused_with_a_sentence),
        cmocka_unit_test(a_code_of_another_kind_is_told_from_a_slip),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
