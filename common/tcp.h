/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What both ends of a device's connection ask of TCP. Called once per socket, by the arbiter for the listening one, whose
 * connections inherit it. Holds nothing.
 */
#ifndef QUORATE_COMMON_TCP_H
#define QUORATE_COMMON_TCP_H

/*
 * Has small, rare, urgent messages sent at once, and repeated at an even pace while they are not acknowledged: about four
 * times a second, where TCP would double the interval each time and be silent for 1, then 2 seconds of a lease of 2.5
 * (docs/safety.md). What the kernel refuses is done without: it only costs time.
 */
void tcp_be_prompt(int fd);

#endif
