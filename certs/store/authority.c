/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/store/authority.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "certs/store/authority_internal.h"
#include "certs/x509/encode.h"
#include "certs/store/issued.h"
#include "certs/logic/name.h"
#include "certs/logic/revocations.h"
#include "certs/logic/serial.h"

const struct authority_form *authority_form(enum certs_form form)
{
    return form == CERTS_PEM ? &authority_form_pem : &authority_form_nss;
}

void authority_material_fini(struct authority_material *material)
{
    certs_identity_fini(&material->server);
    EVP_PKEY_free(material->authority_key);
    X509_free(material->former);
    EVP_PKEY_free(material->former_key);
    *material = (struct authority_material){0};
}

X509 *authority_signing(const struct authority_material *m)
{
    return sk_X509_num(m->server.authorities) > 0 ? sk_X509_value(m->server.authorities, 0) : NULL;
}

bool authority_overlap_begun(const struct authority_material *m)
{
    bool begun = m->former != NULL && m->server.cert != NULL &&
                 X509_verify(m->server.cert, X509_get0_pubkey(m->former)) == 1;

    ERR_clear_error();
    return begun;
}

X509 *authority_shown(const struct authority_material *m)
{
    return authority_overlap_begun(m) ? m->former : authority_signing(m);
}

STACK_OF(X509) * authority_exported(const struct authority_material *m)
{
    STACK_OF(X509) *list = sk_X509_new_null();
    X509 *shown = authority_shown(m), *signing = authority_signing(m);
    bool good = list != NULL && (shown == NULL || sk_X509_push(list, shown) > 0);

    if (good && m->former != NULL)
        good = sk_X509_push(list, shown == signing ? m->former : signing) > 0;
    if (good)
        return list;
    sk_X509_free(list);
    return NULL;
}

enum q_err authority_save_next(struct certs_folder *folder, const struct authority_material *m, const char *name,
                               struct certs_failure *why)
{
    struct q_buf text;
    enum q_err err;

    if (!authority_overlap_begun(m))
        return certs_folder_remove(folder, name, why);
    q_buf_init(&text);
    err = certs_encode_exported(authority_signing(m), &text, why);
    if (err == Q_OK)
        err = certs_folder_write(folder, name, q_buf_bytes(&text), text.size, CERTS_MODE_PUBLIC, why);
    q_buf_fini(&text);
    return err;
}

/* --- Serial numbers -------------------------------------------------------------------------------- */

/* At least the number of this certificate; those of other authorities may be larger than ours can be. */
static void raise_to(uint64_t *serial, const X509 *cert)
{
    uint64_t number;

    if (cert != NULL && ASN1_INTEGER_get_uint64(&number, X509_get0_serialNumber(cert)) == 1 &&
        number < CERTS_SERIAL_RANDOM_MIN && number > *serial)
        *serial = number;
}

/* A revocation of all up to a number has taken that number, of which there is no certificate: what comes next is above it. */
static enum q_err raise_to_revoked(const struct certs_folder *folder, uint64_t *serial, struct certs_failure *why)
{
    struct revocations revoked = {0};
    char *bytes;
    size_t size;
    enum q_err err;

    if (!certs_folder_has(folder, CERTS_REVOKED))
        return Q_OK;
    err = certs_folder_read(folder, CERTS_REVOKED, &bytes, &size, why);
    if (err != Q_OK)
        return err;
    err = revocations_decode((const uint8_t *)bytes, size, &revoked);
    free(bytes);
    if (err != Q_OK)
        return certs_fail(why, err,
                          "%s has no " CERTS_SERIAL_FILE ", and the list of revoked certificates there, by which it would be made "
                          "anew, cannot be read: %s. Restore either from a backup.",
                          folder->path, q_err_text(err));
    for (size_t i = 0; i < revoked.count; i++) {
        const struct revocation *one = &revoked.items[i];

        if (one->up_to && one->serial < CERTS_SERIAL_RANDOM_MIN && one->serial > *serial)
            *serial = one->serial;
    }
    revocations_fini(&revoked);
    return Q_OK;
}

