# SPDX-License-Identifier: BSD-3-Clause
# Certificates. certs/logic is pure and goes into libcerts_logic.a (tests/lint checks it); libcerts.a makes, reads and stores
# certificates, for the two tools here and for enrolment. The tools' own files belong to the programs.

noinst_LIBRARIES += libcerts_logic.a libcerts.a

libcerts_logic_a_SOURCES = \
	certs/logic/name.c \
	certs/logic/name.h \
	certs/logic/profile.c \
	certs/logic/profile.h \
	certs/logic/serial.c \
	certs/logic/serial.h

libcerts_a_SOURCES = \
	certs/authority.h \
	certs/decode.c \
	certs/decode.h \
	certs/failure.c \
	certs/failure.h \
	certs/identity.c \
	certs/identity.h \
	certs/issue.c \
	certs/issue.h \
	certs/node_store.h \
	certs/place.h

# What to link a program of certificates with.
CERTS_LIBS = libcerts.a libcerts_logic.a $(SHELL_LIBS)
