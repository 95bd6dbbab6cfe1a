/* SPDX-License-Identifier: BSD-3-Clause */
/* Credentials from NSS databases, made with certutil the way the packaged scripts make them. */
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

#include "common/tls/channel.h"
#include "common/tls/credentials.h"
#include "common/tls/peer_names.h"
#include "tests/unit/test_certs.h"
#include "tests/unit/tls_pair.h"

/* The two databases of a small world: the arbiter's, with the authority, and a device's. */
struct world {
    const char *format; /* "sql:" or, of old, "dbm:" */
    char *dir;
    char *arbiter;
    char *device;
    char *password;
    char *noise;
    char *answers; /* to certutil -2: an authority, path length 0, critical */
};

static char text[TLS_CREDENTIALS_ERR_SIZE];

static bool have_tools(void)
{
    return access("/usr/bin/certutil", X_OK) == 0 && access("/usr/bin/pk12util", X_OK) == 0;
}

/* Run certutil -d database -f password with up to 24 more arguments. */
static void certutil_with(const struct world *w, const char *database, const char *const *more)
{
    char *where = NULL;
    const char *argv[32] = {"certutil", "-f", w->password, "-d"};
    size_t count = 4;

    assert_true(asprintf(&where, "%s%s", w->format, database) > 0);
    argv[count++] = where;

    for (; *more != NULL; more++)
        argv[count++] = *more;
    argv[count] = NULL;
    if (!test_run(argv, w->answers))
        fail_msg("certutil %s failed", argv[5]);
    free(where);
}
#define CERTUTIL(w, database, ...) certutil_with((w), (database), (const char *const[]){__VA_ARGS__, NULL})

static void make_arbiter_database(struct world *w)
{
    char *ca = test_path(w->dir, "ca.crt");

    mkdir(w->arbiter, 0700);
    CERTUTIL(w, w->arbiter, "-N");
    CERTUTIL(w, w->arbiter, "-S", "-n", "QNet CA", "-s", "CN=QNet CA", "-x", "-t", "CT,,", "-m", "101", "-v",
             "1200", "-z", w->noise, "-k", "rsa", "-g", "2048", "-Z", "SHA256", "-2");
    CERTUTIL(w, w->arbiter, "-S", "-n", "QNetd Cert", "-s", "CN=Qnetd Server", "-c", "QNet CA", "-t", "u,u,u",
             "-m", "102", "-v", "1200", "-z", w->noise, "-k", "rsa", "-g", "2048", "-Z", "SHA256");
    CERTUTIL(w, w->arbiter, "-L", "-n", "QNet CA", "-r", "-o", ca);
    free(ca);
}

/* A request from the device's database, signed in the arbiter's, imported again: one more "Cluster Cert". */
static void add_cluster_certificate(struct world *w, const char *serial, const char *const *key_options)
{
    char *request = test_path(w->dir, "node.crq");
    char *signed_cert = test_path(w->dir, "cluster.crt");
    const char *more[16] = {"-R", "-s", "CN=alpha", "-o", request, "-z", w->noise};
    size_t count = 7;

    for (; *key_options != NULL; key_options++)
        more[count++] = *key_options;
    more[count] = NULL;
    certutil_with(w, w->device, more);
    CERTUTIL(w, w->arbiter, "-C", "-c", "QNet CA", "-m", serial, "-v", "1200", "-i", request, "-o",
             signed_cert);
    CERTUTIL(w, w->device, "-A", "-n", "Cluster Cert", "-t", "u,u,u", "-i", signed_cert);
    free(request);
    free(signed_cert);
}

static void make_device_database(struct world *w, const char *const *key_options)
{
    char *ca = test_path(w->dir, "ca.crt");

    mkdir(w->device, 0700);
    CERTUTIL(w, w->device, "-N");
    CERTUTIL(w, w->device, "-A", "-n", "QNet CA", "-t", "CT,c,c", "-i", ca);
    add_cluster_certificate(w, "103", key_options);
    free(ca);
}

