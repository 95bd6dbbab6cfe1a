/* SPDX-License-Identifier: BSD-3-Clause */
/* Certificates: requests, what is signed of them, what is accepted afterwards, and files that are something else. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "certs/x509/chain.h"
#include "certs/x509/decode.h"
#include "certs/x509/encode.h"
#include "certs/x509/issue.h"
#include "certs/logic/name.h"
#include "common/tls/peer_names.h"

#define NOW ((int64_t)time(NULL))

/* An authority, and a key that wants a certificate. */
struct world {
    EVP_PKEY *ca_key;
    X509 *ca;
    EVP_PKEY *key;
};

static struct certs_failure why;

static X509 *issue(const struct world *w, const struct certs_order *order)
{
    const struct certs_signer signer = {.cert = w->ca, .key = w->ca_key};
    X509 *cert;

    assert_int_equal(certs_issue(order, &signer, &cert, &why), Q_OK);
    return cert;
}

static int set_up(void **state)
{
    static struct world w;
    struct certs_order order = {
        .kind = CERTS_KIND_AUTHORITY, .common_name = CERTS_AUTHORITY_NAME, .serial = 101, .now = NOW};
    struct certs_signer self;

    assert_int_equal(certs_key_new(&w.ca_key, &why), Q_OK);
    assert_int_equal(certs_key_new(&w.key, &why), Q_OK);
    order.public_key = w.ca_key;
    self = (struct certs_signer){.key = w.ca_key};
    assert_int_equal(certs_issue(&order, &self, &w.ca, &why), Q_OK);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    EVP_PKEY_free(w->ca_key);
    EVP_PKEY_free(w->key);
    X509_free(w->ca);
    return 0;
}

static X509 *client(const struct world *w, const char *name)
{
    return issue(
        w,
        &(struct certs_order){
            .kind = CERTS_KIND_CLIENT, .common_name = name, .public_key = w->key, .serial = 103, .now = NOW});
}

static void clients_get_client_extensions_only(void **state)
{
    X509 *cert = client(*state, "alpha");

    assert_int_equal(X509_check_ca(cert), 0);
    assert_int_equal(X509_get_extended_key_usage(cert), XKU_SSL_CLIENT);
    assert_int_equal(X509_get_key_usage(cert), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_subject_alt_name, -1), -1);
    assert_int_equal(ASN1_INTEGER_get(X509_get0_serialNumber(cert)), 103);
    X509_free(cert);
}

static void servers_keep_the_name_that_devices_look_for(void **state)
{
    const struct world *w = *state;
    const char *const names[] = {"DNS:arbiter.example.org", "IP:10.0.0.1", "IP:fd00::1", NULL};
    X509 *cert = issue(w, &(struct certs_order){.kind = CERTS_KIND_SERVER,
                                                .common_name = CERTS_SERVER_NAME,
                                                .alternatives = names,
                                                .public_key = w->key,
                                                .serial = 102,
                                                .now = NOW});
    struct certs_identity identity = {.cert = cert, .authorities = sk_X509_new_null()};

    sk_X509_push(identity.authorities, w->ca);
    assert_int_equal(X509_check_host(cert, "arbiter.example.org", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(cert, "fd00::1", 0), 1);
    assert_int_equal(X509_get_extended_key_usage(cert), XKU_SSL_SERVER);
    assert_int_equal(chain_check_server(&identity, &why), Q_OK);
    /* Nobody can pose as a client with the arbiter's certificate, nor the other way round. */
    assert_int_equal(chain_check_client(&identity, &why), Q_ERR_INVALID);
    assert_non_null(strstr(why.text, "extendedKeyUsage"));
    sk_X509_free(identity.authorities);
    X509_free(cert);
}

static void a_server_name_that_is_none_is_refused(void **state)
{
    const struct world *w = *state;
    const struct certs_signer signer = {.cert = w->ca, .key = w->ca_key};
    const char *const names[] = {"IP:somewhere", NULL};
    X509 *cert;

    assert_int_equal(certs_issue(&(struct certs_order){.kind = CERTS_KIND_SERVER,
                                                       .common_name = CERTS_SERVER_NAME,
                                                       .alternatives = names,
                                                       .public_key = w->key,
                                                       .serial = 102,
                                                       .now = NOW},
                                 &signer, &cert, &why),
                     Q_ERR_INVALID);
    assert_null(cert);
}

/* certificates.md, pain point 1: a request for an authority with the arbiter's name gives neither. */
static void of_a_request_only_the_key_is_taken(void **state)
{
    const struct world *w = *state;
    STACK_OF(X509_EXTENSION) *asked = sk_X509_EXTENSION_new_null();
    X509_REQ *request = X509_REQ_new();
    EVP_PKEY *key;
    X509 *cert;

    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_UTF8,
                               (const unsigned char *)CERTS_SERVER_NAME, -1, -1, 0);
    sk_X509_EXTENSION_push(asked, X509V3_EXT_nconf(NULL, NULL, "basicConstraints", "critical,CA:TRUE"));
    sk_X509_EXTENSION_push(asked, X509V3_EXT_nconf(NULL, NULL, "subjectAltName", "DNS:Qnetd Server"));
    X509_REQ_add_extensions(request, asked);
    X509_REQ_set_pubkey(request, w->key);
    assert_true(X509_REQ_sign(request, w->key, EVP_sha256()) > 0);
    assert_int_equal(certs_request_key(request, &key, &why), Q_OK);
    cert = issue(
        w,
        &(struct certs_order){
            .kind = CERTS_KIND_CLIENT, .common_name = "alpha", .public_key = key, .serial = 103, .now = NOW});
    assert_int_equal(X509_check_ca(cert), 0);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_subject_alt_name, -1), -1);
    assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(cert)), 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    X509_REQ_free(request);
    sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
}

