/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of the arbiter's control socket (spec/tools.md section 3, docs/json.md). Opened by the daemon. */
#ifndef QUORATE_QNETD_CONTROL_H
#define QUORATE_QNETD_CONTROL_H

#include <stddef.h>

#include "common/err.h"

struct control_server;
struct daemon;

enum q_err control_open(struct daemon *daemon, struct control_server **out, char *err_text, size_t size);

#endif
