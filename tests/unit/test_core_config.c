/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The core's configuration on a made-up host: what errors say and where, the facts that are asked for, defaults, and the
 * keys that are derived. That the verdicts are those of the packaged daemon is tests/integration/core_config.py's to show.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/config/conf_reader.h"
#include "core/config/config_ring.h"
#include "core/config/config_start.h"
#include "tests/unit/config_host.h"

#define NODE_1 "node {\nring0_addr: 10.4.0.1\nnodeid: 1\nname: n1\n}\n"
#define NODE_2 "node {\nring0_addr: 10.4.0.2\nnodeid: 2\nname: n2\n}\n"
#define NODES "nodelist {\n" NODE_1 NODE_2 "}\n"

static struct config_host_loaded loaded;

static int tear_down(void **state)
{
    (void)state;
    config_host_loaded_fini(&loaded);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    config_host_loaded_init(&loaded);
    return 0;
}

static enum q_err load(const char *text)
{
    config_host_loaded_fini(&loaded);
    return config_host_load(&loaded, text, strlen(text), NULL);
}

static const char *finding(size_t index)
{
    static char text[CONF_FINDING_TEXT_SIZE];

    assert_true(index < loaded.report.count);
    conf_finding_text(&loaded.report.items[index], text, sizeof(text));
    return text;
}

static void load_good(const char *text)
{
    if (load(text) != Q_OK)
        fail_msg("refused: %s", finding(0));
}

static void load_bad(const char *text, const char *sentence)
{
    assert_int_equal(load(text), Q_ERR_INVALID);
    if (strstr(finding(0), sentence) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", finding(0), sentence);
}

static void expect_number(const char *key, enum cmap_type type, uint64_t expected)
{
    uint64_t number;

    assert_true(cmap_store_number(&loaded.map.keys, key, type, &number));
    assert_int_equal(number, expected);
}

/* ---- grammar ---- */

static void test_sections_are_always_balanced(void **state)
{
    static const char *const texts[] = {"a {\n",
                                        "a {\nb {\nc: d",
                                        "}\n}\n",
                                        "{\n}\n",
                                        "a { x\n}\n",
                                        "a { x }\nb: c\n",
                                        "a {\n} x\n",
                                        "a {\n{\n}\n}\n",
                                        "x\ny\n",
                                        "a {\nb }\n",
                                        ""};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct conf_reader reader;
        enum conf_event event;
        int depth = 0;
        conf_reader_init(&reader, texts[i], strlen(texts[i]));
        while ((event = conf_reader_next(&reader)) != CONF_EVENT_END_OF_TEXT) {
            depth += event == CONF_EVENT_SECTION ? 1 : event == CONF_EVENT_END ? -1 : 0;
            assert_true(depth >= 0);
        }
        assert_int_equal(depth, 0);
        assert_int_equal(conf_reader_next(&reader), CONF_EVENT_END_OF_TEXT);
    }
}

static void test_every_error_is_told_with_its_line(void **state)
{
    (void)state;
    assert_int_equal(
        load("totem {\nversion: x\nfoo\ntoken: 12 ms\nip_version: 4\n}\nuidgid {\nuid: nobody\n}\n}\n"),
        Q_ERR_INVALID);
    assert_int_equal(loaded.report.error_count, 6);
    assert_string_equal(finding(0),
                        "parser error: /etc/conf:2: Value of key \"totem.version\" is expected to be integer "
                        "in range (0..4294967295), but \"x\" was given "
                        "[give a decimal number and nothing else]");
    assert_non_null(strstr(finding(1), "/etc/conf:3: Line is not opening"));
    assert_non_null(strstr(finding(2), "/etc/conf:4: Value of key \"totem.token\""));
    assert_non_null(strstr(finding(3), "/etc/conf:5: Invalid ip_version type [totem.ip_version]"));
    assert_non_null(strstr(finding(4), "/etc/conf:8: The 'nobody' user is not found"));
    assert_non_null(strstr(finding(5), "/etc/conf:10: Unexpected closing brace"));
    assert_int_equal(conf_report_exit_status(&loaded.report), 8);
}

