/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files from which boot loaders and dracut make the kernel command line of the next boot. */
#pragma once

#include <stddef.h>

/* The reader of a file determines how a parameter is removed from it. */
enum cmdline_reader {
    READER_GRUB, /* variable assignments in shell syntax, for grub-mkconfig */
    READER_KERNEL_INSTALL,
    READER_ENTRY, /* systemd-boot's format, which grubby and ostree write as well */
    READER_DRACUT,
    READER_GRUB_SCRIPT, /* read by GRUB at boot: /oem/grub.cfg */
    READER_GRUBENV,     /* a block of 1024 bytes, which must not be edited as text */
    READER_CMDLINE_D,
};

struct cmdline_file {
    const char *path;   /* of a file, or of a folder */
    const char *ending; /* ending of the files in a folder; NULL: path is a file */
    enum cmdline_reader reader;
};

#define CMDLINE_FILES 17
extern const struct cmdline_file cmdline_files[CMDLINE_FILES];
