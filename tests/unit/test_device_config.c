/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every key of the device's configuration: default, valid values, and the sentence that refuses the others.
 * (spec/qdevice-daemon.md section 5.)
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "qdevice/logic/device_config.h"

#define NET "quorum.device.net."
#define HEURISTICS "quorum.device.heuristics."

static struct keys keys;
static struct device_limits limits;
static struct device_config config;
static char err_text[DEVICE_CONFIG_ERR_SIZE];

static void text(const char *name, const char *value)
{
    assert_int_equal(keys_add_text(&keys, name, value, strlen(value)), Q_OK);
}

static void number(const char *name, enum key_type type, uint64_t value)
{
    assert_int_equal(keys_add_number(&keys, name, type, value), Q_OK);
}

/* The least that is valid: two nodes, ffsplit. */
static int set_up(void **state)
{
    (void)state;
    keys_init(&keys);
    device_limits_default(&limits);
    text("quorum.device.model", "net");
    text("totem.cluster_name", "C");
    text(NET "host", "arbiter");
    number("quorum.device.votes", KEY_U32, 1);
    number("runtime.votequorum.this_node_id", KEY_U32, 2);
    text("nodelist.node.0.ring0_addr", "10.0.0.1");
    number("nodelist.node.0.nodeid", KEY_U32, 1);
    text("nodelist.node.1.ring0_addr", "10.0.0.2");
    number("nodelist.node.1.nodeid", KEY_U32, 2);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    keys_fini(&keys);
    return 0;
}

static void accept(void)
{
    enum q_err err = device_config_parse(&keys, &limits, &config, err_text);

    if (err != Q_OK)
        fail_msg("refused: %s", err_text);
}

static void refuse(const char *key)
{
    assert_int_equal(device_config_parse(&keys, &limits, &config, err_text), Q_ERR_INVALID);
    if (strstr(err_text, key) == NULL)
        fail_msg("\"%s\" does not name %s", err_text, key);
}

static void remove_key(const char *name)
{
    for (size_t i = 0; i < keys.count; i++)
        if (strcmp(keys.items[i].name, name) == 0)
            keys.items[i].name[0] = '!';
}

static void the_least_that_is_needed_gives_the_defaults(void **state)
{
    (void)state;
    accept();
    assert_string_equal(config.agent.cluster_name, "C");
    assert_int_equal(config.agent.node_id, 2);
    assert_int_equal(config.agent.algorithm, WIRE_ALGORITHM_FFSPLIT);
    assert_int_equal(config.agent.tie_breaker.mode, WIRE_TIE_BREAKER_LOWEST);
    assert_int_equal(config.agent.tls, AGENT_TLS_ON);
    assert_true(config.agent.keep_active_partition);
    assert_int_equal(config.agent.host_count, 1);
    assert_string_equal(config.agent.hosts[0], "arbiter");
    assert_int_equal(config.port, 5403);
    assert_int_equal(config.force_ip_version, 0);
    assert_int_equal(config.agent.node_count, 2);
    assert_int_equal(config.agent.nodes[1].node_id, 2);
    assert_false(config.agent.heuristics_active);
    assert_int_equal(config.heuristics.timeout_ms, 5000);
    assert_int_equal(config.heuristics.sync_timeout_ms, 15000);
    assert_int_equal(config.heuristics.interval_ms, 30000);
    assert_int_equal(config.agent.timing.heartbeat_ms, 2000);
    assert_string_equal(config.warning, "");
    device_config_fini(&config);
}

static void what_is_needed_is_missed_by_name(void **state)
{
    static const char *const needed[] = {"quorum.device.model", "totem.cluster_name", NET "host", "quorum.device.votes",
                                         "runtime.votequorum.this_node_id"};

    (void)state;
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        remove_key(needed[i]);
        refuse(needed[i]);
        keys_fini(&keys);
        set_up(NULL);
    }
}

/* Told when the section is taken out under a running device, too: it is no wrong value that has to be corrected. */
static void no_device_at_all_is_said_plainly(void **state)
{
    (void)state;
    remove_key("quorum.device.model");
    refuse("quorum.device.model is not set: no device is configured, stop corosync-qdevice");
}

struct value {
    const char *key;
    const char *good[6];
    const char *bad[8];
};

