/* SPDX-License-Identifier: BSD-3-Clause */
/* Credentials from PEM files: what is taken, what is refused, and with which words. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/tls/credentials.h"
#include "tests/unit/test_certs.h"

#define DAY_S (24L * 60 * 60)

static struct test_cert ca, own;
static char text[TLS_CREDENTIALS_ERR_SIZE];

/* Files that would load well; a test then spoils one. */
struct files {
    char *dir;
    struct tls_credentials_source src;
};

static int make_certs(void **state)
{
    (void)state;
    ca = test_cert_authority("QNet CA");
    own = test_cert_leaf("Qnetd Server", &ca);
    return 0;
}

static int drop_certs(void **state)
{
    (void)state;
    test_cert_free(&ca);
    test_cert_free(&own);
    return 0;
}

static struct files make_files(void)
{
    struct files f = {.dir = test_dir_make(), .src = {.kind = TLS_SOURCE_PEM}};

    f.src.pem = test_pem_source(f.dir, "server", &own, &ca);
    return f;
}

static void remove_files(struct files *f)
{
    test_pem_source_free(&f->src.pem);
    test_dir_remove(f->dir);
}

static void expect(const struct files *f, enum q_err expected, const char *file, const char *words)
{
    struct tls_credentials *creds = (struct tls_credentials *)(uintptr_t)1;

    assert_int_equal(tls_credentials_load(&f->src, TLS_ROLE_SERVER, &creds, text, sizeof(text)), expected);
    assert_null(creds);
    if (strstr(text, file) == NULL || strstr(text, words) == NULL)
        fail_msg("\"%s\" lacks \"%s\" or \"%s\"", text, file, words);
    assert_int_equal(text[strlen(text) - 1] == '.' || strstr(text, "FILE.pem") != NULL, true);
    assert_int_equal(ERR_peek_error(), 0);
}

static void good_files_load(void **state)
{
    struct files f = make_files();
    struct tls_credentials *creds;
    const struct tls_facts *facts;

    (void)state;
    assert_int_equal(tls_credentials_load(&f.src, TLS_ROLE_SERVER, &creds, text, sizeof(text)), Q_OK);
    assert_string_equal(text, "");
    facts = tls_credentials_facts(creds);
    assert_string_equal(facts->own.subject, "CN=Qnetd Server");
    assert_string_equal(facts->own.issuer, "CN=QNet CA");
    assert_true(facts->own.not_before < time(NULL) && time(NULL) < facts->own.not_after);
    assert_int_equal(facts->ca_count, 1);
    assert_string_equal(facts->ca[0].subject, "CN=QNet CA");
    assert_non_null(strstr(facts->source, f.src.pem.cert_file));
    assert_null(facts->warning);
    assert_int_equal(tls_credentials_role(creds), TLS_ROLE_SERVER);
    assert_null(tls_credentials_peer_name(creds));
    assert_ptr_equal(tls_credentials_ref(creds), creds);
    tls_credentials_unref(creds);
    tls_credentials_unref(creds);
    tls_credentials_unref(NULL);
    remove_files(&f);
}

static void missing_files_are_named(void **state)
{
    struct files f = make_files();

    (void)state;
    unlink(f.src.pem.ca_file);
    expect(&f, Q_ERR_NOT_FOUND, f.src.pem.ca_file, "does not exist");
    unlink(f.src.pem.key_file);
    expect(&f, Q_ERR_NOT_FOUND, f.src.pem.key_file, "does not exist");
    unlink(f.src.pem.cert_file);
    expect(&f, Q_ERR_NOT_FOUND, f.src.pem.cert_file, "does not exist");
    mkdir(f.src.pem.cert_file, 0700);
    expect(&f, Q_ERR_INVALID, f.src.pem.cert_file, "is not a file");
    remove_files(&f);
}

static void files_without_permission_are_named(void **state)
{
    struct files f = make_files();
    uid_t user = geteuid();

    (void)state;
    chmod(f.src.pem.key_file, 0);
    if (user == 0) { /* permissions mean nothing to root */
        assert_int_equal(chmod(f.dir, 0755), 0);
        assert_int_equal(seteuid(65534), 0);
    }
    expect(&f, Q_ERR_ACCESS, f.src.pem.key_file, "Permission denied");
    if (user == 0)
        assert_int_equal(seteuid(0), 0);
    remove_files(&f);
}

