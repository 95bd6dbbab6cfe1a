/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/revoked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "certs/store/authority.h"
#include "certs/enrol/clusters.h"
#include "certs/enrol/invitation_dir.h"
#include "certs/enrol/invite.h"
#include "certs/store/folder.h"
#include "common/tls/peer_names.h"

static enum q_err decode(const char *path, const char *bytes, size_t size, struct revocations *out,
                         struct certs_failure *why)
{
    enum q_err err = revocations_decode((const uint8_t *)bytes, size, out);

    if (err == Q_OK)
        return Q_OK;
    return certs_fail(why, err, "The list of revoked certificates, %s, cannot be read: %s. Restore it from a backup, or "
                                "remove it: then none is revoked, and --revoke has to be repeated.",
                      path, q_err_text(err));
}

enum q_err revoked_read(const char *dir, struct revocations *out, struct certs_failure *why)
{
    enum q_err err = Q_OK;
    char *path, *bytes;
    size_t size;

    *out = (struct revocations){0};
    if (asprintf(&path, "%s/" REVOKED_FILE, dir) < 0)
        return certs_fail_memory(why);
    err = certs_file_read(path, &bytes, &size, why);
    if (err == Q_OK) {
        err = decode(path, bytes, size, out, why);
        free(bytes);
    }
    free(path);
    return err == Q_ERR_NOT_FOUND ? Q_OK : err;
}

int64_t revoked_when(const struct revocations *list, const struct tls_peer_names *peer)
{
    struct revocation_subject subject = {.serial = peer->serial, .number = peer->number, .identity = peer->cluster,
                                         .node = peer->node};
    int64_t when_s = 0;

    for (size_t i = 0; when_s == 0 && list->count > 0 && i < peer->count; i++) {
        subject.cluster = peer->names[i];
        when_s = revocations_when(list, &subject);
    }
    return when_s;
}

bool revoked_concerns(const struct revocations *list, const struct tls_peer_names *peer)
{
    return peer != NULL && revoked_when(list, peer) != 0;
}

/* ---- revoking --------------------------------------------------------------------------------------------------- */

struct revoking {
    const struct revoke_wish *wish;
    struct invite_scope scope;
    struct revocations list;
    size_t count;
    enum q_err err;
};

/* One that is named in full, but is not on record: its certificates may be out nevertheless. */
static void say_strange(const struct revoking *r)
{
    fprintf(stderr,
            "Note: this arbiter knows no cluster \"%s\" with the identity %s; its certificates, if there are any, are revoked all the same.\n",
            r->wish->cluster, r->wish->identity);
}

/* Which of several clusters of that name is meant. Nobody is thrown out by a guess. */
static enum q_err narrow(struct revoking *r, const struct cluster_register *clusters, struct certs_failure *why)
{
    const struct cluster_wish wish = {.name = r->wish->cluster, .identity = r->wish->identity};
    const char *wanted = wish.identity, *name_there;
    enum cluster_register_answer answer = cluster_register_choose(clusters, &wish, &r->scope.identity, &name_there);

    r->scope.narrow = wanted != NULL && strcmp(wanted, IDENTITY_ALL) != 0;
    if (!r->scope.narrow || strcmp(wanted, IDENTITY_NONE) == 0) {
        r->scope.identity = (struct cluster_identity){{0}};
        if (wanted != NULL || answer != CLUSTER_REGISTER_SEVERAL)
            return Q_OK;
        return clusters_refuse(clusters, wish.name, Q_ERR_INVALID,
                               "Say which is to be revoked with --identity and how it begins, --identity none for certificates that "
                               "have none, or --identity all.",
                               why);
    }
    switch (answer) {
    case CLUSTER_REGISTER_KNOWN:
        return Q_OK;
    case CLUSTER_REGISTER_STRANGE:
        say_strange(r);
        return Q_OK;
    case CLUSTER_REGISTER_SEVERAL:
        return clusters_refuse(clusters, wish.name, Q_ERR_INVALID, "Say more digits of the one that is meant.", why);
    case CLUSTER_REGISTER_ELSEWHERE:
        return clusters_refuse_elsewhere(wanted, name_there, why);
    case CLUSTER_REGISTER_NEW:
    case CLUSTER_REGISTER_NONE:
        break;
    }
    return clusters_refuse(clusters, wish.name, Q_ERR_NOT_FOUND,
                           "None of them is the one named by --identity; one that this arbiter has lost has to be given in full.", why);
}

static enum q_err find_scope(struct revoking *r, const struct certs_authority *authority, struct certs_failure *why)
{
    struct cluster_register clusters;
    struct invitation_dir dir;
    enum q_err err;

