/* SPDX-License-Identifier: BSD-3-Clause */
/* The two stores of certificates on disk, in both forms: made, repaired, used by several at a time, replaced; modes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "certs/store/authority.h"
#include "certs/store/folder.h"
#include "certs/store/node_store.h"
#include "tests/unit/test_certs.h"

struct world {
    char *dir;
    char *arbiter_dir, *node_dir;
    struct certs_place arbiter, node;
};

static struct certs_failure why;

static int set_up(void **state, enum certs_form form)
{
    struct world *w = calloc(1, sizeof(*w));

    w->dir = test_dir_make();
    w->arbiter_dir = test_path(w->dir, "qnetd/store");
    w->node_dir = test_path(w->dir, "node/store");
    w->arbiter = (struct certs_place){.form = form, .dir = w->arbiter_dir};
    w->node = (struct certs_place){.form = form, .dir = w->node_dir};
    *state = w;
    return 0;
}

static int set_up_nss(void **state)
{
    return set_up(state, CERTS_NSS);
}

static int set_up_pem(void **state)
{
    return set_up(state, CERTS_PEM);
}

static int tear_down(void **state)
{
    struct world *w = *state;

    test_dir_remove(w->dir);
    free(w->arbiter_dir);
    free(w->node_dir);
    free(w);
    return 0;
}

static enum q_err create(const struct world *w)
{
    const struct certs_authority_wish wish = {.now = time(NULL)};

    return certs_authority_create(&w->arbiter, &wish, NULL, &why);
}

static struct certs_authority *open_arbiter(const struct world *w, enum certs_access access)
{
    struct certs_authority *a;

    if (certs_authority_open(&w->arbiter, access, &a, &why) != Q_OK)
        fail_msg("%s", why.text);
    return a;
}

static enum q_err issue(struct certs_authority *a, const char *name, EVP_PKEY *key, uint64_t serial,
                        X509 **cert)
{
    const struct certs_client_order order = {
        .cluster_name = name, .public_key = key, .serial = serial, .now = time(NULL)};

    return certs_authority_issue(a, &order, cert, &why);
}

static uint64_t serial_of(X509 *cert)
{
    uint64_t serial = 0;

    assert_int_equal(ASN1_INTEGER_get_uint64(&serial, X509_get0_serialNumber(cert)), 1);
    return serial;
}

static EVP_PKEY *some_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    assert_non_null(key);
    return key;
}

static unsigned mode_of(const char *dir, const char *name)
{
    char *path = test_path(dir, name);
    struct stat st;
    int result = stat(path, &st);

    free(path);
    return result == 0 ? st.st_mode & 07777 : 0;
}

/* --- The arbiter's ---------------------------------------------------------------------------------- */

static void an_arbiter_s_store_is_made_once(void **state)
{
    const struct world *w = *state;
    struct certs_authority *a;
    X509 *ca;

    assert_int_equal(create(w), Q_OK);
    a = open_arbiter(w, CERTS_READ);
    ca = X509_dup(certs_authority_certificate(a));
    assert_non_null(certs_authority_server(a));
    certs_authority_close(a);
    assert_int_equal(create(w), Q_ERR_BUSY);
    assert_non_null(strstr(why.text, "already exists"));
    a = open_arbiter(w, CERTS_READ);
    assert_int_equal(X509_cmp(certs_authority_certificate(a), ca), 0);
    certs_authority_close(a);
    X509_free(ca);
}

static void others_read_nothing_and_the_group_writes_nothing(void **state)
{
    const struct world *w = *state;
    bool pem = w->arbiter.form == CERTS_PEM;

    assert_int_equal(create(w), Q_OK);
    assert_int_equal(mode_of(w->arbiter_dir, "."), 0750);
    assert_int_equal(mode_of(w->arbiter_dir, "serial.txt"), 0640);
    assert_int_equal(mode_of(w->arbiter_dir, pem ? "ca.key" : "key4.db"), 0640);
    assert_int_equal(mode_of(w->arbiter_dir, pem ? "server.pem" : "cert9.db"), 0640);
    assert_int_equal(mode_of(w->arbiter_dir, pem ? "ca.pem" : "qnetd-cacert.crt"), 0644);
    assert_int_equal(mode_of(w->arbiter_dir, ".new"), 0);
}

