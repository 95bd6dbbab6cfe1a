# SPDX-License-Identifier: BSD-3-Clause
# The arbiter. qnetd/logic is pure and goes into libqnetd_logic.a (tests/lint checks it); the rest is
# shell and belongs to the programs. A program is listed with its sources like this:
#   bin_PROGRAMS += corosync-qnetd
#   corosync_qnetd_SOURCES = qnetd/main.c qnetd/server.c qnetd/server.h
#   corosync_qnetd_LDADD = libqnetd_logic.a $(SHELL_LIBS)

noinst_LIBRARIES += libqnetd_logic.a

libqnetd_logic_a_SOURCES = \
	qnetd/logic/arbiter.c \
	qnetd/logic/arbiter.h \
	qnetd/logic/cluster.h \
	qnetd/logic/clusters.c \
	qnetd/logic/delivery.c \
	qnetd/logic/emit.c \
	qnetd/logic/ffsplit.c \
	qnetd/logic/grant_record.c \
	qnetd/logic/grant_record.h \
	qnetd/logic/init.c \
	qnetd/logic/lease.c \
	qnetd/logic/lease.h \
	qnetd/logic/lms.c \
	qnetd/logic/lms.h \
	qnetd/logic/machine.h \
	qnetd/logic/ranking.c \
	qnetd/logic/ranking.h \
	qnetd/logic/record.c \
	qnetd/logic/report.c \
	qnetd/logic/session.c \
	qnetd/logic/two_node_lms.c \
	qnetd/logic/verdict.c \
	qnetd/logic/verdict.h \
	qnetd/logic/verdict_text.h \
	qnetd/logic/view.c

# Everything of the daemon but main, so that tests can link parts of it.
noinst_LIBRARIES += libqnetd.a

libqnetd_a_SOURCES = \
	qnetd/client_hello.c \
	qnetd/client_hello.h \
	qnetd/connection.c \
	qnetd/connection.h \
	qnetd/connection_table.c \
	qnetd/connection_table.h \
	qnetd/control.c \
	qnetd/control.h \
	qnetd/daemon.c \
	qnetd/daemon.h \
	qnetd/decisions.c \
	qnetd/decisions.h \
	qnetd/enrolment.c \
	qnetd/enrolment.h \
	qnetd/identity.c \
	qnetd/identity.h \
	qnetd/listener.c \
	qnetd/listener.h \
	qnetd/note_log.c \
	qnetd/note_log.h \
	qnetd/revocation.c \
	qnetd/revocation.h \
	qnetd/server.c \
	qnetd/server.h \
	qnetd/server_actions.c \
	qnetd/server_connections.c \
	qnetd/server_internal.h \
	qnetd/settings.c \
	qnetd/settings.h \
	qnetd/state_dir.c \
	qnetd/state_dir.h \
	qnetd/state_marker.c \
	qnetd/state_marker.h \
	qnetd/status.c \
	qnetd/status.h \
	qnetd/status_json.c \
	qnetd/status_text.c

bin_PROGRAMS += corosync-qnetd
corosync_qnetd_SOURCES = qnetd/main.c
corosync_qnetd_LDADD = libqnetd.a libqnetd_logic.a $(CERTS_LIBS)

bin_PROGRAMS += corosync-qnetd-tool
corosync_qnetd_tool_SOURCES = \
	qnetd/tool.c \
	qnetd/tool.h \
	qnetd/tool_json.c \
	qnetd/tool_watch.c \
	qnetd/what_if.c \
	qnetd/what_if.h \
	qnetd/what_if_main.c
corosync_qnetd_tool_LDADD = libqnetd_logic.a $(SHELL_LIBS)
