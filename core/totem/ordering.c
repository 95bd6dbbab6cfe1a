/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <string.h>

#include "common/mutation.h"
#include "core/totem/machine.h"

/* Never: what is missing is waited for. */
static bool may_be_passed_over(const struct totem *m, uint32_t seq)
{
    return MUTATION(order_gap) && m->state == TOTEM_OPERATIONAL && !m->waiting && store_get(m->regular, seq + 2) != NULL;
}

void ordering_deliver(struct totem *m)
{
    struct datagram *mcast;

    while ((mcast = store_get(m->regular, m->high_delivered + 1)) != NULL || may_be_passed_over(m, m->high_delivered)) {
        m->high_delivered++;
        if (mcast == NULL)
            continue;
        /* What was sent again to recover an old ring has been delivered as part of that. */
        if (datagram_encapsulated(mcast) == TOTEM_PLAIN)
            handover_frame(m, mcast);
    }
}

void ordering_advance_aru(struct totem *m)
{
    const struct store *store = ordering_store(m);

    while (store_get(store, m->aru + 1) != NULL || may_be_passed_over(m, m->aru))
        m->aru++;
}

static void note_seq(struct totem *m, uint32_t seq)
{
    if (totem_seq_before(m->high_seq, seq))
        m->high_seq = seq;
}

/*
 * Where a message of the ring that is going on belongs; NULL: nowhere. In RECOVERY a member that was faster may send
 * new messages already, they are kept beside those that are sent again. After a ring that was never complete `regular`
 * still has the messages of the ring before: nothing may be added to it then.
 */
static struct store *store_for_ring(struct totem *m)
{
    switch (m->state) {
    case TOTEM_OPERATIONAL:
        return m->regular;
    case TOTEM_RECOVERY:
        return m->recovery;
    case TOTEM_GATHER:
        return m->saved ? NULL : m->regular;
    case TOTEM_COMMITTING:
    case TOTEM_LEFT:
        break;
    }
    return NULL;
}

void ordering_on_mcast(struct totem *m, const struct totem_mcast *mcast, const uint8_t *bytes, size_t size)
{
    struct store *store;
    struct datagram *datagram;

    if (!totem_ring_equal(&mcast->ring, &m->ring)) {
        membership_on_foreign(m, mcast->system_from, &mcast->ring, "a message of another ring");
        return;
    }
    store = store_for_ring(m);
    if (store == NULL || !store_in_window(store, mcast->seq) || store_get(store, mcast->seq) != NULL)
        return;
    datagram = datagram_new(size);
    if (datagram == NULL) {
        m->out_of_memory = true;
        return;
    }
    memcpy(datagram->bytes, bytes, size);
    store_put(store, mcast->seq, datagram);
    note_seq(m, mcast->seq);
    ordering_advance_aru(m);
    if (m->state == TOTEM_OPERATIONAL)
        ordering_deliver(m);
}

void ordering_send(struct totem *m, struct datagram *datagram, enum totem_encapsulation encapsulated, uint32_t seq)
{
    const struct totem_header header = {TOTEM_ORDER_OURS, TOTEM_MCAST, encapsulated, m->me, 0};
    const struct totem_mcast mcast = {.system_from = m->me, .seq = seq, .this_seqno = m->this_seqno, .ring = m->ring};

    /* Never checked by anybody; wraps around. */
    m->this_seqno = (int32_t)((uint32_t)m->this_seqno + 1);
    totem_encode_mcast_header(datagram->bytes, &header, &mcast);
    act_send(m, 0, datagram);
    store_put(ordering_store(m), seq, datagram);
    note_seq(m, seq);
}
