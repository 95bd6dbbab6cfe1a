/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "tests/bench/tls_client.h"
#include "tests/bench/verdict.h"

#define READ_SIZE 16384
#define FAILURES_SHOWN 5

void device_init(struct device *device, struct cluster *cluster, uint32_t node_id)
{
    memset(device, 0, sizeof(*device));
    device->cluster = cluster;
    device->node_id = node_id;
    device->fd = -1;
    wire_framer_init(&device->framer, WIRE_SIZE_DEFAULT);
}

static void disconnect(struct device *device)
{
    SSL_free(device->ssl);
    device->ssl = NULL;
    if (device->fd >= 0)
        close(device->fd);
    device->fd = -1;
}

void device_fini(struct device *device)
{
    disconnect(device);
    wire_framer_fini(&device->framer);
}

static void fail(struct fleet *fleet, struct device *device, const char *why)
{
    if (device->state == DEVICE_FAILED)
        return;
    if (fleet->failed++ < FAILURES_SHOWN)
        fprintf(stderr, "bench-load: cluster %u node %u: %s (state %d)\n", device->cluster->index,
                device->node_id, why, (int)device->state);
    ERR_clear_error();
    if (device->state == DEVICE_READY)
        fleet->ready--;
    device->state = DEVICE_FAILED;
    disconnect(device);
}

static void ready(struct fleet *fleet, struct device *device)
{
    device->state = DEVICE_READY;
    fleet->ready++;
}

/* ---- sending ---- */

static void transmit(struct fleet *fleet, struct device *device)
{
    struct q_buf *out = &fleet->out;
    int size = (int)out->size;
    int sent;

    if (device->ssl != NULL)
        sent = SSL_write(device->ssl, q_buf_bytes(out), size);
    else
        sent = (int)send(device->fd, q_buf_bytes(out), out->size, MSG_NOSIGNAL);
    q_buf_reset(out);
    device->sent_ns = bench_now_ns();
    if (sent != size)
        fail(fleet, device, "a message could not be sent at once");
}

/* The scratch message, as one of that type with a sequence number; the body is the caller's to fill in. */
static struct wire_message *new_message(struct fleet *fleet, enum wire_type type, uint32_t seq)
{
    fleet->message.type = type;
    fleet->message.seq = seq;
    fleet->message.present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
    return &fleet->message;
}

static void send_preinit(struct fleet *fleet, struct device *device)
{
    char name[BENCH_NAME_SIZE];
    struct wire_message *message = new_message(fleet, WIRE_PREINIT, ++device->seq);

    bench_cluster_name(device->cluster->index, name);
    message->present |= WIRE_HAS(WIRE_TLV_CLUSTER_NAME);
    message->u.preinit.cluster_name = (struct wire_bytes){(const uint8_t *)name, strlen(name)};
    wire_encode(&fleet->out, message);
    transmit(fleet, device);
}

static void send_plain(struct fleet *fleet, struct device *device, enum wire_type type, uint32_t seq)
{
    wire_encode(&fleet->out, new_message(fleet, type, seq));
    transmit(fleet, device);
}

static void send_init(struct fleet *fleet, struct device *device)
{
    struct wire_message *message = new_message(fleet, WIRE_INIT, ++device->seq);
    struct wire_init *init = &message->u.init;

    message->present |= WIRE_HAS(WIRE_TLV_SUPPORTED_MESSAGES) | WIRE_HAS(WIRE_TLV_SUPPORTED_OPTIONS) |
                        WIRE_HAS(WIRE_TLV_NODE_ID) | WIRE_HAS(WIRE_TLV_DECISION_ALGORITHM) |
                        WIRE_HAS(WIRE_TLV_HEARTBEAT_INTERVAL) | WIRE_HAS(WIRE_TLV_TIE_BREAKER) |
                        WIRE_HAS(WIRE_TLV_RING_ID);
    memset(init, 0, sizeof(*init));
    device->ring = (struct wire_ring_id){.node_id = 1, .seq = device->cluster->ring_seq};
    init->node_id = device->node_id;
    init->algorithm = WIRE_ALGORITHM_FFSPLIT;
    init->heartbeat_ms = fleet->options.heartbeat_ms;
    init->tie_breaker = device->cluster->tie_breaker;
    init->ring_id = device->ring;
    init->supported_messages = (struct wire_bytes){NULL, 1};
    init->supported_options = (struct wire_bytes){NULL, 1};
    wire_encode(&fleet->out, message);
    transmit(fleet, device);
}

