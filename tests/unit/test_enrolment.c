/* SPDX-License-Identifier: BSD-3-Clause */
/* The arbiter's side of the enrolment program's life: started on demand, replaced without a gap, never in a row of crashes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "certs/enrol/handover.h"
#include "common/clock.h"
#include "qnetd/enrolment.h"

#define ATTEMPTS 1000
#define PAUSE_NS 10000000

struct fixture {
    char dir[64];
    char program[96];
    struct settings settings;
    struct enrolment enrolment;
};

/* A program that stays until it is killed, as one does that has a connection left, or dies at once. */
static void begin(struct fixture *f, const char *line)
{
    static char word[] = "none";
    FILE *file;

    snprintf(f->dir, sizeof(f->dir), "/tmp/test_enrolment.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->program, sizeof(f->program), "%s/program", f->dir);
    file = fopen(f->program, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", line);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(f->program, 0700), 0);
    f->settings = (struct settings){.enrol_program = f->program,
                                    .tls_cert_file = word,
                                    .tls_key_file = word,
                                    .tls_ca_file = word,
                                    .nss_db_dir = word,
                                    .cert_nickname = word};
    enrolment_init(&f->enrolment, qb_loop_create(), &f->settings);
}

/* As the arbiter does every few seconds. */
static void tidy_until(struct fixture *f, const pid_t *gone)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};

    for (unsigned i = 0; i < ATTEMPTS && *gone != 0; i++) {
        enrolment_tidy(&f->enrolment);
        nanosleep(&pause, NULL);
    }
    assert_int_equal(*gone, 0);
}

static void finish(struct fixture *f)
{
    enrolment_fini(&f->enrolment);
    tidy_until(f, &f->enrolment.pid);
    qb_loop_destroy(f->enrolment.loop);
    unlink(f->program);
    rmdir(f->dir);
}

static enum q_err pass_on(struct fixture *f)
{
    return enrolment_pass_on(&f->enrolment, STDIN_FILENO, "a peer");
}

static void end(pid_t pid)
{
    assert_true(pid > 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
}

static void new_certificates_do_not_wait_for_old_connections(void **state)
{
    struct fixture f;
    pid_t first, second;

    (void)state;
    begin(&f, "exec sleep 1000");
    assert_int_equal(pass_on(&f), Q_OK);
    first = f.enrolment.pid;
    assert_int_equal(pass_on(&f), Q_OK);
    assert_int_equal(f.enrolment.pid, first);
    enrolment_renew(&f.enrolment);
    assert_int_equal(pass_on(&f), Q_OK);
    second = f.enrolment.pid;
    assert_true(second != first);
    assert_int_equal(kill(first, 0), 0); /* left to end by itself */

    /* A third one waits: however often certificates change, there are no more than two. */
    enrolment_renew(&f.enrolment);
    assert_int_equal(pass_on(&f), Q_ERR_AGAIN);
    end(first);
    tidy_until(&f, &f.enrolment.leaving);
    assert_int_equal(pass_on(&f), Q_ERR_AGAIN);
    end(second);
    tidy_until(&f, &f.enrolment.pid);
    assert_int_equal(pass_on(&f), Q_OK);
    end(f.enrolment.pid);
    finish(&f);
}

static void one_that_dies_at_once_is_not_started_at_once(void **state)
{
    struct fixture f;
    enum q_err err;

    (void)state;
    begin(&f, "exit 1");
    (void)pass_on(&f);
    for (unsigned i = 0; i < ATTEMPTS && pass_on(&f) == Q_OK; i++)
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    tidy_until(&f, &f.enrolment.pid);
    do { /* the machine may stand still */
        f.enrolment.started_ms = clock_monotonic_ms();
        err = pass_on(&f);
        tidy_until(&f, &f.enrolment.pid);
    } while (clock_monotonic_ms() - f.enrolment.started_ms >= ENROLMENT_RESTART_MS);
    assert_int_equal(err, Q_ERR_AGAIN);
    f.enrolment.started_ms = 1;
    (void)pass_on(&f);
    assert_true(f.enrolment.started_ms > 1);
    finish(&f);
}

static void one_that_is_not_there_is_said(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, "");
    unlink(f.program);
    assert_int_equal(pass_on(&f), Q_ERR_IO);
    assert_true(f.enrolment.failed);
    finish(&f);
}

/* What limits are counted by is read from the text that people see. */
static void where_a_peer_comes_from(void **state)
{
    static const struct {
        const char *peer;
        uint8_t address[16];
    } cases[] = {{"2001:db8::7:5403", {0x20, 0x01, 0x0d, 0xb8, [15] = 7}},
                 {"::1:40000", {[15] = 1}},
                 {"::ffff:192.0.2.1:33390", {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1}},
                 {"192.0.2.1:33390", {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1}},
                 {"?:0", {0}},
                 {"", {0}}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct handover handover = {0};
        uint8_t address[16];

        snprintf(handover.peer, sizeof(handover.peer), "%s", cases[i].peer);
        handover_address(&handover, address);
        assert_memory_equal(address, cases[i].address, sizeof(address));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_certificates_do_not_wait_for_old_connections),
        cmocka_unit_test(one_that_dies_at_once_is_not_started_at_once),
        cmocka_unit_test(one_that_is_not_there_is_said),
        cmocka_unit_test(where_a_peer_comes_from),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
