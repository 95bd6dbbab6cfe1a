/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/mutation.h"
#include "common/printable.h"
#include "core/services/votequorum_machine.h"

bool votequorum_device_has(const struct votequorum *vq, uint32_t flags)
{
    return (votequorum_own(vq)->flags & flags) == flags;
}

/* The longest possible name, each byte of it escaped. */
#define PRINTABLE_NAME_SIZE (4 * VOTEQUORUM_NAME_SIZE + 1)

static void set_name(char name[VOTEQUORUM_NAME_SIZE], const char *from)
{
    memset(name, 0, VOTEQUORUM_NAME_SIZE);
    memcpy(name, from, strnlen(from, VOTEQUORUM_NAME_SIZE - 1));
}

static bool is_name(const char *name)
{
    size_t length = name != NULL ? strnlen(name, VOTEQUORUM_NAME_SIZE) : 0;

    return length > 0 && length < VOTEQUORUM_NAME_SIZE;
}

/* ---- what the device is ---------------------------------------------------------------------------------- */

/* This synchronisation need not wait any longer. */
static void end_wait(struct votequorum *vq)
{
    vq->device_is_awaited = false;
    if (vq->pass_is_due) {
        vq->pass_is_due = false;
        votequorum_act_pass(vq);
    }
}

/*
 * Everybody is told of a change. What the device gives is counted when the ring has heard of it; what it
 * takes away, at once: a ring that has lost a member delivers nothing until the next has formed, which takes
 * seconds in which this node would go on without a vote that may have gone to others.
 */
static void set_flags(struct votequorum *vq, uint32_t flags)
{
    struct votequorum_node *own = votequorum_own(vq);
    uint32_t before = own->flags;

    own->flags = (before & ~(uint32_t)VOTEQUORUM_DEVICE_FLAGS) | flags;
    if (own->flags == before)
        return;
    votequorum_send_own_info(vq);
    if ((before & ~own->flags & (VOTEQUORUM_FLAG_DEVICE_CAST_VOTE | VOTEQUORUM_FLAG_DEVICE_MASTER_WINS)) != 0)
        votequorum_count(vq, (struct votequorum_question){false, false});
}

static uint32_t device_flags(const struct votequorum *vq)
{
    return votequorum_own(vq)->flags & VOTEQUORUM_DEVICE_FLAGS;
}

void votequorum_await_device(struct votequorum *vq)
{
    vq->device_is_awaited =
        votequorum_device_has(vq, VOTEQUORUM_FLAG_DEVICE_REGISTERED | VOTEQUORUM_FLAG_DEVICE_ALIVE);
    if (vq->device_is_awaited)
        vq->device_deadline_ms = vq->now_ms + vq->settings.device_sync_timeout_ms;
}

void votequorum_on_device_time(struct votequorum *vq)
{
    char name[PRINTABLE_NAME_SIZE];

    if (vq->now_ms < vq->device_deadline_ms)
        return;
    if (MUTATION(device_gone) && !vq->device_is_awaited) {
        vq->device_deadline_ms = vq->now_ms + vq->settings.device_timeout_ms;
        return;
    }
    vq->device_deadline_ms = VOTEQUORUM_NEVER;
    printable_text(vq->device_name, strlen(vq->device_name), name, sizeof(name));
    votequorum_act_note(vq, VOTEQUORUM_NOTE_WARNING, "lost contact with quorum device %s: its vote is gone",
                        name);
    set_flags(vq, device_flags(vq) &
                      ~(uint32_t)(VOTEQUORUM_FLAG_DEVICE_ALIVE | VOTEQUORUM_FLAG_DEVICE_CAST_VOTE));
    end_wait(vq);
}

/* ---- requests ---------------------------------------------------------------------------------------------- */

static enum cs_error check_registered(const struct votequorum *vq, const char *name)
{
    if (!votequorum_device_has(vq, VOTEQUORUM_FLAG_DEVICE_REGISTERED))
        return CS_ERROR_NOT_EXIST;
    if (!is_name(name) || strcmp(name, vq->device_name) != 0)
        return CS_ERROR_INVALID_PARAM;
    return CS_ERROR_OK;
}

/* Is answered when the registration comes back, unless it is refused here. */
static void on_register(struct votequorum *vq, uint64_t conn, bool can_send, const char *name)
{
    enum cs_error error = CS_ERROR_OK;

    if (!vq->settings.device_can_operate)
        error = CS_ERROR_ACCESS;
    else if (!is_name(name))
        error = CS_ERROR_INVALID_PARAM;
    else if (votequorum_device_has(vq, VOTEQUORUM_FLAG_DEVICE_REGISTERED))
        error = strcmp(name, vq->device_name) == 0 ? CS_ERROR_OK : CS_ERROR_EXIST;
    else if (vq->registering || !can_send)
        error = CS_ERROR_TRY_AGAIN;
    else {
        vq->registering = true;
        vq->registering_conn = conn;
        set_name(vq->registering_name, name);
        votequorum_send_registration(vq, true, name);
        return;
    }
    votequorum_act_answer(vq, conn, error);
}

static enum cs_error on_unregister(struct votequorum *vq, const char *name)
{
    enum cs_error error = check_registered(vq, name);

    if (error != CS_ERROR_OK)
        return error;
    vq->device_deadline_ms = VOTEQUORUM_NEVER;
    set_flags(vq, 0);
    votequorum_send_registration(vq, false, name);
    end_wait(vq);
    return CS_ERROR_OK;
}

