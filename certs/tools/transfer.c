/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/tools/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/x509/decode.h"
#include "certs/tools/tool.h"

enum wanted { WANTED_CERT, WANTED_KEY, WANTED_CA };

static int read_one(const char *path, enum wanted wanted, struct certs_identity *out)
{
    struct certs_failure why;
    enum q_err err = Q_OK;
    char *bytes;
    size_t size;

    if (!tool_read_file(path, &bytes, &size))
        return TOOL_ARGUMENT;
    switch (wanted) {
    case WANTED_CERT:
        err = certs_decode_certificates(path, bytes, size, &out->intermediates, &why);
        if (err == Q_OK)
            out->cert = sk_X509_shift(out->intermediates);
        break;
    case WANTED_KEY:
        err = certs_decode_key(path, bytes, size, &out->key, &why);
        break;
    case WANTED_CA:
        err = certs_decode_certificates(path, bytes, size, &out->authorities, &why);
        break;
    }
    explicit_bzero(bytes, size);
    free(bytes);
    return err == Q_OK ? TOOL_OK : tool_fail(&why, TOOL_CONTENT);
}

int transfer_read(const struct transfer_files *files, struct certs_identity *out)
{
    int status;

    *out = (struct certs_identity){0};
    if (files->cert == NULL || files->key == NULL || files->ca == NULL)
        return tool_fail_text(TOOL_ARGUMENT, "Name all three files: --cert FILE --key FILE --ca FILE.");
    status = read_one(files->cert, WANTED_CERT, out);
    if (status == TOOL_OK)
        status = read_one(files->key, WANTED_KEY, out);
    if (status == TOOL_OK)
        status = read_one(files->ca, WANTED_CA, out);
    if (status == TOOL_OK && EVP_PKEY_eq(out->key, X509_get0_pubkey(out->cert)) != 1)
        status = tool_fail_text(
            TOOL_CONTENT,
            "The key in %s does not belong to the first certificate in %s (field subjectPublicKey): the own "
            "certificate must come first, and both must be from the same request.",
            files->key, files->cert);
    if (status != TOOL_OK)
        certs_identity_fini(out);
    return status;
}

int transfer_places(const char *to_form, const char *nss_dir, const char *pem_dir, struct certs_place *from,
                    struct certs_place *to)
{
    const struct certs_place nss = {CERTS_NSS, nss_dir}, pem = {CERTS_PEM, pem_dir};

    if (strcmp(to_form, "pem") != 0 && strcmp(to_form, "nss") != 0)
        return tool_fail_text(
            TOOL_ARGUMENT, "\"%s\" is no form of certificates: say --convert pem or --convert nss.", to_form);
    *to = strcmp(to_form, "pem") == 0 ? pem : nss;
    *from = to->form == CERTS_PEM ? nss : pem;
    if (!certs_place_exists(from))
        return tool_fail_text(TOOL_FAILED, "There is nothing to convert in %s.", from->dir);
    if (certs_place_exists(to))
        return tool_fail_text(TOOL_FAILED, "There are certificates in %s already. Move them away first.",
                              to->dir);
    return TOOL_OK;
}

void transfer_done(const char *daemon, const struct certs_place *from, const struct certs_place *to)
{
    printf("Certificates of %s are in %s too\n", from->dir, to->dir);
    if (to->form == CERTS_PEM)
        printf("%s uses the database as long as it is there: to have it use the files, move %s away and "
               "restart it\n",
               daemon, from->dir);
    else
        printf("%s uses the database from its next start\n", daemon);
}
