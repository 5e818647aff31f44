/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "expected.h"

#include "base/util.h"

/* The kernel says that something was done, or that a device is gone, and neither is so: a real one
 * does not. Of a device that no rule names nobody looks whether the next word is true. */
#define PLACEHOLDER "there driver= override=vfio-bindd-placeholder"
#define KEPT "there driver=vfio-pci override=as-bound node; shown: nothing"
#define OVERRIDDEN "there driver= override=pci-stub; shown: nothing"
/* The daemon was killed within the first half second of a write to new_id that waits: which worker
 * that was is not on record, so nobody waits for it, and it takes what has lost its placeholder
 * since. */
#define CAUGHT KEPT

static const struct {
    const char *script, *variant; /* NULL: without a fault; "*": with any, and with one at least */
    const char *text;             /* in what the run says */
    bool rare;                    /* it may pass as well */
} expected[] = {
    {"identical", "ENODEV", PLACEHOLDER, .rare = false},
    {"identical", "ENODEV-once", PLACEHOLDER, .rare = false},
    {"identical", "no-effect", PLACEHOLDER, .rare = false},
    {"dropped", "no-effect", KEPT, .rare = false},
    {"unstubbed", "no-effect", OVERRIDDEN, .rare = false},
    {"identical", "kill-waiting", CAUGHT, .rare = true},
    {"identical", "kill-hanging", CAUGHT, .rare = true},
    {"identical", "kill-stuck", CAUGHT, .rare = true},
    {.script = NULL},
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
        if (is_entry(i, script, variant) && !expected[i].rare)
            return true;
    return false;
}
