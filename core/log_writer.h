/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes lines to files, and to whatever standard error leads to, from a thread of its own: a disk that is busy, or a pipe
 * that nobody reads, must not hold the token. Lines keep their order. What is beyond LOG_WRITER_MAX is left out, counted,
 * and told. One per process, owned by core/logging.c; the thread has ordinary priority, so it is started before the process
 * gets a higher one.
 */
#ifndef QUORATE_CORE_LOG_WRITER_H
#define QUORATE_CORE_LOG_WRITER_H

#include <stddef.h>
#include <stdint.h>

#define LOG_WRITER_MAX (4u << 20) /* bytes that wait */

/* Without a thread, if there is none to be had, every line is written at once. */
void log_writer_start(void);
/* Waits until all is written, for a second at most. */
void log_writer_drain(void);
/* The same, and ends the thread. */
void log_writer_stop(void);

/* One line with its newline. */
void log_writer_add(int fd, const char *line, size_t size);
/* Closes the descriptor after what was added before. */
void log_writer_close(int fd);

#endif
