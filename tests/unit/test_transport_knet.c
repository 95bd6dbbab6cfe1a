/* SPDX-License-Identifier: BSD-3-Clause */
/* libknet between nodes on the loopback network: who hears what, links, keys and their change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/transport_lab.h"

static char key_path[64];

static void write_key(size_t size, uint8_t byte)
{
    FILE *file = fopen(key_path, "w");

    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        fputc(byte + (int)(i % 13), file);
    fclose(file);
}

static int set_up(void **state)
{
    (void)state;
    lab_init(CORE_TRANSPORT_KNET, 3, 2);
    snprintf(key_path, sizeof(key_path), "/tmp/transport-key-%d", (int)getpid());
    write_key(256, 'a');
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lab_fini();
    unlink(key_path);
    return 0;
}

static void encrypt(uint32_t id, const char *model, const char *cipher, const char *hash)
{
    lab_nodes[id].config.crypto_model = model;
    lab_nodes[id].config.crypto_cipher = cipher;
    lab_nodes[id].config.crypto_hash = hash;
    lab_nodes[id].config.key_file = key_path;
}

static void to_all_and_to_one(void)
{
    assert_true(lab_wait_connected(1, 2));
    assert_true(lab_wait_connected(1, 3));
    assert_true(lab_wait_connected(2, 1));
    lab_send(1, 0, 1, 100);
    lab_send(1, 3, 2, 100);
    lab_send(1, 0, 3, 100);
    assert_true(lab_wait_heard(2, 1, 3));
    assert_true(lab_wait_heard(3, 1, 3));
    lab_send(2, 1, 4, 100);
    assert_true(lab_wait_heard(1, 2, 4));
    for (uint32_t number = 1; number <= 4; number++) {
        assert_int_equal(lab_heard(1, 1, number), 0);
        assert_int_equal(lab_heard(2, 1, number), number == 1 || number == 3);
        assert_int_equal(lab_heard(3, 1, number), number != 4);
        assert_int_equal(lab_heard(3, 2, number), 0);
    }
}

static void sizes(void)
{
    const size_t list[] = {17, 100, 1400, 1500, 9000, 65507, 65535, 65536};

    for (uint32_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        lab_send(1, i % 2 == 0 ? 0 : 2, 100 + i, list[i]);
        assert_true(lab_wait_heard(2, 1, 100 + i));
    }
}

static void window_of_large_datagrams(void)
{
    static uint8_t bytes[50][65491];

    for (uint32_t i = 0; i < 50; i++) {
        lab_fill(bytes[i], sizeof(bytes[i]), 1, 0, 200 + i);
        transport_send(lab_nodes[1].transport, 0, bytes[i], sizeof(bytes[i]));
    }
    transport_flush(lab_nodes[1].transport);
    assert_true(lab_wait_heard(2, 1, 249));
}

static uint32_t hear_a_burst_and_drain(void)
{
    lab_nodes[2].heard_count = 0;
    for (uint32_t i = 0; i < 100; i++)
        lab_send(1, 0, i, 200);
    assert_true(lab_wait_connected(1, 2));
    return lab_nodes[2].heard_count;
}

/* What waits when the first one is heard is lost. libknet's threads may be so slow that nothing waits: then once more. */
static void drain_while_hearing(void)
{
    uint32_t bursts = 0;

    lab_nodes[2].drains = true;
    while (hear_a_burst_and_drain() >= 100 && bursts < 1000)
        bursts++;
    assert_in_range(bursts, 0, 999);
}

/* One start for all of them: libknet takes its time. */
static void test_datagrams(void **state)
{
    (void)state;
    lab_start_all(3);
    to_all_and_to_one();
    sizes();
    window_of_large_datagrams();
    drain_while_hearing();
}

/* ---- links ---- */

static bool is_linked(uint32_t id, uint32_t peer, size_t link)
{
    const struct link_status_table *table = transport_links(lab_nodes[id].transport);

    for (size_t i = 0; i < table->count; i++)
        if (table->nodes[i].node_id == peer)
            return table->nodes[i].reachable && table->nodes[i].links[link].connected;
    return false;
}

static bool has_both_links(void *context)
{
    (void)context;
    return is_linked(1, 2, 0) && is_linked(1, 2, 1);
}

static bool has_lost_node(void *context)
{
    (void)context;
    return !is_linked(1, 2, 0) && !is_linked(1, 2, 1);
}

