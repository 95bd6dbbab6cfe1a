/* SPDX-License-Identifier: BSD-3-Clause */
/* udpu between nodes on the loopback network: who hears what. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/transport/ip_address.h"
#include "core/transport/source_filter.h"
#include "core/transport/udp_socket.h"
#include "tests/unit/transport_lab.h"

static int set_up(void **state)
{
    (void)state;
    lab_init(CORE_TRANSPORT_UDPU, 3, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lab_fini();
    return 0;
}

static void test_to_all_and_to_one(void **state)
{
    (void)state;
    lab_start_all(3);
    lab_send(1, 0, 1, 100);
    lab_send(1, 3, 2, 100);
    lab_send(1, 1, 3, 100);
    lab_send(1, 0, 4, 100);
    assert_true(lab_wait_heard(2, 1, 4));
    assert_true(lab_wait_heard(3, 1, 4));
    assert_int_equal(lab_nodes[2].heard_count, 2);
    assert_int_equal(lab_nodes[3].heard_count, 3);
    assert_int_equal(lab_nodes[3].heard[1].number, 2);
    /* What a node says does not come back. */
    lab_send(2, 1, 5, 100);
    assert_true(lab_wait_heard(1, 2, 5));
    assert_int_equal(lab_nodes[1].heard_count, 1);
}

static void test_node_that_is_not_listed_is_no_target(void **state)
{
    (void)state;
    lab_start_all(3);
    lab_send(1, 4, 1, 100);
    lab_send(1, 77, 2, 100);
    lab_send(1, 2, 3, 100);
    assert_true(lab_wait_heard(2, 1, 3));
    assert_int_equal(lab_nodes[2].heard_count, 1);
}

static void test_large_datagrams(void **state)
{
    (void)state;
    lab_start_all(2);
    lab_send(1, 0, 1, 65507);
    lab_send(1, 0, 2, 1500);
    assert_true(lab_wait_heard(2, 1, 1));
    assert_true(lab_wait_heard(2, 1, 2));
    /* UDP cannot carry more; that it does not is no fault of what follows. */
    lab_send(1, 0, 3, 65536);
    lab_send(1, 0, 4, 100);
    assert_true(lab_wait_heard(2, 1, 4));
    assert_int_equal(lab_heard(2, 1, 3), 0);
}

static void test_many_in_one_batch(void **state)
{
    static uint8_t bytes[500][200];

    (void)state;
    lab_start_all(3);
    for (uint32_t i = 0; i < 500; i++) {
        lab_fill(bytes[i], sizeof(bytes[i]), 1, 0, i);
        transport_send(lab_nodes[1].transport, 0, bytes[i], sizeof(bytes[i]));
    }
    transport_flush(lab_nodes[1].transport);
    assert_true(lab_wait_heard(2, 1, 499));
    assert_true(lab_wait_heard(3, 1, 499));
    for (uint32_t i = 0; i < 500; i++) {
        assert_int_equal(lab_nodes[2].heard[i].number, i);
        assert_int_equal(lab_nodes[3].heard[i].number, i);
    }
}

/* A stranger on the same machine; the datagram looks as if node 2 had sent it. */
static void stranger_sends(uint8_t last_byte, uint32_t number)
{
    struct conf_address from, to;
    struct sockaddr_storage endpoint;
    uint8_t bytes[100];
    socklen_t size;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    lab_address(1, 0, &from);
    lab_address(1, 0, &to);
    from.bytes[3] = last_byte;
    size = ip_address_to_sockaddr(&from, 0, 0, &endpoint);
    assert_int_equal(bind(fd, (struct sockaddr *)&endpoint, size), 0);
    size = ip_address_to_sockaddr(&to, LAB_PORT, 0, &endpoint);
    lab_fill(bytes, sizeof(bytes), 2, 0, number);
    assert_int_equal(sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&endpoint, size), sizeof(bytes));
    close(fd);
}

static uint8_t stranger(void)
{
    struct conf_address own;

    lab_address(1, 0, &own);
    return (uint8_t)(own.bytes[3] ^ 0x80);
}

static void test_unlisted_source(void **state)
{
    (void)state;
    lab_start_all(2);
    stranger_sends(stranger(), 1);
    lab_send(2, 1, 2, 100);
    assert_true(lab_wait_heard(1, 2, 2));
    assert_int_equal(lab_nodes[1].heard_count, 1);

    lab_nodes[1].config.totem.block_unlisted_ips = false;
    lab_reconfigure(1);
    stranger_sends(stranger(), 3);
    assert_true(lab_wait_heard(1, 2, 3));

    lab_nodes[1].config.totem.block_unlisted_ips = true;
    lab_reconfigure(1);
    stranger_sends(stranger(), 4);
    lab_send(2, 1, 5, 100);
    assert_true(lab_wait_heard(1, 2, 5));
    assert_int_equal(lab_heard(1, 2, 4), 0);
}

