/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/registrar.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "certs/enrol/appraise.h"
#include "certs/enrol/handover.h"
#include "certs/enrol/judge.h"
#include "certs/enrol/signer.h"
#include "certs/logic/enrol_guard.h"
#include "certs/logic/enrol_room.h"
#include "certs/logic/enrol_session.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/log_budget.h"
#include "common/tls/channel.h"
#include "common/tls/enrolment.h"
#include "common/tls/peer_names.h"

/* Lines about strangers: this many at once, then one more per so many milliseconds. */
#define LOG_BURST 30
#define LOG_REFILL_MS 1000
#define READ_SIZE 4096
#define DISCARDED_READS_MAX 16
#define TICK_MS 1000
#define CONNECTIONS_PER_ROUND 64

/* What a line is about. Each has its own budget: a crowd at the door must not keep a guesser out of the log. */
enum subject { ABOUT_JOINS, ABOUT_STRANGERS, ABOUT_LIMITS, SUBJECTS };

struct peer {
    bool present;
    int fd;
    struct handover from;
    struct enrol_guard_origin origin;
    uint64_t since_ms;
    struct tls_channel channel;
    struct enrol_session session;
    struct judge_case matter;
    struct signer signer;
    size_t sent; /* of the answer */
};

struct registrar {
    struct registrar_settings settings;
    struct tls_credentials *credentials;
    struct judge_setting judges;
    struct enrol_guard guard;
    struct log_budget budgets[SUBJECTS];
    struct peer peers[REGISTRAR_PEERS_MAX];
    uint64_t busy_ms; /* when there was a connection last */
    bool closing;     /* the arbiter wants no more */
};

/* ---- log -------------------------------------------------------------------------------------------------------- */

static void say(struct registrar *registrar, enum subject about, int priority, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void say(struct registrar *registrar, enum subject about, int priority, const char *format, ...)
{
    char text[JUDGE_TEXT_SIZE + 256];
    uint64_t left_out;
    va_list args;

    if (!log_enabled(priority) || !log_budget_take(&registrar->budgets[about], LOG_BURST, LOG_REFILL_MS,
                                                   clock_monotonic_ms(), &left_out))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (left_out > 0)
        log_line(priority, "Enrolment: %s (%llu lines like this were left out)", text,
                 (unsigned long long)left_out);
    else
        log_line(priority, "Enrolment: %s", text);
}

/* ---- peers come and go ------------------------------------------------------------------------------------------ */

/* A socket closed over unread bytes resets the connection, and with it what was sent last. */
static void discard_input(int fd)
{
    char scratch[READ_SIZE];

    for (int reads = 0; reads < DISCARDED_READS_MAX; reads++)
        if (recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT) <= 0)
            return;
}

static void drop(struct registrar *registrar, struct peer *peer)
{
    tls_channel_shutdown(&peer->channel);
    tls_channel_fini(&peer->channel);
    discard_input(peer->fd);
    close(peer->fd);
    enrol_session_fini(&peer->session);
    judge_case_fini(&peer->matter);
    signer_fini(&peer->signer);
    enrol_guard_ended(&registrar->guard, &peer->origin);
    peer->present = false;
}

static struct peer *free_place(struct registrar *registrar)
{
    for (size_t i = 0; i < REGISTRAR_PEERS_MAX; i++) {
        if (!registrar->peers[i].present)
            return &registrar->peers[i];
    }
    return NULL;
}

/* All places are taken: somebody gives way to a newcomer, or nobody. */
static struct peer *make_room(struct registrar *registrar, const struct enrol_guard_origin *newcomer, uint64_t now_ms)
{
    struct enrol_room_guest guests[REGISTRAR_PEERS_MAX];
    struct peer *chosen;
    size_t choice;

