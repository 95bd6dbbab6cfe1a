/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/ask.h"

#include <stdio.h>
#include <string.h>

#include "certs/enrol/converse.h"
#include "certs/logic/name.h"
#include "common/clock.h"

/* A packaged arbiter takes the beginning of TLS for a message of which the rest is missing, and says nothing. */
#define PATIENCE_MS 5000

struct asking {
    const struct ask_wish *wish;
    int64_t before_ms;
};

static enum q_err compose(void *context, const uint8_t exported[ENROL_EXPORTER_SIZE], struct q_buf *message,
                          struct certs_failure *why)
{
    struct asking *asking = context;
    const char *cluster = asking->wish->cluster;
    struct enrol_message question = {.type = ENROL_ASK};

    (void)exported;
    if (strlen(cluster) > ENROL_NAME_SIZE_MAX)
        return certs_fail(why, Q_ERR_INVALID, "The cluster's name is longer than any that a certificate can bear.");
    question.cluster = (struct enrol_bytes){(const uint8_t *)cluster, strlen(cluster)};
    enrol_encode(&question, message);
    asking->before_ms = clock_wall_ms(); /* the connection is there: what follows is one way there and one back */
    return Q_OK;
}

static enum q_err take(const struct enrol_message *said, struct ask_answer *answer, struct certs_failure *why)
{
    if (said->type == ENROL_REFUSED && said->reason == ENROL_BAD_MESSAGE)
        return certs_fail(why, Q_ERR_NOT_FOUND, "The arbiter does not know the question.");
    if (said->type == ENROL_REFUSED)
        return certs_fail(why, Q_ERR_ACCESS, "The arbiter does not answer: %.*s.", (int)said->text.size,
                          (const char *)said->text.bytes);
    answer->reason = said->reason;
    if (said->reason != 0)
        snprintf(answer->text, sizeof(answer->text), "%.*s", (int)said->text.size, (const char *)said->text.bytes);
    return Q_OK;
}

enum q_err ask_arbiter(const struct ask_wish *wish, struct ask_answer *answer, struct certs_failure *why)
{
    struct asking asking = {.wish = wish};
    struct tls_pin pin = {.known = wish->identity->authorities, .any_time = true};
    struct tls_own own = {wish->identity->cert, wish->identity->key, wish->identity->intermediates};
    struct converse_peer peer = {.host = wish->host, .port = wish->port, .pin = &pin, .expected = ENROL_VERDICT, .patience_ms = PATIENCE_MS};
    struct converse_seen seen = {0};
    struct enrol_message said;
    struct q_buf in;
    enum q_err err;

    peer.seen = &seen;
    memset(answer, 0, sizeof(*answer));
    err = tls_enrolment_join(&pin, CERTS_SERVER_NAME, ENROL_ALPN, wish->show ? &own : NULL, &peer.credentials);
    if (err != Q_OK)
        return certs_fail(why, err, "TLS cannot be set up: out of memory, or the certificate is damaged.");
    q_buf_init(&in);
    err = converse(&peer, compose, &asking, &in, &said, why);
    if (err == Q_OK) {
        answer->gap = clock_gap_of(asking.before_ms, said.time_ms, clock_wall_ms());
        answer->serial = seen.serial;
        memcpy(answer->tls_version, seen.tls_version, sizeof(answer->tls_version));
        err = take(&said, answer, why);
    }
    q_buf_fini(&in);
    tls_credentials_unref(peer.credentials);
    return err;
}
