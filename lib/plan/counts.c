/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/counts.h"

#include <stdio.h>

void counts_add(struct device_counts *s, struct pci_addr addr, bool comes_along,
                struct pci_addr leader)
{
    s->named += !comes_along;
    s->companions += comes_along;
    s->group_members += comes_along && !pci_addr_same_slot(leader, addr);
}

/* "companion functions", without their number */
static void companions_text(const struct device_counts *s, char *buf, size_t size)
{
    if (s->group_members == 0)
        snprintf(buf, size, "companion function%s", plural_s(s->companions));
    else if (s->group_members == s->companions)
        snprintf(buf, size, "group member%s", plural_s(s->companions));
    else
        snprintf(buf, size, "companion functions and group members");
}

void counts_text(const struct device_counts *s, char buf[static COUNTS_TEXT_MAX])
{
    const char *their = s->named == 1 ? "its" : "their";
    char companions[48];

    companions_text(s, companions, sizeof(companions));
    if (s->companions == 0)
        snprintf(buf, COUNTS_TEXT_MAX, "%zu device%s", s->named, plural_s(s->named));
    else if (s->companions == 1)
        snprintf(buf, COUNTS_TEXT_MAX, "%zu device%s and %s %s", s->named, plural_s(s->named),
                 their, companions);
    else
        snprintf(buf, COUNTS_TEXT_MAX, "%zu device%s and %s %zu %s", s->named, plural_s(s->named),
                 their, s->companions, companions);
}

void counts_part_text(const struct device_counts *part, const struct device_counts *all,
                      char buf[static COUNTS_TEXT_MAX])
{
    char companions[48];

    companions_text(all, companions, sizeof(companions));
    if (counts_total(part) == counts_total(all))
        counts_text(all, buf);
    else if (all->companions == 0)
        snprintf(buf, COUNTS_TEXT_MAX, "%zu of %zu device%s", part->named, all->named,
                 plural_s(all->named));
    else
        snprintf(buf, COUNTS_TEXT_MAX, "%zu of %zu device%s and %zu of %zu %s", part->named,
                 all->named, plural_s(all->named), part->companions, all->companions, companions);
}
