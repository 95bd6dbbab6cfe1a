/* SPDX-License-Identifier: BSD-3-Clause */
/* Status and list, byte for byte as the packaged arbiter prints them (spec/tools.md section 5), and the JSON. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "qnetd/settings.h"
#include "qnetd/status.h"
#include "tests/unit/arbiter_driver.h"

static struct driver driver;
static struct settings settings;
static struct decisions decisions;
static struct status_source source;
static char shown[16384];

static int set_up(void **state)
{
    char *argv[] = {(char *)"corosync-qnetd", NULL};
    char err_text[SETTINGS_ERR_SIZE];

    (void)state;
    driver_init(&driver);
    decisions_init(&decisions);
    assert_int_equal(settings_parse(&settings, 1, argv, err_text, sizeof(err_text)), Q_OK);
    source =
        (struct status_source){.arbiter = driver.arbiter, .settings = &settings, .decisions = &decisions};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    decisions_fini(&decisions);
    settings_fini(&settings);
    driver_fini(&driver);
    return 0;
}

static const char *take(struct q_buf *buf)
{
    assert_false(buf->failed);
    snprintf(shown, sizeof(shown), "%.*s", (int)buf->size,
             buf->size == 0 ? "" : (const char *)q_buf_bytes(buf));
    q_buf_fini(buf);
    return shown;
}

static const char *list(bool verbose, const char *name)
{
    struct wire_bytes bytes = {(const uint8_t *)name, name == NULL ? 0 : strlen(name)};
    struct q_buf buf;

    q_buf_init(&buf);
    status_list_text(&source, verbose, bytes, &buf);
    return take(&buf);
}

static const char *status(bool verbose)
{
    struct q_buf buf;

    q_buf_init(&buf);
    status_text(&source, verbose, &buf);
    return take(&buf);
}

static void two_nodes_with_votes(void)
{
    driver_join(&driver, 1, 1, WIRE_ALGORITHM_FFSPLIT, "1,2");
    driver_join(&driver, 2, 2, WIRE_ALGORITHM_FFSPLIT, "1,2");
    driver_membership(&driver, 1, "1,2", 1, 0x1e, WIRE_HEURISTICS_UNDEFINED);
    driver_membership(&driver, 2, "1,2", 1, 0x1e, WIRE_HEURISTICS_UNDEFINED);
    driver_confirm(&driver, 1);
    driver_confirm(&driver, 2);
    driver_quorum(&driver, 1, "1,2", true);
    driver_quorum(&driver, 2, "1,2", true);
    source.now_ms = driver.now_ms;
}

static void status_of_an_idle_arbiter(void **state)
{
    (void)state;
    assert_string_equal(status(false), "QNetd address:\t\t\t*:5403\n"
                                       "TLS:\t\t\t\tRequired (client certificate required)\n"
                                       "Connected clients:\t\t0\n"
                                       "Connected clusters:\t\t0\n");
}

static void status_counts_and_names_its_address(void **state)
{
    (void)state;
    two_nodes_with_votes();
    driver_connect(&driver, 3);
    settings.listen_address = strdup("fd77::4");
    settings.listen_port = 6000;
    settings.tls = WIRE_TLS_SUPPORTED;
    settings.client_cert_required = false;
    assert_string_equal(status(false), "QNetd address:\t\t\tfd77::4:6000\n"
                                       "TLS:\t\t\t\tSupported\n"
                                       "Connected clients:\t\t3\n"
                                       "Connected clusters:\t\t1\n");
}

static void verbose_status_begins_like_the_packaged_one(void **state)
{
    static const char expected[] = "QNetd address:\t\t\t*:5403\n"
                                   "TLS:\t\t\t\tUnsupported\n"
                                   "Connected clients:\t\t0\n"
                                   "Connected clusters:\t\t0\n"
                                   "Maximum allowed clients:\t5\n"
                                   "Maximum send/receive size:\t32768/32768 bytes\n";

    (void)state;
    settings.clients_max = 5;
    settings.tls = WIRE_TLS_UNSUPPORTED;
    assert_memory_equal(status(true), expected, strlen(expected));
    assert_non_null(strstr(shown, "Warning:\t\t\tTLS is off: clients are not authenticated\n"));
}

static void list_of_two_nodes(void **state)
{
    (void)state;
    two_nodes_with_votes();
    list(false, NULL);
    /* Addresses are the driver's. */
    assert_non_null(strstr(shown, "Cluster \"C\":\n"
                                  "    Algorithm:\t\tFifty-Fifty split\n"
                                  "    Tie-breaker:\tNode with lowest node ID\n"
                                  "    Node ID 1:\n"
                                  "        Client address:\t\t"));
    assert_non_null(strstr(shown, "        Configured node list:\t1, 2\n"
                                  "        Membership node list:\t1, 2\n"
                                  "        Vote:\t\t\tNo change (ACK)\n"));
    assert_null(strstr(shown, "Heuristics"));
    assert_null(strstr(shown, "Effective"));
}

