/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/store/roll_over.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/x509v3.h>

#include "certs/store/authority_internal.h"
#include "certs/logic/name.h"

#define NAMES_MAX 32
#define NAME_SIZE 300
#define UNIT_SIZE 64

enum roll_stage roll_over_stage(const struct certs_authority *a)
{
    if (a->material.former == NULL)
        return ROLL_NONE;
    return authority_overlap_begun(&a->material) ? ROLL_BEGUN : ROLL_CHANGED;
}

X509 *roll_over_former(const struct certs_authority *a)
{
    return a->material.former;
}

static enum q_err save(struct certs_authority *a, struct certs_failure *why)
{
    assert(a->access == CERTS_CHANGE);
    return a->form->save(&a->folder, &a->material, why);
}

/* Whose certificate the arbiter's own is tells the stage, so that nothing is done without one. */
static enum q_err check_own(const struct certs_authority *a, struct certs_failure *why)
{
    if (a->material.authority_key == NULL)
        return certs_fail(why, Q_ERR_NOT_FOUND,
                          "The arbiter's certificate in %s is not from an authority of its own: have a new one made where the "
                          "present one comes from, and take it with --import.",
                          a->folder.path);
    if (a->material.server.cert == NULL)
        return certs_fail(why, Q_ERR_NOT_FOUND, "The certificates in %s are not complete: run -i first.", a->folder.path);
    return Q_OK;
}

/* --- The arbiter's own certificate ------------------------------------------------------------------------ */

/* The names that a certificate has besides the one that devices look for, as orders have them. */
struct names {
    char text[NAMES_MAX][NAME_SIZE];
    const char *list[NAMES_MAX + 1];
    size_t count;
};

static void add_name(struct names *names, const char *kind, const char *name)
{
    if (names->count == NAMES_MAX || strlen(name) > NAME_SIZE - 5)
        return;
    snprintf(names->text[names->count], NAME_SIZE, "%s:%s", kind, name);
    names->list[names->count] = names->text[names->count];
    names->count++;
}

static void take_name(struct names *names, const GENERAL_NAME *one)
{
    char text[INET6_ADDRSTRLEN];
    const ASN1_STRING *string;
    const char *dns;

    if (one->type == GEN_DNS) {
        string = one->d.dNSName;
        dns = (const char *)ASN1_STRING_get0_data(string);
        if ((size_t)ASN1_STRING_length(string) == strlen(dns) && strcmp(dns, CERTS_SERVER_NAME) != 0)
            add_name(names, "DNS", dns);
    } else if (one->type == GEN_IPADD) {
        string = one->d.iPAddress;
        if (inet_ntop(ASN1_STRING_length(string) == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(string), text,
                      sizeof(text)) != NULL)
            add_name(names, "IP", text);
    }
}

static void names_of(X509 *cert, struct names *names)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

    memset(names, 0, sizeof(*names));
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++)
        take_name(names, sk_GENERAL_NAME_value(all, i));
    GENERAL_NAMES_free(all);
}

/* In memory only. */
static enum q_err new_server(struct certs_authority *a, const struct certs_signer *signer,
                             const struct certs_authority_wish *wish, struct certs_failure *why)
{
    struct certs_order order = {.kind = CERTS_KIND_SERVER,
                                .common_name = CERTS_SERVER_NAME,
                                .alternatives = wish->alternatives,
                                .now = wish->now,
                                .lifetime_s = wish->lifetime_s};
    struct certs_identity *server = &a->material.server;
    EVP_PKEY *key = NULL;
    struct names names;
    X509 *cert = NULL;
    enum q_err err;

    names_of(server->cert, &names);
    if (order.alternatives == NULL)
        order.alternatives = names.list;
    err = authority_new_certificate(&a->folder, &a->material, &order, signer, &key, &cert, why);
    if (err != Q_OK) {
        EVP_PKEY_free(key);
        return err;
    }
    X509_free(server->cert);
    EVP_PKEY_free(server->key);
    server->cert = cert;
    server->key = key;
    return Q_OK;
}

enum q_err roll_over_renew(struct certs_authority *a, const struct certs_authority_wish *wish, struct certs_failure *why)
{
    bool by_former = authority_overlap_begun(&a->material);
    struct certs_signer signer = {.cert = authority_shown(&a->material),
                                  .key = by_former ? a->material.former_key : a->material.authority_key};
    enum q_err err = check_own(a, why);

    if (err == Q_OK && signer.key == NULL)
        err = certs_fail(why, Q_ERR_NOT_FOUND, "The key of the former authority is not in %s any more: go on with --roll-over.",
                         a->folder.path);
    if (err == Q_OK)
        err = new_server(a, &signer, wish, why);
    return err == Q_OK ? save(a, why) : err;
}

/* --- Another authority ------------------------------------------------------------------------------------- */

/* Its name must differ from all former ones: NSS tells authorities apart by their names alone. */
static enum q_err name_authority(const struct certs_authority *a, int64_t now, char text[UNIT_SIZE],
                                 struct certs_failure *why)
{
    time_t at = (time_t)now;
    char day[16] = "";
    uint64_t last;
    struct tm tm;
    enum q_err err = authority_last_serial(&a->folder, &a->material, &last, why);

