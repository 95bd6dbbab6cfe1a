/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/listing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include "certs/issued.h"
#include "common/printable.h"
#include "common/tls/expiry.h"

#define NAME_SIZE 512
#define FINGERPRINT_SIZE (3 * 32)

void listing_begin(struct listing *listing, bool json)
{
    *listing = (struct listing){.array = json ? json_array() : NULL, .now = time(NULL)};
}

static time_t when(const ASN1_TIME *at)
{
    struct tm tm;

    return ASN1_TIME_to_tm(at, &tm) == 1 ? timegm(&tm) : 0;
}

static void field_text(const X509_NAME *name, int nid, char *text, size_t size)
{
    char raw[NAME_SIZE] = "";

    text[0] = '\0';
    if (X509_NAME_get_text_by_NID((X509_NAME *)(uintptr_t)name, nid, raw, sizeof(raw)) > 0)
        (void)printable_text(raw, strlen(raw), text, size);
}

static void serial_text(const X509 *cert, char *text, size_t size)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *digits = number != NULL ? BN_bn2dec(number) : NULL;

    snprintf(text, size, "%s", digits != NULL ? digits : "?");
    OPENSSL_free(digits);
    BN_free(number);
}

static void fingerprint(const X509 *cert, char text[FINGERPRINT_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    text[0] = '\0';
    if (X509_digest(cert, EVP_sha256(), digest, &length) != 1)
        return;
    for (unsigned i = 0; i < length && i < 32; i++)
        sprintf(text + 3 * i, "%02X%s", digest[i], i + 1 < length ? ":" : "");
}

static void iso_time(time_t at, char text[32])
{
    struct tm tm;

    if (gmtime_r(&at, &tm) == NULL || strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        text[0] = '\0';
}

static void add_json(struct listing *listing, const char *role, X509 *cert, const char *name,
                     const char *node, const char *serial)
{
    char digest[FINGERPRINT_SIZE], issuer[NAME_SIZE], from[32], until[32];
    time_t after = when(X509_get0_notAfter(cert));
    json_t *one;

    fingerprint(cert, digest);
    field_text(X509_get_issuer_name(cert), NID_commonName, issuer, sizeof(issuer));
    iso_time(when(X509_get0_notBefore(cert)), from);
    iso_time(after, until);
    one = json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:s, s:I, s:s}", "role", role, "name", name, "node",
                    node[0] != '\0' ? node : NULL, "serial", serial, "issuer", issuer, "not_before", from,
                    "not_after", until, "days_left",
                    (json_int_t)expiry_days_left(after, (time_t)listing->now), "sha256", digest);
    if (one != NULL)
        json_array_append_new(listing->array, one);
}

void listing_add(struct listing *listing, const char *role, X509 *cert)
{
    char common[NAME_SIZE], name[NAME_SIZE], node[NAME_SIZE], serial[64], validity[EXPIRY_TEXT_SIZE];

    if (cert == NULL)
        return;
    issued_common_name(cert, common, sizeof(common));
    (void)printable_text(common, strlen(common), name, sizeof(name));
    field_text(X509_get_subject_name(cert), NID_organizationalUnitName, node, sizeof(node));
    serial_text(cert, serial, sizeof(serial));
    if (listing->array != NULL) {
        add_json(listing, role, cert, name, node, serial);
        return;
    }
    if (!listing->any)
        printf("%-8s %-10s %-24s %-16s %s\n", "Serial", "For", "Name", "Node", "Valid");
    listing->any = true;
    expiry_text(when(X509_get0_notBefore(cert)), when(X509_get0_notAfter(cert)), (time_t)listing->now,
                validity, sizeof(validity));
    printf("%-8s %-10s %-24s %-16s %s\n", serial, role, name, node[0] != '\0' ? node : "-", validity);
}

bool listing_end(struct listing *listing)
{
    if (listing->array != NULL) {
        json_dumpf(listing->array, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(listing->array);
        listing->array = NULL;
    }
    return fflush(stdout) == 0 && !ferror(stdout);
}
