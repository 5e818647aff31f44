/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which physical and virtual functions (SR-IOV) belong together. Pure. */
#pragma once

#include "model/snapshot.h"

/* Is it a virtual function of this physical function? */
bool sriov_is_vf_of(const struct device *vf, const struct device *pf);

/* The next virtual function of the physical function, starting at position *i (0 at first); NULL
 * after the last one. A snapshot has all of them if it has the details of the physical function. */
const struct device *sriov_next_vf(const struct snapshot *s, const struct device *pf, size_t *i);

/* The addresses of all of them, separated by blanks; malloc'ed, NULL when out of memory. */
char *sriov_vfs_text(const struct snapshot *s, const struct device *pf);
