/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The promises, at the level of clients of a group:
 *
 *  GROUP    The members told with a change are those told before, without those who left, with those who joined. A client
 *           is told of itself first. Messages come from members.
 *  RING     Rings of one name have the same nodes. Each client's rings have growing numbers. Clients that are members when
 *           a ring forms have the same members.
 *  SYNCHRONY  Clients whose nodes go together from one ring to the next have been told the same in the one: messages and
 *           changes, in the same order. Those that are in the same ring at the end too.
 *  ORDER    Of any two clients in a ring one has been told a beginning of what the other has; but where they part, one of them
 *           may go on, without the other's node, with messages of those who come along (it lacks what nobody of those has).
 *  ONCE, SELF  A client's messages come in the order in which they were sent, none twice and none left out; it is told of its
 *           own, all of them, if it lives on.
 *
 * One thing is excused: a message that is cut into pieces and under way while rings merge has lost its beginning for those
 * who come from another ring than its sender's; they are not told of it.
 */
#include "tests/sim/synchrony.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct synchrony_log *synchrony_new_log(struct node *node, uint32_t pid, const uint64_t *together_from)
{
    struct synchrony_log *log = calloc(1, sizeof *log);

    assert(log != NULL);
    log->node = node;
    log->self = (struct synchrony_member){node->id, pid};
    log->next = node->cluster->logs;
    log->came_with = UINT32_MAX;
    memcpy(log->together_from, together_from, sizeof log->together_from);
    node->cluster->logs = log;
    return log;
}

void synchrony_free(struct world *world)
{
    for (unsigned i = 0; i < world->cluster_count; i++) {
        while (world->clusters[i].logs != NULL) {
            struct synchrony_log *log = world->clusters[i].logs;

            world->clusters[i].logs = log->next;
            free(log->items);
            free(log->stays);
            free(log);
        }
    }
}

static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return items;
    }
    *capacity = *capacity > 0 ? 2 * *capacity : 32;
    items = realloc(items, *capacity * size);
    assert(items != NULL);
    return items;
}

static bool same_member(struct synchrony_member a, struct synchrony_member b)
{
    return a.node_id == b.node_id && a.pid == b.pid;
}

static bool is_listed(const struct synchrony_member *list, unsigned count, struct synchrony_member member)
{
    for (unsigned i = 0; i < count; i++) {
        if (same_member(list[i], member)) {
            return true;
        }
    }
    return false;
}

