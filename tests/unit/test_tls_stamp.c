/* SPDX-License-Identifier: BSD-3-Clause */
/* When credentials are to be loaded again because their files are others. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/tls/stamp.h"
#include "tests/unit/test_certs.h"

struct place {
    char *dir, *one, *other;
    struct tls_credentials_source source;
    struct tls_stamp stamp;
};

static void make(struct place *place, const char *first, const char *second)
{
    place->dir = test_dir_make();
    place->one = test_path(place->dir, first);
    place->other = test_path(place->dir, second);
    test_write_text(place->one, "1");
    test_write_text(place->other, "2");
}

static void drop(struct place *place)
{
    free(place->one);
    free(place->other);
    test_dir_remove(place->dir);
}

/* As a program does it that writes whole files. */
static void replace(const struct place *place, const char *path)
{
    char *fresh = test_path(place->dir, "fresh");

    test_write_text(fresh, "another");
    assert_int_equal(rename(fresh, path), 0);
    free(fresh);
}

static bool is_old(struct place *place)
{
    return tls_stamp_is_old(&place->stamp, &place->source);
}

static void check_all(struct place *place)
{
    tls_stamp_take(&place->stamp, &place->source);
    assert_false(is_old(place));
    assert_false(is_old(place));
    replace(place, place->one);
    assert_false(is_old(place)); /* perhaps half of a change */
    replace(place, place->other);
    assert_false(is_old(place));
    assert_true(is_old(place));
    assert_true(is_old(place)); /* until they are loaded */
    tls_stamp_take(&place->stamp, &place->source);
    assert_false(is_old(place));
    /* What is gone is no reason to load; what comes back is. */
    assert_int_equal(unlink(place->other), 0);
    assert_false(is_old(place));
    assert_false(is_old(place));
    test_write_text(place->other, "3");
    assert_false(is_old(place));
    assert_true(is_old(place));
    drop(place);
}

static void databases(void **state)
{
    struct place place;

    (void)state;
    make(&place, "cert9.db", "key4.db");
    place.source = (struct tls_credentials_source){.kind = TLS_SOURCE_NSS, .nss = {.dir = place.dir}};
    check_all(&place);
    make(&place, "cert8.db", "key3.db");
    place.source = (struct tls_credentials_source){.kind = TLS_SOURCE_NSS, .nss = {.dir = place.dir}};
    check_all(&place);
}

static void pem_files(void **state)
{
    struct place place;

    (void)state;
    make(&place, "server.pem", "ca.pem");
    place.source = (struct tls_credentials_source){
        .kind = TLS_SOURCE_PEM, .pem = {.cert_file = place.one, .key_file = place.one, .ca_file = place.other}};
    check_all(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(databases),
        cmocka_unit_test(pem_files),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
