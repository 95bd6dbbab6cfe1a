/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole arbiters' stores: from someone else's authority, and from one form to the other. */
#include <stdio.h>
#include <stdlib.h>

#include "certs/store/authority_internal.h"
#include "certs/x509/chain.h"
#include "certs/x509/encode.h"
#include "certs/store/issued.h"
#include "certs/logic/serial.h"

/* Q_ERR_BUSY unless the store has nothing that its own authority has signed. */
static enum q_err check_replaceable(const struct certs_folder *folder, const struct authority_form *form,
                                    struct certs_failure *why)
{
    struct authority_material there = {0};
    enum q_err err = form->load(folder, &there, why);

    if (err == Q_OK && there.authority_key != NULL)
        err = certs_fail(why, Q_ERR_BUSY,
                         "The arbiter has an authority of its own in %s, whose certificates its clusters "
                         "use. To change to "
                         "another one, move that directory away first; every cluster then needs a "
                         "certificate of the new one.",
                         folder->path);
    authority_material_fini(&there);
    return err;
}

enum q_err certs_authority_import(const struct certs_place *place, const struct certs_identity *server,
                                  struct certs_failure *why)
{
    const struct authority_form *form = authority_form(place->form);
    struct authority_material material = {.server = *server};
    struct certs_folder folder;
    enum q_err err = chain_check_authorities(server->authorities, why);

    if (err == Q_OK)
        err = chain_check_server(server, why);
    if (err == Q_OK)
        err = certs_folder_open(&folder, place->dir, CERTS_FOLDER_CREATE, CERTS_READER_GROUP, why);
    if (err != Q_OK)
        return err;
    err = check_replaceable(&folder, form, why);
    if (err == Q_OK)
        err = form->save(&folder, &material, why);
    certs_folder_close(&folder);
    return err;
}

/* --- Conversion ------------------------------------------------------------------------------------- */

struct copying {
    struct certs_folder *to;
    enum q_err err;
    struct certs_failure *why;
};

static void copy_one(void *context, X509 *cert)
{
    struct copying *c = context;

    if (c->err == Q_OK)
        c->err = issued_add(c->to, cert, c->why);
}

/* Whoever was turned away is not to be served again by the same certificates in another form. */
static enum q_err copy_revoked(const struct certs_folder *from, struct certs_folder *to, struct certs_failure *why)
{
    enum q_err err;
    char *bytes;
    size_t size;

    if (!certs_folder_has(from, CERTS_REVOKED))
        return certs_folder_remove(to, CERTS_REVOKED, why);
    err = certs_folder_read(from, CERTS_REVOKED, &bytes, &size, why);
    if (err == Q_OK)
        err = certs_folder_write(to, CERTS_REVOKED, bytes, size, CERTS_MODE_SHARED, why);
    free(bytes);
    return err;
}

static enum q_err copy_records(const struct certs_folder *from, struct certs_folder *to,
                               const struct authority_material *m, struct certs_failure *why)
{
    struct copying copying = {.to = to, .err = Q_OK, .why = why};
    char text[CERTS_SERIAL_TEXT_SIZE];
    size_t unreadable, length;
    uint64_t serial;
    enum q_err err = issued_each(from, copy_one, &copying, &unreadable, why);

    if (err == Q_OK)
        err = copying.err;
    if (err == Q_OK)
        err = copy_revoked(from, to, why);
    if (err != Q_OK || m->authority_key == NULL)
        return err;
    err = authority_last_serial(from, m, &serial, why);
    if (err != Q_OK)
        return err;
    length = certs_serial_format(serial, text);
    return certs_folder_write(to, CERTS_SERIAL_FILE, text, length, CERTS_MODE_SHARED, why);
}

static enum q_err convert_into(const struct certs_folder *from, const struct certs_place *source,
                               struct certs_folder *to, const struct certs_place *target,
                               struct certs_failure *why)
{
    struct authority_material material = {0};
    enum q_err err = authority_form(source->form)->load(from, &material, why);

    if (err == Q_OK && (sk_X509_num(material.server.authorities) < 1 || material.server.cert == NULL))
        err = certs_fail(why, Q_ERR_NOT_FOUND, "The certificates in %s are not complete.", source->dir);
    if (err == Q_OK)
        err = copy_records(from, to, &material, why);
    if (err == Q_OK)
        err = authority_form(target->form)->save(to, &material, why);
    authority_material_fini(&material);
    return err;
}

enum q_err certs_authority_convert(const struct certs_place *source, const struct certs_place *target,
                                   struct certs_failure *why)
{
    struct certs_folder from, to;
    enum q_err err = certs_folder_open(&from, source->dir, CERTS_FOLDER_READ, NULL, why);

    if (err == Q_OK && source->form == CERTS_NSS)
        err = certs_folder_refuse_old(&from, why);
    if (err == Q_OK)
        err = certs_folder_open(&to, target->dir, CERTS_FOLDER_CREATE, CERTS_READER_GROUP, why);
    if (err != Q_OK) {
        certs_folder_close(&from);
        return err;
    }
    err = convert_into(&from, source, &to, target, why);
    certs_folder_close(&to);
    certs_folder_close(&from);
    return err;
}
