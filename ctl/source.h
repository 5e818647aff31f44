/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything that the verbs know about a host, whatever the source (open.h): policy, devices, the
 * daemon's data, and a row for each device. */
#pragma once

#include "ctl.h"
#include "live.h"
#include "names.h"
#include "plan/plan.h"
#include "texts.h"

struct row {
    const struct device *d;
    const struct verdict *v;        /* by the policy of the files; NULL: no rule concerns it */
    const struct live_device *live; /* the daemon's data; NULL: none */
    char *vendor, *name, *class;    /* from pci.ids; NULL: unknown */
    bool boot_display;              /* it shows the firmware's console */
    int numa_node;                  /* -1: unknown, or the host has only one */

    /* Not selected because a rule with "driver = native" matches it or (native_of) another function
     * of its card, according to the files. NULL: no such rule. */
    const struct rule *native;
    const struct device *native_of; /* NULL: the rule matches this device itself */

    /* The state: from the daemon if it runs, otherwise from policy and /sys. */
    bool selected, comes_along, usable;
    const char *rule, *state, *reason; /* "" if there is none */
    struct pci_addr leader;            /* comes_along: the device with which it comes along */
    const char *driver;                /* "" if there is none */
    char *problems;                    /* words, one per line; "" if there are none */
    char *sentence;                    /* about the state, or why it is not selected */
    char *problem;                     /* why it is not usable although bound; NULL: none */
};

struct source {
    const struct ctl *ctl;
    int root_fd; /* -1: a report, or another host */
    bool this_host, replayed, remote;
    struct texts texts;
    struct policy policy;
    struct diags diags;
    bool off;    /* the kernel command line disables vfio-bindd */
    bool dynids; /* plans include entries in the table of dynamic IDs */
    struct snapshot snapshot;
    struct records records;
    struct plan plan;
    size_t n_assumed; /* number of drivers that are not loaded, and that the plan assumes to be
                         loadable */
    struct live live;
    bool silent; /* the daemon runs, but is not on the bus or does not answer */
    struct names *names;
    struct row *rows; /* as many as the snapshot has devices, in its order */
    struct pci_addr *boot_displays;
    size_t n_boot_displays;
};

void source_done(struct source *s);
void row_done(struct row *r);

/* Records that this display shows the firmware's console. Returns 0 or -ENOMEM. */
int source_add_boot_display(struct source *s, struct pci_addr a);

/* Makes a plan from the facts and the assumptions of plan_assume(). Returns 0 or negative errno. */
int source_plan(struct source *s, const struct policy *p, struct plan *ret);

/* Could a virtual machine have this device now, even if no rule selects it? */
bool source_is_usable(struct source *s, const struct row *r);