static void test_too_many_findings_are_counted(void **state)
{
    char text[4000] = "";

    (void)state;
    for (int i = 0; i < 150; i++)
        strcat(text, "x\n");
    assert_int_equal(load(text), Q_ERR_INVALID);
    assert_int_equal(loaded.report.count, CONF_FINDINGS_MAX);
    assert_int_equal(loaded.report.error_count, 150);
    assert_int_equal(loaded.report.left_out, 50);
}

static void test_a_section_may_not_hold_too_many_keys(void **state)
{
    static char text[20000];

    (void)state;
    strcpy(text, "logging {\nlogger_subsys {\nsubsys: CPG\n");
    for (int i = 0; i < 1025; i++)
        strcat(text, "debug: on\n");
    strcat(text, "}\nlogger_subsys {\nsubsys: CFG\n}\n}\n");
    load_bad(text, "parser error: /etc/conf:1027: Section \"logging.logger_subsys\" has more than 1024 keys");
    assert_int_equal(loaded.report.error_count, 1);
    assert_string_equal(cmap_store_text(&loaded.map.keys, "logging.logger_subsys.CFG.subsys"), "CFG");
}

static void test_what_is_inside_of_an_unusable_section_is_left_alone(void **state)
{
    (void)state;
    assert_int_equal(load("{\ntoken: x\na {\nb }\n}\nown {\nkey: 1\n}\n"), Q_ERR_INVALID);
    assert_int_equal(loaded.report.error_count, 2); /* the name, and "b }", which is taken for the end of a */
    assert_string_equal(cmap_store_text(&loaded.map.keys, "own.key"), "1");
    assert_null(cmap_store_text(&loaded.map.keys, "token"));
}

static void test_a_checked_value_names_its_place(void **state)
{
    (void)state;
    load_bad("totem {\nversion: 2\ntoken: 5\n}\n" NODES,
             "parse error in config: The token timeout parameter (5 ms) may not be less than (30 ms). "
             "[/etc/conf:3: totem.token: set it to 30 or more, or leave it out]");
    load_bad("totem {\nversion: 2\ncrypto_hash: sha256\nkeyfile: /key100\n}\n" NODES,
             "Could only read 800 bits of minimum 1024 bits from /key100. [/etc/conf:4: totem.keyfile:");
    load_bad("totem {\nversion: 2\n}\nlogging {\nlogger_subsys {\nsubsys: CPG\ndebug: x\n}\n}\n" NODES,
             "unknown value for debug. [/etc/conf:7: logging.logger_subsys.CPG.debug: allowed are on, off, "
             "trace]");
    assert_int_equal(conf_report_exit_status(&loaded.report), 7);
    load_bad("totem {\nversion: 2\n}\nsystem {\nstate_dir: /missing\n}\n" NODES,
             "Cannot chdir to state directory /missing. No such file or directory");
    assert_int_equal(conf_report_exit_status(&loaded.report), 16);
    /* all that is wrong, not only the first */
    assert_int_equal(load("totem {\nversion: 1\ntoken: 5\nlink_mode: x\n}\n" NODES), Q_ERR_INVALID);
    assert_int_equal(loaded.report.error_count, 3);
}

static void test_where_keys_come_from(void **state)
{
    struct conf_place place;

    (void)state;
    load_good("totem {\nversion: 2\ntoken: 1000\ntoken: 2000\ninterface {\nknet_pong_count: 3\n}\n}\n" NODES);
    place = conf_map_place(&loaded.map, "totem.token");
    assert_string_equal(place.file, "/etc/conf");
    assert_int_equal(place.line, 4);
    assert_int_equal(conf_map_place(&loaded.map, "totem.interface.0.knet_pong_count").line, 6);
    assert_int_equal(conf_map_place(&loaded.map, "nodelist.node.1.name").line, 18);
    assert_null(conf_map_place(&loaded.map, "totem.join").file);
}

/* ---- facts ---- */

static void test_nothing_is_resolved_that_need_not_be(void **state)
{
    (void)state;
    load_good("totem {\nversion: 2\n}\n" NODES);
    assert_int_equal(loaded.rounds, 1);
    /* neither named n1 nor 10.4.0.1: by what its name resolves to, after the host's own addresses were asked for names */
    load_good("totem {\nversion: 2\ntransport: udpu\n}\nnodelist {\nnode {\nring0_addr: n2\n}\nnode {\nname: "
              "fd04:0::1\n"
              "ring0_addr: 10.4.0.7\n}\n}\n");
    assert_int_equal(loaded.config.local_index, 1);
    assert_int_equal(loaded.config.nodes[0].id, 0x0a040002);
    assert_int_equal(loaded.config.nodes[1].id, 0x0a040007);
}