    for (size_t i = 0; i < REGISTRAR_PEERS_MAX; i++) {
        const struct peer *peer = &registrar->peers[i];

        guests[i] = (struct enrol_room_guest){peer->origin, peer->since_ms, peer->session.phase == ENROL_PHASE_READING};
    }
    choice = enrol_room_choose(guests, REGISTRAR_PEERS_MAX, newcomer, now_ms);
    if (choice == REGISTRAR_PEERS_MAX)
        return NULL;
    chosen = &registrar->peers[choice];
    say(registrar, ABOUT_STRANGERS, LOG_INFO, "%s gives its place to others", chosen->from.peer);
    drop(registrar, chosen);
    return chosen;
}

static const char *guard_text(enum enrol_guard_answer answer)
{
    switch (answer) {
    case ENROL_GUARD_TOO_MANY:
        return "too many connections at once from its address or network";
    case ENROL_GUARD_TOO_FAST:
        return "too many connections in a row from its address or network";
    case ENROL_GUARD_BLOCKED:
        return "its address or network has shown too many wrong codes";
    case ENROL_GUARD_ADMITTED:
        break;
    }
    return "all places are taken";
}

static void admit(struct registrar *registrar, const struct handover *from, int fd, uint64_t now_ms)
{
    struct enrol_guard_origin origin;
    enum enrol_guard_answer answer;
    struct peer *peer = NULL;
    uint8_t address[16];

    handover_address(from, address);
    origin = enrol_guard_origin(&registrar->guard, address);
    answer = enrol_guard_admit(&registrar->guard, &origin, now_ms);
    if (answer == ENROL_GUARD_ADMITTED) {
        peer = free_place(registrar);
        if (peer == NULL)
            peer = make_room(registrar, &origin, now_ms);
        if (peer == NULL)
            enrol_guard_ended(&registrar->guard, &origin);
    }
    if (peer == NULL) {
        say(registrar, answer == ENROL_GUARD_ADMITTED ? ABOUT_STRANGERS : ABOUT_LIMITS, LOG_WARNING,
            "%s refused: %s", from->peer, guard_text(answer));
        close(fd);
        return;
    }
    memset(peer, 0, sizeof(*peer));
    peer->present = true;
    peer->fd = fd;
    peer->from = *from;
    peer->origin = origin;
    peer->since_ms = now_ms;
    tls_channel_init(&peer->channel, fd);
    enrol_session_init(&peer->session);
    judge_case_init(&peer->matter);
    signer_init(&peer->signer);
    if (tls_channel_start(&peer->channel, registrar->credentials) != Q_OK)
        drop(registrar, peer);
}

static void take_connections(struct registrar *registrar)
{
    uint64_t now_ms = clock_monotonic_ms();

    for (int taken = 0; taken < CONNECTIONS_PER_ROUND && !registrar->closing; taken++) {
        struct handover from;
        enum q_err err;
        int fd;

        err = handover_receive(registrar->settings.channel, &from, &fd);
        if (err == Q_ERR_CLOSED || err == Q_ERR_IO)
            registrar->closing = true;
        if (err != Q_OK)
            return;
        registrar->busy_ms = now_ms;
        admit(registrar, &from, fd, now_ms);
    }
}

/* ---- what a session asks for ------------------------------------------------------------------------------------ */

static void on_refused(struct registrar *registrar, struct peer *peer)
{
    uint64_t block_ms = 0;

    if (peer->session.reason == ENROL_UNKNOWN || peer->session.reason == ENROL_BAD_PROOF)
        block_ms = enrol_guard_wrong(&registrar->guard, &peer->origin, clock_monotonic_ms());
    if (block_ms > 0)
        say(registrar, ABOUT_JOINS, LOG_WARNING,
            "%s refused: %s (%s); nothing is accepted from its address for %llu s", peer->from.peer,
            peer->session.text, peer->matter.name, (unsigned long long)(block_ms / 1000));
    else
        say(registrar, ABOUT_JOINS, LOG_WARNING, "%s refused: %s (%s)", peer->from.peer, peer->session.text,
            peer->matter.name);
}

