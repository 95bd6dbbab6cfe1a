/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is let in and who is not, in both roles, against our own channel and against bare OpenSSL. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/tls/channel.h"
#include "common/tls/credentials.h"
#include "common/tls/peer_names.h"
#include "tests/unit/test_certs.h"
#include "tests/unit/tls_pair.h"

#define DAY_S (24L * 60 * 60)

/* One authority and what it signed, made once: keys take time. */
static struct test_cert ca, foreign_ca, server_cert, client_cert;
static struct tls_credentials *server_creds;

static int make_world(void **state)
{
    (void)state;
    ca = test_cert_authority("QNet CA");
    foreign_ca = test_cert_authority("QNet CA"); /* same name, as each arbiter's has */
    server_cert = test_cert_leaf("Qnetd Server", &ca);
    client_cert = test_cert_leaf("alpha", &ca);
    server_creds = test_credentials(&(struct tls_credentials_source){.client_cert_required = true},
                                    TLS_ROLE_SERVER, &server_cert, &ca);
    return 0;
}

static int drop_world(void **state)
{
    (void)state;
    test_cert_free(&ca);
    test_cert_free(&foreign_ca);
    test_cert_free(&server_cert);
    test_cert_free(&client_cert);
    tls_credentials_unref(server_creds);
    return 0;
}

/* --- A client of bare OpenSSL, which may do what ours never would --------------------------------- */

struct bare {
    SSL_CTX *ctx;
    SSL *ssl;
    struct tls_pair pair;
};

/* own NULL: without certificate. */
static void bare_init(struct bare *b, struct tls_credentials *server, const struct test_cert *own,
                      int version)
{
    tls_pair_init(&b->pair, server, NULL);
    b->ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(b->ctx);
    SSL_CTX_set_cipher_list(b->ctx, "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(b->ctx, version);
    SSL_CTX_set_max_proto_version(b->ctx, version);
    if (own != NULL) {
        assert_int_equal(SSL_CTX_use_certificate(b->ctx, own->cert), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(b->ctx, own->key), 1);
    }
    b->ssl = SSL_new(b->ctx);
    assert_non_null(b->ssl);
    SSL_set_tlsext_host_name(b->ssl, "Qnetd Server");
    SSL_set_fd(b->ssl, b->pair.client_fd);
    SSL_set_connect_state(b->ssl);
}

static void bare_fini(struct bare *b)
{
    SSL_free(b->ssl);
    SSL_CTX_free(b->ctx);
    tls_pair_fini(&b->pair);
    ERR_clear_error();
}

/* Drive both sides until the server is through. */
static enum q_err bare_handshake(struct bare *b)
{
    enum q_err err = Q_ERR_AGAIN;

    for (int i = 0; i < 20 && err == Q_ERR_AGAIN; i++) {
        (void)SSL_do_handshake(b->ssl);
        ERR_clear_error();
        err = tls_channel_handshake(&b->pair.server);
        assert_int_equal(ERR_peek_error(), 0);
    }
    return err;
}

static void expect_refusal(struct bare *b, const char *words)
{
    assert_int_equal(bare_handshake(b), Q_ERR_INVALID);
    assert_int_equal(tls_channel_end(&b->pair.server), TLS_END_REFUSED);
    if (strstr(tls_channel_error(&b->pair.server), words) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", tls_channel_error(&b->pair.server), words);
    assert_null(tls_channel_peer(&b->pair.server));
}

/* The alert the client gets, or SSL_AD 0 if none: what a packaged device would log. */
static const char *alert_seen(struct bare *b)
{
    char buf[16];
    size_t count;

    ERR_clear_error();
    if (SSL_read_ex(b->ssl, buf, sizeof(buf), &count) == 1)
        return "data";
    return ERR_peek_error() == 0 ? "none" : ERR_reason_error_string(ERR_peek_error());
}

/* --- The arbiter's side --------------------------------------------------------------------------- */

static void tls_1_2_and_1_3_are_spoken(void **state)
{
    static const struct {
        int version;
        const char *name;
    } cases[] = {{TLS1_2_VERSION, "TLSv1.2"}, {TLS1_3_VERSION, "TLSv1.3"}};
    struct bare b;
    char buf[8];
    size_t count;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        bare_init(&b, server_creds, &client_cert, cases[i].version);
        assert_int_equal(bare_handshake(&b), Q_OK);
        assert_string_equal(tls_channel_version(&b.pair.server), cases[i].name);
        assert_int_equal(tls_channel_peer(&b.pair.server)->count, 1);
        assert_string_equal(tls_channel_peer(&b.pair.server)->names[0], "alpha");
        (void)SSL_do_handshake(b.ssl);
        assert_int_equal(SSL_write(b.ssl, "ping", 4), 4);
        assert_int_equal(tls_channel_read(&b.pair.server, buf, sizeof(buf), &count), Q_OK);
        assert_int_equal(count, 4);
        tls_pair_write(&b.pair.server, "pong", 4);
        assert_int_equal(SSL_read(b.ssl, buf, sizeof(buf)), 4);
        bare_fini(&b);
    }
}

/* Every cipher suite of ours survives the loss of the handshake's state, in both directions. */
static void every_cipher_suite_carries_data(void **state)
{
    static const char *const tls12[] = {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
                                        "ECDHE-RSA-CHACHA20-POLY1305"};
    static const char *const tls13[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                        "TLS_CHACHA20_POLY1305_SHA256"};
    static char block[20000];
    static char got[20000];
    struct bare b;
    size_t count;

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        bare_init(&b, server_creds, &client_cert, i < 3 ? TLS1_2_VERSION : TLS1_3_VERSION);
        if (i < 3)
            assert_int_equal(SSL_set_cipher_list(b.ssl, tls12[i]), 1);
        else
            assert_int_equal(SSL_set_ciphersuites(b.ssl, tls13[i - 3]), 1);
        assert_int_equal(bare_handshake(&b), Q_OK);
        (void)SSL_do_handshake(b.ssl);
        for (int round = 0; round < 3; round++) {
            enum q_err end;

            memset(block, 'a' + round, sizeof(block));
            assert_int_equal(SSL_write(b.ssl, block, sizeof(block)), sizeof(block));
            count = tls_pair_read_all(&b.pair.server, got, sizeof(got), &end);
            assert_int_equal(count, sizeof(block));
            assert_memory_equal(got, block, sizeof(block));
            tls_pair_write(&b.pair.server, block, sizeof(block));
            assert_int_equal(SSL_read(b.ssl, got, sizeof(got)), 16384);
            assert_int_equal(SSL_read(b.ssl, got, sizeof(got)), sizeof(block) - 16384);
        }
        bare_fini(&b);
    }
}

