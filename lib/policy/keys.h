/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each key of the policy accepts: checks a value and stores it. Pure. */
#pragma once

#include "policy/error.h"

/* Sets a key of a rule; an error is reported and marks the rule broken. */
void policy_set_rule_key(struct key_context *c, struct rule *r, const char *key, const char *value);

/* Sets a key of [daemon]; an error is reported and the default stays. *seen has a bit for each key
 * that this file has set. */
void policy_set_daemon_key(struct key_context *c, const char *key, const char *value,
                           unsigned *seen);

/* The same for [kubernetes]. */
void policy_set_kubernetes_key(struct key_context *c, const char *key, const char *value,
                               unsigned *seen);

/* Is this text valid as the name of a rule? If not, reports an error. */
bool policy_check_rule_name(struct key_context *c, const char *name);

/* The index of the word in the table that is most similar to `word`; -1 if none is similar. */
int nearest_word(const char *word, const char *const *words, size_t n);
