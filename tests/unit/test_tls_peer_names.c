/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/tls/peer_names.h"
#include "tests/unit/test_certs.h"

static struct test_cert issuer;

static int make_issuer(void **state)
{
    (void)state;
    issuer =
        test_cert_make(&(struct test_cert_wish){.common_name = "CA", .key_kind = TEST_KEY_EC_P256}, NULL);
    return 0;
}

static int drop_issuer(void **state)
{
    (void)state;
    test_cert_free(&issuer);
    return 0;
}

static struct test_cert make(const char *common_name, size_t length, const char *const *alternatives)
{
    struct test_cert_wish wish = {.common_name = common_name,
                                  .common_name_length = length,
                                  .alternatives = alternatives,
                                  .key = issuer.key};

    return test_cert_make(&wish, &issuer);
}

static void expect_names(struct test_cert cert, size_t count, const char *first)
{
    struct tls_peer_names *names;
    char text[128];

    assert_int_equal(tls_peer_names_new(cert.cert, &names, text, sizeof(text)), Q_OK);
    assert_int_equal(names->count, count);
    if (count > 0)
        assert_string_equal(names->names[0], first);
    assert_true(names->not_after > time(NULL));
    tls_peer_names_free(names);
    test_cert_free(&cert);
}

static void expect_refusal(struct test_cert cert, const char *words)
{
    struct tls_peer_names *names;
    char text[128];

    assert_int_equal(tls_peer_names_new(cert.cert, &names, text, sizeof(text)), Q_ERR_INVALID);
    assert_null(names);
    if (strstr(text, words) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", text, words);
    test_cert_free(&cert);
    ERR_clear_error();
}

#define ALTERNATIVES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void the_cluster_identity_is_found_and_is_no_name(void **state)
{
    static const char first[] = "3f2a9c04-5d1e-4b7a-9e02-8c6f1a2b3c4d";
    struct test_cert cert = make("alpha", 0,
                                 ALTERNATIVES("URI:spiffe://example/x", "URI:urn:uuid:00000000-0000-4000-8000-000000000001",
                                              "URI:quorate-cluster:nonsense",
                                              "URI:quorate-cluster:3f2a9c04-5d1e-4b7a-9e02-8c6f1a2b3c4d",
                                              "URI:quorate-cluster:11111111-1111-1111-1111-111111111111"));
    char text[128], identity[CLUSTER_IDENTITY_TEXT_SIZE];
    struct tls_peer_names *names;

    (void)state;
    assert_int_equal(tls_peer_names_new(cert.cert, &names, text, sizeof(text)), Q_OK);
    cluster_identity_text(&names->cluster, identity);
    assert_string_equal(identity, first);
    tls_peer_names_free(names);
    expect_names(cert, 1, "alpha");
}

static void expect_number(const char *hex, uint64_t serial, const char *number)
{
    struct test_cert cert = make("alpha", 0, NULL);
    BIGNUM *value = NULL;
    struct tls_peer_names *names;
    char text[128];

    assert_true(BN_hex2bn(&value, hex) > 0);
    assert_non_null(BN_to_ASN1_INTEGER(value, X509_get_serialNumber(cert.cert)));
    BN_free(value);
    if (number == NULL) {
        expect_refusal(cert, "serial number of more than 64 bytes");
        return;
    }
    assert_int_equal(tls_peer_names_new(cert.cert, &names, text, sizeof(text)), Q_OK);
    assert_true(names->serial == serial);
    assert_string_equal(names->number, number);
    tls_peer_names_free(names);
    test_cert_free(&cert);
}

static void serial_numbers_of_any_size_can_be_told_apart(void **state)
{
    char longest[131] = "";

    (void)state;
    expect_number("0", 0, "00");
    expect_number("69", 105, "69");
    expect_number("FFFFFFFFFFFFFFFF", UINT64_MAX, "ffffffffffffffff");
    expect_number("10000000000000000", 0, "010000000000000000");
    expect_number("-5", 0, "-05");
    memset(longest, 'a', 128);
    expect_number(longest, 0, longest);
    memset(longest, 'a', 130);
    expect_number(longest, 0, NULL);
}

static void the_common_name_counts_without_alternatives(void **state)
{
    (void)state;
    expect_names(make("alpha", 0, NULL), 1, "alpha");
    expect_names(make("my_cluster 1", 0, NULL), 1, "my_cluster 1");
    expect_names(make("cl\xc3\xbcster", 0, NULL), 1, "cl\xc3\xbcster");
    expect_names(make("alpha", 0, ALTERNATIVES("IP:127.0.0.1")), 1, "alpha");
    expect_names(make(NULL, 0, NULL), 0, NULL);
    tls_peer_names_free(NULL);
}

static void alternatives_replace_the_common_name(void **state)
{
    (void)state;
    expect_names(make("zzz", 0, ALTERNATIVES("DNS:alpha")), 1, "alpha");
    expect_names(make("zzz", 0, ALTERNATIVES("IP:127.0.0.1", "DNS:alpha", "DNS:beta")), 2, "alpha");
    expect_names(make(NULL, 0, ALTERNATIVES("DNS:alpha")), 1, "alpha");
}

static void the_last_common_name_counts(void **state)
{
    struct test_cert cert = make("first", 0, NULL);
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(cert.cert));

    (void)state;
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"last", -1, -1, 0);
    X509_set_subject_name(cert.cert, name);
    X509_NAME_free(name);
    expect_names(cert, 1, "last");
}

