/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmdline-files.h"

const struct cmdline_file cmdline_files[CMDLINE_FILES] = {
    {"etc/default/grub", NULL, READER_GRUB},
    {"etc/default/grub.d", ".cfg", READER_GRUB},
    {"etc/kernel/cmdline", NULL, READER_KERNEL_INSTALL},
    {"etc/kernel/cmdline.d", ".conf", READER_KERNEL_INSTALL},
    {"usr/lib/kernel/cmdline", NULL, READER_KERNEL_INSTALL},
    {"etc/cmdline", NULL, READER_CMDLINE_D},
    {"etc/cmdline.d", ".conf", READER_CMDLINE_D},
    {"boot/loader/entries", ".conf", READER_ENTRY},
    {"efi/loader/entries", ".conf", READER_ENTRY},
    {"boot/efi/loader/entries", ".conf", READER_ENTRY},
    {"boot/grub2/grubenv", NULL, READER_GRUBENV},
    {"oem/grub.cfg", NULL, READER_GRUB_SCRIPT},
    {"usr/share/oem/grub.cfg", NULL, READER_GRUB_SCRIPT},
    {"oem/grubenv", NULL, READER_GRUBENV},
    {"etc/dracut.conf", NULL, READER_DRACUT},
    {"etc/dracut.conf.d", ".conf", READER_DRACUT},
    {"usr/lib/dracut/dracut.conf.d", ".conf", READER_DRACUT},
};
