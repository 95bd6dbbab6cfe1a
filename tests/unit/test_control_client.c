/* SPDX-License-Identifier: BSD-3-Clause */
/* What a tool makes of a daemon that answers, hangs up, hangs, or talks nonsense. (spec/tools.md, pain points 1 and 2.) */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/control/client.h"

#define PATIENCE_MS 20000
#define SHORT_MS 100

static char directory[] = "/tmp/quorate-test-XXXXXX";
static char path[64];
static int listener = -1;

static int listen_at_path(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/socket", directory);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    return listen(listener, 4);
}

static int stop_listening(void **state)
{
    (void)state;
    close(listener);
    unlink(path);
    return rmdir(directory);
}

/* Asks a daemon that takes the whole request, says this, and hangs up. */
static void ask(const char *reply, struct control_answer *answer)
{
    static const char request[] = "status\n";
    int status;
    pid_t daemon = fork();

    assert_true(daemon >= 0);
    if (daemon == 0) {
        char got[sizeof(request) - 1];
        int fd = accept(listener, NULL, NULL);

        if (recv(fd, got, sizeof(got), MSG_WAITALL) != (ssize_t)sizeof(got))
            _exit(1);
        _exit(send(fd, reply, strlen(reply), MSG_NOSIGNAL) == (ssize_t)strlen(reply) ? 0 : 2);
    }
    control_ask(path, request, sizeof(request) - 1, PATIENCE_MS, answer);
    assert_int_equal(waitpid(daemon, &status, 0), daemon);
    assert_int_equal(status, 0);
}

static void an_answer_is_told_from_a_refusal_and_from_nonsense(void **state)
{
    static const struct {
        const char *reply;
        enum control_outcome outcome;
        const char *body;
    } cases[] = {
        {"OK\nall is well\n", CONTROL_OK, "all is well\n"},
        {"OK\n", CONTROL_OK, ""},
        {"Error\nno such cluster\n", CONTROL_REFUSED, "no such cluster\n"},
        {"Hello\n", CONTROL_UNKNOWN_REPLY, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct control_answer answer;

        ask(cases[i].reply, &answer);
        assert_int_equal(answer.outcome, cases[i].outcome);
        assert_int_equal(answer.body.size, strlen(cases[i].body));
        if (answer.body.size > 0)
            assert_memory_equal(q_buf_bytes(&answer.body), cases[i].body, answer.body.size);
        control_answer_fini(&answer);
    }
}

static void a_daemon_that_hangs_up_has_not_answered(void **state)
{
    struct control_answer answer;

    (void)state;
    ask("", &answer);
    assert_int_equal(answer.outcome, CONTROL_NO_REPLY);
    assert_true(answer.error_text[0] != '\0');
    control_answer_fini(&answer);
}

static void a_daemon_that_hangs_is_given_up(void **state)
{
    uint64_t start_ms = clock_monotonic_ms();
    struct control_answer answer;
    int abandoned;

    (void)state;
    control_ask(path, "status\n", 7, SHORT_MS, &answer); /* nobody accepts */
    assert_int_equal(answer.outcome, CONTROL_TIMED_OUT);
    assert_true(clock_monotonic_ms() - start_ms >= SHORT_MS);
    control_answer_fini(&answer);
    abandoned = accept(listener, NULL, NULL); /* out of the next one's way */
    assert_true(abandoned >= 0);
    close(abandoned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_told_from_a_refusal_and_from_nonsense),
        cmocka_unit_test(a_daemon_that_hangs_up_has_not_answered),
        cmocka_unit_test(a_daemon_that_hangs_is_given_up),
    };

    return cmocka_run_group_tests_name("control_client", tests, listen_at_path, stop_listening);
}
