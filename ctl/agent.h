/* SPDX-License-Identifier: GPL-2.0-or-later */
/* polkit's agent for a terminal, pkttyagent: who has no rights may type a password, as with
 * systemctl. */
#pragma once

#include <sys/types.h>

/* Starts the agent and waits until it is there. *ret is its process, or 0 if none is needed or
 * possible: for root, without a terminal, where it is not installed. */
void agent_start(pid_t *ret);

/* Ends it; nothing for 0. */
void agent_stop(const pid_t *agent);
