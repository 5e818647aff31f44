/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: what the old ways take, as values. Each source of it (sources.h) adds claims, remarks on
 * what cannot be carried over, and the steps that retire it. */
#pragma once

#include "base/util.h"
#include "import/selection.h"
#include "loader.h"
#include "source.h"

/* A growing list of texts. */
struct list {
    char **v;
    size_t n, allocated;
};

struct claim {
    struct selection what;
    struct list origins; /* "/etc/driverctl.d/pci-0000:06:00.0:1 (driverctl)" */
    bool at_boot;        /* by one that takes it at boot, not when a virtual machine starts */
};

struct remark {
    char *where; /* "/etc/modprobe.d/vfio.conf:3" */
    char *text;
};

/* The order in which the old way is retired. */
enum stage {
    STAGE_FILES,   /* what writes it down */
    STAGE_REBUILD, /* what was made of these files */
    STAGE_DOMAINS, /* what belongs to virtual machines */
    STAGE_MAX,
};

struct step {
    enum stage stage;
    char *text; /* a command, or what is to be done by hand, as a shell comment */
};

/* A module that is kept from loading, perhaps for the sake of a device that is claimed. */
struct blacklisted {
    char *path;
    unsigned line;
    char module[64];
};

#define IDS_MODULES 2 /* that have a parameter ids= (ids.h) */

/* ids= in a file of which a kernel command line is made. */
struct parameter_seen {
    size_t module;
    char *path, *value;
    unsigned line;
    bool dracut;       /* it is dracut's */
    char variable[48]; /* of the shell, in which it stands; "": none */
    char set_by[128];  /* the file that sets the variable anew */
    unsigned set_line; /* 0: none does */
};

/* The options of such a module in modprobe.d. */
struct options_seen {
    char *path; /* NULL: none */
    char *value;
    unsigned line;
};

struct found {
    const struct source *s;
    struct tree tree;
    char release[LOADER_RELEASE_MAX];
    struct claim *claims;
    size_t n_claims, allocated_claims;
    struct remark *remarks;
    size_t n_remarks, allocated_remarks;
    struct step *steps;
    size_t n_steps, allocated_steps;
    struct blacklisted *blacklisted;
    size_t n_blacklisted, allocated_blacklisted;
    size_t n_decided;          /* rules left out: the policy that is there decides */
    size_t left_out;           /* claims, remarks and files past the bounds below */
    size_t n_files, n_bytes;   /* that were read */
    bool running[IDS_MODULES]; /* the running kernel's command line has ids=, which outdo those
                                * of modprobe.d */
    struct parameter_seen *parameters;
    size_t n_parameters, allocated_parameters;
    struct options_seen options[IDS_MODULES]; /* the last ones */
    bool needs_reboot;
    bool harvester; /* most of /etc is made anew at each boot, by files in /oem */
    bool hides;     /* the file that is looked at hides one of its name in another folder */
};

/* Hostile files must fill neither the memory nor the output. */
#define FOUND_CLAIMS_MAX 1024
#define FOUND_REMARKS_MAX 512
#define FOUND_FILES_MAX 4096
#define FOUND_FILE_MAX ((size_t)1 << 20)
#define FOUND_BYTES_MAX ((size_t)32 << 20)

void found_done(struct found *f);

static inline const struct row *found_row(const struct found *f, const struct device *d)
{
    return &f->s->rows[d - f->s->snapshot.devices];
}

bool list_add(struct list *l, const char *text); /* false when out of memory */
void list_done(struct list *l);

/* A device or a kind of device is claimed; `what` says by whom. Who claims the same again only adds
 * an origin. Returns false, after a remark, if no rule can say it. */
bool found_claim(struct found *f, const struct selection *s, const char *path, unsigned line,
                 const char *what);

/* The same for a virtual machine that takes the device when it starts. */
bool found_claim_on_demand(struct found *f, const struct selection *s, const char *path,
                           unsigned line, const char *what);

bool found_is_claimed(struct found *f, const struct selection *s);

/* Does the host use one of the devices while its virtual machine is off, be it only for its
 * console? If so there must be no rule, or the host would lose it at the next boot; a remark says
 * so. */
bool found_shared_with_host(struct found *f, const struct selection *s, const char *path,
                            unsigned line);

/* The path is one below the root; line 0: the file as a whole. Each remark once. */
void found_remark(struct found *f, const char *path, unsigned line, const char *format, ...)
    PRINTF(4, 5);

/* Each step once. */
void found_step(struct found *f, enum stage stage, const char *format, ...) PRINTF(3, 4);
void found_blacklisted(struct found *f, const char *module, const char *path, unsigned line);

/* A step that changes a file by a command, where nobody else keeps the file as it is. */
void found_edit(struct found *f, const char *path, const char *format, ...) PRINTF(3, 4);

/* A step that retires a file of which nothing else is of use: it is removed, or masked below
 * `etc_folder` where one of the same name would come to light. False: its name cannot be written in
 * a command. */
bool found_retire_file(struct found *f, const char *path, const char *etc_folder, const char *name);

/* The steps that make changed files count. */
void found_rebuild_loader(struct found *f, enum loader loader);
void found_rebuild_initramfs(struct found *f);

/* Is the module a part of the kernel itself? */
bool found_is_built_in(struct found *f, const char *module);

/* The running kernel's folder of modules; "" if it is not known. */
void found_modules_folder(struct found *f, char ret[static 160]);

/* A whole file, with '?' for each NUL; NULL if it is absent. What else keeps it from being read is
 * noted. */
char *found_read(struct found *f, const char *path);

/* Calls `see` with the path of each file in the folder whose name ends so. */
typedef void found_file(struct found *f, const char *path, const char *name);
void found_each(struct found *f, const char *folder, const char *ending, found_file *see);

/* The same with the folders of which each hides what the later ones have of the same name, all in
 * the order of the names; `hides` tells of each. */
void found_each_of(struct found *f, const char *const *folders, size_t n, const char *ending,
                   found_file *see);

/* A path (with '/' for `prefix`) or a name ("") as one word of a shell command; NULL where it has
 * characters that nobody should paste, or when out of memory. malloc'ed. */
char *found_quoted(const char *prefix, const char *text);
