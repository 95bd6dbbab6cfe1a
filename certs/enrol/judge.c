/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "certs/enrol/invitation_dir.h"
#include "certs/enrol/invitation_use.h"
#include "certs/enrol/revoked.h"
#include "certs/enrol/secret.h"
#include "certs/x509/issue.h"
#include "certs/logic/name.h"
#include "certs/logic/serial.h"
#include "certs/store/authority.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/printable.h"
#include "common/tls/enrolment.h"
#include "common/tls/peer_names.h"

void judge_case_init(struct judge_case *matter)
{
    memset(matter, 0, sizeof(*matter));
    snprintf(matter->name, sizeof(matter->name), "no invitation");
    q_buf_init(&matter->authorities_der);
}

void judge_case_fini(struct judge_case *matter)
{
    invitation_fini(&matter->invitation);
    q_buf_fini(&matter->authorities_der);
}

static void refuse(struct judge_verdict *verdict, unsigned reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void refuse(struct judge_verdict *verdict, unsigned reason, const char *format, ...)
{
    va_list args;

    verdict->reason = reason;
    va_start(args, format);
    vsnprintf(verdict->text, sizeof(verdict->text), format, args);
    va_end(args);
}

/* "invitation 836a0c11, cluster "alpha", node "n1"". */
static void set_name(struct judge_case *matter, const char *what)
{
    const uint8_t *id = matter->invitation.id;

    snprintf(matter->name, sizeof(matter->name), "%s %02x%02x%02x%02x, cluster \"%s\"%s%s%s", what, id[0], id[1], id[2],
             id[3], matter->invitation.cluster, matter->node[0] == '\0' ? "" : ", node \"", matter->node,
             matter->node[0] == '\0' ? "" : "\"");
}

/* ---- the grant -------------------------------------------------------------------------------------------------- */

struct collecting {
    struct judge_case *matter;
    size_t ends[ENROL_AUTHORITIES_MAX];
    size_t count;
};

static bool collect(void *context, const uint8_t *der, size_t size)
{
    struct collecting *collecting = context;

    q_buf_append(&collecting->matter->authorities_der, der, size);
    collecting->ends[collecting->count++] = collecting->matter->authorities_der.size;
    return collecting->count < ENROL_AUTHORITIES_MAX;
}

static bool issued_by(const struct enrol_bytes *authority, const uint8_t *certificate, size_t size)
{
    const unsigned char *at = authority->bytes;
    X509 *issuer = d2i_X509(NULL, &at, (long)authority->size), *issued;
    bool good;

    at = certificate;
    issued = d2i_X509(NULL, &at, (long)size);
    good = issuer != NULL && issued != NULL && X509_check_issued(issuer, issued) == X509_V_OK &&
           X509_verify(issued, X509_get0_pubkey(issuer)) == 1;
    X509_free(issued);
    X509_free(issuer);
    ERR_clear_error();
    return good;
}

/* The authorities that the arbiter trusts, the certificate's issuer first. Without it among them nobody would accept it. */
static void grant(struct judge_case *matter, const struct judge_setting *setting, struct judge_verdict *verdict)
{
    const struct invitation *invitation = &matter->invitation;
    struct collecting collecting = {.matter = matter};
    bool found = false;

    q_buf_reset(&matter->authorities_der);
    if (!tls_enrolment_authorities(setting->trusted, collect, &collecting) || matter->authorities_der.failed) {
        refuse(verdict, ENROL_FAILED, "out of memory");
        return;
    }
    for (size_t i = 0, begin = 0; i < collecting.count; begin = collecting.ends[i++]) {
        struct enrol_bytes one = {q_buf_bytes(&matter->authorities_der) + begin, collecting.ends[i] - begin};

        matter->authorities[i] = one;
        if (!found && issued_by(&one, invitation->certificate, invitation->certificate_size)) {
            found = true;
            matter->authorities[i] = matter->authorities[0];
            matter->authorities[0] = one;
        }
    }
    if (!found) {
        refuse(verdict, ENROL_FAILED, "the arbiter itself does not trust the authority that signs: if its certificates "
                                      "have just been replaced, try again in some seconds");
        return;
    }
    verdict->granted = true;
    verdict->grant = (struct enrol_grant){
        .cluster = {(const uint8_t *)invitation->cluster, strlen(invitation->cluster)},
        .certificate = {invitation->certificate, invitation->certificate_size},
        .authorities = matter->authorities,
        .authority_count = collecting.count,
    };
}

/* ---- a node that joins ------------------------------------------------------------------------------------------ */

/* The hash of the public key that the request is for, if whoever made it has the private one. */
static bool hash_key(const struct enrol_bytes *der, uint8_t hash[INVITATION_KEY_HASH_SIZE], struct certs_failure *why)
{
    const unsigned char *at = der->bytes;
    X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)der->size);
    EVP_PKEY *key = NULL;
    uint8_t *encoded = NULL;
    int size = 0;
    bool good = request != NULL && at == der->bytes + der->size;

    if (!good)
        certs_fail(why, Q_ERR_INVALID, "The certificate request cannot be read.");
    good = good && certs_request_key(request, &key, why) == Q_OK;
    if (good)
        size = i2d_PUBKEY(key, &encoded);
    if (size > 0)
        SHA256(encoded, (size_t)size, hash);
    OPENSSL_free(encoded);
    EVP_PKEY_free(key);
    X509_REQ_free(request);
    ERR_clear_error();
    return good && size > 0;
}

