/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The answers that the client libraries know, by the numbers that stand in responses (spec/corosync-ipc.md section 2.3).
 * What a service's logic answers to a client is one of these; what goes wrong inside of us stays enum q_err.
 */
#ifndef QUORATE_CORE_SERVICES_CS_ERROR_H
#define QUORATE_CORE_SERVICES_CS_ERROR_H

enum cs_error {
    CS_ERROR_OK = 1,
    CS_ERROR_LIBRARY = 2,
    CS_ERROR_VERSION = 3,
    CS_ERROR_INIT = 4,
    CS_ERROR_TIMEOUT = 5,
    CS_ERROR_TRY_AGAIN = 6,
    CS_ERROR_INVALID_PARAM = 7,
    CS_ERROR_NO_MEMORY = 8,
    CS_ERROR_BAD_HANDLE = 9,
    CS_ERROR_BUSY = 10,
    CS_ERROR_ACCESS = 11,
    CS_ERROR_NOT_EXIST = 12,
    CS_ERROR_NAME_TOO_LONG = 13,
    CS_ERROR_EXIST = 14,
    CS_ERROR_NO_SPACE = 15,
    CS_ERROR_INTERRUPT = 16,
    CS_ERROR_NAME_NOT_FOUND = 17,
    CS_ERROR_NO_RESOURCES = 18,
    CS_ERROR_NOT_SUPPORTED = 19,
    CS_ERROR_BAD_OPERATION = 20,
    CS_ERROR_FAILED_OPERATION = 21,
    CS_ERROR_MESSAGE_ERROR = 22,
    CS_ERROR_QUEUE_FULL = 23,
    CS_ERROR_QUEUE_NOT_AVAILABLE = 24,
    CS_ERROR_BAD_FLAGS = 25,
    CS_ERROR_TOO_BIG = 26,
    CS_ERROR_NO_SECTIONS = 27,
    CS_ERROR_CONTEXT_NOT_FOUND = 28,
    CS_ERROR_TOO_MANY_GROUPS = 30,
    CS_ERROR_SECURITY = 100
};

#endif