/* A directory with the arbiter's database, whose password is the first line of password. */
static struct world make_world_in(const char *format, const char *password)
{
    struct world w = {.format = format, .dir = test_dir_make()};

    w.arbiter = test_path(w.dir, "arbiter");
    w.device = test_path(w.dir, "device");
    w.password = test_path(w.dir, "pwdfile.txt");
    w.noise = test_path(w.dir, "noise.txt");
    test_write_text(w.password, password);
    chmod(w.password, 0600);
    test_write_text(w.noise, "0123456789abcdef0123456789abcdef01234567\n");
    w.answers = test_path(w.dir, "answers.txt");
    test_write_text(w.answers, "y\n0\ny\n");
    make_arbiter_database(&w);
    return w;
}

static struct world make_world(const char *password)
{
    return make_world_in("sql:", password);
}

static void remove_world(struct world *w)
{
    free(w->arbiter);
    free(w->device);
    free(w->password);
    free(w->noise);
    free(w->answers);
    test_dir_remove(w->dir);
}

static struct tls_credentials_source arbiter_source(const struct world *w, const char *password_file)
{
    return (struct tls_credentials_source){
        .kind = TLS_SOURCE_NSS,
        .nss = {.dir = w->arbiter, .nickname = "QNetd Cert", .password_file = password_file},
        .client_cert_required = true,
    };
}

static struct tls_credentials_source device_source(const struct world *w, const char *password_file)
{
    return (struct tls_credentials_source){
        .kind = TLS_SOURCE_NSS,
        .nss = {.dir = w->device, .nickname = "Cluster Cert", .password_file = password_file},
        .peer_name = "Qnetd Server",
    };
}

static struct tls_credentials *load(const struct tls_credentials_source *src, enum tls_role role)
{
    struct tls_credentials *creds;

    if (tls_credentials_load(src, role, &creds, text, sizeof(text)) != Q_OK)
        fail_msg("%s", text);
    return creds;
}

/* The databases of w understand each other; the arbiter sees the cluster's name. */
static void check_handshake(const struct world *w, const char *password_file)
{
    struct tls_credentials_source src = arbiter_source(w, password_file);
    struct tls_credentials *server = load(&src, TLS_ROLE_SERVER);
    struct tls_credentials *client;
    struct tls_pair pair;

    src = device_source(w, password_file);
    client = load(&src, TLS_ROLE_CLIENT);
    tls_pair_init(&pair, server, client);
    if (tls_pair_handshake(&pair) != Q_OK)
        fail_msg("%s; %s", tls_channel_error(&pair.server), tls_channel_error(&pair.client));
    assert_int_equal(tls_channel_peer(&pair.server)->count, 1);
    assert_string_equal(tls_channel_peer(&pair.server)->names[0], "alpha");
    assert_string_equal(tls_channel_peer(&pair.client)->names[0], "Qnetd Server");
    tls_pair_fini(&pair);
    tls_credentials_unref(server);
    tls_credentials_unref(client);
}

#define RSA_KEY                                                                                              \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        "-k", "rsa", "-g", "2048", NULL                                                                      \
    }
#define EC_KEY                                                                                               \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        "-k", "ec", "-q", "nistp256", NULL                                                                   \
    }

static void databases_with_empty_password_work(void **state)
{
    struct world w;

    (void)state;
    if (!have_tools()) {
        print_message("certutil or pk12util is missing\n");
        skip();
    }
    w = make_world("");
    make_device_database(&w, RSA_KEY);
    check_handshake(&w, NULL);
    check_handshake(&w, w.password); /* an empty password file is the same */
    remove_world(&w);
}