static void a_key_of_another_certificate_is_refused(void **state)
{
    struct files f = make_files();

    (void)state;
    test_write_key(f.src.pem.key_file, ca.key);
    expect(&f, Q_ERR_INVALID, f.src.pem.key_file, "does not belong to");
    remove_files(&f);
}

static void an_encrypted_key_is_refused(void **state)
{
    struct files f = make_files();
    FILE *file = fopen(f.src.pem.key_file, "we");

    (void)state;
    assert_int_equal(PEM_write_PrivateKey(file, own.key, EVP_aes_128_cbc(), (const unsigned char *)"secret",
                                          6, NULL, NULL),
                     1);
    fclose(file);
    expect(&f, Q_ERR_INVALID, f.src.pem.key_file, "is encrypted");
    remove_files(&f);
}

static void an_exposed_key_is_warned_about(void **state)
{
    struct files f = make_files();
    struct tls_credentials *creds;

    (void)state;
    chmod(f.src.pem.key_file, 0644);
    assert_int_equal(tls_credentials_load(&f.src, TLS_ROLE_SERVER, &creds, text, sizeof(text)), Q_OK);
    assert_non_null(strstr(tls_credentials_facts(creds)->warning, f.src.pem.key_file));
    assert_non_null(strstr(tls_credentials_facts(creds)->warning, "chmod"));
    tls_credentials_unref(creds);
    remove_files(&f);
}

