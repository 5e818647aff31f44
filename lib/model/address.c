/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/address.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

int pci_addr_parse(const char *s, struct pci_addr *ret)
{
    unsigned domain = 0, bus, dev, fn;
    int n = 0;

    if (s[strspn(s, "0123456789abcdefABCDEF:.")]) /* scanf() would take blanks, signs and "0x" */
        return -EINVAL;
    if (sscanf(s, "%8x:%2x:%2x.%1u%n", &domain, &bus, &dev, &fn, &n) != 4 || s[n]) {
        domain = n = 0;
        if (sscanf(s, "%2x:%2x.%1u%n", &bus, &dev, &fn, &n) != 3 || s[n])
            return -EINVAL;
    }
    if (dev > 0x1f || fn > 7)
        return -EINVAL;
    *ret = (struct pci_addr){domain, (uint8_t)bus, (uint8_t)dev, (uint8_t)fn};
    return 0;
}

struct pci_addr_text pci_addr_text(struct pci_addr a)
{
    struct pci_addr_text t;

    snprintf(t.s, sizeof(t.s), "%04x:%02x:%02x.%x", a.domain, a.bus, a.dev & 0x1fU, a.fn & 7U);
    return t;
}