static uint64_t hash_of(uint64_t hash, const struct synchrony_member *list, unsigned count)
{
    hash = (hash ^ count) * UINT64_C(0x100000001b3);
    for (unsigned i = 0; i < count; i++) {
        hash = (hash ^ ((uint64_t)list[i].node_id << 32 | list[i].pid)) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static void fail(const struct synchrony_log *log, const char *rule, const char *what, struct synchrony_member whom)
{
    world_fail(log->node->world, rule, "%s: client %u of node %u %s %u:%u", log->node->cluster->name, log->self.pid,
               log->self.node_id, what, whom.node_id, whom.pid);
}

/* ---- what clients are told -------------------------------------------------------------------------------- */

static struct synchrony_stay *last_stay(struct synchrony_log *log)
{
    return log->stay_count > 0 ? &log->stays[log->stay_count - 1] : NULL;
}

static struct synchrony_stay *add_stay(struct synchrony_log *log)
{
    struct synchrony_stay *added;

    log->stays = grown(log->stays, log->stay_count, &log->stay_capacity, sizeof log->stays[0]);
    added = &log->stays[log->stay_count++];
    memset(added, 0, sizeof *added);
    added->first = added->end = log->item_count;
    added->came_with = log->came_with;
    log->came_with = UINT32_MAX;
    return added;
}

static void add_item(struct synchrony_log *log, struct synchrony_item item)
{
    log->items = grown(log->items, log->item_count, &log->item_capacity, sizeof log->items[0]);
    log->items[log->item_count++] = item;
    last_stay(log)->end = log->item_count;
}

void synchrony_on_message(struct synchrony_log *log, struct synchrony_member sender, uint32_t number, uint32_t size,
                          uint64_t since)
{
    if (!log->joined || !is_listed(log->members, log->member_count, sender)) {
        fail(log, "GROUP", "is told a message of no member,", sender);
        return;
    }
    if (same_member(sender, log->self) && number != ++log->seen) {
        fail(log, "SELF", "is not told all messages of its own, or not in order,", sender);
        return;
    }
    add_item(log, (struct synchrony_item){.sender = sender, .number = number, .size = size, .since = since});
}

static void check_change(const struct synchrony_log *log, const struct synchrony_change *change)
{
    unsigned expected = 0;

    for (unsigned i = 0; i < log->member_count; i++) {
        if (is_listed(change->left, change->left_count, log->members[i])) {
            continue;
        }
        expected++;
        if (!is_listed(change->members, change->member_count, log->members[i])) {
            fail(log, "GROUP", "is told a change that says nothing of", log->members[i]);
        }
    }
    for (unsigned i = 0; i < change->left_count; i++) {
        if (!is_listed(log->members, log->member_count, change->left[i])) {
            fail(log, "GROUP", "is told that somebody left who was not there,", change->left[i]);
        }
    }
    for (unsigned i = 0; i < change->joined_count; i++) {
        if (is_listed(log->members, log->member_count, change->joined[i]) &&
            !is_listed(change->left, change->left_count, change->joined[i])) {
            fail(log, "GROUP", "is told that somebody joined who was there,", change->joined[i]);
        }
    }
    if (change->member_count != expected + change->joined_count) {
        fail(log, "GROUP", "is told members that do not follow from the change, the first:", change->members[0]);
    }
}

void synchrony_on_change(struct synchrony_log *log, const struct synchrony_change *change)
{
    bool first = !log->joined;

    if (!first) {
        check_change(log, change);
    } else if (!is_listed(change->joined, change->joined_count, log->self)) {
        fail(log, "GROUP", "is told of others before itself,", log->self);
    }
    memcpy(log->members, change->members, sizeof log->members);
    log->member_count = change->member_count;
    if (first) {
        log->joined = true;
        (void)add_stay(log); /* its ring is told next */
    }
    if (!change->of_ring) {
        uint64_t lists = hash_of(1, change->members, change->member_count);

        lists = hash_of(lists, change->left, change->left_count);
        lists = hash_of(lists, change->joined, change->joined_count);
        add_item(log, (struct synchrony_item){.sender = change->joined_count > 0 ? change->joined[0] : change->left[0],
                                              .lists = lists,
                                              .of_death = change->of_death});
    }
}

static void end_stay(struct synchrony_log *log, struct synchrony_stay *stay)
{
    if (!stay->left && totem_ring_equal(&stay->ring, &log->end_of)) {
        stay->left = true;
        stay->went_with = log->end_with;
        stay->next = log->end_next;
    }
}

void synchrony_on_transitional(struct synchrony_log *log, struct totem_ring_id from, struct totem_ring_id next,
                               node_mask with)
{
    log->came_with &= with;
    log->end_of = from;
    log->end_next = next;
    log->end_with = with;
    if (log->stay_count > 0) {
        end_stay(log, last_stay(log));
    }
}

void synchrony_on_ring(struct synchrony_log *log, struct totem_ring_id ring, node_mask nodes)
{
    struct synchrony_stay *stay = last_stay(log);

    if (!log->joined) {
        return;
    }
    if (stay->ring.seq == 0) { /* told with the join: with whom the node came into this ring was before the client's time */
        stay->came_with = 0;
    } else {
        if (ring.seq <= stay->ring.seq) {
            world_fail(log->node->world, "RING", "%s: client of node %u: ring %llu after %llu", log->node->cluster->name,
                       log->node->id, (unsigned long long)ring.seq, (unsigned long long)stay->ring.seq);
        }
        stay = add_stay(log);
        stay->from_start = true;
    }
    stay->ring = ring;
    stay->nodes = nodes;
    stay->view = hash_of(1, log->members, log->member_count);
    end_stay(log, stay);
}


/* ---- after the end ------------------------------------------------------------------------------------------ */

struct side {
    const struct synchrony_log *log;
    const struct synchrony_stay *stay;
    size_t at;
    size_t end;
    node_mask excused; /* senders whose one message without beginning has been passed over */
};

static bool same_item(const struct synchrony_item *a, const struct synchrony_item *b)
{
    return same_member(a->sender, b->sender) && a->number == b->number && a->size == b->size && a->lists == b->lists;
}

static node_mask sender_bit(const struct side *side, const struct synchrony_item *item)
{
    return 1u << cluster_index_of(side->log->node->cluster, item->sender.node_id);
}

/* Has the node been with this one ever since the ring of that number? */
static bool together_since(const struct side *side, node_mask node, uint64_t ring_seq)
{
    const struct synchrony_log *log = side->log;

    for (const struct synchrony_stay *stay = side->stay; stay >= log->stays; stay--) {
        if (stay->ring.seq <= ring_seq) {
            return true;
        }
        if (!(stay->came_with & node)) {
            return false;
        }
    }
    return log->together_from[__builtin_ctz(node)] <= ring_seq;
}

static bool comes_later(const struct side *side, const struct synchrony_item *item)
{
    for (size_t i = side->at; i < side->end; i++) {
        if (same_item(&side->log->items[i], item)) {
            return true;
        }
    }
    return false;
}

/* Does `other` not have this message because it can have missed its beginning? Then passes it over in `side`. */
static bool pass_over(struct side *side, struct side *other)
{
    const struct synchrony_item *item = &side->log->items[side->at];
    node_mask sender = sender_bit(side, item);

    if (item->number == 0 || (other->excused & sender) || together_since(other, sender, item->since) ||
        comes_later(other, item)) {
        return false;
    }
    other->excused |= sender;
    side->at++;
    return true;
}

/* Both go as far as they agree. */
static void walk(struct side *a, struct side *b)
{
    while (a->at < a->end && b->at < b->end) {
        if (same_item(&a->log->items[a->at], &b->log->items[b->at])) {
            a->at++;
            b->at++;
        } else if (!pass_over(a, b) && !pass_over(b, a)) {
            return;
        }
    }
    while (a->at < a->end && pass_over(a, b)) {
    }
    while (b->at < b->end && pass_over(b, a)) {
    }
}

/* Sets out at the first thing that both can have been told. False: there is none. */
static bool align(struct side *later, struct side *other)
{
    const struct synchrony_item *join = &later->log->items[later->at];

    if (later->at == later->end) {
        return false;
    }
    while (other->at < other->end && !same_item(&other->log->items[other->at], join)) {
        other->at++;
    }
    return other->at < other->end;
}

static bool set_out(struct side *a, struct side *b)
{
    size_t at = b->at;

    if (a->stay->from_start && b->stay->from_start) {
        return true;
    }
    if (a->stay->from_start) {
        return align(b, a);
    }
    if (align(a, b)) {
        return true;
    }
    b->at = at;
    return !b->stay->from_start && align(b, a);
}

/* What is left of it may be what a node tells of a ring that it leaves without the other. */
static bool leaves_without(const struct side *side, const struct side *other)
{
    if (!side->stay->left || (side->stay->went_with & node_bit(other->log->node))) {
        return false;
    }
    for (size_t i = side->at; i < side->end; i++) {
        if (!(side->stay->went_with & sender_bit(side, &side->log->items[i]))) {
            return false;
        }
    }
    return true;
}

static void fail_pair(const struct side *a, const struct side *b, const char *rule, const char *what)
{
    const struct synchrony_item *item = a->at < a->end   ? &a->log->items[a->at]
                                        : b->at < b->end ? &b->log->items[b->at]
                                                         : NULL;

    world_fail(a->log->node->world, rule, "%s: in ring %u.%llu clients %u:%u and %u:%u %s (at %u:%u's number %u)",
               a->log->node->cluster->name, a->stay->ring.rep, (unsigned long long)a->stay->ring.seq, a->log->self.node_id,
               a->log->self.pid, b->log->self.node_id, b->log->self.pid, what, item != NULL ? item->sender.node_id : 0,
               item != NULL ? item->sender.pid : 0, item != NULL ? item->number : 0);
}

static bool go_together(const struct side *a, const struct side *b)
{
    const struct synchrony_stay *left = a->stay;
    const struct synchrony_stay *right = b->stay;

    if (a->log->node == b->log->node) {
        return left->left == right->left && !a->log->died && !b->log->died;
    }
    if (!left->left || !right->left) {
        return !left->left && !right->left && !a->log->died && !b->log->died;
    }
    return totem_ring_equal(&left->next, &right->next) && (left->went_with & node_bit(b->log->node)) != 0;
}

/*
 * The ring has ended for its messages; what clients are told of deaths while the services synchronise belongs to the next one,
 * of which they have not heard. Those who part again before they do may have heard more or less of that.
 */
static void pass_over_deaths(struct side *side)
{
    while (side->at < side->end && side->log->items[side->at].of_death) {
        side->at++;
    }
}

static void compare_stays(const struct synchrony_log *log_a, const struct synchrony_stay *stay_a,
                          const struct synchrony_log *log_b, const struct synchrony_stay *stay_b)
{
    struct side a = {log_a, stay_a, stay_a->first, stay_a->end, 0};
    struct side b = {log_b, stay_b, stay_b->first, stay_b->end, 0};

    if (stay_a->nodes != stay_b->nodes) {
        fail_pair(&a, &b, "RING", "are told different nodes");
    }
    if (stay_a->from_start && stay_b->from_start && stay_a->view != stay_b->view) {
        fail_pair(&a, &b, "RING", "begin with different members");
    }
    if (stay_a->left && stay_b->left && totem_ring_equal(&stay_a->next, &stay_b->next) &&
        ((stay_a->went_with & node_bit(log_b->node)) != 0) != ((stay_b->went_with & node_bit(log_a->node)) != 0)) {
        fail_pair(&a, &b, "SYNCHRONY", "do not agree on who goes along");
    }
    if (!set_out(&a, &b)) {
        return;
    }
    walk(&a, &b);
    if (stay_a->left && stay_b->left) {
        pass_over_deaths(&a);
        pass_over_deaths(&b);
    }
    if (a.at == a.end && b.at == b.end) {
        return;
    }
    if (go_together(&a, &b)) {
        fail_pair(&a, &b, "SYNCHRONY", "go on together, but were not told the same");
    } else if (a.at < a.end && b.at < b.end && !leaves_without(&a, &b) && !leaves_without(&b, &a)) {
        fail_pair(&a, &b, "ORDER", "are told different things");
    }
}

static void compare_logs(const struct synchrony_log *a, const struct synchrony_log *b)
{
    size_t j = 0;

    for (size_t i = 0; i < a->stay_count; i++) {
        while (j < b->stay_count && b->stays[j].ring.seq < a->stays[i].ring.seq) {
            j++;
        }
        for (size_t k = j; k < b->stay_count && b->stays[k].ring.seq == a->stays[i].ring.seq; k++) {
            if (totem_ring_equal(&a->stays[i].ring, &b->stays[k].ring)) {
                compare_stays(a, &a->stays[i], b, &b->stays[k]);
            }
        }
    }
}

/* Of everybody's messages, in what one client was told. */
static void check_once(const struct synchrony_log *log)
{
    for (size_t i = 0; i < log->item_count; i++) {
        const struct synchrony_item *item = &log->items[i];

        for (size_t j = i; item->number != 0 && j-- > 0;) {
            const struct synchrony_item *before = &log->items[j];

            if (before->number == 0 || !same_member(before->sender, item->sender)) {
                continue;
            }
            if (before->number >= item->number) {
                fail(log, "ONCE", "is told messages twice or out of order, of", item->sender);
            }
            break;
        }
    }
}

void synchrony_check(struct world *world)
{
    for (unsigned i = 0; i < world->cluster_count; i++) {
        for (const struct synchrony_log *a = world->clusters[i].logs; a != NULL; a = a->next) {
            check_once(a);
            if (a->joined && !a->died && a->seen != a->sent) {
                fail(a, "SELF", "is not told its own messages, the last of", a->self);
            }
            for (const struct synchrony_log *b = a->next; b != NULL; b = b->next) {
                compare_logs(a, b);
            }
        }
    }
}
