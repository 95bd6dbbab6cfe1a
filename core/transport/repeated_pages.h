/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Takes back memory that holds the same page over and over. libknet fills its buffers for the heaviest traffic with zeros
 * when it starts (22 MiB), and a table of two million descriptors with "none" (32 MiB); an idle node uses next to nothing of either.
 * What reads or writes such a page afterwards finds what was there, and the page gets memory of its own when it is written; where
 * memory is locked, that is locked, too.
 *
 * Other threads may run meanwhile: userfaultfd(2) holds up who writes to pages while they are looked at.
 */
#ifndef QUORATE_CORE_TRANSPORT_REPEATED_PAGES_H
#define QUORATE_CORE_TRANSPORT_REPEATED_PAGES_H

#include <stdbool.h>
#include <stddef.h>

/* The heap of AddressSanitizer is full of what may not be looked at. */
#if defined(__SANITIZE_ADDRESS__)
#define REPEATED_PAGES_SUPPORTED false
#elif defined(__has_feature)
#define REPEATED_PAGES_SUPPORTED (!__has_feature(address_sanitizer))
#else
#define REPEATED_PAGES_SUPPORTED true
#endif

/* Looks through the private anonymous memory of the process, but for the stack of the first thread, which is to call this, with its
 * signals blocked if their handlers write to memory.
 * Returns how many bytes were saved; 0 as well where the system does not let this process do so (Linux before 5.18, no
 * privileges), and in builds with AddressSanitizer. */
size_t repeated_pages_save(void);

#endif
