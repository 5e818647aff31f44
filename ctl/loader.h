/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding a parameter to a host's kernel command line, and removing it, depending on boot loader and
 * distribution. Texts are commands to paste; manual steps are shell comments. */
#pragma once

#include "tree.h"

enum loader {
    LOADER_UNKNOWN,
    LOADER_GRUB,        /* grub-mkconfig called directly */
    LOADER_GRUB_DEBIAN, /* update-grub, drop-ins */
    LOADER_GRUBBY,
    LOADER_OSTREE,
    LOADER_SYSTEMD_BOOT, /* kernel-install */
    LOADER_PROXMOX,
    LOADER_FLATCAR,
    LOADER_TALOS,
};

/* Called with one line. */
typedef void loader_tell(void *userdata, const char *line);

struct loader_to {
    struct tree *tree;
    const char *release; /* of the kernel; "": unknown */
    loader_tell *tell;
    void *userdata;
};

/* Is it the distribution with this ID, according to os-release(5)? */
bool loader_is_system(struct tree *t, const char *id);

bool loader_has_program(struct tree *t, const char *name);

/* The release of the kernel below the root; "" if unknown. */
#define LOADER_RELEASE_MAX 80
void loader_find_release(struct tree *t, bool this_host, char ret[static LOADER_RELEASE_MAX]);

enum loader loader_find(struct tree *t);

/* The commands that add a parameter to the command line, or remove one, up to and including the
 * reboot. */
void loader_add_parameter(const struct loader_to *to, const char *parameter);
void loader_remove_parameter(const struct loader_to *to, const char *parameter);

/* Only the commands that make a changed file effective, without the change and the reboot. */
void loader_rebuild(const struct loader_to *to, enum loader loader);

/* Does an operator check that files of this host are unchanged (OpenShift's MachineConfigs)? */
bool loader_is_managed(struct tree *t);

/* The command that rebuilds the initramfs of every kernel. */
void loader_rebuild_initramfs(const struct loader_to *to);
