# SPDX-License-Identifier: BSD-3-Clause
# Integration tests: scripts that speak TAP (tests/tap.py helps), run one after the other as root, with
# Q_BUILD (where the programs are) and Q_SRC (the source tree) in the environment. Add one with:
#   INTEGRATION_TESTS += tests/integration/test_X.py
# Scenarios with real clusters are not added here but to tests/integration/scenarios/, which run.py runs.
INTEGRATION_TESTS += tests/integration/run.py
# Programs alone, without a cluster, where no time is measured: these run side by side.
PROGRAM_TESTS += tests/integration/core_config.py
PROGRAM_TESTS += tests/integration/certs_crash.py

# The core's configuration and its key/value map beside the packaged daemon's.
check_PROGRAMS += tests/integration/core_config_tool tests/integration/core_cmap_tool
tests_integration_core_cmap_tool_SOURCES = tests/integration/core_cmap_tool.c
tests_integration_core_cmap_tool_LDADD = libcore_logic.a $(PURE_LIBS) $(COROSYNC_LIBS)
tests_integration_core_config_tool_SOURCES = tests/integration/core_config_tool.c
tests_integration_core_config_tool_LDADD = libcore.a libcore_logic.a $(PURE_LIBS)