static void a_request_must_be_signed_with_its_own_key(void **state)
{
    const struct world *w = *state;
    X509_REQ *request = X509_REQ_new();
    EVP_PKEY *key;

    X509_REQ_set_pubkey(request, w->key);
    assert_true(X509_REQ_sign(request, w->ca_key, EVP_sha256()) > 0);
    assert_int_equal(certs_request_key(request, &key, &why), Q_ERR_INVALID);
    assert_null(key);
    X509_REQ_free(request);
}

static void weak_and_odd_keys_are_refused(void **state)
{
    EVP_PKEY *weak = EVP_RSA_gen(1024), *odd = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    EVP_PKEY *curve = EVP_EC_gen("secp256k1"), *good = EVP_EC_gen("P-256");

    (void)state;
    assert_int_equal(certs_key_check(weak, &why), Q_ERR_INVALID);
    assert_non_null(strstr(why.text, "1024"));
    assert_int_equal(certs_key_check(odd, &why), Q_ERR_INVALID);
    assert_int_equal(certs_key_check(curve, &why), Q_ERR_INVALID);
    assert_int_equal(certs_key_check(good, &why), Q_OK);
    EVP_PKEY_free(weak);
    EVP_PKEY_free(odd);
    EVP_PKEY_free(curve);
    EVP_PKEY_free(good);
}

static void names_of_any_allowed_length_and_letters_come_out_as_they_went_in(void **state)
{
    char name[CERTS_CLUSTER_NAME_LENGTH_MAX + 1];
    unsigned char *utf8 = NULL;
    X509 *cert;
    int length;

    memset(name, 'n', sizeof(name) - 1);
    memcpy(name, "a,\"+=\xc3\xa4", 7);
    name[sizeof(name) - 1] = '\0';
    assert_null(certs_name_fault(name));
    cert = client(*state, name);
    length = ASN1_STRING_to_UTF8(
        &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(X509_get_subject_name(cert), 0)));
    assert_int_equal(length, strlen(name));
    assert_memory_equal(utf8, name, strlen(name));
    OPENSSL_free(utf8);
    X509_free(cert);
}

static void the_identity_of_a_cluster_is_no_name_of_it(void **state)
{
    const struct world *w = *state;
    struct certs_order order = {
        .kind = CERTS_KIND_CLIENT, .common_name = "alpha", .public_key = w->key, .serial = 103, .now = NOW};
    struct tls_peer_names *names;
    char text[128];
    X509 *cert;

    for (int with = 0; with < 2; with++) {
        memset(order.cluster.bytes, with * 0x5a, sizeof(order.cluster.bytes));
        cert = issue(w, &order);
        assert_int_equal(tls_peer_names_new(cert, &names, text, sizeof(text)), Q_OK);
        assert_int_equal(names->count, 1);
        assert_string_equal(names->names[0], "alpha");
        assert_true(cluster_identity_equal(&names->cluster, &order.cluster));
        assert_int_equal(X509_get_ext_by_NID(cert, NID_subject_alt_name, -1) >= 0, with);
        tls_peer_names_free(names);
        X509_free(cert);
    }
}

