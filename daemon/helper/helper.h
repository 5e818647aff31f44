/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does what vfio-bindd lacks the privileges for: reads one question, answers it, and exits. systemd
 * starts a process for each connection, with the capability that its kind of question needs. */
#pragma once

#include "channel/helper-message.h"

/* Answers the question on the socket. Returns 0, or negative errno if there was no answer. */
int helper_serve(int root_fd, int fd, enum helper_kind kind);
