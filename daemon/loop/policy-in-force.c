/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/policy-in-force.h"

#include <errno.h>
#include <syslog.h>
#include <unistd.h>

#include "base/util.h"
#include "host/serials.h"
#include "policy/load.h"
#include "record-file.h"
#include "tell/journal.h"

/* Logs the errors, and keeps them for clients. */
static void take_errors(struct view *view, const struct diags *d)
{
    for (size_t i = 0; i < view->n_errors; i++)
        free(view->errors[i]);
    free(view->errors);
    view->n_errors = 0;
    view->errors = calloc(d->n + 1, sizeof(*view->errors));
    for (size_t i = 0; i < d->n; i++) {
        journal_policy_error(&d->v[i]);
        char *text = view->errors && d->v[i].level == DIAG_ERROR ? diag_text(&d->v[i]) : NULL;
        if (text)
            view->errors[view->n_errors++] = text;
    }
    if (d->errors + d->warnings > d->n)
        journal_plain(LOG_ERR, "and %zu more errors", d->errors + d->warnings - d->n);
}

/* Serial numbers of devices are kept only as long as a rule needs them. */
static void drop_serials(const struct view *view)
{
    CLEANUP_CLOSE int folder = record_file_folder(view->root_fd);

    if (folder >= 0 && !view->policy.incomplete && !policy_uses(&view->policy, KEY_SERIAL))
        (void)unlinkat(folder, SERIALS_FILE, 0);
}

static void use(struct view *view, struct policy *new, const struct diags *d, bool off)
{
    view->disabled = off;
    view->policy_unread = d->unread > 0;
    policy_done(&view->policy);
    view->policy = *new;
    policy_init(new);
    journal_set_level(view->policy.log_level);
    drop_serials(view);
}

int policy_in_force_load(struct view *view, bool reload)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy new;
    bool off;

    policy_init(&new);
    policy_load(view->root_fd, &new, &d, &off);
    take_errors(view, &d);
    /* A policy whose trial is over must go, even if the previous policy has errors by now. */
    if (reload && d.errors > 0 && (view->policy.trial_until == 0 || new.trial_until > 0)) {
        journal_event(EVENT_POLICY_REFUSED,
                      "the new policy has %zu error%s and is not adopted; the one in force stays",
                      d.errors, d.errors == 1 ? "" : "s");
        return -EINVAL;
    }
    use(view, &new, &d, off);
    return 0;
}

bool policy_in_force_complete(struct view *view)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy new;
    bool off;

    policy_init(&new);
    if (!view->policy_unread)
        return false;
    policy_load(view->root_fd, &new, &d, &off);
    if (d.unread > 0)
        return false;
    journal_plain(LOG_NOTICE, "the policy can be read now");
    take_errors(view, &d);
    use(view, &new, &d, off);
    return true;
}
