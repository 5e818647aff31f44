/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the facts come from: this host's files and /sys, another tree (--root DIR), a report
 * (--root FILE), or the daemon, here or on another host (-H). All verbs print the same rows. */
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

    /* How things are: by the daemon if it runs, else by policy and /sys. */
    bool selected, companion, usable;
    const char *rule, *state, *reason; /* "" where there is none */
    const char *driver;                /* "" where there is none */
    char *problems;                    /* words, one a line; "" for none */
    char *sentence;                    /* on the state; NULL: none */
    char *problem;                     /* why it is not usable although bound; NULL: none */
};

struct source {
    const struct ctl *ctl;
    int root_fd; /* -1: a report, or another host */
    bool this_host, replayed, remote;
    struct texts texts;
    struct policy policy;
    struct diags diags;
    bool off; /* the kernel command line disables vfio-bindd */
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

enum {
    SOURCE_DAEMON = 1 << 0,    /* ask the daemon, if this is its host */
    SOURCE_FILES = 1 << 1,     /* the policy's text is needed: -H cannot serve */
    SOURCE_BARE_TREE = 1 << 2, /* --root may be a tree without /sys: there are no devices then */
};

/* Reads everything and builds the rows. What is missing or wrong is said on standard error. Returns
 * 0, or an exit code. Call source_done() in any case. */
int source_open(const struct ctl *c, unsigned flags, struct source *ret);
void source_done(struct source *s);

/* The row of the verb's argument, in any form of address; NULL after saying why. */
struct row *source_argument(struct source *s);

/* Reads a file that may take the place of the main policy file. Returns 0 or an exit code. */
int source_read_policy(const char *path, char **ret, size_t *ret_size);

/* Puts such a file into the place of the main policy file and makes everything that depends on it
 * anew. Not where the daemon was asked, whose policy is another. Returns 0 or an exit code. */
int source_use_policy(struct source *s, const char *path);

/* Another plan over the same facts. Returns 0 or negative errno. */
int source_plan(const struct source *s, const struct policy *p, struct plan *ret);

/* Could a virtual machine have this device now, whether or not a rule names it? */
bool source_is_usable(const struct source *s, const struct row *r);
