/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "expected.h"

#include "util.h"

/* A driver that was registered while a device had the placeholder is never asked for it again. */
#define PARKED "there driver= override="
/* The placeholder was written late, by a call that waited: it stays on what has a driver by then.
 */
#define LATE "override=vfio-bindd-parked"
/* Placing the placeholder failed, the entry is written all the same; what it caught stays caught.
 */
#define CAUGHT "there driver=vfio-pci override=as-bound node; shown: nothing"
/* It had the device when the rule was dropped, and a call on it had not returned, or the daemon was
 * killed before it handed the device back. */
#define KEPT CAUGHT
/* Giving it back failed, or was broken off, and is never tried again: our override stays, or it is
 * without a driver. */
#define LEFT "there driver= override="

static const struct {
    const char *script, *variant; /* NULL: without a fault; "*": with any, and with one at least */
    const char *text;             /* in what the run says */
} expected[] = {
    {"twins", "*", PARKED}, {"twins", "*", LATE},   {"twins", "*", CAUGHT},
    {"dropped", "*", KEPT}, {"dropped", "*", LEFT}, {NULL, NULL, NULL},
};

static bool is_entry(size_t i, const char *script, const char *variant)
{
    return streq(expected[i].script, script) && streq_null(expected[i].variant, variant);
}

bool is_expected(const char *script, const char *variant, const char *problem)
{
    for (size_t i = 0; expected[i].script; i++)
        if ((is_entry(i, script, variant) || (variant && is_entry(i, script, ANY_VARIANT))) &&
            strstr(problem, expected[i].text))
            return true;
    return false;
}

bool is_listed(const char *script, const char *variant)
{
    for (size_t i = 0; expected[i].script; i++)
        if (is_entry(i, script, variant))
            return true;
    return false;
}