static enum q_err tell(struct peer *peer, enum enrol_event_type type, const struct judge_verdict *verdict,
                       enum enrol_action *action)
{
    struct enrol_event event = {
        .type = type, .reason = verdict->reason, .text = verdict->text, .time_ms = clock_wall_ms()};

    if (verdict->granted)
        event.grant = &verdict->grant;
    return enrol_session_step(&peer->session, &event, action);
}

static enum q_err start_signing(struct registrar *registrar, struct peer *peer, enum enrol_action *action)
{
    struct judge_verdict verdict = {.reason = ENROL_FAILED};
    struct signer_order order;

    judge_order(&peer->matter, &registrar->settings.place, &peer->session.request, &order);
    *action = ENROL_DO_NOTHING;
    if (signer_start(&peer->signer, &order) == Q_OK)
        return Q_OK;
    snprintf(verdict.text, sizeof(verdict.text), "the signing process cannot be started");
    return tell(peer, ENROL_EV_SIGNED, &verdict, action);
}

/* Sends as much of the answer as goes; Q_ERR_AGAIN: the rest waits. */
static enum q_err send_answer(struct peer *peer)
{
    while (peer->sent < peer->session.out.size) {
        size_t count;
        enum q_err err = tls_channel_write(&peer->channel, q_buf_bytes(&peer->session.out) + peer->sent,
                                           peer->session.out.size - peer->sent, &count);

        if (err != Q_OK)
            return err;
        peer->sent += count;
    }
    return Q_OK;
}

static void answer_question(struct registrar *registrar, struct peer *peer, struct judge_verdict *verdict)
{
    const struct tls_peer_names *shown = tls_channel_peer(&peer->channel);

    if (enrol_guard_ask(&registrar->guard, shown == NULL ? NULL : shown->number, &peer->origin, clock_monotonic_ms()))
        appraise(registrar->judges.store, shown, &peer->session.request.cluster, verdict);
    else
        *verdict = (struct judge_verdict){.reason = ENROL_FAILED, .text = "too many questions in a short time"};
    say(registrar, ABOUT_STRANGERS, LOG_INFO, "%s asks what a device with its certificate would be told: %s",
        peer->from.peer, verdict->reason == 0 ? "nothing against it" : verdict->text);
}

/* Does what the session asks for until it waits for something, or is over. */
static void carry_on(struct registrar *registrar, struct peer *peer, enum enrol_action action)
{
    struct judge_verdict verdict;
    enum q_err err = Q_OK;

    while (err == Q_OK) {
        switch (action) {
        case ENROL_DO_NOTHING:
            return;
        case ENROL_DO_JUDGE:
            judge_join(&peer->matter, &registrar->judges, &peer->channel, &peer->session, &verdict);
            err = tell(peer, ENROL_EV_JUDGED, &verdict, &action);
            if (err == Q_OK && verdict.reason == 0 && verdict.granted)
                say(registrar, ABOUT_JOINS, LOG_NOTICE, "%s gets the certificate made for it before (%s)",
                    peer->from.peer, peer->matter.name);
            break;
        case ENROL_DO_ENTITLE:
            judge_renewal(&peer->matter, &registrar->judges, &peer->channel, &verdict);
            err = tell(peer, ENROL_EV_JUDGED, &verdict, &action);
            break;
        case ENROL_DO_APPRAISE:
            answer_question(registrar, peer, &verdict);
            err = tell(peer, ENROL_EV_JUDGED, &verdict, &action);
            break;
        case ENROL_DO_KEEP:
            judge_keep(&peer->matter, &registrar->judges, peer->from.peer, &verdict);
            err = tell(peer, ENROL_EV_KEPT, &verdict, &action);
            break;
        case ENROL_DO_SIGN:
            err = start_signing(registrar, peer, &action);
            break;
        case ENROL_DO_ANSWER:
            if (peer->sent == 0 && peer->session.reason != 0)
                on_refused(registrar, peer);
            err = send_answer(peer);
            if (err == Q_ERR_AGAIN)
                return;
            if (err == Q_OK)
                err = tell(peer, ENROL_EV_ANSWERED, &(struct judge_verdict){0}, &action);
            break;
        case ENROL_DO_CLOSE:
            drop(registrar, peer);
            return;
        }
    }
    drop(registrar, peer);
}

