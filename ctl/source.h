/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all verbs know of a host, wherever it comes from (open.h): policy, devices, the daemon's
 * word, and a row for each device. */
#pragma once

#include "ctl.h"
#include "live.h"
#include "names.h"
#include "plan/plan.h"
#include "texts.h"

struct row {
    const struct device *d;
    const struct verdict *v;        /* by the files' policy; NULL: no rule concerns it */
    const struct live_device *live; /* what the daemon says; NULL: nothing */
    char *vendor, *name, *class;    /* out of pci.ids; NULL: unknown */
    bool boot_display;              /* the firmware's console */
    int numa_node;                  /* -1: not known, or the host has only one */

    /* Not selected, because a rule with "driver = native" names it, or (native_of) another function
     * of its card. By the files' policy; NULL: none does. */
    const struct rule *native;
    const struct device *native_of; /* NULL: the rule names this device itself */

    /* How things are: by the daemon if it runs, else by policy and /sys. */
    bool selected, comes_along, usable;
    const char *rule, *state, *reason; /* "" where there is none */
    struct pci_addr leader;            /* comes_along: the device with which it comes along */
    const char *driver;                /* "" where there is none */
    char *problems;                    /* words, one a line; "" for none */
    char *sentence;                    /* on the state, or why it is not selected */
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
    bool dynids; /* plans have the entries in the table of dynamic IDs, too */
    struct snapshot snapshot;
    struct records records;
    struct plan plan;
    size_t n_assumed; /* drivers that are not loaded, and for which the plan assumes they can be */
    struct live live;
    struct names *names;
    struct row *rows; /* as many as the snapshot has devices, in its order */
    struct pci_addr *boot_displays;
    size_t n_boot_displays;
};

void source_done(struct source *s);
void row_done(struct row *r);

/* Notes that this is the display of the firmware's console. Returns 0 or -ENOMEM. */
int source_add_boot_display(struct source *s, struct pci_addr a);

/* A plan over the facts, with what plan_assume() assumes. Returns 0 or negative errno. */
int source_plan(struct source *s, const struct policy *p, struct plan *ret);

/* Could a virtual machine have this device now, whether or not a rule names it? */
bool source_is_usable(struct source *s, const struct row *r);
