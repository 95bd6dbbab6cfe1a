/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/invite.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "certs/store/authority.h"
#include "certs/enrol/clusters.h"
#include "certs/enrol/invitation_dir.h"
#include "certs/enrol/secret.h"
#include "certs/logic/name.h"
#include "common/clock.h"

/* So long after their end invitations are kept: a code that is shown too late is then told from one that never was. */
#define REMEMBERED_S ((int64_t)30 * 86400)

enum q_err invite_parse_time(const char *text, int64_t *seconds)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    char *end;
    long long number;

    if (text[0] < '0' || text[0] > '9')
        return Q_ERR_INVALID;
    number = strtoll(text, &end, 10);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].unit) != 0)
            continue;
        if (number < 1 || number > INVITE_VALID_MAX_S / units[i].seconds)
            return Q_ERR_INVALID;
        *seconds = number * units[i].seconds;
        return Q_OK;
    }
    return Q_ERR_INVALID;
}

/* ---- earlier invitations ---------------------------------------------------------------------------------------- */

/* One look at every invitation, up to the first error. */
struct round {
    enum q_err (*visit)(struct round *round, const struct invitation *invitation);
    bool locked; /* what a file says stays so meanwhile: the enrolment program waits */
    struct invitation_dir dir;
    enum q_err err; /* the first of visit's */
    struct certs_failure *why;
};

static void visit_one(void *context, const struct invitation *invitation)
{
    struct round *round = context;

    if (round->err == Q_OK)
        round->err = round->visit(round, invitation);
}

/* Without a directory there is nothing to see; what was interrupted in it long before sweep_s is removed. */
static enum q_err go_round(struct round *round, int64_t sweep_s)
{
    enum q_err err = invitation_dir_open(&round->dir, INVITATION_DIR_DEFAULT, round->why);

    if (err == Q_ERR_NOT_FOUND)
        return Q_OK;
    if (err != Q_OK)
        return err;
    invitation_dir_sweep(&round->dir, sweep_s);
    if (round->locked)
        err = invitation_dir_lock(&round->dir, round->why);
    if (err == Q_OK)
        err = invitation_dir_each(&round->dir, visit_one, round, round->why);
    invitation_dir_close(&round->dir);
    return err != Q_OK ? err : round->err;
}

struct settling {
    struct round round; /* the first member */
    struct certs_authority *authority;
    int64_t now_s;
};

/* A record in the form of an invitation, of which nothing has to be remembered. */
static bool is_renewal(const struct invitation *invitation)
{
    return invitation->certificate != NULL && invitation->created_s == invitation->expires_s;
}

static enum q_err settle_one(struct round *round, const struct invitation *invitation)
{
    struct settling *settling = (struct settling *)round;
    const unsigned char *at = invitation->certificate;
    X509 *cert = at == NULL ? NULL : d2i_X509(NULL, &at, (long)invitation->certificate_size);
    /* Of an authority that the arbiter had before its certificates were made anew: its numbers are given out again since. */
    bool strange = cert != NULL && !certs_authority_vouches(settling->authority, cert);
    enum q_err err = Q_OK;

    if (cert != NULL && !strange)
        err = certs_authority_record(settling->authority, cert, round->why);
    if (err == Q_OK && (strange || settling->now_s - invitation->expires_s > REMEMBERED_S || is_renewal(invitation)))
        err = invitation_dir_remove(&round->dir, invitation->id, round->why);
    X509_free(cert);
    ERR_clear_error();
    return err;
}

enum q_err invite_settle(struct certs_authority *authority, int64_t now_s, struct certs_failure *why)
{
    /* Not locked: nobody changes what has a certificate, or ended long ago, and a record is slow to write. */
    struct settling settling = {.round = {.visit = settle_one, .why = why}, .authority = authority, .now_s = now_s};

    return go_round(&settling.round, now_s);
}

bool invite_scope_has(const struct invite_scope *scope, const char *cluster, const char *node,
                      const struct cluster_identity *identity)
{
    return certs_name_same(cluster, scope->cluster) && (scope->node == NULL || strcmp(node, scope->node) == 0) &&
           (!scope->narrow || cluster_identity_equal(identity, &scope->identity));
}

struct withdrawing {
    struct round round; /* the first member */
    const struct invite_scope *scope;
    size_t count;
};

static enum q_err withdraw_one(struct round *round, const struct invitation *invitation)
{
    struct withdrawing *withdrawing = (struct withdrawing *)round;
    const struct invite_scope *scope = withdrawing->scope;

    if (invitation->certificate != NULL ||
        (scope != NULL && !invite_scope_has(scope, invitation->cluster, invitation->node, &invitation->identity)))
        return Q_OK;
    withdrawing->count++;
    return invitation_dir_remove(&round->dir, invitation->id, round->why);
}

enum q_err invite_withdraw(const struct invite_scope *scope, size_t *count, struct certs_failure *why)
{
    /* Locked: a claim under way is either on disk before, and found, or finds no file. */
    struct withdrawing withdrawing = {.round = {.visit = withdraw_one, .locked = true, .why = why}, .scope = scope};
    enum q_err err = go_round(&withdrawing.round, (int64_t)time(NULL));

    *count = withdrawing.count;
    return err;
}

/* ---- new ones --------------------------------------------------------------------------------------------------- */

static enum q_err make_code(X509 *authority, struct enrol_code *code, struct invitation *invitation,
                            struct certs_failure *why)
{
    struct enrol_keys keys;
    uint8_t *der = NULL;
    int size = i2d_X509(authority, &der);
    bool good = size > 0 && enrol_code_new(der, (size_t)size, code, &keys) &&
                enrol_verifier(&keys, invitation->verifier);