    if (err != Q_OK)
        return err;
    if (gmtime_r(&at, &tm) != NULL)
        (void)strftime(day, sizeof(day), "%Y-%m-%d", &tm);
    snprintf(text, UNIT_SIZE, "%s, number %llu", day, (unsigned long long)last + 1);
    return Q_OK;
}

/* In memory only: signs from now on. */
static enum q_err new_authority(struct certs_authority *a, const struct certs_authority_wish *wish,
                                struct certs_failure *why)
{
    struct authority_material *m = &a->material;
    char unit[UNIT_SIZE];
    struct certs_order order = {.kind = CERTS_KIND_AUTHORITY,
                                .common_name = CERTS_AUTHORITY_NAME,
                                .node_name = unit,
                                .now = wish->now,
                                .lifetime_s = wish->lifetime_s};
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    enum q_err err = name_authority(a, wish->now, unit, why);

    if (err == Q_OK)
        err = authority_new_certificate(&a->folder, m, &order, NULL, &key, &cert, why);
    if (err == Q_OK && sk_X509_unshift(m->server.authorities, cert) <= 0)
        err = certs_fail_memory(why);
    if (err != Q_OK) {
        X509_free(cert);
        EVP_PKEY_free(key);
        return err;
    }
    m->former = sk_X509_value(m->server.authorities, 1);
    X509_up_ref(m->former);
    m->former_key = m->authority_key;
    m->authority_key = key;
    return Q_OK;
}

enum q_err roll_over_begin(struct certs_authority *a, const struct certs_authority_wish *wish, struct certs_failure *why)
{
    enum q_err err = check_own(a, why);

    if (err == Q_OK && roll_over_stage(a) == ROLL_CHANGED)
        err = certs_fail(why, Q_ERR_BUSY,
                         "The authority has been changed, and the former one is still accepted: say --roll-over finish before "
                         "the next change.");
    if (err == Q_OK && roll_over_stage(a) == ROLL_NONE)
        err = new_authority(a, wish, why);
    return err == Q_OK ? save(a, why) : err;
}

/* In memory only: the former one signs again, and the other is gone. */
static enum q_err take_back(struct authority_material *m, struct certs_failure *why)
{
    STACK_OF(X509) *list = m->server.authorities;

    X509_free(sk_X509_shift(list));
    for (int i = sk_X509_num(list) - 1; i >= 0; i--) {
        if (certs_same(sk_X509_value(list, i), m->former))
            X509_free(sk_X509_delete(list, i));
    }
    if (sk_X509_unshift(list, m->former) <= 0)
        return certs_fail_memory(why);
    m->former = NULL; /* it is the list's */
    EVP_PKEY_free(m->authority_key);
    m->authority_key = m->former_key;
    m->former_key = NULL;
    return Q_OK;
}

enum q_err roll_over_cancel(struct certs_authority *a, struct certs_failure *why)
{
    enum roll_stage stage = roll_over_stage(a);
    enum q_err err = check_own(a, why);

    if (err == Q_OK && stage == ROLL_CHANGED)
        err = certs_fail(why, Q_ERR_BUSY,
                         "The arbiter's own certificate is of the new authority already, and nodes that have come since may trust no "
                         "other: this cannot be cancelled. Say --roll-over finish, and begin another change if need be.");
    if (err == Q_OK && stage == ROLL_BEGUN && a->material.former_key == NULL)
        err = certs_fail(why, Q_ERR_NOT_FOUND,
                         "The key of the former authority is not in %s any more, so it cannot sign again: go on with --roll-over "
                         "change.",
                         a->folder.path);
    if (err == Q_OK && stage == ROLL_BEGUN)
        err = take_back(&a->material, why);
    return err == Q_OK ? save(a, why) : err;
}

enum q_err roll_over_change(struct certs_authority *a, const struct certs_authority_wish *wish, struct certs_failure *why)
{
    struct certs_signer signer = {.cert = authority_signing(&a->material), .key = a->material.authority_key};
    enum q_err err = check_own(a, why);

    if (err == Q_OK && roll_over_stage(a) == ROLL_NONE)
        err = certs_fail(why, Q_ERR_BUSY, "The arbiter has one authority: say --roll-over begin first.");
    if (err == Q_OK && roll_over_stage(a) == ROLL_BEGUN)
        err = new_server(a, &signer, wish, why);
    return err == Q_OK ? save(a, why) : err;
}

static void drop_former(struct authority_material *m)
{
    for (int i = sk_X509_num(m->server.authorities) - 1; i > 0; i--) {
        if (certs_same(sk_X509_value(m->server.authorities, i), m->former))
            X509_free(sk_X509_delete(m->server.authorities, i));
    }
    X509_free(m->former);
    EVP_PKEY_free(m->former_key);
    m->former = NULL;
    m->former_key = NULL;
}

enum q_err roll_over_finish(struct certs_authority *a, struct certs_failure *why)
{
    enum q_err err = check_own(a, why);

    if (err == Q_OK && roll_over_stage(a) == ROLL_BEGUN)
        err = certs_fail(why, Q_ERR_BUSY,
                         "The arbiter's own certificate is still one of the former authority, without which nobody would accept "
                         "it: say --roll-over change first.");
    if (err == Q_OK && roll_over_stage(a) == ROLL_CHANGED)
        drop_former(&a->material);
    return err == Q_OK ? save(a, why) : err;
}
