/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/identity.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certs/store/place.h"
#include "common/log.h"
#include "common/tls/expiry.h"

void identity_source(const struct settings *settings, struct tls_credentials_source *source)
{
    struct certs_place place;

    *source = (struct tls_credentials_source){.client_cert_required = settings->client_cert_required};
    certs_place_choose(false, settings->nss_db_dir, CERTS_ARBITER_PEM, &place);
    if (settings->tls_cert_file != NULL) {
        source->kind = TLS_SOURCE_PEM;
        source->pem = (struct tls_source_pem){.cert_file = settings->tls_cert_file,
                                              .key_file = settings->tls_key_file,
                                              .ca_file = settings->tls_ca_file};
    } else if (place.form == CERTS_PEM && strcmp(settings->nss_db_dir, CERTS_ARBITER_NSS) == 0) {
        source->kind = TLS_SOURCE_PEM;
        source->pem = (struct tls_source_pem){.cert_file = CERTS_ARBITER_PEM "/" CERTS_PEM_SERVER,
                                              .key_file = CERTS_ARBITER_PEM "/" CERTS_PEM_SERVER,
                                              .ca_file = CERTS_ARBITER_PEM "/" CERTS_PEM_AUTHORITY};
    } else {
        source->kind = TLS_SOURCE_NSS;
        source->nss = (struct tls_source_nss){.dir = settings->nss_db_dir,
                                              .nickname = settings->cert_nickname,
                                              .password_file = settings->nss_pwd_file};
    }
}

static enum q_err load(const struct settings *settings, bool allow_expired, struct tls_stamp *stamp,
                       struct tls_credentials **out, char *err_text, size_t size)
{
    struct tls_credentials_source source;

    identity_source(settings, &source);
    source.allow_expired = allow_expired;
    tls_stamp_take(stamp, &source);
    return tls_credentials_load(&source, TLS_ROLE_SERVER, out, err_text, size);
}

static void log_loaded(const struct identity *identity)
{
    const struct tls_facts *facts = tls_credentials_facts(identity->credentials);

    log_line(LOG_INFO, "TLS: certificate %s from %s", facts->own.subject, facts->source);
    if (facts->warning != NULL)
        log_line(LOG_WARNING, "TLS: %s", facts->warning);
}

enum q_err identity_open(struct identity *identity, const struct settings *settings, char *err_text,
                         size_t size)
{
    enum q_err err;

    *identity = (struct identity){0};
    if (settings->tls == (int)WIRE_TLS_UNSUPPORTED)
        return Q_OK;
    /* An expired certificate is no reason to leave clusters without their arbiter: packaged devices accept it. */
    err = load(settings, true, &identity->stamp, &identity->credentials, err_text, size);
    if (err != Q_OK && identity->credentials == NULL)
        return err;
    if (err != Q_OK)
        log_line(LOG_WARNING, "TLS: %s", err_text);
    log_loaded(identity);
    identity_warn_of_expiry(identity);
    return Q_OK;
}

bool identity_is_old(struct identity *identity, const struct settings *settings)
{
    struct tls_credentials_source source;

    if (identity->credentials == NULL)
        return false;
    identity_source(settings, &source);
    return tls_stamp_is_old(&identity->stamp, &source);
}

void identity_close(struct identity *identity)
{
    tls_credentials_unref(identity->credentials);
    free(identity->reload_error);
    *identity = (struct identity){0};
}

void identity_reload(struct identity *identity, const struct settings *settings)
{
    struct tls_credentials *fresh;
    char err_text[TLS_CREDENTIALS_ERR_SIZE];

    if (identity->credentials == NULL) {
        log_line(LOG_INFO, "Reload: TLS is off, there is nothing to load");
        return;
    }
    free(identity->reload_error);
    identity->reload_error = NULL;
    if (load(settings, false, &identity->stamp, &fresh, err_text, sizeof(err_text)) != Q_OK) {
        tls_credentials_unref(fresh);
        identity->reload_error = strdup(err_text);
        log_line(LOG_ERR, "Reload failed, the credentials loaded before stay in force: %s", err_text);
        return;
    }
    tls_credentials_unref(identity->credentials);
    identity->credentials = fresh;
    log_line(LOG_NOTICE, "Reload: new connections use the credentials just loaded");
    log_loaded(identity);
    identity_warn_of_expiry(identity);
}

static void warn_one(const char *what, const struct tls_cert_facts *facts, time_t now)
{
    char text[EXPIRY_TEXT_SIZE];

    if (expiry_check(facts->not_before, facts->not_after, now) == EXPIRY_VALID)
        return;
    expiry_text(facts->not_before, facts->not_after, now, text, sizeof(text));
    log_line(LOG_WARNING, "TLS: %s %s %s; renew it and send SIGHUP", what, facts->subject, text);
}

void identity_warn_of_expiry(const struct identity *identity)
{
    const struct tls_facts *facts;
    time_t now = time(NULL);

    if (identity->credentials == NULL)
        return;
    facts = tls_credentials_facts(identity->credentials);
    warn_one("certificate", &facts->own, now);
    for (size_t i = 0; i < facts->ca_count; i++)
        warn_one("certificate authority", &facts->ca[i], now);
}