    if (good)
        memcpy(invitation->id, keys.id, sizeof(invitation->id));
    enrol_keys_wipe(&keys);
    OPENSSL_free(der);
    return good ? Q_OK : certs_fail(why, Q_ERR_NO_MEMORY, "A code cannot be made: out of memory, or of random numbers.");
}

/* Codes that are good yet for a name that differs in the case of letters only. */
struct comparing {
    const struct invite_wish *wish;
    char other[ENROL_NAME_SIZE_MAX + 1];
};

static void compare_one(void *context, const struct invitation *invitation)
{
    struct comparing *c = context;

    if (invitation->certificate == NULL && invitation->expires_s > c->wish->now_s &&
        certs_name_same(invitation->cluster, c->wish->cluster) && strcmp(invitation->cluster, c->wish->cluster) != 0)
        memcpy(c->other, invitation->cluster, sizeof(c->other));
}

/* Of two spellings only the first one that is used gets certificates: better to say so here than on the node. */
static enum q_err check_spelling(const struct invitation_dir *dir, const struct certs_authority *authority,
                                 const struct invite_wish *wish, struct certs_failure *why)
{
    struct comparing c = {.wish = wish};
    enum q_err err = certs_authority_check_case(authority, wish->cluster, why);

    if (err == Q_OK)
        err = invitation_dir_each(dir, compare_one, &c, why);
    if (err != Q_OK || c.other[0] == '\0')
        return err;
    return certs_fail(why, Q_ERR_INVALID,
                      "There are codes for the cluster \"%s\", whose name differs from \"%s\" in the case of letters only. Spell it like "
                      "that if it is right so. Else wait until they have expired (--list), or withdraw them, and all certificates that "
                      "the cluster has, with corosync-qnetd-certutil --revoke %s",
                      c.other, wish->cluster, c.other);
}

struct inviting {
    const struct invite_wish *wish;
    struct certs_authority *authority;
    struct invitation_dir dir;
    struct cluster_identity identity;
};

static enum q_err invite_one(const struct inviting *inviting, const char *node, struct certs_failure *why)
{
    const struct invite_wish *wish = inviting->wish;
    struct invitation invitation = {.identity = inviting->identity,
                                    .created_s = wish->now_s,
                                    .expires_s = wish->now_s + wish->valid_s};
    char text[ENROL_CODE_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
    struct enrol_code code;
    enum q_err err;

    snprintf(invitation.cluster, sizeof(invitation.cluster), "%s", wish->cluster);
    snprintf(invitation.node, sizeof(invitation.node), "%s", node);
    err = certs_authority_take_serial(inviting->authority, &invitation.serial, why);
    if (err == Q_OK)
        err = make_code(certs_authority_shown(inviting->authority), &code, &invitation, why);
    if (err == Q_OK)
        err = invitation_dir_write(&inviting->dir, &invitation, why);
    if (err != Q_OK)
        return err;
    enrol_code_write(&code, text);
    clock_text_s((time_t)invitation.expires_s, until);
    fprintf(stderr, "%s%s%s cluster \"%s\", once, until %s, this code:\n", node[0] == '\0' ? "For one node of" : "For node \"",
            node, node[0] == '\0' ? "" : "\" of", wish->cluster, until);
    printf("%s\n", text);
    explicit_bzero(text, sizeof(text));
    explicit_bzero(&code, sizeof(code));
    return Q_OK;
}

/* Nobody but the administrator can tell a register that was lost from an identity that was copied wrong. */
static void say_strange(const struct invite_wish *wish)
{
    fprintf(stderr,
            "Note: this arbiter has not known a cluster \"%s\" with the identity %s, and takes your word for it. If it is not the one in "
            "the certificates of its nodes, withdraw this code: corosync-qnetd-certutil --revoke %s --identity %s\n",
            wish->cluster, wish->identity, wish->cluster, wish->identity);
}

enum q_err invite_nodes(const struct invite_wish *wish, struct certs_failure *why)
{
    static const char *const anyone[] = {""};
    const char *const *nodes = wish->node_count > 0 ? wish->nodes : anyone;
    size_t count = wish->node_count > 0 ? wish->node_count : 1;
    struct cluster_wish cluster = {.name = wish->cluster, .identity = wish->identity, .another = wish->another};
    struct inviting inviting = {.wish = wish, .dir = {.fd = -1}};
    enum q_err err = certs_authority_open(wish->place, CERTS_CHANGE, &inviting.authority, why);
    bool strange = false;

    assert(wish->valid_s >= 1 && wish->valid_s <= INVITE_VALID_MAX_S);
    if (err == Q_OK)
        err = invite_settle(inviting.authority, wish->now_s, why);
    if (err == Q_OK)
        err = invitation_dir_create(&inviting.dir, INVITATION_DIR_DEFAULT, why);
    if (err == Q_OK)
        err = check_spelling(&inviting.dir, inviting.authority, wish, why);
    if (err == Q_OK)
        err = clusters_choose(&inviting.dir, inviting.authority, &cluster, &inviting.identity, &strange, why);
    if (err == Q_OK && strange)
        say_strange(wish);
    for (size_t i = 0; err == Q_OK && i < count; i++)
        err = invite_one(&inviting, nodes[i], why);
    if (err == Q_OK)
        fprintf(stderr, "On the node, as root: corosync-qdevice-net-certutil --join CODE --host THIS_ARBITER\n");
    invitation_dir_close(&inviting.dir);
    certs_authority_close(inviting.authority);
    return err;
}
