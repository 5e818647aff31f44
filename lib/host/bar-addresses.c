/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/bar-addresses.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/fact.h"
#include "host/pci-files.h"

/* Flags of the kernel's struct resource, which the file shows. */
#define IORESOURCE_IO 0x100ULL
#define IORESOURCE_MEM 0x200ULL
#define IORESOURCE_UNSET 0x20000000ULL

/* Parses "START END FLAGS". A BAR that lost its address to another device starts at 0 but does not
 * have the flag UNSET. A BAR that the device does not have has no flags. */
static bool is_unassigned(const char *line)
{
    unsigned long long start, end, flags;

    return sscanf(line, "%llx %llx %llx", &start, &end, &flags) == 3 &&
           (flags & (IORESOURCE_IO | IORESOURCE_MEM)) && (start == 0 || flags & IORESOURCE_UNSET);
}

int bar_addresses_missing(int root_fd, struct pci_addr a, uint16_t *ret)
{
    char text[2048], *rest = text, *line;
    int r = pci_read_attribute(root_fd, a, "resource", text, sizeof(text));

    *ret = 0;
    if (r <= 0)
        return fact_error(r);
    for (int i = 0; i < BARS && (line = strsep(&rest, "\n")); i++)
        if (is_unassigned(line))
            *ret |= (uint16_t)(1U << i);
    return 0;
}
