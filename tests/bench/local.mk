# SPDX-License-Identifier: BSD-3-Clause
# Benchmarks. A compiled helper is listed with:  BENCH_BINARIES += tests/bench/X  (and its _SOURCES);
# `make bench` of GNUmakefile builds these and runs tests/bench/run.py.

BENCH_BINARIES = tests/bench/bench-credentials tests/bench/bench-tls-reference tests/bench/bench-load

# For ring.py; Debian's libcpg-dev is among the packages for tests.
BENCH_BINARIES += tests/bench/cpg_load
tests_bench_cpg_load_SOURCES = tests/bench/cpg_load.c
tests_bench_cpg_load_LDADD = -lcpg

tests_bench_bench_credentials_SOURCES = tests/bench/credentials.c tests/bench/names.h
tests_bench_bench_credentials_LDADD = $(OPENSSL_LIBS)

tests_bench_bench_tls_reference_SOURCES = tests/bench/tls_reference.c
tests_bench_bench_tls_reference_LDADD = $(OPENSSL_LIBS)

tests_bench_bench_load_SOURCES = \
	tests/bench/device.c \
	tests/bench/device.h \
	tests/bench/fleet.c \
	tests/bench/fleet.h \
	tests/bench/load.c \
	tests/bench/names.h \
	tests/bench/phases.c \
	tests/bench/phases.h \
	tests/bench/priority.c \
	tests/bench/priority.h \
	tests/bench/process_usage.c \
	tests/bench/process_usage.h \
	tests/bench/samples.c \
	tests/bench/samples.h \
	tests/bench/tls_client.c \
	tests/bench/tls_client.h \
	tests/bench/verdict.c \
	tests/bench/verdict.h
tests_bench_bench_load_LDADD = libwire.a $(OPENSSL_LIBS)

EXTRA_PROGRAMS = $(BENCH_BINARIES)
bench-build: all-am $(BENCH_BINARIES)
.PHONY: bench-build
