# SPDX-License-Identifier: BSD-3-Clause
# Unit tests: one cmocka program per module; they speak TAP by themselves. Add one with:
#   UNIT_TESTS += tests/unit/test_X
#   tests_unit_test_X_SOURCES = tests/unit/test_X.c
#   tests_unit_test_X_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)
# (logic: libqnetd_logic.a before $(PURE_LIBS); shell: $(SHELL_LIBS) instead of $(PURE_LIBS))

UNIT_TESTS += tests/unit/test_err
tests_unit_test_err_SOURCES = tests/unit/test_err.c
tests_unit_test_err_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

# The wire: bytes, messages, framing.
WIRE_TEXT = tests/unit/wire_text.c tests/unit/wire_text.h
UNIT_TESTS += \
	tests/unit/test_buf \
	tests/unit/test_framer \
	tests/unit/test_wire_golden \
	tests/unit/test_wire_required \
	tests/unit/test_wire_rules
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c
tests_unit_test_buf_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_framer_SOURCES = tests/unit/test_framer.c tests/unit/wire_help.h tests/unit/wire_vectors.h
tests_unit_test_framer_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_wire_golden_SOURCES = tests/unit/test_wire_golden.c $(WIRE_TEXT) tests/unit/wire_help.h tests/unit/wire_vectors.h
tests_unit_test_wire_golden_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_wire_required_SOURCES = tests/unit/test_wire_required.c $(WIRE_TEXT) tests/unit/wire_help.h
tests_unit_test_wire_required_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_wire_rules_SOURCES = tests/unit/test_wire_rules.c tests/unit/wire_help.h
tests_unit_test_wire_rules_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

# TLS: test_certs makes certificates, tls_pair connects two channels.
TLS_TEST_SOURCES = tests/unit/test_certs.c tests/unit/test_certs.h tests/unit/tls_pair.c tests/unit/tls_pair.h
UNIT_TESTS += \
	tests/unit/test_message_stream \
	tests/unit/test_tls_channel \
	tests/unit/test_tls_expiry \
	tests/unit/test_tls_handshake \
	tests/unit/test_tls_memory \
	tests/unit/test_tls_nss \
	tests/unit/test_tls_peer_names \
	tests/unit/test_tls_pem
