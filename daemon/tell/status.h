/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state as entries for the front (channel/message.h). */
#pragma once

#include "channel/message.h"
#include "view.h"

/* Called for each entry, sorted by kind and id. The message is valid only during the call. */
typedef void status_entry(void *userdata, const struct message *m);

/* Returns 0, or -ENOMEM if not all entries were passed. */
int status_entries(const struct view *view, status_entry *entry, void *userdata);
