/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a configuration to what the ring works with (core/totem/settings.h). Pure. struct totem_config holds what is in
 * effect, as it is published; the ring is given what was configured and derives the rest itself, by the same formulas,
 * which a unit test holds together.
 */
#ifndef QUORATE_CORE_CONFIG_CONFIG_RING_H
#define QUORATE_CORE_CONFIG_CONFIG_RING_H

#include "core/config/core_config.h"
#include "core/totem/settings.h"

/*
 * What the keys (of the configuration, or the live ones) say, complete. Q_ERR_INVALID: the ring cannot work with it; why
 * (of why_size bytes) says so.
 */
enum q_err config_ring_settings(const struct core_config *config, const struct cmap_store *keys,
                                struct totem_settings *settings, char *why, size_t why_size);

#endif
