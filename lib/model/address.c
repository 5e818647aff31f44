/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/address.h"

#include <errno.h>
#include <stddef.h>

/* Reads `min` to `max` hex digits; returns what follows them, or NULL. */
static const char *read_hex(const char *s, unsigned min, unsigned max, uint32_t *ret)
{
    uint32_t value = 0;
    unsigned n = 0;

    for (; n < max; n++, s++) {
        if (*s >= '0' && *s <= '9')
            value = value << 4 | (uint32_t)(*s - '0');
        else if (*s >= 'a' && *s <= 'f')
            value = value << 4 | (uint32_t)(*s - 'a' + 10);
        else if (*s >= 'A' && *s <= 'F')
            value = value << 4 | (uint32_t)(*s - 'A' + 10);
        else
            break;
    }
    *ret = value;
    return n >= min ? s : NULL;
}

int pci_addr_parse(const char *s, struct pci_addr *ret)
{
    uint32_t first, bus, dev;
    const char *p = read_hex(s, 1, 8, &first);

    if (!p || *p != ':')
        return -EINVAL;
    p = read_hex(p + 1, 1, 2, &bus);
    if (!p)
        return -EINVAL;
    if (*p == '.') { /* the short form: what was read are bus and device */
        dev = bus;
        bus = first;
        first = 0;
    } else {
        if (*p != ':')
            return -EINVAL;
        p = read_hex(p + 1, 1, 2, &dev);
    }
    if (!p || *p != '.' || p[1] < '0' || p[1] > '7' || p[2] || bus > 0xff || dev > 0x1f)
        return -EINVAL;

    *ret = (struct pci_addr){first, (uint8_t)bus, (uint8_t)dev, (uint8_t)(p[1] - '0')};
    return 0;
}

static char *put_hex(char *at, uint32_t value, int digits)
{
    while (digits-- > 0)
        *at++ = "0123456789abcdef"[value >> 4 * digits & 0xf];
    return at;
}

/* Written for every path in /sys: by hand, since snprintf() costs thousands of instructions. */
struct pci_addr_text pci_addr_text(struct pci_addr a)
{
    struct pci_addr_text t;
    int digits = 4; /* of the domain, at least */

    while (digits < 8 && a.domain >> 4 * digits)
        digits++;
    char *at = put_hex(t.s, a.domain, digits);
    *at++ = ':';
    at = put_hex(at, a.bus, 2);
    *at++ = ':';
    at = put_hex(at, a.dev & 0x1fU, 2);
    *at++ = '.';
    at = put_hex(at, a.fn & 7U, 1);
    *at = '\0';
    return t;
}