enum q_err authority_last_serial(const struct certs_folder *folder, const struct authority_material *m,
                                 uint64_t *serial, struct certs_failure *why)
{
    char *bytes;
    size_t size;
    enum q_err err = Q_OK;

    *serial = CERTS_SERIAL_START;
    if (certs_folder_has(folder, CERTS_SERIAL_FILE)) {
        err = certs_folder_read(folder, CERTS_SERIAL_FILE, &bytes, &size, why);
        if (err == Q_OK && certs_serial_parse(bytes, size, serial) != Q_OK)
            err = certs_fail(why, Q_ERR_INVALID,
                             "%s/" CERTS_SERIAL_FILE
                             " holds no serial number. Remove it: counting then goes on after the "
                             "highest number of the certificates in issued/ and of what is revoked.",
                             folder->path);
        free(bytes);
    } else {
        err = raise_to_revoked(folder, serial, why);
    }
    if (err != Q_OK)
        return err;
    if (m->authority_key != NULL) {
        raise_to(serial, authority_signing(m));
        raise_to(serial, m->former);
        raise_to(serial, m->server.cert);
    }
    return issued_raise_serial(folder, serial, why);
}

static enum q_err take_serial(struct certs_folder *folder, const struct authority_material *m,
                              uint64_t *serial, struct certs_failure *why)
{
    char text[CERTS_SERIAL_TEXT_SIZE];
    size_t length;
    enum q_err err = authority_last_serial(folder, m, serial, why);

    if (err != Q_OK)
        return err;
    (*serial)++;
    length = certs_serial_format(*serial, text);
    return certs_folder_write(folder, CERTS_SERIAL_FILE, text, length, CERTS_MODE_SHARED, why);
}

enum q_err certs_authority_take_serial(struct certs_authority *authority, uint64_t *serial,
                                       struct certs_failure *why)
{
    assert(authority->access == CERTS_CHANGE);
    return take_serial(&authority->folder, &authority->material, serial, why);
}

enum q_err certs_authority_last_serial(const char *dir, uint64_t *serial, struct certs_failure *why)
{
    static const struct authority_material unknown;
    struct certs_folder folder;
    enum q_err err = certs_folder_open(&folder, dir, CERTS_FOLDER_READ, NULL, why);

    if (err == Q_OK)
        err = authority_last_serial(&folder, &unknown, serial, why);
    certs_folder_close(&folder);
    return err;
}

/* --- Making a store -------------------------------------------------------------------------------- */

struct creating {
    struct certs_folder *folder;
    struct authority_material *m;
    const struct certs_authority_wish *wish;
    void (*say)(const char *step);
    struct certs_failure *why;
};

static void say(const struct creating *c, const char *step)
{
    if (c->say != NULL)
        c->say(step);
}

enum q_err authority_new_certificate(struct certs_folder *folder, const struct authority_material *m,
                                     struct certs_order *order, const struct certs_signer *signer, EVP_PKEY **key,
                                     X509 **cert, struct certs_failure *why)
{
    struct certs_signer self;
    enum q_err err = certs_key_new(key, why);

    if (err == Q_OK)
        err = take_serial(folder, m, &order->serial, why);
    if (err != Q_OK)
        return err;
    self = (struct certs_signer){.cert = NULL, .key = *key};
    order->public_key = *key;
    return certs_issue(order, signer != NULL ? signer : &self, cert, why);
}

static enum q_err new_certificate(struct creating *c, struct certs_order *order,
                                  const struct certs_signer *signer, EVP_PKEY **key, X509 **cert)
{
    order->now = c->wish->now;
    order->lifetime_s = c->wish->lifetime_s;
    return authority_new_certificate(c->folder, c->m, order, signer, key, cert, c->why);
}

