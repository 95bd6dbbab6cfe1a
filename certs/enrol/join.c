/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/join.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "certs/x509/decode.h"
#include "certs/x509/encode.h"
#include "certs/enrol/converse.h"
#include "certs/enrol/secret.h"
#include "certs/store/folder.h"
#include "certs/x509/issue.h"
#include "certs/store/issued.h"
#include "certs/logic/enrol_reply.h"
#include "certs/logic/name.h"
#include "certs/store/node_store.h"

#define TRIES 4
#define PENDING_NAME_SIZE 32
#define RENEWAL_KEY "enrol-renewal.key"

struct joining {
    const struct join_wish *wish;
    struct certs_failure *why;
    bool renewing;
    struct enrol_code code;
    struct enrol_keys keys;
    struct certs_identity present; /* what the store has */
    char present_cluster[ENROL_NAME_SIZE_MAX + 1];
    EVP_PKEY *key;
    char pending[PENDING_NAME_SIZE]; /* file of the key until its certificate is installed */
    bool key_is_new;                 /* no earlier run has shown it to the arbiter */
};

/* ---- what the node has already ---------------------------------------------------------------------------------- */

static bool is_pinned(void *context, const uint8_t *der, size_t size)
{
    const struct joining *j = context;
    bool found = false;
    uint64_t pin;

    if (!j->renewing)
        return enrol_pin(&j->keys, der, size, &pin) && pin == j->code.pin;
    for (int i = 0; !found && i < sk_X509_num(j->present.authorities); i++) {
        uint8_t *known = NULL;
        int known_size = i2d_X509(sk_X509_value(j->present.authorities, i), &known);

        found = known_size == (int)size && memcmp(known, der, size) == 0;
        OPENSSL_free(known);
    }
    return found;
}

static bool is_pinned_cert(struct joining *j, X509 *cert)
{
    uint8_t *der = NULL;
    int size = i2d_X509(cert, &der);
    bool pinned = size > 0 && is_pinned(j, der, (size_t)size);

    OPENSSL_free(der);
    return pinned;
}

/* Before the code is shown to anybody: a store of another arbiter's stays unless the administrator says otherwise. */
static enum q_err look_at_store(struct joining *j)
{
    enum q_err err = certs_node_load(j->wish->place, &j->present, j->why);
    bool pinned = false;

    if (err == Q_ERR_NOT_FOUND && !j->renewing) {
        j->present = (struct certs_identity){0};
        return Q_OK;
    }
    if (err != Q_OK)
        return err;
    if (j->present.cert != NULL)
        issued_common_name(j->present.cert, j->present_cluster, sizeof(j->present_cluster));
    if (j->renewing && (j->present.cert == NULL || j->present.key == NULL || j->present.authorities == NULL))
        return certs_fail(j->why, Q_ERR_NOT_FOUND,
                          "There is no certificate to renew in %s. Join with a code first (--join).", j->wish->place->dir);
    for (int i = 0; i < sk_X509_num(j->present.authorities); i++)
        pinned = pinned || is_pinned_cert(j, sk_X509_value(j->present.authorities, i));
    if (sk_X509_num(j->present.authorities) <= 0 || pinned || j->wish->replace)
        return Q_OK;
    return certs_fail(j->why, Q_ERR_BUSY,
                      "%s has the certificates of another arbiter, and they are left alone. If this node shall leave that one, "
                      "repeat the command with --replace: the code is still good.",
                      j->wish->place->dir);
}

/* The cluster that the code has to be for. */
static const char *expected_cluster(const struct joining *j)
{
    if (j->wish->cluster != NULL)
        return j->wish->cluster;
    return j->present_cluster[0] != '\0' && !j->wish->replace ? j->present_cluster : NULL;
}

/* ---- the key ---------------------------------------------------------------------------------------------------- */

static enum q_err read_key(struct joining *j, const struct certs_folder *folder)
{
    char *bytes;
    size_t size;
    enum q_err err = certs_folder_read(folder, j->pending, &bytes, &size, j->why);

    if (err != Q_OK)
        return err;
    err = certs_decode_key(j->pending, bytes, size, &j->key, j->why);
    explicit_bzero(bytes, size);
    free(bytes);
    return err;
}

