/* SPDX-License-Identifier: BSD-3-Clause */
/* The lines of a trace file, carried out: those of devices and those of everything else. */
#ifndef QUORATE_TESTS_TRACE_COMMANDS_H
#define QUORATE_TESTS_TRACE_COMMANDS_H

#include "tests/trace/script.h"
#include "tests/trace/world.h"

/* False: not understood, or what the line asserts is not so; then a comment went to standard output. */
bool run_command(struct world *world, struct script_line *line);

#endif