static void test_links(void **state)
{
    const struct link_status_table *table;
    struct conf_address address;

    (void)state;
    lab_start_all(2);
    assert_true(lab_wait(has_both_links, NULL));
    table = transport_links(lab_nodes[1].transport);
    assert_int_equal(table->count, 3);
    for (size_t link = 0; link < 2; link++) {
        const struct link_status *status = &table->nodes[1].links[link];
        assert_true(status->exists && status->enabled && status->connected);
        lab_address(1, link, &address);
        assert_string_equal(status->source, address.text);
        lab_address(2, link, &address);
        assert_string_equal(status->destination, address.text);
        assert_true(status->mtu > 400);
    }
    assert_false(table->nodes[1].links[2].exists);
    /* This node, as the packaged daemon tells it. */
    assert_true(table->nodes[0].reachable && table->nodes[0].links[0].connected);
    assert_int_equal(table->nodes[0].links[0].mtu, 65535);
    assert_true(table->nodes[0].links[1].exists && !table->nodes[0].links[1].connected);
    assert_false(table->nodes[0].links[2].exists);
    /* Node 3 does not run. */
    assert_false(table->nodes[2].reachable);
    assert_true(table->nodes[2].links[1].exists && table->nodes[2].links[1].enabled);
    assert_false(table->nodes[2].links[1].connected);

    lab_stop(2);
    assert_true(lab_wait(has_lost_node, NULL));
    lab_start(2);
    assert_true(lab_wait(has_both_links, NULL));
}

static void test_nodes_come_and_go(void **state)
{
    (void)state;
    lab_set_list(&lab_nodes[1], (const uint32_t[]){1, 2}, 2);
    lab_start_all(3);
    assert_true(lab_wait_connected(1, 2));
    assert_true(lab_wait_connected(3, 2));
    lab_set_list(&lab_nodes[1], (const uint32_t[]){1, 3}, 2);
    lab_reconfigure(1);
    assert_true(lab_wait_connected(1, 3));
    assert_true(lab_wait_connected(3, 1));
    assert_int_equal(transport_links(lab_nodes[1].transport)->count, 2);
    lab_send(1, 0, 1, 100);
    lab_send(2, 0, 2, 100);
    lab_send(3, 0, 3, 100);
    assert_true(lab_wait_heard(3, 1, 1));
    assert_true(lab_wait_heard(3, 2, 2));
    assert_true(lab_wait_heard(1, 3, 3));
    assert_int_equal(lab_heard(1, 2, 2), 0);
    assert_int_equal(lab_heard(2, 1, 1), 0);
    lab_set_list(&lab_nodes[1], (const uint32_t[]){1, 2, 3}, 3);
    lab_reconfigure(1);
    assert_true(lab_wait_connected(1, 2));
    assert_true(lab_wait_connected(2, 1));
}

static bool has_third_link(void *context)
{
    (void)context;
    return is_linked(1, 2, 2) && is_linked(2, 1, 2);
}

static void test_links_come_and_go(void **state)
{
    const uint32_t ids[] = {1, 2, 3};

    (void)state;
    lab_start_all(2);
    assert_true(lab_wait(has_both_links, NULL));
    /* Link 2 at the addresses of link 0, at another port; link 0 goes. */
    for (uint32_t id = 1; id <= 2; id++) {
        struct core_config *config = &lab_nodes[id].config;
        config->links[2] = config->links[0];
        config->links[2].port = LAB_PORT + 2;
        config->links[0].exists = false;
        lab_address(id, 2, &config->links[2].local);
        lab_set_list(&lab_nodes[id], ids, 3);
        lab_reconfigure(id);
    }
    assert_true(lab_wait(has_third_link, NULL));
    assert_false(is_linked(1, 2, 0));
    assert_true(lab_wait_connected(1, 2));

    lab_nodes[1].config.links[2].knet_priority = 7;
    lab_nodes[1].config.links[2].knet_ping_interval_ms = 60;
    lab_nodes[1].config.totem.knet_mtu = 1000;
    lab_nodes[1].config.totem.knet_pmtud_interval_s = 10;
    lab_nodes[1].config.totem.block_unlisted_ips = false;
    strcpy(lab_nodes[1].config.totem.knet_compression_model, "zlib");
    lab_reconfigure(1);
    assert_true(lab_wait_connected(1, 2));
    lab_send(1, 0, 1, 30000);
    assert_true(lab_wait_heard(2, 1, 1));
}

/* ---- keys ---- */