static void tls_1_1_is_refused(void **state)
{
    struct bare b;

    (void)state;
    bare_init(&b, server_creds, &client_cert, TLS1_1_VERSION);
    expect_refusal(&b, "unsupported protocol");
    assert_string_equal(alert_seen(&b), "tlsv1 alert protocol version");
    bare_fini(&b);
}

static void a_client_without_certificate_is_refused(void **state)
{
    struct bare b;

    (void)state;
    bare_init(&b, server_creds, NULL, TLS1_2_VERSION);
    expect_refusal(&b, "did not return a certificate");
    bare_fini(&b);
    bare_init(&b, server_creds, NULL, TLS1_3_VERSION);
    expect_refusal(&b, "did not return a certificate");
    assert_string_equal(alert_seen(&b), "tlsv13 alert certificate required");
    bare_fini(&b);
}

static void without_the_requirement_no_certificate_is_asked_for(void **state)
{
    struct tls_credentials *creds =
        test_credentials(&(struct tls_credentials_source){0}, TLS_ROLE_SERVER, &server_cert, &ca);
    struct bare b;

    (void)state;
    assert_false(tls_credentials_client_cert_required(creds));
    bare_init(&b, creds, &client_cert, TLS1_3_VERSION);
    assert_int_equal(bare_handshake(&b), Q_OK);
    assert_null(tls_channel_peer(&b.pair.server));
    bare_fini(&b);
    tls_credentials_unref(creds);
}

static void a_foreign_certificate_is_refused(void **state)
{
    struct test_cert foreign = test_cert_leaf("alpha", &foreign_ca);
    struct test_cert self_signed = test_cert_leaf("alpha", NULL);
    struct bare b;

    (void)state;
    bare_init(&b, server_creds, &foreign, TLS1_3_VERSION);
    expect_refusal(&b, "CN=alpha");
    assert_string_equal(alert_seen(&b), "tlsv1 alert decrypt error");
    bare_fini(&b);
    bare_init(&b, server_creds, &self_signed, TLS1_3_VERSION);
    expect_refusal(&b, "self-signed certificate");
    bare_fini(&b);
    test_cert_free(&foreign);
    test_cert_free(&self_signed);
}

