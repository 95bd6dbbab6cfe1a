/* SPDX-License-Identifier: BSD-3-Clause */
/* The arbiter's list of revoked certificates: missing, damaged, mended, while it runs and at its start. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <qb/qbloop.h>
#include <qb/qbutil.h>

#include "qnetd/revocation.h"
#include "qnetd/settings.h"

static char dir[] = "/tmp/quorate-revocation-XXXXXX";
static char cert_file[sizeof(dir) + 16], list_file[sizeof(dir) + 16];
static struct settings settings;
static struct revocation_watch watch;
static int changes;
static qb_loop_t *loop;
static struct tls_peer_names *peer;

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(cert_file, sizeof(cert_file), "%s/server.pem", dir);
    snprintf(list_file, sizeof(list_file), "%s/revoked", dir);
    settings.nss_db_dir = dir;
    settings.tls_cert_file = cert_file;
    loop = qb_loop_create();
    peer = calloc(1, sizeof(*peer) + sizeof(char *));
    assert_non_null(peer);
    peer->serial = 105;
    peer->number = "69";
    peer->node = "";
    peer->count = 1;
    peer->names[0] = "alpha";
    return loop != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(peer);
    qb_loop_destroy(loop);
    unlink(list_file);
    return rmdir(dir);
}

static void put(const char *text)
{
    FILE *file = fopen(list_file, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void on_change(void *data)
{
    (void)data;
    changes++;
}

#define GOOD "quorate-revocations 1\nserial 105 1800000000 alpha\nend\n"
#define OTHER "quorate-revocations 1\nserial 106 1800000000 alpha\nend\n"
#define DAMAGED "quorate-revocations 1\nserial 105 1800000000 alpha\nen"

static void assert_reason(const char *words)
{
    const char *reason = revocation_reason(&watch, peer);

    assert_null(revocation_reason(&watch, NULL));
    if (words == NULL)
        assert_null(reason);
    else
        assert_non_null(reason != NULL ? strstr(reason, words) : NULL);
}

static void no_file_revokes_nobody(void **state)
{
    (void)state;
    unlink(list_file);
    revocation_open(&watch, loop, &settings, on_change, NULL);
    assert_reason(NULL);
    revocation_close(&watch);
}

static void a_damaged_list_leaves_the_former_one_in_force(void **state)
{
    (void)state;
    put(GOOD);
    revocation_open(&watch, loop, &settings, on_change, NULL);
    assert_reason("has been revoked");
    put(DAMAGED);
    changes = 0;
    revocation_reload(&watch);
    assert_int_equal(changes, 0);
    assert_reason("has been revoked");
    put(OTHER);
    revocation_reload(&watch);
    assert_int_equal(changes, 1);
    assert_reason(NULL);
    put(DAMAGED);
    revocation_reload(&watch);
    assert_reason(NULL);
    revocation_close(&watch);
}

static void at_the_start_a_damaged_list_lets_nobody_in_until_it_is_mended(void **state)
{
    (void)state;
    put(DAMAGED);
    revocation_open(&watch, loop, &settings, on_change, NULL);
    assert_reason("cannot be read");
    revocation_reload(&watch);
    assert_reason("cannot be read");
    put(OTHER);
    revocation_reload(&watch);
    assert_reason(NULL);
    revocation_close(&watch);
}

static void give_up(void *data)
{
    (void)data;
    qb_loop_stop(loop);
}

static void on_awaited_change(void *data)
{
    on_change(data);
    qb_loop_stop(loop);
}

/* As the log asks the administrator to do it, with nothing else than rm or cp. */
static void what_is_done_about_a_damaged_list_is_seen_at_once(void **state)
{
    qb_loop_timer_handle timer;

    (void)state;
    put(DAMAGED);
    revocation_open(&watch, loop, &settings, on_awaited_change, NULL);
    assert_reason("cannot be read");
    for (int round = 0; round < 2; round++) {
        changes = 0;
        if (round == 0)
            assert_int_equal(unlink(list_file), 0);
        else
            put(GOOD);
        assert_int_equal(qb_loop_timer_add(loop, QB_LOOP_MED, 10 * QB_TIME_NS_IN_SEC, NULL, give_up, &timer), 0);
        qb_loop_run(loop);
        (void)qb_loop_timer_del(loop, timer);
        assert_int_equal(changes, 1);
        assert_reason(round == 0 ? NULL : "has been revoked");
    }
    revocation_close(&watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_file_revokes_nobody),
        cmocka_unit_test(a_damaged_list_leaves_the_former_one_in_force),
        cmocka_unit_test(at_the_start_a_damaged_list_lets_nobody_in_until_it_is_mended),
        cmocka_unit_test(what_is_done_about_a_damaged_list_is_seen_at_once),
    };

    return cmocka_run_group_tests_name("revocation_watch", tests, set_up, tear_down);
}