/* What the kernel lets through, for every length of the list and both families. */
static void test_source_filter(void **state)
{
    const struct conf_address families[2] = {{.family = 4, .bytes = {127, 0, 0, 1}, .text = "127.0.0.1"},
                                             {.family = 6, .bytes = {[15] = 1}, .text = "::1"}};
    const size_t counts[] = {0, 1, 2, 100, CORE_NODES_MAX};
    struct conf_address list[CORE_NODES_MAX];
    struct sockaddr_storage address;
    socklen_t size;
    char byte;

    (void)state;
    for (size_t family = 0; family < 2; family++) {
        const struct conf_address *own = &families[family];
        const struct udp_place place = {.address = *own};
        int fd = udp_socket_open(&place), sender = udp_socket_open(&place);
        size = sizeof(address);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
        /* The longest list is too long for the kernel if it is of IPv6. */
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]) - family; i++)
            for (int is_listed = 0; is_listed <= (counts[i] > 0); is_listed++) {
                for (size_t j = 0; j < counts[i]; j++) {
                    list[j] = *own;
                    /* Like ours but for one byte, which is another one each time. */
                    list[j].bytes[own->family == 4 ? j % 4 : j % 16] ^= (uint8_t)(1 + j / 16);
                }
                if (is_listed)
                    list[counts[i] - 1] = *own;
                source_filter_set(fd, list, counts[i]);
                assert_int_equal(sendto(sender, "x", 1, 0, (struct sockaddr *)&address, size), 1);
                assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), is_listed ? 1 : -1);
            }
        source_filter_clear(fd);
        assert_int_equal(sendto(sender, "x", 1, 0, (struct sockaddr *)&address, size), 1);
        assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 1);
        close(fd);
        close(sender);
    }
}

static void test_own_address_is_nobody_else(void **state)
{
    struct conf_address own;

    (void)state;
    lab_nodes[1].config.totem.block_unlisted_ips = false;
    lab_start_all(2);
    lab_address(1, 0, &own);
    stranger_sends(own.bytes[3], 1);
    lab_send(2, 1, 2, 100);
    assert_true(lab_wait_heard(1, 2, 2));
    assert_int_equal(lab_nodes[1].heard_count, 1);
}

static void test_drain(void **state)
{
    (void)state;
    lab_start_all(3);
    for (uint32_t i = 0; i < 100; i++)
        lab_send(1, 0, i, 200);
    transport_drain(lab_nodes[2].transport);
    lab_send(1, 0, 100, 200);
    assert_true(lab_wait_heard(2, 1, 100));
    assert_int_equal(lab_nodes[2].heard_count, 1);
    assert_true(lab_wait_heard(3, 1, 100));
    assert_int_equal(lab_nodes[3].heard_count, 101);
}

static void test_drain_while_hearing(void **state)
{
    (void)state;
    lab_start_all(2);
    lab_nodes[2].drains = true;
    for (uint32_t i = 0; i < 100; i++)
        lab_send(1, 0, i, 200);
    assert_true(lab_wait_heard(2, 1, 0));
    lab_send(1, 0, 100, 200);
    assert_true(lab_wait_heard(2, 1, 100));
    assert_int_equal(lab_nodes[2].heard_count, 2);
}

static void test_nodes_come_and_go(void **state)
{
    (void)state;
    lab_set_list(&lab_nodes[1], (const uint32_t[]){1, 2}, 2);
    lab_start_all(3);
    lab_send(3, 0, 1, 100);
    lab_send(1, 0, 2, 100);
    lab_send(2, 0, 3, 100);
    assert_true(lab_wait_heard(1, 2, 3));
    assert_true(lab_wait_heard(2, 3, 1));
    assert_true(lab_wait_heard(3, 2, 3));
    assert_int_equal(lab_heard(1, 3, 1), 0);
    assert_int_equal(lab_heard(3, 1, 2), 0);

    lab_set_list(&lab_nodes[1], (const uint32_t[]){3, 1, 2}, 3);
    lab_reconfigure(1);
    lab_send(3, 0, 4, 100);
    lab_send(1, 0, 5, 100);
    assert_true(lab_wait_heard(1, 3, 4));
    assert_true(lab_wait_heard(3, 1, 5));

    lab_set_list(&lab_nodes[1], (const uint32_t[]){1, 3}, 2);
    lab_reconfigure(1);
    lab_send(2, 0, 6, 100);
    lab_send(1, 0, 7, 100);
    lab_send(3, 0, 8, 100);
    assert_true(lab_wait_heard(1, 3, 8));
    assert_true(lab_wait_heard(3, 1, 7));
    assert_int_equal(lab_heard(1, 2, 6), 0);
    assert_int_equal(lab_heard(2, 1, 7), 0);
}