static void serial_numbers_go_on_and_survive_a_lost_file(void **state)
{
    const struct world *w = *state;
    EVP_PKEY *key = some_key();
    char *file = test_path(w->arbiter_dir, "serial.txt"), *revoked = test_path(w->arbiter_dir, CERTS_REVOKED);
    struct certs_authority *a;
    X509 *first, *second;
    uint64_t serial;

    assert_int_equal(create(w), Q_OK);
    a = open_arbiter(w, CERTS_CHANGE);
    assert_int_equal(issue(a, "alpha", key, 0, &first), Q_OK);
    assert_int_equal(serial_of(first), 103);
    unlink(file);
    assert_int_equal(issue(a, "alpha", key, 0, &second), Q_OK);
    assert_int_equal(serial_of(second), 104);
    test_write_text(file, "250\n");
    assert_int_equal(certs_authority_take_serial(a, &serial, &why), Q_OK);
    assert_int_equal(serial, 251);
    test_write_text(file, "nonsense\n");
    assert_int_equal(certs_authority_take_serial(a, &serial, &why), Q_ERR_INVALID);
    unlink(file);
    /* What comes after a revocation is not covered by it: whoever was thrown out may join anew. */
    test_write_text(revoked, "quorate-revocations 1\nserial 900 1 beta\nup-to 300 1 alpha\nup-to-of-node 280 1 * n1/beta\nend\n");
    assert_int_equal(certs_authority_last_serial(w->arbiter_dir, &serial, &why), Q_OK);
    assert_int_equal(serial, 300);
    assert_int_equal(certs_authority_take_serial(a, &serial, &why), Q_OK);
    assert_int_equal(serial, 301);
    unlink(file);
    test_write_text(revoked, "damaged\n");
    assert_int_equal(certs_authority_take_serial(a, &serial, &why), Q_ERR_INVALID);
    certs_authority_close(a);
    X509_free(first);
    X509_free(second);
    EVP_PKEY_free(key);
    free(file);
    free(revoked);
}

