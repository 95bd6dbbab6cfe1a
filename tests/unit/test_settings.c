/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of corosync-qnetd: packaged names and ranges, and ours (spec/tools.md sections 6 and 7). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "qnetd/settings.h"

static struct settings settings;
static char err_text[SETTINGS_ERR_SIZE];

/* Words separated by blanks. */
static enum q_err parse(const char *line)
{
    static char copy[512];
    char *argv[16] = {(char *)"corosync-qnetd"};
    int argc = 1;
    char *rest = copy, *word;

    settings_fini(&settings);
    snprintf(copy, sizeof(copy), "%s", line);
    while ((word = strsep(&rest, " ")) != NULL) {
        if (*word != '\0')
            argv[argc++] = word;
    }
    return settings_parse(&settings, argc, argv, err_text, sizeof(err_text));
}

static int clear(void **state)
{
    (void)state;
    settings_fini(&settings);
    return 0;
}

static void defaults_are_the_packaged_ones_but_strict(void **state)
{
    struct arbiter_settings logic;

    (void)state;
    assert_int_equal(parse(""), Q_OK);
    assert_int_equal(settings.listen_port, 5403);
    assert_int_equal(settings.tls, WIRE_TLS_REQUIRED);
    assert_true(settings.client_cert_required);
    assert_int_equal(settings.max_client_send_buffers, 32);
    assert_int_equal(settings.max_client_send_size, 32768);
    assert_int_equal(settings.daemon.ipc_max_clients, 10);
    assert_int_equal(settings.daemon.ipc_max_receive_size, 4096);
    assert_int_equal(settings.daemon.ipc_max_send_size, 10485760);
    assert_int_equal(settings.listen_backlog, 4096);
    assert_string_equal(settings.nss_db_dir, Q_CONFDIR "/qnetd/nssdb");
    assert_string_equal(settings.cert_nickname, "QNetd Cert");
    assert_string_equal(settings.daemon.lock_file, Q_RUNDIR "/corosync-qnetd/corosync-qnetd.pid");
    assert_string_equal(settings.state_dir, Q_RUNDIR "/corosync-qnetd/state");
    settings_for_arbiter(&settings, &logic);
    assert_true(logic.strict);
    assert_int_equal(logic.heartbeat_ms_min, 1000);
    assert_int_equal(logic.heartbeat_ms_max, 120000);
    assert_int_equal(logic.dpd_coefficient_permille, 1500);
    assert_false(logic.keep_active_partition);
}

static void both_spellings_of_required_are_taken(void **state)
{
    (void)state;
    assert_int_equal(parse("-s req"), Q_OK);
    assert_int_equal(settings.tls, WIRE_TLS_REQUIRED);
    assert_int_equal(parse("-s Required"), Q_OK);
    assert_int_equal(settings.tls, WIRE_TLS_REQUIRED);
    assert_int_equal(parse("-s ON"), Q_OK);
    assert_int_equal(settings.tls, WIRE_TLS_SUPPORTED);
    assert_int_equal(parse("-s off"), Q_OK);
    assert_int_equal(settings.tls, WIRE_TLS_UNSUPPORTED);
    assert_int_equal(parse("-s maybe"), Q_ERR_INVALID);
}

static void simple_options(void **state)
{
    (void)state;
    assert_int_equal(parse("-4 -d -d -f -l 10.0.0.1 -p 6000 -c no -m 12"), Q_OK);
    assert_int_equal(settings.family, SETTINGS_FAMILY_IPV4);
    assert_int_equal(settings.daemon.debug_count, 2);
    assert_true(settings.daemon.foreground);
    assert_string_equal(settings.listen_address, "10.0.0.1");
    assert_int_equal(settings.listen_port, 6000);
    assert_false(settings.client_cert_required);
    assert_int_equal(settings.clients_max, 12);
    assert_int_equal(parse("-m 9223372036854775807"), Q_OK);
    assert_int_equal(parse("-m 9223372036854775808"), Q_ERR_INVALID);
    assert_int_equal(parse("-p 0"), Q_ERR_INVALID);
    assert_int_equal(parse("-p 65536"), Q_ERR_INVALID);
    assert_int_equal(parse("-c perhaps"), Q_ERR_INVALID);
}