static void verbose_list_adds_the_packaged_lines_in_their_order(void **state)
{
    (void)state;
    two_nodes_with_votes();
    list(true, NULL);
    assert_non_null(strstr(shown,
                           "        Ring ID:\t\t1.1e\n"
                           "        Membership node list:\t1, 2\n"
                           "        Heuristics:\t\tUndefined (membership: Undefined, regular: Undefined)\n"
                           "        TLS active:\t\tNo\n"
                           "        Vote:\t\t\tNo change (ACK)\n"
                           "        Effective vote:\t\tACK\n"
                           "    Node ID 2:\n"));
    assert_non_null(strstr(shown, "        HB interval:\t\t"));
    assert_non_null(strstr(shown, "    Decision:\t\tffsplit: 2 of 2 nodes"));
}

static void heuristics_show_once_there_are_any(void **state)
{
    (void)state;
    two_nodes_with_votes();
    driver_heuristics(&driver, 1, WIRE_HEURISTICS_FAIL);
    assert_non_null(strstr(list(false, NULL), "        Heuristics:\t\tFail\n"));
    assert_non_null(
        strstr(list(true, NULL), "        Heuristics:\t\tFail (membership: Undefined, regular: Fail)\n"));
}

static void the_keep_active_suffix_needs_all_nodes(void **state)
{
    (void)state;
    two_nodes_with_votes();
    driver_keep_active(&driver, 1, true);
    assert_null(strstr(list(false, NULL), "KAP"));
    driver_keep_active(&driver, 2, true);
    assert_non_null(strstr(list(false, NULL), "    Algorithm:\t\tFifty-Fifty split (KAP Tie-breaker)\n"));
}

static void the_filter_is_exact(void **state)
{
    (void)state;
    two_nodes_with_votes();
    assert_string_equal(list(false, "c"), "");
    assert_string_not_equal(list(false, "C"), "");
}

static void a_cluster_of_ghosts_is_not_listed_as_connected(void **state)
{
    (void)state;
    two_nodes_with_votes();
    driver_disconnect(&driver, 1, ARBITER_GONE_EOF);
    list(true, NULL);
    assert_null(strstr(shown, "Node ID 1:"));
    assert_non_null(strstr(shown, "    Vote left with:\tnode 1 until "));
    driver_disconnect(&driver, 2, ARBITER_GONE_EOF);
    assert_string_equal(list(true, NULL), "");
}

static json_t *load(struct q_buf *buf)
{
    json_t *value;

    assert_false(buf->failed);
    value = json_loadb((const char *)q_buf_bytes(buf), buf->size, 0, NULL);
    assert_non_null(value);
    q_buf_fini(buf);
    return value;
}

