/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/store/node_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "certs/x509/chain.h"
#include "certs/store/node_internal.h"

static const struct node_form *form_of(const struct certs_place *place)
{
    return place->form == CERTS_PEM ? &node_form_pem : &node_form_nss;
}

static enum q_err open_folder(struct certs_folder *folder, const struct certs_place *place,
                              enum certs_folder_access access, struct certs_failure *why)
{
    enum q_err err;

    if (access != CERTS_FOLDER_CREATE && !certs_place_exists(place))
        return certs_fail(why, Q_ERR_NOT_FOUND,
                          "Certificate database doesn't exists. Use corosync-qdevice-net-certutil -i to "
                          "create it (there is "
                          "none in %s).",
                          place->dir);
    err = certs_folder_open(folder, place->dir, access, NULL, why);
    if (err == Q_OK && place->form == CERTS_NSS)
        err = certs_folder_refuse_old(folder, why);
    if (err != Q_OK)
        certs_folder_close(folder);
    return err;
}

/* --- Making a store -------------------------------------------------------------------------------- */

static void say_step(void (*say)(const char *step), const char *what, const char *path)
{
    char step[4096];

    if (say == NULL)
        return;
    snprintf(step, sizeof(step), "%s%s", what, path);
    say(step);
}

static enum q_err create_in(struct certs_folder *folder, const struct certs_place *place,
                            const STACK_OF(X509) * authorities, void (*say)(const char *step),
                            struct certs_failure *why)
{
    struct certs_identity there = {0};
    struct certs_identity wanted = {.authorities = (STACK_OF(X509) *)(uintptr_t)authorities};
    enum q_err err = form_of(place)->load(folder, &there, why);

    if (err == Q_OK && sk_X509_num(there.authorities) > 0)
        err = certs_fail(why, Q_ERR_BUSY,
                         "Certificate database already exists. Delete it to continue (it is in %s)",
                         place->dir);
    certs_identity_fini(&there);
    if (err != Q_OK)
        return err;
    if (folder->made)
        say_step(say, "Creating ", place->dir);
    say_step(say, "Creating new key and cert db", "");
    say_step(say, "Importing CA", "");
    return form_of(place)->save(folder, &wanted, why);
}

enum q_err certs_node_create(const struct certs_place *place, const STACK_OF(X509) * authorities,
                             void (*say)(const char *step), struct certs_failure *why)
{
    struct certs_folder folder;
    enum q_err err = chain_check_authorities(authorities, why);

    if (err == Q_OK)
        err = open_folder(&folder, place, CERTS_FOLDER_CREATE, why);
    if (err != Q_OK)
        return err;
    err = create_in(&folder, place, authorities, say, why);
    certs_folder_close(&folder);
    return err;
}

/* --- Keys and certificates ------------------------------------------------------------------------- */

enum q_err certs_node_add_key(const struct certs_place *place, EVP_PKEY *key, struct certs_failure *why)
{
    struct certs_folder folder;
    enum q_err err = open_folder(&folder, place, CERTS_FOLDER_CHANGE, why);

    if (err != Q_OK)
        return err;
    err = form_of(place)->add_key(&folder, key, why);
    certs_folder_close(&folder);
    return err;
}

/* identity has cert and intermediates; key and authorities come from the store. */
static enum q_err accept_in(const struct certs_folder *folder, const struct certs_place *place,
                            struct certs_identity *identity, struct certs_failure *why)
{
    struct certs_identity there = {0};
    enum q_err err = form_of(place)->load(folder, &there, why);

    if (err == Q_OK && sk_X509_num(there.authorities) < 1)
        err = certs_fail(why, Q_ERR_NOT_FOUND,
                         "The certificates in %s are not complete: there is no authority. Run "
                         "corosync-qdevice-net-certutil -i -c "
                         "with the arbiter's qnetd-cacert.crt.",
                         place->dir);
    if (err == Q_OK) {
        identity->authorities = there.authorities;
        there.authorities = NULL;
        err = chain_check_client(identity, why);
    }
    certs_identity_fini(&there);
    if (err != Q_OK)
        return err;
    err = form_of(place)->find_key(folder, identity->cert, &identity->key, why);
    if (err == Q_ERR_NOT_FOUND)
        return certs_fail(
            why, err,
            "The certificate does not belong to any key in %s: it answers a request that was made on another "
            "node, or "
            "for a database that has been made anew since. Make a new request here (-r) and have it signed.",
            place->dir);
    return err;
}

enum q_err certs_node_accept(const struct certs_place *place, X509 *cert,
                             const STACK_OF(X509) * intermediates, struct certs_identity *out,
                             struct certs_failure *why)
{
    struct certs_identity identity = {.cert = cert, .intermediates = sk_X509_new_null()};
    struct certs_folder folder;
    enum q_err err = Q_OK;