static void append_set_option(struct fleet *fleet, struct device *device)
{
    struct wire_message *message = new_message(fleet, WIRE_SET_OPTION, ++device->seq);

    message->present |= WIRE_HAS(WIRE_TLV_KEEP_ACTIVE_PARTITION);
    message->u.set_option.keep_active_partition = true;
    wire_encode(&fleet->out, message);
}

static struct wire_node_list *new_node_list(struct fleet *fleet, struct device *device,
                                            enum wire_node_list_type list_type)
{
    struct wire_message *message = new_message(fleet, WIRE_NODE_LIST, ++device->seq);
    struct wire_node_list *list = &message->u.node_list;

    message->present |= WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE);
    list->list_type = list_type;
    list->heuristics = WIRE_HEURISTICS_UNDEFINED;
    list->node_count = FLEET_NODES;
    for (unsigned i = 0; i < FLEET_NODES; i++)
        list->nodes[i] = (struct wire_node_info){.node_id = i + 1};
    return list;
}

static void append_config(struct fleet *fleet, struct device *device)
{
    new_node_list(fleet, device, WIRE_LIST_INITIAL_CONFIG);
    wire_encode(&fleet->out, &fleet->message);
}

static void append_membership(struct fleet *fleet, struct device *device, bool alone)
{
    struct wire_node_list *list = new_node_list(fleet, device, WIRE_LIST_MEMBERSHIP);

    fleet->message.present |= WIRE_HAS(WIRE_TLV_RING_ID);
    list->ring_id = device->ring;
    if (alone) {
        list->node_count = 1;
        list->nodes[0].node_id = device->node_id;
    }
    wire_encode(&fleet->out, &fleet->message);
}

/* Quorate, with the other node as the membership has it: as votequorum tells it after a verdict. */
static void append_quorum(struct fleet *fleet, struct device *device, bool alone, bool quorate)
{
    struct wire_node_list *list = new_node_list(fleet, device, WIRE_LIST_QUORUM);

    fleet->message.present |= WIRE_HAS(WIRE_TLV_QUORATE);
    list->quorate = quorate;
    for (unsigned i = 0; i < FLEET_NODES; i++)
        list->nodes[i].state = alone && list->nodes[i].node_id != device->node_id ? WIRE_NODE_STATE_DEAD
                                                                                  : WIRE_NODE_STATE_MEMBER;
    wire_encode(&fleet->out, &fleet->message);
}

/* The packaged device sends these four back to back (section 1). */
static void send_lists(struct fleet *fleet, struct device *device)
{
    append_set_option(fleet, device);
    append_config(fleet, device);
    append_membership(fleet, device, false);
    append_quorum(fleet, device, false, true);
    transmit(fleet, device);
}

void device_send_membership(struct fleet *fleet, struct device *device, bool alone)
{
    append_membership(fleet, device, alone);
    transmit(fleet, device);
}

void device_send_echo(struct fleet *fleet, struct device *device)
{
    device->echo_pending = true;
    send_plain(fleet, device, WIRE_ECHO_REQUEST, ++device->echo_seq);
}

/* ---- receiving ---- */

