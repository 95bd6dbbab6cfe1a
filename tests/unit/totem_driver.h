/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One ring machine by hand, as the tests of core/totem drive it: events in, and what has come of the last one. Node 1 (or
 * 2) of two, token 1000 ms, with what a packaged node 2 sent when it joined (captured, udpu).
 */
#ifndef QUORATE_TESTS_UNIT_TOTEM_DRIVER_H
#define QUORATE_TESTS_UNIT_TOTEM_DRIVER_H

#include "core/totem/totem.h"

#define TEXT_SIZE 8192
#define SENT_MAX 64

struct sent {
    uint32_t target;
    size_t size;
    uint8_t bytes[4096];
};

extern struct totem *ring;
extern uint64_t now_ms;
extern char happened
    [TEXT_SIZE]; /* in the last step but for datagrams: "persist 9; transitional 1.9 [1] -[] +[]; ..." */
extern struct sent sent[SENT_MAX]; /* in the last step */
extern size_t sent_count;
extern uint32_t linger_us;           /* asked for in the last step; 0: not */
extern struct totem_message message; /* decode_sent() */

extern const char *const node2_join;
extern const char *const node2_commit;
extern const char *const node2_commit_again;

int set_up(void **state);
int set_up_as_2(void **state);
int tear_down(void **state);

enum q_err step(struct totem_event event);
void start(void);
void send_text(const char *text);
void synced(void);
void linger_over(void);
void wait_for_deadline(void);
enum totem_state state_of_ring(void);

void receive_bytes(const uint8_t *bytes, size_t size);
void receive(const char *hex);
/* Of ring 1.9, from node 2. */
void receive_token(uint32_t token_seq, uint32_t seq, uint32_t aru, uint32_t aru_node);
/* A frame with one item in ring 1.9, from node 2. */
void receive_text(uint32_t seq, const char *text);

/* Datagram number `index` of the last step; the target field is not looked at: on udpu it is rubbish in captures. */
void assert_sent(size_t index, uint32_t target, const char *hex);
void decode_sent(size_t index, enum totem_type type);

/* Alone with eight messages behind, as the captured node was when the other one came. */
void be_the_captured_node(void);
/* Up to the first token that the captured node forwards after its ring is complete. */
void join_node_2(void);

#endif