static void an_authority_that_has_ended_signs_nothing(void **state)
{
    const struct world *w = *state;
    const struct certs_signer signer = {.cert = w->ca, .key = w->ca_key};
    X509 *cert;

    assert_int_equal(certs_issue(&(struct certs_order){.kind = CERTS_KIND_CLIENT,
                                                       .common_name = "alpha",
                                                       .public_key = w->key,
                                                       .serial = 103,
                                                       .now = NOW + CERTS_LIFETIME_DEFAULT_S + 1},
                                 &signer, &cert, &why),
                     Q_ERR_EXPIRED);
}

/* --- Judging ---------------------------------------------------------------------------------------- */

static void a_foreign_authority_is_named_as_the_field_at_fault(void **state)
{
    const struct world *w = *state;
    struct certs_order order = {
        .kind = CERTS_KIND_AUTHORITY, .common_name = "Other CA", .serial = 1, .now = NOW};
    struct certs_identity identity = {.cert = client(w, "alpha"), .authorities = sk_X509_new_null()};
    struct certs_signer self = {.key = w->key};
    X509 *other;

    order.public_key = w->key;
    assert_int_equal(certs_issue(&order, &self, &other, &why), Q_OK);
    sk_X509_push(identity.authorities, other);
    assert_int_equal(chain_check_authorities(identity.authorities, &why), Q_OK);
    assert_int_equal(chain_check_client(&identity, &why), Q_ERR_INVALID);
    assert_non_null(strstr(why.text, "field issuer"));
    /* What is no authority is not taken for one. */
    sk_X509_push(identity.authorities, identity.cert);
    assert_int_equal(chain_check_authorities(identity.authorities, &why), Q_ERR_INVALID);
    assert_non_null(strstr(why.text, "basicConstraints"));
    sk_X509_free(identity.authorities);
    X509_free(identity.cert);
    X509_free(other);
}

static void a_client_s_certificate_does_not_pass_for_the_arbiter_s(void **state)
{
    const struct world *w = *state;
    struct certs_identity identity = {.cert = client(w, "alpha"), .authorities = sk_X509_new_null()};

    sk_X509_push(identity.authorities, w->ca);
    assert_int_equal(chain_check_client(&identity, &why), Q_OK);
    assert_int_equal(chain_check_server(&identity, &why), Q_ERR_INVALID);
    assert_non_null(strstr(why.text, "Qnetd Server"));
    sk_X509_free(identity.authorities);
    X509_free(identity.cert);
}

/* --- Bytes of files ----------------------------------------------------------------------------------- */

/* Decode as certificates; the number of them, or -1. */
static int count(const void *bytes, size_t size)
{
    STACK_OF(X509) *list = NULL;
    int number = -1;

    if (certs_decode_certificates("FILE", bytes, size, &list, &why) == Q_OK)
        number = sk_X509_num(list);
    sk_X509_pop_free(list, X509_free);
    return number;
}

static void certificates_are_read_in_every_form_that_is_about(void **state)
{
    const struct world *w = *state;
    struct q_buf der, pem, exported;

    q_buf_init(&der);
    q_buf_init(&pem);
    q_buf_init(&exported);
    assert_int_equal(certs_encode_der(w->ca, &der, &why), Q_OK);
    assert_int_equal(certs_encode_pem(w->ca, &pem, &why), Q_OK);
    assert_int_equal(certs_encode_pem(w->ca, &pem, &why), Q_OK);
    assert_int_equal(certs_encode_exported(w->ca, &exported, &why), Q_OK);
    assert_int_equal(count(q_buf_bytes(&der), der.size), 1);
    assert_int_equal(count(q_buf_bytes(&pem), pem.size), 2);
    assert_int_equal(count(q_buf_bytes(&exported), exported.size), 1);
    assert_non_null(memmem(q_buf_bytes(&exported), exported.size, "\n\n-----BEGIN CERTIFICATE-----\r\n", 31));
    /* Cut off anywhere, it is none. */
    for (size_t size = 0; size < der.size; size += 37)
        assert_int_equal(count(q_buf_bytes(&der), size), -1);
    assert_int_equal(count(q_buf_bytes(&pem), pem.size - 40), -1);
    assert_non_null(strstr(why.text, "damaged"));
    q_buf_fini(&der);
    q_buf_fini(&pem);
    q_buf_fini(&exported);
}