static void test_which_node_is_this_one(void **state)
{
    static const struct {
        const char *nodes;
        size_t position;
    } cases[] = {
        {NODE_1 NODE_2, 0},
        {NODE_2 NODE_1, 1},
        {NODE_2 "node {\nring0_addr: 10.4.0.9\nnodeid: 3\nname: n1.example\n}\n", 1},
        {NODE_2 "node {\nring0_addr: 10.5.0.1\nnodeid: 3\n}\n", 1},
        {NODE_2 "node {\nring0_addr: fd04:0::1\nnodeid: 3\n}\n", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[1024];
        snprintf(text, sizeof(text), "totem {\nversion: 2\n%s}\nnodelist {\n%s}\n",
                 i == 4 ? "version: 2\n" : "", cases[i].nodes);
        if (i == 4) {
            load_bad(text, "different IP families");
            continue;
        }
        load_good(text);
        assert_int_equal(loaded.config.local_index, cases[i].position);
    }
    load_bad("totem {\nversion: 2\n}\nnodelist {\n" NODE_2 "}\n", "No valid name found for local host");
}

/* ---- values ---- */

static void test_defaults(void **state)
{
    const struct core_config *c = &loaded.config;
    const struct totem_config *t = &loaded.config.totem;

    (void)state;
    load_good("totem {\nversion: 2\n}\n" NODES);
    assert_int_equal(c->transport, CORE_TRANSPORT_KNET);
    assert_int_equal(c->netmtu, 65536);
    assert_int_equal(c->ip_version, CORE_IPV6_4);
    assert_string_equal(c->crypto_hash, "none");
    assert_null(c->key_file);
    assert_int_equal(c->link_mode, CORE_LINK_PASSIVE);
    assert_int_equal(t->token_ms, 3000);
    assert_int_equal(t->token_retransmit_ms, 714);
    assert_int_equal(t->hold_ms, 561);
    assert_int_equal(t->consensus_ms, 3600);
    assert_int_equal(c->links[0].member_count, 2);
    assert_int_equal(c->links[0].port, 5405);
    assert_int_equal(c->links[0].knet_ping_interval_ms, 750);
    assert_int_equal(c->links[0].knet_ping_timeout_ms, 1500);
    assert_int_equal(c->links[0].knet_ping_precision, 2048);
    assert_int_equal(c->links[0].knet_priority, 1);
    assert_false(c->links[1].exists);
    assert_null(c->quorum.provider);
    assert_int_equal(c->quorum.device.timeout_ms, 10000);
    assert_int_equal(c->quorum.device.sync_timeout_ms, 30000);
    assert_int_equal(c->logging.target_count, 1);
    assert_true(c->logging.targets[0].to_stderr && c->logging.targets[0].to_syslog);
    assert_int_equal(c->logging.timestamp, CORE_TIMESTAMP_HIRES);
    assert_true(c->system.sched_rr);
    assert_string_equal(c->system.state_dir, "/var/lib/corosync");
}

static void test_token_grows_with_the_nodes(void **state)
{
    char text[4096] = "totem {\nversion: 2\n}\nnodelist {\n" NODE_1;

    (void)state;
    for (unsigned nodes = 2; nodes < 12; nodes++) {
        char node[128], whole[4200];
        snprintf(node, sizeof(node), "node {\nring0_addr: 10.4.0.%u\nnodeid: %u\n}\n", nodes, nodes);
        strcat(text, node);
        snprintf(whole, sizeof(whole), "%s}\n", text);
        load_good(whole);
        assert_int_equal(loaded.config.totem.token_ms, 3000 + (nodes - 2) * 650);
        assert_int_equal(loaded.config.totem.consensus_ms, (3000 + (nodes - 2) * 650) * 12 / 10);
    }
}

static void test_subsystems_take_over_what_they_do_not_set(void **state)
{
    const struct core_logging *logging = &loaded.config.logging;

    (void)state;
    load_good("totem {\nversion: 2\n}\nlogging {\nto_syslog: no\nsyslog_priority: error\ndebug: "
              "on\nlogger_subsys {\n"
              "subsys: CPG\ndebug: trace\nsyslog_facility: local7\n}\n}\n" NODES);
    assert_int_equal(logging->target_count, 2);
    assert_string_equal(logging->targets[1].subsystem, "CPG");
    assert_false(logging->targets[1].to_syslog);
    assert_int_equal(logging->targets[1].syslog_priority, 3);
    assert_int_equal(logging->targets[1].syslog_facility, 23);
    assert_int_equal(logging->targets[1].debug, CORE_DEBUG_TRACE);
    assert_int_equal(logging->targets[0].debug, CORE_DEBUG_ON);
    assert_int_equal(logging->targets[0].syslog_facility, 3);
}

static void test_two_node_waits_for_all(void **state)
{
    (void)state;
    load_good("totem {\nversion: 2\n}\nquorum {\nprovider: corosync_votequorum\ntwo_node: 1\n}\n" NODES);
    assert_true(loaded.config.quorum.wait_for_all && !loaded.config.quorum.wait_for_all_is_set);
    load_good("totem {\nversion: 2\n}\nquorum {\ntwo_node: 1\nwait_for_all: 0\ndevice {\nmodel: net\nvotes: "
              "1\n}\n}\n" NODES);
    assert_false(loaded.config.quorum.wait_for_all);
    assert_true(loaded.config.quorum.device.is_configured);
    assert_int_equal(loaded.config.quorum.device.votes, 1);
}

static void test_keys_that_are_derived(void **state)
{
    (void)state;
    load_good("totem {\nversion: 2\ntransport: udp\ncluster_name: sp4\n}\nnodelist {\nnode {\nring0_addr: "
              "10.4.0.2\n}\n"
              "node {\nring0_addr: 10.4.0.1\n}\n}\n");
    assert_int_equal(core_config_publish(&loaded.config, &loaded.map.keys, NULL), CS_ERROR_OK);
    expect_number("nodelist.local_node_pos", CMAP_U32, 1);
    expect_number("nodelist.node.0.nodeid", CMAP_U32, 0x0a040002);
    expect_number("totem.interface.0.mcastport", CMAP_U16, 5405);
    assert_string_equal(cmap_store_text(&loaded.map.keys, "totem.interface.0.mcastaddr"), "239.192.2.226");
    assert_string_equal(cmap_store_text(&loaded.map.keys, "totem.interface.0.bindnetaddr"), "10.4.0.1");
    /* two sections of nothing but an address count as four nodes */
    expect_number("runtime.config.totem.token", CMAP_U32, 4300);
}

static void test_more_nodes_than_a_message_can_name(void **state)
{
    static char text[40000];

    (void)state;
    for (unsigned nodes = CORE_NODES_MAX; nodes <= CORE_NODES_MAX + 1; nodes++) {
        size_t length = (size_t)snprintf(text, sizeof(text), "totem {\nversion: 2\n}\nnodelist {\n" NODE_1);
        for (unsigned i = 2; i <= nodes; i++)
            length += (size_t)snprintf(text + length, sizeof(text) - length,
                                       "node {\nring0_addr: 10.4.%u.%u\nnodeid: %u\n}\n", i >> 8, i & 255, i);
        snprintf(text + length, sizeof(text) - length, "}\n");
        if (nodes == CORE_NODES_MAX)
            load_good(text);
        else
            load_bad(text, "The nodelist has more than 384 nodes");
    }
}

/* What the packaged daemon published for these keys, set one after the other with corosync-cmapctl. */
static void test_derived_timers(void **state)
{
    static const struct {
        uint32_t token, retransmits, retransmit, expected_retransmit, expected_hold, expected_consensus;
    } cases[] = {
        {126, 0, 0, 30, 14, 151},
        {128, 0, 0, 30, 14, 153},
        {135, 0, 0, 32, 15, 162},
        {150, 0, 0, 35, 18, 180},
        {999, 0, 0, 237, 179, 1198},
        {1234, 0, 0, 293, 224, 1480},
        {3650, 0, 0, 869, 685, 4380},
        {4300, 0, 0, 1023, 808, 5160},
        {10000, 0, 0, 2380, 1894, 12000},
        {84312, 0, 0, 20074, 16049, 101174},
        {123456, 0, 0, 29394, 23505, 148147},
        {3000, 1, 0, 2500, 1990, 3600},
        {3000, 7, 0, 416, 322, 3600},
        {3000, 15, 0, 197, 147, 3600},
        {3000, 0, 30, 30, 14, 3600},
        {3000, 0, 99, 99, 69, 3600},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct totem_config s;
        struct cmap_store *keys = &loaded.map.keys;
        cmap_store_set_number(keys, "totem.token", CMAP_U32, cases[i].token, NULL);
        cmap_store_set_number(keys, "totem.token_retransmits_before_loss_const", CMAP_U32,
                              cases[i].retransmits, NULL);
        cmap_store_set_number(keys, "totem.token_retransmit", CMAP_U32, cases[i].retransmit, NULL);
        totem_config_read(&s, keys, 2);
        assert_int_equal(s.token_ms, cases[i].token);
        assert_int_equal(s.token_retransmit_ms, cases[i].expected_retransmit);
        assert_int_equal(s.hold_ms, cases[i].expected_hold);
        assert_int_equal(s.consensus_ms, cases[i].expected_consensus);
    }
}

static void set_key(const char *name, uint32_t random)
{
    if (random % 4 == 0)
        cmap_store_delete(&loaded.map.keys, name, NULL);
    else
        cmap_store_set_number(&loaded.map.keys, name, CMAP_U32, random % 7 == 0 ? 0 : (random >> 3) % 20000,
                              NULL);
}

/* What is published and what the ring is given come from two places, and must be the same. */
static void test_the_ring_is_given_what_is_published(void **state)
{
    static const char *const keys[] = {"totem.token",
                                       "totem.token_coefficient",
                                       "totem.token_retransmit",
                                       "totem.hold",
                                       "totem.join",
                                       "totem.send_join",
                                       "totem.consensus",
                                       "totem.merge",
                                       "totem.downcheck",
                                       "totem.fail_recv_const",
                                       "totem.seqno_unchanged_const",
                                       "totem.window_size",
                                       "totem.max_messages",
                                       "totem.miss_count_const",
                                       "totem.heartbeat_failures_allowed",
                                       "totem.max_network_delay"};
    uint32_t random = 1;
    unsigned accepted = 0;

    (void)state;
    load_good("totem {\nversion: 2\n}\n" NODES);
    for (unsigned round = 0; round < 20000; round++) {
        struct core_config *c = &loaded.config;
        struct totem_settings s;
        struct conf_report report;
        char why[256];
        enum q_err err;
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            random = random * 1664525u + 1013904223u;
            set_key(keys[i], random >> 8);
        }
        cmap_store_set_number(&loaded.map.keys, "totem.token_warning", CMAP_U32, round % 103, NULL);
        cmap_store_set_number(&loaded.map.keys, "totem.token_retransmits_before_loss_const", CMAP_U32,
                              round % 9, NULL);
        c->token_node_count = round % 5;
        totem_config_read(&c->totem, &loaded.map.keys, c->token_node_count);
        conf_report_init(&report);
        totem_config_check(&c->totem, &loaded.map.keys, NULL, &report);
        err = config_ring_settings(c, &loaded.map.keys, &s, why, sizeof(why));
        assert_int_equal(err == Q_OK, report.error_count == 0);
        conf_report_fini(&report);
        if (err != Q_OK)
            continue;
        accepted++;
        assert_int_equal(s.token_ms, c->totem.token_ms);
        assert_int_equal(s.token_retransmit_ms, c->totem.token_retransmit_ms);
        assert_int_equal(s.token_retransmits_before_loss_const, c->totem.token_retransmits_before_loss_const);
        assert_int_equal(s.hold_ms, c->totem.hold_ms);
        assert_int_equal(s.consensus_ms, c->totem.consensus_ms);
        assert_int_equal(s.join_ms + s.send_join_ms, c->totem.join_ms + c->totem.send_join_ms);
        assert_int_equal(s.merge_ms, c->totem.merge_ms);
        assert_int_equal(s.downcheck_ms, c->totem.downcheck_ms);
        assert_int_equal(s.fail_recv_const, c->totem.fail_recv_const);
        assert_int_equal(s.seqno_unchanged_const, c->totem.seqno_unchanged_const);
        assert_int_equal(s.miss_count_const, c->totem.miss_count_const);
        assert_int_equal(s.window_size, c->totem.window_size);
        assert_int_equal(s.max_messages, c->totem.max_messages);
        assert_int_equal(s.max_network_delay_ms, c->totem.max_network_delay_ms);
        assert_int_equal(s.heartbeat_failures_allowed, c->totem.heartbeat_failures_allowed);
        assert_int_equal(s.token_warning_percent, c->totem.token_warning_percent);
    }
    assert_true(accepted > 500);
}

