/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the ring's order to the services. Mostly at once; but as long as they synchronise, only one frame that brings
 * messages per step: whether the synchronisation ends with it is for the services to say, and what follows is put together with
 * what was half there before it began, in the same place on all nodes. What must wait, changes of the configuration included,
 * stands in line here.
 */
#include <assert.h>
#include <stdlib.h>

#include "core/totem/machine.h"

struct handover {
    struct handover *next;
    struct datagram *mcast; /* NULL: a change */
    enum totem_change_kind kind;
    struct totem_ring_id ring;
    struct totem_nodes members;
    struct totem_nodes others; /* left or joined */
};

static void deliver_message(void *context, uint32_t sender, struct datagram *holder, const uint8_t *bytes, size_t size)
{
    act_deliver(context, sender, holder, bytes, size);
}

static void give_frame(struct totem *m, struct datagram *mcast)
{
    struct assembly_table *table = m->sync_delivery ? &m->sync_assemblies : &m->assemblies;
    uint32_t sender = datagram_sender(mcast);
    size_t actions = m->out->count;
    struct totem_frame frame;

    if (!totem_frame_decode(mcast->bytes + TOTEM_MCAST_SIZE, mcast->size - TOTEM_MCAST_SIZE, TOTEM_ORDER_OURS, &frame)) {
        act_note(m, TOTEM_NOTE_WARNING, "a frame of node %u is damaged: its lengths do not add up; dropped", sender);
        return;
    }
    if (!assembly_add(table, sender, &frame, mcast, deliver_message, m))
        m->out_of_memory = true;
    m->handover_paused = m->sync_delivery && m->out->count > actions;
}

static void give_change(struct totem *m, enum totem_change_kind kind, const struct totem_ring_id *ring,
                        const struct totem_nodes *members, const struct totem_nodes *others)
{
    if (kind == TOTEM_TRANSITIONAL) {
        act_change(m, kind, ring, members, others, NULL);
        assembly_forget(&m->assemblies, others);
        assembly_forget(&m->sync_assemblies, others);
    } else {
        act_change(m, kind, ring, members, NULL, others);
        m->sync_delivery = true;
    }
}

/* NULL without memory. */
static struct handover *stand_in_line(struct totem *m)
{
    struct handover *added = malloc(sizeof(*added));

    if (added == NULL) {
        m->out_of_memory = true;
        return NULL;
    }
    added->next = NULL;
    added->mcast = NULL;
    if (m->handovers == NULL)
        m->handovers = added;
    else
        m->handovers_last->next = added;
    m->handovers_last = added;
    return added;
}

void handover_frame(struct totem *m, struct datagram *mcast)
{
    struct handover *added;

    if (m->handovers == NULL && !m->handover_paused) {
        give_frame(m, mcast);
        return;
    }
    added = stand_in_line(m);
    if (added != NULL)
        added->mcast = datagram_ref(mcast);
}

void handover_change(struct totem *m, enum totem_change_kind kind, const struct totem_nodes *members,
                     const struct totem_nodes *others)
{
    struct handover *added;

    if (m->handovers == NULL && !m->handover_paused) {
        give_change(m, kind, &m->ring, members, others);
        return;
    }
    added = stand_in_line(m);
    if (added == NULL)
        return;
    added->kind = kind;
    added->ring = m->ring;
    totem_nodes_copy(&added->members, members);
    totem_nodes_copy(&added->others, others);
    m->changes_in_line++;
}

static void remove_first(struct totem *m)
{
    struct handover *first = m->handovers;

    m->handovers = first->next;
    if (first->mcast == NULL)
        m->changes_in_line--;
    datagram_unref(first->mcast);
    free(first);
}

void handover_continue(struct totem *m)
{
    m->handover_paused = false;
    while (m->handovers != NULL && !m->handover_paused && !m->out_of_memory) {
        struct handover *first = m->handovers;

        if (first->mcast != NULL)
            give_frame(m, first->mcast);
        else
            give_change(m, first->kind, &first->ring, &first->members, &first->others);
        remove_first(m);
    }
}

void handover_fini(struct totem *m)
{
    while (m->handovers != NULL)
        remove_first(m);
}