static void help_and_version_come_before_what_follows(void **state)
{
    (void)state;
    assert_int_equal(parse("-h -p nonsense"), Q_OK);
    assert_int_equal(settings.daemon.command, SETTINGS_SHOW_HELP);
    assert_int_equal(parse("-v"), Q_OK);
    assert_int_equal(settings.daemon.command, SETTINGS_SHOW_VERSION);
}

static void advanced_settings_have_the_packaged_ranges(void **state)
{
    static const char *const good[] = {
        "listen_backlog=1",
        "max_client_send_buffers=2",
        "max_client_send_size=16",
        "max_client_receive_size=16",
        "heartbeat_interval_min=1",
        "heartbeat_interval_max=4294967295",
        "dpd_enabled=0",
        "dpd_interval_coefficient=1",
        "dpd_interval_coefficient=1000",
        "dpd_interval_coefficient=1.25",
        "dpd_interval=5",
        "local_socket_backlog=1",
        "ipc_max_clients=0",
        "ipc_max_receive_size=1024",
        "ipc_max_send_size=1024",
        "keep_active_partition_tie_breaker=on",
        "local_socket_umask=077",
        "local_socket_gid=-1",
        "NSS_DB_DIR=/x",
        "state_dir=/x",
        "vote_lease=packaged",
        "lease_margin=0",
        "init_timeout=1000",
        "max_nodes_per_cluster=1",
        "ipc_timeout=100",
        "nss_pwd_file=/x",
        "max_handshakes=1",
    };
    static const char *const bad[] = {
        "listen_backlog=0",
        "max_client_send_buffers=1",
        "max_client_send_size=15",
        "max_client_receive_size=15",
        "heartbeat_interval_min=0",
        "heartbeat_interval_max=4294967296",
        "dpd_enabled=2",
        "dpd_interval_coefficient=0.9",
        "dpd_interval_coefficient=1001",
        "dpd_interval_coefficient=nan",
        "local_socket_backlog=0",
        "ipc_max_receive_size=1023",
        "ipc_max_send_size=1023",
        "local_socket_umask=8",
        "vote_lease=loose",
        "max_nodes_per_cluster=0",
        "tls_cert_file=/x",
        "heartbeat_interval_min=5000,heartbeat_interval_max=4000",
    };
    char line[128];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(line, sizeof(line), "-S %s", good[i]);
        if (parse(line) != Q_OK)
            fail_msg("%s: %s", good[i], err_text);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(line, sizeof(line), "-S %s", bad[i]);
        if (parse(line) != Q_ERR_INVALID)
            fail_msg("%s was taken", bad[i]);
        assert_string_not_equal(err_text, "");
    }
}

static void an_obsolete_setting_leaves_a_warning(void **state)
{
    (void)state;
    assert_int_equal(parse("-S dpd_interval=1,dpd_enabled=off"), Q_OK);
    assert_string_not_equal(err_text, "");
    assert_false(settings.dpd_enabled);
}

static void the_state_lies_beside_the_lock_file(void **state)
{
    (void)state;
    assert_int_equal(parse("-S lock_file=/a/b/c.pid"), Q_OK);
    assert_string_equal(settings.state_dir, "/a/b/state");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(defaults_are_the_packaged_ones_but_strict, clear),
        cmocka_unit_test_teardown(both_spellings_of_required_are_taken, clear),
        cmocka_unit_test_teardown(simple_options, clear),
        cmocka_unit_test_teardown(help_and_version_come_before_what_follows, clear),
        cmocka_unit_test_teardown(advanced_settings_have_the_packaged_ranges, clear),
        cmocka_unit_test_teardown(an_obsolete_setting_leaves_a_warning, clear),
        cmocka_unit_test_teardown(the_state_lies_beside_the_lock_file, clear),
    };

    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
