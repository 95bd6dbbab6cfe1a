/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A home of their own for OpenSSL's buffers, for daemons with thousands of connections; optional, called
 * once by main. A handshake and every record need 16 to 22 KiB for a moment. Among the small objects that
 * stay, in one heap, such buffers leave holes which never return to the system: after a whole site came
 * back at once a connection would cost 50 KB instead of 17. So they live in equal slots apart from the
 * heap, of which only the pages in use take memory, and a few freed slots are kept ready. One arena per
 * process, for single-threaded programs; a no-op under AddressSanitizer.
 */
#ifndef QUORATE_COMMON_TLS_MEMORY_H
#define QUORATE_COMMON_TLS_MEMORY_H

#include <stdbool.h>

/*
 * Let OpenSSL allocate here. Before its first use, once. False if it is too late for that or there is no
 * address space: everything works nevertheless, from the ordinary heap.
 */
bool tls_memory_init(void);

#endif