static void test_keys_that_clients_change(void **state)
{
    struct totem_config settings;
    struct cmap_store *keys = &loaded.map.keys;
    struct conf_report *report = &loaded.report;

    (void)state;
    load_good("totem {\nversion: 2\n}\n" NODES);
    settings = loaded.config.totem;
    cmap_store_set_number(keys, "totem.token", CMAP_U32, 2000, NULL);
    assert_int_equal(totem_config_update(&settings, keys, 2, report), Q_OK);
    assert_int_equal(settings.consensus_ms, 2400);
    /* of another type: as if it were not there */
    cmap_store_set_text(keys, "totem.token", "5000", NULL);
    assert_int_equal(totem_config_update(&settings, keys, 2, report), Q_OK);
    assert_int_equal(settings.token_ms, 3000);
    cmap_store_set_number(keys, "totem.token", CMAP_U32, 5, NULL);
    assert_int_equal(totem_config_update(&settings, keys, 2, report), Q_ERR_INVALID);
    assert_int_equal(settings.token_ms, 3000);
    assert_string_equal(finding(0),
                        "parse error in config: The token timeout parameter (5 ms) may not be less than "
                        "(30 ms). [totem.token: set it to 30 or more, or leave it out]");
    cmap_store_delete(keys, "totem.token", NULL);
    assert_int_equal(totem_config_update(&settings, keys, 4, report), Q_OK);
    assert_int_equal(settings.token_ms, 4300);
}

