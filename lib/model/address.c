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

    if (s[strspn(s, "0123456789abcdefABCDEF:.")]) /* scanf() would accept blanks, signs and "0x" */
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

/* Writes the given number of hexadecimal digits, and returns the end. */
static char *write_hex(char *s, uint32_t value, int digits)
{
    while (digits-- > 0)
        *s++ = "0123456789abcdef"[value >> 4 * digits & 0xf];
    return s;
}

/* Without snprintf(): a pass writes some thirty addresses for each device, and snprintf() would be
 * a third of all its instructions. */
struct pci_addr_text pci_addr_text(struct pci_addr a)
{
    struct pci_addr_text t;
    int domain_digits = 4;

    while (domain_digits < 8 && a.domain >> 4 * domain_digits != 0)
        domain_digits++;
    char *s = write_hex(t.s, a.domain, domain_digits);
    *s++ = ':';
    s = write_hex(s, a.bus, 2);
    *s++ = ':';
    s = write_hex(s, a.dev & 0x1fU, 2);
    *s++ = '.';
    s = write_hex(s, a.fn & 7U, 1);
    *s = '\0';
    return t;
}

int pci_addr_compare(const void *x, const void *y)
{
    const struct pci_addr *a = x, *b = y;

    return pci_addr_cmp(*a, *b);
}

bool pci_addr_from_number(uint64_t number, struct pci_addr *ret)
{
    if (number >> 16 > UINT32_MAX)
        return false;
    *ret = (struct pci_addr){.domain = (uint32_t)(number >> 16),
                             .bus = number >> 8 & 0xff,
                             .dev = number >> 3 & 0x1f,
                             .fn = number & 7};
    return true;
}