static void json_tells_votes_and_reasons(void **state)
{
    struct q_buf buf;
    json_t *root, *cluster, *node;

    (void)state;
    two_nodes_with_votes();
    q_buf_init(&buf);
    status_list_json(&source, (struct wire_bytes){0}, 0, UINT64_MAX, &buf);
    root = load(&buf);
    assert_true(json_is_null(json_object_get(root, "next")));
    cluster = json_array_get(json_object_get(root, "clusters"), 0);
    assert_string_equal(json_string_value(json_object_get(cluster, "name")), "C");
    assert_string_equal(json_string_value(json_object_get(cluster, "algorithm")), "ffsplit");
    assert_int_equal(json_array_size(json_object_get(cluster, "partitions")), 1);
    assert_int_equal(json_array_size(json_object_get(cluster, "winner")), 2);
    node = json_array_get(json_object_get(cluster, "nodes"), 1);
    assert_int_equal(json_integer_value(json_object_get(node, "node_id")), 2);
    assert_string_equal(json_string_value(json_object_get(node, "effective_vote")), "ACK");
    assert_string_equal(json_string_value(json_object_get(json_object_get(node, "ring"), "text")), "1.1e");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(node, "ring"), "seq")), 30);
    json_decref(root);
}

static void json_comes_in_pages(void **state)
{
    struct q_buf buf;
    json_t *root;

    (void)state;
    two_nodes_with_votes();
    q_buf_init(&buf);
    status_list_json(&source, (struct wire_bytes){0}, 0, 0, &buf);
    root = load(&buf);
    assert_int_equal(json_integer_value(json_object_get(root, "next")), 0);
    assert_int_equal(json_array_size(json_object_get(root, "clusters")), 0);
    json_decref(root);
    q_buf_init(&buf);
    status_list_json(&source, (struct wire_bytes){0}, 1, 5, &buf);
    root = load(&buf);
    assert_true(json_is_null(json_object_get(root, "next")));
    assert_int_equal(json_array_size(json_object_get(root, "clusters")), 0);
    json_decref(root);
}

static void json_tells_decisions_since(void **state)
{
    static const struct wire_bytes name = {(const uint8_t *)"a\xff", 2};
    struct q_buf buf;
    json_t *root, *first;

    (void)state;
    for (int i = 0; i < 3; i++)
        decisions_add(&decisions, 1000 * i, 5, name, 0, "text");
    q_buf_init(&buf);
    status_decisions_json(&source, 1, (struct wire_bytes){0}, &buf);
    root = load(&buf);
    assert_int_equal(json_integer_value(json_object_get(root, "newest")), 3);
    assert_int_equal(json_array_size(json_object_get(root, "decisions")), 2);
    first = json_array_get(json_object_get(root, "decisions"), 0);
    assert_int_equal(json_integer_value(json_object_get(first, "seq")), 2);
    assert_string_equal(json_string_value(json_object_get(first, "cluster")), "a\\xff");
    json_decref(root);
    q_buf_init(&buf);
    status_decisions_json(&source, 0, (struct wire_bytes){(const uint8_t *)"b", 1}, &buf);
    root = load(&buf);
    assert_int_equal(json_array_size(json_object_get(root, "decisions")), 0);
    json_decref(root);
}

static void the_oldest_decisions_give_way(void **state)
{
    static const struct wire_bytes name = {(const uint8_t *)"C", 1};
    const struct decision *oldest;

    (void)state;
    assert_null(decisions_after(&decisions, 0));
    for (int i = 0; i < DECISIONS_KEPT + 10; i++)
        decisions_add(&decisions, 0, 5, name, 0, "text");
    oldest = decisions_after(&decisions, 0);
    assert_int_equal(oldest->seq, 11);
    assert_int_equal(decisions_after(&decisions, DECISIONS_KEPT + 9)->seq, DECISIONS_KEPT + 10);
    assert_null(decisions_after(&decisions, DECISIONS_KEPT + 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(status_of_an_idle_arbiter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(status_counts_and_names_its_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(verbose_status_begins_like_the_packaged_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(list_of_two_nodes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(verbose_list_adds_the_packaged_lines_in_their_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(heuristics_show_once_there_are_any, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_keep_active_suffix_needs_all_nodes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_filter_is_exact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cluster_of_ghosts_is_not_listed_as_connected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(json_tells_votes_and_reasons, set_up, tear_down),
        cmocka_unit_test_setup_teardown(json_comes_in_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(json_tells_decisions_since, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_oldest_decisions_give_way, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("status_text", tests, NULL, NULL);
}
