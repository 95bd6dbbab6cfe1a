# SPDX-License-Identifier: BSD-3-Clause
# Certificates. certs/logic is pure and goes into libcerts_logic.a (tests/lint checks it); libcerts.a makes, reads (x509) and
# stores (store) certificates, for the two tools (tools) and for enrolment (enrol).

noinst_LIBRARIES += libcerts_logic.a libcerts.a

libcerts_logic_a_SOURCES = \
	certs/logic/conf_value.c \
	certs/logic/conf_value.h \
	certs/logic/name.c \
	certs/logic/name.h \
	certs/logic/profile.c \
	certs/logic/profile.h \
	certs/logic/serial.c \
	certs/logic/serial.h

libcerts_a_SOURCES = \
	certs/failure.c \
	certs/failure.h \
	certs/reach.c \
	certs/reach.h

# What to link a program of certificates with.
CERTS_LIBS = libcerts.a libcerts_logic.a $(SHELL_LIBS)
