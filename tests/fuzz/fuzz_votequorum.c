/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One votequorum machine among hostile peers, clients and configurations. After every step votequorum_check
 * asserts the machine's own invariants, and what is kept apart here asserts others: a synchronisation's turn
 * is answered once; every request is answered once, a registration perhaps later; what is sent can be read by
 * peers; pieces of actions lie where the data is; deadlines move on; no vote is told that the last poll has
 * not cast, whatever comes back from the ring. Every input runs twice and must give the same actions.
 *
 * Input: a program, one byte for what happens, then what that needs.
 */
#include <assert.h>
#include <string.h>

#include "core/services/votequorum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OWN 3
#define NODES 8

struct input {
    const uint8_t *bytes;
    size_t size;
};

struct world {
    struct votequorum *machine;
    struct votequorum_actions actions;
    struct votequorum_config config;
    struct votequorum_config_node nodes[NODES];
    uint64_t now_ms;
    struct totem_ring_id ring_id;
    uint8_t members; /* bit i - 1: node i */
    bool synchronising;
    bool has_turn; /* PROCESS has been said, and not been answered */
    bool votes;    /* the last poll that was accepted, as long as the device has not been given up */
    unsigned answers;
    enum cs_error error; /* of the newest answer */
    uint64_t hash;       /* of all that was given out */
};

static uint8_t take(struct input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->bytes++;
}

/* Small numbers mostly, and the largest. */
static uint32_t take_number(struct input *input)
{
    uint8_t byte = take(input);

    return byte < 250 ? byte % 10 : UINT32_MAX - (255u - byte);
}

static const char *take_name(struct input *input)
{
    static const char *const names[] = {"D", "E", "", "Qdevice"};

    return names[take(input) % 4];
}

/* ---- what is given out ------------------------------------------------------------------------------------------- */

static void mix(struct world *world, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < size; i++)
        world->hash = (world->hash ^ at[i]) * UINT64_C(1099511628211);
}

static void mix_number(struct world *world, uint64_t number)
{
    mix(world, &number, sizeof(number));
}

static void check_sent(struct world *world, const struct votequorum_action *action)
{
    struct votequorum_message message;

    assert(votequorum_message_decode(votequorum_actions_bytes(&world->actions, action->data),
                                     action->data.size, TOTEM_LITTLE_ENDIAN, &message) == Q_OK);
    if (message.type == VOTEQUORUM_NODE_INFO && message.u.node_info.node_id != 0) {
        assert(message.u.node_info.node_id == OWN);
        assert(((message.u.node_info.flags & VOTEQUORUM_FLAG_DEVICE_CAST_VOTE) != 0) <= world->votes);
    }
}

static void check_action(struct world *world, const struct votequorum_action *action)
{
    const struct votequorum_actions *actions = &world->actions;

    assert(action->data.offset + action->data.size <= actions->data.size);
    assert(action->nodes.offset + action->nodes.size <= actions->node_count);
    mix_number(world, action->type);
    mix_number(world, action->conn ^ action->value);
    mix_number(world, (uint64_t)action->error << 8 | (uint64_t)action->quorate << 1 | action->for_this_ring);
    if (action->data.size > 0)
        mix(world, votequorum_actions_bytes(actions, action->data), action->data.size);
    for (size_t i = 0; i < action->nodes.size; i++)
        mix(world, &actions->nodes[action->nodes.offset + i], sizeof(actions->nodes[0]));
    if (action->type == VOTEQUORUM_ACT_SEND)
        check_sent(world, action);
    if (action->type == VOTEQUORUM_ACT_ANSWER) {
        world->answers++;
        world->error = action->error;
    }
    if (action->type == VOTEQUORUM_ACT_PASS) {
        assert(world->has_turn);
        world->has_turn = false;
    }
    if (action->type == VOTEQUORUM_ACT_REPORT)
        assert(action->quorate == votequorum_is_quorate(world->machine));
}

static void step(struct world *world, struct votequorum_event *event)
{
    event->now_ms = world->now_ms;
    votequorum_actions_reset(&world->actions);
    world->answers = 0;
    assert(votequorum_step(world->machine, event, &world->actions) == Q_OK);
    for (size_t i = 0; i < world->actions.count; i++)
        check_action(world, &world->actions.items[i]);
    votequorum_check(world->machine);
    mix_number(world, votequorum_deadline_ms(world->machine));
}

static void step_plain(struct world *world, enum votequorum_event_type type)
{
    struct votequorum_event event = {.type = type};

    step(world, &event);
}

