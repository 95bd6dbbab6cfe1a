/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/invite.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

struct settling {
    struct certs_authority *authority;
    const struct invitation_dir *dir;
    int64_t now_s;
    enum q_err err; /* the first */
    struct certs_failure *why;
};

/* A record in the form of an invitation, of which nothing has to be remembered. */
static bool is_renewal(const struct invitation *invitation)
{
    return invitation->certificate != NULL && invitation->created_s == invitation->expires_s;
}

static void settle_one(void *context, const struct invitation *invitation)
{
    struct settling *settling = context;
    const unsigned char *at = invitation->certificate;
    X509 *cert = at == NULL ? NULL : d2i_X509(NULL, &at, (long)invitation->certificate_size);
    /* Of an authority that the arbiter had before its certificates were made anew: its numbers are given out again since. */
    bool strange = cert != NULL && !certs_authority_vouches(settling->authority, cert);

    if (settling->err == Q_OK && cert != NULL && !strange)
        settling->err = certs_authority_record(settling->authority, cert, settling->why);
    if (settling->err == Q_OK &&
        (strange || settling->now_s - invitation->expires_s > REMEMBERED_S || is_renewal(invitation)))
        settling->err = invitation_dir_remove(settling->dir, invitation->id, settling->why);
    X509_free(cert);
    ERR_clear_error();
}

enum q_err invite_settle(struct certs_authority *authority, int64_t now_s, struct certs_failure *why)
{
    struct settling settling = {.authority = authority, .now_s = now_s, .why = why};
    struct invitation_dir dir;
    enum q_err err = invitation_dir_open(&dir, INVITATION_DIR_DEFAULT, why);

    if (err == Q_ERR_NOT_FOUND)
        return Q_OK;
    if (err != Q_OK)
        return err;
    settling.dir = &dir;
    invitation_dir_sweep(&dir, now_s);
    err = invitation_dir_each(&dir, settle_one, &settling, why);
    invitation_dir_close(&dir);
    return err != Q_OK ? err : settling.err;
}

bool invite_scope_has(const struct invite_scope *scope, const char *cluster, const char *node,
                      const struct cluster_identity *identity)
{
    return certs_name_same(cluster, scope->cluster) && (scope->node == NULL || strcmp(node, scope->node) == 0) &&
           (!scope->narrow || cluster_identity_equal(identity, &scope->identity));
}

struct withdrawing {
    const struct invitation_dir *dir;
    const struct invite_scope *scope;
    size_t count;
    enum q_err err;
    struct certs_failure *why;
};

static void withdraw_one(void *context, const struct invitation *invitation)
{
    struct withdrawing *withdrawing = context;

    if (withdrawing->err != Q_OK || invitation->certificate != NULL ||
        (withdrawing->scope != NULL &&
         !invite_scope_has(withdrawing->scope, invitation->cluster, invitation->node, &invitation->identity)))
        return;
    withdrawing->err = invitation_dir_remove(withdrawing->dir, invitation->id, withdrawing->why);
    withdrawing->count++;
}

enum q_err invite_withdraw(const struct invite_scope *scope, size_t *count, struct certs_failure *why)
{
    struct withdrawing withdrawing = {.scope = scope, .why = why};
    struct invitation_dir dir;
    enum q_err err = invitation_dir_open(&dir, INVITATION_DIR_DEFAULT, why);

    *count = 0;
    if (err == Q_ERR_NOT_FOUND)
        return Q_OK;
    if (err != Q_OK)
        return err;
    withdrawing.dir = &dir;
    /* A claim under way is either on disk before, and found, or finds no file. */
    err = invitation_dir_lock(&dir, why);
    if (err == Q_OK)
        err = invitation_dir_each(&dir, withdraw_one, &withdrawing, why);
    invitation_dir_close(&dir);
    *count = withdrawing.count;
    return err != Q_OK ? err : withdrawing.err;
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
