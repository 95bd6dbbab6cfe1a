# SPDX-License-Identifier: BSD-3-Clause
# The device. qdevice/logic is pure and goes into libqdevice_logic.a (tests/lint checks it).

noinst_LIBRARIES += libqdevice_logic.a

libqdevice_logic_a_SOURCES = \
	qdevice/logic/act.c \
	qdevice/logic/agent.c \
	qdevice/logic/agent.h \
	qdevice/logic/agent_machine.h \
	qdevice/logic/command_line.c \
	qdevice/logic/command_line.h \
	qdevice/logic/conversation.c \
	qdevice/logic/device_config.c \
	qdevice/logic/device_config.h \
	qdevice/logic/keys.c \
	qdevice/logic/keys.h \
	qdevice/logic/link.c \
	qdevice/logic/node_keys.c \
	qdevice/logic/node_keys.h \
	qdevice/logic/timing.c \
	qdevice/logic/timing.h \
	qdevice/logic/vote.c \
	qdevice/logic/voting.c \
	qdevice/logic/voting.h

# The shell. What ties the device to the node's core needs $(COROSYNC_LIBS).
noinst_LIBRARIES += libqdevice.a
libqdevice_a_SOURCES = \
	qdevice/arbiter_link.c \
	qdevice/arbiter_link.h \
	qdevice/control.c \
	qdevice/control.h \
	qdevice/core.c \
	qdevice/core.h \
	qdevice/core_cmap.c \
	qdevice/core_internal.h \
	qdevice/core_votequorum.c \
	qdevice/credentials.c \
	qdevice/credentials.h \
	qdevice/device.c \
	qdevice/device.h \
	qdevice/heuristics.c \
	qdevice/heuristics.h \
	qdevice/heuristics_protocol.h \
	qdevice/heuristics_worker.c \
	qdevice/resolver.c \
	qdevice/resolver.h \
	qdevice/settings.c \
	qdevice/settings.h \
	qdevice/status.h \
	qdevice/status_json.c \
	qdevice/status_text.c \
	qdevice/voter.c \
	qdevice/voter.h \
	qdevice/voter_process.c \
	qdevice/voter_process.h \
	qdevice/voter_watch.c \
	qdevice/voter_watch.h

sbin_PROGRAMS += corosync-qdevice
corosync_qdevice_SOURCES = qdevice/main.c
corosync_qdevice_LDADD = libqdevice.a libqdevice_logic.a $(CERTS_LIBS) $(COROSYNC_LIBS)

sbin_PROGRAMS += corosync-qdevice-tool
corosync_qdevice_tool_SOURCES = qdevice/tool.c
corosync_qdevice_tool_LDADD = $(SHELL_LIBS)
