/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * --check of both tools: findings, each with its remedy, as text lines as they come or as a JSON array at the end; and the two
 * lists of checks. Nothing is changed anywhere.
 */
#ifndef QUORATE_CERTS_CHECK_H
#define QUORATE_CERTS_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "certs/store/place.h"

struct json_t;

enum check_level { CHECK_GOOD, CHECK_WARNING, CHECK_PROBLEM };

struct check {
    struct json_t *array; /* NULL: text */
    int64_t now;
    unsigned problems;
};

void check_begin(struct check *check, bool json);

/* `what` is the thing that was looked at, one or two words; the text one or more sentences. */
void check_find(struct check *check, enum check_level level, const char *what, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Returns the exit status: TOOL_OK without problems. */
int check_end(struct check *check);

/* What both sides have in common. Files of the store that others can read or write; `secrets` ends with NULL. */
void check_permissions(struct check *check, const char *dir, const char *const *secrets);
/* Of a certificate, in seconds since 1970. */
int64_t check_time_of(const ASN1_TIME *at);
/* Whether the certificate has ended, or will soon. */
void check_dates(struct check *check, const char *what, X509 *cert);

struct check_node_wish {
    const char *host;         /* NULL: of corosync.conf */
    uint16_t port;            /* 0: of corosync.conf, else the default */
    const char *cluster_name; /* NULL: of corosync.conf */
    const char *conf_path;
};

void check_node(struct check *check, const struct certs_place *place, const struct check_node_wish *wish);
void check_arbiter(struct check *check, const struct certs_place *place, uint16_t port);

#endif
