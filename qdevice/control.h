/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the device answers at its control socket: status [verbose|json], shutdown (spec/tools.md sections 3 and 4).
 */
#ifndef QUORATE_QDEVICE_CONTROL_H
#define QUORATE_QDEVICE_CONTROL_H

#include "common/control/server.h"

struct device;

enum q_err control_open(struct device *device, struct control_server **out, char *err_text, size_t size);

#endif
