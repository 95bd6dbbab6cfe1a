# SPDX-License-Identifier: BSD-3-Clause
# Manual pages. Add one with:  man_MANS += docs/man/NAME.8
# They are distributed with the whole docs folder and checked by `mandoc -T lint` in tests/lint.
man_MANS += docs/man/corosync-qnetd.8 docs/man/corosync-qnetd-tool.8
man_MANS += docs/man/corosync-qdevice.8 docs/man/corosync-qdevice-tool.8
man_MANS += docs/man/corosync-core.8
man_MANS += docs/man/corosync.conf.5
man_MANS += docs/man/corosync-qnetd-certutil.8 docs/man/corosync-qdevice-net-certutil.8
