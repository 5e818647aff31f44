/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the host have three values: there, gone, unknown. Only three errors say that
 * something is gone. Any other (no descriptor, no memory, no permission, an I/O error, too long)
 * says nothing about the host: who got it keeps what was known before, says so, keeps off the
 * device, and tries again. No reader may turn an error into "no". Pure. */
#pragma once

#include <errno.h>
#include <stdbool.h>

/* Readers return 1 or a length for what is there, 0 or a negative errno. */
static inline bool fact_is_gone(int r)
{
    return r == -ENOENT || r == -ENODEV || r == -ENXIO;
}

/* For readers that treat what is gone as "none": 0 for that, the error otherwise. */
static inline int fact_error(int r)
{
    return r < 0 && !fact_is_gone(r) ? r : 0;
}

/* What can be unknown. */
enum fact {
    FACT_NONE,
    FACT_LISTING,  /* which devices there are */
    FACT_DRIVERS,  /* which drivers are registered */
    FACT_BOOT,     /* whether the host is still coming up */
    FACT_MODULES,  /* vfio's parameters */
    FACT_IDENTITY, /* modalias */
    FACT_DRIVER,
    FACT_GROUP,
    FACT_IOMMU,   /* one that the firmware announces */
    FACT_MEMBERS, /* of its group */
    FACT_NODE,
    FACT_KIND, /* bridge, virtual function, physical function */
    FACT_DISPLAY,
    FACT_SLOT,
    FACT_SERIAL,
    FACT_VARIANT,
    FACT_BARS,
    FACT_USE,
    FACT_BOOT_USE,
    FACT_MAX,
};

struct unknown {
    enum fact fact; /* the first one; FACT_NONE: all is known */
    int error;      /* errno */
};

/* In words that follow "its" or "the": "driver". One word for the text form of a snapshot, too. */
const char *fact_words(enum fact f);
const char *fact_word(enum fact f);

/* If r is an error that means "unknown", notes the fact, unless one was noted before. Returns
 * whether it is. */
bool unknown_note(struct unknown *u, enum fact f, int r);
