/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reaching an arbiter: lookup, addresses in turn, hosts in turn, pauses that grow and differ from node to node. Everything
 * is a deadline; nothing waits. (Pain points 8 to 10 of spec/qdevice-daemon.md.)
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "qdevice/logic/agent_machine.h"

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static const char *host_name(const struct agent *a)
{
    return a->hosts[a->host];
}

/* For who asks why there is no vote. An attempt without the name service has two troubles. */
static void remember_trouble(struct agent *a, const char *text)
{
    size_t used = a->remembering ? a->lookup_trouble_size : 0;

    snprintf(a->trouble + used, sizeof(a->trouble) - used, "%s%s", used > 0 ? "; at the address it had: " : "", text);
}

/* A session that ended as soon as it had begun, because the arbiter does not like what it was told, has not worked. */
static bool works(const struct agent *a)
{
    return a->link == AGENT_READY && a->now_ms - a->connected_ms >= a->config.timing.echo_ms;
}

static void forget_told(struct agent *a)
{
    memset(a->told, 0, sizeof(a->told));
}

/* FNV-1a. */
static uint64_t digest(uint64_t digest, const char *text)
{
    for (; *text != '\0'; text++)
        digest = (digest ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return digest;
}

/* Whether an administrator is to be told of it, now: attempts that fail for the same reason are many. */
static bool is_to_be_told(struct agent *a, const char *text)
{
    uint64_t trouble = digest(digest(UINT64_C(0xcbf29ce484222325), host_name(a)), text);
    struct told *place = &a->told[0];

    for (size_t i = 0; i < TOLD_MAX; i++) {
        if (a->told[i].trouble == trouble && a->now_ms - a->told[i].at_ms < TOLD_AGAIN_MS)
            return false;
        if (a->told[i].trouble == trouble || (place->trouble != trouble && a->told[i].at_ms < place->at_ms))
            place = &a->told[i];
    }
    *place = (struct told){trouble, a->now_ms};
    return true;
}

static void note_trouble(struct agent *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note_trouble(struct agent *a, const char *format, ...)
{
    char text[AGENT_TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (works(a))
        forget_told(a);
    agent_act_note(a, is_to_be_told(a, text) ? AGENT_NOTE_WARNING : AGENT_NOTE_DEBUG, "arbiter %s: %s", host_name(a), text);
    remember_trouble(a, text);
}

/* ---- from one attempt to the next ---- */

static bool knows_addresses(const struct agent *a)
{
    return a->resolved_host == a->host && a->address_count > 0;
}

/* A name service that fails does not cost the vote: its answer of before is nearly always the right one still. */
static void resolve(struct agent *a)
{
    uint32_t patience_ms = a->config.timing.connect_timeout_ms;

    if (knows_addresses(a) && (!a->patient || vote_rides(a)))
        patience_ms = a->config.timing.attempt_ms;
    a->link = AGENT_RESOLVING;
    a->remembering = false;
    a->conn++; /* an answer to an older lookup is recognised */
    a->lookup_until_ms = a->now_ms + patience_ms;
    a->connect_until_ms = a->now_ms + a->config.timing.connect_timeout_ms;
    agent_act_resolve(a);
}

static void connect_next(struct agent *a)
{
    a->link = AGENT_CONNECTING;
    a->conn++;
    a->secured = false;
    a->attempt_until_ms = a->now_ms + a->attempt_ms;
    agent_act_connect(a);
}

/* Half of the pause, and up to as much again by chance, so that the nodes of a site do not come back in step. */
static uint64_t jittered(const struct agent *a, uint32_t pause_ms)
{
    return pause_ms / 2 + a->random % (pause_ms / 2 + 1) + 1;
}

static void pause_link(struct agent *a)
{
    a->link = AGENT_IDLE;
    a->host = (a->host + 1) % a->config.host_count;
    a->idle_until_ms = a->now_ms + jittered(a, a->pause_ms);
    a->pause_ms = a->pause_ms * 2 < a->config.timing.pause_ms_max ? a->pause_ms * 2 : a->config.timing.pause_ms_max;
}

/* This attempt has failed: the next address of the host, or a pause and the next host. */
static void fail(struct agent *a)
{
    bool more = a->link == AGENT_CONNECTING && a->address + 1 < a->address_count;

    if (!more && a->remembering)
        a->patient = !a->patient; /* there may be another address by now: hear the name service out every other time */
    a->failures++;
    if (more) {
        a->address++;
        connect_next(a);
        return;
    }
    pause_link(a);
}

static void end_session(struct agent *a)
{
    if (a->link != AGENT_READY)
        return;
    vote_on_session_end(a);
    a->lists_sent = false;
    a->connected_ms = 0;
}

/* A session that worked is resumed at once, at the same host. All others are failed attempts. */
static void resume_or_fail(struct agent *a)
{
    bool worked = works(a);

    end_session(a);
    if (!worked) {
        fail(a);
        return;
    }
    a->failures = 0;
    a->pause_ms = a->config.timing.pause_ms_min;
    a->link = AGENT_IDLE;
    a->idle_until_ms = a->now_ms + jittered(a, a->pause_ms);
}

void link_begin(struct agent *a)
{
    a->host = 0;
    a->trouble[0] = '\0';
    forget_told(a);
    a->failures = 0;
    a->pause_ms = a->config.timing.pause_ms_min;
    a->attempt_ms = a->config.timing.attempt_ms;
    resolve(a);
}

void link_drop(struct agent *a, const char *format, ...)
{
    char text[AGENT_TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    note_trouble(a, "%s", text);
    agent_act_close(a, false);
    resume_or_fail(a);
}

void link_restart(struct agent *a, const char *why)
{
    if (!a->has_ring || a->shutting_down)
        return;
    agent_act_note(a, AGENT_NOTE_NOTICE, "%s: connecting anew", why);
    if (a->link != AGENT_IDLE && a->link != AGENT_RESOLVING)
        agent_act_close(a, false);
    end_session(a);
    link_begin(a);
}

/* ---- events ---- */

/* The name service has failed, as noted. */
static void do_without_lookup(struct agent *a)
{
    if (!knows_addresses(a)) {
        fail(a);
        return;
    }
    agent_act_note(a, AGENT_NOTE_INFO, "arbiter %s: trying the address it had when its name was resolved last", host_name(a));
    a->remembering = true;
    a->lookup_trouble_size = strlen(a->trouble);
    a->address = 0;
    a->connect_until_ms = a->now_ms + a->config.timing.connect_timeout_ms;
    connect_next(a);
}

void link_on_resolved(struct agent *a, uint32_t address_count, const char *text)
{
    if (a->link != AGENT_RESOLVING)
        return;
    if (address_count == 0) {
        note_trouble(a, "name cannot be resolved: %s", text);
        do_without_lookup(a);
        return;
    }
    a->patient = false;
    a->resolved_host = a->host;
    a->address = 0;
    a->address_count = address_count;
    connect_next(a);
}

void link_on_connected(struct agent *a)
{
    if (a->link != AGENT_CONNECTING)
        return;
    a->attempt_ms = a->config.timing.attempt_ms;
    a->link = AGENT_PREINIT;
    conversation_preinit(a);
}

void link_on_secured(struct agent *a)
{
    if (a->link != AGENT_SECURING)
        return;
    a->secured = true;
    conversation_init(a);
}

/* An arbiter tells a stranger nothing: what it means when it hangs up at this point has to be known here. */
static const char *hint(const struct agent *a)
{
    if (a->link == AGENT_INIT && a->secured)
        return ". It does not accept our certificate, or not for this cluster (its log says which): is the certificate that of "
               "totem.cluster_name?";
    return "";
}

void link_on_disconnected(struct agent *a, const char *text)
{
    if (a->link == AGENT_IDLE || a->link == AGENT_RESOLVING)
        return;
    note_trouble(a, "%s%s", text, hint(a));
    resume_or_fail(a);
}

/* An address that was never reached in time may just be far away. */
static void give_address_up(struct agent *a)
{
    uint32_t longest = a->config.timing.connect_timeout_ms;

    if (a->session == 0)
        a->attempt_ms = a->attempt_ms * 2 < longest ? a->attempt_ms * 2 : longest;
    a->pause_ms = a->config.timing.pause_ms_min; /* waiting for the answer was pause enough */
    remember_trouble(a, "it does not answer");
    agent_act_note(a, AGENT_NOTE_INFO, "arbiter %s: address %u does not answer", host_name(a), a->address + 1);
    agent_act_close(a, false);
    fail(a);
}

void link_on_time(struct agent *a)
{
    switch (a->link) {
    case AGENT_IDLE:
        if (a->now_ms >= a->idle_until_ms)
            resolve(a);
        return;
    case AGENT_CONNECTING:
        if (a->now_ms >= a->connect_until_ms)
            a->address = a->address_count - 1; /* no time is left for the others */
        if (a->now_ms >= earliest(a->attempt_until_ms, a->connect_until_ms))
            give_address_up(a);
        return;
    case AGENT_RESOLVING:
        if (a->now_ms < a->lookup_until_ms)
            return;
        note_trouble(a, "the name service does not answer");
        agent_act_close(a, false); /* an answer that comes later is not for us */
        do_without_lookup(a);
        return;
    case AGENT_PREINIT:
    case AGENT_SECURING:
    case AGENT_INIT:
        if (a->now_ms >= a->connect_until_ms)
            link_drop(a, "no agreement within %u ms", a->config.timing.connect_timeout_ms);
        return;
    case AGENT_READY:
        conversation_on_time(a);
        return;
    }
}

uint64_t link_deadline_ms(const struct agent *a)
{
    switch (a->link) {
    case AGENT_IDLE:
        return a->idle_until_ms;
    case AGENT_CONNECTING:
        return earliest(a->attempt_until_ms, a->connect_until_ms);
    case AGENT_RESOLVING:
        return a->lookup_until_ms;
    case AGENT_PREINIT:
    case AGENT_SECURING:
    case AGENT_INIT:
        return a->connect_until_ms;
    case AGENT_READY:
        return conversation_deadline_ms(a);
    }
    return AGENT_NEVER;
}