static enum q_err new_authority(struct creating *c)
{
    struct certs_order order = {.kind = CERTS_KIND_AUTHORITY, .common_name = CERTS_AUTHORITY_NAME};
    X509 *cert = NULL;
    enum q_err err;

    say(c, "Creating new CA");
    /* What there was without its authority is of no use: a key without certificate, a server's certificate without issuer. */
    authority_material_fini(c->m);
    err = new_certificate(c, &order, NULL, &c->m->authority_key, &cert);
    if (err != Q_OK)
        return err;
    c->m->server.authorities = sk_X509_new_null();
    if (c->m->server.authorities != NULL && sk_X509_push(c->m->server.authorities, cert) > 0)
        return Q_OK;
    X509_free(cert);
    return certs_fail_memory(c->why);
}

/* In a change of authorities whose second step is still to come nodes know the arbiter by the former one. */
static bool known_by_former(const struct creating *c)
{
    return c->m->former != NULL && c->m->former_key != NULL &&
           (certs_folder_has(c->folder, CERTS_PEM_NEXT) || certs_folder_has(c->folder, CERTS_EXPORTED_NEXT));
}

static enum q_err new_server(struct creating *c)
{
    struct certs_order order = {
        .kind = CERTS_KIND_SERVER, .common_name = CERTS_SERVER_NAME, .alternatives = c->wish->alternatives};
    struct certs_signer signer = {.cert = authority_signing(c->m), .key = c->m->authority_key};

    say(c, "Creating new server certificate");
    if (known_by_former(c))
        signer = (struct certs_signer){.cert = c->m->former, .key = c->m->former_key};
    if (c->m->former != NULL)
        say(c, signer.cert == c->m->former
                   ? "It is of the former authority, by which nodes know the arbiter: the change of authorities goes on"
                   : "It is of the new authority: nodes that trust the former one only refuse it, see --roll-over status");
    X509_free(c->m->server.cert);
    EVP_PKEY_free(c->m->server.key);
    c->m->server.cert = NULL;
    c->m->server.key = NULL;
    return new_certificate(c, &order, &signer, &c->m->server.key, &c->m->server.cert);
}

static enum q_err create_in(struct creating *c, const struct certs_place *place)
{
    const struct authority_form *form = authority_form(place->form);
    struct authority_material *m = c->m;
    enum q_err err = form->load(c->folder, m, c->why);

    if (err != Q_OK)
        return err;
    if (authority_signing(m) != NULL && m->server.cert != NULL && m->server.key != NULL)
        return certs_fail(c->why, Q_ERR_BUSY,
                          "Certificate database (%s) already exists. Delete it to initialize new db",
                          place->dir);
    if (c->folder->made) {
        char step[4096];

        snprintf(step, sizeof(step), "Creating %s", place->dir);
        say(c, step);
    }
    say(c, "Creating new key and cert db");
    if (authority_signing(m) == NULL || m->authority_key == NULL)
        err = new_authority(c);
    if (err == Q_OK)
        err = new_server(c);
    return err == Q_OK ? form->save(c->folder, m, c->why) : err;
}

enum q_err certs_authority_create(const struct certs_place *place, const struct certs_authority_wish *wish,
                                  void (*say_step)(const char *step), struct certs_failure *why)
{
    struct authority_material material = {0};
    struct certs_folder folder;
    struct creating c = {.folder = &folder, .m = &material, .wish = wish, .say = say_step, .why = why};
    enum q_err err = certs_folder_open(&folder, place->dir, CERTS_FOLDER_CREATE, CERTS_READER_GROUP, why);

    if (err != Q_OK)
        return err;
    if (place->form == CERTS_NSS)
        err = certs_folder_refuse_old(&folder, why);
    if (err == Q_OK)
        err = create_in(&c, place);
    authority_material_fini(&material);
    certs_folder_close(&folder);
    return err;
}

/* --- Using a store --------------------------------------------------------------------------------- */

static enum q_err open_store(struct certs_authority *a, const struct certs_place *place,
                             struct certs_failure *why)
{
    enum q_err err;

