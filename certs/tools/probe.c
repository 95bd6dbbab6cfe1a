/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/tools/probe.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "certs/logic/name.h"
#include "certs/reach.h"
#include "common/clock.h"
#include "common/tls/channel.h"
#include "common/tls/credentials.h"
#include "common/tls/peer_names.h"
#include "common/wire/framer.h"

#define ANSWER_MS 5000
/* An arbiter that does not like a certificate says so at once. */
#define OBJECTION_MS 700

struct probe {
    const struct probe_wish *wish;
    struct probe_result *result;
    struct certs_failure *why;
    struct tls_channel channel;
    struct wire_framer framer;
};

static enum q_err load_credentials(const struct certs_place *place, struct tls_credentials **out,
                                   struct certs_failure *why)
{
    struct tls_credentials_source source = {.peer_name = CERTS_SERVER_NAME, .allow_expired = true};
    char own[4096], ca[4096];
    enum q_err err;

    snprintf(own, sizeof(own), "%s/%s", place->dir, CERTS_PEM_NODE);
    snprintf(ca, sizeof(ca), "%s/%s", place->dir, CERTS_PEM_AUTHORITY);
    if (place->form == CERTS_PEM) {
        source.kind = TLS_SOURCE_PEM;
        source.pem = (struct tls_source_pem){.cert_file = own, .key_file = own, .ca_file = ca};
    } else {
        source.kind = TLS_SOURCE_NSS;
        source.nss = (struct tls_source_nss){.dir = place->dir, .nickname = CERTS_NICK_CLUSTER};
    }
    /* An own certificate that has ended has been found already, and is shown: the arbiter says what it makes of it. */
    err = tls_credentials_load(&source, TLS_ROLE_CLIENT, out, why->text, sizeof(why->text));
    return *out != NULL ? Q_OK : err;
}

static bool wait_for_channel(struct probe *p, uint64_t until_ms)
{
    return certs_wait(p->channel.fd, tls_channel_want(&p->channel) == TLS_WANT_WRITE ? POLLOUT : POLLIN,
                      until_ms);
}

static enum q_err silent(struct probe *p)
{
    return certs_fail(
        p->why, Q_ERR_AGAIN,
        "%s, port %u, accepts the connection but does not answer: that is no corosync-qnetd, or it hangs.",
        p->wish->host, p->wish->port);
}

static enum q_err say(struct probe *p, const struct wire_message *message)
{
    struct q_buf bytes;
    size_t sent = 0;
    enum q_err err = Q_OK;

    q_buf_init(&bytes);
    wire_encode(&bytes, message);
    if (bytes.failed)
        err = certs_fail_memory(p->why);
    while (err == Q_OK && sent < bytes.size) {
        size_t count = 0;

        err = tls_channel_write(&p->channel, q_buf_bytes(&bytes) + sent, bytes.size - sent, &count);
        if (err == Q_ERR_AGAIN)
            err = wait_for_channel(p, clock_monotonic_ms() + ANSWER_MS) ? Q_OK : silent(p);
        else if (err != Q_OK)
            err = certs_fail(p->why, err, "The connection to %s broke: %s.", p->wish->host,
                             tls_channel_error(&p->channel));
        sent += count;
    }
    q_buf_fini(&bytes);
    return err;
}

/* The next message, or Q_ERR_AGAIN by then, Q_ERR_CLOSED, Q_ERR_INVALID: nothing that this protocol knows. */
static enum q_err hear(struct probe *p, uint64_t until_ms, struct wire_message *message)
{
    for (;;) {
        struct wire_frame_message frame;
        size_t room, count;
        uint8_t *to;
        enum q_err err;

        switch (wire_framer_next(&p->framer, &frame)) {
        case WIRE_FRAME_MESSAGE:
            return wire_decode(frame.bytes, frame.size, message) ? Q_OK : Q_ERR_INVALID;
        case WIRE_FRAME_SKIPPED:
            return Q_ERR_INVALID;
        case WIRE_FRAME_NO_MEMORY:
            return Q_ERR_NO_MEMORY;
        case WIRE_FRAME_MORE:
            break;
        }
        to = wire_framer_room(&p->framer, wire_framer_wanted(&p->framer), &room);
        if (to == NULL)
            return Q_ERR_NO_MEMORY;
        err = tls_channel_read(&p->channel, to, room, &count);
        wire_framer_fed(&p->framer, err == Q_OK ? count : 0);
        if (err == Q_ERR_AGAIN && wait_for_channel(p, until_ms))
            err = Q_OK;
        if (err != Q_OK)
            return err;
    }
}

