/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan says of physical functions and their virtual functions, in words. Pure. */
#pragma once

#include <stdio.h>

#include "plan/plan.h"

/* How the device stands, why, and what to do about it, as a sentence. */
void vfs_sentence(const struct vfs_verdict *v, const struct snapshot *s, const struct records *r,
                  char buf[static SENTENCE_MAX]);

/* One line of the plan's text form, without the sentence. */
void vfs_write(const struct vfs_verdict *v, FILE *f);
