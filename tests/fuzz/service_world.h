/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The world around one service of the core that a fuzz target plays: clients that come, ask and go, a ring that brings
 * messages back in their order, and time. After every step it is asserted that answers and events are whole and go to
 * clients that are there, that nobody gets more answers than it has asked for, and that messages can be sent. What came
 * out goes into a hash, by which two runs of the same input are compared.
 *
 * The target embeds it, begins with world_init, and makes all steps by world_step or what is built on it.
 */
#ifndef QUORATE_TESTS_FUZZ_SERVICE_WORLD_H
#define QUORATE_TESTS_FUZZ_SERVICE_WORLD_H

#include "core/services/outbox.h"
#include "core/services/service.h"

#define WORLD_CLIENTS 4
#define WORLD_MESSAGES 64
#define WORLD_MESSAGE_SIZE 512

struct world_client {
    uint64_t conn; /* 0: not there */
    unsigned owed; /* answers */
};

struct world_message {
    uint8_t bytes[WORLD_MESSAGE_SIZE];
    size_t size;
};

struct service_world {
    const uint8_t *input;
    size_t input_size;
    void *service;
    enum q_err (*step)(void *service, const struct service_event *event, struct outbox *out);
    enum service_id id;
    uint32_t node_id;

    uint64_t now_ms;
    uint64_t next_conn;
    struct world_client clients[WORLD_CLIENTS];
    struct world_message messages[WORLD_MESSAGES]; /* of this node, still in the ring */
    size_t message_count;
    struct outbox out;
    unsigned sync_done_count; /* in all */
    unsigned task_counts[OUTBOX_READY + 1];
    uint8_t answer[32]; /* the beginning of the newest */
    uint64_t hash;
};

void world_init(struct service_world *world, enum service_id id, uint32_t node_id, const uint8_t *input,
                size_t size);
void world_fini(struct service_world *world);

/* From the input: 0 when it is at its end. */
uint8_t world_take(struct service_world *world);
/* Small numbers mostly, and the largest. */
uint32_t world_take_number(struct service_world *world);
/* As many as there are, up to size; the rest stays. Returns how many. */
size_t world_take_bytes(struct service_world *world, uint8_t *bytes, size_t size);
enum totem_order world_take_order(struct service_world *world);

void world_step(struct service_world *world, struct service_event event);
/* What has been added to `out`, emptied before, by a call of the service's own. */
void world_check(struct service_world *world);

void world_connect(struct service_world *world, unsigned client);
void world_gone(struct service_world *world, unsigned client);
/* A request, at least a header; its size is written into it, the true one if it is to be whole, else perhaps. A client that is not
 * there comes first. */
void world_ask(struct service_world *world, unsigned client, uint8_t *bytes, size_t size, bool is_whole);
/* A stranger's message, or the oldest of our own. */
void world_deliver(struct service_world *world, uint32_t sender, enum totem_order order, const uint8_t *bytes,
                   size_t size);
void world_deliver_own(struct service_world *world);
/* The ring brings some of our own before there are more than the world keeps. */
void world_make_room(struct service_world *world);
/* The same input must do the same. For LLVMFuzzerTestOneInput; `run` gives the world's hash. */
int world_run_twice(uint64_t (*run)(const uint8_t *data, size_t size), const uint8_t *data, size_t size);
void world_mix(struct service_world *world, uint64_t number);

#endif
