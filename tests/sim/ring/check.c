/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The promises:
 *
 *  RING     Nodes in a ring of one name have the same members. Each node's rings have growing numbers. A transitional
 *           change has only nodes of the old and of the new ring, and both changes name who left and joined rightly.
 *  ORDER    Messages of one ring are delivered by all its nodes in the same order: of two nodes, one has delivered a beginning
 *           of what the other has.
 *  SYNCHRONY  Nodes that go together from one ring to the next have delivered the same messages before the transitional
 *           change, and the same between it and the regular one.
 *  MEMBER   A message is delivered in a ring that its sender belongs to.
 *  ONCE     Each sender's messages come in the order in which they were sent, none twice.
 *  SELF     A node that lives on delivers what it sent.
 *
 * One thing is excused: a message that is cut into pieces and under way while rings merge has lost its beginning for those
 * who come from another ring than its sender's; they do not deliver it.
 */
#include "tests/sim/ring/check.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void check_init(struct check *check)
{
    *check = (struct check){0};
}

void check_fini(struct check *check)
{
    struct check_log *next;

    for (struct check_log *log = check->logs; log != NULL; log = next) {
        next = log->next;
        free(log->messages);
        free(log->stays);
        free(log->sent);
        free(log);
    }
    *check = (struct check){0};
}

void check_fail(struct check *check, const char *format, ...)
{
    va_list arguments;

    if (check->failure[0] != '\0')
        return;
    va_start(arguments, format);
    (void)vsnprintf(check->failure, sizeof(check->failure), format, arguments);
    va_end(arguments);
}

struct check_log *check_new_log(struct check *check, uint32_t node, uint32_t incarnation)
{
    struct check_log *log = calloc(1, sizeof(*log));

    assert(log != NULL);
    log->node = node;
    log->incarnation = incarnation;
    log->next = check->logs;
    check->logs = log;
    return log;
}

static bool has(uint32_t set, uint32_t node)
{
    return (set & UINT32_C(1) << node) != 0;
}

static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity > 0 ? 2 * *capacity : 64;
    items = realloc(items, *capacity * size);
    assert(items != NULL);
    return items;
}

void check_sent(struct check_log *log, struct check_message message)
{
    log->sent = grown(log->sent, log->sent_count, &log->sent_capacity, sizeof(log->sent[0]));
    log->sent[log->sent_count++] = message;
}

static struct check_stay *last_stay(struct check_log *log)
{
    return log->stay_count > 0 ? &log->stays[log->stay_count - 1] : NULL;
}

void check_delivered(struct check *check, struct check_log *log, struct check_message message)
{
    struct check_stay *stay = last_stay(log);

    if (stay == NULL) {
        check_fail(check, "MEMBER: node %u delivers before its first ring", log->node);
        return;
    }
    if (!has(stay->members, message.sender))
        check_fail(check, "MEMBER: node %u delivers %u's message %u in ring %u.%llu, which that is not in", log->node,
                   message.sender, message.number, stay->ring.rep, (unsigned long long)stay->ring.seq);
    log->messages = grown(log->messages, log->message_count, &log->message_capacity, sizeof(log->messages[0]));
    log->messages[log->message_count++] = message;
    stay->end = log->message_count;
    if (!stay->changed)
        stay->change = stay->end;
}

static uint32_t bits(const uint32_t *ids, uint32_t count)
{
    uint32_t set = 0;

    for (uint32_t i = 0; i < count; i++)
        set |= UINT32_C(1) << ids[i];
    return set;
}

static void on_transitional(struct check *check, struct check_log *log, const struct totem_action *change)
{
    struct check_stay *stay = last_stay(log);
    uint32_t members = bits(change->members, change->member_count);
    uint32_t old = stay != NULL ? stay->members : 0;

    if (log->in_change)
        check_fail(check, "RING: node %u has two transitional changes in a row", log->node);
    if ((members & ~old) != 0 || bits(change->left, change->left_count) != (old & ~members) || change->joined_count != 0)
        check_fail(check, "RING: node %u: a transitional change does not fit its last ring", log->node);
    if (old != 0 && !has(members, log->node))
        check_fail(check, "RING: node %u does not come along itself", log->node);
    log->in_change = true;
    log->trans_members = members;
    if (stay != NULL)
        stay->changed = true;
}

