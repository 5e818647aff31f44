/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy on trial: it is in force until it is confirmed or taken back. Pure.
 *
 * The permanent main policy file is not touched. The policy on trial is in /run, overrides all
 * other main policy files, and is gone with the boot. A file in /etc permits one further boot on
 * trial. It is removed, and the removal synced to the disk, before that boot uses the policy. Both
 * files contain the text of the policy and a last line that identifies them; without this line a
 * file is ignored, since it was cut. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRIAL_FOLDER "run/vfio-bindd"
#define TRIAL_FILE "trial.conf"
#define TRIAL_PATH TRIAL_FOLDER "/" TRIAL_FILE
#define TRIAL_PERMIT "etc/vfio-bindd.conf.trial"

/* Makes systemd start the unit before the daemon, at the boot that the permit allows. The link has
 * no effect without a permit. */
#define TRIAL_UNIT "vfio-bindd-trial.service"
#define TRIAL_LINK_FOLDER "etc/systemd/system/vfio-bindd.service.wants"
#define TRIAL_LINK TRIAL_LINK_FOLDER "/" TRIAL_UNIT

#define TRIAL_SECONDS_MAX (7 * 24 * 3600)

struct trial {
    size_t policy_size; /* size of the policy, without the last line */
    uint64_t seconds;   /* permit: how long the boot may use it */
    char boot[37];      /* permit: the boot in which it was written; "": unknown */
    uint64_t until;     /* file in /run: end of the trial, in seconds of CLOCK_BOOTTIME */
};

/* Parses the last line. Returns 0 or -EINVAL. */
int trial_parse(const char *bytes, size_t size, struct trial *ret);

/* The text of the file, malloc'ed; NULL when out of memory. `size` is that of the policy. If
 * t->until is 0, it is a permit. */
char *trial_text(const char *bytes, size_t size, const struct trial *t, size_t *ret_size);
