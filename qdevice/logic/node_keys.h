/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The node list in the keys (nodelist.node.POSITION.NAME; spec/qdevice-daemon.md section 5.2). Pure.
 */
#ifndef QUORATE_QDEVICE_LOGIC_NODE_KEYS_H
#define QUORATE_QDEVICE_LOGIC_NODE_KEYS_H

#include "common/err.h"
#include "common/wire/wire.h"
#include "qdevice/logic/keys.h"

/*
 * All configured nodes in order of appearance, each id once. The array becomes the caller's. Q_ERR_INVALID: no nodes, or
 * one without an id (err_text names it); Q_ERR_NO_MEMORY.
 */
enum q_err node_keys_parse(const struct keys *keys, struct wire_node_info **nodes, uint32_t *count, char *err_text,
                           size_t size);

#endif