tests_unit_test_message_stream_SOURCES = tests/unit/test_message_stream.c $(TLS_TEST_SOURCES)
tests_unit_test_message_stream_LDADD = $(SHELL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_tls_channel_SOURCES = tests/unit/test_tls_channel.c $(TLS_TEST_SOURCES)
tests_unit_test_tls_channel_LDADD = $(SHELL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_tls_handshake_SOURCES = tests/unit/test_tls_handshake.c $(TLS_TEST_SOURCES)
tests_unit_test_tls_handshake_LDADD = $(SHELL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_tls_memory_SOURCES = tests/unit/test_tls_memory.c $(TLS_TEST_SOURCES)
tests_unit_test_tls_memory_LDADD = $(SHELL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_tls_nss_SOURCES = tests/unit/test_tls_nss.c $(TLS_TEST_SOURCES)
tests_unit_test_tls_nss_LDADD = $(SHELL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_tls_pem_SOURCES = tests/unit/test_tls_pem.c $(TLS_TEST_SOURCES)
tests_unit_test_tls_pem_LDADD = $(SHELL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_tls_peer_names_SOURCES = tests/unit/test_tls_peer_names.c $(TLS_TEST_SOURCES)
tests_unit_test_tls_peer_names_LDADD = $(SHELL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_tls_expiry_SOURCES = tests/unit/test_tls_expiry.c
tests_unit_test_tls_expiry_LDADD = $(SHELL_LIBS) $(CMOCKA_LIBS)

# Node sets, deadlines.
UNIT_TESTS += tests/unit/test_deadline_heap tests/unit/test_node_set
tests_unit_test_deadline_heap_SOURCES = tests/unit/test_deadline_heap.c
tests_unit_test_deadline_heap_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_node_set_SOURCES = tests/unit/test_node_set.c
tests_unit_test_node_set_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

# The algorithms; split makes clusters that fall apart.
SPLIT = tests/unit/split.c tests/unit/split.h
UNIT_TESTS += tests/unit/test_ffsplit tests/unit/test_lms tests/unit/test_ranking
tests_unit_test_ffsplit_SOURCES = tests/unit/test_ffsplit.c $(SPLIT)
tests_unit_test_ffsplit_LDADD = libqnetd_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_lms_SOURCES = tests/unit/test_lms.c $(SPLIT)
tests_unit_test_lms_LDADD = libqnetd_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_ranking_SOURCES = tests/unit/test_ranking.c $(SPLIT)
tests_unit_test_ranking_LDADD = libqnetd_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

# How much of the log a peer gets.
UNIT_TESTS += tests/unit/test_log_budget
tests_unit_test_log_budget_SOURCES = tests/unit/test_log_budget.c
tests_unit_test_log_budget_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

# The tools' side of the control socket.
UNIT_TESTS += tests/unit/test_control_client
tests_unit_test_control_client_SOURCES = tests/unit/test_control_client.c
tests_unit_test_control_client_LDADD = $(SHELL_LIBS) $(CMOCKA_LIBS)

# Leases and their records.
UNIT_TESTS += tests/unit/test_grant_record tests/unit/test_lease
tests_unit_test_grant_record_SOURCES = tests/unit/test_grant_record.c
tests_unit_test_grant_record_LDADD = libqnetd_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_lease_SOURCES = tests/unit/test_lease.c
tests_unit_test_lease_LDADD = libqnetd_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

# The arbiter's logic; arbiter_driver plays the shell.
ARBITER_DRIVER = tests/unit/arbiter_driver.c tests/unit/arbiter_driver.h
UNIT_TESTS += tests/unit/test_delivery
tests_unit_test_delivery_SOURCES = tests/unit/test_delivery.c $(ARBITER_DRIVER)
tests_unit_test_delivery_LDADD = libqnetd_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_defects
tests_unit_test_defects_SOURCES = tests/unit/test_defects.c $(ARBITER_DRIVER)
tests_unit_test_defects_LDADD = libqnetd_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_identity
tests_unit_test_identity_SOURCES = tests/unit/test_identity.c $(ARBITER_DRIVER)
tests_unit_test_identity_LDADD = libqnetd_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_init
tests_unit_test_init_SOURCES = tests/unit/test_init.c $(ARBITER_DRIVER)
tests_unit_test_init_LDADD = libqnetd_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_report
tests_unit_test_report_SOURCES = tests/unit/test_report.c $(ARBITER_DRIVER)
tests_unit_test_report_LDADD = libqnetd_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_restore
UNIT_TESTS += tests/unit/test_what_if
tests_unit_test_what_if_SOURCES = tests/unit/test_what_if.c qnetd/what_if.c qnetd/what_if.h
tests_unit_test_what_if_LDADD = libqnetd_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_session
tests_unit_test_session_SOURCES = tests/unit/test_session.c $(ARBITER_DRIVER)
tests_unit_test_session_LDADD = libqnetd_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_restore_SOURCES = tests/unit/test_restore.c $(ARBITER_DRIVER)
tests_unit_test_restore_LDADD = libqnetd_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

# The device's logic; agent_driver plays the shell and the arbiter.
UNIT_TESTS += tests/unit/test_agent_vote
tests_unit_test_agent_vote_SOURCES = tests/unit/test_agent_vote.c tests/unit/agent_driver.c tests/unit/agent_driver.h
tests_unit_test_agent_vote_LDADD = libqdevice_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_agent_link
tests_unit_test_agent_link_SOURCES = tests/unit/test_agent_link.c tests/unit/agent_driver.c tests/unit/agent_driver.h
tests_unit_test_agent_link_LDADD = libqdevice_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_agent_hostile
tests_unit_test_agent_hostile_SOURCES = tests/unit/test_agent_hostile.c tests/unit/agent_driver.c tests/unit/agent_driver.h
tests_unit_test_agent_hostile_LDADD = libqdevice_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_voting
tests_unit_test_voting_SOURCES = tests/unit/test_voting.c
tests_unit_test_voting_LDADD = libqdevice_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

# What daemons share, and the arbiter's shell as far as it needs no network.
UNIT_TESTS += \
	tests/unit/test_client_hello \
	tests/unit/test_connection_table \
	tests/unit/test_control_request \
	tests/unit/test_options \
	tests/unit/test_printable \
	tests/unit/test_program_options \
	tests/unit/test_settings \
	tests/unit/test_state_dir \
	tests/unit/test_state_marker \
	tests/unit/test_status_text \
	tests/unit/test_syslog_socket
tests_unit_test_syslog_socket_SOURCES = tests/unit/test_syslog_socket.c
tests_unit_test_syslog_socket_LDADD = $(SHELL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_client_hello_SOURCES = tests/unit/test_client_hello.c
tests_unit_test_client_hello_LDADD = libqnetd.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_connection_table_SOURCES = tests/unit/test_connection_table.c
tests_unit_test_connection_table_LDADD = libqnetd.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_control_request_SOURCES = tests/unit/test_control_request.c
tests_unit_test_control_request_LDADD = $(SHELL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_options_SOURCES = tests/unit/test_options.c
tests_unit_test_options_LDADD = $(SHELL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_printable_SOURCES = tests/unit/test_printable.c
tests_unit_test_printable_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_program_options_SOURCES = tests/unit/test_program_options.c
tests_unit_test_program_options_LDADD = $(SHELL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_settings_SOURCES = tests/unit/test_settings.c
tests_unit_test_settings_LDADD = libqnetd.a libqnetd_logic.a $(SHELL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_state_dir_SOURCES = tests/unit/test_state_dir.c
tests_unit_test_state_dir_LDADD = libqnetd.a libqnetd_logic.a $(SHELL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_state_marker_SOURCES = tests/unit/test_state_marker.c
tests_unit_test_state_marker_LDADD = libqnetd.a libqnetd_logic.a $(SHELL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_status_text_SOURCES = tests/unit/test_status_text.c $(ARBITER_DRIVER)
tests_unit_test_status_text_LDADD = libqnetd.a libqnetd_logic.a $(SHELL_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_cert_names
tests_unit_test_cert_names_SOURCES = tests/unit/test_cert_names.c
tests_unit_test_cert_names_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_check_clock
tests_unit_test_check_clock_SOURCES = tests/unit/test_check_clock.c certs/tools/check.c certs/tools/check_verdict.c tests/unit/test_certs.c
tests_unit_test_check_clock_LDADD = $(CERTS_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_clock_gap
tests_unit_test_clock_gap_SOURCES = tests/unit/test_clock_gap.c
tests_unit_test_clock_gap_LDADD = libcerts_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_enrolment
tests_unit_test_enrolment_SOURCES = tests/unit/test_enrolment.c
tests_unit_test_enrolment_LDADD = libqnetd.a libqnetd_logic.a $(CERTS_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_command_line tests/unit/test_device_config
tests_unit_test_command_line_SOURCES = tests/unit/test_command_line.c
tests_unit_test_command_line_LDADD = libqdevice_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_device_config_SOURCES = tests/unit/test_device_config.c
tests_unit_test_device_config_LDADD = libqdevice_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

# The device's helper processes.
UNIT_TESTS += tests/unit/test_arbiter_link
tests_unit_test_arbiter_link_SOURCES = tests/unit/test_arbiter_link.c
tests_unit_test_arbiter_link_LDADD = libqdevice.a libqdevice_logic.a $(SHELL_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_heuristics
tests_unit_test_heuristics_SOURCES = tests/unit/test_heuristics.c
tests_unit_test_heuristics_LDADD = libqdevice.a libqdevice_logic.a $(SHELL_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_voter
tests_unit_test_voter_SOURCES = tests/unit/test_voter.c
tests_unit_test_voter_LDADD = libqdevice.a libqdevice_logic.a $(SHELL_LIBS) $(COROSYNC_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_voter_watch
tests_unit_test_voter_watch_SOURCES = tests/unit/test_voter_watch.c
tests_unit_test_voter_watch_LDADD = libqdevice.a libqdevice_logic.a $(SHELL_LIBS) $(COROSYNC_LIBS) $(CMOCKA_LIBS)

# The membership core: keys and values, configuration.
UNIT_TESTS += tests/unit/test_name_tree
UNIT_TESTS += tests/unit/test_cmap_store
tests_unit_test_cmap_store_SOURCES = tests/unit/test_cmap_store.c
tests_unit_test_cmap_store_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_config_reload tests/unit/test_core_config
tests_unit_test_config_reload_SOURCES = tests/unit/test_config_reload.c tests/unit/config_host.h
tests_unit_test_config_reload_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_core_config_SOURCES = tests/unit/test_core_config.c tests/unit/config_host.h
tests_unit_test_core_config_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_name_tree_SOURCES = tests/unit/test_name_tree.c
tests_unit_test_name_tree_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

# The membership core: the services of keys and of configuration.
SERVICE_DRIVER = tests/unit/service_driver.c tests/unit/service_driver.h
CMAP_DRIVER = tests/unit/cmap_driver.c tests/unit/cmap_driver.h $(SERVICE_DRIVER)
UNIT_TESTS += tests/unit/test_cfg tests/unit/test_cmap_members tests/unit/test_cmap_service
tests_unit_test_cfg_SOURCES = tests/unit/test_cfg.c $(SERVICE_DRIVER)
tests_unit_test_cfg_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_cmap_members_SOURCES = tests/unit/test_cmap_members.c $(CMAP_DRIVER)
tests_unit_test_cmap_members_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_cmap_service_SOURCES = tests/unit/test_cmap_service.c $(CMAP_DRIVER)
tests_unit_test_cmap_service_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

# The membership core: the ring.
UNIT_TESTS += tests/unit/test_totem_wire
tests_unit_test_totem_wire_SOURCES = tests/unit/test_totem_wire.c tests/unit/totem_vectors.h
tests_unit_test_totem_wire_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
TOTEM_DRIVER = tests/unit/totem_driver.c tests/unit/totem_driver.h
UNIT_TESTS += \
	tests/unit/test_totem_linger \
	tests/unit/test_totem_packing \
	tests/unit/test_totem_ring \
	tests/unit/test_totem_settings
tests_unit_test_totem_linger_SOURCES = tests/unit/test_totem_linger.c $(TOTEM_DRIVER)
tests_unit_test_totem_linger_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_totem_packing_SOURCES = tests/unit/test_totem_packing.c
tests_unit_test_totem_packing_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_totem_ring_SOURCES = tests/unit/test_totem_ring.c $(TOTEM_DRIVER)
tests_unit_test_totem_ring_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_totem_settings_SOURCES = tests/unit/test_totem_settings.c
tests_unit_test_totem_settings_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

# TCP as both ends want it.
UNIT_TESTS += tests/unit/test_tcp
tests_unit_test_tcp_SOURCES = tests/unit/test_tcp.c
tests_unit_test_tcp_LDADD = $(SHELL_LIBS) $(CMOCKA_LIBS)

# The membership core: the synchronisation.
UNIT_TESTS += tests/unit/test_sync
tests_unit_test_sync_SOURCES = tests/unit/test_sync.c
tests_unit_test_sync_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

# The membership core: votes and quorum.
UNIT_TESTS += tests/unit/test_quorum
tests_unit_test_quorum_SOURCES = tests/unit/test_quorum.c
tests_unit_test_quorum_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_quorum_ipc
tests_unit_test_quorum_ipc_SOURCES = tests/unit/test_quorum_ipc.c
tests_unit_test_quorum_ipc_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_votequorum_wire
tests_unit_test_votequorum_wire_SOURCES = tests/unit/test_votequorum_wire.c
tests_unit_test_votequorum_wire_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_votequorum_rules
tests_unit_test_votequorum_rules_SOURCES = tests/unit/test_votequorum_rules.c
tests_unit_test_votequorum_rules_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
VQ_CLUSTER = tests/unit/votequorum_cluster.c tests/unit/votequorum_cluster.h
UNIT_TESTS += tests/unit/test_votequorum
tests_unit_test_votequorum_SOURCES = tests/unit/test_votequorum.c $(VQ_CLUSTER)
tests_unit_test_votequorum_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_votequorum_device
tests_unit_test_votequorum_device_SOURCES = tests/unit/test_votequorum_device.c $(VQ_CLUSTER)
tests_unit_test_votequorum_device_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_votequorum_config
tests_unit_test_votequorum_config_SOURCES = tests/unit/test_votequorum_config.c
tests_unit_test_votequorum_config_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_votequorum_matrix
tests_unit_test_votequorum_matrix_SOURCES = tests/unit/test_votequorum_matrix.c $(VQ_CLUSTER)
tests_unit_test_votequorum_matrix_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

# Process groups; cpg_cluster is their bus, and their clients.
CPG_CLUSTER = tests/unit/cpg_cluster.c tests/unit/cpg_cluster.h
UNIT_TESTS += tests/unit/test_cpg
tests_unit_test_cpg_SOURCES = tests/unit/test_cpg.c $(CPG_CLUSTER)
tests_unit_test_cpg_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_cpg_sync
tests_unit_test_cpg_sync_SOURCES = tests/unit/test_cpg_sync.c $(CPG_CLUSTER)
tests_unit_test_cpg_sync_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

# The membership core: the shell as far as it needs no network.
UNIT_TESTS += tests/unit/test_client_file
tests_unit_test_client_file_SOURCES = tests/unit/test_client_file.c
tests_unit_test_client_file_LDADD = libcore.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_core_logging
tests_unit_test_core_logging_SOURCES = tests/unit/test_core_logging.c
tests_unit_test_core_logging_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_scheduling
tests_unit_test_scheduling_SOURCES = tests/unit/test_scheduling.c
tests_unit_test_scheduling_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_core_settings
tests_unit_test_core_settings_SOURCES = tests/unit/test_core_settings.c
tests_unit_test_core_settings_LDADD = libcore.a $(SHELL_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_ring_store
tests_unit_test_ring_store_SOURCES = tests/unit/test_ring_store.c
tests_unit_test_ring_store_LDADD = libcore.a $(PURE_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_repeated_pages
tests_unit_test_repeated_pages_SOURCES = tests/unit/test_repeated_pages.c core/transport/repeated_pages.c
tests_unit_test_repeated_pages_LDADD = $(CMOCKA_LIBS)
# The transports; the lab puts some nodes into one process.
TRANSPORT_LAB = tests/unit/transport_lab.c tests/unit/transport_lab.h
UNIT_TESTS += tests/unit/test_transport_knet tests/unit/test_transport_udpu
tests_unit_test_transport_knet_SOURCES = tests/unit/test_transport_knet.c $(TRANSPORT_LAB)
tests_unit_test_transport_knet_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_transport_udpu_SOURCES = tests/unit/test_transport_udpu.c $(TRANSPORT_LAB)
tests_unit_test_transport_udpu_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)

# The membership core: whole nodes.
STACK_CLUSTER = tests/unit/config_host.h tests/unit/stack_cluster.c tests/unit/stack_cluster.h
UNIT_TESTS += tests/unit/test_stack
tests_unit_test_stack_SOURCES = tests/unit/test_stack.c $(STACK_CLUSTER)
tests_unit_test_stack_LDADD = libcore_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

# Enrolment: codes, messages and what is done upon them, invitations, limits.
UNIT_TESTS += \
	tests/unit/test_cluster_register \
	tests/unit/test_enrol_code \
	tests/unit/test_enrol_guard \
	tests/unit/test_enrol_room \
	tests/unit/test_enrol_secret \
	tests/unit/test_enrol_wire \
	tests/unit/test_invitation \
	tests/unit/test_invitation_use \
	tests/unit/test_revocation_watch \
	tests/unit/test_revocations \
	tests/unit/test_tls_stamp
tests_unit_test_tls_stamp_SOURCES = tests/unit/test_tls_stamp.c $(TLS_TEST_SOURCES)
tests_unit_test_tls_stamp_LDADD = $(SHELL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_cluster_register_SOURCES = tests/unit/test_cluster_register.c
tests_unit_test_cluster_register_LDADD = libcerts_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_revocation_watch_SOURCES = tests/unit/test_revocation_watch.c
tests_unit_test_revocation_watch_LDADD = libqnetd.a libqnetd_logic.a $(CERTS_LIBS) $(CMOCKA_LIBS)
tests_unit_test_invitation_use_SOURCES = tests/unit/test_invitation_use.c
tests_unit_test_invitation_use_LDADD = $(CERTS_LIBS) $(CMOCKA_LIBS)
tests_unit_test_revocations_SOURCES = tests/unit/test_revocations.c
tests_unit_test_revocations_LDADD = libcerts_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_enrol_code_SOURCES = tests/unit/test_enrol_code.c
tests_unit_test_enrol_code_LDADD = libcerts_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_enrol_guard_SOURCES = tests/unit/test_enrol_guard.c
tests_unit_test_enrol_guard_LDADD = libcerts_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_enrol_room_SOURCES = tests/unit/test_enrol_room.c
tests_unit_test_enrol_room_LDADD = libcerts_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_enrol_wire_SOURCES = tests/unit/test_enrol_wire.c
tests_unit_test_enrol_wire_LDADD = libcerts_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_invitation_SOURCES = tests/unit/test_invitation.c
tests_unit_test_invitation_LDADD = libcerts_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_enrol_secret_SOURCES = tests/unit/test_enrol_secret.c $(TLS_TEST_SOURCES)
tests_unit_test_enrol_secret_LDADD = $(CERTS_LIBS) $(CMOCKA_LIBS)

# Certificates: names and numbers, what is signed, the stores.
UNIT_TESTS += tests/unit/test_certs_issue tests/unit/test_certs_logic tests/unit/test_certs_roll tests/unit/test_certs_store
tests_unit_test_certs_roll_SOURCES = tests/unit/test_certs_roll.c $(TLS_TEST_SOURCES)
tests_unit_test_certs_roll_LDADD = $(CERTS_LIBS) $(CMOCKA_LIBS)
tests_unit_test_certs_issue_SOURCES = tests/unit/test_certs_issue.c
tests_unit_test_certs_issue_LDADD = $(CERTS_LIBS) $(CMOCKA_LIBS)
tests_unit_test_certs_logic_SOURCES = tests/unit/test_certs_logic.c
tests_unit_test_certs_logic_LDADD = libcerts_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_certs_store_SOURCES = tests/unit/test_certs_store.c tests/unit/test_certs.c tests/unit/test_certs.h
tests_unit_test_certs_store_LDADD = $(CERTS_LIBS) $(CMOCKA_LIBS)