/* The daemon must come up with every good value and refuse every bad one, whatever else is configured. */
static void every_text_key_has_its_values(void **state)
{
    static const struct value values[] = {
        {NET "port", {"1", "5403", "65535"}, {"0", "65536", "-1", "", "x", "5403 ", "0x10"}},
        {NET "tls", {"on", "OFF", "yes", "0", "Required"}, {"maybe", "", "2"}},
        {NET "tie_breaker", {"lowest", "highest", "1", "4294967295"}, {"Lowest", "0", "4294967296", "", "node1"}},
        {NET "connect_timeout", {"1000", "120000"}, {"999", "120001", "", "1s"}},
        {NET "force_ip_version", {"0", "4", "6"}, {"5", "", "ipv4"}},
        {NET "keep_active_partition_tie_breaker", {"on", "off", "Yes", "0"}, {"", "2", "true"}},
        {NET "algorithm", {"ffsplit", "lms", "2nodelms"}, {"FFSPLIT", "test", "", "lmss"}},
        {NET "host", {"a", "10.0.0.1", "::1", "a,b , c"}, {"", ",", "a,", "a,,b", " "}},
        {HEURISTICS "mode", {"on", "off", "Sync", "1"}, {"", "both"}},
        {HEURISTICS "timeout", {"1000", "120000"}, {"999", "120001", "x"}},
        {HEURISTICS "sync_timeout", {"1000", "120000"}, {"999", "120001", "x"}},
        {HEURISTICS "interval", {"1000", "3600000"}, {"999", "3600001", "x"}},
    };

    (void)state;
    for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
        for (int i = 0; i < 6 && values[v].good[i] != NULL; i++) {
            remove_key(NET "host");
            if (strcmp(values[v].key, NET "host") != 0)
                text(NET "host", "arbiter");
            text(values[v].key, values[v].good[i]);
            accept();
            device_config_fini(&config);
            keys_fini(&keys);
            set_up(NULL);
        }
        for (int i = 0; i < 8 && values[v].bad[i] != NULL; i++) {
            remove_key(values[v].key);
            text(values[v].key, values[v].bad[i]);
            refuse(values[v].key);
            keys_fini(&keys);
            set_up(NULL);
        }
    }
}

static void a_key_of_another_type_counts_as_absent(void **state)
{
    (void)state;
    number(NET "port", KEY_U16, 77);
    number(NET "algorithm", KEY_U8, 3);
    accept();
    assert_int_equal(config.port, 5403);
    assert_int_equal(config.agent.algorithm, WIRE_ALGORITHM_FFSPLIT);
    device_config_fini(&config);
}

static void several_hosts_keep_their_order(void **state)
{
    (void)state;
    remove_key(NET "host");
    text(NET "host", "a, 10.0.0.9 ,c");
    accept();
    assert_int_equal(config.agent.host_count, 3);
    assert_string_equal(config.agent.hosts[1], "10.0.0.9");
    assert_string_equal(config.agent.hosts[2], "c");
    device_config_fini(&config);
}

static void more_hosts_than_fit_are_refused(void **state)
{
    (void)state;
    remove_key(NET "host");
    text(NET "host", "1,2,3,4,5,6,7,8,9");
    refuse(NET "host");
}

/* H follows from the timeout where it is set, so that either arbiter reckons as before. */
static void a_timeout_that_is_set_gives_the_packaged_interval(void **state)
{
    (void)state;
    number("quorum.device.timeout", KEY_U32, 10000);
    accept();
    assert_int_equal(config.agent.timing.heartbeat_ms, 8000);
    assert_int_equal(config.agent.timing.echo_ms, 2000);
    assert_int_equal(config.agent.timing.lease_ms, 10000);
    assert_true(config.agent.timing.lease_ms + config.agent.timing.hold_ms < 12000);
    device_config_fini(&config);
}

static void lms_needs_no_device_votes(void **state)
{
    (void)state;
    remove_key("quorum.device.votes");
    text(NET "algorithm", "lms");
    accept();
    device_config_fini(&config);
}

static void nodes_are_taken_once_in_their_order(void **state)
{
    (void)state;
    text("nodelist.node.2.name", "again");
    number("nodelist.node.2.nodeid", KEY_U32, 1);
    text("nodelist.node.10.ring0_addr", "10.0.0.7");
    text("nodelist.node.11.other", "x");
    number("nodelist.local_node_pos", KEY_U32, 1);
    accept();
    assert_int_equal(config.agent.node_count, 3);
    assert_int_equal(config.agent.nodes[2].node_id, 10u << 24 | 7);
    device_config_fini(&config);
}

static void the_high_bit_of_a_derived_id_can_be_cleared(void **state)
{
    (void)state;
    text("nodelist.node.2.ring0_addr", "192.0.2.1");
    text("totem.clear_node_high_bit", "yes");
    accept();
    assert_int_equal(config.agent.nodes[2].node_id, (192u << 24 | 2 << 8 | 1) & INT32_MAX);
    device_config_fini(&config);
}

static void a_node_without_an_id_is_refused_by_position(void **state)
{
    (void)state;
    text("nodelist.node.7.ring0_addr", "node7.example");
    refuse("nodelist.node.7");
}

static void without_nodes_there_is_no_device(void **state)
{
    (void)state;
    remove_key("nodelist.node.0.ring0_addr");
    remove_key("nodelist.node.1.ring0_addr");
    refuse("nodelist");
}

static void heuristics_need_a_mode_and_a_command(void **state)
{
    (void)state;
    text(HEURISTICS "mode", "sync");
    accept();
    assert_false(config.agent.heuristics_active);
    assert_non_null(strstr(config.warning, "exec_NAME"));
    device_config_fini(&config);
    text(HEURISTICS "exec_ping", "/bin/ping\n-c1 a");
    accept();
    assert_true(config.agent.heuristics_active);
    assert_string_equal(config.heuristics.execs[0].name, "ping");
    assert_string_equal(config.heuristics.execs[0].command, "/bin/ping -c1 a");
    device_config_fini(&config);
}