/* ---- what happens ------------------------------------------------------------------------------------------------- */

static void read_config(struct world *world, struct input *input)
{
    static const char *const lists[] = {NULL, "lowest", "highest", "1 2 3", "3", "x"};
    struct votequorum_config *config = &world->config;
    uint8_t bits = take(input);
    uint8_t more = take(input);

    votequorum_config_default(config);
    config->node_id = OWN;
    config->nodes = world->nodes;
    config->node_count = more % (NODES + 1);
    for (uint32_t i = 0; i < NODES; i++)
        world->nodes[i] = (struct votequorum_config_node){i + 1, (bits & 1) != 0 ? take_number(input) : 1};
    config->expected_votes = (bits & 2) != 0 ? take_number(input) : 0;
    config->two_node = (bits & 4) != 0;
    config->has_wait_for_all = (bits & 8) != 0;
    config->wait_for_all = (bits & 16) != 0;
    config->last_man_standing = (bits & 32) != 0;
    config->auto_tie_breaker = (bits & 64) != 0;
    config->auto_tie_breaker_node = lists[more / 16 % 6];
    config->allow_downscale = (bits & 128) != 0;
    config->has_device = (take(input) & 1) != 0;
    config->has_device_votes = (take(input) & 1) != 0;
    config->device_votes = take_number(input);
}

/* Our own node, and others as they come. */
static void begin(struct world *world, struct input *input)
{
    uint32_t members[NODES];
    struct votequorum_event event = {.type = VOTEQUORUM_EV_SYNC_BEGIN, .u.begin = {.members = members}};

    world->members = take(input) | 1 << (OWN - 1);
    world->ring_id.rep = take(input) % NODES + 1;
    world->ring_id.seq++;
    world->synchronising = true;
    world->has_turn = false;
    for (uint32_t id = 1; id <= NODES; id++)
        if ((world->members >> (id - 1) & 1) != 0)
            members[event.u.begin.member_count++] = id;
    event.u.begin.ring_id = world->ring_id;
    step(world, &event);
}

static void go_on_with_sync(struct world *world, struct input *input)
{
    uint8_t what = take(input) % 4;

    if (what == 0 || !world->synchronising) {
        begin(world, input);
    } else if (what == 1) {
        world->synchronising = false;
        world->has_turn = false;
        step_plain(world, VOTEQUORUM_EV_SYNC_ABORT);
        begin(world, input);
    } else if (!world->has_turn) {
        world->has_turn = true;
        step_plain(world, VOTEQUORUM_EV_SYNC_PROCESS);
        if (!world->has_turn) {
            world->synchronising = false;
            step_plain(world, VOTEQUORUM_EV_SYNC_ACTIVATE);
        }
    }
}

/* A turn that a device has kept us from answering may have been answered meanwhile. */
static void activate_if_passed(struct world *world, bool had_turn)
{
    if (!had_turn || world->has_turn || !world->synchronising)
        return;
    world->synchronising = false;
    step_plain(world, VOTEQUORUM_EV_SYNC_ACTIVATE);
}

static void make_message(struct input *input, uint32_t sender, struct votequorum_message *message)
{
    memset(message, 0, sizeof(*message));
    message->type = (enum votequorum_message_type)(take(input) % 4);
    switch (message->type) {
    case VOTEQUORUM_NODE_INFO:
        message->u.node_info.node_id = take(input) % 4 == 0 ? take(input) % 10 : sender;
        message->u.node_info.votes = take_number(input);
        message->u.node_info.expected_votes = take_number(input);
        message->u.node_info.flags = take(input);
        break;
    case VOTEQUORUM_ANNOUNCEMENT:
        message->u.announcement.what = (enum votequorum_announcement)(1 + take(input) % 3);
        message->u.announcement.node_id = take(input) % 10;
        message->u.announcement.value = take_number(input);
        break;
    case VOTEQUORUM_DEVICE_REGISTRATION:
        message->u.registration.registers = (take(input) & 1) != 0;
        strcpy(message->u.registration.name, (take(input) & 1) != 0 ? "D" : "E");
        break;
    case VOTEQUORUM_DEVICE_RENAME:
        strcpy(message->u.rename.old_name, (take(input) & 1) != 0 ? "D" : "E");
        strcpy(message->u.rename.new_name, (take(input) & 1) != 0 ? "D" : "E");
        break;
    }
}

