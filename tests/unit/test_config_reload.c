/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A configuration that is read again (spec/corosync-conf.md section 9): what may change, what keeps its value, what is
 * refused, and the keys and their order.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/unit/config_host.h"

static struct config_host_loaded now, next;
static struct config_tasks tasks;
static struct cmap_store live;
static struct cmap_changes changes;
static struct cmap_client client;

/* A configuration of two nodes; `totem`, `one` and `two` go into these sections. */
static const char *conf(const char *totem, const char *one, const char *two, const char *rest)
{
    static char text[4096];

    snprintf(text, sizeof(text),
             "totem {\nversion: 2\ncluster_name: demo\n%s}\nnodelist {\nnode {\nname: n1\nnodeid: 1\n%s}\n"
             "node {\nname: n2\nnodeid: 2\n%s}\n}\nquorum {\nprovider: corosync_votequorum\n}\n%s",
             totem, one, two, rest);
    return text;
}

#define ONE "ring0_addr: 10.4.0.1\n"
#define TWO "ring0_addr: 10.4.0.2\n"

static void start(const char *text)
{
    struct cmap_value value;

    assert_int_equal(config_host_load(&now, text, strlen(text), NULL), Q_OK);
    assert_int_equal(core_config_publish(&now.config, &now.map.keys, NULL), CS_ERROR_OK);
    cmap_store_init(&live);
    for (const char *name = cmap_store_next(&now.map.keys, "", "", &value); name != NULL;
         name = cmap_store_next(&now.map.keys, "", name, &value))
        assert_int_equal(cmap_store_set(&live, name, value, NULL), CS_ERROR_OK);
    cmap_client_init(&client, 1);
    cmap_changes_init(&changes);
}

static int set_up(void **state)
{
    (void)state;
    start(conf("", ONE, TWO, ""));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    config_host_loaded_fini(&now);
    config_host_loaded_fini(&next);
    cmap_client_fini(&live, &client);
    cmap_changes_fini(&changes);
    cmap_store_fini(&live);
    return 0;
}

static enum q_err reload(const char *text)
{
    enum q_err err;

    config_host_loaded_fini(&next);
    err = config_host_load(&next, text, strlen(text), &live);
    if (err == Q_OK)
        err = config_reload_compare(&now.config, &next.config, &next.map, &tasks, &next.report);
    return err;
}

static void load_good(const char *text, size_t warning_count)
{
    enum q_err err = reload(text);

    if (err != Q_OK)
        fail_msg("refused: %s", next.report.items[0].text);
    assert_int_equal(next.report.count, warning_count);
    assert_int_equal(config_reload_apply(&live, &next.map, &next.config, &changes), CS_ERROR_OK);
}

static void load_bad(const char *text, const char *sentence)
{
    assert_int_equal(reload(text), Q_ERR_INVALID);
    assert_non_null(strstr(conf_report_first_error(&next.report)->text, sentence));
}

static const char *live_text(const char *key)
{
    const char *text = cmap_store_text(&live, key);

    return text == NULL ? "" : text;
}

static uint64_t live_u32(const char *key)
{
    uint64_t number = UINT64_MAX;

    cmap_store_number(&live, key, CMAP_U32, &number);
    return number;
}

static void test_the_same_again_is_no_change(void **state)
{
    uint64_t handle;

    (void)state;
    assert_int_equal(cmap_tracker_add(&live, &client, "", 15, 0, &handle), CS_ERROR_OK);
    load_good(conf("", ONE, TWO, ""), 0);
    assert_int_equal(changes.count, 0);
    assert_false(tasks.totem || tasks.crypto || tasks.quorum || tasks.logging);
    assert_int_equal(tasks.links_added | tasks.links_removed | tasks.links_changed, 0);
    assert_int_equal(tasks.nodes_added_count + tasks.nodes_removed_count, 0);
}

static void test_timers(void **state)
{
    (void)state;
    load_good(conf("token: 2000\njoin: 60\n", ONE, TWO, ""), 0);
    assert_true(tasks.totem);
    assert_int_equal(tasks.links_changed, 1); /* ping times follow the token */
    assert_int_equal(live_u32("totem.token"), 2000);
    assert_int_equal(live_u32("runtime.config.totem.consensus"), 2400);
    assert_int_equal(live_u32("runtime.config.totem.interface.0.knet_ping_timeout"), 1000);
    load_bad(conf("token: 5\n", ONE, TWO, ""), "The token timeout parameter");
    assert_int_equal(live_u32("totem.token"), 2000);
}