    a->folder.fd = a->folder.stage = a->folder.lock = -1;
    if (!certs_place_exists(place))
        return certs_fail(
            why, Q_ERR_NOT_FOUND,
            "Certificate database doesn't exists. Use corosync-qnetd-certutil -i to create it (there is none "
            "in %s).",
            place->dir);
    err = certs_folder_open(&a->folder, place->dir,
                            a->access == CERTS_CHANGE ? CERTS_FOLDER_CHANGE : CERTS_FOLDER_READ,
                            CERTS_READER_GROUP, why);
    if (err == Q_OK && place->form == CERTS_NSS)
        err = certs_folder_refuse_old(&a->folder, why);
    if (err == Q_OK)
        err = a->form->load(&a->folder, &a->material, why);
    if (err != Q_OK)
        return err;
    if (authority_signing(&a->material) == NULL)
        return certs_fail(why, Q_ERR_NOT_FOUND,
                          "The certificates in %s are not complete: there is no authority. Run "
                          "corosync-qnetd-certutil -i to "
                          "complete them.",
                          place->dir);
    return Q_OK;
}

enum q_err certs_authority_open(const struct certs_place *place, enum certs_access access,
                                struct certs_authority **out, struct certs_failure *why)
{
    struct certs_authority *a = calloc(1, sizeof(*a));
    enum q_err err;

    *out = NULL;
    if (a == NULL)
        return certs_fail_memory(why);
    a->form = authority_form(place->form);
    a->access = access;
    err = open_store(a, place, why);
    if (err != Q_OK) {
        certs_authority_close(a);
        return err;
    }
    *out = a;
    return Q_OK;
}

void certs_authority_close(struct certs_authority *authority)
{
    if (authority == NULL)
        return;
    authority_material_fini(&authority->material);
    certs_folder_close(&authority->folder);
    free(authority);
}

X509 *certs_authority_certificate(const struct certs_authority *authority)
{
    return authority_signing(&authority->material);
}

X509 *certs_authority_shown(const struct certs_authority *authority)
{
    return authority_shown(&authority->material);
}

X509 *certs_authority_server(const struct certs_authority *authority)
{
    return authority->material.server.cert;
}

STACK_OF(X509) * certs_authority_trusted(const struct certs_authority *authority)
{
    return authority->material.server.authorities;
}

STACK_OF(X509) * certs_authority_intermediates(const struct certs_authority *authority)
{
    return authority->material.server.intermediates;
}

bool certs_authority_vouches(const struct certs_authority *authority, X509 *cert)
{
    STACK_OF(X509) *trusted = authority->material.server.authorities;
    bool found = false;

    for (int i = 0; !found && i < sk_X509_num(trusted); i++)
        found = X509_verify(cert, X509_get0_pubkey(sk_X509_value(trusted, i))) == 1;
    ERR_clear_error();
    return found;
}

/* --- Issuing --------------------------------------------------------------------------------------- */

enum q_err certs_authority_check_case(const struct certs_authority *a, const char *cluster_name, struct certs_failure *why)
{
    return issued_check_case(&a->folder, cluster_name, why);
}

static enum q_err check_order(const struct certs_authority *a, const struct certs_client_order *order,
                              struct certs_failure *why)
{
    const char *fault = certs_name_fault(order->cluster_name);

    if (fault != NULL)
        return certs_fail(why, Q_ERR_INVALID, "The cluster name %s.", fault);
    if (order->node_name != NULL && (fault = certs_node_name_fault(order->node_name)) != NULL)
        return certs_fail(why, Q_ERR_INVALID, "The name of the node %s.", fault);
    if (order->lifetime_s != 0 &&
        (order->lifetime_s < CERTS_LIFETIME_MIN_S || order->lifetime_s > CERTS_LIFETIME_MAX_S))
        return certs_fail(why, Q_ERR_INVALID, "A certificate cannot be valid for %lld seconds.",
                          (long long)order->lifetime_s);
    if (a->material.authority_key == NULL)
        return certs_fail(
            why, Q_ERR_NOT_FOUND,
            "The private key of the certificate authority is not in %s: it signs elsewhere. Have the request "
            "signed there, as docs/certificates.md says under \"Someone else's authority\".",
            a->folder.path);
    return certs_authority_check_case(a, order->cluster_name, why);
}