static void test_keys(void **state)
{
    (void)state;
    encrypt(1, "nss", "aes256", "sha256");
    encrypt(2, "openssl", "aes256", "sha256");
    lab_start_all(2);
    assert_true(lab_wait_connected(1, 2));
    lab_send(2, 0, 1, 65536);
    assert_true(lab_wait_heard(1, 2, 1));

    /* Neither another key nor none is heard or hears. */
    write_key(256, 'b');
    encrypt(3, "nss", "aes256", "sha256");
    lab_start(3);
    lab_run_ms(300);
    lab_send(3, 0, 2, 100);
    lab_send(1, 0, 3, 100);
    assert_true(lab_wait_heard(2, 1, 3));
    lab_run_ms(50);
    assert_false(is_linked(1, 3, 0) || is_linked(3, 1, 0));
    lab_stop(3);
    encrypt(3, "nss", "none", "none");
    lab_start(3);
    lab_run_ms(300);
    lab_send(3, 0, 4, 100);
    lab_send(1, 0, 5, 100);
    assert_true(lab_wait_heard(2, 1, 5));
    lab_run_ms(50);
    assert_int_equal(lab_nodes[3].heard_count, 0);
    assert_int_equal(lab_heard(1, 3, 2) + lab_heard(1, 3, 4) + lab_heard(2, 3, 2) + lab_heard(2, 3, 4), 0);
}

/* Both say something and both are heard. */
static void talk(uint32_t number)
{
    lab_send(1, 0, number, 1000);
    lab_send(2, 0, number, 1000);
    assert_true(lab_wait_heard(1, 2, number));
    assert_true(lab_wait_heard(2, 1, number));
}

/* Through both phases, in every order of the nodes, without a datagram lost. */
static void change(uint32_t number)
{
    for (uint32_t id = 1; id <= 2; id++) {
        assert_true(transport_crypto_differs(lab_nodes[id].transport, &lab_nodes[id].config));
        lab_reconfigure(id);
        assert_false(transport_crypto_differs(lab_nodes[id].transport, &lab_nodes[id].config));
        talk(number++);
    }
    for (uint32_t id = 2; id >= 1; id--) {
        transport_crypto_use(lab_nodes[id].transport);
        talk(number++);
    }
    for (uint32_t id = 1; id <= 2; id++) {
        transport_crypto_forget(lab_nodes[id].transport);
        talk(number++);
    }
}

static void test_key_change(void **state)
{
    (void)state;
    encrypt(1, "nss", "aes256", "sha256");
    encrypt(2, "nss", "aes256", "sha256");
    lab_start_all(2);
    assert_true(lab_wait_connected(1, 2));
    assert_true(lab_wait_connected(2, 1));
    assert_false(transport_crypto_differs(lab_nodes[1].transport, &lab_nodes[1].config));
    transport_crypto_use(lab_nodes[1].transport);
    transport_crypto_forget(lab_nodes[1].transport);
    talk(1);
    write_key(512, 'c');
    change(10);
    encrypt(1, "openssl", "aes128", "sha512");
    encrypt(2, "nss", "aes128", "sha512");
    change(20);
    encrypt(1, "nss", "none", "none");
    encrypt(2, "nss", "none", "none");
    change(30);
    encrypt(1, "nss", "aes256", "sha1");
    encrypt(2, "nss", "aes256", "sha1");
    change(40);
    /* The key that was used first is of no use any more. */
    write_key(256, 'a');
    encrypt(3, "nss", "aes256", "sha256");
    lab_start(3);
    lab_run_ms(300);
    assert_false(is_linked(1, 3, 0) || is_linked(3, 1, 0));
}

static void test_key_text(void **state)
{
    static char text[200];

    (void)state;
    memset(text, 'k', sizeof(text) - 1);
    for (uint32_t id = 1; id <= 2; id++) {
        encrypt(id, "nss", "aes192", "sha256");
        lab_nodes[id].config.key_file = NULL;
        lab_nodes[id].config.key_text = text;
    }
    lab_start_all(2);
    assert_true(lab_wait_connected(1, 2));
}

