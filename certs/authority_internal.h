/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the arbiter's store share: the material that a store holds, and the operations that its two forms differ
 * in. Nobody else includes this.
 */
#ifndef QUORATE_CERTS_AUTHORITY_INTERNAL_H
#define QUORATE_CERTS_AUTHORITY_INTERNAL_H

#include "certs/authority.h"
#include "certs/folder.h"
#include "certs/identity.h"

#define CERTS_SERIAL_FILE "serial.txt"
/* Of the daemon: it reads the store. */
#define CERTS_READER_GROUP "coroqnetd"

/* Any part may be missing. The first authority of `server` is the arbiter's own if authority_key is there. */
struct authority_material {
    struct certs_identity server;
    EVP_PKEY *authority_key;
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

/*
 * The last number given out: what serial.txt says, but never less than any certificate at hand has, in case the file is lost
 * or from an older backup.
 */
enum q_err authority_last_serial(const struct certs_folder *folder, const struct authority_material *m,
                                 uint64_t *serial, struct certs_failure *why);

void authority_material_fini(struct authority_material *material);

#endif
