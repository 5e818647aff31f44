/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/record.h"

#include "base/util.h"

void record_done(struct record *r)
{
    free(r->override_text);
    free(r->previous_driver);
    free(r->holder);
    free(r->reset_method);
}

bool record_has_override(const struct record *r, const char *driver)
{
    return record_is_overridden(r) && streq_null(r->override_text, driver);
}

bool record_is_overridden_to(const struct record *r, const char *driver)
{
    return driver && record_may_be_overridden(r) && streq_null(r->override_text, driver);
}

bool record_has_bound_to(const struct record *r, const char *driver)
{
    return record_is_overridden_to(r, driver) ||
           (r->binding == BINDING_OURS && record_may_be_overridden(r));
}

struct device record_past_device(const struct record *r)
{
    const struct record_past *k = &r->past;

    return (struct device){.addr = r->addr,
                           .vendor = k->vendor,
                           .device = k->device,
                           .subvendor = k->subvendor,
                           .subdevice = k->subdevice,
                           .class_code = k->class_code,
                           .group = NO_GROUP,
                           .detailed = true};
}
