/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/logic/voting.h"

#include <string.h>

#include "common/mutation.h"

#define TRY_AGAIN_MS 20
/* A NO of the voter's own that was not taken, while no newer ring is known: votequorum is about to tell of one. */
#define WITHDRAWAL_RETRY_MS 200
#define POLL_MS_UNTIL_TOLD 1000

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void voting_init(struct voting *voting)
{
    memset(voting, 0, sizeof(*voting));
    voting->command.poll_ms = POLL_MS_UNTIL_TOLD;
    voting->command.until_ms = VOTING_NEVER;
    voting->poll_at_ms = VOTING_NEVER;
}

/* The voter is on its own. */
static bool is_void(const struct voting *voting, uint64_t now_ms)
{
    return voting->told && (voting->agent_gone || now_ms >= voting->command.until_ms);
}

/* What votequorum should have now, or nothing. */
static bool wants(const struct voting *voting, uint64_t now_ms, struct voting_poll *poll)
{
    bool ring_known = voting->newest_ring.seq != 0 && !MUTATION(told_ring);

    poll->yes = false;
    poll->ring_id = voting->command.ring_id;
    if (is_void(voting, now_ms)) {
        if (ring_known)
            poll->ring_id = voting->newest_ring;
        return poll->ring_id.seq != 0;
    }
    poll->yes = voting->command.cast == AGENT_CAST_YES;
    if (voting->command.cast != AGENT_CAST_NOTHING)
        return true;
    /* No longer to be kept waiting, but to be told that the device lives. */
    return voting->told && voting->accepted == AGENT_CAST_NO &&
           wire_ring_id_equal(voting->accepted_ring, voting->command.ring_id);
}

static bool is_news(const struct voting *voting, const struct voting_poll *poll)
{
    return voting->polled != (poll->yes ? AGENT_CAST_YES : AGENT_CAST_NO) ||
           !wire_ring_id_equal(voting->polled_ring, poll->ring_id);
}

void voting_on_command(struct voting *voting, const struct voting_command *command, uint64_t now_ms)
{
    bool nothing_open = voting->done == voting->command.sequence;

    voting->command = *command;
    voting->told = true;
    if (command->cast == AGENT_CAST_NOTHING || (nothing_open && !command->poll))
        voting->done = command->sequence;
    if (command->poll)
        voting->poll_now = command->cast != AGENT_CAST_NOTHING;
    if (voting->poll_at_ms != VOTING_NEVER)
        voting->poll_at_ms = earliest(voting->poll_at_ms, now_ms + command->poll_ms);
}

void voting_on_ring(struct voting *voting, struct wire_ring_id ring_id)
{
    voting->newest_ring = ring_id;
}

void voting_on_agent_gone(struct voting *voting)
{
    voting->agent_gone = true;
}

bool voting_next_poll(const struct voting *voting, uint64_t now_ms, struct voting_poll *poll)
{
    return wants(voting, now_ms, poll) &&
           (voting->poll_now || is_news(voting, poll) || now_ms >= voting->poll_at_ms);
}

void voting_on_polled(struct voting *voting, const struct voting_poll *poll, enum voting_result result, uint64_t now_ms)
{
    bool alone = is_void(voting, now_ms);
    uint32_t retry_ms = voting->command.poll_ms;

    if (alone && retry_ms > WITHDRAWAL_RETRY_MS)
        retry_ms = WITHDRAWAL_RETRY_MS;
    voting->poll_now = false;
    voting->polled = poll->yes ? AGENT_CAST_YES : AGENT_CAST_NO;
    voting->polled_ring = poll->ring_id;
    switch (result) {
    case VOTING_ACCEPTED:
        voting->accepted = voting->polled;
        voting->accepted_ring = poll->ring_id;
        voting->done = voting->command.sequence;
        /* An orphan does not keep the device alive for ever. */
        voting->poll_at_ms = voting->agent_gone ? VOTING_NEVER : now_ms + voting->command.poll_ms;
        return;
    case VOTING_TRY_AGAIN:
        voting->poll_at_ms = now_ms + TRY_AGAIN_MS;
        return;
    case VOTING_FORMER_RING:
    case VOTING_FAILED:
        voting->poll_at_ms = now_ms + retry_ms;
        return;
    }
}

uint64_t voting_deadline_ms(const struct voting *voting, uint64_t now_ms)
{
    uint64_t at_ms = VOTING_NEVER;
    struct voting_poll poll;

    if (wants(voting, now_ms, &poll))
        at_ms = voting->poll_now || is_news(voting, &poll) ? now_ms : voting->poll_at_ms;
    if (voting->told && !is_void(voting, now_ms))
        at_ms = earliest(at_ms, voting->command.until_ms);
    return at_ms;
}

bool voting_is_withdrawn(const struct voting *voting)
{
    return voting->accepted == AGENT_CAST_NO &&
           (voting->newest_ring.seq == 0 || wire_ring_id_equal(voting->accepted_ring, voting->newest_ring));
}
