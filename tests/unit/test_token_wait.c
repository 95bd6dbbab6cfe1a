/* SPDX-License-Identifier: BSD-3-Clause */
/* The token that is kept for a moment: handed in once, when its time has come, and no other datagram takes its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/clock.h"
#include "core/token_wait.h"

static qb_loop_t *loop;
static struct token_wait token_wait;
static char heard[64];
static uint64_t heard_ms;

static void on_datagram(void *context, const uint8_t *bytes, size_t size)
{
    strncat((char *)context, (const char *)bytes, size);
    heard_ms = clock_monotonic_ms();
    qb_loop_stop(loop);
}

static int set_up(void **state)
{
    (void)state;
    heard[0] = '\0';
    loop = qb_loop_create();
    assert_non_null(loop);
    assert_int_equal(token_wait_init(&token_wait, loop, heard, on_datagram), Q_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    token_wait_fini(&token_wait, loop);
    qb_loop_destroy(loop);
    return 0;
}

static bool keep(const char *text, uint32_t us)
{
    return token_wait_keep(&token_wait, (const uint8_t *)text, strlen(text), us);
}

static void a_token_is_handed_in_when_its_time_has_come(void **state)
{
    uint64_t began_ms = clock_monotonic_ms();

    (void)state;
    assert_true(keep("token", 20000));
    assert_string_equal(heard, "");
    qb_loop_run(loop);
    assert_string_equal(heard, "token");
    assert_true(heard_ms >= began_ms + 19);
    assert_true(keep("next", 100));
    qb_loop_run(loop);
    assert_string_equal(heard, "tokennext");
}

/* Anybody may send something that looks like a token: it must not cost the one that is kept. */
static void nothing_takes_the_place_of_a_token(void **state)
{
    (void)state;
    assert_true(keep("token", 1000));
    assert_false(keep("forged", 1000));
    qb_loop_run(loop);
    assert_string_equal(heard, "token");
}

/* The timer of the dropped one does not hand in the next one early, or twice. */
static void what_is_dropped_is_not_handed_in(void **state)
{
    (void)state;
    assert_true(keep("token", 1000));
    token_wait_drop(&token_wait);
    assert_true(keep("next", 3000));
    qb_loop_run(loop);
    assert_string_equal(heard, "next");
}

static void what_is_too_large_is_not_kept(void **state)
{
    static const uint8_t large[TOKEN_WAIT_SIZE_MAX + 1];

    (void)state;
    assert_false(token_wait_keep(&token_wait, large, sizeof(large), 100));
    assert_true(token_wait_keep(&token_wait, large, 1, 100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_token_is_handed_in_when_its_time_has_come, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_takes_the_place_of_a_token, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_dropped_is_not_handed_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_large_is_not_kept, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