static void deliver(struct world *world, struct input *input)
{
    uint8_t bytes[VOTEQUORUM_MESSAGE_SIZE_MAX];
    uint32_t sender = take(input) % 10;
    enum totem_order order = (take(input) & 1) != 0 ? TOTEM_BIG_ENDIAN : TOTEM_LITTLE_ENDIAN;
    struct votequorum_event event = {.type = VOTEQUORUM_EV_DELIVERED,
                                     .u.delivered = {sender, order, bytes, 0}};
    struct votequorum_message message;

    make_message(input, sender, &message);
    event.u.delivered.size = votequorum_message_encode(&message, order, bytes);
    if (take(input) == 255)
        event.u.delivered.size /= 2;
    step(world, &event);
}

/* Whether the request is one whose answer may come later. */
static bool is_answered_later(const struct votequorum_request *request)
{
    return request->type == VOTEQUORUM_REGISTER;
}

static void ask(struct world *world, struct input *input)
{
    struct votequorum_request request = {.type = (enum votequorum_request_type)(take(input) % 10)};
    struct votequorum_event event = {.type = VOTEQUORUM_EV_REQUEST, .u.request = {.request = &request}};
    uint8_t bits = take(input);
    bool had_turn = world->has_turn;
    bool voted;

    event.u.request.conn = 1 + (bits & 3);
    event.u.request.can_send = (bits & 4) == 0;
    request.value = (bits & 8) != 0;
    request.node_id = take(input) % 10;
    request.votes = take_number(input);
    request.flags = bits >> 4;
    request.name = take_name(input);
    request.new_name = take_name(input);
    request.allow = bits >> 6;
    request.ring_id = world->ring_id;
    if ((bits & 32) != 0)
        request.ring_id.seq--;
    voted = world->votes;
    if (request.type == VOTEQUORUM_POLL)
        world->votes = voted || request.value; /* until it is known whether it is accepted */
    step(world, &event);
    if (request.type == VOTEQUORUM_POLL)
        world->votes = world->error == CS_ERROR_OK ? request.value : voted;
    assert(world->answers == 1 || (world->answers == 0 && is_answered_later(&request)));
    activate_if_passed(world, had_turn);
}

static void pass_time(struct world *world, struct input *input)
{
    uint64_t deadline_ms = votequorum_deadline_ms(world->machine);
    bool had_turn = world->has_turn;

    if ((take(input) & 1) != 0 && deadline_ms != VOTEQUORUM_NEVER && deadline_ms > world->now_ms)
        world->now_ms = deadline_ms;
    else
        world->now_ms += take(input) * 100u;
    step_plain(world, VOTEQUORUM_EV_TIME);
    assert(votequorum_deadline_ms(world->machine) > world->now_ms);
    activate_if_passed(world, had_turn);
}

static void happen(struct world *world, struct input *input)
{
    struct votequorum_event event = {.type = VOTEQUORUM_EV_CLIENT_GONE};

    switch (take(input) % 16) {
    case 0:
        read_config(world, input);
        event.type = VOTEQUORUM_EV_CONFIG;
        event.u.config = &world->config;
        step(world, &event);
        break;
    case 1:
        step_plain(world, VOTEQUORUM_EV_CANCEL_WAIT);
        break;
    case 2:
        event.u.gone.conn = 1 + take(input) % 4;
        step(world, &event);
        break;
    case 3:
        step_plain(world, VOTEQUORUM_EV_SHUTDOWN);
        break;
    case 4:
    case 5:
        pass_time(world, input);
        break;
    case 6:
    case 7:
    case 8:
        go_on_with_sync(world, input);
        break;
    case 9:
    case 10:
    case 11:
    case 12:
        ask(world, input);
        break;
    default:
        deliver(world, input);
        break;
    }
}

/* The hash of all that was given out. */
static uint64_t run(struct input input)
{
    struct world world = {.now_ms = 1000, .ring_id = {OWN, 1}, .hash = UINT64_C(14695981039346656037)};
    struct votequorum_event event = {.type = VOTEQUORUM_EV_CONFIG, .now_ms = 1000, .u.config = &world.config};

    world.machine = votequorum_new(TOTEM_LITTLE_ENDIAN);
    assert(world.machine != NULL);
    votequorum_actions_init(&world.actions);
    read_config(&world, &input);
    assert(votequorum_step(world.machine, &event, &world.actions) == Q_OK);
    if (world.actions.count > 0 && world.actions.items[0].type != VOTEQUORUM_ACT_REFUSE)
        while (input.size > 0)
            happen(&world, &input);
    votequorum_actions_fini(&world.actions);
    votequorum_free(world.machine);
    return world.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};

    if (size > 2048)
        return 0;
    assert(run(input) == run(input));
    return 0;
}
