/* SPDX-License-Identifier: BSD-3-Clause */
/* Helpers of the two credential sources: error sentences, warnings, facts of certificates. */
#include "common/tls/credentials_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* No sane chain is longer; the limit also ends circles of cross-signed authorities. */
#define CHAIN_LENGTH_MAX 8

enum q_err tls_fail(struct tls_err_text *t, enum q_err err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(t->text, t->size, format, args);
    va_end(args);
    return err;
}

static X509 *issuer_of(X509 *cert, const STACK_OF(X509) * candidates)
{
    for (int i = 0; i < sk_X509_num(candidates); i++) {
        if (X509_check_issued(sk_X509_value(candidates, i), cert) == X509_V_OK)
            return sk_X509_value(candidates, i);
    }
    return NULL;
}

enum q_err tls_material_chain_from(struct tls_material *m, const STACK_OF(X509) * candidates)
{
    X509 *at = m->cert;

    while (sk_X509_num(m->chain) < CHAIN_LENGTH_MAX && X509_self_signed(at, 0) != 1) {
        at = issuer_of(at, candidates);
        if (at == NULL || X509_self_signed(at, 0) == 1)
            return Q_OK;
        if (sk_X509_push(m->chain, at) <= 0)
            return Q_ERR_NO_MEMORY;
        X509_up_ref(at);
    }
    return Q_OK;
}

void tls_material_warn(struct tls_material *m, const char *format, ...)
{
    char sentence[1024];
    size_t old_length = m->warning == NULL ? 0 : strlen(m->warning);
    va_list args;
    char *all;

    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    all = malloc(old_length + strlen(sentence) + 2);
    if (all == NULL)
        return;
    sprintf(all, "%s%s%s", old_length == 0 ? "" : m->warning, old_length == 0 ? "" : " ", sentence);
    free(m->warning);
    m->warning = all;
}

void tls_material_warn_if_exposed(struct tls_material *m, const char *kind, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0 || (st.st_mode & (S_IROTH | S_IWOTH)) == 0)
        return;
    tls_material_warn(m, "The %s %s can be %s by every user of this machine: run chmod o= on it.", kind, path,
                      (st.st_mode & S_IROTH) != 0 ? "read" : "written");
}

const char *tls_openssl_reason(void)
{
    unsigned long code = ERR_get_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);

    ERR_clear_error();
    return reason != NULL ? reason : "unknown reason";
}

time_t tls_time(const ASN1_TIME *time)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return 0;
    return timegm(&tm);
}

/* RFC 2253 with control characters and bytes outside ASCII escaped, so that it can go into any log. */
void tls_name_text(const X509_NAME *name, char *text, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    long length = 0;

    text[0] = '\0';
    if (bio == NULL)
        return;
    if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
        length = BIO_get_mem_data(bio, &data);
    if (length > 0)
        snprintf(text, size, "%.*s", (int)length, data);
    BIO_free(bio);
}
