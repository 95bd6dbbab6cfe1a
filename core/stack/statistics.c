/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the map of statistics tells of the ring, under the names and types of the packaged daemon (spec/corosync-ipc.md
 * section 5.9). Of those it leaves out what nobody here measures: avg_backlog_calc, avg_token_workload, mtt_rx_token,
 * continuous_sendmsg_failures and firewall_enabled_or_nic_failure.
 */
#include <stdio.h>
#include <string.h>

#include "core/stack/stack_internal.h"

struct statistic {
    const char *name; /* behind "stats." */
    enum cmap_type type;
    uint64_t value;
};

static void set(struct stack *stack, const struct statistic *statistic)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "stats.%s", statistic->name);
    if (cmap_store_set_number(cmap_service_statistics(stack->cmap), name, statistic->type, statistic->value, NULL) ==
        CS_ERROR_NO_MEMORY)
        stack_failed(stack, Q_ERR_NO_MEMORY);
}

/* Since they were cleared. */
static void subtract(struct totem_counters *counters, const struct totem_counters *cleared)
{
    for (unsigned type = 0; type <= TOTEM_HOLD_CANCEL; type++) {
        counters->sent[type] -= cleared->sent[type];
        counters->received[type] -= cleared->received[type];
    }
    for (unsigned state = 0; state < TOTEM_STATE_COUNT; state++) {
        counters->entered[state] -= cleared->entered[state];
        counters->token_lost[state] -= cleared->token_lost[state];
    }
    counters->retransmitted -= cleared->retransmitted;
    counters->dropped -= cleared->dropped;
    counters->consensus_timeouts -= cleared->consensus_timeouts;
}

void statistics_refresh(struct stack *stack)
{
    struct totem_status status;
    struct totem_counters counters;

    totem_get_status(stack->totem, &status);
    counters = *status.counters;
    subtract(&counters, &stack->cleared);

    const struct statistic statistics[] = {
        {"pg.msg_queue_avail", CMAP_U32, status.queue_max - status.queued},
        {"pg.msg_reserved", CMAP_U32, status.queued},
        {"srp.commit_entered", CMAP_U64, counters.entered[TOTEM_COMMITTING]},
        {"srp.commit_token_lost", CMAP_U64, counters.token_lost[TOTEM_COMMITTING]},
        {"srp.consensus_timeouts", CMAP_U64, counters.consensus_timeouts},
        {"srp.continuous_gather", CMAP_U32, counters.gathers_in_a_row},
        {"srp.gather_entered", CMAP_U64, counters.entered[TOTEM_GATHER]},
        {"srp.gather_token_lost", CMAP_U64, counters.token_lost[TOTEM_GATHER]},
        {"srp.mcast_retx", CMAP_U64, counters.retransmitted},
        {"srp.mcast_rx", CMAP_U64, counters.received[TOTEM_MCAST]},
        {"srp.mcast_tx", CMAP_U64, counters.sent[TOTEM_MCAST]},
        {"srp.memb_commit_token_rx", CMAP_U64, counters.received[TOTEM_COMMIT]},
        {"srp.memb_commit_token_tx", CMAP_U64, counters.sent[TOTEM_COMMIT]},
        {"srp.memb_join_rx", CMAP_U64, counters.received[TOTEM_JOIN]},
        {"srp.memb_join_tx", CMAP_U64, counters.sent[TOTEM_JOIN]},
        {"srp.memb_merge_detect_rx", CMAP_U64, counters.received[TOTEM_MERGE]},
        {"srp.memb_merge_detect_tx", CMAP_U64, counters.sent[TOTEM_MERGE]},
        {"srp.operational_entered", CMAP_U64, counters.entered[TOTEM_OPERATIONAL]},
        {"srp.operational_token_lost", CMAP_U64, counters.token_lost[TOTEM_OPERATIONAL]},
        {"srp.orf_token_rx", CMAP_U64, counters.received[TOTEM_TOKEN]},
        {"srp.orf_token_tx", CMAP_U64, counters.sent[TOTEM_TOKEN]},
        {"srp.recovery_entered", CMAP_U64, counters.entered[TOTEM_RECOVERY]},
        {"srp.recovery_token_lost", CMAP_U64, counters.token_lost[TOTEM_RECOVERY]},
        {"srp.rx_msg_dropped", CMAP_U64, counters.dropped},
        {"srp.time_since_token_last_received", CMAP_U64, stack->now_ms - counters.token_at_ms},
        {"srp.token_hold_cancel_rx", CMAP_U64, counters.received[TOTEM_HOLD_CANCEL]},
        {"srp.token_hold_cancel_tx", CMAP_U64, counters.sent[TOTEM_HOLD_CANCEL]},
    };

    for (size_t i = 0; i < sizeof(statistics) / sizeof(statistics[0]); i++)
        set(stack, &statistics[i]);
}

static bool is(const char *what, size_t size, const char *word)
{
    return size == strlen(word) && memcmp(what, word, size) == 0;
}

void statistics_clear(struct stack *stack, const char *what, size_t size)
{
    struct totem_status status;
    bool all = is(what, size, "all");

    totem_get_status(stack->totem, &status);
    if (all || is(what, size, "totem"))
        stack->cleared = *status.counters;
    if (all || is(what, size, "schedmiss"))
        absence_clear(stack);
}