static void test_what_only_a_start_looks_at(void **state)
{
    int32_t number;

    (void)state;
    load_good("totem {\nversion: 2\n}\nquorum {\nprovider: corosync_votequorum\ntwo_node: 1\ndevice "
              "{\nmodel: net\n}\n"
              "}\nsystem {\npriority: x\n}\n" NODES);
    config_start_check(&loaded.config, &loaded.map, &loaded.report);
    assert_int_equal(loaded.report.error_count, 2);
    assert_string_equal(finding(0), "Priority value x is invalid [/etc/conf:12: system.priority: "
                                    "it is max, min or a nice value]");
    assert_int_equal(conf_report_exit_status(&loaded.report), 8);
    assert_non_null(strstr(finding(1), "two_node and quorum device cannot be configured at the same time!"));
    load_good("totem {\nversion: 2\n}\nquorum {\nprovider: corosync_ykd\n}\n" NODES);
    config_start_check(&loaded.config, &loaded.map, &loaded.report);
    assert_int_equal(conf_report_exit_status(&loaded.report), 20);
    assert_true(config_priority_number("-20", &number) && number == -20);
    assert_true(config_priority_number("", &number) && number == 0);
    assert_false(config_priority_number("max", &number));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sections_are_always_balanced),
        TEST(test_every_error_is_told_with_its_line),
        TEST(test_too_many_findings_are_counted),
        TEST(test_a_section_may_not_hold_too_many_keys),
        TEST(test_what_is_inside_of_an_unusable_section_is_left_alone),
        TEST(test_a_checked_value_names_its_place),
        TEST(test_where_keys_come_from),
        TEST(test_nothing_is_resolved_that_need_not_be),
        TEST(test_which_node_is_this_one),
        TEST(test_defaults),
        TEST(test_token_grows_with_the_nodes),
        TEST(test_subsystems_take_over_what_they_do_not_set),
        TEST(test_two_node_waits_for_all),
        TEST(test_keys_that_are_derived),
        TEST(test_more_nodes_than_a_message_can_name),
        TEST(test_derived_timers),
        TEST(test_the_ring_is_given_what_is_published),
        TEST(test_keys_that_clients_change),
        TEST(test_what_only_a_start_looks_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
