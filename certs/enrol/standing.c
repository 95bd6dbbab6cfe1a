/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/standing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "certs/enrol/revoked.h"
#include "common/tls/peer_names.h"

struct reading {
    const struct certs_authority *authority;
    const struct revocations *revoked;
    struct standing *out;
    bool failed;
};

static bool signed_by(X509 *cert, X509 *authority)
{
    bool by = authority != NULL && X509_verify(cert, X509_get0_pubkey(authority)) == 1;

    ERR_clear_error();
    return by;
}

static bool same_node(const struct standing_entry *entry, const char *cluster, const char *node)
{
    return certs_name_same(entry->cluster, cluster) && strcmp(entry->node, node) == 0;
}

static struct standing_entry *entry_of(struct reading *r, const char *cluster, const struct tls_peer_names *names)
{
    const char *node = names->node;
    struct standing *out = r->out;
    struct standing_entry *grown;

    for (size_t i = 0; i < out->count; i++) {
        struct standing_entry *one = &out->entries[i];

        if (same_node(one, cluster, node) && cluster_identity_equal(&one->identity, &names->cluster))
            return one;
    }
    grown = realloc(out->entries, (out->count + 1) * sizeof(*grown));
    if (grown == NULL) {
        r->failed = true;
        return NULL;
    }
    out->entries = grown;
    grown += out->count++;
    *grown = (struct standing_entry){.identity = names->cluster};
    snprintf(grown->cluster, sizeof(grown->cluster), "%s", cluster);
    snprintf(grown->node, sizeof(grown->node), "%s", node);
    return grown;
}

/* The packaged script signs the alternative names of a request as well: the arbiter serves such a node under each of its names. */
static void note(struct reading *r, const char *cluster, const struct tls_peer_names *names, bool by_new)
{
    struct standing_entry *entry = entry_of(r, cluster, names);

    if (entry == NULL)
        return;
    entry->has_new = entry->has_new || by_new;
    entry->has_former = entry->has_former || !by_new;
}

static void read_one(void *context, X509 *cert)
{
    struct reading *r = context;
    bool by_new = signed_by(cert, certs_authority_certificate(r->authority));
    bool by_former = !by_new && signed_by(cert, roll_over_former(r->authority));
    struct tls_peer_names *names;
    char ignored[128];

    if ((!by_new && !by_former) || X509_cmp_current_time(X509_get0_notAfter(cert)) < 0 ||
        tls_peer_names_new(cert, &names, ignored, sizeof(ignored)) != Q_OK)
        return;
    if (!revoked_concerns(r->revoked, names)) {
        for (size_t i = 0; i < names->count; i++)
            note(r, names->names[i], names, by_new);
    }
    tls_peer_names_free(names);
}

/* The entry of that node that has an identity, if it is the only one; else nobody knows whose a certificate without is. */
static struct standing_entry *only_identity(const struct standing *standing, const struct standing_entry *without)
{
    struct standing_entry *found = NULL;

    for (size_t i = 0; i < standing->count; i++) {
        struct standing_entry *one = &standing->entries[i];

        if (!cluster_identity_is_set(&one->identity) || !same_node(one, without->cluster, without->node))
            continue;
        if (found != NULL)
            return NULL;
        found = one;
    }
    return found;
}

/* A node that had a certificate of the packaged flow, or of before there were identities, and has joined since, is one. */
static void merge(struct standing *standing)
{
    size_t kept = 0;

    for (size_t i = 0; i < standing->count; i++) {
        const struct standing_entry *one = &standing->entries[i];
        struct standing_entry *same = cluster_identity_is_set(&one->identity) ? NULL : only_identity(standing, one);

        if (same == NULL)
            continue;
        same->has_new = same->has_new || one->has_new;
        same->has_former = same->has_former || one->has_former;
        standing->entries[i].cluster[0] = '\0'; /* no name of any */
    }
    for (size_t i = 0; i < standing->count; i++) {
        if (standing->entries[i].cluster[0] != '\0')
            standing->entries[kept++] = standing->entries[i];
    }
    standing->count = kept;
}

static int by_name(const void *a, const void *b)
{
    const struct standing_entry *x = a, *y = b;
    int order = strcmp(x->cluster, y->cluster);

    return order != 0 ? order : strcmp(x->node, y->node);
}

enum q_err standing_read(const struct certs_authority *authority, const struct revocations *revoked, struct standing *out,
                         struct certs_failure *why)
{
    struct reading r = {.authority = authority, .revoked = revoked, .out = out};
    enum q_err err;

    *out = (struct standing){0};
    err = certs_authority_each_issued(authority, read_one, &r, &out->unreadable, why);
    if (err == Q_OK && r.failed)
        err = certs_fail_memory(why);
    if (err != Q_OK)
        standing_fini(out);
    else
        merge(out);
    if (out->count > 0)
        qsort(out->entries, out->count, sizeof(*out->entries), by_name);
    return err;
}

void standing_fini(struct standing *standing)
{
    free(standing->entries);
    *standing = (struct standing){0};
}

enum standing_state standing_of(const struct standing_entry *entry, enum roll_stage stage)
{
    bool named = entry->node[0] != '\0';

    switch (stage) {
    case ROLL_NONE:
        return STANDING_READY;
    case ROLL_BEGUN: /* next, nodes must trust the new one */
        if (!entry->has_new)
            return STANDING_BEHIND;
        return named ? STANDING_READY : STANDING_UNKNOWN;
    case ROLL_CHANGED: /* next, nodes must have a certificate of the new one */
        if (!entry->has_new)
            return STANDING_BEHIND;
        return named || !entry->has_former ? STANDING_READY : STANDING_UNKNOWN;
    }
    return STANDING_BEHIND;
}
