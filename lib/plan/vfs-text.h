/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages about physical functions and their virtual functions. Pure. */
#pragma once

#include <stdio.h>

#include "plan/plan.h"

/* A sentence with the state of the device, the reason, and what to do about it. */
void vfs_sentence(const struct vfs_verdict *v, const struct snapshot *s, const struct records *r,
                  char buf[static SENTENCE_MAX]);

/* One line of the plan's text form, without the sentence. */
void vfs_write(const struct vfs_verdict *v, FILE *f);
