/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finds out the facts that a configuration asks for (core/config/conf_facts.h): host name, interface addresses, names,
 * accounts, files. Shell, used by config_loader.c alone.
 */
#ifndef QUORATE_CORE_HOST_FACTS_H
#define QUORATE_CORE_HOST_FACTS_H

#include "core/config/conf_facts.h"

/* The host's own name and addresses. Q_ERR_IO, Q_ERR_NO_MEMORY. */
enum q_err host_facts_begin(struct conf_facts *facts);
/* Answers everything that is wanted. */
void host_facts_find(struct conf_facts *facts);

#endif
