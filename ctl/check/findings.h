/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the arguments and results of the parts of the preflight. */
#pragma once

#include "base/cmdline.h"
#include "loader.h"
#include "source.h"

enum finding_level { FINDING_OK, FINDING_WARN, FINDING_FAIL, FINDING_MAX };

struct finding {
    enum finding_level level;
    const char *name; /* the name of the check; static */
    char *text;
    char *remedy;  /* commands to paste, one per line; NULL: none */
    char *cause;   /* findings with the same name and cause are merged; NULL: never merged */
    char *devices; /* addresses of the devices concerned, one per line; NULL: none */
    size_t n_devices;
};

enum cpu { CPU_INTEL, CPU_AMD, CPU_ARM, CPU_OTHER };

struct check {
    const struct source *s;
    struct tree tree;
    struct finding *v;
    size_t n, allocated;
    struct cmdline cmdline;
    char release[LOADER_RELEASE_MAX]; /* of the kernel; "": unknown */
    enum cpu cpu;
};

/* Adds a finding. `name` must be static. */
void check_add(struct check *c, enum finding_level level, const char *name, const char *format, ...)
    PRINTF(4, 5);

/* If an earlier finding of this name has the same cause, adds the device to it and returns true:
 * there is nothing else to add. Otherwise returns false; the caller adds the finding, and then
 * calls check_concerns() to record its cause and device. */
bool check_joins(struct check *c, const char *name, const char *cause, struct pci_addr a);
void check_concerns(struct check *c, const char *cause, struct pci_addr a);

/* Adds a line to the remedy of the last finding: a command, or a manual step as a shell comment. */
void check_remedy(struct check *c, const char *format, ...) PRINTF(2, 3);

/* Appends to a text that is malloc'ed or NULL, after a separator if it is not empty. */
void check_append(struct check *c, char **text, const char *separator, const char *format, ...)
    PRINTF(4, 5);

void findings_done(struct check *c);
