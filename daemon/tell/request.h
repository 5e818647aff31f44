/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who asks for a change, and for which. */
#pragma once

#include "host/process.h"
#include "model/address.h"

struct asked {
    const char *verb;              /* bind, release, reload, rescan */
    const struct pci_addr *device; /* NULL: it concerns all of them */
};

struct caller {
    uint32_t uid; /* UINT32_MAX: not known */
    pid_t pid;    /* 0: not known */
    char unit[PROCESS_UNIT_MAX];
    const char *means; /* "the bus", "a signal" */
};

/* The uid is somebody's word that can be relied on (the bus's, the kernel's). The process may have
 * ended since: a unit is only looked up of one that runs as this user. */
struct caller caller_make(uint32_t uid, pid_t pid, const char *means);
