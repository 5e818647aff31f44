/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/variants.h"

#include <errno.h>
#include <syslog.h>

#include "base/util.h"
#include "host/modules.h"
#include "loop/start-unit.h"
#include "tell/journal.h"

#define MODULES_MAX 16 /* there are fewer in the kernel */

struct variants {
    sd_event *event;
    variants_done done;
    void *userdata;
    struct {
        char module[MODULE_NAME_MAX];
        char unit[START_UNIT_NAME_MAX];
        struct start_unit *load; /* NULL: not under way (any more) */
    } v[MODULES_MAX];
    size_t n;
};

int variants_new(sd_event *event, variants_done done, void *userdata, struct variants **ret)
{
    struct variants *v = calloc(1, sizeof(*v));

    if (!v)
        return -ENOMEM;
    *v = (struct variants){.event = event, .done = done, .userdata = userdata};
    *ret = v;
    return 0;
}

void variants_retry(struct variants *v)
{
    for (size_t i = 0; i < v->n; i++)
        start_unit_cancel(v->v[i].load);
    v->n = 0;
}

void variants_free(struct variants *v)
{
    if (!v)
        return;
    variants_retry(v);
    free(v);
}

static void on_module_loaded(void *userdata, const char *unit, int r, const char *text)
{
    struct variants *v = userdata;
    const char *module = "";

    for (size_t i = 0; i < v->n; i++)
        if (streq(v->v[i].unit, unit)) {
            v->v[i].load = NULL;
            module = v->v[i].module;
        }
    if (r < 0)
        journal_plain(LOG_WARNING, "%s; the devices with \"driver = auto\" stay on vfio-pci", text);
    v->done(v->userdata, module);
}

static void load_module(struct variants *v, const char *module)
{
    for (size_t i = 0; i < v->n; i++)
        if (streq(v->v[i].module, module))
            return;
    if (v->n == MODULES_MAX || !start_unit_of_module(module, v->v[v->n].unit))
        return;
    snprintf(v->v[v->n].module, MODULE_NAME_MAX, "%s", module);
    int r = start_unit(v->event, START_UNIT_ADDRESS, v->v[v->n].unit, START_UNIT_TIMEOUT_USEC,
                       on_module_loaded, v, &v->v[v->n].load);
    if (r < 0)
        journal_plain(LOG_WARNING,
                      "cannot have the module %s loaded: %s; the devices with \"driver = auto\" "
                      "stay on vfio-pci",
                      module, strerror(-r));
    v->n++;
}

void variants_load(struct variants *v, const struct plan *plan, const struct snapshot *s)
{
    for (size_t i = 0; i < plan->n_verdicts; i++) {
        const struct device *d = snapshot_find(s, plan->verdicts[i].addr);
        if (d && d->module && !d->variant && rule_is_auto(plan->verdicts[i].rule))
            load_module(v, d->module);
    }
}