static void test_fixed_keys_keep_their_value(void **state)
{
    static const char *const changed[] = {"transport: udpu\n", "ip_version: ipv4\n", "threads: 3\n",
                                          "netmtu: 1200\n",    "rrp_mode: x\n",      "version: 3\n",
                                          "cluster_name: x\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
        load_good(conf(changed[i], ONE, TWO, ""), 1);
        assert_non_null(strstr(next.report.items[0].text, "in corosync.conf cannot be changed at run-time"));
        assert_false(tasks.totem);
    }
    assert_string_equal(live_text("totem.cluster_name"), "demo");
    assert_string_equal(live_text("totem.transport"), "");
    load_good(
        conf("", ONE, TWO, "system {\nsched_rr: no\nstate_dir: /tmp\nfoo: x\n}\nquorum {\nprovider: x\n}\n"),
        3);
    assert_string_equal(live_text("system.sched_rr"), "");
    assert_string_equal(live_text("system.foo"), "x");
    assert_string_equal(live_text("quorum.provider"), "corosync_votequorum");
}

static void test_a_fixed_key_that_vanishes_stays(void **state)
{
    tear_down(state);
    start(conf("transport: udpu\n", ONE, TWO, ""));
    load_good(conf("", ONE, TWO, ""), 1);
    assert_int_equal(next.config.transport, CORE_TRANSPORT_UDPU);
    assert_string_equal(live_text("totem.transport"), "udpu");
}

static void test_nodes_come_and_go(void **state)
{
    (void)state;
    load_good(conf("", ONE, TWO "}\nnode {\nnodeid: 7\nname: n7\nring0_addr: n7\n", ""), 0);
    assert_int_equal(tasks.nodes_added_count, 1);
    assert_int_equal(tasks.nodes_added[0], 7);
    assert_true(tasks.totem && tasks.quorum);
    assert_int_equal(live_u32("runtime.config.totem.token"), 3650);
    load_good(conf("", ONE, "ring0_addr: 10.4.0.2\nnodeid: 4\n", ""), 0);
    assert_int_equal(tasks.nodes_added[0], 4);
    assert_int_equal(tasks.nodes_removed[0], 2);
    assert_null(cmap_store_text(&live, "nodelist.node.2.name"));
    assert_int_equal(live_u32("nodelist.local_node_pos"), 0);
    load_good(conf("", ONE, TWO "quorum_votes: 3\n", ""), 0);
    assert_true(tasks.quorum);
    assert_int_equal(tasks.nodes_added_count + tasks.nodes_removed_count, 0);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    load_bad(conf("", ONE, "ring0_addr: 10.4.0.3\n", ""),
             "new config has different address for link 0 (addr changed from 10.4.0.2 to 10.4.0.3). "
             "Internal value was NOT changed.");
    load_bad(conf("", "ring0_addr: 10.5.0.1\n", TWO, ""), "new config has different address for link 0");
    load_bad(conf("interface {\nknet_transport: sctp\n}\n", ONE, TWO, ""),
             "New config has different knet transport");
    load_bad(conf("", "ring0_addr: 10.4.0.1\nnodeid: 5\n", TWO, ""),
             "The id of this node cannot change from 1 to 5");
    load_bad(conf("", "ring0_addr: 10.4.0.9\nname: x\n", TWO, ""), "No valid name found for local host");
    load_bad(conf("", ONE, TWO, "}\n"), "Unexpected closing brace");
}

static void test_links(void **state)
{
    (void)state;
    load_good(conf("interface {\nlinknumber: 1\nknet_ping_timeout: 99\n}\n", ONE "ring1_addr: 10.5.0.1\n",
                   TWO "ring1_addr: 10.5.0.2\n", ""),
              0);
    assert_int_equal(tasks.links_added, 2);
    assert_int_equal(live_u32("runtime.config.totem.interface.1.knet_ping_timeout"), 99);
    assert_string_equal(live_text("totem.interface.1.bindnetaddr"), "10.5.0.1");
    config_host_loaded_fini(&now);
    now = next;
    config_host_loaded_init(&next);
    load_good(conf("interface {\nknet_link_priority: 4\nmcastport: 6000\n}\n", ONE, TWO, ""), 1);
    assert_int_equal(tasks.links_removed, 2);
    assert_int_equal(tasks.links_changed, 1);
    assert_int_equal(next.config.links[0].port, 5405);
    assert_int_equal(live_u32("runtime.config.totem.interface.1.knet_ping_timeout"), UINT64_MAX);
    assert_string_equal(live_text("totem.interface.1.bindnetaddr"), "");
}