static void on_signed(struct registrar *registrar, struct peer *peer)
{
    struct judge_verdict verdict = {.reason = 0};
    const uint8_t *certificate;
    enum enrol_action action;
    const char *why;
    size_t size;
    enum q_err err = signer_take(&peer->signer, &certificate, &size, &why);

    if (err == Q_ERR_AGAIN)
        return;
    if (err == Q_OK) {
        judge_signed(&peer->matter, &registrar->judges, certificate, size, &verdict);
    } else {
        verdict.reason = ENROL_FAILED;
        snprintf(verdict.text, sizeof(verdict.text), "the certificate could not be signed");
        say(registrar, ABOUT_JOINS, LOG_ERR, "no certificate for %s (%s): %s", peer->from.peer,
            peer->matter.name, why);
    }
    if (verdict.reason == 0)
        log_line(LOG_NOTICE, "Enrolment: %s has got a certificate (%s)", peer->from.peer, peer->matter.name);
    if (tell(peer, ENROL_EV_SIGNED, &verdict, &action) == Q_OK)
        carry_on(registrar, peer, action);
    else
        drop(registrar, peer);
}

/* ---- readiness -------------------------------------------------------------------------------------------------- */

static void on_handshake(struct registrar *registrar, struct peer *peer)
{
    enum q_err err = tls_channel_handshake(&peer->channel);

    if (err == Q_OK || err == Q_ERR_AGAIN)
        return;
    say(registrar, ABOUT_STRANGERS, LOG_NOTICE, "%s: %s", peer->from.peer, tls_channel_error(&peer->channel));
    drop(registrar, peer);
}

static void on_reading(struct registrar *registrar, struct peer *peer)
{
    uint8_t bytes[READ_SIZE];
    struct enrol_event event = {.type = ENROL_EV_BYTES, .bytes = {bytes, 0}};
    enum enrol_action action;
    enum q_err err = tls_channel_read(&peer->channel, bytes, sizeof(bytes), &event.bytes.size);

    if (err == Q_ERR_AGAIN)
        return;
    if (err == Q_OK)
        err = enrol_session_step(&peer->session, &event, &action);
    if (err == Q_OK) {
        carry_on(registrar, peer, action);
        return;
    }
    say(registrar, ABOUT_STRANGERS, LOG_INFO, "%s has left before it said what it wants", peer->from.peer);
    drop(registrar, peer);
}

static void on_ready(struct registrar *registrar, struct peer *peer)
{
    if (peer->signer.fd >= 0) {
        on_signed(registrar, peer);
        return;
    }
    if (tls_channel_state(&peer->channel) == TLS_CHANNEL_HANDSHAKE)
        on_handshake(registrar, peer);
    if (peer->present && tls_channel_state(&peer->channel) == TLS_CHANNEL_SECURE) {
        if (peer->session.phase == ENROL_PHASE_READING)
            on_reading(registrar, peer);
        else if (peer->session.phase == ENROL_PHASE_ANSWERING)
            carry_on(registrar, peer, ENROL_DO_ANSWER);
    }
}

static struct pollfd interest_of(const struct peer *peer)
{
    struct pollfd interest = {.fd = -1};

    if (!peer->present)
        return interest;
    if (peer->signer.fd >= 0) {
        interest.fd = peer->signer.fd;
        interest.events = POLLIN;
        return interest;
    }
    interest.fd = peer->fd;
    interest.events = tls_channel_want(&peer->channel) == TLS_WANT_WRITE ? POLLOUT : POLLIN;
    return interest;
}

