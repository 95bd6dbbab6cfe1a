/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/tls/peer_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "common/tls/credentials_internal.h"

/* One name that was found, as UTF-8; bytes is freed with OPENSSL_free. */
struct found {
    unsigned char *bytes;
    size_t length;
};

struct finder {
    struct found found[TLS_PEER_NAME_COUNT_MAX];
    size_t count;
    char *err_text;
    size_t err_size;
};

static enum q_err reject(struct finder *f, const char *reason)
{
    snprintf(f->err_text, f->err_size, "the certificate has a name that %s", reason);
    return Q_ERR_INVALID;
}

/*
 * Names decide whose votes somebody may give and are written to logs, so whatever could read differently
 * in two places is refused: NUL, other control characters, and for alternative names anything but ASCII.
 */
static enum q_err add(struct finder *f, const ASN1_STRING *string)
{
    unsigned char *bytes = NULL;
    int length;

    if (f->count == TLS_PEER_NAME_COUNT_MAX)
        return reject(f, "is one too many");
    length = ASN1_STRING_to_UTF8(&bytes, string);
    if (length < 0)
        return reject(f, "is wrongly encoded");
    f->found[f->count].bytes = bytes;
    f->found[f->count].length = (size_t)length;
    f->count++;
    if (length == 0)
        return reject(f, "is empty");
    if (length > TLS_PEER_NAME_LENGTH_MAX)
        return reject(f, "is too long");
    for (int i = 0; i < length; i++) {
        if (bytes[i] == '\0')
            return reject(f, "contains a NUL byte");
        if (bytes[i] < 0x20 || bytes[i] == 0x7f)
            return reject(f, "contains a control character");
        if (bytes[i] >= 0x80 && ASN1_STRING_type(string) == V_ASN1_IA5STRING)
            return reject(f, "is not ASCII");
    }
    return Q_OK;
}

static enum q_err find_alternative_names(struct finder *f, const X509 *cert)
{
    int critical = -1;
    GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);
    enum q_err err = Q_OK;

    if (all == NULL) /* -1: there is none; else it is there twice or does not parse */
        return critical == -1 ? Q_OK : reject(f, "cannot be read");
    for (int i = 0; err == Q_OK && i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);

        if (name->type == GEN_DNS)
            err = add(f, name->d.dNSName);
    }
    GENERAL_NAMES_free(all);
    return err;
}

static enum q_err find_common_name(struct finder *f, const X509 *cert)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int last = -1;

    for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;)
        last = i;
    if (last < 0)
        return Q_OK;
    return add(f, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
}

static struct tls_peer_names *pack(const struct finder *f, time_t not_after)
{
    size_t size = sizeof(struct tls_peer_names) + f->count * sizeof(char *);
    struct tls_peer_names *names;
    char *to;

    for (size_t i = 0; i < f->count; i++)
        size += f->found[i].length + 1;
    names = malloc(size);
    if (names == NULL)
        return NULL;
    names->not_after = not_after;
    names->count = f->count;
    to = (char *)&names->names[f->count];
    for (size_t i = 0; i < f->count; i++) {
        names->names[i] = to;
        memcpy(to, f->found[i].bytes, f->found[i].length);
        to[f->found[i].length] = '\0';
        to += f->found[i].length + 1;
    }
    return names;
}

enum q_err tls_peer_names_new(const struct x509_st *cert, struct tls_peer_names **out, char *err_text,
                              size_t size)
{
    struct finder f = {.err_text = err_text, .err_size = size};
    enum q_err err;

    *out = NULL;
    err = find_alternative_names(&f, cert);
    if (err == Q_OK && f.count == 0)
        err = find_common_name(&f, cert);
    if (err == Q_OK) {
        *out = pack(&f, tls_time(X509_get0_notAfter(cert)));
        if (*out == NULL) {
            snprintf(err_text, size, "out of memory");
            err = Q_ERR_NO_MEMORY;
        }
    }
    for (size_t i = 0; i < f.count; i++)
        OPENSSL_free(f.found[i].bytes);
    return err;
}

void tls_peer_names_free(struct tls_peer_names *names)
{
    free(names);
}