/* Q_ERR_NOT_FOUND: there is none. */
static enum q_err find(struct judge_case *matter, const struct judge_setting *setting, const uint8_t *id,
                       struct certs_failure *why)
{
    struct invitation_dir dir;
    enum q_err err = invitation_dir_open(&dir, setting->invitations, why);

    if (err != Q_OK)
        return err;
    err = invitation_dir_read(&dir, id, &matter->invitation, why);
    invitation_dir_close(&dir);
    return err;
}

static bool check_proof(const struct judge_case *matter, struct tls_channel *channel,
                        const struct enrol_session *session)
{
    uint8_t exported[ENROL_EXPORTER_SIZE];

    return tls_enrolment_export(channel, ENROL_EXPORTER_LABEL, exported, sizeof(exported)) &&
           enrol_proof_good(matter->invitation.verifier, exported, q_buf_bytes(&session->in),
                            session->request.proven_size, session->request.proof.bytes);
}

/* The name that the administrator gave, else what the node calls itself, if that can be a name. */
static void choose_node(struct judge_case *matter, const struct enrol_bytes *said)
{
    if (matter->invitation.node[0] != '\0') {
        snprintf(matter->node, sizeof(matter->node), "%s", matter->invitation.node);
    } else if (said->bytes != NULL) {
        snprintf(matter->node, sizeof(matter->node), "%.*s", (int)said->size, (const char *)said->bytes);
        if (certs_node_name_fault(matter->node) != NULL)
            matter->node[0] = '\0';
    }
}

void judge_join(struct judge_case *matter, const struct judge_setting *setting, struct tls_channel *channel,
                const struct enrol_session *session, struct judge_verdict *verdict)
{
    const struct enrol_message *request = &session->request;
    struct certs_failure why;
    enum q_err err = find(matter, setting, request->id.bytes, &why);
    bool known = err == Q_OK;

    memset(verdict, 0, sizeof(*verdict));
    if (err != Q_OK && err != Q_ERR_NOT_FOUND) {
        log_line(LOG_ERR, "Enrolment: %s", why.text);
        refuse(verdict, ENROL_FAILED, "the arbiter cannot read its invitations");
        return;
    }
    matter->claim = (struct invitation_claim){.now_s = (int64_t)time(NULL),
                                              .proof_good = known && check_proof(matter, channel, session),
                                              .key_hash = matter->key_hash,
                                              .cluster = &request->cluster};
    if (matter->claim.proof_good) {
        choose_node(matter, &request->node);
        /* Only now is it worth more than a look: whoever comes this far knows the secret. */
        if (!hash_key(&request->request, matter->key_hash, &why)) {
            refuse(verdict, ENROL_BAD_MESSAGE, "%s", why.text);
            return;
        }
    }
    if (known)
        set_name(matter, "invitation");
    verdict->reason = invitation_judge(known ? &matter->invitation : NULL, &matter->claim, verdict->text);
    if (verdict->reason == 0 && matter->invitation.certificate != NULL)
        grant(matter, setting, verdict);
}