/* An ACK or NACK for the present ring: take it over, confirm it, and report the quorum that follows from it. */
static void on_vote(struct fleet *fleet, struct device *device)
{
    enum wire_vote vote = fleet->message.u.vote.vote;
    bool pushed = fleet->message.type == WIRE_VOTE_INFO;
    bool current = wire_ring_id_equal(fleet->message.u.vote.ring_id, device->ring);
    bool verdict = vote == WIRE_VOTE_ACK || vote == WIRE_VOTE_NACK;
    bool first = device->state == DEVICE_LISTS;
    bool changed = verdict && current && vote != device->vote;

    if (verdict && current) {
        device->vote = vote;
        device->vote_confirmed = pushed;
    }
    if (pushed)
        send_plain(fleet, device, WIRE_VOTE_INFO_REPLY, fleet->message.seq);
    if (device->state == DEVICE_FAILED || !changed)
        return;
    if (first) {
        if (vote == WIRE_VOTE_ACK)
            ready(fleet, device);
        return;
    }
    cluster_on_vote(fleet, device->cluster, device);
    append_quorum(fleet, device, device->cluster->split, vote == WIRE_VOTE_ACK);
    transmit(fleet, device);
}

static void on_init_reply(struct fleet *fleet, struct device *device)
{
    if (fleet->message.u.init_reply.error != WIRE_ERROR_NONE) {
        fail(fleet, device, wire_error_text(fleet->message.u.init_reply.error));
        return;
    }
    device->state = DEVICE_LISTS;
    send_lists(fleet, device);
}

static void start_tls(struct fleet *fleet, struct device *device)
{
    device->ssl = tls_client_new(fleet, device->cluster->index, device->fd);
    device->state = DEVICE_HANDSHAKE;
}

static void on_preinit_reply(struct fleet *fleet, struct device *device)
{
    if (fleet->message.u.preinit_reply.tls_supported != WIRE_TLS_UNSUPPORTED) {
        send_plain(fleet, device, WIRE_STARTTLS, ++device->seq);
        start_tls(fleet, device);
    } else {
        device->state = DEVICE_INIT;
        send_init(fleet, device);
    }
}

static void on_echo_reply(struct fleet *fleet, struct device *device)
{
    device->echo_pending = false;
    fleet->echoes_answered++;
    fleet->echo_latency_ns = bench_now_ns() - device->sent_ns;
    if (fleet->on_echo != NULL)
        fleet->on_echo(fleet);
}

static void on_message(struct fleet *fleet, struct device *device, const uint8_t *bytes, size_t size)
{
    if (!wire_decode(bytes, size, &fleet->message)) {
        fail(fleet, device, "undecodable message");
        return;
    }
    enum wire_type type = fleet->message.type;
    if (type == WIRE_PREINIT_REPLY && device->state == DEVICE_PREINIT)
        on_preinit_reply(fleet, device);
    else if (type == WIRE_INIT_REPLY && device->state == DEVICE_INIT)
        on_init_reply(fleet, device);
    else if (type == WIRE_VOTE_INFO || type == WIRE_NODE_LIST_REPLY)
        on_vote(fleet, device);
    else if (type == WIRE_ECHO_REPLY || (fleet->options.bare && type == WIRE_ECHO_REQUEST))
        on_echo_reply(fleet, device);
    else if (type == WIRE_SERVER_ERROR)
        fail(fleet, device, wire_error_text(fleet->message.u.server_error.error));
    else if (type != WIRE_SET_OPTION_REPLY)
        fail(fleet, device, wire_type_name(type));
}

static void feed(struct fleet *fleet, struct device *device, const uint8_t *bytes, size_t size)
{
    struct wire_frame_message frame;

    while (size > 0) {
        size_t room;
        uint8_t *to = wire_framer_room(&device->framer, size, &room);
        memcpy(to, bytes, room);
        wire_framer_fed(&device->framer, room);
        bytes += room;
        size -= room;
        while (device->state != DEVICE_FAILED &&
               wire_framer_next(&device->framer, &frame) == WIRE_FRAME_MESSAGE)
            on_message(fleet, device, frame.bytes, frame.size);
    }
}