static void test_what_waits_for_the_next_start(void **state)
{
    (void)state;
    load_good(conf("link_mode: active\n", ONE, TWO,
                   "quorum {\nwait_for_all: 1\nlast_man_standing: 1\nlast_man_standing_window: "
                   "7\nauto_tie_breaker: 1\n"
                   "auto_tie_breaker_node: 2\nexpected_votes_tracking: 1\n}\n"),
              7);
    assert_int_equal(next.config.link_mode, CORE_LINK_PASSIVE);
    assert_false(next.config.quorum.wait_for_all || next.config.quorum.last_man_standing);
    assert_int_equal(next.config.quorum.last_man_standing_window_ms, 10000);
    assert_false(tasks.quorum);
    /* what two_node brings along goes with it */
    load_good(conf("", ONE, TWO, "quorum {\ntwo_node: 1\n}\n"), 0);
    assert_true(tasks.quorum && next.config.quorum.wait_for_all);
}

static void test_crypto_logging_quorum(void **state)
{
    (void)state;
    load_good(conf("crypto_hash: sha256\nkeyfile: /key128\n", ONE, TWO, ""), 0);
    assert_true(tasks.crypto);
    load_bad(conf("crypto_hash: sha256\nkeyfile: /missing\n", ONE, TWO, ""), "Could not open it");
    load_good(conf("", ONE, TWO, "logging {\ndebug: on\n}\n"), 0);
    assert_true(tasks.logging);
    /* as with the packaged daemon a bad value is taken into cmap, and logging stays; here it is said */
    load_good(conf("", ONE, TWO, "logging {\ndebug: foo\n}\n"), 1);
    assert_false(tasks.logging);
    assert_string_equal(live_text("logging.debug"), "foo");
    load_good(conf("", ONE, TWO, "quorum {\nexpected_votes: 5\n}\n"), 0);
    assert_true(tasks.quorum);
    load_good(conf("", ONE, TWO, "quorum {\ndevice {\nmodel: net\nvotes: 1\n}\n}\n"), 0);
    assert_true(tasks.quorum);
}

static void test_order_and_kind_of_changes(void **state)
{
    uint64_t handle;

    (void)state;
    assert_int_equal(cmap_store_set_text(&live, "totem.own", "set by a client", NULL), CS_ERROR_OK);
    assert_int_equal(cmap_store_set_text(&live, "own.key", "set by a client", NULL), CS_ERROR_OK);
    assert_int_equal(cmap_tracker_add(&live, &client, "", 15, 0, &handle), CS_ERROR_OK);
    assert_int_equal(config_reload_begin(&live, &changes), CS_ERROR_OK);
    load_good(conf("merge: 300\n", ONE, TWO, "uidgid {\nuid: 5\n}\n"), 0);
    assert_int_equal(config_reload_end(&live, CS_ERROR_OK, &changes), CS_ERROR_OK);
    const char *const expected[] = {"config.totemconfig_reload_in_progress",
                                    "config.reload_in_progress",
                                    "totem.own",
                                    "runtime.config.totem.merge",
                                    "totem.merge",
                                    "uidgid.config.uid.5",
                                    "config.reload_status",
                                    "config.totemconfig_reload_in_progress",
                                    "config.reload_in_progress"};
    assert_int_equal(changes.count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < changes.count; i++)
        assert_string_equal(changes.items[i].name, expected[i]);
    assert_int_equal(changes.items[2].event, CMAP_ON_DELETE);
    assert_int_equal(changes.items[3].event, CMAP_ON_MODIFY);
    assert_string_equal(live_text("own.key"), "set by a client");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_same_again_is_no_change),
        TEST(test_timers),
        TEST(test_fixed_keys_keep_their_value),
        TEST(test_a_fixed_key_that_vanishes_stays),
        TEST(test_nodes_come_and_go),
        TEST(test_what_is_refused),
        TEST(test_links),
        TEST(test_what_waits_for_the_next_start),
        TEST(test_crypto_logging_quorum),
        TEST(test_order_and_kind_of_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
