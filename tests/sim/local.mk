# SPDX-License-Identifier: BSD-3-Clause
# The simulator. Programs go to SIM_BINARIES; what `make check` runs (a program or a script, in TAP) goes
# to SIM_TESTS:
#   SIM_BINARIES += tests/sim/qsim
#   SIM_TESTS += tests/sim/check.sh

SIM_BINARIES =
