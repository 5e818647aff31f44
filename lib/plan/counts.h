/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts of selected devices. Devices that a rule matches, and those that come along with them, are
 * counted separately, as "expect" does. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/address.h"

#define COUNTS_TEXT_MAX 160 /* bytes of the longest text */

struct device_counts {
    size_t named;         /* a rule matches them */
    size_t companions;    /* they come along: companion functions and group members */
    size_t group_members; /* the companions that are in another slot than their leader */
};

/* Counts the device `addr`. `leader` is the device that it comes along with, if it does. */
void counts_add(struct device_counts *s, struct pci_addr addr, bool comes_along,
                struct pci_addr leader);

static inline const char *plural_s(size_t n)
{
    return n == 1 ? "" : "s";
}

static inline size_t counts_total(const struct device_counts *s)
{
    return s->named + s->companions;
}

/* "8 devices and their 8 companion functions" */
void counts_text(const struct device_counts *s, char buf[static COUNTS_TEXT_MAX]);

/* "5 of 7 devices and 6 of 7 companion functions"; if `part` is everything, the same text as
 * counts_text(). */
void counts_part_text(const struct device_counts *part, const struct device_counts *all,
                      char buf[static COUNTS_TEXT_MAX]);
