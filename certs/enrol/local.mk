# SPDX-License-Identifier: BSD-3-Clause
# Enrolment without ssh (docs/enrolment.md). Its logic goes into libcerts_logic.a.

libcerts_logic_a_SOURCES += \
	certs/logic/enrol_code.c \
	certs/logic/enrol_code.h \
	certs/logic/enrol_guard.c \
	certs/logic/enrol_guard.h \
	certs/logic/enrol_reply.c \
	certs/logic/enrol_reply.h \
	certs/logic/enrol_session.c \
	certs/logic/enrol_session.h \
	certs/logic/enrol_wire.c \
	certs/logic/enrol_wire.h \
	certs/logic/invitation.c \
	certs/logic/invitation.h
