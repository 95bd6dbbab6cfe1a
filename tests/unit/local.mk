# SPDX-License-Identifier: BSD-3-Clause
# Unit tests: one cmocka program per module; they speak TAP by themselves. Add one with:
#   UNIT_TESTS += tests/unit/test_X
#   tests_unit_test_X_SOURCES = tests/unit/test_X.c
#   tests_unit_test_X_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)
# (logic: libqnetd_logic.a before $(PURE_LIBS); shell: $(SHELL_LIBS) instead of $(PURE_LIBS))

UNIT_TESTS += tests/unit/test_err
tests_unit_test_err_SOURCES = tests/unit/test_err.c
tests_unit_test_err_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)