static void commands_that_cannot_be_run_are_refused(void **state)
{
    static const char *const bad[] = {"'/bin/false", "/bin/echo \"a", "/bin/true \\", "   "};

    (void)state;
    text(HEURISTICS "mode", "on");
    text(HEURISTICS "exec_good", "/bin/true 'a\nb'"); /* a newline is a blank */
    accept();
    device_config_fini(&config);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        text(HEURISTICS "exec_bad", bad[i]);
        refuse("exec_bad");
        remove_key(HEURISTICS "exec_bad");
    }
}

static void odd_commands_are_ignored_and_named(void **state)
{
    (void)state;
    text(HEURISTICS "exec_a.b", "/bin/true");
    accept();
    assert_int_equal(config.heuristics.exec_count, 0);
    assert_non_null(strstr(config.warning, "exec_a.b"));
    device_config_fini(&config);
}

static void too_many_commands_are_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 33; i++) {
        char name[64];

        snprintf(name, sizeof(name), HEURISTICS "exec_%d", i);
        text(name, "/bin/true");
    }
    refuse("exec_NAME");
}

static void debug_follows_the_subsystem_before_the_rest(void **state)
{
    (void)state;
    text("logging.debug", "on");
    accept();
    assert_int_equal(config.debug, DEVICE_DEBUG_ON);
    device_config_fini(&config);
    text("logging.logger_subsys.QDEVICE.debug", "trace");
    accept();
    assert_int_equal(config.debug, DEVICE_DEBUG_TRACE);
    device_config_fini(&config);
}

/* The log takes lines as they are. */
static void values_are_shown_printable(void **state)
{
    (void)state;
    text("logging.debug", "\x1b[31m\n");
    accept();
    assert_non_null(strstr(config.warning, "\"\\x1b[31m\\x0a\""));
    device_config_fini(&config);
    text(NET "tls", "o\x07n\xff");
    refuse(NET "tls is \"o\\x07n\\xff\"");
}

static void a_host_is_a_name(void **state)
{
    char longer[300];

    (void)state;
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    remove_key(NET "host");
    text(NET "host", longer);
    refuse(NET "host");
    remove_key(NET "host");
    text(NET "host", "a\nb");
    refuse(NET "host names \"a\\x0ab\"");
}

/* No arbiter would take the message that says it. */
static void a_cluster_name_fits_into_a_message(void **state)
{
    static char longer[60000];

    (void)state;
    memset(longer, 'a', sizeof(longer) - 1);
    remove_key("totem.cluster_name");
    text("totem.cluster_name", longer);
    refuse("totem.cluster_name");
}

static void a_node_has_an_id(void **state)
{
    (void)state;
    remove_key("runtime.votequorum.this_node_id");
    number("runtime.votequorum.this_node_id", KEY_U32, 0);
    refuse("runtime.votequorum.this_node_id");
}

/* Nothing may be due again in the moment in which it is done. */
static void no_timeout_is_so_short_that_the_device_spins(void **state)
{
    (void)state;
    limits.heartbeat_ms_min = 1;
    number("quorum.device.timeout", KEY_U32, 0);
    number("quorum.device.sync_timeout", KEY_U32, 0);
    accept();
    assert_int_equal(config.agent.timing.echo_ms, 1);
    assert_int_equal(config.heuristics.interval_ms, limits.heuristics_interval_ms_min);
    assert_int_equal(config.heuristics.timeout_ms, 1);
    assert_int_equal(config.heuristics.sync_timeout_ms, 1);
    device_config_fini(&config);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_least_that_is_needed_gives_the_defaults),
        TEST(what_is_needed_is_missed_by_name),
        TEST(no_device_at_all_is_said_plainly),
        TEST(every_text_key_has_its_values),
        TEST(a_key_of_another_type_counts_as_absent),
        TEST(several_hosts_keep_their_order),
        TEST(more_hosts_than_fit_are_refused),
        TEST(a_timeout_that_is_set_gives_the_packaged_interval),
        TEST(lms_needs_no_device_votes),
        TEST(nodes_are_taken_once_in_their_order),
        TEST(the_high_bit_of_a_derived_id_can_be_cleared),
        TEST(a_node_without_an_id_is_refused_by_position),
        TEST(without_nodes_there_is_no_device),
        TEST(heuristics_need_a_mode_and_a_command),
        TEST(commands_that_cannot_be_run_are_refused),
        TEST(odd_commands_are_ignored_and_named),
        TEST(too_many_commands_are_refused),
        TEST(debug_follows_the_subsystem_before_the_rest),
        TEST(values_are_shown_printable),
        TEST(a_host_is_a_name),
        TEST(a_cluster_name_fits_into_a_message),
        TEST(a_node_has_an_id),
        TEST(no_timeout_is_so_short_that_the_device_spins),
    };

    return cmocka_run_group_tests_name("device configuration", tests, NULL, NULL);
}