static void a_daemon_signs_with_a_number_taken_before(void **state)
{
    const struct world *w = *state;
    EVP_PKEY *key = some_key();
    struct certs_authority *a;
    uint64_t serial;
    X509 *cert;

    assert_int_equal(create(w), Q_OK);
    a = open_arbiter(w, CERTS_CHANGE);
    assert_int_equal(certs_authority_take_serial(a, &serial, &why), Q_OK);
    certs_authority_close(a);
    a = open_arbiter(w, CERTS_READ);
    assert_int_equal(issue(a, "alpha", key, serial, &cert), Q_OK);
    assert_int_equal(serial_of(cert), serial);
    certs_authority_close(a);
    assert_int_equal(mode_of(w->arbiter_dir, "issued"), 0);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void names_that_others_have_in_other_letters_are_refused(void **state)
{
    const struct world *w = *state;
    EVP_PKEY *key = some_key();
    struct certs_authority *a;
    X509 *cert, *none;

    assert_int_equal(create(w), Q_OK);
    a = open_arbiter(w, CERTS_CHANGE);
    assert_int_equal(issue(a, "Alpha", key, 0, &cert), Q_OK);
    assert_int_equal(issue(a, "ALPHA", key, 0, &none), Q_ERR_INVALID);
    assert_non_null(strstr(why.text, "\"Alpha\""));
    assert_int_equal(issue(a, "Qnetd Server", key, 0, &none), Q_ERR_INVALID);
    assert_int_equal(issue(a, "a/b", key, 0, &none), Q_ERR_INVALID);
    certs_authority_close(a);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void count_one(void *context, X509 *cert)
{
    (void)cert;
    (*(int *)context)++;
}

/* Processes that sign at the same time never get the same number. */
static void signers_take_turns(void **state)
{
    enum { SIGNERS = 4, EACH = 3 };
    const struct world *w = *state;
    EVP_PKEY *key = some_key();
    struct certs_authority *a;
    size_t unreadable;
    int count = 0;

    assert_int_equal(create(w), Q_OK);
    for (int i = 0; i < SIGNERS; i++) {
        if (fork() != 0)
            continue;
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(2);
        for (int k = 0; k < EACH; k++) {
            X509 *cert;

            if (certs_authority_open(&w->arbiter, CERTS_CHANGE, &a, &why) != Q_OK ||
                issue(a, "alpha", key, 0, &cert) != Q_OK)
                _exit(1);
            certs_authority_close(a);
        }
        _exit(0);
    }
    for (int i = 0; i < SIGNERS; i++) {
        int status;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    a = open_arbiter(w, CERTS_READ);
    assert_int_equal(certs_authority_each_issued(a, count_one, &count, &unreadable, &why), Q_OK);
    assert_int_equal(count, SIGNERS * EACH);
    assert_int_equal(unreadable, 0);
    certs_authority_close(a);
    EVP_PKEY_free(key);
}

/* --- The node's -------------------------------------------------------------------------------------- */

/* A certificate of this arbiter for the key. */
static X509 *certificate_for(const struct world *w, const char *name, EVP_PKEY *key)
{
    struct certs_authority *a = open_arbiter(w, CERTS_CHANGE);
    X509 *cert;

    if (issue(a, name, key, 0, &cert) != Q_OK)
        fail_msg("%s", why.text);
    certs_authority_close(a);
    return cert;
}

static void create_node(const struct world *w)
{
    struct certs_authority *a = open_arbiter(w, CERTS_READ);
    STACK_OF(X509) *authorities = sk_X509_new_null();

    sk_X509_push(authorities, certs_authority_certificate(a));
    if (certs_node_create(&w->node, authorities, NULL, &why) != Q_OK)
        fail_msg("%s", why.text);
    assert_int_equal(certs_node_create(&w->node, authorities, NULL, &why), Q_ERR_BUSY);
    sk_X509_free(authorities);
    certs_authority_close(a);
}

static void a_node_takes_the_answer_to_its_request_and_replaces_the_former(void **state)
{
    const struct world *w = *state;
    EVP_PKEY *keys[2] = {some_key(), NULL};
    struct certs_identity identity, loaded;

    assert_int_equal(create(w), Q_OK);
    create_node(w);
    assert_int_equal(certs_key_new(&keys[1], &why), Q_OK);
    for (int i = 0; i < 2; i++) {
        X509 *cert = certificate_for(w, "alpha", keys[i]);

        assert_int_equal(certs_node_accept(&w->node, cert, NULL, NULL, &why), Q_ERR_NOT_FOUND);
        assert_int_equal(certs_node_add_key(&w->node, keys[i], &why), Q_OK);
        assert_int_equal(certs_node_accept(&w->node, cert, NULL, &identity, &why), Q_OK);
        assert_int_equal(EVP_PKEY_eq(identity.key, keys[i]), 1);
        certs_identity_fini(&identity);
        assert_int_equal(certs_node_load(&w->node, &loaded, &why), Q_OK);
        assert_int_equal(X509_cmp(loaded.cert, cert), 0);
        assert_int_equal(EVP_PKEY_eq(loaded.key, keys[i]), 1);
        assert_int_equal(sk_X509_num(loaded.authorities), 1);
        certs_identity_fini(&loaded);
        X509_free(cert);
    }
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
}

static void a_node_refuses_what_its_arbiter_did_not_sign(void **state)
{
    const struct world *w = *state;
    struct test_cert foreign_ca = test_cert_authority("QNet CA");
    struct test_cert foreign = test_cert_leaf("alpha", &foreign_ca);
    struct certs_identity identity = {.cert = foreign.cert, .key = foreign.key};

    assert_int_equal(create(w), Q_OK);
    create_node(w);
    assert_int_equal(certs_node_add_key(&w->node, foreign.key, &why), Q_OK);
    assert_int_equal(certs_node_accept(&w->node, foreign.cert, NULL, NULL, &why), Q_ERR_INVALID);
    assert_int_equal(certs_node_install(&w->node, &identity, CERTS_KEEP_AUTHORITIES, &why), Q_ERR_INVALID);
    identity.authorities = sk_X509_new_null();
    sk_X509_push(identity.authorities, foreign_ca.cert);
    assert_int_equal(certs_node_install(&w->node, &identity, CERTS_KEEP_AUTHORITIES, &why), Q_ERR_BUSY);
    assert_int_equal(certs_node_install(&w->node, &identity, CERTS_REPLACE_AUTHORITIES, &why), Q_OK);
    sk_X509_free(identity.authorities);
    assert_int_equal(certs_node_load(&w->node, &identity, &why), Q_OK);
    assert_int_equal(sk_X509_num(identity.authorities), 1);
    assert_int_equal(X509_cmp(sk_X509_value(identity.authorities, 0), foreign_ca.cert), 0);
    certs_identity_fini(&identity);
    test_cert_free(&foreign);
    test_cert_free(&foreign_ca);
}

static void a_whole_identity_makes_its_store(void **state)
{
    const struct world *w = *state;
    struct test_cert ca = test_cert_authority("Other CA");
    struct test_cert own = test_cert_leaf("alpha", &ca);
    X509 *cert = X509_dup(own.cert), *authority = X509_dup(ca.cert); /* as they come from files */
    struct certs_identity identity = {.cert = cert, .key = own.key, .authorities = sk_X509_new_null()};
    struct certs_identity loaded;

    sk_X509_push(identity.authorities, authority);
    assert_int_equal(certs_node_load(&w->node, &loaded, &why), Q_ERR_NOT_FOUND);
    for (int i = 0; i < 2; i++)
        assert_int_equal(certs_node_install(&w->node, &identity, CERTS_KEEP_AUTHORITIES, &why), Q_OK);
    assert_int_equal(certs_node_load(&w->node, &loaded, &why), Q_OK);
    assert_int_equal(X509_cmp(loaded.cert, own.cert), 0);
    certs_identity_fini(&loaded);
    identity.key = ca.key;
    assert_int_equal(certs_node_install(&w->node, &identity, CERTS_KEEP_AUTHORITIES, &why), Q_ERR_INVALID);
    sk_X509_free(identity.authorities);
    X509_free(cert);
    X509_free(authority);
    test_cert_free(&own);
    test_cert_free(&ca);
}

/* --- Repair -------------------------------------------------------------------------------------------- */

/* certificates.md, pain point 3: what the packaged script leaves when it fails half way. */
static void a_store_without_authority_is_completed(void **state)
{
    const struct world *w = *state;
    struct certs_authority *a;
    char *parent = test_path(w->dir, "qnetd"), *words = test_path(w->arbiter_dir, "pwdfile.txt");
    const char *const make[] = {"certutil", "-N", "-d", w->arbiter_dir, "-f", words, NULL};

    mkdir(parent, 0755);
    mkdir(w->arbiter_dir, 0700);
    test_write_text(words, "");
    if (access("/usr/bin/certutil", X_OK) != 0 || !test_run(make, "/dev/null"))
        skip();
    assert_int_equal(certs_authority_open(&w->arbiter, CERTS_READ, &a, &why), Q_ERR_NOT_FOUND);
    assert_non_null(strstr(why.text, "-i"));
    assert_int_equal(create(w), Q_OK);
    assert_int_equal(mode_of(w->arbiter_dir, "."), 0700);
    a = open_arbiter(w, CERTS_READ);
    certs_authority_close(a);
    free(parent);
    free(words);
}

int main(void)
{
#define BOTH(test)                                                                                           \
    cmocka_unit_test_setup_teardown(test, set_up_nss, tear_down),                                            \
        cmocka_unit_test_setup_teardown(test, set_up_pem, tear_down)
    const struct CMUnitTest tests[] = {
        BOTH(an_arbiter_s_store_is_made_once),
        BOTH(others_read_nothing_and_the_group_writes_nothing),
        BOTH(serial_numbers_go_on_and_survive_a_lost_file),
        BOTH(a_daemon_signs_with_a_number_taken_before),
        BOTH(names_that_others_have_in_other_letters_are_refused),
        cmocka_unit_test_setup_teardown(signers_take_turns, set_up_pem, tear_down),
        BOTH(a_node_takes_the_answer_to_its_request_and_replaces_the_former),
        BOTH(a_node_refuses_what_its_arbiter_did_not_sign),
        BOTH(a_whole_identity_makes_its_store),
        cmocka_unit_test_setup_teardown(a_store_without_authority_is_completed, set_up_nss, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
