# SPDX-License-Identifier: BSD-3-Clause
# Enrolment without ssh (docs/enrolment.md). Its logic goes into libcerts_logic.a, what both tools share into libcerts.a.

libcerts_logic_a_SOURCES += \
	certs/logic/cluster_register.c \
	certs/logic/cluster_register.h \
	certs/logic/clock_gap.c \
	certs/logic/clock_gap.h \
	certs/logic/enrol_code.c \
	certs/logic/enrol_code.h \
	certs/logic/enrol_guard.c \
	certs/logic/enrol_guard.h \
	certs/logic/enrol_reply.c \
	certs/logic/enrol_reply.h \
	certs/logic/enrol_room.c \
	certs/logic/enrol_room.h \
	certs/logic/enrol_session.c \
	certs/logic/enrol_session.h \
	certs/logic/enrol_wire.c \
	certs/logic/enrol_wire.h \
	certs/logic/invitation.c \
	certs/logic/invitation.h \
	certs/logic/line_file.c \
	certs/logic/line_file.h \
	certs/logic/revocations.c \
	certs/logic/revocations.h

libcerts_a_SOURCES += \
	certs/enrol/clusters.c \
	certs/enrol/clusters.h \
	certs/enrol/invitation_dir.c \
	certs/enrol/invitation_dir.h \
	certs/enrol/invitation_use.c \
	certs/enrol/invitation_use.h \
	certs/enrol/secret.c \
	certs/enrol/secret.h

libcerts_a_SOURCES += \
	certs/enrol/handover.c \
	certs/enrol/handover.h \
	certs/enrol/revoked.c \
	certs/enrol/revoked.h \
	certs/enrol/ask.c \
	certs/enrol/ask.h \
	certs/enrol/converse.c \
	certs/enrol/converse.h \
	certs/enrol/invite.c \
	certs/enrol/invite.h \
	certs/enrol/join.c \
	certs/enrol/join.h \
	certs/enrol/standing.c \
	certs/enrol/standing.h

# Started by the arbiter.
libexec_PROGRAMS = corosync-qnetd-enrol
corosync_qnetd_enrol_SOURCES = \
	certs/enrol/appraise.c \
	certs/enrol/appraise.h \
	certs/enrol/judge.c \
	certs/enrol/judge.h \
	certs/enrol/main.c \
	certs/enrol/registrar.c \
	certs/enrol/registrar.h \
	certs/enrol/signer.c \
	certs/enrol/signer.h
corosync_qnetd_enrol_LDADD = $(CERTS_LIBS)
