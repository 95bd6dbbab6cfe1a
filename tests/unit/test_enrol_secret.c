/* SPDX-License-Identifier: BSD-3-Clause */
/* What a secret proves, invitations on disk, and TLS between a node and an arbiter that do not know each other yet. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/enrol/invitation_dir.h"
#include "certs/enrol/secret.h"
#include "common/tls/enrolment.h"
#include "tests/unit/test_certs.h"
#include "tests/unit/tls_pair.h"

static struct test_cert authority, server, client;

/* ---- secrets ---------------------------------------------------------------------------------------------------- */

static void the_keys_of_a_secret_never_change(void **state)
{
    static const uint8_t secret[ENROL_CODE_SECRET_SIZE] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const uint8_t id[] = {0x83, 0x6a};
    struct enrol_keys keys;
    uint64_t pin;

    (void)state;
    assert_true(enrol_keys_derive(secret, &keys));
    assert_true(enrol_pin(&keys, (const uint8_t *)"authority", 9, &pin));
    assert_memory_equal(keys.id, id, sizeof(id));
    assert_true(pin == UINT64_C(0x3d8b50d6ecd72f));
}

static void a_proof_belongs_to_its_secret_connection_and_message(void **state)
{
    uint8_t exported[ENROL_EXPORTER_SIZE] = {1}, proof[ENROL_PROOF_SIZE], verifier[INVITATION_VERIFIER_SIZE];
    uint8_t message[] = "a message", other_verifier[INVITATION_VERIFIER_SIZE];
    struct enrol_keys keys, other;
    struct enrol_code code;

    (void)state;
    assert_true(enrol_code_new(message, sizeof(message), &code, &keys));
    assert_true(enrol_code_new(message, sizeof(message), &code, &other));
    assert_true(enrol_verifier(&keys, verifier) && enrol_verifier(&other, other_verifier));
    assert_memory_not_equal(verifier, other_verifier, sizeof(verifier));
    assert_true(enrol_prove(&keys, exported, message, sizeof(message), proof));
    assert_true(enrol_proof_good(verifier, exported, message, sizeof(message), proof));
    assert_false(enrol_proof_good(other_verifier, exported, message, sizeof(message), proof));
    for (size_t i = 0; i < sizeof(exported); i++) {
        exported[i] ^= 1;
        assert_false(enrol_proof_good(verifier, exported, message, sizeof(message), proof));
        exported[i] ^= 1;
    }
    for (size_t i = 0; i < sizeof(message); i++) {
        message[i] ^= 0x80;
        assert_false(enrol_proof_good(verifier, exported, message, sizeof(message), proof));
        message[i] ^= 0x80;
    }
    assert_false(enrol_proof_good(verifier, exported, message, sizeof(message) - 1, proof));
    for (size_t i = 0; i < sizeof(proof); i++) {
        proof[i] ^= 1;
        assert_false(enrol_proof_good(verifier, exported, message, sizeof(message), proof));
        proof[i] ^= 1;
    }
    enrol_keys_wipe(&keys);
    assert_int_equal(keys.seed[0], 0);
}

/* The fingerprint of one authority under two secrets has nothing in common: none can be prepared for. */
static void a_pin_is_of_its_secret_and_authority(void **state)
{
    struct enrol_keys keys, other;
    struct enrol_code code;
    uint64_t pin, another;

    (void)state;
    assert_true(enrol_code_new((const uint8_t *)"one", 3, &code, &keys));
    assert_true(enrol_pin(&keys, (const uint8_t *)"one", 3, &pin) && pin == code.pin);
    assert_true(pin >> ENROL_CODE_PIN_BITS == 0);
    assert_true(enrol_pin(&keys, (const uint8_t *)"two", 3, &another) && pin != another);
    assert_true(enrol_code_new((const uint8_t *)"one", 3, &code, &other));
    assert_true(pin != code.pin);
}

/* ---- the directory ---------------------------------------------------------------------------------------------- */

static void note(void *context, const struct invitation *invitation)
{
    char *seen = context;

    strcat(seen, invitation->cluster);
    strcat(seen, " ");
}

