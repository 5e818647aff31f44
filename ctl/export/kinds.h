/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export: the policy and the devices in the formats of other programs. Each kind makes its whole
 * text in memory; only export.c writes it, when nothing but the write itself can fail any more. */
#pragma once

#include "export/form.h"

/* Each kind returns 0 or an exit code. */
int export_kubevirt(struct export *e);
int export_hco(struct export *e);
int export_capk(struct export *e);
int export_nfd(struct export *e);
int export_prometheus(struct export *e);
int export_butane(struct export *e);
int export_talos(struct export *e);
int export_modprobe(struct export *e);
int export_libvirt(struct export *e);
