/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/clusters.h"

#include <stdio.h>
#include <string.h>

#include <openssl/rand.h>

#include "common/tls/peer_names.h"

#define CLUSTERS_FILE "clusters"
#define SHOWN_MAX 8

struct gathering {
    struct cluster_register *clusters;
    enum q_err err;
};

static void gather(void *context, X509 *cert)
{
    struct gathering *g = context;
    struct tls_peer_names *names;
    char ignored[128];

    if (g->err != Q_OK || tls_peer_names_new(cert, &names, ignored, sizeof(ignored)) != Q_OK)
        return;
    if (names->count == 1 && cluster_identity_is_set(&names->cluster) && certs_name_fault(names->names[0]) == NULL)
        g->err = cluster_register_add(g->clusters, names->names[0], &names->cluster);
    tls_peer_names_free(names);
}

static enum q_err read_file(const struct invitation_dir *dir, struct cluster_register *out, struct certs_failure *why)
{
    struct q_buf bytes;
    enum q_err err;

    if (dir->fd < 0)
        return Q_OK;
    q_buf_init(&bytes);
    err = invitation_dir_load(dir, CLUSTERS_FILE, &bytes, CLUSTER_REGISTER_FILE_SIZE_MAX, why);
    if (err == Q_OK) {
        err = cluster_register_decode(q_buf_bytes(&bytes), bytes.size, out);
        if (err != Q_OK)
            certs_fail(why, err,
                       "The list of clusters, " INVITATION_DIR_DEFAULT "/" CLUSTERS_FILE ", cannot be read: %s. Restore it "
                       "from a backup, or remove it: then clusters are known by the certificates on record.",
                       q_err_text(err));
    }
    q_buf_fini(&bytes);
    return err == Q_ERR_NOT_FOUND ? Q_OK : err;
}

static enum q_err fail_to_add(enum q_err err, struct certs_failure *why)
{
    if (err == Q_ERR_LIMIT)
        return certs_fail(why, err, "There are more than %d clusters.", CLUSTER_REGISTER_MAX);
    return err == Q_OK ? Q_OK : certs_fail_memory(why);
}

enum q_err clusters_read(const struct invitation_dir *dir, const struct certs_authority *authority,
                         struct cluster_register *out, struct certs_failure *why)
{
    struct gathering g = {.clusters = out};
    size_t unreadable;
    enum q_err err;

    *out = (struct cluster_register){0};
    err = read_file(dir, out, why);
    if (err == Q_OK)
        err = certs_authority_each_issued(authority, gather, &g, &unreadable, why);
    if (err == Q_OK)
        err = fail_to_add(g.err, why);
    if (err != Q_OK)
        cluster_register_fini(out);
    return err;
}

enum q_err clusters_refuse(const struct cluster_register *clusters, const char *name, enum q_err err, const char *hint,
                           struct certs_failure *why)
{
    char list[SHOWN_MAX * (CLUSTER_IDENTITY_TEXT_SIZE + 2) + 8] = "";
    size_t used = 0, shown = 0;

    for (size_t i = 0; i < clusters->count; i++) {
        char text[CLUSTER_IDENTITY_TEXT_SIZE];

        if (!certs_name_same(clusters->items[i].name, name))
            continue;
        if (shown++ == SHOWN_MAX) {
            snprintf(list + used, sizeof(list) - used, ", ...");
            break;
        }
        cluster_identity_text(&clusters->items[i].identity, text);
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", shown > 1 ? ", " : "", text);
    }
    return certs_fail(why, err, "Clusters named \"%s\" have these identities: %s. %s", name, shown > 0 ? list : "none", hint);
}

enum q_err clusters_refuse_elsewhere(const char *identity, const char *name_there, struct certs_failure *why)
{
    return certs_fail(why, Q_ERR_NOT_FOUND, "The identity %s is that of the cluster \"%s\": say that name.", identity, name_there);
}

static enum q_err draw(struct cluster_identity *identity, struct certs_failure *why)
{
    if (RAND_bytes(identity->bytes, sizeof(identity->bytes)) != 1)
        return certs_fail_openssl(why, "An identity cannot be drawn");
    identity->bytes[6] = (uint8_t)((identity->bytes[6] & 0x0f) | 0x40); /* a UUID of version 4 */
    identity->bytes[8] = (uint8_t)((identity->bytes[8] & 0x3f) | 0x80);
    return Q_OK;
}

static enum q_err keep(const struct invitation_dir *dir, struct cluster_register *clusters, const char *name,
                       const struct cluster_identity *identity, struct certs_failure *why)
{
    struct q_buf bytes;
    enum q_err err = fail_to_add(cluster_register_add(clusters, name, identity), why);

    if (err != Q_OK)
        return err;
    q_buf_init(&bytes);
    cluster_register_encode(clusters, &bytes);
    err = bytes.failed ? certs_fail_memory(why) : invitation_dir_store(dir, CLUSTERS_FILE, &bytes, why);
    q_buf_fini(&bytes);
    return err;
}

static enum q_err choose(const struct invitation_dir *dir, struct cluster_register *clusters, const struct cluster_wish *wish,
                         struct cluster_identity *identity, bool *strange, struct certs_failure *why)
{
    const char *name_there;
    enum q_err err;

    switch (cluster_register_choose(clusters, wish, identity, &name_there)) {
    case CLUSTER_REGISTER_KNOWN:
        return Q_OK;
    case CLUSTER_REGISTER_NEW:
        err = draw(identity, why);
        return err == Q_OK ? keep(dir, clusters, wish->name, identity, why) : err;
    case CLUSTER_REGISTER_STRANGE:
        *strange = true;
        return keep(dir, clusters, wish->name, identity, why);
    case CLUSTER_REGISTER_SEVERAL:
        return clusters_refuse(clusters, wish->name, Q_ERR_INVALID, "Say which with --identity and how it begins.", why);
    case CLUSTER_REGISTER_ELSEWHERE:
        return clusters_refuse_elsewhere(wish->identity, name_there, why);
    case CLUSTER_REGISTER_NONE:
        break;
    }
    return clusters_refuse(clusters, wish->name, Q_ERR_NOT_FOUND,
                           "None of them is the one named by --identity; one that this arbiter has lost has to be given in full.", why);
}

enum q_err clusters_choose(const struct invitation_dir *dir, const struct certs_authority *authority,
                           const struct cluster_wish *wish, struct cluster_identity *identity, bool *strange,
                           struct certs_failure *why)
{
    struct cluster_register clusters;
    enum q_err err = clusters_read(dir, authority, &clusters, why);

    *strange = false;
    *identity = (struct cluster_identity){{0}};
    if (err == Q_OK)
        err = choose(dir, &clusters, wish, identity, strange, why);
    cluster_register_fini(&clusters);
    return err;
}
