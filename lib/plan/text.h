/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages about a plan, for the journal, --dry-run and the client. Pure. */
#pragma once

#include "plan/plan.h"
#include "plan/problem-text.h"

/* A sentence about a device ("0000:06:00.0 (10de:20f1) ..."): its state, the reason, and what to do
 * about it. */
void verdict_sentence(const struct verdict *v, const struct snapshot *s, const struct records *r,
                      char buf[static SENTENCE_MAX]);

/* The same for a device whose state has the same reason as that of another device. */
void verdict_reference(const struct verdict *v, const struct device *d, struct pci_addr other,
                       char buf[static SENTENCE_MAX]);

/* The most likely cause of an error from the kernel, or what to do about it, as "; …". */
const char *errno_advice(int error, enum action_kind kind);

/* The reason for an action: the verdict of its device, or why an unselected device is touched. */
void action_sentence(const struct action *a, const struct plan *p, const struct snapshot *s,
                     const struct records *r, char buf[static SENTENCE_MAX]);

/* Writes the plan as text: the actions in order, then the verdicts. */
void plan_write(const struct plan *plan, const struct snapshot *s, const struct records *r,
                FILE *f);
