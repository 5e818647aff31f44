/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the host have three values: there, gone, unknown. Only three errors mean that
 * something is gone. Any other error (no descriptor, no memory, no permission, an I/O error, a path
 * that is too long) says nothing about the host. A caller that gets one keeps the old value,
 * reports the error, leaves the device alone, and tries again. No reader may turn an error into
 * "no". Pure. */
#pragma once

#include <errno.h>
#include <stdbool.h>

/* Does this result of a reader mean "gone"? Readers return 1 or a length for what is there, and 0
 * or a negative errno otherwise. */
static inline bool fact_is_gone(int r)
{
    return r == -ENOENT || r == -ENODEV || r == -ENXIO;
}

/* For readers to which "gone" means "none": returns the error, or 0 if r is no error or means
 * "gone". */
static inline int fact_error(int r)
{
    return r < 0 && !fact_is_gone(r) ? r : 0;
}

/* What can be unknown. */
enum fact {
    FACT_NONE,
    FACT_LISTING,  /* which devices exist */
    FACT_DRIVERS,  /* which drivers are registered */
    FACT_BOOT,     /* whether the boot is over */
    FACT_MODULES,  /* vfio's parameters */
    FACT_IDENTITY, /* modalias */
    FACT_DRIVER,
    FACT_GROUP,
    FACT_IOMMU,   /* the virtual IOMMU that the firmware announces */
    FACT_MEMBERS, /* the members of its IOMMU group */
    FACT_NODE,
    FACT_KIND, /* bridge, virtual function, physical function */
    FACT_DISPLAY,
    FACT_SLOT,
    FACT_SERIAL,
    FACT_VARIANT,
    FACT_BARS,          /* what claims them */
    FACT_BAR_ADDRESSES, /* whether its BARs have addresses */
    FACT_USE,
    FACT_BOOT_USE,
    FACT_MAX,
};

struct unknown {
    enum fact fact; /* the first one that is unknown; FACT_NONE: all is known */
    int error;      /* errno */
};

/* The name of a fact: words that can follow "its" or "the" ("driver"), and the single word for the
 * text form of a snapshot. */
const char *fact_words(enum fact f);
const char *fact_word(enum fact f);

/* If r is an error that means "unknown", notes the fact, unless one was noted before. Returns
 * whether r means "unknown". */
bool unknown_note(struct unknown *u, enum fact f, int r);
