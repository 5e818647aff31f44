/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Common to all verbs: the options of vfio-bindctl, notes and errors, and the list of verbs. */
#pragma once

#include <stdint.h>

#include "base/util.h"

enum { EXIT_USAGE = 2 };

#define EXPORT_COUNT_MAX 64 /* limit of devices for one virtual machine */

#define USEC_INFINITY UINT64_MAX

struct ctl {
    const char *verb;
    char **args; /* the arguments after the verb */
    int n_args;
    const char *root;   /* --root: a directory, or a file written by "report"; NULL: this host */
    const char *host;   /* -H; NULL: this host */
    const char *policy; /* plan, export --policy */
    const char *output; /* report --output */
    const char *state, *driver, *class;                            /* list; NULL: not given */
    const char *name;                                              /* add --name */
    const char *patch, *template, *resource, *namespace, *variant; /* export; NULL: not given */
    unsigned count; /* export --count; 0: not given */
    bool strict;    /* export --strict */
    uint64_t timeout_usec;
    uint64_t confirm_usec; /* apply --confirm; 0: not given */
    bool json, no_legend, quiet, help, version;
    bool verbose;    /* plan --verbose */
    bool all;        /* --all, instead of devices */
    bool yes, force; /* for verbs that change the policy */
    uint64_t given;  /* the options that were given; used by options.c */
    bool colour;     /* print colours: standard output is a terminal that supports them */
};

/* Print "vfio-bindctl: ..." to standard error. ctl_error() returns EXIT_FAILURE, so that a verb can
 * return its result; ctl_note() prints nothing with --quiet. */
int ctl_error(const char *format, ...) PRINTF(1, 2);
void ctl_note(const struct ctl *c, const char *format, ...) PRINTF(2, 3);

/* Prints the text of a negative errno. Returns EXIT_FAILURE. */
int ctl_errno(int error);

/* Reads a stream to its end, and adds a NUL that is not counted. Returns 0, -EFBIG (more than max
 * bytes), or another negative errno. */
int ctl_read(FILE *f, size_t max, char **ret, size_t *ret_size);

/* Sets the colour of the following output, if colours are enabled. There is no other way to print
 * colours: stdout itself lets no control character through (base/printable-stream.h). */
enum ctl_colour { CTL_PLAIN, CTL_RED, CTL_GREEN, CTL_YELLOW };
void ctl_colour(const struct ctl *c, enum ctl_colour colour);

/* The prefix for commands that need root: "sudo ", or "" for root. */
const char *ctl_sudo(void);

/* Prints text, and breaks it into lines at blanks. The first line begins at the cursor (column
 * `at`), the others are indented. */
void ctl_wrap(FILE *f, const char *text, unsigned at, unsigned indent);

/* The same for any width; each line but the first begins with `next`. */
void ctl_wrap_to(FILE *f, const char *text, unsigned at, unsigned width, const char *next);

/* The width for output: the terminal's, $COLUMNS, or 80. */
unsigned ctl_width(void);

/* The same for tables whose lines are not cut in a pipe: the terminal's width, $COLUMNS, or 0. */
unsigned ctl_width_if_known(void);

/* The verbs. Each returns the exit code. */
int verb_status(const struct ctl *c);
int verb_list(const struct ctl *c);
int verb_tree(const struct ctl *c);
int verb_show(const struct ctl *c);
int verb_explain(const struct ctl *c);
int verb_plan(const struct ctl *c);
int verb_suggest(const struct ctl *c);
int verb_import(const struct ctl *c);
int verb_check(const struct ctl *c);
int verb_cat_config(const struct ctl *c);
int verb_verify(const struct ctl *c);
int verb_edit(const struct ctl *c);
int verb_add(const struct ctl *c);
int verb_remove(const struct ctl *c);
int verb_apply(const struct ctl *c);
int verb_confirm(const struct ctl *c);
int verb_revert(const struct ctl *c);
int verb_wait(const struct ctl *c);
int verb_is_usable(const struct ctl *c);
int verb_bind(const struct ctl *c);
int verb_release(const struct ctl *c);
int verb_reload(const struct ctl *c);
int verb_rescan(const struct ctl *c);
int verb_monitor(const struct ctl *c);
int verb_report(const struct ctl *c);
int verb_export(const struct ctl *c);
