/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/tls/peer_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/printable.h"
#include "common/tls/credentials_internal.h"

#define NUMBER_TEXT_SIZE (2 * TLS_PEER_NUMBER_SIZE_MAX + 2)
#define NODE_SIZE 65 /* the limit of X.520, and a terminator */

/* One name that was found, as UTF-8; bytes is freed with OPENSSL_free. */
struct found {
    unsigned char *bytes;
    size_t length;
};

struct finder {
    struct found found[TLS_PEER_NAME_COUNT_MAX];
    size_t count;
    struct cluster_identity cluster;
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

/* The first one counts. What only looks like one is none: a stranger's authority may put there what it likes. */
static void note_identity(struct finder *f, const ASN1_IA5STRING *uri)
{
    if (!cluster_identity_is_set(&f->cluster))
        (void)cluster_identity_parse_uri((const char *)ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri),
                                         &f->cluster);
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
        else if (name->type == GEN_URI)
            note_identity(f, name->d.uniformResourceIdentifier);
    }
    GENERAL_NAMES_free(all);
    return err;
}

/* The last one of its kind in the subject; NULL: there is none. */
static const ASN1_STRING *last_in_subject(const X509 *cert, int nid)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int last = -1;

    for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, nid, i)) >= 0;)
        last = i;
    return last < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last));
}

static enum q_err find_common_name(struct finder *f, const X509 *cert)
{
    const ASN1_STRING *name = last_in_subject(cert, NID_commonName);

    return name == NULL ? Q_OK : add(f, name);
}

/* Nothing is decided by it: one that is no plain text is as good as none. */
static void find_node(const X509 *cert, char node[NODE_SIZE])
{
    const ASN1_STRING *unit = last_in_subject(cert, NID_organizationalUnitName);
    unsigned char *bytes = NULL;
    int length = unit == NULL ? -1 : ASN1_STRING_to_UTF8(&bytes, unit);

    node[0] = '\0';
    if (length > 0 && length < NODE_SIZE && printable_is_plain(bytes, (size_t)length)) {
        memcpy(node, bytes, (size_t)length);
        node[length] = '\0';
    }
    OPENSSL_free(bytes);
    ERR_clear_error();
}

/* Two digits for each byte, as it stands in the certificate. */
static void number_text(const ASN1_INTEGER *number, char text[NUMBER_TEXT_SIZE])
{
    const unsigned char *bytes = ASN1_STRING_get0_data(number);

    if (ASN1_STRING_type(number) == V_ASN1_NEG_INTEGER)
        *text++ = '-';
    snprintf(text, 3, "00"); /* nothing but zero takes no bytes */
    for (int i = 0; i < ASN1_STRING_length(number); i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

static char *put(char *to, const void *bytes, size_t length)
{
    memcpy(to, bytes, length);
    to[length] = '\0';
    return to + length + 1;
}

static struct tls_peer_names *pack(const struct finder *f, const X509 *cert)
{
    size_t size = sizeof(struct tls_peer_names) + f->count * sizeof(char *);
    struct tls_peer_names *names;
    char node[NODE_SIZE], number[NUMBER_TEXT_SIZE];
    char *to;

    find_node(cert, node);
    number_text(X509_get0_serialNumber(cert), number);
    size += strlen(node) + 1 + strlen(number) + 1;
    for (size_t i = 0; i < f->count; i++)
        size += f->found[i].length + 1;
    names = malloc(size);
    if (names == NULL)
        return NULL;
    names->not_after = tls_time(X509_get0_notAfter(cert));
    if (ASN1_INTEGER_get_uint64(&names->serial, X509_get0_serialNumber(cert)) != 1)
        names->serial = 0;
    names->cluster = f->cluster;
    names->count = f->count;
    to = (char *)&names->names[f->count];
    for (size_t i = 0; i < f->count; i++) {
        names->names[i] = to;
        to = put(to, f->found[i].bytes, f->found[i].length);
    }
    names->node = to;
    to = put(to, node, strlen(node));
    names->number = to;
    put(to, number, strlen(number));
    ERR_clear_error();
    return names;
}

enum q_err tls_peer_names_new(const struct x509_st *cert, struct tls_peer_names **out, char *err_text,
                              size_t size)
{
    struct finder f = {.err_text = err_text, .err_size = size};
    enum q_err err;

    *out = NULL;
    if (ASN1_STRING_length(X509_get0_serialNumber(cert)) > TLS_PEER_NUMBER_SIZE_MAX) {
        snprintf(err_text, size, "the certificate has a serial number of more than %d bytes", TLS_PEER_NUMBER_SIZE_MAX);
        return Q_ERR_INVALID;
    }
    err = find_alternative_names(&f, cert);
    if (err == Q_OK && f.count == 0)
        err = find_common_name(&f, cert);
    if (err == Q_OK) {
        *out = pack(&f, cert);
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