static void a_password_file_opens_the_database(void **state)
{
    struct tls_credentials_source src;
    struct tls_credentials *creds;
    char *wrong;
    struct world w;

    (void)state;
    if (!have_tools())
        skip();
    w = make_world("correct horse\n");
    make_device_database(&w, RSA_KEY);
    check_handshake(&w, w.password);

    src = arbiter_source(&w, NULL);
    assert_int_equal(tls_credentials_load(&src, TLS_ROLE_SERVER, &creds, text, sizeof(text)), Q_ERR_ACCESS);
    assert_null(creds);
    assert_non_null(strstr(text, "password"));

    wrong = test_path(w.dir, "wrong.txt");
    test_write_text(wrong, "incorrect\n");
    src = arbiter_source(&w, wrong);
    assert_int_equal(tls_credentials_load(&src, TLS_ROLE_SERVER, &creds, text, sizeof(text)), Q_ERR_ACCESS);
    assert_non_null(strstr(text, wrong));
    unlink(wrong);
    assert_int_equal(tls_credentials_load(&src, TLS_ROLE_SERVER, &creds, text, sizeof(text)),
                     Q_ERR_NOT_FOUND);

    test_write_text(wrong, "NSS Certificate DB:correct horse\n"); /* certutil's form with a token name */
    chmod(wrong, 0644);
    creds = load(&src, TLS_ROLE_SERVER);
    assert_non_null(strstr(tls_credentials_facts(creds)->warning, wrong));
    tls_credentials_unref(creds);
    free(wrong);
    remove_world(&w);
}

static void an_elliptic_curve_key_works(void **state)
{
    struct world w;

    (void)state;
    if (!have_tools())
        skip();
    w = make_world("");
    make_device_database(&w, EC_KEY);
    check_handshake(&w, NULL);
    remove_world(&w);
}

static void several_certificates_of_one_nickname_work(void **state)
{
    struct world w;

    (void)state;
    if (!have_tools())
        skip();
    w = make_world("");
    make_device_database(&w, RSA_KEY);
    add_cluster_certificate(&w, "104", RSA_KEY);
    check_handshake(&w, NULL);
    remove_world(&w);
}

/* The format before 2018, with cert8.db and key3.db. */
static void databases_of_the_old_format_work(void **state)
{
    struct world w;

    (void)state;
    if (!have_tools())
        skip();
    w = make_world_in("dbm:", "");
    make_device_database(&w, RSA_KEY);
    check_handshake(&w, NULL);
    remove_world(&w);
}

static void an_expired_certificate_needs_permission(void **state)
{
    struct tls_credentials_source src;
    struct tls_credentials *creds;
    struct world w;

    (void)state;
    if (!have_tools())
        skip();
    w = make_world("");
    CERTUTIL(&w, w.arbiter, "-F", "-n", "QNetd Cert");
    CERTUTIL(&w, w.arbiter, "-S", "-n", "QNetd Cert", "-s", "CN=Qnetd Server", "-c", "QNet CA", "-t", "u,u,u",
             "-m", "120", "-w", "-24", "-v", "12", "-z", w.noise, "-k", "rsa", "-g", "2048", "-Z", "SHA256");
    src = arbiter_source(&w, NULL);
    assert_int_equal(tls_credentials_load(&src, TLS_ROLE_SERVER, &creds, text, sizeof(text)), Q_ERR_EXPIRED);
    assert_null(creds);
    assert_non_null(strstr(text, "expired"));
    src.allow_expired = true;
    assert_int_equal(tls_credentials_load(&src, TLS_ROLE_SERVER, &creds, text, sizeof(text)), Q_ERR_EXPIRED);
    assert_non_null(creds);
    tls_credentials_unref(creds);

    /* A valid one beside it under the same nickname is preferred. */
    CERTUTIL(&w, w.arbiter, "-S", "-n", "QNetd Cert", "-s", "CN=Qnetd Server", "-c", "QNet CA", "-t", "u,u,u",
             "-m", "121", "-v", "12", "-z", w.noise, "-k", "rsa", "-g", "2048", "-Z", "SHA256");
    src.allow_expired = false;
    creds = load(&src, TLS_ROLE_SERVER);
    tls_credentials_unref(creds);
    remove_world(&w);
}