static enum cs_error on_rename_request(struct votequorum *vq, const struct votequorum_request *request)
{
    struct votequorum_message message = {.type = VOTEQUORUM_DEVICE_RENAME};
    enum cs_error error = check_registered(vq, request->name);

    if (error != CS_ERROR_OK)
        return error;
    if (!is_name(request->new_name))
        return CS_ERROR_INVALID_PARAM;
    set_name(message.u.rename.old_name, request->name);
    set_name(message.u.rename.new_name, request->new_name);
    votequorum_act_send(vq, &message);
    return CS_ERROR_OK;
}

static enum cs_error on_poll(struct votequorum *vq, const struct votequorum_request *request)
{
    enum cs_error error;
    uint32_t flags;

    if (!vq->settings.device_can_operate)
        return CS_ERROR_ACCESS;
    if (!votequorum_device_has(vq, VOTEQUORUM_FLAG_DEVICE_REGISTERED))
        return CS_ERROR_NOT_EXIST;
    /* A vote for a ring that has passed is none. */
    if (!totem_ring_equal(&request->ring_id, &vq->ring_id) && !MUTATION(stale_poll))
        return CS_ERROR_MESSAGE_ERROR;
    error = check_registered(vq, request->name);
    if (error != CS_ERROR_OK)
        return error;
    flags = device_flags(vq) | VOTEQUORUM_FLAG_DEVICE_ALIVE | VOTEQUORUM_FLAG_DEVICE_CAST_VOTE;
    if (!request->value)
        flags &= ~(uint32_t)VOTEQUORUM_FLAG_DEVICE_CAST_VOTE;
    vq->device_deadline_ms = vq->now_ms + vq->settings.device_timeout_ms;
    set_flags(vq, flags);
    end_wait(vq);
    return CS_ERROR_OK;
}

static enum cs_error on_master_wins(struct votequorum *vq, const struct votequorum_request *request)
{
    enum cs_error error;
    uint32_t flags = device_flags(vq) & ~(uint32_t)VOTEQUORUM_FLAG_DEVICE_MASTER_WINS;

    if (!vq->settings.device_can_operate)
        return CS_ERROR_ACCESS;
    error = check_registered(vq, request->name);
    if (error != CS_ERROR_OK)
        return error;
    votequorum_act_publish(vq, VOTEQUORUM_KEY_DEVICE_MASTER_WINS, request->allow);
    vq->master_wins = request->allow != 0;
    set_flags(vq, request->allow != 0 ? flags | VOTEQUORUM_FLAG_DEVICE_MASTER_WINS : flags);
    return CS_ERROR_OK;
}

void votequorum_on_device_request(struct votequorum *vq, uint64_t conn, bool can_send,
                                  const struct votequorum_request *request)
{
    switch (request->type) {
    case VOTEQUORUM_REGISTER:
        on_register(vq, conn, can_send, request->name);
        break;
    case VOTEQUORUM_UNREGISTER:
        votequorum_act_answer(vq, conn, on_unregister(vq, request->name));
        break;
    case VOTEQUORUM_RENAME:
        votequorum_act_answer(vq, conn, on_rename_request(vq, request));
        break;
    case VOTEQUORUM_POLL:
        votequorum_act_answer(vq, conn, on_poll(vq, request));
        break;
    case VOTEQUORUM_MASTER_WINS:
        votequorum_act_answer(vq, conn, on_master_wins(vq, request));
        break;
    case VOTEQUORUM_GET_INFO:
    case VOTEQUORUM_SET_EXPECTED:
    case VOTEQUORUM_SET_VOTES:
    case VOTEQUORUM_TRACK_START:
    case VOTEQUORUM_TRACK_STOP:
        break;
    }
}

/* ---- messages ---------------------------------------------------------------------------------------------- */

/*
 * Only the registration a client waits for makes us registered: in every synchronisation we repeat the name
 * to tell newcomers.
 */
static void on_own_registration(struct votequorum *vq, const char *name)
{
    enum cs_error error = CS_ERROR_EXIST;

    if (!vq->registering || strcmp(name, vq->registering_name) != 0)
        return;
    vq->registering = false;
    if (strcmp(name, vq->device_name) == 0) {
        error = CS_ERROR_OK;
        votequorum_own(vq)->flags |= VOTEQUORUM_FLAG_DEVICE_REGISTERED;
        votequorum_send_device_info(vq);
        votequorum_send_own_info(vq);
    }
    if (vq->registering_conn != 0)
        votequorum_act_answer(vq, vq->registering_conn, error);
}

static bool somebody_is_registered(const struct votequorum *vq)
{
    for (size_t i = 0; i < vq->node_count; i++)
        if (vq->nodes[i].state == VOTEQUORUM_MEMBER &&
            (vq->nodes[i].flags & VOTEQUORUM_FLAG_DEVICE_REGISTERED) != 0)
            return true;
    return false;
}

void votequorum_on_registration(struct votequorum *vq, uint32_t sender,
                                const struct votequorum_message *message)
{
    const char *name = message->u.registration.name;

    if (!message->u.registration.registers) {
        if (!somebody_is_registered(vq))
            set_name(vq->device_name, "");
        return;
    }
    if (vq->device_name[0] == '\0')
        set_name(vq->device_name, name);
    if (sender == vq->own_id)
        on_own_registration(vq, name);
}

void votequorum_on_rename(struct votequorum *vq, const struct votequorum_message *message)
{
    if (strcmp(vq->device_name, message->u.rename.old_name) == 0)
        set_name(vq->device_name, message->u.rename.new_name);
}
