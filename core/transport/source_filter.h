/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Has the kernel drop datagrams from addresses that are not listed before they take room in a socket's buffer: a flood of
 * strangers then costs the ring nothing but the kernel's time. Used by udpu, which looks at each source itself as well.
 */
#ifndef QUORATE_CORE_TRANSPORT_SOURCE_FILTER_H
#define QUORATE_CORE_TRANSPORT_SOURCE_FILTER_H

#include <stddef.h>

#include "core/config/conf_facts.h"

/*
 * Only these, all of one family, may send to the socket; replaces the former filter. Where it cannot be done (a list too
 * long for the kernel, no memory) there is none.
 */
void source_filter_set(int fd, const struct conf_address *addresses, size_t count);
void source_filter_clear(int fd);

#endif
