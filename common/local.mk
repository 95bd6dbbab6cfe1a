# SPDX-License-Identifier: BSD-3-Clause
# What the programs share, in three libraries. Add a file by adding it and its header to a list:
#   libwire.a    common/wire: pure, the bytes on the wire
#   libcommon.a  pure: no clock, randomness, descriptors, logging or exit (tests/lint checks it)
#   libshell.a   what does I/O: event loop, logging, options, TLS, credentials, control socket

noinst_LIBRARIES += libwire.a libcommon.a libshell.a

libwire_a_SOURCES = \
	common/buf.c \
	common/buf.h \
	common/wire/decode.c \
	common/wire/encode.c \
	common/wire/framer.c \
	common/wire/framer.h \
	common/wire/names.c \
	common/wire/tables.c \
	common/wire/tables.h \
	common/wire/wire.h

libcommon_a_SOURCES = \
	common/cluster_identity.c \
	common/cluster_identity.h \
	common/deadline_heap.c \
	common/deadline_heap.h \
	common/err.c \
	common/err.h \
	common/cert_names.c \
	common/cert_names.h \
	common/log_budget.c \
	common/log_budget.h \
	common/mutation.h \
	common/node_set.c \
	common/node_set.h \
	common/protocol_text.c \
	common/protocol_text.h \
	common/printable.c \
	common/printable.h \
	common/text.c \
	common/text.h

libshell_a_SOURCES = \
	common/message_stream.c \
	common/message_stream.h \
	common/clock.c \
	common/clock.h \
	common/control/answer.c \
	common/control/client.c \
	common/control/client.h \
	common/control/explain.c \
	common/control/explain.h \
	common/control/tool_options.c \
	common/control/tool_options.h \
	common/control/request.c \
	common/control/request.h \
	common/control/server.c \
	common/control/server.h \
	common/daemon_options.c \
	common/daemon_options.h \
	common/daemonize.c \
	common/daemonize.h \
	common/log.c \
	common/log.h \
	common/notify.c \
	common/notify.h \
	common/options.c \
	common/options.h \
	common/pid_lock.c \
	common/pid_lock.h \
	common/program_options.c \
	common/program_options.h \
	common/syslog_socket.c \
	common/syslog_socket.h \
	common/tcp.c \
	common/tcp.h \
	common/tls/channel.c \
	common/tls/channel.h \
	common/tls/channel_bio.c \
	common/tls/channel_bio.h \
	common/tls/credentials.c \
	common/tls/credentials.h \
	common/tls/credentials_internal.h \
	common/tls/credentials_nss.c \
	common/tls/credentials_pem.c \
	common/tls/enrolment.c \
	common/tls/enrolment.h \
	common/tls/expiry.c \
	common/tls/expiry.h \
	common/tls/material.c \
	common/tls/memory.c \
	common/tls/memory.h \
	common/tls/nss_objects.c \
	common/tls/nss_objects.h \
	common/tls/peer_names.c \
	common/tls/peer_names.h \
	common/tls/stamp.c \
	common/tls/stamp.h \
	common/tls/verify.c \
	common/tls/verify.h