static void on_regular(struct check *check, struct check_log *log, const struct totem_action *change)
{
    struct check_stay *stay = last_stay(log);
    struct check_stay *added;
    uint32_t members = bits(change->members, change->member_count);

    if (!log->in_change)
        check_fail(check, "RING: node %u has a regular change without a transitional one", log->node);
    if (!has(members, log->node) || (log->trans_members & ~members) != 0 || change->left_count != 0 ||
        bits(change->joined, change->joined_count) != (members & ~log->trans_members))
        check_fail(check, "RING: node %u: a regular change does not fit the transitional one", log->node);
    if (stay != NULL) {
        if (change->ring.seq <= stay->ring.seq)
            check_fail(check, "RING: node %u: ring %llu after %llu", log->node, (unsigned long long)change->ring.seq,
                       (unsigned long long)stay->ring.seq);
        stay->ended = true;
        stay->went_with = log->trans_members;
        stay->next = change->ring;
    }
    log->stays = grown(log->stays, log->stay_count, &log->stay_capacity, sizeof(log->stays[0]));
    added = &log->stays[log->stay_count++];
    *added = (struct check_stay){.ring = change->ring, .members = members, .came_with = log->trans_members};
    added->first = added->change = added->end = log->message_count;
    log->in_change = false;
}

void check_changed(struct check *check, struct check_log *log, const struct totem_action *change)
{
    if (change->kind == TOTEM_TRANSITIONAL)
        on_transitional(check, log, change);
    else
        on_regular(check, log, change);
}

/* ---- after the end --------------------------------------------------------------------------------------- */

struct side {
    const struct check_log *log;
    const struct check_stay *stay;
    size_t at;
    size_t end;
    uint32_t excused; /* senders whose one message without beginning has been passed over */
};

static bool same_message(const struct check_message *a, const struct check_message *b)
{
    return a->sender == b->sender && a->incarnation == b->incarnation && a->stream == b->stream &&
           a->number == b->number && a->size == b->size;
}

/* Has the node been with this one ever since the ring of that number? */
static bool together_since(const struct side *side, uint32_t node, uint64_t ring_seq)
{
    for (const struct check_stay *stay = side->stay; stay->ring.seq > ring_seq; stay--) {
        if (!has(stay->came_with, node))
            return false;
        assert(stay > side->log->stays);
    }
    return true;
}

static bool comes_later(const struct side *side, const struct check_message *message)
{
    for (size_t i = side->at; i < side->end; i++) {
        if (same_message(&side->log->messages[i], message))
            return true;
    }
    return false;
}

/* Does `other` not have this message, because it can have missed its beginning? Then passes it over in `side`. */
static bool pass_over(struct side *side, struct side *other)
{
    const struct check_message *message = &side->log->messages[side->at];

    if (has(other->excused, message->sender) || together_since(other, message->sender, message->since) ||
        comes_later(other, message))
        return false;
    other->excused |= UINT32_C(1) << message->sender;
    side->at++;
    return true;
}

/* Both go as far as they agree. */
static void walk(struct side *a, struct side *b)
{
    while (a->at < a->end && b->at < b->end) {
        if (same_message(&a->log->messages[a->at], &b->log->messages[b->at])) {
            a->at++;
            b->at++;
        } else if (!pass_over(a, b) && !pass_over(b, a)) {
            return;
        }
    }
    while (a->at < a->end && pass_over(a, b))
        ;
    while (b->at < b->end && pass_over(b, a))
        ;
}

