/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a parameter comes onto the kernel command line of a host, and off it: by its boot loader and
 * its system. Texts are commands to paste; what must be done by hand is a shell comment. */
#pragma once

#include "tree.h"

enum loader {
    LOADER_UNKNOWN,
    LOADER_GRUB,        /* grub-mkconfig by hand */
    LOADER_GRUB_DEBIAN, /* update-grub, drop-ins */
    LOADER_GRUBBY,
    LOADER_OSTREE,
    LOADER_SYSTEMD_BOOT, /* kernel-install */
    LOADER_PROXMOX,
    LOADER_FLATCAR,
    LOADER_TALOS,
};

/* Gets one line. */
typedef void loader_tell(void *userdata, const char *line);

struct loader_to {
    struct tree *tree;
    const char *release; /* of the kernel; "": unknown */
    loader_tell *tell;
    void *userdata;
};

/* Is it the system of this ID, by os-release(5)? */
bool loader_is_system(struct tree *t, const char *id);

bool loader_has_program(struct tree *t, const char *name);

/* The release of the kernel below the root; "" if it is not known. */
#define LOADER_RELEASE_MAX 80
void loader_find_release(struct tree *t, bool this_host, char ret[static LOADER_RELEASE_MAX]);

enum loader loader_find(struct tree *t);

/* The commands that put a parameter on the command line, and that take one off it, up to the
 * reboot. */
void loader_add_parameter(const struct loader_to *to, const char *parameter);
void loader_remove_parameter(const struct loader_to *to, const char *parameter);

/* Only what makes a changed file count: from the second command on, without the reboot. */
void loader_rebuild(const struct loader_to *to, enum loader loader);

/* Does an operator compare files of this host with what it wrote (OpenShift's MachineConfigs)? */
bool loader_is_managed(struct tree *t);

/* The command that packs the initramfs of every kernel anew. */
void loader_rebuild_initramfs(const struct loader_to *to);