static void invitations_on_disk(void **state)
{
    char *top = test_dir_make(), *path = test_path(top, "lib/invitations");
    struct invitation invitation = {.id = "1", .cluster = "alpha", .created_s = 5, .expires_s = 6}, again;
    struct invitation_dir dir;
    struct certs_failure why;
    char seen[64] = "";
    struct stat st;

    (void)state;
    assert_int_equal(invitation_dir_open(&dir, path, &why), Q_ERR_NOT_FOUND);
    assert_int_equal(invitation_dir_create(&dir, path, &why), Q_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(invitation_dir_read(&dir, invitation.id, &again, &why), Q_ERR_NOT_FOUND);
    assert_int_equal(invitation_dir_write(&dir, &invitation, &why), Q_OK);
    invitation.claimed_s = 5;
    strcpy(invitation.claimed_by, "somebody");
    assert_int_equal(invitation_dir_write(&dir, &invitation, &why), Q_OK);
    assert_int_equal(invitation_dir_read(&dir, invitation.id, &again, &why), Q_OK);
    assert_string_equal(again.claimed_by, "somebody");
    invitation_fini(&again);
    assert_int_equal(fstatat(dir.fd, "31000000000000000000000000000000.invitation", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    /* What is none is left out: a leftover, a link, something else's file. */
    assert_int_equal(symlinkat("31000000000000000000000000000000.invitation", dir.fd,
                               "32000000000000000000000000000000.invitation"), 0);
    assert_int_equal(mkdirat(dir.fd, "33000000000000000000000000000000.invitation", 0700), 0);
    assert_int_equal(linkat(dir.fd, "31000000000000000000000000000000.invitation", dir.fd, "x.invitation", 0), 0);
    assert_int_equal(invitation_dir_each(&dir, note, seen, &why), Q_OK);
    assert_string_equal(seen, "alpha ");
    assert_int_equal(linkat(dir.fd, "x.invitation", dir.fd, "34000000000000000000000000000000.invitation", 0), 0);
    invitation.id[0] = '4';
    assert_int_equal(invitation_dir_read(&dir, invitation.id, &again, &why), Q_ERR_INVALID);
    invitation.id[0] = '1';
    /* What interrupted writing has left goes, but not at once: it may be under way. */
    assert_int_equal(linkat(dir.fd, "x.invitation", dir.fd, "35000000000000000000000000000000.invitation.new", 0), 0);
    assert_int_equal(fstatat(dir.fd, "x.invitation", &st, 0), 0);
    invitation_dir_sweep(&dir, st.st_mtim.tv_sec + 3600);
    assert_int_equal(faccessat(dir.fd, "35000000000000000000000000000000.invitation.new", F_OK, 0), 0);
    invitation_dir_sweep(&dir, st.st_mtim.tv_sec + 3601);
    assert_int_not_equal(faccessat(dir.fd, "35000000000000000000000000000000.invitation.new", F_OK, 0), 0);
    assert_int_equal(invitation_dir_count(&dir), 4);
    assert_int_equal(invitation_dir_remove(&dir, invitation.id, &why), Q_OK);
    assert_int_equal(invitation_dir_read(&dir, invitation.id, &again, &why), Q_ERR_NOT_FOUND);
    invitation_dir_close(&dir);
    free(path);
    test_dir_remove(top);
}

/* ---- TLS -------------------------------------------------------------------------------------------------------- */

static bool is_authority(void *context, const uint8_t *der, size_t size)
{
    const struct test_cert *wanted = context;
    uint8_t *own = NULL;
    int own_size = i2d_X509(wanted->cert, &own);
    bool same = own_size == (int)size && memcmp(own, der, size) == 0;

    OPENSSL_free(own);
    return same;
}

static struct tls_credentials *arbiter(const struct test_cert *own, const struct test_cert *ca)
{
    struct tls_credentials_source source = {.kind = TLS_SOURCE_PEM, .allow_expired = true};
    struct tls_credentials *creds = test_credentials(&source, TLS_ROLE_SERVER, own, ca);

    assert_int_equal(tls_enrolment_serve(creds, ENROL_ALPN), Q_OK);
    return creds;
}

static enum q_err meet(struct tls_credentials *serving, struct tls_credentials *joining, uint8_t server_export[32],
                       uint8_t client_export[32], char reason[256])
{
    struct tls_pair pair;
    enum q_err err;

    tls_pair_init(&pair, serving, joining);
    err = tls_pair_handshake(&pair);
    reason[0] = '\0';
    if (err == Q_OK) {
        assert_true(tls_enrolment_export(&pair.server, ENROL_EXPORTER_LABEL, server_export, 32));
        assert_true(tls_enrolment_export(&pair.client, ENROL_EXPORTER_LABEL, client_export, 32));
        assert_string_equal(tls_channel_version(&pair.client), "TLSv1.3");
    } else {
        snprintf(reason, 256, "%s", tls_channel_error(&pair.client));
    }
    tls_pair_fini(&pair);
    return err;
}

static void both_ends_of_a_connection_export_the_same(void **state)
{
    struct tls_pin pin = {.is_pinned = is_authority, .context = &authority};
    struct tls_credentials *serving = arbiter(&server, &authority), *joining;
    uint8_t first[2][32], second[2][32];
    char reason[256];

    (void)state;
    assert_int_equal(tls_enrolment_join(&pin, "Qnetd Server", ENROL_ALPN, NULL, &joining), Q_OK);
    assert_int_equal(meet(serving, joining, first[0], first[1], reason), Q_OK);
    assert_memory_equal(first[0], first[1], 32);
    assert_int_equal(meet(serving, joining, second[0], second[1], reason), Q_OK);
    assert_memory_not_equal(first[0], second[0], 32);
    assert_false(pin.refused);
    tls_credentials_unref(joining);
    tls_credentials_unref(serving);
}

static void assert_refused(const struct test_cert *own, const struct test_cert *shown, bool by_pin, const char *words)
{
    struct tls_pin pin = {.is_pinned = is_authority, .context = &authority};
    struct tls_credentials *serving = arbiter(own, shown), *joining;
    uint8_t exported[2][32];
    char reason[256];

    assert_int_equal(tls_enrolment_join(&pin, "Qnetd Server", ENROL_ALPN, NULL, &joining), Q_OK);
    assert_int_not_equal(meet(serving, joining, exported[0], exported[1], reason), Q_OK);
    assert_true(pin.refused == by_pin);
    if (strstr(reason, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", reason, words);
    tls_credentials_unref(joining);
    tls_credentials_unref(serving);
}

static void nobody_else_is_taken_for_the_arbiter(void **state)
{
    struct test_cert_wish late_wish = {.common_name = "Qnetd Server", .not_after_offset_s = -60};
    struct test_cert stranger = test_cert_authority("QNet CA"), its_server = test_cert_leaf("Qnetd Server", &stranger);
    struct test_cert late = test_cert_make(&late_wish, &authority);

    (void)state;
    assert_refused(&its_server, &stranger, true, "another certificate authority");
    /* Who shows the right authority, with a certificate that is not its: a man in the middle who has seen it. */
    assert_refused(&its_server, &authority, false, "certificate signature failure");
    /* Another cluster's certificate of the right authority. */
    assert_refused(&client, &authority, false, "its name is not \"Qnetd Server\"");
    assert_refused(&late, &authority, false, "certificate has expired");
    test_cert_free(&late);
    test_cert_free(&its_server);
    test_cert_free(&stranger);
}

/* Who asks what time it is there knows the authority already, and must not be kept from it by a clock that is wrong. */
static void a_question_about_the_time_does_not_look_at_dates(void **state)
{
    struct test_cert_wish late_wish = {.common_name = "Qnetd Server", .not_after_offset_s = -60};
    struct test_cert late = test_cert_make(&late_wish, &authority), stranger = test_cert_authority("QNet CA");
    struct tls_credentials *serving = arbiter(&late, &authority);
    STACK_OF(X509) *known = sk_X509_new_null();

    (void)state;
    sk_X509_push(known, authority.cert);
    for (unsigned i = 0; i < 3; i++) {
        struct tls_pin pin = {.known = known, .any_time = i > 0};
        struct tls_credentials *asking;
        uint8_t exported[2][32];
        char reason[256];

        if (i == 2) {
            sk_X509_zero(known);
            sk_X509_push(known, stranger.cert);
        }
        assert_int_equal(tls_enrolment_join(&pin, "Qnetd Server", ENROL_ALPN, NULL, &asking), Q_OK);
        assert_true((meet(serving, asking, exported[0], exported[1], reason) == Q_OK) == (i == 1));
        if (i == 0)
            assert_non_null(strstr(reason, "certificate has expired"));
        tls_credentials_unref(asking);
    }
    sk_X509_free(known);
    tls_credentials_unref(serving);
    test_cert_free(&stranger);
    test_cert_free(&late);
}

static void who_does_not_say_what_he_wants_gets_nothing(void **state)
{
    struct tls_credentials_source source = {.kind = TLS_SOURCE_PEM, .peer_name = "Qnetd Server"};
    struct tls_credentials *serving = arbiter(&server, &authority), *device, *other;
    struct tls_pin pin = {.is_pinned = is_authority, .context = &authority};
    uint8_t exported[2][32];
    char reason[256];

    (void)state;
    device = test_credentials(&source, TLS_ROLE_CLIENT, &client, &authority);
    assert_int_not_equal(meet(serving, device, exported[0], exported[1], reason), Q_OK);
    assert_non_null(strstr(reason, "alert"));
    assert_int_equal(tls_enrolment_join(&pin, "Qnetd Server", "\x08http/1.1", NULL, &other), Q_OK);
    assert_int_not_equal(meet(serving, other, exported[0], exported[1], reason), Q_OK);
    assert_non_null(strstr(reason, "alert"));
    tls_credentials_unref(other);
    tls_credentials_unref(device);
    tls_credentials_unref(serving);
}

static void a_certificate_may_be_shown_and_must_then_be_good(void **state)
{
    struct test_cert foreign = test_cert_leaf("alpha", NULL);
    struct tls_pin pin = {.is_pinned = is_authority, .context = &authority};
    struct tls_credentials *serving = arbiter(&server, &authority), *joining;
    struct tls_own own = {client.cert, client.key, NULL};
    uint8_t exported[2][32];
    char reason[256];

    (void)state;
    assert_int_equal(tls_enrolment_join(&pin, "Qnetd Server", ENROL_ALPN, &own, &joining), Q_OK);
    assert_int_equal(meet(serving, joining, exported[0], exported[1], reason), Q_OK);
    tls_credentials_unref(joining);
    own = (struct tls_own){foreign.cert, foreign.key, NULL};
    assert_int_equal(tls_enrolment_join(&pin, "Qnetd Server", ENROL_ALPN, &own, &joining), Q_OK);
    assert_int_not_equal(meet(serving, joining, exported[0], exported[1], reason), Q_OK);
    tls_credentials_unref(joining);
    tls_credentials_unref(serving);
    test_cert_free(&foreign);
}

static bool count(void *context, const uint8_t *der, size_t size)
{
    (void)der;
    *(size_t *)context += size > 0;
    return true;
}

static void the_authorities_can_be_listed(void **state)
{
    struct tls_credentials *serving = arbiter(&server, &authority);
    size_t found = 0;

    (void)state;
    assert_true(tls_enrolment_authorities(serving, count, &found));
    assert_int_equal(found, 1);
    tls_credentials_unref(serving);
}

static int make_certificates(void **state)
{
    (void)state;
    authority = test_cert_authority("QNet CA");
    server = test_cert_leaf("Qnetd Server", &authority);
    client = test_cert_leaf("alpha", &authority);
    return 0;
}

static int free_certificates(void **state)
{
    (void)state;
    test_cert_free(&client);
    test_cert_free(&server);
    test_cert_free(&authority);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_keys_of_a_secret_never_change),
        cmocka_unit_test(a_proof_belongs_to_its_secret_connection_and_message),
        cmocka_unit_test(a_pin_is_of_its_secret_and_authority),
        cmocka_unit_test(invitations_on_disk),
        cmocka_unit_test(both_ends_of_a_connection_export_the_same),
        cmocka_unit_test(nobody_else_is_taken_for_the_arbiter),
        cmocka_unit_test(a_question_about_the_time_does_not_look_at_dates),
        cmocka_unit_test(who_does_not_say_what_he_wants_gets_nothing),
        cmocka_unit_test(a_certificate_may_be_shown_and_must_then_be_good),
        cmocka_unit_test(the_authorities_can_be_listed),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_certificates, free_certificates);
}
