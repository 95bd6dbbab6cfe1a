/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/revoked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "certs/authority.h"
#include "certs/enrol/invite.h"
#include "certs/folder.h"
#include "common/tls/peer_names.h"

static enum q_err decode(const char *path, const char *bytes, size_t size, struct revocations *out,
                         struct certs_failure *why)
{
    enum q_err err = revocations_decode((const uint8_t *)bytes, size, out);

    if (err == Q_OK)
        return Q_OK;
    return certs_fail(why, err, "The list of revoked certificates, %s, cannot be read: %s. Restore it from a backup; "
                                "without it, revoked certificates are accepted again.",
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

bool revoked_concerns(const struct revocations *list, const struct tls_peer_names *peer)
{
    for (size_t i = 0; peer != NULL && list->count > 0 && i < peer->count; i++) {
        if (revocations_when(list, peer->names[i], peer->serial) != 0)
            return true;
    }
    return false;
}

/* ---- revoking --------------------------------------------------------------------------------------------------- */

struct revoking {
    const struct revoke_wish *wish;
    struct revocations list;
    uint64_t last; /* numbers up to this one are covered together */
    size_t count;
    enum q_err err;
};

static void revoke_one(void *context, X509 *cert)
{
    struct revoking *r = context;
    struct revocation one = {.when_s = r->wish->now_s};
    struct tls_peer_names *names;
    char ignored[128];

    if (r->err != Q_OK || tls_peer_names_new(cert, &names, ignored, sizeof(ignored)) != Q_OK)
        return;
    if (names->count == 1 && names->serial != 0 && certs_name_same(names->names[0], r->wish->cluster) &&
        (r->wish->node == NULL || strcmp(names->node, r->wish->node) == 0)) {
        r->count++;
        one.serial = names->serial;
        snprintf(one.cluster, sizeof(one.cluster), "%s", r->wish->cluster);
        r->err = revocations_add(&r->list, &one);
    }
    tls_peer_names_free(names);
}

static enum q_err revoke_all(struct revoking *r, struct certs_authority *authority, struct certs_failure *why)
{
    struct revocation all = {.up_to = true, .when_s = r->wish->now_s};
    enum q_err err;

    if (r->wish->node != NULL)
        return Q_OK;
    /* This number is taken so that no certificate ever has it: all later ones are above. */
    err = certs_authority_take_serial(authority, &all.serial, why);
    if (err != Q_OK)
        return err;
    snprintf(all.cluster, sizeof(all.cluster), "%s", r->wish->cluster);
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
    enum q_err err = invite_withdraw(r->wish->cluster, r->wish->node, &withdrawn, why);

    r->count = 0;
    if (err == Q_OK)
        err = invite_settle(authority, r->wish->now_s, why);
    if (err == Q_OK)
        err = certs_authority_each_issued(authority, revoke_one, r, &unreadable, why);
    if (err != Q_OK)
        return err;
    if (r->err == Q_ERR_LIMIT)
        return certs_fail(why, r->err, "More than %d revocations: make the arbiter's certificates anew.", REVOCATIONS_MAX);
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
    enum q_err err = revoke_all(r, authority, why);

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