    X509_up_ref(cert);
    if (identity.intermediates == NULL)
        err = certs_fail_memory(why);
    for (int i = 0; err == Q_OK && i < sk_X509_num(intermediates); i++) {
        X509 *one = sk_X509_value(intermediates, i);

        if (sk_X509_push(identity.intermediates, one) <= 0)
            err = certs_fail_memory(why);
        else
            X509_up_ref(one);
    }
    if (err == Q_OK)
        err = open_folder(&folder, place, CERTS_FOLDER_CHANGE, why);
    if (err == Q_OK) {
        err = accept_in(&folder, place, &identity, why);
        if (err == Q_OK)
            err = form_of(place)->save(&folder, &identity, why);
        certs_folder_close(&folder);
    }
    if (err == Q_OK && out != NULL)
        *out = identity;
    else
        certs_identity_fini(&identity);
    return err;
}

/* --- Whole identities ------------------------------------------------------------------------------ */

static bool has_all(const STACK_OF(X509) * list, const STACK_OF(X509) * wanted)
{
    for (int i = 0; i < sk_X509_num(wanted); i++) {
        bool found = false;

        for (int k = 0; k < sk_X509_num(list) && !found; k++)
            found = certs_same(sk_X509_value(list, k), sk_X509_value(wanted, i));
        if (!found)
            return false;
    }
    return true;
}

/* Which authorities the store is to have: those that it has, or the given ones. */
static enum q_err choose_authorities(const struct certs_place *place, const struct certs_identity *there,
                                     const struct certs_identity *given, enum certs_replace replace,
                                     struct certs_identity *wanted, struct certs_failure *why)
{
    bool any_given = sk_X509_num(given->authorities) > 0;

    *wanted = *given;
    if (any_given && (replace == CERTS_REPLACE_AUTHORITIES || sk_X509_num(there->authorities) < 1))
        return Q_OK;
    if (any_given && !has_all(there->authorities, given->authorities))
        return certs_fail(why, Q_ERR_BUSY,
                          "The authority in the file is not the one that %s trusts: the file is for another "
                          "arbiter, or the "
                          "arbiter's certificates have been made anew. In the latter case remove that "
                          "directory and begin again "
                          "with -i.",
                          place->dir);
    if (sk_X509_num(there->authorities) < 1)
        return certs_fail(why, Q_ERR_NOT_FOUND,
                          "There is no authority, neither in %s nor with the certificate. Run "
                          "corosync-qdevice-net-certutil -i -c "
                          "with the arbiter's qnetd-cacert.crt first.",
                          place->dir);
    wanted->authorities = there->authorities;
    return Q_OK;
}

static bool same_identity(const struct certs_identity *a, const struct certs_identity *b)
{
    return a->cert != NULL && b->cert != NULL && a->key != NULL && certs_same(a->cert, b->cert) &&
           has_all(a->authorities, b->authorities) && has_all(b->authorities, a->authorities) &&
           has_all(a->intermediates, b->intermediates);
}

static enum q_err install_in(struct certs_folder *folder, const struct certs_place *place,
                             const struct certs_identity *given, enum certs_replace replace,
                             struct certs_failure *why)
{
    struct certs_identity there = {0}, wanted;
    enum q_err err = form_of(place)->load(folder, &there, why);

    if (err == Q_OK)
        err = choose_authorities(place, &there, given, replace, &wanted, why);
    if (err == Q_OK)
        err = chain_check_client(&wanted, why);
    if (err == Q_OK && same_identity(&there, &wanted))
        err = form_of(place)->tidy(folder, why);
    else if (err == Q_OK)
        err = form_of(place)->save(folder, &wanted, why);
    certs_identity_fini(&there);
    return err;
}

enum q_err certs_node_install(const struct certs_place *place, const struct certs_identity *identity,
                              enum certs_replace replace, struct certs_failure *why)
{
    bool may_make = sk_X509_num(identity->authorities) > 0;
    struct certs_folder folder;
    enum q_err err;

    if (EVP_PKEY_eq(identity->key, X509_get0_pubkey(identity->cert)) != 1)
        return certs_fail(why, Q_ERR_INVALID, "The private key does not belong to the certificate.");
    err = open_folder(&folder, place, may_make ? CERTS_FOLDER_CREATE : CERTS_FOLDER_CHANGE, why);
    if (err != Q_OK)
        return err;
    err = install_in(&folder, place, identity, replace, why);
    certs_folder_close(&folder);
    return err;
}

enum q_err certs_node_write(const struct certs_place *place, const char *name, const struct q_buf *bytes,
                            mode_t mode, char **path, struct certs_failure *why)
{
    struct certs_folder folder;
    enum q_err err = open_folder(&folder, place, CERTS_FOLDER_CHANGE, why);

    *path = NULL;
    if (err != Q_OK)
        return err;
    err = certs_folder_write(&folder, name, q_buf_bytes(bytes), bytes->size, mode, why);
    if (err == Q_OK && (*path = certs_folder_path(&folder, name)) == NULL)
        err = certs_fail_memory(why);
    certs_folder_close(&folder);
    return err;
}

enum q_err certs_node_load(const struct certs_place *place, struct certs_identity *out,
                           struct certs_failure *why)
{
    struct certs_folder folder;
    enum q_err err;

    *out = (struct certs_identity){0};
    err = open_folder(&folder, place, CERTS_FOLDER_READ, why);
    if (err != Q_OK)
        return err;
    err = form_of(place)->load(&folder, out, why);
    certs_folder_close(&folder);
    if (err != Q_OK)
        certs_identity_fini(out);
    return err;
}