static void compare_stays(struct check *check, const struct check_log *log_a, const struct check_stay *stay_a,
                          const struct check_log *log_b, const struct check_stay *stay_b)
{
    struct side a = {log_a, stay_a, stay_a->first, stay_a->change, 0};
    struct side b = {log_b, stay_b, stay_b->first, stay_b->change, 0};

    if (stay_a->members != stay_b->members)
        check_fail(check, "RING: nodes %u and %u have different members in ring %u.%llu", log_a->node, log_b->node,
                   stay_a->ring.rep, (unsigned long long)stay_a->ring.seq);
    walk(&a, &b);
    if (a.at < a.end && b.at < b.end)
        check_fail(check, "ORDER: in ring %u.%llu node %u has %u:%u where node %u has %u:%u", stay_a->ring.rep,
                   (unsigned long long)stay_a->ring.seq, log_a->node, log_a->messages[a.at].sender,
                   log_a->messages[a.at].number, log_b->node, log_b->messages[b.at].sender,
                   log_b->messages[b.at].number);
    if (!stay_a->ended || !stay_b->ended || !totem_ring_equal(&stay_a->next, &stay_b->next))
        return;
    if (!has(stay_a->went_with, log_b->node) && !has(stay_b->went_with, log_a->node))
        return;
    if (stay_a->went_with != stay_b->went_with)
        check_fail(check, "SYNCHRONY: nodes %u and %u do not agree on who goes along from ring %u.%llu", log_a->node,
                   log_b->node, stay_a->ring.rep, (unsigned long long)stay_a->ring.seq);
    if (a.at < a.end || b.at < b.end)
        check_fail(check, "SYNCHRONY: in ring %u.%llu nodes %u and %u deliver %zu and %zu messages", stay_a->ring.rep,
                   (unsigned long long)stay_a->ring.seq, log_a->node, log_b->node, stay_a->change - stay_a->first,
                   stay_b->change - stay_b->first);
    a.end = stay_a->end;
    b.end = stay_b->end;
    walk(&a, &b);
    if (a.at < a.end || b.at < b.end)
        check_fail(check, "SYNCHRONY: between ring %u.%llu and the next, nodes %u and %u deliver different messages",
                   stay_a->ring.rep, (unsigned long long)stay_a->ring.seq, log_a->node, log_b->node);
}

static void compare_logs(struct check *check, const struct check_log *a, const struct check_log *b)
{
    size_t j = 0;

    for (size_t i = 0; i < a->stay_count; i++) {
        while (j < b->stay_count && b->stays[j].ring.seq < a->stays[i].ring.seq)
            j++;
        if (j < b->stay_count && totem_ring_equal(&a->stays[i].ring, &b->stays[j].ring))
            compare_stays(check, a, &a->stays[i], b, &b->stays[j]);
    }
}

static void check_once(struct check *check, const struct check_log *log)
{
    struct check_message last[CHECK_NODES_MAX + 1][CHECK_STREAMS] = {{{0}}};

    for (size_t i = 0; i < log->message_count; i++) {
        const struct check_message *message = &log->messages[i];
        struct check_message *before = &last[message->sender][message->stream];

        if (message->incarnation < before->incarnation ||
            (message->incarnation == before->incarnation && message->number <= before->number))
            check_fail(check, "ONCE: node %u delivers %u:%u after %u:%u", log->node, message->sender, message->number,
                       message->sender, before->number);
        *before = *message;
    }
}

static void check_self(struct check *check, const struct check_log *log, uint32_t stream)
{
    size_t at = 0;

    for (size_t i = 0; i < log->sent_count; i++) {
        if (log->sent[i].stream != stream)
            continue;
        while (at < log->message_count && !same_message(&log->messages[at], &log->sent[i]))
            at++;
        if (at == log->message_count) {
            check_fail(check, "SELF: node %u never delivers its own message %u", log->node, log->sent[i].number);
            return;
        }
    }
}

void check_finish(struct check *check)
{
    for (const struct check_log *a = check->logs; a != NULL; a = a->next) {
        check_once(check, a);
        for (uint32_t stream = 0; stream < CHECK_STREAMS && !a->died; stream++)
            check_self(check, a, stream);
        for (const struct check_log *b = a->next; b != NULL; b = b->next)
            compare_logs(check, a, b);
    }
}
