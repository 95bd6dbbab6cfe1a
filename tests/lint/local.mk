# SPDX-License-Identifier: BSD-3-Clause
# Checks of the tree itself, in TAP; see tests/lint/. Add one with:  LINT_TESTS += tests/lint/X.py