static void expect_failure(uint32_t id, enum q_err err, const char *words)
{
    const struct transport_handlers none = {0};
    struct transport *transport;
    char why[512];

    assert_int_equal(transport_new(&transport, lab_loop, &lab_nodes[id].config, id, &none, why, sizeof(why)),
                     err);
    if (strstr(why, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", why, words);
    assert_null(transport);
}

static void test_what_cannot_be(void **state)
{
    const struct config_tasks tasks = {.crypto = true};
    char why[512];

    (void)state;
    encrypt(1, "nss", "aes256", "sha256");
    write_key(127, 'a');
    expect_failure(1, Q_ERR_INVALID, key_path);
    expect_failure(1, Q_ERR_INVALID, "Could only read 1016 bits of minimum 1024 bits from");
    unlink(key_path);
    expect_failure(1, Q_ERR_IO, "Could not open /tmp/transport-key-");
    write_key(5000, 'a');
    encrypt(1, "nss", "aes999", "sha256");
    expect_failure(1, Q_ERR_IO, "aes999");
    encrypt(1, "nss", "aes256", "sha256");
    strcpy(lab_nodes[1].config.totem.knet_compression_model, "nothing");
    expect_failure(1, Q_ERR_IO, "compress");
    strcpy(lab_nodes[1].config.totem.knet_compression_model, "none");
    /* A running one goes on as it was. */
    encrypt(2, "nss", "aes256", "sha256");
    lab_start_all(2);
    assert_true(lab_wait_connected(1, 2));
    unlink(key_path);
    assert_true(transport_crypto_differs(lab_nodes[1].transport, &lab_nodes[1].config));
    assert_int_equal(
        transport_reconfigure(lab_nodes[1].transport, &lab_nodes[1].config, &tasks, why, sizeof(why)),
        Q_ERR_IO);
    assert_non_null(strstr(why, key_path));
    transport_crypto_use(lab_nodes[1].transport);
    transport_crypto_forget(lab_nodes[1].transport);
    assert_true(lab_wait_connected(1, 2));
}

/* ---- statistics, plugins ---- */

static uint64_t statistic(const struct cmap_store *statistics, const char *name, enum cmap_type type)
{
    uint64_t number;

    if (!cmap_store_number(statistics, name, type, &number))
        fail_msg("no %s", name);
    return number;
}

/* libknet counts when it has sent: what has been heard may not be counted yet. */
static bool has_counted_100(void *context)
{
    struct cmap_store *statistics = context;

    transport_statistics(lab_nodes[1].transport, statistics);
    return statistic(statistics, "stats.knet.node2.link0.tx_data_packets", CMAP_U64) >= 100;
}

static void test_statistics(void **state)
{
    struct cmap_store statistics;
    uint64_t number;

    (void)state;
    encrypt(1, "nss", "aes256", "sha256");
    encrypt(2, "nss", "aes256", "sha256");
    lab_start_all(2);
    /* Data goes by the first link as soon as that is there. */
    assert_true(lab_wait(has_both_links, NULL));
    assert_true(lab_wait_connected(1, 2));
    for (uint32_t i = 1; i <= 100; i++)
        lab_send(1, 2, i, 100);
    assert_true(lab_wait_heard(2, 1, 100));
    cmap_store_init(&statistics);
    assert_true(lab_wait(has_counted_100, &statistics));
    assert_true(statistic(&statistics, "stats.knet.handle.tx_crypt_packets", CMAP_U64) > 0);
    assert_true(statistic(&statistics, "stats.knet.node2.link0.up_count", CMAP_U32) > 0);
    assert_int_equal(statistic(&statistics, "stats.knet.node2.link0.connected", CMAP_U8), 1);
    assert_int_equal(statistic(&statistics, "stats.knet.node3.link1.connected", CMAP_U8), 0);
    assert_int_equal(statistic(&statistics, "stats.knet.node1.link0.mtu", CMAP_U32), 65535);
    assert_false(cmap_store_number(&statistics, "stats.knet.node1.link1.mtu", CMAP_U32, &number));

    transport_clear_statistics(lab_nodes[1].transport);
    lab_set_list(&lab_nodes[1], (const uint32_t[]){1, 2}, 2);
    lab_reconfigure(1);
    transport_statistics(lab_nodes[1].transport, &statistics);
    assert_true(statistic(&statistics, "stats.knet.node2.link0.tx_data_packets", CMAP_U64) < 100);
    assert_false(cmap_store_number(&statistics, "stats.knet.node3.link1.connected", CMAP_U8, &number));
    cmap_store_fini(&statistics);
}

static bool has(const char *const *names, const char *name)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static void test_plugins(void **state)
{
    (void)state;
    assert_true(has(transport_crypto_models(), "nss"));
    assert_true(has(transport_crypto_models(), "openssl"));
    assert_true(has(transport_compression_models(), "zlib"));
    assert_false(has(transport_compression_models(), "none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_datagrams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nodes_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_links_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_key_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_key_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_statistics, set_up, tear_down),
        cmocka_unit_test(test_plugins),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