enum q_err certs_authority_issue(struct certs_authority *a, const struct certs_client_order *client,
                                 X509 **out, struct certs_failure *why)
{
    struct certs_signer signer = {.cert = authority_signing(&a->material), .key = a->material.authority_key};
    struct certs_order order = {.kind = CERTS_KIND_CLIENT,
                                .common_name = client->cluster_name,
                                .node_name = client->node_name,
                                .cluster = client->cluster,
                                .public_key = client->public_key,
                                .serial = client->serial,
                                .now = client->now,
                                .lifetime_s = client->lifetime_s};
    enum q_err err = check_order(a, client, why);

    *out = NULL;
    assert(client->serial != 0 || a->access == CERTS_CHANGE);
    if (err == Q_OK && client->serial == 0)
        err = certs_authority_take_serial(a, &order.serial, why);
    if (err == Q_OK)
        err = certs_issue(&order, &signer, out, why);
    if (err == Q_OK && a->access == CERTS_CHANGE)
        err = certs_authority_record(a, *out, why);
    if (err != Q_OK) {
        X509_free(*out);
        *out = NULL;
    }
    return err;
}

enum q_err certs_authority_record(struct certs_authority *a, X509 *cert, struct certs_failure *why)
{
    assert(a->access == CERTS_CHANGE);
    return issued_add(&a->folder, cert, why);
}

enum q_err certs_authority_write(struct certs_authority *a, const char *name, const void *bytes, size_t size,
                                 struct certs_failure *why)
{
    assert(a->access == CERTS_CHANGE);
    return certs_folder_write(&a->folder, name, bytes, size, CERTS_MODE_SHARED, why);
}

/* Nodes may go by it for long: who asks what is out there must find it. */
static enum q_err keep_exported(struct certs_authority *a, const char *name, struct certs_failure *why)
{
    X509 *cert = issued_read(&a->folder, name);
    enum q_err err = cert != NULL && certs_authority_vouches(a, cert) && !issued_has_number(&a->folder, cert)
                         ? issued_add(&a->folder, cert, why)
                         : Q_OK;

    X509_free(cert);
    return err;
}

enum q_err certs_authority_export(struct certs_authority *a, const char *cluster_name, X509 *cert,
                                  char **path, struct certs_failure *why)
{
    bool pem = a->form == &authority_form_pem;
    struct q_buf bytes;
    char *name;
    enum q_err err;

    assert(a->access == CERTS_CHANGE && certs_name_fault(cluster_name) == NULL);
    *path = NULL;
    if (asprintf(&name, "cluster-%s%s", cluster_name, a->form->export_ending) < 0)
        return certs_fail_memory(why);
    q_buf_init(&bytes);
    err = keep_exported(a, name, why);
    if (err == Q_OK)
        err = pem ? certs_encode_pem(cert, &bytes, why) : certs_encode_der(cert, &bytes, why);
    if (err == Q_OK)
        err = certs_folder_write(&a->folder, name, q_buf_bytes(&bytes), bytes.size, CERTS_MODE_SHARED, why);
    q_buf_fini(&bytes);
    if (err == Q_OK && (*path = certs_folder_path(&a->folder, name)) == NULL)
        err = certs_fail_memory(why);
    free(name);
    return err;
}

enum q_err certs_authority_each_issued(const struct certs_authority *a,
                                       void (*on_certificate)(void *context, X509 *cert), void *context,
                                       size_t *unreadable, struct certs_failure *why)
{
    return issued_each(&a->folder, on_certificate, context, unreadable, why);
}