/* 16-bit text of the old days is the same name. */
static void other_encodings_are_read(void **state)
{
    struct test_cert cert = make("x", 0, NULL);
    X509_NAME *name = X509_NAME_new();

    (void)state;
    X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_BMPSTRING, (const unsigned char *)"\0a\0b", 4, -1,
                               0);
    X509_set_subject_name(cert.cert, name);
    X509_NAME_free(name);
    expect_names(cert, 1, "ab");
}

static void names_that_read_two_ways_are_refused(void **state)
{
    (void)state;
    expect_refusal(make("alpha\0evil", 10, NULL), "NUL");
    expect_refusal(make("alpha\nevil", 0, NULL), "control character");
    expect_refusal(make("alpha\x7f", 0, NULL), "control character");
    expect_refusal(make("alpha", 0, ALTERNATIVES("DNS:alph\xc3\xa4")), "not ASCII");
    expect_refusal(make("alpha", 0, ALTERNATIVES("DNS:beta", "DNS:")), "empty");
}

static void lengths_and_counts_are_limited(void **state)
{
    const char *many[TLS_PEER_NAME_COUNT_MAX + 2];
    char longest[TLS_PEER_NAME_LENGTH_MAX + 2];

    (void)state;
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    expect_refusal(make(longest, 0, NULL), "too long");
    longest[sizeof(longest) - 2] = '\0';
    expect_names(make(longest, 0, NULL), 1, longest);

    for (size_t i = 0; i <= TLS_PEER_NAME_COUNT_MAX; i++)
        many[i] = "DNS:a";
    many[TLS_PEER_NAME_COUNT_MAX + 1] = NULL;
    expect_refusal(make("alpha", 0, many), "one too many");
    many[TLS_PEER_NAME_COUNT_MAX] = NULL;
    expect_names(make("alpha", 0, many), TLS_PEER_NAME_COUNT_MAX, "a");
}

static void an_unreadable_extension_is_refused(void **state)
{
    struct test_cert cert = make("alpha", 0, NULL);
    ASN1_OCTET_STRING *rubbish = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;

    (void)state;
    ASN1_OCTET_STRING_set(rubbish, (const unsigned char *)"rubbish", 7);
    extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, rubbish);
    X509_add_ext(cert.cert, extension, -1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(rubbish);
    expect_refusal(cert, "cannot be read");
}

static void a_second_extension_is_refused(void **state)
{
    struct test_cert cert = make("alpha", 0, ALTERNATIVES("DNS:alpha"));
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:beta");

    (void)state;
    X509_add_ext(cert.cert, extension, -1);
    X509_EXTENSION_free(extension);
    expect_refusal(cert, "cannot be read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_common_name_counts_without_alternatives),
        cmocka_unit_test(serial_numbers_of_any_size_can_be_told_apart),
        cmocka_unit_test(the_cluster_identity_is_found_and_is_no_name),
        cmocka_unit_test(alternatives_replace_the_common_name),
        cmocka_unit_test(the_last_common_name_counts),
        cmocka_unit_test(other_encodings_are_read),
        cmocka_unit_test(names_that_read_two_ways_are_refused),
        cmocka_unit_test(lengths_and_counts_are_limited),
        cmocka_unit_test(an_unreadable_extension_is_refused),
        cmocka_unit_test(a_second_extension_is_refused),
    };

    return cmocka_run_group_tests_name("tls_peer_names", tests, make_issuer, drop_issuer);
}
