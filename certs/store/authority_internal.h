/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the arbiter's store share: the material that a store holds, and the operations that its two forms differ
 * in. Nobody else includes this.
 */
#ifndef QUORATE_CERTS_AUTHORITY_INTERNAL_H
#define QUORATE_CERTS_AUTHORITY_INTERNAL_H

#include "certs/store/authority.h"
#include "certs/store/folder.h"
#include "certs/x509/identity.h"

#define CERTS_SERIAL_FILE "serial.txt"
/* Of the daemon: it reads the store. */
#define CERTS_READER_GROUP "coroqnetd"

/*
 * Any part may be missing. The first authority of `server` is the arbiter's own, which signs, if authority_key is there. During a
 * change of authorities (roll_over.h) the one that signed before is `former`, and among the others of `server`.
 */
struct authority_material {
    struct certs_identity server;
    EVP_PKEY *authority_key;
    X509 *former;
    EVP_PKEY *former_key;
};

struct authority_form {
    /* What there is; nothing at all is fine. */
    enum q_err (*load)(const struct certs_folder *folder, struct authority_material *out,
                       struct certs_failure *why);
    /* All of it, as one; what the store had before in these places is replaced. */
    enum q_err (*save)(struct certs_folder *folder, const struct authority_material *material,
                       struct certs_failure *why);
    /* Where certificates for clusters are put: "cluster-NAME" and this. */
    const char *export_ending;
};

extern const struct authority_form authority_form_nss;
extern const struct authority_form authority_form_pem;

const struct authority_form *authority_form(enum certs_form form);

struct certs_authority {
    const struct authority_form *form;
    enum certs_access access;
    struct certs_folder folder;
    struct authority_material material;
};

/* What signs; NULL: none. */
X509 *authority_signing(const struct authority_material *material);

/* The one of the two that has signed the server's certificate, by which nodes know the arbiter now; else what signs. */
X509 *authority_shown(const struct authority_material *material);

/* All that nodes are to trust: the shown one first, since packaged tools take no more than one from a file. Free the list only. */
STACK_OF(X509) * authority_exported(const struct authority_material *material);

/* Whether the server's certificate is still one of the former authority. */
bool authority_overlap_begun(const struct authority_material *material);

/*
 * A new key and a certificate for it: kind, names, lifetime and time are in the order, the number is taken. signer NULL:
 * self-signed.
 */
enum q_err authority_new_certificate(struct certs_folder *folder, const struct authority_material *m,
                                     struct certs_order *order, const struct certs_signer *signer, EVP_PKEY **key,
                                     X509 **cert, struct certs_failure *why);

/*
 * The last number given out: what serial.txt says, but never less than any certificate at hand has, in case the file is lost
 * or from an older backup.
 */
enum q_err authority_last_serial(const struct certs_folder *folder, const struct authority_material *m,
                                 uint64_t *serial, struct certs_failure *why);

/*
 * The file with the authority that will sign the server's certificate next, for nodes whose tools take it by hand; there is one
 * between the first step of a change of authorities and the second.
 */
enum q_err authority_save_next(struct certs_folder *folder, const struct authority_material *m, const char *name,
                               struct certs_failure *why);

void authority_material_fini(struct authority_material *material);

#endif
