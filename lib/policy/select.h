/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The selecting keys of a rule: lists of IDs, and lists of globs. Pure. */
#pragma once

#include "policy/error.h"

/* "10de:20f1" or "10de:*"; subsystems are written the same way. */
bool policy_parse_id(const char *text, struct id_pattern *ret);

/* Each adds a comma-separated list to the rule. Valid items are kept. Returns false after an error,
 * which has been reported. */
bool policy_set_ids(const struct key_context *c, struct rule *r, const char *value);
bool policy_set_patterns(const struct key_context *c, struct rule *r, enum rule_key key,
                         const char *value);