static void a_wrong_file_is_called_what_it_is(void **state)
{
    const struct world *w = *state;
    X509_REQ *request = NULL, *again = NULL;
    struct certs_identity identity;
    EVP_PKEY *key = NULL;
    struct q_buf bytes;

    assert_int_equal(count("", 0), -1);
    assert_non_null(strstr(why.text, "empty"));
    assert_int_equal(count("hello\n", 6), -1);
    assert_non_null(strstr(why.text, "neither PEM nor DER"));
    assert_int_equal(certs_request_new(w->key, "alpha", &request, &why), Q_OK);
    q_buf_init(&bytes);
    assert_int_equal(certs_encode_request(request, false, &bytes, &why), Q_OK);
    assert_int_equal(count(q_buf_bytes(&bytes), bytes.size), -1);
    assert_non_null(strstr(why.text, "a certificate request"));
    assert_int_equal(certs_decode_request("FILE", q_buf_bytes(&bytes), bytes.size, &again, &why), Q_OK);
    X509_REQ_free(again);
    assert_int_equal(certs_decode_pkcs12("FILE", q_buf_bytes(&bytes), bytes.size, &identity, &why),
                     Q_ERR_INVALID);
    q_buf_reset(&bytes);
    assert_int_equal(certs_encode_request(request, true, &bytes, &why), Q_OK);
    assert_int_equal(certs_decode_request("FILE", q_buf_bytes(&bytes), bytes.size, &again, &why), Q_OK);
    X509_REQ_free(again);
    q_buf_reset(&bytes);
    assert_int_equal(certs_encode_der(w->ca, &bytes, &why), Q_OK);
    assert_int_equal(certs_decode_request("FILE", q_buf_bytes(&bytes), bytes.size, &again, &why),
                     Q_ERR_INVALID);
    assert_non_null(strstr(why.text, "it is a certificate"));
    assert_int_equal(certs_decode_key("FILE", q_buf_bytes(&bytes), bytes.size, &key, &why), Q_ERR_INVALID);
    q_buf_fini(&bytes);
    X509_REQ_free(request);
}

static void what_is_packed_can_be_unpacked(void **state)
{
    const struct world *w = *state;
    struct certs_identity packed = {
        .cert = client(w, "alpha"), .key = w->key, .authorities = sk_X509_new_null()};
    struct certs_identity unpacked;
    struct q_buf bytes;

    sk_X509_push(packed.authorities, w->ca);
    q_buf_init(&bytes);
    assert_int_equal(certs_encode_pkcs12(&packed, &bytes, &why), Q_OK);
    assert_int_equal(certs_decode_pkcs12("FILE", q_buf_bytes(&bytes), bytes.size, &unpacked, &why), Q_OK);
    assert_int_equal(X509_cmp(unpacked.cert, packed.cert), 0);
    assert_int_equal(EVP_PKEY_eq(unpacked.key, w->key), 1);
    assert_int_equal(sk_X509_num(unpacked.authorities), 1);
    certs_identity_fini(&unpacked);
    bytes.data[bytes.size / 2] ^= 1;
    assert_int_equal(certs_decode_pkcs12("FILE", q_buf_bytes(&bytes), bytes.size, &unpacked, &why),
                     Q_ERR_INVALID);
    certs_buf_clean(&bytes);
    sk_X509_free(packed.authorities);
    X509_free(packed.cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_get_client_extensions_only),
        cmocka_unit_test(servers_keep_the_name_that_devices_look_for),
        cmocka_unit_test(a_server_name_that_is_none_is_refused),
        cmocka_unit_test(of_a_request_only_the_key_is_taken),
        cmocka_unit_test(a_request_must_be_signed_with_its_own_key),
        cmocka_unit_test(weak_and_odd_keys_are_refused),
        cmocka_unit_test(names_of_any_allowed_length_and_letters_come_out_as_they_went_in),
        cmocka_unit_test(the_identity_of_a_cluster_is_no_name_of_it),
        cmocka_unit_test(an_authority_that_has_ended_signs_nothing),
        cmocka_unit_test(a_foreign_authority_is_named_as_the_field_at_fault),
        cmocka_unit_test(a_client_s_certificate_does_not_pass_for_the_arbiter_s),
        cmocka_unit_test(certificates_are_read_in_every_form_that_is_about),
        cmocka_unit_test(a_wrong_file_is_called_what_it_is),
        cmocka_unit_test(what_is_packed_can_be_unpacked),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
