/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/policy-in-force.h"

#include <errno.h>
#include <syslog.h>
#include <unistd.h>

#include "base/util.h"
#include "held.h"
#include "host/serials.h"
#include "policy/load.h"
#include "tell/journal.h"

/* Logs the mistakes and keeps them for those who ask later. */
static void take_mistakes(struct view *view, const struct diags *d)
{
    for (size_t i = 0; i < view->n_mistakes; i++)
        free(view->mistakes[i]);
    free(view->mistakes);
    view->n_mistakes = 0;
    view->mistakes = calloc(d->n + 1, sizeof(*view->mistakes));
    for (size_t i = 0; i < d->n; i++) {
        journal_mistake(&d->v[i]);
        char *text = view->mistakes && d->v[i].level == DIAG_ERROR ? diag_text(&d->v[i]) : NULL;
        if (text)
            view->mistakes[view->n_mistakes++] = text;
    }
    if (d->errors + d->warnings > d->n)
        journal_plain(LOG_ERR, "and %zu more mistakes", d->errors + d->warnings - d->n);
}

/* Serial numbers of devices are kept for no longer than a rule asks for them. */
static void drop_serials(const struct view *view)
{
    CLEANUP_CLOSE int folder = held_folder(view->root_fd);

    if (folder >= 0 && !view->policy.incomplete && !policy_uses(&view->policy, KEY_SERIAL))
        (void)unlinkat(folder, SERIALS_FILE, 0);
}

int policy_in_force_load(struct view *view, bool reload)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy new;
    int r;

    policy_init(&new);
    r = policy_load(view->root_fd, &new, &d, &view->disabled);
    if (r < 0)
        return r;
    take_mistakes(view, &d);
    if (reload && d.errors > 0) {
        journal_event(EVENT_POLICY_REFUSED,
                      "the new policy has %zu mistake%s: the one in force stays; \"vfio-bindd "
                      "--check-policy\" lists them",
                      d.errors, d.errors == 1 ? "" : "s");
        return -EINVAL;
    }
    policy_done(&view->policy);
    view->policy = new;
    view->policy.incomplete = d.errors > 0;
    policy_init(&new);
    journal_set_level(view->policy.log_level);
    drop_serials(view);
    return 0;
}