void judge_keep(struct judge_case *matter, const struct judge_setting *setting, const char *peer,
                struct judge_verdict *verdict)
{
    char text[INVITATION_TEXT_SIZE];
    struct certs_failure why;
    unsigned reason;
    enum q_err err = invitation_use_claim(setting->invitations, &matter->invitation, &matter->claim, matter->node, peer,
                                          &reason, text, &why);

    memset(verdict, 0, sizeof(*verdict));
    if (err != Q_OK) {
        log_line(LOG_ERR, "Enrolment: %s (%s)", why.text, matter->name);
        refuse(verdict, ENROL_FAILED, "the arbiter cannot note that the code is used");
    } else if (reason != 0) {
        refuse(verdict, reason, "%s", text);
    } else {
        /* As with the first use, whatever the node has called itself since. */
        snprintf(matter->node, sizeof(matter->node), "%s", matter->invitation.node);
    }
}

/* ---- a node that renews ----------------------------------------------------------------------------------------- */

/* Kept in the form of an invitation that nobody can use: so it gets among the arbiter's certificates as those do. */
static bool make_record(struct judge_case *matter, const struct judge_setting *setting)
{
    struct invitation *record = &matter->invitation;
    struct certs_failure ignored;
    uint64_t counted, random;

    if (RAND_bytes(record->id, sizeof(record->id)) != 1 || RAND_bytes((uint8_t *)&random, sizeof(random)) != 1)
        return false;
    /* If nobody can read it, the number notes none, and --revoke lists the certificate by itself. */
    if (certs_authority_last_serial(setting->store, &counted, &ignored) != Q_OK)
        counted = UINT64_MAX;
    record->serial = certs_serial_draw(counted, random);
    record->created_s = record->expires_s = record->claimed_s = (int64_t)time(NULL);
    snprintf(record->claimed_by, sizeof(record->claimed_by), "renewal");
    return true;
}

static bool is_revoked(const struct judge_case *matter, const struct judge_setting *setting, struct judge_verdict *verdict)
{
    const struct revocation_subject subject = {.cluster = matter->invitation.cluster,
                                               .serial = matter->rests_on,
                                               .number = matter->rests_on_number,
                                               .identity = matter->invitation.identity,
                                               .node = matter->invitation.node};
    struct revocations list;
    struct certs_failure why;
    bool revoked;

    if (revoked_read(setting->store, &list, &why) != Q_OK) {
        log_line(LOG_ERR, "Enrolment: %s", why.text);
        refuse(verdict, ENROL_FAILED, "the arbiter cannot read its list of revoked certificates");
        return true;
    }
    revoked = revocations_when(&list, &subject) != 0;
    revocations_fini(&list);
    if (revoked)
        refuse(verdict, ENROL_NOT_ENTITLED, "the certificate that the node has shown is revoked");
    return revoked;
}

/* Records of renewals wait for the next root command; meanwhile they leave room for invitations. */
static bool is_full(const struct judge_setting *setting)
{
    struct invitation_dir dir;
    struct certs_failure ignored;
    bool full;

    if (invitation_dir_open(&dir, setting->invitations, &ignored) != Q_OK)
        return false;
    full = invitation_dir_count(&dir) >= INVITATION_COUNT_MAX / 2;
    invitation_dir_close(&dir);
    return full;
}

void judge_renewal(struct judge_case *matter, const struct judge_setting *setting, struct tls_channel *channel,
                   struct judge_verdict *verdict)
{
    const struct tls_peer_names *shown = tls_channel_peer(channel);

