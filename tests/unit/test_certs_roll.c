/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A change of an arbiter's authority, in both forms of stores: what each step leaves, that handshakes between the stores as the
 * daemons load them succeed as long as they should, who is ready for the next step; and a new certificate of the arbiter's own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "certs/x509/decode.h"
#include "certs/enrol/revoked.h"
#include "certs/enrol/standing.h"
#include "certs/store/folder.h"
#include "certs/store/node_store.h"
#include "certs/store/roll_over.h"
#include "tests/unit/test_certs.h"
#include "tests/unit/tls_pair.h"

enum { NODES = 3 };

struct world {
    char *dir;
    char *arbiter_dir, *node_dirs[NODES];
    struct certs_place arbiter, nodes[NODES];
};

static struct certs_failure why;

#define good(call)                                                                                           \
    do {                                                                                                     \
        if ((call) != Q_OK)                                                                                  \
            fail_msg("%s: %s", #call, why.text);                                                             \
    } while (0)

static int set_up(void **state, enum certs_form form)
{
    static const char *const names[NODES] = {"n0/store", "n1/store", "n2/store"};
    const struct certs_authority_wish wish = {.now = time(NULL)};
    struct world *w = calloc(1, sizeof(*w));

    w->dir = test_dir_make();
    w->arbiter_dir = test_path(w->dir, "qnetd/store");
    w->arbiter = (struct certs_place){.form = form, .dir = w->arbiter_dir};
    for (int i = 0; i < NODES; i++) {
        w->node_dirs[i] = test_path(w->dir, names[i]);
        w->nodes[i] = (struct certs_place){.form = form, .dir = w->node_dirs[i]};
    }
    good(certs_authority_create(&w->arbiter, &wish, NULL, &why));
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
    for (int i = 0; i < NODES; i++)
        free(w->node_dirs[i]);
    free(w);
    return 0;
}

static struct certs_authority *arbiter_of(const struct world *w)
{
    struct certs_authority *a;

    good(certs_authority_open(&w->arbiter, CERTS_CHANGE, &a, &why));
    return a;
}

enum step { RENEW, BEGIN, CHANGE, FINISH, CANCEL };

static enum q_err take_step(const struct world *w, enum step step, const char *const *names)
{
    const struct certs_authority_wish wish = {.alternatives = names, .now = time(NULL)};
    struct certs_authority *a = arbiter_of(w);
    enum q_err err = Q_OK;

    switch (step) {
    case RENEW:
        err = roll_over_renew(a, &wish, &why);
        break;
    case BEGIN:
        err = roll_over_begin(a, &wish, &why);
        break;
    case CHANGE:
        err = roll_over_change(a, &wish, &why);
        break;
    case FINISH:
        err = roll_over_finish(a, &why);
        break;
    case CANCEL:
        err = roll_over_cancel(a, &why);
        break;
    }
    certs_authority_close(a);
    return err;
}

static enum roll_stage stage_of(const struct world *w)
{
    struct certs_authority *a = arbiter_of(w);
    enum roll_stage stage = roll_over_stage(a);

    certs_authority_close(a);
    return stage;
}

/* A certificate as the arbiter issues it now, with all that it trusts for an anchor, is the node's own. `node` NULL: the cluster's. */
static void enrol_as(const struct world *w, int number, const char *cluster, const char *node, uint8_t identity_byte)
{
    struct certs_client_order order = {.cluster_name = cluster, .node_name = node, .now = time(NULL)};
    struct certs_authority *a = arbiter_of(w);
    struct certs_identity identity = {.authorities = certs_authority_trusted(a)};

    memset(order.cluster.bytes, identity_byte, sizeof(order.cluster.bytes));
    identity.key = EVP_EC_gen("P-256"); /* quick to make */
    assert_non_null(identity.key);
    order.public_key = identity.key;
    good(certs_authority_issue(a, &order, &identity.cert, &why));
    good(certs_node_install(&w->nodes[number], &identity, CERTS_REPLACE_AUTHORITIES, &why));
    identity.authorities = NULL; /* borrowed */
    certs_identity_fini(&identity);
    certs_authority_close(a);
}

static void enrol(const struct world *w, int number, const char *cluster, const char *node)
{
    enrol_as(w, number, cluster, node, 0);
}

/* ---- as the daemons load them ------------------------------------------------------------------------------- */

static struct tls_credentials *load(const struct certs_place *place, enum tls_role role)
{
    bool server = role == TLS_ROLE_SERVER;
    char *own = test_path(place->dir, server ? CERTS_PEM_SERVER : CERTS_PEM_NODE);
    char *ca = test_path(place->dir, CERTS_PEM_AUTHORITY);
    struct tls_credentials_source source = {.client_cert_required = server, .peer_name = server ? NULL : "Qnetd Server"};
    struct tls_credentials *out;
    char text[TLS_CREDENTIALS_ERR_SIZE];

    if (place->form == CERTS_PEM) {
        source.kind = TLS_SOURCE_PEM;
        source.pem = (struct tls_source_pem){own, own, ca};
    } else {
        source.kind = TLS_SOURCE_NSS;
        source.nss = (struct tls_source_nss){place->dir, server ? CERTS_NICK_SERVER : CERTS_NICK_CLUSTER, NULL};
    }
    if (tls_credentials_load(&source, role, &out, text, sizeof(text)) != Q_OK)
        fail_msg("%s: %s", place->dir, text);
    free(own);
    free(ca);
    return out;
}

enum outcome { ACCEPTED, ARBITER_REFUSES, NODE_REFUSES };

static enum outcome meet(const struct world *w, int number)
{
    struct tls_credentials *arbiter = load(&w->arbiter, TLS_ROLE_SERVER);
    struct tls_credentials *node = load(&w->nodes[number], TLS_ROLE_CLIENT);
    enum outcome outcome = ACCEPTED;
    struct tls_pair pair;

    tls_pair_init(&pair, arbiter, node);
    if (tls_pair_handshake(&pair) != Q_OK) {
        bool here = strstr(tls_channel_error(&pair.client), "the peer's certificate") != NULL;

        outcome = here ? NODE_REFUSES : ARBITER_REFUSES;
        assert_non_null(strstr(tls_channel_error(here ? &pair.client : &pair.server), "not of an authority that is trusted here"));
    }
    tls_pair_fini(&pair);
    tls_credentials_unref(arbiter);
    tls_credentials_unref(node);
    return outcome;
}

/* What an administrator does by hand on a node: another anchor. */
static void trust_more(const struct world *w, int number)
{
    struct certs_authority *a = arbiter_of(w);
    struct certs_identity identity;

    good(certs_node_load(&w->nodes[number], &identity, &why));
    sk_X509_pop_free(identity.authorities, X509_free);
    identity.authorities = certs_authority_trusted(a);
    good(certs_node_install(&w->nodes[number], &identity, CERTS_REPLACE_AUTHORITIES, &why));
    identity.authorities = NULL;
    certs_identity_fini(&identity);
    certs_authority_close(a);
}

static void nobody_who_goes_along_is_ever_refused(void **state)
{
    enum { STAYS, RENEWS, TRUSTS };
    const struct world *w = *state;

    for (int i = 0; i < NODES; i++) {
        enrol(w, i, "alpha", "n");
        assert_int_equal(meet(w, i), ACCEPTED);
    }
    good(take_step(w, BEGIN, NULL));
    for (int i = 0; i < NODES; i++)
        assert_int_equal(meet(w, i), ACCEPTED);
    enrol(w, RENEWS, "alpha", "n");
    trust_more(w, TRUSTS);
    for (int i = 0; i < NODES; i++)
        assert_int_equal(meet(w, i), ACCEPTED);
    good(take_step(w, CHANGE, NULL));
    assert_int_equal(meet(w, STAYS), NODE_REFUSES);
    assert_int_equal(meet(w, RENEWS), ACCEPTED);
    assert_int_equal(meet(w, TRUSTS), ACCEPTED);
    good(take_step(w, FINISH, NULL));
    assert_int_equal(meet(w, STAYS), NODE_REFUSES);
    assert_int_equal(meet(w, RENEWS), ACCEPTED);
    assert_int_equal(meet(w, TRUSTS), ARBITER_REFUSES);
    enrol(w, RENEWS, "alpha", "n");
    assert_int_equal(meet(w, RENEWS), ACCEPTED);
}

/* ---- what the steps leave ------------------------------------------------------------------------------------- */

static int count_in(const struct world *w, const char *name, X509 **first)
{
    STACK_OF(X509) *list = NULL;
    struct certs_folder folder;
    int count = 0;
    char *bytes;
    size_t size;

    *first = NULL;
    good(certs_folder_open(&folder, w->arbiter_dir, CERTS_FOLDER_READ, NULL, &why));
    if (certs_folder_has(&folder, name)) {
        good(certs_folder_read(&folder, name, &bytes, &size, &why));
        good(certs_decode_certificates(name, bytes, size, &list, &why));
        count = sk_X509_num(list);
        *first = sk_X509_shift(list);
        free(bytes);
    }
    sk_X509_pop_free(list, X509_free);
    certs_folder_close(&folder);
    return count;
}

/* How many authorities a new node is given in a file, the one by which it must know the arbiter first, and how many alone. */
static void check_files(const struct world *w, int exported, int next)
{
    bool pem = w->arbiter.form == CERTS_PEM;
    struct certs_authority *a = arbiter_of(w);
    X509 *first, *coming;

    assert_int_equal(count_in(w, pem ? CERTS_PEM_AUTHORITY : CERTS_EXPORTED_AUTHORITY, &first), exported);
    assert_true(certs_same(first, certs_authority_shown(a)));
    assert_int_equal(X509_verify(certs_authority_server(a), X509_get0_pubkey(first)), 1);
    assert_int_equal(count_in(w, pem ? CERTS_PEM_NEXT : CERTS_EXPORTED_NEXT, &coming), next);
    if (next > 0)
        assert_true(certs_same(coming, certs_authority_certificate(a)));
    assert_int_equal(sk_X509_num(certs_authority_trusted(a)), exported);
    X509_free(first);
    X509_free(coming);
    certs_authority_close(a);
}

static X509 *signing(const struct world *w)
{
    struct certs_authority *a = arbiter_of(w);
    X509 *cert = X509_dup(certs_authority_certificate(a));

    certs_authority_close(a);
    return cert;
}

/* So that "up to number N" of a revocation means the same whichever of the two has signed: each number is given out once. */
static void check_sequence(const struct world *w, uint64_t next)
{
    struct certs_authority *a = arbiter_of(w);
    uint64_t serial;

    good(certs_authority_take_serial(a, &serial, &why));
    assert_int_equal(serial, next);
    certs_authority_close(a);
}

static uint64_t number_of(const struct world *w, bool of_server)
{
    struct certs_authority *a = arbiter_of(w);
    uint64_t number;

    assert_int_equal(ASN1_INTEGER_get_uint64(&number, X509_get0_serialNumber(of_server ? certs_authority_server(a)
                                                                                       : certs_authority_certificate(a))), 1);
    certs_authority_close(a);
    return number;
}

static void note_number(void *context, X509 *cert)
{
    uint64_t number, *last = context;

    assert_int_equal(ASN1_INTEGER_get_uint64(&number, X509_get0_serialNumber(cert)), 1);
    assert_true(number > *last); /* by ascending number: no two alike */
    *last = number;
}

/* Whichever of the two has signed, and if the file with the last number is lost: no number is given out twice. */
static void numbers_go_on_over_both_authorities(void **state)
{
    const struct world *w = *state;
    char *file = test_path(w->arbiter_dir, "serial.txt");
    struct certs_authority *a;
    uint64_t last = 0;
    size_t unreadable;

    enrol(w, 0, "alpha", "n"); /* 103 */
    good(take_step(w, BEGIN, NULL));
    assert_int_equal(number_of(w, false), 104);
    enrol(w, 0, "alpha", "n");
    good(take_step(w, RENEW, NULL)); /* by the former */
    assert_int_equal(number_of(w, true), 106);
    assert_int_equal(remove(file), 0);
    good(take_step(w, CHANGE, NULL));
    assert_int_equal(number_of(w, true), 107);
    enrol(w, 0, "alpha", "n");
    good(take_step(w, FINISH, NULL));
    assert_int_equal(remove(file), 0);
    check_sequence(w, 109);
    a = arbiter_of(w);
    good(certs_authority_each_issued(a, note_number, &last, &unreadable, &why));
    certs_authority_close(a);
    assert_int_equal(last, 108);
    free(file);
}

static void steps_have_an_order_and_can_be_repeated(void **state)
{
    const struct world *w = *state;
    X509 *old = signing(w), *new, *again;

    check_files(w, 1, 0);
    assert_int_equal(take_step(w, CHANGE, NULL), Q_ERR_BUSY);
    good(take_step(w, FINISH, NULL));
    for (int i = 0; i < 2; i++) {
        good(take_step(w, BEGIN, NULL));
        assert_int_equal(stage_of(w), ROLL_BEGUN);
        check_files(w, 2, 1);
    }
    new = signing(w);
    assert_false(certs_same(old, new));
    assert_int_not_equal(X509_NAME_cmp(X509_get_subject_name(old), X509_get_subject_name(new)), 0);
    assert_int_equal(take_step(w, FINISH, NULL), Q_ERR_BUSY);
    for (int i = 0; i < 2; i++) {
        good(take_step(w, CHANGE, NULL));
        assert_int_equal(stage_of(w), ROLL_CHANGED);
        check_files(w, 2, 0);
    }
    assert_int_equal(take_step(w, BEGIN, NULL), Q_ERR_BUSY);
    for (int i = 0; i < 2; i++) {
        good(take_step(w, FINISH, NULL));
        assert_int_equal(stage_of(w), ROLL_NONE);
        check_files(w, 1, 0);
    }
    again = signing(w);
    assert_true(certs_same(new, again));
    check_sequence(w, 105);
    good(take_step(w, BEGIN, NULL));
    X509_free(again);
    X509_free(old);
    X509_free(new);
}

static void a_change_can_be_cancelled_until_its_second_step(void **state)
{
    const struct world *w = *state;
    X509 *old = signing(w), *after;

    enrol(w, 0, "alpha", "n1");
    enrol(w, 1, "alpha", "n2");
    for (int i = 0; i < 2; i++) {
        good(take_step(w, BEGIN, NULL));
        if (i == 1)
            enrol(w, 1, "alpha", "n2");
        good(take_step(w, CANCEL, NULL));
        assert_int_equal(stage_of(w), ROLL_NONE);
        check_files(w, 1, 0);
        after = signing(w);
        assert_true(certs_same(old, after));
        X509_free(after);
        good(take_step(w, CANCEL, NULL)); /* nothing to do */
        assert_int_equal(meet(w, 0), ACCEPTED);
        assert_int_equal(meet(w, 1), i == 0 ? ACCEPTED : ARBITER_REFUSES);
    }
    enrol(w, 1, "alpha", "n2");
    assert_int_equal(meet(w, 1), ACCEPTED);
    good(take_step(w, BEGIN, NULL));
    good(take_step(w, CHANGE, NULL));
    assert_int_equal(take_step(w, CANCEL, NULL), Q_ERR_BUSY);
    assert_int_equal(stage_of(w), ROLL_CHANGED);
    good(take_step(w, FINISH, NULL));
    X509_free(old);
}

/* Without the arbiter's own certificate nobody can tell the stage. */
static void without_the_arbiter_s_own_nothing_is_done(void **state)
{
    const struct world *w = *state;
    char *own = test_path(w->arbiter_dir, CERTS_PEM_SERVER);

    good(take_step(w, BEGIN, NULL));
    assert_int_equal(remove(own), 0);
    for (enum step step = RENEW; step <= FINISH; step++) {
        if (step != BEGIN)
            assert_int_equal(take_step(w, step, NULL), Q_ERR_NOT_FOUND);
    }
    free(own);
}

/* Leaves the first of the keys in the file. */
static void take_away_the_former_key(const struct world *w)
{
    char *path = test_path(w->arbiter_dir, CERTS_PEM_AUTHORITY_KEY), *bytes, *second;
    struct certs_failure ignored;
    size_t size;

    good(certs_file_read(path, &bytes, &size, &ignored));
    second = strstr(bytes + 1, "-----BEGIN");
    assert_non_null(second);
    *second = '\0';
    test_write_text(path, bytes);
    free(bytes);
    free(path);
}

/* Without its key the certificates still tell the stage: the change goes on to its end. */
static void the_key_of_the_former_is_not_needed(void **state)
{
    const struct world *w = *state;

    enrol(w, 0, "alpha", "n");
    good(take_step(w, BEGIN, NULL));
    take_away_the_former_key(w);
    assert_int_equal(stage_of(w), ROLL_BEGUN);
    check_files(w, 2, 1);
    assert_int_equal(take_step(w, RENEW, NULL), Q_ERR_NOT_FOUND);
    assert_int_equal(take_step(w, CANCEL, NULL), Q_ERR_NOT_FOUND);
    assert_int_equal(take_step(w, FINISH, NULL), Q_ERR_BUSY);
    good(take_step(w, BEGIN, NULL));
    enrol(w, 0, "alpha", "n");
    assert_int_equal(meet(w, 0), ACCEPTED);
    good(take_step(w, CHANGE, NULL));
    assert_int_equal(stage_of(w), ROLL_CHANGED);
    check_files(w, 2, 0);
    assert_int_equal(meet(w, 0), ACCEPTED);
    good(take_step(w, FINISH, NULL));
    assert_int_equal(stage_of(w), ROLL_NONE);
    check_files(w, 1, 0);
    assert_int_equal(meet(w, 0), ACCEPTED);
}

/* -i in a change of authorities completes what is missing, and the change is where it was. */
static void the_arbiter_s_own_is_made_anew_by_whom_nodes_trust(void **state)
{
    const struct certs_authority_wish wish = {.now = time(NULL)};
    const struct world *w = *state;
    char *own = test_path(w->arbiter_dir, CERTS_PEM_SERVER);

    enrol(w, 0, "alpha", "n");
    for (enum step step = BEGIN; step <= CHANGE; step++) {
        good(take_step(w, step, NULL));
        if (step == CHANGE)
            enrol(w, 0, "alpha", "n");
        assert_int_equal(remove(own), 0);
        good(certs_authority_create(&w->arbiter, &wish, NULL, &why));
        assert_int_equal(stage_of(w), step == BEGIN ? ROLL_BEGUN : ROLL_CHANGED);
        check_files(w, 2, step == BEGIN ? 1 : 0);
        assert_int_equal(meet(w, 0), ACCEPTED);
    }
    free(own);
}

/* The other form has the same stage. */
static void a_change_under_way_survives_conversion(void **state)
{
    const struct world *w = *state;
    char *other = test_path(w->dir, "qnetd/other"), *list = test_path(w->arbiter_dir, CERTS_REVOKED);
    struct world converted = *w;
    struct revocations revoked;

    good(take_step(w, BEGIN, NULL));
    test_write_text(list, "not to be forgotten");
    converted.arbiter.form = w->arbiter.form == CERTS_PEM ? CERTS_NSS : CERTS_PEM;
    converted.arbiter.dir = converted.arbiter_dir = other;
    good(certs_authority_convert(&w->arbiter, &converted.arbiter, &why));
    assert_int_equal(stage_of(&converted), ROLL_BEGUN);
    check_files(&converted, 2, 1);
    assert_int_equal(revoked_read(other, &revoked, &why), Q_ERR_INVALID);
    good(take_step(&converted, CHANGE, NULL));
    good(take_step(&converted, FINISH, NULL));
    check_files(&converted, 1, 0);
    free(list);
    free(other);
}

/* ---- killed between two renames ---------------------------------------------------------------------------------- */

static void copy_file(const char *dir, const char *from, const char *to)
{
    char *source = test_path(dir, from), *target = test_path(dir, to);
    const char *const argv[] = {"cp", source, target, NULL};

    assert_true(test_run(argv, "/dev/null"));
    free(source);
    free(target);
}

/*
 * key4.db gets its name before cert9.db, and holds the seals of its trust. With the former cert9.db it is what a kill leaves:
 * all that was trusted before still is, unless it is to go, and the step can be done again.
 */
static void a_database_is_good_between_its_two_renames(void **state)
{
    static const enum roll_stage after_kill[] = {[BEGIN] = ROLL_NONE, [CHANGE] = ROLL_BEGUN, [FINISH] = ROLL_CHANGED};
    const struct world *w = *state;
    struct certs_identity loaded;

    enrol(w, 0, "alpha", "n");
    for (enum step step = BEGIN; step <= FINISH; step++) {
        copy_file(w->arbiter_dir, "cert9.db", "kept");
        good(take_step(w, step, NULL));
        copy_file(w->arbiter_dir, "kept", "cert9.db");
        assert_int_equal(stage_of(w), after_kill[step]);
        /* In the others a third rename has removed a key that the former certificates need. */
        if (step == BEGIN)
            assert_int_equal(meet(w, 0), ACCEPTED);
        good(take_step(w, step, NULL));
        if (step == BEGIN) {
            copy_file(w->node_dirs[0], "cert9.db", "kept");
            enrol(w, 0, "alpha", "n");
            copy_file(w->node_dirs[0], "kept", "cert9.db");
            good(certs_node_load(&w->nodes[0], &loaded, &why));
            assert_int_equal(sk_X509_num(loaded.authorities), 1);
            certs_identity_fini(&loaded);
            enrol(w, 0, "alpha", "n");
        }
        assert_int_equal(meet(w, 0), ACCEPTED);
    }
}

/* ---- the arbiter's own certificate ----------------------------------------------------------------------------- */

static bool has_name(X509 *cert, const char *name)
{
    return X509_check_host(cert, name, 0, 0, NULL) == 1 || X509_check_ip_asc(cert, name, 0) == 1;
}

static void the_arbiter_s_own_is_renewed_by_whom_nodes_trust(void **state)
{
    static const char *const names[] = {"DNS:arbiter.example", "IP:10.0.0.1", NULL};
    const struct world *w = *state;
    struct certs_authority *a;
    X509 *before = NULL;

    enrol(w, 0, "alpha", "n");
    for (int round = 0; round < 3; round++) {
        if (round == 2)
            good(take_step(w, BEGIN, NULL));
        good(take_step(w, RENEW, round == 0 ? names : NULL));
        a = arbiter_of(w);
        assert_true(has_name(certs_authority_server(a), "Qnetd Server"));
        assert_true(has_name(certs_authority_server(a), "arbiter.example"));
        assert_true(has_name(certs_authority_server(a), "10.0.0.1"));
        if (before != NULL)
            assert_int_not_equal(EVP_PKEY_eq(X509_get0_pubkey(before), X509_get0_pubkey(certs_authority_server(a))), 1);
        X509_free(before);
        before = X509_dup(certs_authority_server(a));
        certs_authority_close(a);
        assert_int_equal(meet(w, 0), ACCEPTED);
    }
    X509_free(before);
    assert_int_equal(stage_of(w), ROLL_BEGUN);
}

/* ---- who is ready --------------------------------------------------------------------------------------------- */

static enum standing_state standing_in(const struct world *w, const char *cluster, const char *node,
                                       const struct revocations *revoked)
{
    static const struct revocations none;
    enum standing_state state = STANDING_READY;
    struct certs_authority *a = arbiter_of(w);
    struct standing standing;

    good(standing_read(a, revoked != NULL ? revoked : &none, &standing, &why));
    for (size_t i = 0; i < standing.count; i++) {
        if (strcmp(standing.entries[i].cluster, cluster) == 0 && strcmp(standing.entries[i].node, node) == 0)
            state = standing_of(&standing.entries[i], roll_over_stage(a));
    }
    standing_fini(&standing);
    certs_authority_close(a);
    return state;
}

static void who_is_ready_is_known_by_the_record(void **state)
{
    const struct world *w = *state;
    struct revocations revoked = {0};
    struct revocation all = {.up_to = true, .serial = 1000000, .when_s = 1, .cluster = "alpha"};

    enrol(w, 0, "alpha", "n1");
    enrol(w, 1, "alpha", "n2");
    enrol(w, 2, "beta", NULL);
    assert_int_equal(standing_in(w, "alpha", "n1", NULL), STANDING_READY);
    good(take_step(w, BEGIN, NULL));
    assert_int_equal(standing_in(w, "alpha", "n1", NULL), STANDING_BEHIND);
    assert_int_equal(standing_in(w, "beta", "", NULL), STANDING_BEHIND);
    enrol(w, 0, "alpha", "n1");
    enrol(w, 2, "beta", NULL);
    assert_int_equal(standing_in(w, "alpha", "n1", NULL), STANDING_READY);
    assert_int_equal(standing_in(w, "alpha", "n2", NULL), STANDING_BEHIND);
    assert_int_equal(standing_in(w, "beta", "", NULL), STANDING_UNKNOWN);
    assert_int_equal(revocations_add(&revoked, &all), Q_OK);
    assert_int_equal(standing_in(w, "alpha", "n2", &revoked), STANDING_READY);
    good(take_step(w, CHANGE, NULL));
    assert_int_equal(standing_in(w, "alpha", "n1", NULL), STANDING_READY);
    assert_int_equal(standing_in(w, "alpha", "n2", NULL), STANDING_BEHIND);
    assert_int_equal(standing_in(w, "beta", "", NULL), STANDING_UNKNOWN);
    enrol(w, 2, "gamma", NULL);
    assert_int_equal(standing_in(w, "gamma", "", NULL), STANDING_READY);
    good(take_step(w, FINISH, NULL));
    assert_int_equal(standing_in(w, "alpha", "n2", NULL), STANDING_READY);
    revocations_fini(&revoked);
}

/* How many of the entries of that node are behind. */
static size_t count_behind(const struct world *w, const char *node, size_t *entries)
{
    static const struct revocations none;
    struct certs_authority *a = arbiter_of(w);
    struct standing standing;
    size_t behind = 0;

    *entries = 0;
    good(standing_read(a, &none, &standing, &why));
    for (size_t i = 0; i < standing.count; i++) {
        if (strcmp(standing.entries[i].node, node) != 0)
            continue;
        (*entries)++;
        behind += standing_of(&standing.entries[i], roll_over_stage(a)) == STANDING_BEHIND;
    }
    standing_fini(&standing);
    certs_authority_close(a);
    return behind;
}

/* Of two clusters of one name nobody knows whose a certificate without identity is; of one it is that one's. */
static void a_certificate_without_identity_is_no_other_cluster_s(void **state)
{
    const struct world *w = *state;
    size_t entries;

    enrol_as(w, 0, "alpha", "n1", 0);
    enrol_as(w, 0, "alpha", "n1", 1);
    enrol_as(w, 1, "alpha", "n2", 1);
    enrol_as(w, 1, "alpha", "n2", 2);
    enrol_as(w, 1, "alpha", "n2", 0);
    good(take_step(w, BEGIN, NULL));
    assert_int_equal(count_behind(w, "n1", &entries), 1);
    assert_int_equal(entries, 1);
    assert_int_equal(count_behind(w, "n2", &entries), 3);
    enrol_as(w, 0, "alpha", "n1", 1);
    enrol_as(w, 1, "alpha", "n2", 1);
    enrol_as(w, 1, "alpha", "n2", 2);
    assert_int_equal(count_behind(w, "n1", &entries), 0);
    assert_int_equal(count_behind(w, "n2", &entries), 1);
    assert_int_equal(entries, 3);
}

static X509 *issue_for_cluster(const struct world *w, const char *cluster, bool export)
{
    struct certs_client_order order = {.cluster_name = cluster, .now = time(NULL)};
    struct certs_authority *a = arbiter_of(w);
    X509 *cert;
    char *path;

    order.public_key = EVP_EC_gen("P-256");
    good(certs_authority_issue(a, &order, &cert, &why));
    if (export) {
        good(certs_authority_export(a, cluster, cert, &path, &why));
        free(path);
    }
    EVP_PKEY_free(order.public_key);
    certs_authority_close(a);
    return cert;
}

/* The packaged script has no record but this file, which the next certificate of the cluster replaces. */
static void what_the_packaged_script_signed_stays_on_record(void **state)
{
    const struct world *w = *state;
    char *issued, *exported = test_path(w->arbiter_dir, "cluster-beta.crt");
    char name[64];

    X509 *cert = issue_for_cluster(w, "beta", false);
    snprintf(name, sizeof(name), "issued/%ld.crt", ASN1_INTEGER_get(X509_get0_serialNumber(cert)));
    issued = test_path(w->arbiter_dir, name);
    assert_int_equal(rename(issued, exported), 0);
    X509_free(cert);
    good(take_step(w, BEGIN, NULL));
    assert_int_equal(standing_in(w, "beta", "", NULL), STANDING_BEHIND);
    X509_free(issue_for_cluster(w, "beta", true));
    good(take_step(w, CHANGE, NULL));
    assert_int_equal(standing_in(w, "beta", "", NULL), STANDING_UNKNOWN);
    free(issued);
    free(exported);
}

/* It signs all names that a request has, and the arbiter goes by each. The arbiter's own is such a one. */
static void a_certificate_of_several_names_is_seen(void **state)
{
    static const char *const names[] = {"DNS:one", "DNS:two", NULL};
    const struct world *w = *state;
    char *own = test_path(w->arbiter_dir, CERTS_PEM_SERVER), *exported = test_path(w->arbiter_dir, "cluster-one.crt");

    good(take_step(w, RENEW, names));
    assert_int_equal(link(own, exported), 0);
    good(take_step(w, BEGIN, NULL));
    assert_int_equal(standing_in(w, "one", "", NULL), STANDING_BEHIND);
    assert_int_equal(standing_in(w, "two", "", NULL), STANDING_BEHIND);
    free(own);
    free(exported);
}

int main(void)
{
#define BOTH(test)                                                                                           \
    cmocka_unit_test_setup_teardown(test, set_up_nss, tear_down),                                            \
        cmocka_unit_test_setup_teardown(test, set_up_pem, tear_down)
    const struct CMUnitTest tests[] = {
        BOTH(nobody_who_goes_along_is_ever_refused),
        BOTH(steps_have_an_order_and_can_be_repeated),
        BOTH(a_change_can_be_cancelled_until_its_second_step),
        BOTH(numbers_go_on_over_both_authorities),
        cmocka_unit_test_setup_teardown(the_key_of_the_former_is_not_needed, set_up_pem, tear_down),
        cmocka_unit_test_setup_teardown(a_database_is_good_between_its_two_renames, set_up_nss, tear_down),
        cmocka_unit_test_setup_teardown(a_change_under_way_survives_conversion, set_up_nss, tear_down),
        cmocka_unit_test_setup_teardown(the_arbiter_s_own_is_renewed_by_whom_nodes_trust, set_up_nss, tear_down),
        cmocka_unit_test_setup_teardown(without_the_arbiter_s_own_nothing_is_done, set_up_pem, tear_down),
        cmocka_unit_test_setup_teardown(a_certificate_without_identity_is_no_other_cluster_s, set_up_pem, tear_down),
        cmocka_unit_test_setup_teardown(the_arbiter_s_own_is_made_anew_by_whom_nodes_trust, set_up_pem, tear_down),
        cmocka_unit_test_setup_teardown(who_is_ready_is_known_by_the_record, set_up_pem, tear_down),
        cmocka_unit_test_setup_teardown(what_the_packaged_script_signed_stays_on_record, set_up_nss, tear_down),
        cmocka_unit_test_setup_teardown(a_certificate_of_several_names_is_seen, set_up_pem, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
