/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The address of a PCI function: domain, bus, device, function. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pci_addr {
    uint32_t domain; /* 16 bits on most hosts, more behind Intel VMD (10000:...) */
    uint8_t bus;
    uint8_t dev; /* 0 to 31 */
    uint8_t fn;  /* 0 to 7 */
};

#define PCI_ADDR_MAX 24 /* bytes of the longest text form, with NUL */

struct pci_addr_text {
    char s[PCI_ADDR_MAX];
};

/* Parses "0000:06:00.0" or the short form "06:00.0" (domain 0), and nothing after it. Returns 0 or
 * -EINVAL; *ret is unchanged on failure. */
int pci_addr_parse(const char *s, struct pci_addr *ret);

/* The kernel's spelling, as in /sys/bus/pci/devices. */
struct pci_addr_text pci_addr_text(struct pci_addr a);

/* The address as a number, in the order of the kernel's names. */
static inline uint64_t pci_addr_number(struct pci_addr a)
{
    return (uint64_t)a.domain << 16 | (uint64_t)a.bus << 8 | (uint64_t)a.dev << 3 | a.fn;
}

/* The reverse. Returns false if the number is not an address. */
bool pci_addr_from_number(uint64_t number, struct pci_addr *ret);

/* Returns <0, 0 or >0, in the order of the kernel's names. */
static inline int pci_addr_cmp(struct pci_addr a, struct pci_addr b)
{
    uint64_t x = pci_addr_number(a), y = pci_addr_number(b);
    return (x > y) - (x < y);
}

/* The same for bsearch() and qsort(), for elements that begin with their address. */
int pci_addr_compare(const void *x, const void *y);

/* Are both functions of one slot (the same domain, bus and device)? */
static inline bool pci_addr_same_slot(struct pci_addr a, struct pci_addr b)
{
    return pci_addr_number(a) >> 3 == pci_addr_number(b) >> 3;
}
