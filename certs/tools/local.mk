# SPDX-License-Identifier: BSD-3-Clause
# corosync-qnetd-certutil and corosync-qdevice-net-certutil. Their files belong to the programs, not to the library.

# What the two share.
certs_tool = \
	certs/tools/check.c \
	certs/tools/check.h \
	certs/tools/common_options.c \
	certs/tools/common_options.h \
	certs/tools/listing.c \
	certs/tools/listing.h \
	certs/tools/tool.c \
	certs/tools/tool.h \
	certs/tools/transfer.c \
	certs/tools/transfer.h

bin_PROGRAMS += corosync-qnetd-certutil
corosync_qnetd_certutil_SOURCES = certs/tools/qnetd_main.c certs/tools/check_arbiter.c certs/tools/roll_tool.c certs/tools/roll_tool.h $(certs_tool)
corosync_qnetd_certutil_LDADD = $(CERTS_LIBS)

sbin_PROGRAMS += corosync-qdevice-net-certutil
corosync_qdevice_net_certutil_SOURCES = \
	certs/tools/check_node.c \
	certs/tools/check_verdict.c \
	certs/tools/check_verdict.h \
	certs/tools/device_main.c \
	certs/tools/probe.c \
	certs/tools/probe.h \
	certs/tools/quick_start.c \
	certs/tools/quick_start.h \
	$(certs_tool)
corosync_qdevice_net_certutil_LDADD = $(CERTS_LIBS)