static void read_plain(struct fleet *fleet, struct device *device)
{
    uint8_t bytes[READ_SIZE];
    ssize_t size = recv(device->fd, bytes, sizeof(bytes), 0);

    if (size > 0)
        feed(fleet, device, bytes, (size_t)size);
    else if (size == 0 || errno != EAGAIN)
        fail(fleet, device, size == 0 ? "closed by the arbiter" : strerror(errno));
}

static void read_tls(struct fleet *fleet, struct device *device)
{
    uint8_t bytes[READ_SIZE];
    int size;

    while (device->ssl != NULL && (size = SSL_read(device->ssl, bytes, sizeof(bytes))) > 0)
        feed(fleet, device, bytes, (size_t)size);
    if (device->ssl != NULL && SSL_get_error(device->ssl, size) != SSL_ERROR_WANT_READ)
        fail(fleet, device, "TLS connection closed by the arbiter");
}

static void carry_on_handshake(struct fleet *fleet, struct device *device)
{
    int result = SSL_do_handshake(device->ssl);

    if (result != 1) {
        if (SSL_get_error(device->ssl, result) != SSL_ERROR_WANT_READ)
            fail(fleet, device, "TLS handshake failed");
        return;
    }
    if (fleet->options.bare) {
        ready(fleet, device);
    } else {
        device->state = DEVICE_INIT;
        send_init(fleet, device);
    }
    if (device->state != DEVICE_FAILED)
        read_tls(fleet, device);
}

static void on_connected(struct fleet *fleet, struct device *device)
{
    int error = 0;
    socklen_t size = sizeof(error);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = device};

    getsockopt(device->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0 || epoll_ctl(fleet->epoll_fd, EPOLL_CTL_MOD, device->fd, &event) != 0) {
        fail(fleet, device, strerror(error ? error : errno));
    } else if (fleet->options.bare) {
        start_tls(fleet, device);
        carry_on_handshake(fleet, device);
    } else {
        device->state = DEVICE_PREINIT;
        send_preinit(fleet, device);
    }
}

void device_on_event(struct fleet *fleet, struct device *device)
{
    switch (device->state) {
    case DEVICE_IDLE:
    case DEVICE_FAILED:
        break;
    case DEVICE_CONNECTING:
        on_connected(fleet, device);
        break;
    case DEVICE_HANDSHAKE:
        carry_on_handshake(fleet, device);
        break;
    case DEVICE_PREINIT:
    case DEVICE_INIT:
    case DEVICE_LISTS:
    case DEVICE_READY:
        if (device->ssl != NULL)
            read_tls(fleet, device);
        else
            read_plain(fleet, device);
        /* The first flight of TLS follows STARTTLS without an answer in between. */
        if (device->state == DEVICE_HANDSHAKE)
            carry_on_handshake(fleet, device);
        break;
    }
}

/* Every node of every cluster has its own address, as it has in life: arbiters may count clients per address. */
static struct sockaddr_in source_address(const struct device *device)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};

    addr.sin_addr.s_addr = htonl(0x7f000000 | device->node_id << 16 | (device->cluster->index & 0xffff));
    return addr;
}

void device_start(struct fleet *fleet, struct device *device)
{
    struct sockaddr_in source = source_address(device);
    struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons(fleet->options.port)};
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = device};

    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    device->state = DEVICE_CONNECTING;
    device->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (device->fd < 0 || setsockopt(device->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) != 0 ||
        setsockopt(device->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int)) != 0 ||
        bind(device->fd, (struct sockaddr *)&source, sizeof(source)) != 0 ||
        (connect(device->fd, (struct sockaddr *)&target, sizeof(target)) != 0 && errno != EINPROGRESS) ||
        epoll_ctl(fleet->epoll_fd, EPOLL_CTL_ADD, device->fd, &event) != 0)
        fail(fleet, device, strerror(errno));
}