static enum q_err write_key(struct joining *j, struct certs_folder *folder)
{
    struct q_buf bytes;
    enum q_err err = certs_key_new(&j->key, j->why);

    if (err != Q_OK)
        return err;
    q_buf_init(&bytes);
    err = certs_encode_pem_key(j->key, &bytes, j->why);
    if (err == Q_OK)
        err = certs_folder_write(folder, j->pending, q_buf_bytes(&bytes), bytes.size, CERTS_MODE_SECRET, j->why);
    certs_buf_clean(&bytes);
    return err;
}

/* The key of an earlier run with this code, for which the arbiter may have the certificate already; else a new one. */
static enum q_err prepare_key(struct joining *j)
{
    struct certs_folder folder;
    enum q_err err;

    if (j->renewing)
        snprintf(j->pending, sizeof(j->pending), RENEWAL_KEY);
    else
        snprintf(j->pending, sizeof(j->pending), "enrol-%02x%02x%02x%02x.key", j->keys.id[0], j->keys.id[1],
                 j->keys.id[2], j->keys.id[3]);
    err = certs_folder_open(&folder, CERTS_NODE_PARENT, CERTS_FOLDER_CREATE, NULL, j->why);
    if (err != Q_OK)
        return err;
    if (certs_folder_has(&folder, j->pending)) {
        err = read_key(j, &folder);
        if (err == Q_OK)
            puts("Going on with the key of an interrupted run");
    } else {
        puts("Making a key");
        j->key_is_new = true;
        err = write_key(j, &folder);
    }
    certs_folder_close(&folder);
    return err;
}

