/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/voter.h"

#include "tests/sim/device.h"
#include "tests/sim/node.h"

static struct voter_host *present(struct node *node)
{
    return &node->voters[node->voter_index];
}

static enum voting_result result_of(struct node *node, const struct voting_poll *poll)
{
    if (!node->first_ring) { /* nobody is let in yet, or there is nobody */
        return node->ring_state == RING_DOWN ? VOTING_FAILED : VOTING_TRY_AGAIN;
    }
    return device_poll(node, poll->yes, poll->ring_id) ? VOTING_ACCEPTED : VOTING_FORMER_RING;
}

/* The machine polls what is due, and is asked again later for what is not. */
static void work(struct voter_host *host)
{
    struct node *node = host->node;
    uint64_t done = host->voting.done;
    uint64_t due_ms;
    struct voting_poll poll;

    if (!host->alive || node->paused) {
        return;
    }
    while (voting_next_poll(&host->voting, node_clock(node), &poll)) {
        voting_on_polled(&host->voting, &poll, result_of(node, &poll), node_clock(node));
    }
    if (host->voting.done > done && host == present(node) && !host->voting.agent_gone) {
        node_on_cast_done(node, host->voting.done);
    }
    due_ms = node_clock_reaches(node, voting_deadline_ms(&host->voting, node_clock(node)));
    if (due_ms != SIM_NEVER) {
        due_ms += prng_below(&node->world->prng, node->ops->hold_ms(node));
    }
    timer_set(&host->timer, node->world->now_ms, due_ms);
}

static void on_timer(void *owner)
{
    work(owner);
}

void voter_init(struct node *node)
{
    for (unsigned i = 0; i < 2; i++) {
        node->voters[i].node = node;
        node->voters[i].alive = false;
        timer_init(&node->voters[i].timer, &node->world->schedule, on_timer, &node->voters[i]);
    }
}

void voter_start(struct node *node)
{
    node->voter_index = 1 - node->voter_index;
    voting_init(&present(node)->voting);
    present(node)->alive = true;
}

void voter_tell(struct node *node, const struct voting_command *command)
{
    struct voter_host *host = present(node);
    uint64_t done = host->voting.done;

    voting_on_command(&host->voting, command, node_clock(node));
    if (host->voting.done > done) {
        node_on_cast_done(node, host->voting.done);
    }
    work(host);
}

bool voter_has_done(const struct node *node)
{
    const struct voting *voting = &node->voters[node->voter_index].voting;

    return voting->done == voting->command.sequence;
}

static void end(struct voter_host *host)
{
    host->alive = false;
    timer_set(&host->timer, host->node->world->now_ms, SIM_NEVER);
}

void voter_end(struct node *node)
{
    end(present(node));
}

/* a: index, b: boot */
static void on_orphaned(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;
    struct voter_host *host = &node->voters[occurrence->a];

    if (host->alive && node->boot == occurrence->b) {
        voting_on_agent_gone(&host->voting);
        if (node->ring_state == RING_DOWN) {
            end(host);
            return;
        }
        work(host);
    }
}

void voter_orphan(struct node *node)
{
    uint64_t after_ms = prng_below(&node->world->prng, node->ops->hold_ms(node));

    schedule_add(&node->world->schedule, node->world->now_ms + after_ms, on_orphaned, node, node->voter_index, node->boot,
                 0);
}

/* a: index, b: boot, c: ring seq */
static void on_ring(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;
    struct voter_host *host = &node->voters[occurrence->a];

    if (host->alive && node->boot == occurrence->b && node->ring.seq == occurrence->c) {
        voting_on_ring(&host->voting, node->ring);
        work(host);
    }
}

void voter_on_ring(struct node *node)
{
    for (unsigned i = 0; i < 2; i++) {
        if (node->voters[i].alive) {
            schedule_add(&node->world->schedule, node->world->now_ms + prng_below(&node->world->prng, 4), on_ring, node, i,
                         node->boot, node->ring.seq);
        }
    }
}

void voter_on_resume(struct node *node)
{
    for (unsigned i = 0; i < 2; i++) {
        work(&node->voters[i]);
    }
}

void voter_on_core_lost(struct node *node)
{
    for (unsigned i = 0; i < 2; i++) {
        if (node->voters[i].voting.agent_gone) {
            end(&node->voters[i]);
        }
    }
}

void voter_on_crash(struct node *node)
{
    for (unsigned i = 0; i < 2; i++) {
        end(&node->voters[i]);
    }
}
