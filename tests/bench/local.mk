# SPDX-License-Identifier: BSD-3-Clause
# Benchmarks. A compiled helper is listed with:  BENCH_BINARIES += tests/bench/X  (and its _SOURCES);
# `make bench` of GNUmakefile builds these and runs tests/bench/run.py.

BENCH_BINARIES =
EXTRA_PROGRAMS = $(BENCH_BINARIES)
bench-build: all-am $(BENCH_BINARIES)
.PHONY: bench-build
