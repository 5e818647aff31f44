/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vfio-bindd may not do itself: one question is read, answered, and that was all. systemd
 * starts a process for each connection, with the capability that its kind of question needs. */
#pragma once

#include "channel/helper-message.h"

/* Answers the question that comes over the socket. Returns 0 or negative errno: then there is no
 * answer. */
int helper_serve(int root_fd, int fd, enum helper_kind kind);
