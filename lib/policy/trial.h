/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy on trial: in force until somebody confirms it, or taken back. Pure.
 *
 * The main policy file that lasts is not touched. What is on trial stands in /run, comes before all
 * other main policy files, and is gone with the boot. One further boot on trial is allowed by a
 * file in /etc, which is removed, and the removal on the disk, before that boot uses the policy.
 * Both are the policy's text and a last line that says what this is; a file without it is not used
 * (it was cut). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRIAL_FOLDER "run/vfio-bindd"
#define TRIAL_FILE "trial.conf"
#define TRIAL_PATH TRIAL_FOLDER "/" TRIAL_FILE
#define TRIAL_PERMIT "etc/vfio-bindd.conf.trial"

/* Has systemd start the unit before the daemon, at the boot that the permit is for. A link without
 * a permit has no effect. */
#define TRIAL_UNIT "vfio-bindd-trial.service"
#define TRIAL_LINK_FOLDER "etc/systemd/system/vfio-bindd.service.wants"
#define TRIAL_LINK TRIAL_LINK_FOLDER "/" TRIAL_UNIT

#define TRIAL_SECONDS_MAX (7 * 24 * 3600)

struct trial {
    size_t policy_size; /* of the policy, before the last line */
    uint64_t seconds;   /* permit: how long a boot may use it */
    char boot[37];      /* permit: the boot in which it was written; "": unknown */
    uint64_t until;     /* the file in /run: by CLOCK_BOOTTIME, in seconds */
};

/* Reads the last line. Returns 0 or -EINVAL. */
int trial_parse(const char *bytes, size_t size, struct trial *ret);

/* The file's text, malloc'ed; NULL when out of memory. `size` is the policy's; t->until 0: a
 * permit. */
char *trial_text(const char *bytes, size_t size, const struct trial *t, size_t *ret_size);
