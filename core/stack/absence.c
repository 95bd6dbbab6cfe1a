/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Times in which this process did not run: told in the log, and the last ten kept as stats.schedmiss.N.*, 0 being the newest,
 * with the packaged daemon's words, names and types (spec: cmap_keys(7)). There a timer of its own misses its time; here it shows
 * by the steps, which follow one another in a fifth of the token timeout at least (TIMER_WATCHDOG of the ring).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/stack/stack_internal.h"

/* Of the token timeout: with more than this the others may have missed the token. */
#define THRESHOLD 0.8
#define NAME_SIZE 64

static const char *name_of(char name[NAME_SIZE], size_t index, const char *what)
{
    (void)snprintf(name, NAME_SIZE, "stats.schedmiss.%zu.%s", index, what);
    return name;
}

static void publish(struct stack *stack)
{
    struct cmap_store *statistics = cmap_service_statistics(stack->cmap);
    char name[NAME_SIZE];

    for (size_t i = 0; i < stack->absence_count; i++) {
        float delay_ms = (float)stack->absences[i].delay_ms;
        uint8_t bytes[sizeof(delay_ms)];

        memcpy(bytes, &delay_ms, sizeof(bytes));
        if (cmap_store_set_number(statistics, name_of(name, i, "timestamp"), CMAP_U64, stack->absences[i].wall_ms, NULL) ==
                CS_ERROR_NO_MEMORY ||
            cmap_store_set(statistics, name_of(name, i, "delay"), (struct cmap_value){CMAP_FLOAT, sizeof(bytes), bytes}, NULL) ==
                CS_ERROR_NO_MEMORY)
            stack_failed(stack, Q_ERR_NO_MEMORY);
    }
}

static void tell(struct stack *stack, uint64_t wall_ms, uint64_t delay_ms, double threshold_ms)
{
    outbox_note(&stack->out->services, SERVICE_MAIN, OUTBOX_WARNING,
                "Corosync main process was not scheduled (@%" PRIu64 ") for %.4f ms (threshold is %.4f ms). "
                "Consider token timeout increase.",
                wall_ms, (double)delay_ms, threshold_ms);
}

void absence_notice(struct stack *stack, uint64_t now_ms, uint64_t wall_ms)
{
    uint64_t delay_ms = now_ms - stack->now_ms;
    struct totem_status status;
    double threshold_ms;

    totem_get_status(stack->totem, &status);
    threshold_ms = THRESHOLD * status.settings->token_ms;
    if (stack->now_ms == 0 || stack->leaving != STACK_STAYING || (double)delay_ms <= threshold_ms)
        return;
    tell(stack, wall_ms, delay_ms, threshold_ms);
    if (stack->absence_count < ABSENCES_MAX)
        stack->absence_count++;
    memmove(&stack->absences[1], &stack->absences[0], (stack->absence_count - 1) * sizeof(stack->absences[0]));
    stack->absences[0] = (struct absence){wall_ms, delay_ms};
    publish(stack);
}

void absence_clear(struct stack *stack)
{
    struct cmap_store *statistics = cmap_service_statistics(stack->cmap);
    char name[NAME_SIZE];

    for (size_t i = 0; i < stack->absence_count; i++) {
        (void)cmap_store_delete(statistics, name_of(name, i, "timestamp"), NULL);
        (void)cmap_store_delete(statistics, name_of(name, i, "delay"), NULL);
    }
    stack->absence_count = 0;
}
