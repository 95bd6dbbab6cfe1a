# SPDX-License-Identifier: BSD-3-Clause
# Service files: units, sysusers.d, example defaults files.

UNITS = init/corosync-qnetd.service init/corosync-qdevice.service init/corosync-core.service
noinst_DATA = $(UNITS)
CLEANFILES += $(UNITS)

# Without libsystemd the daemon says neither that it is ready nor that it is alive.
if HAVE_SYSTEMD
service_type = notify
service_watchdog = WatchdogSec=30
else
service_type = exec
service_watchdog =
endif

init/%.service: $(top_srcdir)/init/%.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) \
	    -e 's|@bindir[@]|$(bindir)|g' -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@sysconfdir[@]|$(sysconfdir)|g' \
	    -e 's|@service_type[@]|$(service_type)|g' -e 's|@service_watchdog[@]|$(service_watchdog)|g' \
	    $< > $@.tmp && mv $@.tmp $@

if INSTALL_UNITS
systemdsystemunit_DATA = $(UNITS)
endif

# A file in sysusers.d is named after the user it makes, without the word sysusers.
if INSTALL_SYSUSERS
install-data-hook:
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)'
	$(INSTALL_DATA) $(srcdir)/init/corosync-qnetd.sysusers '$(DESTDIR)$(sysusersdir)/corosync-qnetd.conf'
uninstall-hook:
	rm -f '$(DESTDIR)$(sysusersdir)/corosync-qnetd.conf'
endif

# An administrator's own defaults file is never overwritten: ours is only an example.
exampledir = $(docdir)/examples
dist_example_DATA = init/corosync-qnetd.default init/corosync-qdevice.default init/corosync-core.default
