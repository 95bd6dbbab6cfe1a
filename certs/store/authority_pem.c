/* SPDX-License-Identifier: BSD-3-Clause */
/* The arbiter's store as PEM files (certs/store/place.h). The one whose presence counts, ca.pem, comes last. */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "certs/logic/name.h"
#include "certs/store/authority_internal.h"
#include "certs/store/pem_files.h"

#define KEYS_MAX 4

struct keys {
    EVP_PKEY *list[KEYS_MAX];
    size_t count;
};

static void keys_fini(struct keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        EVP_PKEY_free(keys->list[i]);
    keys->count = 0;
}

/* The authority that has this key; -1: none. */
static int owner_of(const STACK_OF(X509) * authorities, const EVP_PKEY *key)
{
    for (int i = 0; i < sk_X509_num(authorities); i++) {
        if (EVP_PKEY_eq(X509_get0_pubkey(sk_X509_value(authorities, i)), key) == 1)
            return i;
    }
    return -1;
}

/* Of the keys in the file, the first that an authority belongs to signs; the next one is of the former. */
static enum q_err match(struct keys *keys, struct authority_material *out, struct certs_failure *why)
{
    STACK_OF(X509) *authorities = out->server.authorities;

    for (size_t i = 0; i < keys->count; i++) {
        int at = owner_of(authorities, keys->list[i]);

        if (at < 0 || out->former_key != NULL)
            continue;
        EVP_PKEY_up_ref(keys->list[i]);
        if (out->authority_key == NULL) {
            X509 *own = sk_X509_delete(authorities, at);

            out->authority_key = keys->list[i];
            if (sk_X509_unshift(authorities, own) <= 0) {
                X509_free(own);
                return certs_fail_memory(why);
            }
        } else {
            out->former_key = keys->list[i];
            out->former = sk_X509_value(authorities, at);
            X509_up_ref(out->former);
        }
    }
    return Q_OK;
}

static bool has_signed(X509 *authority, X509 *cert)
{
    bool signs = X509_verify(cert, X509_get0_pubkey(authority)) == 1;

    ERR_clear_error();
    return signs;
}

/* One of our own making, not somebody else's that was put beside it. */
static bool is_ours(X509 *authority)
{
    char name[sizeof(CERTS_AUTHORITY_NAME)] = "";

    return X509_NAME_get_text_by_NID(X509_get_subject_name(authority), NID_commonName, name, sizeof(name)) ==
               (int)strlen(CERTS_AUTHORITY_NAME) &&
           strcmp(name, CERTS_AUTHORITY_NAME) == 0;
}

/*
 * The key of the former may have been taken away. The certificates tell which it is all the same: the other one that has signed
 * the arbiter's own, or, if that is of the one that signs, another one of ours.
 */
static void find_former(struct authority_material *out)
{
    STACK_OF(X509) *authorities = out->server.authorities;
    X509 *own = out->server.cert;
    bool begun = own != NULL && sk_X509_num(authorities) > 1 && !has_signed(sk_X509_value(authorities, 0), own);

    for (int i = 1; out->former == NULL && i < sk_X509_num(authorities); i++) {
        X509 *one = sk_X509_value(authorities, i);

        if (begun ? has_signed(one, own) : is_ours(one)) {
            X509_up_ref(one);
            out->former = one;
        }
    }
}

static enum q_err load(const struct certs_folder *folder, struct authority_material *out,
                       struct certs_failure *why)
{
    struct keys keys = {.count = 0};
    enum q_err err = pem_read_identity(folder, CERTS_PEM_SERVER, &out->server, why);

    if (err == Q_OK)
        err = pem_read_certificates(folder, CERTS_PEM_AUTHORITY, &out->server.authorities, why);
    if (err == Q_OK)
        err = pem_read_keys(folder, CERTS_PEM_AUTHORITY_KEY, keys.list, KEYS_MAX, &keys.count, why);
    if (err == Q_OK)
        err = match(&keys, out, why);
    if (err == Q_OK && out->authority_key != NULL && out->former == NULL)
        find_former(out);
    keys_fini(&keys);
    return err;
}

