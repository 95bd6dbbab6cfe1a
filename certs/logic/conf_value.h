/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Single values out of the text of a corosync.conf, by their path ("quorum.device.net.host"). Pure. For the tools, which look up
 * what a node is configured to be; whether the configuration is valid is the core's to say.
 */
#ifndef QUORATE_CERTS_LOGIC_CONF_VALUE_H
#define QUORATE_CERTS_LOGIC_CONF_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#define CONF_DEPTH_MAX 8
#define CONF_VALUE_SIZE 512

/*
 * The value of the last line of that path, terminated, into value (of CONF_VALUE_SIZE bytes). False: there is none, or it is too
 * long. Text of any kind is fine; sections deeper than CONF_DEPTH_MAX are passed over.
 */
bool conf_value(const char *text, size_t size, const char *path, char *value);

#endif
