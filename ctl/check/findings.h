/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: what each of the preflight's parts gets, and how it reports. A part looks at one side of
 * the host and adds findings; check.c runs the parts and prints. */
#pragma once

#include "source.h"

enum finding_level { FINDING_OK, FINDING_WARN, FINDING_FAIL, FINDING_MAX };

struct finding {
    enum finding_level level;
    const char *name; /* which check; static */
    char *text;
    char *remedy; /* commands to paste, one a line; NULL: none */
};

enum cpu { CPU_INTEL, CPU_AMD, CPU_ARM, CPU_OTHER };

struct check {
    const struct source *s;
    int root_fd;
    struct finding *v;
    size_t n, allocated;
    char *unseen;     /* what could not be looked at, and why; NULL: nothing */
    char release[80]; /* of the kernel; "": unknown */
    enum cpu cpu;
    bool failed; /* out of memory */
};

/* Adds a finding. `name` must be static. */
void check_add(struct check *c, enum finding_level level, const char *name, const char *format, ...)
    PRINTF(4, 5);

/* Adds a line to the remedy of the finding that was added last: a command; what is to be done by
 * hand follows it as a shell comment. */
void check_remedy(struct check *c, const char *format, ...) PRINTF(2, 3);

/* Notes what could not be looked at; `r` is a negative errno. That it is not there (-ENOENT,
 * -ENOTDIR) is no such case. */
void check_unseen(struct check *c, const char *what, int r);

/* -- files below the root; failures other than absence are noted as unseen -- */

bool check_exists(struct check *c, const char *path);

/* The whole file, malloc'ed; NULL if it is absent or cannot be read. */
char *check_read(struct check *c, const char *path);

/* Calls `each` with the path of every entry of the folder whose name ends so, in the order of their
 * names; hidden ones are left out. Returns how many there were. `each` may be NULL. */
typedef void (*check_entry)(struct check *c, const char *path, const char *name, void *data);
size_t check_each(struct check *c, const char *folder, const char *ending, check_entry each,
                  void *data);

/* The next line of a text, with the blanks at both ends removed and empty ones and comments (#, ;)
 * left out; NULL at the end. The text is cut up. */
char *check_line(char **rest);

/* Is the word on the kernel command line? One that ends in '=' matches any value. Returns what
 * follows the match, or NULL; the last one counts. */
const char *check_cmdline(const struct check *c, const char *word);

/* Appends to a text that is malloc'ed or NULL, with the separator between. */
void check_append(struct check *c, char **text, const char *separator, const char *format, ...)
    PRINTF(4, 5);

/* -- the parts -- */

void check_firmware(struct check *c); /* tables, IOMMU, interrupt remapping */
void check_modules(struct check *c); /* vfio-pci, /dev/vfio/vfio, /dev/kvm, the kernel's settings */
void check_service(struct check *c); /* the daemon */
void check_policy(struct check *c);  /* mistakes, what each rule matches, resource names */
void check_devices(struct check *c); /* states, groups, nodes, BARs */
void check_initramfs(struct check *c);  /* native drivers that are earlier than we */
void check_claimants(struct check *c);  /* who else would bind the same devices */
void check_kubernetes(struct check *c); /* what kubelet has seen */

/* -- shared between parts -- */

/* Adds the commands that put a parameter on the kernel command line of this host's boot loader, and
 * that take one off it. */
void check_add_parameter(struct check *c, const char *parameter);
void check_remove_parameter(struct check *c, const char *parameter);

/* Does modules.builtin or modules.dep of the running kernel name the module? Their lines begin with
 * or consist of paths like kernel/drivers/vfio/pci/vfio-pci.ko.xz. */
bool check_lists_module(struct check *c, const char *file, const char *module);

/* Is it the system of this ID, by os-release(5)? */
bool check_is_system(struct check *c, const char *id);

/* Is it a device that vfio-bindd has or would take? (Not one that it refuses.) */
bool check_is_taken(const struct row *r);
