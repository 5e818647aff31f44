/* SPDX-License-Identifier: GPL-2.0-or-later */
/* polkit's agent for terminals, pkttyagent: it asks a user without rights for a password, as
 * systemctl does. */
#pragma once

#include <sys/types.h>

/* Starts the agent and waits until it is ready. *ret is its process, or 0 if none is needed or
 * possible: for root, without a terminal, or if it is not installed. */
void agent_start(pid_t *ret);

/* Ends the agent; does nothing for 0. */
void agent_stop(const pid_t *agent);
