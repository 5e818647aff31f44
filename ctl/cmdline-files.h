/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files from which boot loaders and dracut make the kernel command line of the next boot. */
#pragma once

#include <stddef.h>

/* Who reads a file decides how a parameter is taken out of it. */
enum cmdline_reader {
    READER_GRUB, /* shell variables for grub-mkconfig */
    READER_KERNEL_INSTALL,
    READER_ENTRY, /* systemd-boot's own form, which grubby and ostree write as well */
    READER_DRACUT,
    READER_GRUB_SCRIPT, /* read by GRUB at boot: /oem/grub.cfg */
    READER_GRUBENV,     /* a block of 1024 bytes, not to be edited as text */
    READER_CMDLINE_D,
};

struct cmdline_file {
    const char *path;   /* of a file, or of a folder */
    const char *ending; /* of the files of a folder; NULL: it is a file */
    enum cmdline_reader reader;
};

#define CMDLINE_FILES 17
extern const struct cmdline_file cmdline_files[CMDLINE_FILES];