static void files_that_are_not_pem_are_refused(void **state)
{
    struct files f = make_files();
    unsigned char *der = NULL;
    int size = i2d_X509(own.cert, &der);
    FILE *file;

    (void)state;
    test_write_text(f.src.pem.key_file, "no key in here\n");
    expect(&f, Q_ERR_INVALID, f.src.pem.key_file, "no usable private key");
    test_write_text(f.src.pem.key_file, "");
    expect(&f, Q_ERR_INVALID, f.src.pem.key_file, "no usable private key");
    file = fopen(f.src.pem.cert_file, "we");
    assert_int_equal(fwrite(der, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    OPENSSL_free(der);
    expect(&f, Q_ERR_INVALID, f.src.pem.cert_file, "inform DER");
    test_write_text(f.src.pem.cert_file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    expect(&f, Q_ERR_INVALID, f.src.pem.cert_file, "damaged");
    test_write_text(f.src.pem.cert_file, "-----BEGIN CERTIFICATE-----\nMIIC");
    expect(&f, Q_ERR_INVALID, f.src.pem.cert_file, "damaged");
    remove_files(&f);
}

/* As corosync-qnetd-certutil exports its authority: text first, lines ending CR LF. */
static void text_around_the_certificate_does_not_matter(void **state)
{
    struct files f = make_files();
    struct tls_credentials *creds;
    FILE *file = fopen(f.src.pem.ca_file, "we");
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    long size;

    (void)state;
    assert_int_equal(PEM_write_bio_X509(bio, ca.cert), 1);
    size = BIO_get_mem_data(bio, &data);
    fputs("Certificate:\n    Data:\n        Version: 3 (0x2)\n\n", file);
    for (long i = 0; i < size; i++) {
        if (data[i] == '\n')
            fputc('\r', file);
        fputc(data[i], file);
    }
    fclose(file);
    BIO_free(bio);
    assert_int_equal(tls_credentials_load(&f.src, TLS_ROLE_SERVER, &creds, text, sizeof(text)), Q_OK);
    tls_credentials_unref(creds);
    remove_files(&f);
}

static void a_certificate_outside_its_validity_needs_permission(void **state)
{
    struct test_cert_wish wishes[2] = {
        {.common_name = "Qnetd Server", .not_before_offset_s = -9 * DAY_S, .not_after_offset_s = -DAY_S - 60},
        {.common_name = "Qnetd Server", .not_before_offset_s = 3 * DAY_S + 60}};
    static const char *const words[2] = {"(1 day ago)", "(in 3 days)"};
    struct files f = make_files();

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tls_credentials *creds;
        struct test_cert bad;

        wishes[i].key = own.key;
        bad = test_cert_make(&wishes[i], &ca);
        test_write_certs(f.src.pem.cert_file, (const struct test_cert *[]){&bad, NULL});
        f.src.allow_expired = false;
        expect(&f, Q_ERR_EXPIRED, f.src.pem.cert_file, words[i]);
        f.src.allow_expired = true;
        assert_int_equal(tls_credentials_load(&f.src, TLS_ROLE_SERVER, &creds, text, sizeof(text)),
                         Q_ERR_EXPIRED);
        assert_non_null(creds);
        assert_non_null(strstr(text, words[i]));
        tls_credentials_unref(creds);
        test_cert_free(&bad);
    }
    remove_files(&f);
}

static void authorities_that_have_all_expired_are_refused(void **state)
{
    struct test_cert_wish wish = {.common_name = "Old CA",
                                  .is_authority = true,
                                  .key = ca.key,
                                  .not_before_offset_s = -9 * DAY_S,
                                  .not_after_offset_s = -DAY_S};
    struct test_cert old = test_cert_make(&wish, NULL);
    struct files f = make_files();
    struct tls_credentials *creds;

    (void)state;
    test_write_certs(f.src.pem.ca_file, (const struct test_cert *[]){&old, NULL});
    expect(&f, Q_ERR_EXPIRED, "CN=Old CA", "expired");
    /* One that is still good is enough; the first end is in the past, and shows in the facts. */
    test_write_certs(f.src.pem.ca_file, (const struct test_cert *[]){&old, &ca, NULL});
    assert_int_equal(tls_credentials_load(&f.src, TLS_ROLE_SERVER, &creds, text, sizeof(text)), Q_OK);
    assert_int_equal(tls_credentials_facts(creds)->ca_count, 2);
    assert_true(tls_credentials_first_expiry(creds) < time(NULL));
    tls_credentials_unref(creds);
    test_cert_free(&old);
    remove_files(&f);
}

/* The way of a reload: the caller overwrites its pointer only on success. */
static void a_failed_reload_leaves_the_old_credentials_usable(void **state)
{
    struct files f = make_files();
    struct tls_credentials *current, *fresh;

    (void)state;
    assert_int_equal(tls_credentials_load(&f.src, TLS_ROLE_SERVER, &current, text, sizeof(text)), Q_OK);
    test_write_text(f.src.pem.cert_file, "oops");
    assert_int_equal(tls_credentials_load(&f.src, TLS_ROLE_SERVER, &fresh, text, sizeof(text)),
                     Q_ERR_INVALID);
    assert_null(fresh);
    assert_string_equal(tls_credentials_facts(current)->own.subject, "CN=Qnetd Server");
    tls_credentials_unref(current);
    remove_files(&f);
}

static void short_text_buffers_are_respected(void **state)
{
    struct files f = make_files();
    struct tls_credentials *creds;
    char small[8];

    (void)state;
    unlink(f.src.pem.cert_file);
    assert_int_equal(tls_credentials_load(&f.src, TLS_ROLE_SERVER, &creds, small, sizeof(small)),
                     Q_ERR_NOT_FOUND);
    assert_int_equal(strlen(small), 7);
    assert_int_equal(tls_credentials_load(&f.src, TLS_ROLE_SERVER, &creds, NULL, 0), Q_ERR_NOT_FOUND);
    remove_files(&f);
}

static void a_client_needs_and_keeps_the_name(void **state)
{
    struct files f = make_files();
    struct tls_credentials *creds;

    (void)state;
    f.src.peer_name = "Qnetd Server";
    assert_int_equal(tls_credentials_load(&f.src, TLS_ROLE_CLIENT, &creds, text, sizeof(text)), Q_OK);
    assert_string_equal(tls_credentials_peer_name(creds), "Qnetd Server");
    tls_credentials_unref(creds);
    remove_files(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files_load),
        cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(files_without_permission_are_named),
        cmocka_unit_test(a_key_of_another_certificate_is_refused),
        cmocka_unit_test(an_encrypted_key_is_refused),
        cmocka_unit_test(an_exposed_key_is_warned_about),
        cmocka_unit_test(files_that_are_not_pem_are_refused),
        cmocka_unit_test(text_around_the_certificate_does_not_matter),
        cmocka_unit_test(a_certificate_outside_its_validity_needs_permission),
        cmocka_unit_test(authorities_that_have_all_expired_are_refused),
        cmocka_unit_test(a_failed_reload_leaves_the_old_credentials_usable),
        cmocka_unit_test(short_text_buffers_are_respected),
        cmocka_unit_test(a_client_needs_and_keeps_the_name),
    };

    return cmocka_run_group_tests_name("tls_pem", tests, make_certs, drop_certs);
}
