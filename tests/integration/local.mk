# SPDX-License-Identifier: BSD-3-Clause
# Integration tests: scripts that speak TAP (tests/tap.py helps), run one after the other as root, with
# Q_BUILD (where the programs are) and Q_SRC (the source tree) in the environment. Add one with:
#   INTEGRATION_TESTS += tests/integration/test_X.py
# Scenarios with real clusters are not added here but to tests/integration/scenarios/, which run.py runs.
INTEGRATION_TESTS += tests/integration/run.py
