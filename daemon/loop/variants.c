/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/variants.h"

#include <errno.h>
#include <syslog.h>

#include "base/util.h"
#include "channel/helper-call.h"
#include "loop/ask-helper.h"
#include "tell/journal.h"

#define MODULES_MAX 16 /* the kernel has fewer variants */
#define TIMEOUT_USEC (5 * 1000000ULL)

struct variants {
    sd_event *event;
    int root_fd;
    variants_done done;
    void *userdata;
    struct {
        char module[MODULE_NAME_MAX];
        struct helper_question *load; /* NULL: no request is pending */
    } v[MODULES_MAX];
    size_t n;
};

int variants_new(sd_event *event, int root_fd, variants_done done, void *userdata,
                 struct variants **ret)
{
    struct variants *v = calloc(1, sizeof(*v));

    if (!v)
        return -ENOMEM;
    *v = (struct variants){.event = event, .root_fd = root_fd, .done = done, .userdata = userdata};
    *ret = v;
    return 0;
}

void variants_retry(struct variants *v)
{
    for (size_t i = 0; i < v->n; i++)
        ask_helper_cancel(v->v[i].load);
    v->n = 0;
}

void variants_free(struct variants *v)
{
    if (!v)
        return;
    variants_retry(v);
    free(v);
}

static void on_module_loaded(void *userdata, const struct helper_request *q,
                             const struct helper_reply *reply, int r, const char *text)
{
    struct variants *v = userdata;

    (void)reply;
    for (size_t i = 0; i < v->n; i++)
        if (streq(v->v[i].module, q->module))
            v->v[i].load = NULL;
    if (r < 0)
        journal_plain(LOG_WARNING, "%s; devices with \"driver = auto\" stay on vfio-pci", text);
    v->done(v->userdata, q->module);
}

static void load_variant(struct variants *v, const char *module)
{
    CLEANUP_FREE struct helper_request *q = calloc(1, sizeof(*q));

    for (size_t i = 0; i < v->n; i++)
        if (streq(v->v[i].module, module))
            return;
    if (!q || v->n == MODULES_MAX || !module_name_is_valid(module))
        return;
    q->kind = HELPER_MODULE;
    strcpy(q->module, module); /* the name is valid, so it fits */
    strcpy(v->v[v->n].module, module);
    int r =
        ask_helper(v->event, v->root_fd, q, TIMEOUT_USEC, on_module_loaded, v, &v->v[v->n].load);
    if (r < 0)
        journal_plain(LOG_WARNING,
                      "cannot load the module %s: %s: %s; devices with \"driver = "
                      "auto\" stay on vfio-pci",
                      module, helper_socket_unit(HELPER_MODULE), helper_error_text(r));
    v->n++;
}

void variants_load(struct variants *v, const struct plan *plan, const struct snapshot *s)
{
    for (size_t i = 0; i < plan->n_verdicts; i++) {
        const struct device *d = snapshot_find(s, plan->verdicts[i].addr);
        if (d && d->module && !d->variant && rule_is_auto(plan->verdicts[i].rule))
            load_variant(v, d->module);
    }
}
