/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/converse.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "certs/logic/enrol_reply.h"
#include "certs/reach.h"
#include "common/clock.h"
#include "common/tls/channel.h"
#include "common/tls/peer_names.h"

#define READ_SIZE 4096

struct conversation {
    const struct converse_peer *peer;
    struct tls_channel channel;
    uint64_t until_ms;
    struct certs_failure *why;
};

/* ---- TLS -------------------------------------------------------------------------------------------------------- */

static enum q_err wait_for_channel(struct conversation *c)
{
    short events = tls_channel_want(&c->channel) == TLS_WANT_WRITE ? POLLOUT : POLLIN;

    if (certs_wait(c->channel.fd, events, c->until_ms))
        return Q_OK;
    return certs_fail(c->why, Q_ERR_AGAIN, "%s, port %u, does not answer in time. Try again.", c->peer->host, c->peer->port);
}

/* Why the handshake failed, for somebody who wants to know what to do now. */
static enum q_err explain_handshake(struct conversation *c)
{
    const char *host = c->peer->host, *reason = tls_channel_error(&c->channel);

    if (c->peer->pin->refused)
        return certs_fail(c->why, Q_ERR_INVALID,
                          "%s is not the arbiter that this code is from: its certificate authority does not match the code. "
                          "Either --host names another arbiter, or somebody sits between this node and the arbiter. Nothing "
                          "has been sent to it.",
                          host);
    switch (tls_channel_end(&c->channel)) {
    case TLS_END_CLEAN:
    case TLS_END_EOF:
    case TLS_END_RESET:
        return certs_fail(c->why, Q_ERR_CLOSED,
                          "%s, port %u, closes the connection at once: it offers no enrolment (a packaged corosync-qnetd, or "
                          "-S enrolment=off), or it is busy, or too many wrong codes came from this address: then wait for "
                          "five minutes. The arbiter's log says which.",
                          host, c->peer->port);
    case TLS_END_REFUSED:
        return certs_fail(c->why, Q_ERR_INVALID,
                          "%s cannot be trusted: %s. Nothing has been sent to it. Check --host and --port, and this node's "
                          "clock.",
                          host, reason);
    case TLS_END_NONE:
        break;
    }
    return certs_fail(c->why, Q_ERR_IO, "The connection to %s failed: %s.", host, reason);
}

static enum q_err shake_hands(struct conversation *c)
{
    for (;;) {
        enum q_err err = tls_channel_handshake(&c->channel);

        if (err == Q_OK)
            return Q_OK;
        if (err != Q_ERR_AGAIN)
            return explain_handshake(c);
        err = wait_for_channel(c);
        if (err != Q_OK)
            return err;
    }
}

static enum q_err broken(struct conversation *c)
{
    return certs_fail(c->why, Q_ERR_CLOSED, "The connection to %s broke: %s. Run the same command again.", c->peer->host,
                      tls_channel_error(&c->channel));
}

static enum q_err send_all(struct conversation *c, const struct q_buf *message)
{
    size_t sent = 0;

    while (sent < message->size) {
        size_t count;
        enum q_err err = tls_channel_write(&c->channel, q_buf_bytes(message) + sent, message->size - sent, &count);

        if (err == Q_ERR_AGAIN)
            err = wait_for_channel(c);
        else if (err != Q_OK)
            return broken(c);
        if (err != Q_OK)
            return err;
        sent += count;
    }
    return Q_OK;
}

static enum q_err receive(struct conversation *c, struct q_buf *in, struct enrol_message *answer)
{
    for (;;) {
        char bytes[READ_SIZE], text[ENROL_REPLY_TEXT_SIZE];
        size_t count, missing;
        enum q_err err = tls_channel_read(&c->channel, bytes, sizeof(bytes), &count);

        if (err == Q_OK) {
            err = enrol_reply_take(in, bytes, count, c->peer->expected, answer, &missing, text, sizeof(text));
            if (err == Q_ERR_INVALID)
                return certs_fail(c->why, err, "%s does not keep to the protocol: %s.", c->peer->host, text);
            if (err != Q_ERR_AGAIN)
                return err == Q_OK ? Q_OK : certs_fail_memory(c->why);
        } else if (err == Q_ERR_AGAIN) {
            err = wait_for_channel(c);
            if (err != Q_OK)
                return err;
        } else {
            return broken(c);
        }
    }
}

static void note(struct conversation *c)
{
    const struct tls_peer_names *shown = tls_channel_peer(&c->channel);
    struct converse_seen *seen = c->peer->seen;

    if (seen == NULL)
        return;
    seen->serial = shown == NULL ? 0 : shown->serial;
    snprintf(seen->tls_version, sizeof(seen->tls_version), "%s", tls_channel_version(&c->channel));
}

static enum q_err talk(struct conversation *c, converse_compose *compose, void *context, struct q_buf *in,
                       struct enrol_message *answer)
{
    uint8_t exported[ENROL_EXPORTER_SIZE];
    struct q_buf message;
    enum q_err err = shake_hands(c);

    if (err != Q_OK)
        return err;
    note(c);
    if (!tls_enrolment_export(&c->channel, ENROL_EXPORTER_LABEL, exported, sizeof(exported)))
        return certs_fail_memory(c->why);
    q_buf_init(&message);
    err = compose(context, exported, &message, c->why);
    if (err == Q_OK && message.failed)
        err = certs_fail_memory(c->why);
    if (err == Q_OK)
        err = send_all(c, &message);
    q_buf_fini(&message);
    return err == Q_OK ? receive(c, in, answer) : err;
}

enum q_err converse(const struct converse_peer *peer, converse_compose *compose, void *context, struct q_buf *in,
                    struct enrol_message *answer, struct certs_failure *why)
{
    struct conversation c = {.peer = peer, .why = why};
    enum q_err err;
    int fd;

    err = certs_reach(peer->host, peer->port, &fd, why);
    if (err != Q_OK)
        return err;
    c.until_ms = clock_monotonic_ms() + (peer->patience_ms != 0 ? peer->patience_ms : CONVERSE_PATIENCE_MS);
    tls_channel_init(&c.channel, fd);
    err = tls_channel_start(&c.channel, peer->credentials);
    err = err == Q_OK ? talk(&c, compose, context, in, answer) : certs_fail_memory(why);
    tls_channel_shutdown(&c.channel);
    tls_channel_fini(&c.channel);
    close(fd);
    return err;
}