static void intermediate_authorities_are_sent_along(void **state)
{
    struct test_cert own = test_cert_leaf("alpha", NULL);
    struct tls_credentials *server, *client;
    struct tls_credentials_source src;
    struct tls_pair pair;
    struct world w;

    (void)state;
    if (!have_tools()) {
        test_cert_free(&own);
        skip();
    }
    w = make_world("");
    test_write_text(w.answers, "y\n\ny\n"); /* no limit of path length */
    CERTUTIL(&w, w.arbiter, "-S", "-n", "Root", "-s", "CN=Root", "-x", "-2", "-t", "CT,,", "-m", "1", "-z",
             w.noise, "-k", "rsa", "-g", "2048", "-Z", "SHA256");
    CERTUTIL(&w, w.arbiter, "-S", "-n", "Middle", "-s", "CN=Middle", "-c", "Root", "-2", "-t", ",,", "-m",
             "2", "-z", w.noise, "-k", "rsa", "-g", "2048", "-Z", "SHA256");
    CERTUTIL(&w, w.arbiter, "-S", "-n", "Leaf", "-s", "CN=Qnetd Server", "-c", "Middle", "-t", "u,u,u", "-m",
             "3", "-z", w.noise, "-k", "rsa", "-g", "2048", "-Z", "SHA256");
    src = arbiter_source(&w, NULL);
    src.nss.nickname = "Leaf";
    src.client_cert_required = false;
    server = load(&src, TLS_ROLE_SERVER);

    src = (struct tls_credentials_source){.kind = TLS_SOURCE_PEM, .peer_name = "Qnetd Server"};
    src.pem = test_pem_source(w.dir, "client", &own, &own);
    CERTUTIL(&w, w.arbiter, "-L", "-n", "Root", "-a", "-o", src.pem.ca_file);
    client = load(&src, TLS_ROLE_CLIENT);
    tls_pair_init(&pair, server, client);
    if (tls_pair_handshake(&pair) != Q_OK)
        fail_msg("%s; %s", tls_channel_error(&pair.server), tls_channel_error(&pair.client));
    tls_pair_fini(&pair);
    test_pem_source_free(&src.pem);
    tls_credentials_unref(server);
    tls_credentials_unref(client);
    test_cert_free(&own);
    remove_world(&w);
}

static void facts_describe_the_database(void **state)
{
    struct tls_credentials_source src;
    const struct tls_facts *facts;
    struct tls_credentials *creds;
    struct world w;

    (void)state;
    if (!have_tools())
        skip();
    w = make_world("");
    src = arbiter_source(&w, NULL);
    creds = load(&src, TLS_ROLE_SERVER);
    facts = tls_credentials_facts(creds);
    assert_string_equal(facts->own.subject, "CN=Qnetd Server");
    assert_string_equal(facts->own.issuer, "CN=QNet CA");
    assert_int_equal(facts->ca_count, 1);
    assert_string_equal(facts->ca[0].subject, "CN=QNet CA");
    assert_true(facts->own.not_after - facts->own.not_before > 99L * 365 * 86400);
    assert_true(tls_credentials_first_expiry(creds) <= facts->own.not_after);
    assert_non_null(strstr(facts->source, w.arbiter));
    assert_non_null(strstr(facts->source, "QNetd Cert"));
    assert_null(facts->warning);
    tls_credentials_unref(creds);
    remove_world(&w);
}

/* What a load reads is the database as it is now, not as an earlier load saw it. */
static void a_reload_sees_a_changed_database(void **state)
{
    struct tls_credentials_source src;
    struct tls_credentials *before, *after, *none;
    struct world w;

    (void)state;
    if (!have_tools())
        skip();
    w = make_world("");
    src = arbiter_source(&w, NULL);
    before = load(&src, TLS_ROLE_SERVER);
    CERTUTIL(&w, w.arbiter, "-F", "-n", "QNetd Cert");
    assert_int_equal(tls_credentials_load(&src, TLS_ROLE_SERVER, &none, text, sizeof(text)), Q_ERR_NOT_FOUND);
    assert_null(none);
    assert_non_null(strstr(text, "QNetd Cert"));
    CERTUTIL(&w, w.arbiter, "-S", "-n", "QNetd Cert", "-s", "CN=Second Server", "-c", "QNet CA", "-t",
             "u,u,u", "-m", "110", "-v", "12", "-z", w.noise, "-k", "rsa", "-g", "2048", "-Z", "SHA256");
    after = load(&src, TLS_ROLE_SERVER);
    assert_string_equal(tls_credentials_facts(before)->own.subject, "CN=Qnetd Server");
    assert_string_equal(tls_credentials_facts(after)->own.subject, "CN=Second Server");
    tls_credentials_unref(before);
    tls_credentials_unref(after);
    remove_world(&w);
}

