/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How things are, as entries for the front (channel/message.h). */
#pragma once

#include "channel/message.h"
#include "view.h"

/* Called for each entry, in the order of kinds and ids. The message is good until it returns. */
typedef void status_entry(void *userdata, const struct message *m);

/* Returns 0 or -ENOMEM: then not all were told of. */
int status_entries(const struct view *view, status_entry *entry, void *userdata);