static void an_unknown_issuer_is_named(void **state)
{
    struct test_cert other_ca = test_cert_authority("Other CA");
    struct test_cert foreign = test_cert_leaf("alpha", &other_ca);
    struct bare b;

    (void)state;
    bare_init(&b, server_creds, &foreign, TLS1_3_VERSION);
    expect_refusal(&b, "CN=alpha (issued by CN=Other CA): it is not of an authority that is trusted here: unable to get local issuer certificate");
    assert_string_equal(alert_seen(&b), "tlsv1 alert unknown ca");
    bare_fini(&b);
    test_cert_free(&other_ca);
    test_cert_free(&foreign);
}

static void certificates_outside_their_validity_are_refused(void **state)
{
    struct test_cert_wish past = {
        .common_name = "alpha", .not_before_offset_s = -9 * DAY_S, .not_after_offset_s = -DAY_S};
    struct test_cert_wish future = {.common_name = "alpha", .not_before_offset_s = 9 * DAY_S};
    struct test_cert expired = test_cert_make(&past, &ca);
    struct test_cert early = test_cert_make(&future, &ca);
    struct bare b;

    (void)state;
    bare_init(&b, server_creds, &expired, TLS1_3_VERSION);
    expect_refusal(&b, "certificate has expired");
    assert_string_equal(alert_seen(&b), "sslv3 alert certificate expired");
    bare_fini(&b);
    bare_init(&b, server_creds, &expired, TLS1_2_VERSION);
    expect_refusal(&b, "certificate has expired");
    bare_fini(&b);
    bare_init(&b, server_creds, &early, TLS1_3_VERSION);
    expect_refusal(&b, "certificate is not yet valid");
    bare_fini(&b);
    test_cert_free(&expired);
    test_cert_free(&early);
}

static void a_leaf_cannot_sign(void **state)
{
    struct test_cert sub = test_cert_leaf("victim", &client_cert);
    struct bare b;

    (void)state;
    bare_init(&b, server_creds, &sub, TLS1_3_VERSION);
    assert_int_equal(SSL_add1_chain_cert(b.ssl, client_cert.cert), 1);
    expect_refusal(&b, "CN=");
    bare_fini(&b);
    test_cert_free(&sub);
}

static void elliptic_curve_certificates_are_taken(void **state)
{
    struct test_cert_wish wish = {.common_name = "alpha", .key_kind = TEST_KEY_EC_P256};
    struct test_cert ec = test_cert_make(&wish, &ca);
    struct bare b;

    (void)state;
    bare_init(&b, server_creds, &ec, TLS1_2_VERSION);
    assert_int_equal(bare_handshake(&b), Q_OK);
    bare_fini(&b);
    bare_init(&b, server_creds, &ec, TLS1_3_VERSION);
    assert_int_equal(bare_handshake(&b), Q_OK);
    bare_fini(&b);
    test_cert_free(&ec);
}

static void a_certificate_with_an_impossible_name_is_refused(void **state)
{
    struct test_cert_wish wish = {.common_name = "alpha\0.evil", .common_name_length = 11};
    struct test_cert bad = test_cert_make(&wish, &ca);
    struct bare b;

    (void)state;
    bare_init(&b, server_creds, &bad, TLS1_3_VERSION);
    expect_refusal(&b, "NUL");
    bare_fini(&b);
    test_cert_free(&bad);
}

static void renegotiation_is_refused(void **state)
{
    struct bare b;
    char buf[8];
    size_t count;

    (void)state;
    bare_init(&b, server_creds, &client_cert, TLS1_2_VERSION);
    assert_int_equal(bare_handshake(&b), Q_OK);
    (void)SSL_do_handshake(b.ssl);
    assert_int_equal(SSL_renegotiate(b.ssl), 1);
    (void)SSL_do_handshake(b.ssl);
    assert_int_not_equal(tls_channel_read(&b.pair.server, buf, sizeof(buf), &count), Q_OK);
    (void)SSL_do_handshake(b.ssl);
    assert_int_equal(SSL_session_reused(b.ssl), 0);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    bare_fini(&b);
}