static void end_the_late(struct registrar *registrar)
{
    uint64_t now_ms = clock_monotonic_ms();

    for (size_t i = 0; i < REGISTRAR_PEERS_MAX; i++) {
        struct peer *peer = &registrar->peers[i];

        if (!peer->present || now_ms - peer->since_ms < REGISTRAR_PEER_MS)
            continue;
        say(registrar, ABOUT_STRANGERS, LOG_NOTICE, "%s: its time is up", peer->from.peer);
        drop(registrar, peer);
    }
}

static size_t present_count(const struct registrar *registrar)
{
    size_t count = 0;

    for (size_t i = 0; i < REGISTRAR_PEERS_MAX; i++)
        count += registrar->peers[i].present;
    return count;
}

/* Bytes that TLS has taken from the socket already announce themselves by no readiness. */
static bool has_pending(const struct peer *peer)
{
    return peer->present && peer->session.phase == ENROL_PHASE_READING &&
           tls_channel_state(&peer->channel) == TLS_CHANNEL_SECURE && tls_channel_pending(&peer->channel);
}

static void one_round(struct registrar *registrar)
{
    struct pollfd interests[REGISTRAR_PEERS_MAX + 1];

    interests[REGISTRAR_PEERS_MAX] =
        (struct pollfd){.fd = registrar->closing ? -1 : registrar->settings.channel, .events = POLLIN};
    for (size_t i = 0; i < REGISTRAR_PEERS_MAX; i++)
        interests[i] = interest_of(&registrar->peers[i]);
    if (poll(interests, REGISTRAR_PEERS_MAX + 1, TICK_MS) < 0 && errno != EINTR) {
        log_line(LOG_ERR, "Enrolment: poll: %s", strerror(errno));
        registrar->closing = true;
    }
    for (size_t i = 0; i < REGISTRAR_PEERS_MAX; i++) {
        if (registrar->peers[i].present && interests[i].fd >= 0 && interests[i].revents != 0)
            on_ready(registrar, &registrar->peers[i]);
        while (has_pending(&registrar->peers[i]))
            on_ready(registrar, &registrar->peers[i]);
    }
    end_the_late(registrar);
    take_connections(registrar);
    log_flush();
}

void registrar_run(struct registrar *registrar)
{
    registrar->busy_ms = clock_monotonic_ms();
    while (!registrar->closing || present_count(registrar) > 0) {
        one_round(registrar);
        if (present_count(registrar) == 0 && clock_monotonic_ms() - registrar->busy_ms >= REGISTRAR_IDLE_MS)
            return;
    }
}

/* ---- start and end ---------------------------------------------------------------------------------------------- */

enum q_err registrar_new(const struct registrar_settings *settings, struct registrar **out, char *err_text,
                         size_t size)
{
    struct registrar *registrar = calloc(1, sizeof(*registrar));
    uint32_t seed;
    enum q_err err;

    *out = NULL;
    if (registrar == NULL || RAND_bytes((unsigned char *)&seed, sizeof(seed)) != 1) {
        snprintf(err_text, size, "Out of memory");
        free(registrar);
        return Q_ERR_NO_MEMORY;
    }
    registrar->settings = *settings;
    enrol_guard_init(&registrar->guard, seed);
    err = tls_credentials_load(&settings->identity, TLS_ROLE_SERVER, &registrar->credentials, err_text, size);
    if (registrar->credentials == NULL) {
        free(registrar);
        return err;
    }
    if (tls_enrolment_serve(registrar->credentials, ENROL_ALPN) != Q_OK) {
        snprintf(err_text, size, "Out of memory");
        registrar_free(registrar);
        return Q_ERR_NO_MEMORY;
    }
    registrar->judges = (struct judge_setting){settings->invitations, settings->place.dir,
                                               registrar->credentials, &registrar->guard};
    *out = registrar;
    return Q_OK;
}

void registrar_free(struct registrar *registrar)
{
    for (size_t i = 0; i < REGISTRAR_PEERS_MAX; i++) {
        if (registrar->peers[i].present)
            drop(registrar, &registrar->peers[i]);
    }
    tls_credentials_unref(registrar->credentials);
    free(registrar);
}
