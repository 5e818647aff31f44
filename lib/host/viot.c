/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/viot.h"

#include <string.h>

#define HEADER_SIZE 48     /* ACPI's own header, then the number and the offset of the nodes */
#define NODES_AT 36        /* the number of nodes; the offset of the first follows */
#define NODE_HEADER_SIZE 4 /* type, reserved, length */
#define NODE_PCI_RANGE 1
#define PCI_RANGE_SIZE 16 /* up to the last field that is used */

static uint16_t read16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

bool viot_read(const void *table, size_t size, struct viot *ret)
{
    const uint8_t *p = table;

    ret->n = 0;
    if (size < HEADER_SIZE || memcmp(p, "VIOT", 4) != 0)
        return false;
    size_t at = read16(p + NODES_AT + 2);
    for (unsigned nodes = read16(p + NODES_AT); nodes > 0; nodes--) {
        size_t length = at + NODE_HEADER_SIZE <= size ? read16(p + at + 2) : 0;
        if (length < NODE_HEADER_SIZE || length > size - at)
            return false;
        if (p[at] == NODE_PCI_RANGE && (length < PCI_RANGE_SIZE || ret->n == VIOT_RANGES_MAX))
            return false;
        if (p[at] == NODE_PCI_RANGE)
            ret->ranges[ret->n++] = (struct viot_range){read16(p + at + 8), read16(p + at + 10),
                                                        read16(p + at + 12), read16(p + at + 14)};
        at += length;
    }
    return true;
}

bool viot_covers(const struct viot *v, struct pci_addr a)
{
    uint64_t bdf = pci_addr_number(a) & 0xffff;

    for (size_t i = 0; i < v->n; i++)
        if (a.domain >= v->ranges[i].first_segment && a.domain <= v->ranges[i].last_segment &&
            bdf >= v->ranges[i].first && bdf <= v->ranges[i].last)
            return true;
    return false;
}