static void sessions_are_not_resumed(void **state)
{
    struct bare b;

    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        SSL_SESSION *session;

        bare_init(&b, server_creds, &client_cert, version);
        assert_int_equal(bare_handshake(&b), Q_OK);
        (void)SSL_do_handshake(b.ssl);
        session = SSL_get1_session(b.ssl);
        bare_fini(&b);
        bare_init(&b, server_creds, &client_cert, version);
        SSL_set_session(b.ssl, session);
        assert_int_equal(bare_handshake(&b), Q_OK);
        (void)SSL_do_handshake(b.ssl);
        assert_int_equal(SSL_session_reused(b.ssl), 0);
        bare_fini(&b);
        SSL_SESSION_free(session);
    }
}

/* A few key updates are normal, a stream of them would keep the daemon busy for nothing. */
static void key_updates_without_data_are_limited(void **state)
{
    enum q_err err = Q_ERR_AGAIN;
    int updates = 0;
    struct bare b;
    char buf[8];
    size_t count;

    (void)state;
    bare_init(&b, server_creds, &client_cert, TLS1_3_VERSION);
    assert_int_equal(bare_handshake(&b), Q_OK);
    (void)SSL_do_handshake(b.ssl);
    for (int i = 0; i < 100; i++) { /* with data in between they may go on for ever */
        assert_int_equal(SSL_key_update(b.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(b.ssl), 1);
        assert_int_equal(SSL_write(b.ssl, "x", 1), 1);
        assert_int_equal(tls_channel_read(&b.pair.server, buf, sizeof(buf), &count), Q_OK);
        tls_pair_write(&b.pair.server, "y", 1);
        assert_int_equal(SSL_read(b.ssl, buf, sizeof(buf)), 1);
    }
    while (err == Q_ERR_AGAIN && updates < 1000) {
        assert_int_equal(SSL_key_update(b.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(b.ssl), 1);
        updates++;
        err = tls_channel_read(&b.pair.server, buf, sizeof(buf), &count);
    }
    assert_int_equal(err, Q_ERR_INVALID);
    assert_in_range(updates, 10, 100);
    assert_non_null(strstr(tls_channel_error(&b.pair.server), "control records"));
    bare_fini(&b);
}

/* --- The device's side ---------------------------------------------------------------------------- */

/* Connect our client to an arbiter with the certificate own; returns the client's verdict. */
static enum q_err client_meets(const struct test_cert *own, bool accept_expired, char *why, size_t size,
                               const char **server_why)
{
    static char server_text[256];
    struct tls_credentials *server, *client;
    struct tls_pair pair;
    enum q_err err;

    server = test_credentials(
        &(struct tls_credentials_source){.client_cert_required = true, .allow_expired = true},
        TLS_ROLE_SERVER, own, &ca);
    client = test_credentials(
        &(struct tls_credentials_source){.peer_name = "Qnetd Server", .accept_expired_peer = accept_expired},
        TLS_ROLE_CLIENT, &client_cert, &ca);
    tls_pair_init(&pair, server, client);
    (void)tls_pair_handshake(&pair);
    err = pair.client_err;
    snprintf(why, size, "%s", tls_channel_error(&pair.client));
    snprintf(server_text, sizeof(server_text), "%s", tls_channel_error(&pair.server));
    *server_why = server_text;
    tls_pair_fini(&pair);
    tls_credentials_unref(server);
    tls_credentials_unref(client);
    return err;
}

static void the_device_checks_the_arbiters_name(void **state)
{
    static const char *const good_alternatives[] = {"DNS:arbiter.example", "DNS:qnetd server", NULL};
    static const char *const bad_alternatives[] = {"DNS:arbiter.example", NULL};
    static const char *const address_only[] = {"IP:127.0.0.1", NULL};
    const struct {
        struct test_cert_wish wish;
        bool good;
    } cases[] = {
        {{.common_name = "Qnetd Server"}, true},
        {{.common_name = "QNETD SERVER"}, true},
        {{.common_name = "Qnetd Server2"}, false},
        {{.common_name = "Qnetd"}, false},
        {{.common_name = "*"}, false},
        {{.common_name = NULL}, false},
        {{.common_name = "zzz", .alternatives = good_alternatives}, true},
        {{.common_name = "Qnetd Server", .alternatives = bad_alternatives}, false},
        {{.common_name = "Qnetd Server", .alternatives = address_only}, true},
    };
    const char *server_why;
    char why[256];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct test_cert_wish wish = cases[i].wish;
        struct test_cert own;

        wish.key = server_cert.key;
        own = test_cert_make(&wish, &ca);
        assert_int_equal(client_meets(&own, false, why, sizeof(why), &server_why),
                         cases[i].good ? Q_OK : Q_ERR_INVALID);
        if (!cases[i].good) {
            assert_non_null(strstr(why, "its name is not \"Qnetd Server\""));
            assert_non_null(strstr(server_why, "alert"));
        }
        test_cert_free(&own);
    }
}

static void the_device_refuses_expired_arbiters_unless_told(void **state)
{
    struct test_cert_wish wish = {.common_name = "Qnetd Server",
                                  .key = server_cert.key,
                                  .not_before_offset_s = -9 * DAY_S,
                                  .not_after_offset_s = -DAY_S};
    struct test_cert expired = test_cert_make(&wish, &ca);
    const char *server_why;
    struct test_cert other;
    char why[256];

    (void)state;
    assert_int_equal(client_meets(&expired, false, why, sizeof(why), &server_why), Q_ERR_INVALID);
    assert_non_null(strstr(why, "certificate has expired"));
    assert_non_null(strstr(server_why, "alert \"certificate expired\""));
    assert_int_equal(client_meets(&expired, true, why, sizeof(why), &server_why), Q_OK);
    test_cert_free(&expired);

    /* The switch forgives nothing else. */
    wish.common_name = "Other";
    other = test_cert_make(&wish, &ca);
    assert_int_equal(client_meets(&other, true, why, sizeof(why), &server_why), Q_ERR_INVALID);
    assert_non_null(strstr(why, "its name is not"));
    test_cert_free(&other);
    wish.common_name = "Qnetd Server";
    other = test_cert_make(&wish, &foreign_ca);
    assert_int_equal(client_meets(&other, true, why, sizeof(why), &server_why), Q_ERR_INVALID);
    test_cert_free(&other);
}

static void the_device_learns_that_the_arbiter_refused_it(void **state)
{
    struct test_cert other_ca = test_cert_authority("Other CA");
    struct test_cert foreign = test_cert_leaf("alpha", &other_ca);
    struct tls_credentials *client;
    struct tls_pair pair;
    char dir_text[16];
    size_t count;

    (void)state;
    /* Trusts the arbiter, but has a certificate from elsewhere. */
    client = test_credentials(&(struct tls_credentials_source){.peer_name = "Qnetd Server"}, TLS_ROLE_CLIENT,
                              &foreign, &ca);
    tls_pair_init(&pair, server_creds, client);
    (void)tls_pair_handshake(&pair);
    assert_int_equal(pair.server_err, Q_ERR_INVALID);
    assert_int_equal(pair.client_err, Q_OK); /* under TLS 1.3 the verdict comes after the client's end */
    assert_int_equal(tls_channel_read(&pair.client, dir_text, sizeof(dir_text), &count), Q_ERR_INVALID);
    assert_int_equal(tls_channel_end(&pair.client), TLS_END_REFUSED);
    assert_non_null(strstr(tls_channel_error(&pair.client), "alert \"unknown CA\""));
    tls_pair_fini(&pair);
    tls_credentials_unref(client);
    test_cert_free(&other_ca);
    test_cert_free(&foreign);
}

/* --- Both ----------------------------------------------------------------------------------------- */

static void a_channel_outlives_the_reload_of_its_credentials(void **state)
{
    struct tls_credentials *client = test_credentials(
        &(struct tls_credentials_source){.peer_name = "Qnetd Server"}, TLS_ROLE_CLIENT, &client_cert, &ca);
    struct tls_credentials *server = test_credentials(
        &(struct tls_credentials_source){.client_cert_required = true}, TLS_ROLE_SERVER, &server_cert, &ca);
    struct tls_pair pair;
    char buf[8];
    size_t count;

    (void)state;
    tls_pair_init(&pair, server, client);
    tls_credentials_unref(server); /* in the middle of a handshake */
    tls_credentials_unref(client);
    assert_int_equal(tls_pair_handshake(&pair), Q_OK);
    tls_pair_write(&pair.client, "hello", 5);
    assert_int_equal(tls_channel_read(&pair.server, buf, sizeof(buf), &count), Q_OK);
    tls_pair_fini(&pair);
}

static void intermediate_authorities_are_sent_and_followed(void **state)
{
    struct test_cert_wish root_wish = {.common_name = "Root", .is_authority = true, .path_length = 1};
    struct test_cert_wish middle_wish = {.common_name = "Middle", .is_authority = true};
    struct test_cert root = test_cert_make(&root_wish, NULL);
    struct test_cert middle = test_cert_make(&middle_wish, &root);
    struct test_cert server_leaf = test_cert_leaf("Qnetd Server", &middle);
    struct test_cert client_leaf = test_cert_leaf("alpha", &middle);
    struct tls_credentials_source src = {.kind = TLS_SOURCE_PEM, .client_cert_required = true};
    struct tls_credentials *server, *client, *partial;
    char text[TLS_CREDENTIALS_ERR_SIZE];
    char *dir = test_dir_make();
    struct tls_pair pair;

    (void)state;
    src.pem = test_pem_source(dir, "server", &server_leaf, &root);
    test_write_certs(src.pem.cert_file, (const struct test_cert *[]){&server_leaf, &middle, &root, NULL});
    assert_int_equal(tls_credentials_load(&src, TLS_ROLE_SERVER, &server, text, sizeof(text)), Q_OK);
    test_pem_source_free(&src.pem);
    src = (struct tls_credentials_source){.kind = TLS_SOURCE_PEM, .peer_name = "Qnetd Server"};
    src.pem = test_pem_source(dir, "client", &client_leaf, &root);
    test_write_certs(src.pem.cert_file, (const struct test_cert *[]){&client_leaf, &middle, NULL});
    assert_int_equal(tls_credentials_load(&src, TLS_ROLE_CLIENT, &client, text, sizeof(text)), Q_OK);
    tls_pair_init(&pair, server, client);
    assert_int_equal(tls_pair_handshake(&pair), Q_OK);
    tls_pair_fini(&pair);

    /* Trusting the intermediate alone is enough. */
    test_write_certs(src.pem.ca_file, (const struct test_cert *[]){&middle, NULL});
    assert_int_equal(tls_credentials_load(&src, TLS_ROLE_CLIENT, &partial, text, sizeof(text)), Q_OK);
    tls_pair_init(&pair, server, partial);
    assert_int_equal(tls_pair_handshake(&pair), Q_OK);
    tls_pair_fini(&pair);

    test_pem_source_free(&src.pem);
    test_dir_remove(dir);
    tls_credentials_unref(server);
    tls_credentials_unref(client);
    tls_credentials_unref(partial);
    test_cert_free(&root);
    test_cert_free(&middle);
    test_cert_free(&server_leaf);
    test_cert_free(&client_leaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_1_2_and_1_3_are_spoken),
        cmocka_unit_test(every_cipher_suite_carries_data),
        cmocka_unit_test(tls_1_1_is_refused),
        cmocka_unit_test(a_client_without_certificate_is_refused),
        cmocka_unit_test(without_the_requirement_no_certificate_is_asked_for),
        cmocka_unit_test(a_foreign_certificate_is_refused),
        cmocka_unit_test(an_unknown_issuer_is_named),
        cmocka_unit_test(certificates_outside_their_validity_are_refused),
        cmocka_unit_test(a_leaf_cannot_sign),
        cmocka_unit_test(elliptic_curve_certificates_are_taken),
        cmocka_unit_test(a_certificate_with_an_impossible_name_is_refused),
        cmocka_unit_test(renegotiation_is_refused),
        cmocka_unit_test(sessions_are_not_resumed),
        cmocka_unit_test(key_updates_without_data_are_limited),
        cmocka_unit_test(the_device_checks_the_arbiters_name),
        cmocka_unit_test(the_device_refuses_expired_arbiters_unless_told),
        cmocka_unit_test(the_device_learns_that_the_arbiter_refused_it),
        cmocka_unit_test(a_channel_outlives_the_reload_of_its_credentials),
        cmocka_unit_test(intermediate_authorities_are_sent_and_followed),
    };

    return cmocka_run_group_tests_name("tls_handshake", tests, make_world, drop_world);
}
