/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: the findings about other tools, as values. Each source (sources.h) adds claims, remarks
 * about settings that cannot be carried over, and steps that retire the tool. */
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
    bool at_boot; /* claimed by a source that takes it at boot, not only when a virtual machine
                     starts */
};

struct remark {
    char *where; /* "/etc/modprobe.d/vfio.conf:3" */
    char *text;
};

/* The order in which the other tool is retired. */
enum stage {
    STAGE_FILES,   /* files with its configuration */
    STAGE_REBUILD, /* files that are made from these */
    STAGE_DOMAINS, /* configuration of virtual machines */
    STAGE_MAX,
};

struct step {
    enum stage stage;
    char *text; /* a command, or a manual step as a shell comment */
};

/* A module that is kept from loading, perhaps because of a device that is claimed. */
struct blacklisted {
    char *path;
    unsigned line;
    char module[64];
};

#define IDS_MODULES 2 /* modules with a parameter ids= (ids.h) */

/* ids= in a file from which a kernel command line is made. */
struct parameter_seen {
    size_t module;
    char *path, *value;
    unsigned line;
    bool dracut;       /* the file belongs to dracut */
    char variable[48]; /* shell variable that contains it; "": none */
    char set_by[128];  /* the file that sets the variable again later */
    unsigned set_line; /* 0: no file does */
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
    size_t n_decided;          /* rules left out because the existing policy decides */
    size_t left_out;           /* claims, remarks and files beyond the limits below */
    size_t n_files, n_bytes;   /* read so far */
    bool running[IDS_MODULES]; /* the running kernel's command line has ids=, which override those
                                  of modprobe.d */
    struct parameter_seen *parameters;
    size_t n_parameters, allocated_parameters;
    struct options_seen options[IDS_MODULES]; /* the last ones */
    bool needs_reboot;
    bool harvester; /* most of /etc is regenerated at each boot from files in /oem */
    bool hides;     /* the current file masks one of the same name in another folder */
};

/* Limits the memory and the output if files are hostile. */
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

bool list_add(struct list *l, const char *text); /* returns false when out of memory */
void list_done(struct list *l);

/* Claims a device or a kind of device; `what` names the tool. A second claim of the same adds only
 * an origin. Returns false, after adding a remark, if no rule can express it. */
bool found_claim(struct found *f, const struct selection *s, const char *path, unsigned line,
                 const char *what);

/* The same for a virtual machine that takes the device only when it starts. */
bool found_claim_on_demand(struct found *f, const struct selection *s, const char *path,
                           unsigned line, const char *what);

bool found_is_claimed(struct found *f, const struct selection *s);

/* Does the host use one of the devices while its virtual machine is off, even if only for the
 * console? Then there must be no rule, since the host would lose the device at the next boot; a
 * remark says so. */
bool found_shared_with_host(struct found *f, const struct selection *s, const char *path,
                            unsigned line);

/* The path is below the root; line 0: the file as a whole. Duplicates are dropped. */
void found_remark(struct found *f, const char *path, unsigned line, const char *format, ...)
    PRINTF(4, 5);

/* Adds a step. Duplicates are dropped. */
void found_step(struct found *f, enum stage stage, const char *format, ...) PRINTF(3, 4);
void found_blacklisted(struct found *f, const char *module, const char *path, unsigned line);

/* Adds a step that changes a file with a command, unless another program manages the file. */
void found_edit(struct found *f, const char *path, const char *format, ...) PRINTF(3, 4);

/* Adds a step that retires a file without other useful contents: the file is removed, or masked
 * below `etc_folder` if removing it would uncover a file of the same name. Returns false if its
 * name cannot be written in a command. */
bool found_retire_file(struct found *f, const char *path, const char *etc_folder, const char *name);

/* Add the steps that make changed files effective. */
void found_rebuild_loader(struct found *f, enum loader loader);
void found_rebuild_initramfs(struct found *f);

/* Is the module built into the kernel? */
bool found_is_built_in(struct found *f, const char *module);

/* The folder of the running kernel's modules; "" if unknown. */
void found_modules_folder(struct found *f, char ret[static 160]);

/* A whole file, with '?' for each NUL; NULL if it does not exist. Other errors are recorded. */
char *found_read(struct found *f, const char *path);

/* Calls `see` with the path of each file in the folder whose name has this ending. */
typedef void found_file(struct found *f, const char *path, const char *name);
void found_each(struct found *f, const char *folder, const char *ending, found_file *see);

/* The same for several folders; a file masks files of the same name in later folders. The files are
 * sorted by name; for each of them `hides` says whether it masks another one. */
void found_each_of(struct found *f, const char *const *folders, size_t n, const char *ending,
                   found_file *see);

/* A path (with '/' as `prefix`) or a name ("") as one word of a shell command, malloc'ed; NULL if
 * it contains characters that should not be pasted, or when out of memory. */
char *found_quoted(const char *prefix, const char *text);
