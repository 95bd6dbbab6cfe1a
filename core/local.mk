# SPDX-License-Identifier: BSD-3-Clause
# The membership core. core/totem, core/services, core/config and core/stack are pure and go into libcore_logic.a (tests/lint
# checks it); every folder has its own list here.

noinst_LIBRARIES += libcore_logic.a
libcore_logic_a_SOURCES =

# What services share.
libcore_logic_a_SOURCES += \
	core/services/cs_error.h \
	core/services/ipc_wire.h \
	core/services/link_status.h \
	core/services/outbox.c \
	core/services/outbox.h \
	core/services/service.h

# The synchronisation after a change of the membership.
libcore_logic_a_SOURCES += \
	core/services/sync.c \
	core/services/sync.h \
	core/services/sync_wire.c \
	core/services/sync_wire.h

# Votes and quorum.
libcore_logic_a_SOURCES += \
	core/services/quorum.c \
	core/services/quorum.h \
	core/services/quorum_ipc.c \
	core/services/quorum_ipc.h \
	core/services/votequorum.c \
	core/services/votequorum.h \
	core/services/votequorum_act.c \
	core/services/votequorum_client.c \
	core/services/votequorum_config.c \
	core/services/votequorum_config.h \
	core/services/votequorum_count.c \
	core/services/votequorum_delivered.c \
	core/services/votequorum_device.c \
	core/services/votequorum_machine.h \
	core/services/votequorum_rules.c \
	core/services/votequorum_rules.h \
	core/services/votequorum_wire.c \
	core/services/votequorum_wire.h

# Process groups.
libcore_logic_a_SOURCES += \
	core/services/cpg.c \
	core/services/cpg.h \
	core/services/cpg_check.c \
	core/services/cpg_client.c \
	core/services/cpg_delivered.c \
	core/services/cpg_event.c \
	core/services/cpg_group.c \
	core/services/cpg_iteration.c \
	core/services/cpg_machine.h \
	core/services/cpg_sync.c \
	core/services/cpg_wire.c \
	core/services/cpg_wire.h

# Keys and values.
libcore_logic_a_SOURCES += \
	core/services/cmap_changes.c \
	core/services/cmap_handles.c \
	core/services/cmap_store.c \
	core/services/cmap_store.h \
	core/services/cmap_store_internal.h \
	core/services/cmap_value.c \
	core/services/cmap_value.h \
	core/services/name_tree.c \
	core/services/name_tree.h

# The services of keys and of configuration.
libcore_logic_a_SOURCES += \
	core/services/cfg.c \
	core/services/cfg.h \
	core/services/cfg_machine.h \
	core/services/cfg_requests.c \
	core/services/cfg_shutdown.c \
	core/services/cfg_status.c \
	core/services/cmap_machine.h \
	core/services/cmap_requests.c \
	core/services/cmap_samples.c \
	core/services/cmap_service.c \
	core/services/cmap_service.h \
	core/services/cmap_wire.c \
	core/services/cmap_wire.h

# Configuration.
libcore_logic_a_SOURCES += \
	core/config/conf_facts.c \
	core/config/conf_facts.h \
	core/config/conf_map.c \
	core/config/conf_map.h \
	core/config/conf_reader.c \
	core/config/conf_reader.h \
	core/config/conf_report.c \
	core/config/conf_report.h \
	core/config/conf_values.c \
	core/config/conf_values.h \
	core/config/config_check.c \
	core/config/config_internal.h \
	core/config/config_links.c \
	core/config/config_logging.c \
	core/config/config_nodes.c \
	core/config/config_publish.c \
	core/config/config_reload.c \
	core/config/config_reload.h \
	core/config/config_ring.c \
	core/config/config_ring.h \
	core/config/config_start.c \
	core/config/config_start.h \
	core/config/core_config.c \
	core/config/core_config.h \
	core/config/totem_config.c \
	core/config/totem_config.h

