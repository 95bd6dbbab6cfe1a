/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Formatted text at the end of a byte buffer, for status output. Pure. The buffer is the caller's; like every
 * append it marks the buffer as failed without memory, so that a writer checks once at the end.
 */
#ifndef QUORATE_COMMON_TEXT_H
#define QUORATE_COMMON_TEXT_H

#include "common/buf.h"

/* Appends, without a terminator. */
void text_append(struct q_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
