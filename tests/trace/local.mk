# SPDX-License-Identifier: BSD-3-Clause
# Golden traces. A program that is compiled goes to TRACE_BINARIES; what is run (that program, or a
# script that runs it over the trace files) goes to TRACE_TESTS and speaks TAP:
#   TRACE_BINARIES += tests/trace/trace_X
#   TRACE_TESTS += tests/trace/trace_X
#   tests_trace_trace_X_SOURCES = tests/trace/trace_X.c
#   tests_trace_trace_X_LDADD = libqnetd_logic.a $(PURE_LIBS) $(CMOCKA_LIBS)

TRACE_BINARIES =

TRACE_BINARIES += tests/trace/run_trace
TRACE_TESTS += tests/trace/run_trace
tests_trace_run_trace_SOURCES = \
	tests/trace/commands.c \
	tests/trace/commands.h \
	tests/trace/devices.c \
	tests/trace/devices.h \
	tests/trace/run_trace.c \
	tests/trace/script.c \
	tests/trace/script.h \
	tests/trace/words.c \
	tests/trace/words.h \
	tests/trace/world.c \
	tests/trace/world.h
tests_trace_run_trace_LDADD = libqnetd_logic.a $(PURE_LIBS)

# The same traces, with each of the arbiter's allocations failing in turn.
TRACE_BINARIES += tests/trace/no_memory
TRACE_TESTS += tests/trace/no_memory
tests_trace_no_memory_SOURCES = \
	tests/trace/commands.c \
	tests/trace/commands.h \
	tests/trace/devices.c \
	tests/trace/devices.h \
	tests/trace/no_memory.c \
	tests/trace/script.c \
	tests/trace/script.h \
	tests/trace/words.c \
	tests/trace/words.h \
	tests/trace/world.c \
	tests/trace/world.h
tests_trace_no_memory_LDADD = libqnetd_logic.a $(PURE_LIBS)
tests_trace_no_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
