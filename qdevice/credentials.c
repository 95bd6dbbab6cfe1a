/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/credentials.h"

#include <string.h>

#include "certs/store/place.h"
#include "common/log.h"

static void find_source(const struct settings *settings, struct tls_credentials_source *source)
{
    struct certs_place place;

    *source = (struct tls_credentials_source){.allow_expired = false,
                                              .peer_name = settings->net_nss_qnetd_cn,
                                              .accept_expired_peer = settings->net_accept_expired_cert};
    certs_place_choose(false, settings->net_nss_db_dir, CERTS_NODE_PEM, &place);
    if (settings->net_tls_cert_file != NULL) {
        source->kind = TLS_SOURCE_PEM;
        source->pem = (struct tls_source_pem){.cert_file = settings->net_tls_cert_file,
                                              .key_file = settings->net_tls_key_file,
                                              .ca_file = settings->net_tls_ca_file};
    } else if (place.form == CERTS_PEM && strcmp(settings->net_nss_db_dir, CERTS_NODE_NSS) == 0) {
        source->kind = TLS_SOURCE_PEM;
        source->pem = (struct tls_source_pem){.cert_file = CERTS_NODE_PEM "/" CERTS_PEM_NODE,
                                              .key_file = CERTS_NODE_PEM "/" CERTS_PEM_NODE,
                                              .ca_file = CERTS_NODE_PEM "/" CERTS_PEM_AUTHORITY};
    } else {
        source->kind = TLS_SOURCE_NSS;
        source->nss = (struct tls_source_nss){.dir = settings->net_nss_db_dir,
                                              .nickname = settings->net_nss_client_cert_nickname,
                                              .password_file = settings->net_nss_pwd_file};
    }
}

bool credentials_are_old(const struct settings *settings, struct tls_stamp *stamp)
{
    struct tls_credentials_source source;

    find_source(settings, &source);
    return tls_stamp_is_old(stamp, &source);
}

struct tls_credentials *credentials_open(const struct settings *settings, struct tls_stamp *stamp, char *text, size_t size)
{
    struct tls_credentials_source source;
    struct tls_credentials *credentials = NULL;
    const struct tls_facts *facts;

    text[0] = '\0';
    find_source(settings, &source);
    tls_stamp_take(stamp, &source);
    if (tls_credentials_load(&source, TLS_ROLE_CLIENT, &credentials, text, size) != Q_OK) {
        tls_credentials_unref(credentials);
        return NULL;
    }
    facts = tls_credentials_facts(credentials);
    log_line(LOG_INFO, "TLS: certificate %s from %s", facts->own.subject, facts->source);
    if (facts->warning != NULL)
        log_line(LOG_WARNING, "TLS: %s", facts->warning);
    return credentials;
}
