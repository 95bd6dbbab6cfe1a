/* SPDX-License-Identifier: BSD-3-Clause */
/* Words and replies of the control socket (spec/tools.md section 3). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/control/request.h"
#include "common/control/server.h"
#include "common/text.h"

/* The words, each in angle brackets. */
static const char *words(const char *bytes, size_t size, bool quoting)
{
    static char text[512];
    struct control_request request;
    size_t used = 0;

    assert_int_equal(control_request_parse(&request, bytes, size, quoting), Q_OK);
    text[0] = '\0';
    for (size_t i = 0; i < request.word_count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "<%s>", request.words[i]);
    control_request_fini(&request);
    return text;
}

static void blanks_separate_words(void **state)
{
    (void)state;
    assert_string_equal(words("status \n", 8, true), "<status>");
    assert_string_equal(words(" \tlist\f\vverbose  \n", 18, true), "<list><verbose>");
    assert_string_equal(words("\n", 1, true), "");
    assert_string_equal(words("", 0, true), "");
    assert_string_equal(words("status\rverbose\n", 15, true), "<status>");
    assert_string_equal(words("status\nlist\n", 12, true), "<status>");
}

static void quotes_group_at_the_arbiter(void **state)
{
    (void)state;
    assert_string_equal(words("list cluster \"a b\" \n", 20, true), "<list><cluster><a b>");
    assert_string_equal(words("cluster \"a\\\"b\\\\c\\d\"\n", 20, true), "<cluster><a\"b\\c\\d>");
    assert_string_equal(words("a\\ b c\n", 7, true), "<a b><c>");
    assert_string_equal(words("x\"y z\"w\n", 8, true), "<xy zw>");
    assert_string_equal(words("\"\" a\n", 5, true), "<><a>");
    assert_string_equal(words("\"open end\n", 10, true), "<open end>");
    assert_string_equal(words("a\\\n", 3, true), "<a\\>");
}

static void the_device_has_no_quotes(void **state)
{
    (void)state;
    assert_string_equal(words("list \"a b\" \\x\n", 14, false), "<list><\"a><b\"><\\x>");
}

static void a_nul_byte_ends_its_word(void **state)
{
    (void)state;
    assert_string_equal(words("a\0b c\n", 6, true), "<a><c>");
}

static void surplus_words_are_ignored(void **state)
{
    char line[256];
    struct control_request request;

    (void)state;
    memset(line, ' ', sizeof(line));
    for (size_t i = 0; i < sizeof(line); i += 2)
        line[i] = 'w';
    assert_int_equal(control_request_parse(&request, line, sizeof(line), true), Q_OK);
    assert_int_equal(request.word_count, CONTROL_WORDS_MAX);
    control_request_fini(&request);
}

static void quoting_a_name_reads_back(void **state)
{
    struct q_buf buf;

    (void)state;
    q_buf_init(&buf);
    control_request_append_quoted(&buf, "a \"b\" \\c");
    text_append(&buf, "\n");
    assert_string_equal(words((const char *)q_buf_bytes(&buf), buf.size, true), "<a \"b\" \\c>");
    q_buf_fini(&buf);
}

/* ---- replies ---- */

static void on_say(void *context, const struct control_request *request, struct control_reply *reply)
{
    (void)request;
    text_append(&reply->body, "%s", (const char *)context);
}

static void on_fail(void *context, const struct control_request *request, struct control_reply *reply)
{
    (void)context;
    (void)request;
    reply->error = "It failed";
    reply->stop_daemon = true;
}

static void on_stop(void *context, const struct control_request *request, struct control_reply *reply)
{
    (void)context;
    (void)request;
    reply->stop_daemon = true;
}

static const char *answer(const char *request, size_t limit, bool *stop)
{
    static const struct control_command commands[] = {
        {"say", on_say, "Can't say"}, {"fail", on_fail, "Can't fail"}, {"stop", on_stop, "Can't stop"}};
    struct control_server_config config = {.send_size_max = limit,
                                           .quoting = true,
                                           .commands = commands,
                                           .command_count = 3,
                                           .context = (void *)"hello\n"};
    static char text[256];
    struct q_buf out;

    q_buf_init(&out);
    control_server_answer(&config, request, strlen(request), &out, stop);
    snprintf(text, sizeof(text), "%.*s", (int)out.size, (const char *)q_buf_bytes(&out));
    q_buf_fini(&out);
    return text;
}

static void replies_are_worded_as_packaged(void **state)
{
    bool stop;

    (void)state;
    assert_string_equal(answer("say\n", 100, &stop), "OK\nhello\n");
    assert_false(stop);
    assert_string_equal(answer("SAY it\n", 100, &stop), "OK\nhello\n");
    assert_string_equal(answer("\n", 100, &stop), "Error\nNo command specified\n");
    assert_string_equal(answer("Sing loud\n", 100, &stop), "Error\nUnknown command 'Sing'\n");
    assert_string_equal(answer("fail\n", 100, &stop), "Error\nIt failed\n");
    assert_false(stop);
    assert_string_equal(answer("stop\n", 100, &stop), "OK\n");
    assert_true(stop);
}

static void a_text_that_does_not_fit_is_an_error(void **state)
{
    bool stop;

    (void)state;
    assert_string_equal(answer("say\n", 9, &stop), "OK\nhello\n");
    assert_string_equal(answer("say\n", 8, &stop), "Error\nInternal IPC buffer too small\n");
    assert_string_equal(answer("say\n", 5, &stop), "Error\nCan't say\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_separate_words),
        cmocka_unit_test(quotes_group_at_the_arbiter),
        cmocka_unit_test(the_device_has_no_quotes),
        cmocka_unit_test(a_nul_byte_ends_its_word),
        cmocka_unit_test(surplus_words_are_ignored),
        cmocka_unit_test(quoting_a_name_reads_back),
        cmocka_unit_test(replies_are_worded_as_packaged),
        cmocka_unit_test(a_text_that_does_not_fit_is_an_error),
    };

    return cmocka_run_group_tests_name("control_request", tests, NULL, NULL);
}
