# SPDX-License-Identifier: BSD-3-Clause
# Certificates. certs/logic is pure and goes into libcerts_logic.a (tests/lint checks it); libcerts.a makes, reads and stores
# certificates, for the two tools here and for enrolment. The tools' own files belong to the programs.

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
	certs/authority.c \
	certs/authority.h \
	certs/authority_internal.h \
	certs/authority_nss.c \
	certs/authority_pem.c \
	certs/authority_transfer.c \
	certs/chain.c \
	certs/chain.h \
	certs/decode.c \
	certs/decode.h \
	certs/encode.c \
	certs/encode.h \
	certs/failure.c \
	certs/failure.h \
	certs/folder.c \
	certs/folder.h \
	certs/identity.c \
	certs/identity.h \
	certs/issue.c \
	certs/issue.h \
	certs/issued.c \
	certs/issued.h \
	certs/node_internal.h \
	certs/node_nss.c \
	certs/node_pem.c \
	certs/node_store.c \
	certs/node_store.h \
	certs/nss_db.c \
	certs/nss_db.h \
	certs/nss_folder.c \
	certs/nss_folder.h \
	certs/pem_files.c \
	certs/pem_files.h \
	certs/place.c \
	certs/place.h \
	certs/reach.c \
	certs/reach.h \
	certs/roll_over.c \
	certs/roll_over.h

# What to link a program of certificates with.
CERTS_LIBS = libcerts.a libcerts_logic.a $(SHELL_LIBS)

# What the two tools share.
certs_tool = \
	certs/check.c \
	certs/check.h \
	certs/common_options.c \
	certs/common_options.h \
	certs/listing.c \
	certs/listing.h \
	certs/tool.c \
	certs/tool.h \
	certs/transfer.c \
	certs/transfer.h

bin_PROGRAMS += corosync-qnetd-certutil
corosync_qnetd_certutil_SOURCES = certs/qnetd_main.c certs/check_arbiter.c certs/roll_tool.c certs/roll_tool.h $(certs_tool)
corosync_qnetd_certutil_LDADD = $(CERTS_LIBS)

sbin_PROGRAMS += corosync-qdevice-net-certutil
corosync_qdevice_net_certutil_SOURCES = \
	certs/check_node.c \
	certs/check_verdict.c \
	certs/check_verdict.h \
	certs/device_main.c \
	certs/probe.c \
	certs/probe.h \
	certs/quick_start.c \
	certs/quick_start.h \
	$(certs_tool)
corosync_qdevice_net_certutil_LDADD = $(CERTS_LIBS)
