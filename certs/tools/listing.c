/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/tools/listing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "certs/enrol/revoked.h"
#include "certs/store/issued.h"
#include "common/printable.h"
#include "common/tls/expiry.h"
#include "common/tls/peer_names.h"

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

/* The fingerprint of the authority that has signed it, among those listed; "" if none has. Authorities may share a name. */
static void issuer_fingerprint(const struct listing *listing, X509 *cert, char text[FINGERPRINT_SIZE])
{
    text[0] = '\0';
    for (int i = 0; text[0] == '\0' && i < sk_X509_num(listing->authorities); i++) {
        X509 *authority = sk_X509_value(listing->authorities, i);

        if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(authority)) == 0 &&
            X509_verify(cert, X509_get0_pubkey(authority)) == 1)
            fingerprint(authority, text);
    }
    ERR_clear_error();
}

static void iso_time(time_t at, char text[32])
{
    struct tm tm;

    if (gmtime_r(&at, &tm) == NULL || strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        text[0] = '\0';
}

/* What the names of a certificate say about it. */
struct standing {
    char identity[CLUSTER_IDENTITY_TEXT_SIZE]; /* "": none */
    int64_t revoked_s;                         /* 0: it was not */
};

static void find_standing(const struct listing *listing, X509 *cert, struct standing *standing)
{
    struct tls_peer_names *names;
    char ignored[128];

    *standing = (struct standing){.revoked_s = 0};
    if (tls_peer_names_new(cert, &names, ignored, sizeof(ignored)) != Q_OK)
        return;
    cluster_identity_text(&names->cluster, standing->identity);
    if (listing->revoked != NULL)
        standing->revoked_s = revoked_when(listing->revoked, names);
    tls_peer_names_free(names);
}

static const char *state_text(const struct listing *listing, const struct standing *standing, time_t after)
{
    if (standing->revoked_s != 0)
        return "revoked";
    return after <= (time_t)listing->now ? "expired" : "valid";
}

static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

static void add_json(struct listing *listing, const char *role, X509 *cert, const char *name,
                     const char *node, const char *serial, const struct standing *standing)
{
    char revoked[32] = "", digest[FINGERPRINT_SIZE], by[FINGERPRINT_SIZE], issuer[NAME_SIZE], from[32], until[32];
    time_t after = when(X509_get0_notAfter(cert));
    json_t *one;

    fingerprint(cert, digest);
    issuer_fingerprint(listing, cert, by);
    field_text(X509_get_issuer_name(cert), NID_commonName, issuer, sizeof(issuer));
    iso_time(when(X509_get0_notBefore(cert)), from);
    iso_time(after, until);
    one = json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:s, s:I, s:s}", "role", role, "name", name, "node",
                    node[0] != '\0' ? node : NULL, "serial", serial, "issuer", issuer, "not_before", from,
                    "not_after", until, "days_left",
                    (json_int_t)expiry_days_left(after, (time_t)listing->now), "sha256", digest);
    if (one == NULL)
        return;
    if (standing->revoked_s != 0)
        iso_time((time_t)standing->revoked_s, revoked);
    json_object_set_new(one, "issuer_sha256", text_or_null(by));
    json_object_set_new(one, "identity", text_or_null(standing->identity));
    json_object_set_new(one, "state", json_string(state_text(listing, standing, after)));
    json_object_set_new(one, "revoked", text_or_null(revoked));
    json_array_append_new(listing->array, one);
}

void listing_add(struct listing *listing, const char *role, X509 *cert)
{
    char common[NAME_SIZE], name[NAME_SIZE], node[NAME_SIZE], serial[2 * TLS_PEER_NUMBER_SIZE_MAX + 32], validity[EXPIRY_TEXT_SIZE + 64] = "revoked ";
    struct standing standing;

    if (cert == NULL)
        return;
    issued_common_name(cert, common, sizeof(common));
    (void)printable_text(common, strlen(common), name, sizeof(name));
    field_text(X509_get_subject_name(cert), NID_organizationalUnitName, node, sizeof(node));
    serial_text(cert, serial, sizeof(serial));
    find_standing(listing, cert, &standing);
    if (listing->array != NULL) {
        add_json(listing, role, cert, name, node, serial, &standing);
        return;
    }
    if (!listing->any)
        printf("%-8s %-10s %-24s %-8s %-16s %s\n", "Serial", "For", "Name", "Identity", "Node", "Valid");
    listing->any = true;
    if (standing.revoked_s != 0)
        iso_time((time_t)standing.revoked_s, validity + strlen(validity));
    else
        expiry_text(when(X509_get0_notBefore(cert)), when(X509_get0_notAfter(cert)), (time_t)listing->now,
                    validity, sizeof(validity));
    printf("%-8s %-10s %-24s %-8.8s %-16s %s\n", serial, role, name, standing.identity[0] != '\0' ? standing.identity : "-",
           node[0] != '\0' ? node : "-", validity);
}

/* ---- invitations ------------------------------------------------------------------------------------------------- */

static const char *invitation_text(const struct invitation *invitation, int64_t now)
{
    switch (invitation_state(invitation, now)) {
    case INVITATION_OPEN:
        return "open";
    case INVITATION_EXPIRED:
        return "expired";
    case INVITATION_CLAIMED:
        return "claimed";
    case INVITATION_USED:
        return "used";
    }
    return "";
}

static void add_invitation_json(struct listing *listing, const struct invitation *invitation, const char *identity)
{
    char created[32], expires[32], used[32] = "";
    json_t *one;

    iso_time((time_t)invitation->created_s, created);
    iso_time((time_t)invitation->expires_s, expires);
    if (invitation->claimed_s != 0)
        iso_time((time_t)invitation->claimed_s, used);
    one = json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s}", "role", "invitation", "name", invitation->cluster, "node",
                    invitation->node[0] != '\0' ? invitation->node : NULL, "state",
                    invitation_text(invitation, listing->now), "created", created, "expires", expires);
    if (one == NULL)
        return;
    json_object_set_new(one, "identity", text_or_null(identity));
    json_object_set_new(one, "used", text_or_null(used));
    json_object_set_new(one, "used_from", text_or_null(invitation->claimed_by));
    json_array_append_new(listing->array, one);
}

void listing_add_invitation(struct listing *listing, const struct invitation *invitation)
{
    char identity[CLUSTER_IDENTITY_TEXT_SIZE], at[32];
    bool used = invitation->claimed_s != 0;

    cluster_identity_text(&invitation->identity, identity);
    if (listing->array != NULL) {
        add_invitation_json(listing, invitation, identity);
        return;
    }
    if (!listing->any_invitation)
        printf("\nCodes\n%-24s %-8s %-16s %-8s %s\n", "Name", "Identity", "Node", "State", "When");
    listing->any_invitation = true;
    iso_time((time_t)(used ? invitation->claimed_s : invitation->expires_s), at);
    printf("%-24s %-8.8s %-16s %-8s %s%s%s\n", invitation->cluster, identity[0] != '\0' ? identity : "-",
           invitation->node[0] != '\0' ? invitation->node : "-", invitation_text(invitation, listing->now), at,
           used ? " from " : "", invitation->claimed_by);
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