/* What an arbiter's refusal means for a person; the message is SERVER_ERROR. */
static enum q_err objected(struct probe *p, const struct wire_message *message)
{
    return certs_fail(p->why, Q_ERR_ACCESS,
                      "The arbiter refuses this node: %s. The arbiter's log says more; most often the "
                      "certificate is for another "
                      "cluster, or from an authority that is not the arbiter's.",
                      wire_error_text(message->u.server_error.error));
}

static enum q_err greet(struct probe *p)
{
    const char *name = p->wish->cluster_name;
    struct wire_message hello = {.type = WIRE_PREINIT,
                                 .present =
                                     WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER) | WIRE_HAS(WIRE_TLV_CLUSTER_NAME),
                                 .seq = 1};
    struct wire_message start = {
        .type = WIRE_STARTTLS, .present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER), .seq = 2};
    struct wire_message answer;
    enum q_err err;

    hello.u.preinit.cluster_name = (struct wire_bytes){.data = (const uint8_t *)name, .size = strlen(name)};
    p->result->step = PROBE_GREETING;
    err = say(p, &hello);
    if (err != Q_OK)
        return err;
    err = hear(p, clock_monotonic_ms() + ANSWER_MS, &answer);
    if (err == Q_ERR_AGAIN)
        return silent(p);
    if (err == Q_OK && answer.type == WIRE_SERVER_ERROR)
        return objected(p, &answer);
    if (err != Q_OK || answer.type != WIRE_PREINIT_REPLY)
        return certs_fail(p->why, Q_ERR_INVALID,
                          "%s, port %u, does not speak the arbiter's protocol: check host and port.",
                          p->wish->host, p->wish->port);
    if (answer.u.preinit_reply.tls_supported == WIRE_TLS_UNSUPPORTED)
        return certs_fail(p->why, Q_ERR_INVALID,
                          "The arbiter has TLS switched off (option -s off): certificates are not used "
                          "there. Switch it on, or "
                          "set quorum.device.net.tls: off on the nodes.");
    return say(p, &start);
}

static enum q_err shake_hands(struct probe *p, struct tls_credentials *credentials)
{
    uint64_t until_ms = clock_monotonic_ms() + ANSWER_MS;
    enum q_err err;

    p->result->step = PROBE_HANDSHAKE;
    if (tls_channel_start(&p->channel, credentials) != Q_OK)
        return certs_fail_memory(p->why);
    while ((err = tls_channel_handshake(&p->channel)) == Q_ERR_AGAIN) {
        if (!wait_for_channel(p, until_ms))
            return silent(p);
    }
    if (err != Q_OK)
        return certs_fail(
            p->why, err,
            "%s. If the arbiter's certificates have been made anew, this node needs its new authority: begin "
            "again with -i, or --join.",
            tls_channel_error(&p->channel));
    snprintf(p->result->tls_version, sizeof(p->result->tls_version), "%s", tls_channel_version(&p->channel));
    if (tls_channel_peer(&p->channel) != NULL)
        p->result->arbiter_not_after = tls_channel_peer(&p->channel)->not_after;
    return Q_OK;
}

static enum q_err await_objection(struct probe *p)
{
    struct wire_message answer;
    enum q_err err;

    p->result->step = PROBE_ACCEPTED;
    err = hear(p, clock_monotonic_ms() + OBJECTION_MS, &answer);
    if (err == Q_ERR_AGAIN)
        return Q_OK;
    if (err == Q_OK && answer.type == WIRE_SERVER_ERROR)
        return objected(p, &answer);
    return certs_fail(p->why, Q_ERR_ACCESS,
                      "The arbiter ends the connection after the handshake (%s): it does not accept this "
                      "node's certificate, or not for "
                      "the cluster \"%s\". Its log says why.",
                      tls_channel_error(&p->channel)[0] != '\0' ? tls_channel_error(&p->channel)
                                                                : "without a word",
                      p->wish->cluster_name);
}

enum q_err probe_arbiter(const struct probe_wish *wish, struct probe_result *result,
                         struct certs_failure *why)
{
    struct probe p = {.wish = wish, .result = result, .why = why};
    struct tls_credentials *credentials = NULL;
    enum q_err err;
    int fd;

    *result = (struct probe_result){.step = PROBE_CONNECT};
    err = certs_reach(wish->host, wish->port, &fd, why);
    if (err != Q_OK)
        return err;
    tls_channel_init(&p.channel, fd);
    wire_framer_init(&p.framer, WIRE_SIZE_DEFAULT);
    err = load_credentials(wish->place, &credentials, why);
    if (err == Q_OK)
        err = greet(&p);
    if (err == Q_OK)
        err = shake_hands(&p, credentials);
    if (err == Q_OK)
        err = await_objection(&p);
    tls_channel_shutdown(&p.channel);
    tls_channel_fini(&p.channel);
    wire_framer_fini(&p.framer);
    tls_credentials_unref(credentials);
    close(fd);
    return err;
}