static void what_is_missing_is_named(void **state)
{
    struct tls_credentials_source src;
    struct tls_credentials *creds;
    struct world w;
    char *empty;

    (void)state;
    if (!have_tools())
        skip();
    w = make_world("");
    src = arbiter_source(&w, NULL);
    src.nss.nickname = "Other Cert";
    assert_int_equal(tls_credentials_load(&src, TLS_ROLE_SERVER, &creds, text, sizeof(text)),
                     Q_ERR_NOT_FOUND);
    assert_non_null(strstr(text, "\"Other Cert\""));
    assert_non_null(strstr(text, w.arbiter));

    /* The device's authority has no key there. */
    make_device_database(&w, RSA_KEY);
    src = device_source(&w, NULL);
    src.nss.nickname = "QNet CA";
    assert_int_equal(tls_credentials_load(&src, TLS_ROLE_CLIENT, &creds, text, sizeof(text)),
                     Q_ERR_NOT_FOUND);
    assert_non_null(strstr(text, "no private key"));

    /* Without trust nobody could be believed. */
    CERTUTIL(&w, w.device, "-M", "-n", "QNet CA", "-t", ",,");
    src = device_source(&w, NULL);
    assert_int_equal(tls_credentials_load(&src, TLS_ROLE_CLIENT, &creds, text, sizeof(text)), Q_ERR_INVALID);
    assert_non_null(strstr(text, "trust"));

    empty = test_path(w.dir, "empty");
    src.nss.dir = empty;
    assert_int_equal(tls_credentials_load(&src, TLS_ROLE_CLIENT, &creds, text, sizeof(text)),
                     Q_ERR_NOT_FOUND);
    mkdir(empty, 0700);
    assert_int_equal(tls_credentials_load(&src, TLS_ROLE_CLIENT, &creds, text, sizeof(text)),
                     Q_ERR_NOT_FOUND);
    assert_non_null(strstr(text, "cert9.db"));
    free(empty);
    remove_world(&w);
}

static void garbage_is_refused(void **state)
{
    struct tls_credentials_source src;
    struct tls_credentials *creds;
    struct world w;
    char *file;

    (void)state;
    if (!have_tools())
        skip();
    w = make_world("");
    file = test_path(w.arbiter, "cert9.db");
    test_write_text(file, "this is not a database, however long one looks at it\n");
    src = arbiter_source(&w, NULL);
    assert_int_not_equal(tls_credentials_load(&src, TLS_ROLE_SERVER, &creds, text, sizeof(text)), Q_OK);
    assert_null(creds);
    assert_non_null(strstr(text, w.arbiter));
    free(file);
    file = test_path(w.arbiter, "key4.db");
    unlink(file);
    assert_int_equal(tls_credentials_load(&src, TLS_ROLE_SERVER, &creds, text, sizeof(text)),
                     Q_ERR_NOT_FOUND);
    assert_non_null(strstr(text, "key4.db"));
    free(file);
    remove_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(databases_with_empty_password_work),
        cmocka_unit_test(a_password_file_opens_the_database),
        cmocka_unit_test(an_elliptic_curve_key_works),
        cmocka_unit_test(several_certificates_of_one_nickname_work),
        cmocka_unit_test(databases_of_the_old_format_work),
        cmocka_unit_test(an_expired_certificate_needs_permission),
        cmocka_unit_test(intermediate_authorities_are_sent_along),
        cmocka_unit_test(facts_describe_the_database),
        cmocka_unit_test(a_reload_sees_a_changed_database),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(garbage_is_refused),
    };

    return cmocka_run_group_tests_name("tls_nss", tests, NULL, NULL);
}
