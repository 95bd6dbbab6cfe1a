# SPDX-License-Identifier: BSD-3-Clause
# Checks of the tree itself, in TAP, each with samples that it must find fault with. Add one with:
#   LINT_TESTS += tests/lint/X.py
# They look at the source tree and, in the first build that is tested, at what was built.

LINT_TESTS += \
	tests/lint/documents.py \
	tests/lint/includes.py \
	tests/lint/install.py \
	tests/lint/manpages.py \
	tests/lint/options.py \
	tests/lint/promises.py \
	tests/lint/runner.py \
	tests/lint/scripts.py \
	tests/lint/services.py \
	tests/lint/style.py \
	tests/lint/symbols.py