/* It is in the store now, or good for nothing. That it could not be removed is no reason to fail, but to be said. */
static void forget_key(struct joining *j)
{
    struct certs_folder folder;
    struct certs_failure why;

    if (certs_folder_open(&folder, CERTS_NODE_PARENT, CERTS_FOLDER_CHANGE, NULL, &why) != Q_OK) {
        fprintf(stderr, "%s\n", why.text);
        return;
    }
    if (certs_folder_remove(&folder, j->pending, &why) != Q_OK)
        fprintf(stderr, "%s\n", why.text);
    certs_folder_close(&folder);
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

static struct enrol_bytes text_bytes(const char *text)
{
    return (struct enrol_bytes){(const uint8_t *)text, text == NULL ? 0 : strlen(text)};
}

static enum q_err prove(struct joining *j, const uint8_t exported[ENROL_EXPORTER_SIZE], struct q_buf *message)
{
    uint8_t proof[ENROL_PROOF_SIZE];
    size_t proven = enrol_proven_size(message->size);

    if (!enrol_prove(&j->keys, exported, q_buf_bytes(message), proven, proof))
        return certs_fail_memory(j->why);
    memcpy(message->data + message->start + message->size - ENROL_PROOF_SIZE, proof, ENROL_PROOF_SIZE);
    return Q_OK;
}

static enum q_err compose(void *context, const uint8_t exported[ENROL_EXPORTER_SIZE], struct q_buf *message,
                          struct certs_failure *why)
{
    static const uint8_t no_proof[ENROL_PROOF_SIZE];
    struct joining *j = context;
    const char *subject = j->present_cluster[0] != '\0' ? j->present_cluster : "node";
    struct enrol_message what = {.type = j->renewing ? ENROL_RENEW : ENROL_JOIN};
    X509_REQ *request = NULL;
    struct q_buf der;
    enum q_err err = certs_request_new(j->key, subject, &request, why);

    q_buf_init(&der);
    if (err == Q_OK)
        err = certs_encode_request(request, false, &der, why);
    if (err == Q_OK) {
        what.request = (struct enrol_bytes){q_buf_bytes(&der), der.size};
        if (!j->renewing) {
            what.id = (struct enrol_bytes){j->keys.id, sizeof(j->keys.id)};
            what.cluster = text_bytes(expected_cluster(j));
            what.node = text_bytes(j->wish->node);
            what.proof = (struct enrol_bytes){no_proof, sizeof(no_proof)};
        }
        enrol_encode(&what, message);
    }
    if (err == Q_OK && !message->failed && !j->renewing)
        err = prove(j, exported, message);
    q_buf_fini(&der);
    X509_REQ_free(request);
    return err;
}

static void pause_before(int attempt)
{
    struct timespec pause = {.tv_sec = attempt};

    printf("No answer yet, trying again in %d s\n", attempt);
    nanosleep(&pause, NULL);
}

static enum q_err ask(struct joining *j, struct q_buf *in, struct enrol_message *answer)
{
    struct tls_pin pin = {.is_pinned = is_pinned, .context = j};
    struct tls_own own = {j->present.cert, j->present.key, j->present.intermediates};
    struct converse_peer peer = {.host = j->wish->host, .port = j->wish->port, .pin = &pin, .expected = ENROL_GRANTED};
    enum q_err err = tls_enrolment_join(&pin, CERTS_SERVER_NAME, ENROL_ALPN, j->renewing ? &own : NULL, &peer.credentials);

    if (err != Q_OK)
        return certs_fail(j->why, err, "TLS cannot be set up: out of memory, or the present certificate is damaged.");
    printf("Asking the arbiter at %s, port %u\n", j->wish->host, j->wish->port);
    for (int attempt = 1;; attempt++) {
        q_buf_reset(in);
        err = converse(&peer, compose, j, in, answer, j->why);
        if (err != Q_ERR_CLOSED || attempt == TRIES)
            break;
        pause_before(attempt);
    }
    tls_credentials_unref(peer.credentials);
    return err;
}

/* ---- what came -------------------------------------------------------------------------------------------------- */

static X509 *decode_one(const struct enrol_bytes *bytes)
{
    const unsigned char *at = bytes->bytes;

    return d2i_X509(NULL, &at, (long)bytes->size);
}

static enum q_err decode_grant(struct joining *j, const struct enrol_message *answer, struct certs_identity *identity)
{
    bool pinned = false;

    identity->cert = decode_one(&answer->certificate);
    identity->authorities = sk_X509_new_null();
    if (identity->authorities == NULL)
        return certs_fail_memory(j->why);
    for (size_t i = 0; i < answer->authority_count; i++) {
        X509 *authority = decode_one(&answer->authorities[i]);

        if (authority == NULL || sk_X509_push(identity->authorities, authority) <= 0)
            return certs_fail_openssl(j->why, "The arbiter's answer holds a certificate that cannot be read");
        pinned = pinned || is_pinned_cert(j, authority);
    }
    if (identity->cert == NULL)
        return certs_fail_openssl(j->why, "The arbiter's answer holds a certificate that cannot be read");
    if (!pinned)
        return certs_fail(j->why, Q_ERR_INVALID, "The arbiter's answer does not hold the authority it was known by.");
    EVP_PKEY_up_ref(j->key);
    identity->key = j->key;
    return Q_OK;
}

static enum q_err check_grant(struct joining *j, const struct enrol_message *answer, const struct certs_identity *identity)
{
    char name[ENROL_NAME_SIZE_MAX + 1];
    const char *expected = j->renewing ? j->present_cluster : expected_cluster(j);

    issued_common_name(identity->cert, name, sizeof(name));
    if (X509_check_private_key(identity->cert, identity->key) != 1 || strlen(name) != answer->cluster.size ||
        memcmp(name, answer->cluster.bytes, answer->cluster.size) != 0) {
        ERR_clear_error();
        return certs_fail(j->why, Q_ERR_INVALID, "The certificate that the arbiter sent is not the one that was asked for.");
    }
    if (expected != NULL && strcmp(name, expected) != 0)
        return certs_fail(j->why, Q_ERR_INVALID, "The certificate is for cluster \"%s\", this node is in cluster \"%s\".", name,
                          expected);
    return Q_OK;
}

/* Somebody has joined with the code, and this node is a member: an earlier run was interrupted when all was done. */
static bool has_certificate_of_code(struct joining *j, const struct enrol_message *refusal)
{
    if (j->renewing || refusal->reason != ENROL_USED || j->present.cert == NULL || j->present.key == NULL)
        return false;
    for (int i = 0; i < sk_X509_num(j->present.authorities); i++) {
        if (is_pinned_cert(j, sk_X509_value(j->present.authorities, i)))
            return true;
    }
    return false;
}

static enum q_err take(struct joining *j, const struct enrol_message *answer, char **cluster)
{
    struct certs_identity identity = {0};
    char text[ENROL_REPLY_TEXT_SIZE];
    enum q_err err;

    if (answer->type == ENROL_REFUSED) {
        if (enrol_refusal_ends_key(answer->reason, j->key_is_new))
            forget_key(j);
        if (has_certificate_of_code(j, answer))
            return certs_fail(j->why, Q_ERR_ACCESS,
                              "The arbiter refuses: %.*s. This node has its certificate already, for cluster \"%s\" of this very arbiter: "
                              "if it was you who joined it with this code, all is well (--check says more).",
                              (int)answer->text.size, (const char *)answer->text.bytes, j->present_cluster);
        enrol_reply_explain(answer, text);
        return certs_fail(j->why, Q_ERR_ACCESS, "%c%s", toupper((unsigned char)text[0]), text + 1);
    }
    err = decode_grant(j, answer, &identity);
    if (err == Q_OK)
        err = check_grant(j, answer, &identity);
    if (err == Q_OK) {
        puts("Installing the certificate");
        /* look_at_store has seen to it that nobody else's are lost. */
        err = certs_node_install(j->wish->place, &identity, CERTS_REPLACE_AUTHORITIES, j->why);
    }
    if (err == Q_OK) {
        *cluster = strndup((const char *)answer->cluster.bytes, answer->cluster.size);
        forget_key(j);
    }
    certs_identity_fini(&identity);
    return err;
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static enum q_err run(struct joining *j, char **cluster)
{
    struct enrol_message answer;
    struct q_buf in;
    enum q_err err = look_at_store(j);

    *cluster = NULL;
    if (err == Q_OK)
        err = prepare_key(j);
    q_buf_init(&in);
    if (err == Q_OK)
        err = ask(j, &in, &answer);
    if (err == Q_OK)
        err = take(j, &answer, cluster);
    q_buf_fini(&in);
    EVP_PKEY_free(j->key);
    certs_identity_fini(&j->present);
    enrol_keys_wipe(&j->keys);
    OPENSSL_cleanse(&j->code, sizeof(j->code));
    return err;
}

enum q_err join_cluster(const struct join_wish *wish, char **cluster, struct certs_failure *why)
{
    struct joining j = {.wish = wish, .why = why};

    if (enrol_code_read(wish->code, &j.code, why->text, sizeof(why->text)) != Q_OK)
        return Q_ERR_INVALID;
    if (!enrol_keys_derive(j.code.secret, &j.keys))
        return certs_fail_memory(why);
    return run(&j, cluster);
}

enum q_err join_renew(const struct join_wish *wish, char **cluster, struct certs_failure *why)
{
    struct joining j = {.wish = wish, .why = why, .renewing = true};

    return run(&j, cluster);
}

/* ---- corosync.conf ---------------------------------------------------------------------------------------------- */

/* The value of "cluster_name: NAME", on the heap, if the line says that. */
static char *name_in_line(char *line)
{
    static const char key[] = "cluster_name";
    char *value, *end;

    line += strspn(line, " \t");
    if (strncmp(line, key, sizeof(key) - 1) != 0)
        return NULL;
    value = line + sizeof(key) - 1;
    value += strspn(value, " \t");
    if (*value != ':')
        return NULL;
    value++;
    value += strspn(value, " \t");
    end = value + strlen(value);
    while (end > value && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0';
    return *value == '\0' ? NULL : strdup(value);
}

char *join_configured_cluster(const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL, *name = NULL, *next;
    size_t size = 0;

    if (file == NULL)
        return NULL;
    while (getline(&line, &size, file) > 0) {
        next = name_in_line(line);
        if (next == NULL)
            continue;
        free(name); /* as in the core, the last one counts */
        name = next;
    }
    free(line);
    fclose(file);
    return name;
}