static void test_links(void **state)
{
    const struct link_status_table *table;
    struct conf_address address;

    (void)state;
    lab_set_list(&lab_nodes[1], (const uint32_t[]){3, 1, 2}, 3);
    lab_start(1);
    table = transport_links(lab_nodes[1].transport);
    assert_int_equal(table->count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(table->nodes[i].node_id, i + 1);
        assert_true(table->nodes[i].reachable);
        assert_true(table->nodes[i].links[0].exists && table->nodes[i].links[0].enabled);
        lab_address(i + 1, 0, &address);
        assert_string_equal(table->nodes[i].links[0].source, address.text);
        assert_string_equal(table->nodes[i].links[0].destination, "");
        assert_int_equal(table->nodes[i].links[0].mtu, 1410);
        assert_false(table->nodes[i].links[1].exists);
    }
}

static void test_address_in_use(void **state)
{
    const struct transport_handlers none = {0};
    struct transport *transport;
    char why[256];

    (void)state;
    lab_start(1);
    assert_int_equal(transport_new(&transport, lab_loop, &lab_nodes[1].config, 1, &none, why, sizeof(why)),
                     Q_ERR_IO);
    assert_non_null(strstr(why, lab_nodes[1].config.links[0].local.text));
    assert_non_null(strstr(why, "Address already in use"));
}

static void test_interface_is_down(void **state)
{
    struct conf_address elsewhere = {.family = 4, .bytes = {203, 0, 113, 1}, .text = "203.0.113.1"};
    const struct link_status_table *table;

    (void)state;
    lab_nodes[1].config.links[0].local = elsewhere;
    lab_start_all(2);
    lab_send(1, 2, 1, 100);
    lab_send(2, 1, 2, 100);
    transport_drain(lab_nodes[1].transport);
    table = transport_links(lab_nodes[1].transport);
    assert_false(table->nodes[1].links[0].connected);
}

static void test_ipv6(void **state)
{
    struct conf_address here = {.family = 6, .bytes = {[15] = 1}, .text = "::1"};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        lab_nodes[1].list[i].addresses[0] = here;
    lab_nodes[1].config.links[0].local = here;
    lab_nodes[1].config.links[0].port = (uint16_t)(20000 + getpid() % 20000);
    lab_start(1);
    /* Nodes 2 and 3 have the same address: the node hears itself in their name. */
    lab_send(1, 2, 1, 60000);
    assert_true(lab_wait_heard(1, 1, 1));
}

static void test_address_sets(void **state)
{
    struct conf_address addresses[CORE_NODES_MAX];
    struct sockaddr_storage source;
    struct ip_set set = {0};

    (void)state;
    ip_address_to_sockaddr(&(struct conf_address){.family = 4, .bytes = {10, 0, 0, 1}}, 1, 0, &source);
    assert_false(ip_set_has(&set, &source));
    for (size_t i = 0; i < CORE_NODES_MAX; i++)
        addresses[i] = (struct conf_address){.family = i % 2 == 0 ? 4 : 6,
                                             .bytes = {10, 0, (uint8_t)(i >> 8), (uint8_t)i, [10] = 0}};
    assert_int_equal(ip_set_fill(&set, addresses, CORE_NODES_MAX), Q_OK);
    for (size_t i = 0; i < CORE_NODES_MAX; i++) {
        ip_address_to_sockaddr(&addresses[i], (uint16_t)i, 0, &source);
        assert_true(ip_set_has(&set, &source));
        addresses[i].family = 10 - addresses[i].family;
        ip_address_to_sockaddr(&addresses[i], (uint16_t)i, 0, &source);
        assert_false(ip_set_has(&set, &source));
    }
    /* As a socket for both families sees 10.0.0.0. */
    ip_address_to_sockaddr(
        &(struct conf_address){.family = 6, .bytes = {[10] = 0xff, [11] = 0xff, [12] = 10}}, 1, 0, &source);
    assert_true(ip_set_has(&set, &source));
    assert_int_equal(ip_set_fill(&set, addresses, 0), Q_OK);
    assert_false(ip_set_has(&set, &source));
    ip_set_fini(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_to_all_and_to_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_node_that_is_not_listed_is_no_target, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_datagrams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_in_one_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unlisted_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_own_address_is_nobody_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_drain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_drain_while_hearing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nodes_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_address_in_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_interface_is_down, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ipv6, set_up, tear_down),
        cmocka_unit_test(test_address_sets),
        cmocka_unit_test(test_source_filter),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