static bool has_key(const struct keys *keys, const EVP_PKEY *key)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (EVP_PKEY_eq(keys->list[i], key) == 1)
            return true;
    }
    return false;
}

/* The keys that the store is to have, the one that signs first; borrowed. */
static void wanted_keys(const struct authority_material *m, struct keys *wanted)
{
    wanted->count = 0;
    if (m->authority_key != NULL)
        wanted->list[wanted->count++] = m->authority_key;
    if (m->former_key != NULL)
        wanted->list[wanted->count++] = m->former_key;
}

/* Nodes are given this file too: the authority that they know the arbiter by comes first. */
static enum q_err save_authorities(struct certs_folder *folder, const struct authority_material *m,
                                   struct certs_failure *why)
{
    STACK_OF(X509) *list = authority_exported(m);
    enum q_err err = list != NULL ? Q_OK : certs_fail_memory(why);

    for (int i = 0; err == Q_OK && i < sk_X509_num(m->server.authorities); i++) {
        X509 *one = sk_X509_value(m->server.authorities, i);
        bool listed = i == 0 || (m->former != NULL && certs_same(one, m->former));

        if (!listed && sk_X509_push(list, one) <= 0)
            err = certs_fail_memory(why);
    }
    if (err == Q_OK)
        err = pem_write_certificates(folder, CERTS_PEM_AUTHORITY, list, why);
    sk_X509_free(list);
    return err;
}

/*
 * What is in the file until the authorities are those of afterwards: none of the keys is removed before them, none comes after them. The
 * first that has an authority signs, so that whatever is new comes first, and what is there keeps its order. Borrowed.
 */
static void keys_meanwhile(const struct keys *wanted, const struct keys *present, struct keys *all)
{
    size_t others = KEYS_MAX - wanted->count; /* what is wanted always has its place */

    all->count = 0;
    for (size_t i = 0; i < wanted->count; i++) {
        if (!has_key(present, wanted->list[i]))
            all->list[all->count++] = wanted->list[i];
    }
    for (size_t i = 0; i < present->count; i++) {
        bool stays = has_key(wanted, present->list[i]);

        if (has_key(all, present->list[i]) || (!stays && others == 0))
            continue;
        others -= stays ? 0 : 1;
        all->list[all->count++] = present->list[i];
    }
}

/* What is between the keys. */
static enum q_err save_between(struct certs_folder *folder, const struct authority_material *m,
                               struct certs_failure *why)
{
    enum q_err err = pem_write_identity(folder, CERTS_PEM_SERVER, &m->server, why);

    return err == Q_OK ? save_authorities(folder, m, why) : err;
}

static enum q_err save(struct certs_folder *folder, const struct authority_material *m,
                       struct certs_failure *why)
{
    struct keys present = {.count = 0}, wanted, all;
    enum q_err err =
        pem_read_keys(folder, CERTS_PEM_AUTHORITY_KEY, present.list, KEYS_MAX, &present.count, why);

    wanted_keys(m, &wanted);
    keys_meanwhile(&wanted, &present, &all);
    if (err == Q_OK && wanted.count > 0)
        err = pem_write_keys(folder, CERTS_PEM_AUTHORITY_KEY, all.list, all.count, why);
    if (err == Q_OK)
        err = save_between(folder, m, why);
    if (err == Q_OK && wanted.count > 0 && all.count > wanted.count)
        err = pem_write_keys(folder, CERTS_PEM_AUTHORITY_KEY, wanted.list, wanted.count, why);
    keys_fini(&present);
    return err == Q_OK ? authority_save_next(folder, m, CERTS_PEM_NEXT, why) : err;
}

const struct authority_form authority_form_pem = {load, save, ".pem"};
