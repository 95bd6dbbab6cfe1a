/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's state for people and programs: the packaged tool's text (spec/tools.md section 4) and JSON (docs/json.md).
 * Preconditions: the device is configured.
 */
#ifndef QUORATE_QDEVICE_STATUS_H
#define QUORATE_QDEVICE_STATUS_H

#include <stdbool.h>

#include "common/buf.h"

struct device;

void status_text(const struct device *device, bool verbose, struct q_buf *out);
void status_json(const struct device *device, struct q_buf *out);

#endif