    memset(verdict, 0, sizeof(*verdict));
    if (shown == NULL) {
        refuse(verdict, ENROL_NOT_ENTITLED, "the node has shown no certificate");
        return;
    }
    if (shown->count != 1 || certs_name_fault(shown->names[0]) != NULL) {
        refuse(verdict, ENROL_NOT_ENTITLED, "the certificate that the node has shown is no cluster's");
        return;
    }
    snprintf(matter->invitation.cluster, sizeof(matter->invitation.cluster), "%s", shown->names[0]);
    matter->invitation.identity = shown->cluster;
    if (certs_node_name_fault(shown->node) == NULL) {
        snprintf(matter->node, sizeof(matter->node), "%s", shown->node);
        snprintf(matter->invitation.node, sizeof(matter->invitation.node), "%s", shown->node);
    }
    if (!make_record(matter, setting)) {
        refuse(verdict, ENROL_FAILED, "out of random numbers");
        return;
    }
    set_name(matter, "renewal");
    matter->is_renewal = true;
    matter->rests_on = shown->serial;
    snprintf(matter->rests_on_number, sizeof(matter->rests_on_number), "%s", shown->number);
    if (is_revoked(matter, setting, verdict))
        return;
    if (!enrol_guard_renew(setting->guard, shown->names[0], clock_monotonic_ms()) || is_full(setting))
        refuse(verdict, ENROL_FAILED, "too many renewals: the administrator of the arbiter should look at --list");
}

/* ---- signing ---------------------------------------------------------------------------------------------------- */

void judge_order(const struct judge_case *matter, const struct certs_place *place, const struct enrol_message *request,
                 struct signer_order *order)
{
    *order = (struct signer_order){
        .place = place,
        .cluster = matter->invitation.cluster,
        .identity = matter->invitation.identity,
        .node = matter->node[0] == '\0' ? NULL : matter->node,
        .request = request->request.bytes,
        .request_size = request->request.size,
        .serial = matter->invitation.serial,
    };
}

/* Whether a node could use it, with the authorities that it would be given. */
static void grant_first(struct judge_case *matter, const struct judge_setting *setting, const uint8_t *certificate,
                        size_t size, struct judge_verdict *verdict)
{
    invitation_fini(&matter->invitation);
    matter->invitation.certificate = malloc(size);
    if (matter->invitation.certificate == NULL || size > INVITATION_CERTIFICATE_SIZE_MAX) {
        refuse(verdict, ENROL_FAILED, "out of memory");
        return;
    }
    memcpy(matter->invitation.certificate, certificate, size);
    matter->invitation.certificate_size = size;
    grant(matter, setting, verdict);
}

static void keep_signed(struct judge_case *matter, const struct judge_setting *setting, const uint8_t *certificate,
                        size_t size, struct judge_verdict *verdict)
{
    struct certs_failure why;
    enum q_err err = matter->is_renewal
                         ? invitation_use_record(setting->invitations, &matter->invitation, certificate, size, &why)
                         : invitation_use_fill(setting->invitations, &matter->invitation, certificate, size, &why);

    if (err == Q_ERR_NOT_FOUND) {
        refuse(verdict, ENROL_UNKNOWN, "the code was withdrawn while the certificate was being made");
    } else if (err != Q_OK) {
        log_line(LOG_ERR, "Enrolment: %s (%s)", why.text, matter->name);
        refuse(verdict, ENROL_FAILED, "the arbiter cannot keep the certificate");
    }
}

void judge_signed(struct judge_case *matter, const struct judge_setting *setting, const uint8_t *certificate, size_t size,
                  struct judge_verdict *verdict)
{
    /* First of all: on record is only what a node can get, together with the authorities that it has to trust. */
    memset(verdict, 0, sizeof(*verdict));
    grant_first(matter, setting, certificate, size, verdict);
    if (!verdict->granted)
        return;
    memset(verdict, 0, sizeof(*verdict));
    keep_signed(matter, setting, certificate, size, verdict);
    /* Asked again now that it is on disk: whoever revoked before has this answer, whoever does from now on finds the file. */
    if (verdict->reason != 0 || is_revoked(matter, setting, verdict))
        return;
    grant(matter, setting, verdict); /* what is on disk: another connection with this key may have been quicker */
}
