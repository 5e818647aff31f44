/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: what each of the preflight's parts gets, and how it reports. */
#pragma once

#include "base/cmdline.h"
#include "loader.h"
#include "source.h"

enum finding_level { FINDING_OK, FINDING_WARN, FINDING_FAIL, FINDING_MAX };

struct finding {
    enum finding_level level;
    const char *name; /* which check; static */
    char *text;
    char *remedy;  /* commands to paste, one a line; NULL: none */
    char *cause;   /* findings of one name and cause are one; NULL: it is of no use to others */
    char *devices; /* addresses of the devices concerned, one a line; NULL: none */
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

/* The finding about this device has the same cause as an earlier one of this name: then the device
 * joins that, and nothing else is to be added. Else returns false; the caller adds the finding, and
 * check_concerns() notes cause and device with the one that was added last. */
bool check_joins(struct check *c, const char *name, const char *cause, struct pci_addr a);
void check_concerns(struct check *c, const char *cause, struct pci_addr a);

/* Adds a line to the remedy of the finding that was added last: a command; what is to be done by
 * hand follows it as a shell comment. */
void check_remedy(struct check *c, const char *format, ...) PRINTF(2, 3);

/* Appends to a text that is malloc'ed or NULL, with the separator between. */
void check_append(struct check *c, char **text, const char *separator, const char *format, ...)
    PRINTF(4, 5);

void findings_done(struct check *c);
