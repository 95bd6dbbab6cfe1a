/* SPDX-License-Identifier: BSD-3-Clause */
/* The arbiter's store as PEM files (certs/place.h). The one whose presence counts, ca.pem, comes last. */
#include <stdlib.h>

#include "certs/authority_internal.h"
#include "certs/pem_files.h"

static enum q_err load(const struct certs_folder *folder, struct authority_material *out,
                       struct certs_failure *why)
{
    enum q_err err = pem_read_identity(folder, CERTS_PEM_SERVER, &out->server, why);

    if (err == Q_OK)
        err = pem_read_certificates(folder, CERTS_PEM_AUTHORITY, &out->server.authorities, why);
    if (err == Q_OK)
        err = pem_read_key(folder, CERTS_PEM_AUTHORITY_KEY, &out->authority_key, why);
    return err;
}

static enum q_err save(struct certs_folder *folder, const struct authority_material *m,
                       struct certs_failure *why)
{
    enum q_err err = Q_OK;

    if (m->authority_key != NULL)
        err = pem_write_key(folder, CERTS_PEM_AUTHORITY_KEY, m->authority_key, why);
    if (err == Q_OK)
        err = pem_write_identity(folder, CERTS_PEM_SERVER, &m->server, why);
    if (err == Q_OK)
        err = pem_write_certificates(folder, CERTS_PEM_AUTHORITY, m->server.authorities, why);
    return err;
}

const struct authority_form authority_form_pem = {load, save, ".pem"};