    r->scope = (struct invite_scope){.cluster = r->wish->cluster, .node = r->wish->node};
    err = invitation_dir_open(&dir, INVITATION_DIR_DEFAULT, why);
    if (err != Q_OK && err != Q_ERR_NOT_FOUND)
        return err;
    err = clusters_read(&dir, authority, &clusters, why);
    if (err == Q_OK)
        err = narrow(r, &clusters, why);
    cluster_register_fini(&clusters);
    invitation_dir_close(&dir);
    return err;
}

/* What an entry says already needs no other, whatever renewed how often. */
static void revoke_one(void *context, X509 *cert)
{
    struct revoking *r = context;
    struct revocation one = {.when_s = r->wish->now_s};
    struct tls_peer_names *names;
    char ignored[128];

    if (r->err != Q_OK || tls_peer_names_new(cert, &names, ignored, sizeof(ignored)) != Q_OK)
        return;
    if (names->count == 1 && invite_scope_has(&r->scope, names->names[0], names->node, &names->cluster)) {
        r->count++;
        if (revoked_when(&r->list, names) != 0) {
            tls_peer_names_free(names);
            return;
        }
        one.serial = names->serial;
        if (names->serial == 0)
            snprintf(one.number, sizeof(one.number), "%s", names->number);
        snprintf(one.cluster, sizeof(one.cluster), "%s", r->wish->cluster);
        r->err = revocations_add(&r->list, &one);
    }
    tls_peer_names_free(names);
}

static enum q_err revoke_all(struct revoking *r, struct certs_authority *authority, struct certs_failure *why)
{
    struct revocation all = {
        .up_to = true, .narrow = r->scope.narrow, .identity = r->scope.identity, .when_s = r->wish->now_s};
    enum q_err err;

    /* This number is taken so that no certificate ever has it: all later ones are above. */
    err = certs_authority_take_serial(authority, &all.serial, why);
    if (err != Q_OK)
        return err;
    snprintf(all.cluster, sizeof(all.cluster), "%s", r->wish->cluster);
    snprintf(all.node, sizeof(all.node), "%s", r->wish->node != NULL ? r->wish->node : "");
    r->err = revocations_add(&r->list, &all);
    return Q_OK;
}

static enum q_err write_list(struct revoking *r, struct certs_authority *authority, struct certs_failure *why)
{
    struct q_buf text;
    enum q_err err;

    q_buf_init(&text);
    revocations_encode(&r->list, &text);
    err = text.failed ? certs_fail_memory(why)
                      : certs_authority_write(authority, REVOKED_FILE, q_buf_bytes(&text), text.size, why);
    q_buf_fini(&text);
    return err;
}

/* All that is on record, and what nodes have got meanwhile. */
static enum q_err revoke_recorded(struct revoking *r, struct certs_authority *authority, struct certs_failure *why)
{
    size_t unreadable, withdrawn;
    enum q_err err = invite_withdraw(&r->scope, &withdrawn, why);

    r->count = 0;
    if (err == Q_OK)
        err = invite_settle(authority, r->wish->now_s, why);
    if (err == Q_OK)
        err = certs_authority_each_issued(authority, revoke_one, r, &unreadable, why);
    if (err != Q_OK)
        return err;
    if (r->err == Q_ERR_LIMIT)
        return certs_fail(why, r->err, "More than %d revocations. Revoke a cluster that is no more as a whole: this takes the place of what is noted of its "
                                         "nodes.", REVOCATIONS_MAX);
    if (r->err != Q_OK)
        return certs_fail_memory(why);
    if (r->wish->node != NULL && r->count == 0)
        return certs_fail(why, Q_ERR_NOT_FOUND,
                          "No certificate names the node \"%s\" of the cluster \"%s\" (see --list). Certificates of the packaged "
                          "flow are the whole cluster's: revoke that, and let its nodes join anew.",
                          r->wish->node, r->wish->cluster);
    return write_list(r, authority, why);
}

/*
 * Twice: a renewal that was under way in the first round is on disk in the second, or the enrolment program has looked at
 * the list after the first, and kept it to itself.
 */
static enum q_err revoke_in(struct revoking *r, struct certs_authority *authority, struct certs_failure *why)
{
    enum q_err err = invite_settle(authority, r->wish->now_s, why);

    if (err == Q_OK)
        err = find_scope(r, authority, why);
    if (err == Q_OK)
        err = revoke_all(r, authority, why);
    if (err == Q_OK)
        err = revoke_recorded(r, authority, why);
    return err == Q_OK ? revoke_recorded(r, authority, why) : err;
}

enum q_err revoke_certificates(const struct revoke_wish *wish, size_t *count, struct certs_failure *why)
{
    struct revoking r = {.wish = wish};
    struct certs_authority *authority;
    enum q_err err = certs_authority_open(wish->place, CERTS_CHANGE, &authority, why);

    if (err != Q_OK)
        return err;
    err = revoked_read(wish->place->dir, &r.list, why);
    if (err == Q_OK)
        err = revoke_in(&r, authority, why);
    *count = r.count;
    revocations_fini(&r.list);
    certs_authority_close(authority);
    return err;
}