# The ring.
libcore_logic_a_SOURCES += \
	core/totem/actions.c \
	core/totem/assembly.c \
	core/totem/assembly.h \
	core/totem/commit.c \
	core/totem/datagram.c \
	core/totem/datagram.h \
	core/totem/flow.c \
	core/totem/linger.c \
	core/totem/frame.c \
	core/totem/frame.h \
	core/totem/handover.c \
	core/totem/machine.h \
	core/totem/membership.c \
	core/totem/nodes.c \
	core/totem/nodes.h \
	core/totem/octets.h \
	core/totem/ordering.c \
	core/totem/packing.c \
	core/totem/packing.h \
	core/totem/recovery.c \
	core/totem/settings.c \
	core/totem/settings.h \
	core/totem/store.c \
	core/totem/store.h \
	core/totem/token.c \
	core/totem/totem.c \
	core/totem/totem.h \
	core/totem/wire.h \
	core/totem/wire_decode.c \
	core/totem/wire_encode.c

# The whole node.
libcore_logic_a_SOURCES += \
	core/stack/absence.c \
	core/stack/connections.c \
	core/stack/connections.h \
	core/stack/keys.c \
	core/stack/mail.c \
	core/stack/mail.h \
	core/stack/requests.c \
	core/stack/ring.c \
	core/stack/stack.c \
	core/stack/stack.h \
	core/stack/stack_internal.h \
	core/stack/statistics.c \
	core/stack/votes.c \
	core/stack/walk.c

# The shell.
noinst_LIBRARIES += libcore.a
libcore_a_SOURCES = \
	core/client_file.c \
	core/client_file.h \
	core/daemon.c \
	core/daemon.h \
	core/config_loader.c \
	core/config_loader.h \
	core/host_facts.c \
	core/host_facts.h \
	core/ipc_queue.c \
	core/ipc_queue.h \
	core/ipc_server.c \
	core/ipc_server.h \
	core/ipc_server_internal.h \
	core/ipc_statistics.c \
	core/ipc_watch.c \
	core/ipc_watch.h \
	core/log_writer.c \
	core/log_writer.h \
	core/logging.c \
	core/logging.h \
	core/loop_timer.c \
	core/loop_timer.h \
	core/node.c \
	core/node.h \
	core/node_actions.c \
	core/node_internal.h \
	core/node_reload.c \
	core/ring_store.c \
	core/ring_store.h \
	core/scheduling.c \
	core/scheduling.h \
	core/settings.c \
	core/settings.h

# How nodes reach each other.
libcore_a_SOURCES += \
	core/transport/backend.h \
	core/transport/inbox.c \
	core/transport/inbox.h \
	core/transport/interface_watch.c \
	core/transport/interface_watch.h \
	core/transport/ip_address.c \
	core/transport/ip_address.h \
	core/transport/key_file.c \
	core/transport/key_file.h \
	core/transport/knet.c \
	core/transport/knet_crypto.c \
	core/transport/knet_crypto.h \
	core/transport/knet_links.c \
	core/transport/knet_links.h \
	core/transport/knet_log.c \
	core/transport/knet_log.h \
	core/transport/knet_rescue.c \
	core/transport/knet_rescue.h \
	core/transport/knet_statistics.c \
	core/transport/knet_statistics.h \
	core/transport/outbatch.c \
	core/transport/outbatch.h \
	core/transport/source_filter.c \
	core/transport/source_filter.h \
	core/transport/transport.c \
	core/transport/transport.h \
	core/transport/udp.c \
	core/transport/udp_base.c \
	core/transport/udp_base.h \
	core/transport/udp_socket.c \
	core/transport/udp_socket.h \
	core/transport/udpu.c \
	core/transport/repeated_pages.c \
	core/transport/repeated_pages.h

sbin_PROGRAMS += corosync-core
corosync_core_SOURCES = core/main.c
corosync_core_LDADD = $(CORE_LIBS)
