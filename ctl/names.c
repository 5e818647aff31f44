/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "names.h"

#include <pci/pci.h>
#include <setjmp.h>
#include <stdarg.h>

#include "base/util.h"

struct names {
    struct pci_access *access;
};

/* libpci's error callback must not return, and the default one exits. A broken database must not
 * end a verb that needs only a name, so this one jumps back to the look-up. */
static jmp_buf after_error;

static void on_error(char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void on_error(char *format, ...)
{
    (void)format;
    longjmp(after_error, 1);
}

static void be_silent(char *format, ...) PRINTF(1, 2);
static void be_silent(char *format, ...)
{
    (void)format;
}

struct names *names_new(void)
{
    struct names *n = calloc(1, sizeof(*n));

    if (!n)
        return NULL;
    n->access = pci_alloc();
    if (!n->access) {
        free(n);
        return NULL;
    }
    /* No pci_init(): only the database is needed. */
    n->access->error = on_error;
    n->access->warning = be_silent;
    n->access->debug = be_silent;
    return n;
}

void names_free(struct names *n)
{
    if (!n)
        return;
    if (setjmp(after_error) == 0)
        pci_cleanup(n->access);
    free(n);
}

static char *look_up(struct names *n, int what, unsigned a, unsigned b)
{
    char buf[256];
    const char *name;

    if (!n || setjmp(after_error) != 0)
        return NULL;
    name = pci_lookup_name(n->access, buf, sizeof(buf),
                           what | PCI_LOOKUP_NO_NUMBERS | PCI_LOOKUP_NO_HWDB, a, b);
    return name ? strdup(name) : NULL;
}

char *names_vendor(struct names *n, const struct device *d)
{
    return look_up(n, PCI_LOOKUP_VENDOR, d->vendor, 0);
}

char *names_device(struct names *n, const struct device *d)
{
    return look_up(n, PCI_LOOKUP_DEVICE, d->vendor, d->device);
}

char *names_class(struct names *n, const struct device *d)
{
    return look_up(n, PCI_LOOKUP_CLASS, d->class_code >> 8, 0);
}
