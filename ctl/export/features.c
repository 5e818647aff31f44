/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export nfd, prometheus: writes once what the daemon keeps current. */
#include <errno.h>

#include "base/rootfs.h"
#include "export/kinds.h"
#include "offer/kubelet.h"
#include "offer/node-features.h"

/* Like all verbs, it uses the daemon's data if the daemon runs. */
static int features_of_rows(const struct source *s, struct features *ret)
{
    struct feature_device *v = calloc(s->snapshot.n + 1, sizeof(*v));

    if (!v)
        return -ENOMEM;
    *ret = (struct features){
        .policy = &s->policy, .v = v, .errors = s->diags.errors, .at_work = s->live.running};
    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct row *r = &s->rows[i];
        if (r->selected)
            v[ret->n++] = (struct feature_device){
                .d = r->d,
                .rule = r->rule,
                .resource = r->v && !r->comes_along ? r->v->rule->resource : NULL,
                .state = r->state,
                .numa_node = r->numa_node,
                .comes_along = r->comes_along,
                .usable = r->usable,
            };
    }
    if (!s->live.running) /* otherwise its state includes them */
        ret->vfs_wrong = features_count_vfs_wrong(&s->snapshot, &s->plan, false);
    features_judge(ret);
    if (s->live.running)
        ret->ready = ret->ready && streq(props_get(&s->live.manager, "State"), "ready");
    if (s->off)
        ret->ready = false;
    return 0;
}

/* Like `vfio-bindd --publish`. */
static int add_counted(const struct source *s, const char *metrics, FILE *stream)
{
    CLEANUP_FREE char *checkpoint = NULL;
    size_t size;

    if (s->root_fd < 0 || rootfs_read_file(s->root_fd, KUBELET_CHECKPOINT, KUBELET_CHECKPOINT_MAX,
                                           &checkpoint, &size) < 0)
        return 0;
    int r = features_write_counted(metrics, checkpoint, stream);
    return r == -EBADMSG ? 0 : r;
}

static int form_metrics(const struct source *s, const struct features *f, FILE *stream)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    FILE *own = open_memstream(&text, &size);

    if (!own)
        return -ENOMEM;
    int r = features_write_prometheus(f, own);
    if (fclose(own) != 0 && r == 0)
        r = -ENOMEM;
    if (r < 0)
        return r;
    fputs(text, stream);
    return add_counted(s, text, stream);
}

static int form(struct export *e, bool nfd)
{
    CLEANUP(features_done) struct features f = {0};
    int r = features_of_rows(e->source, &f);

    if (r == 0)
        r = nfd ? features_write_nfd(&f, NULL, e->text) : form_metrics(e->source, &f, e->text);
    if (r == -E2BIG)
        return ctl_error("the policy selects too many models of devices: Node Feature Discovery "
                         "reads files of up to 64 KiB");
    return r < 0 ? ctl_errno(r) : 0;
}

int export_nfd(struct export *e)
{
    return form(e, true);
}

int export_prometheus(struct export *e)
{
    return form(e, false);
}
