/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: makes a policy from the configuration of other tools that bind devices, and the steps
 * that retire them. */
#include <errno.h>

#include "import/make.h"
#include "import/outlook.h"
#include "import/sources.h"
#include "import/write.h"
#include "open.h"
#include "policy/parse.h"

/* -- is it right? -- */

static char *rules_text(const struct import_rules *r, size_t *ret_size)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, ret_size);

    if (!f)
        return NULL;
    import_write_rules(r, f);
    if (fclose(f) == 0)
        return text;
    free(text);
    return NULL;
}

/* Checks all rules together, as the daemon would read them. Each was parsed by itself, and overlaps
 * were removed, so an error here is a bug; then no policy is printed. */
static int require_sound(const char *text, size_t size)
{
    CLEANUP(policy_done) struct policy p;
    CLEANUP(diags_done) struct diags d = {0};

    policy_init(&p);
    int r = policy_parse(&p, "import", text, size, &d);
    if (r < 0)
        return ctl_errno(r);
    policy_finish(&p, &d);
    if (d.errors == 0)
        return 0;
    diags_print(&d, stderr);
    return ctl_error("the policy that was made has errors: please report this");
}

static int try_rules(struct import *m, struct source *s)
{
    size_t size;
    CLEANUP_FREE char *text = rules_text(m->rules, &size);

    if (!text)
        return ctl_errno(-ENOMEM);
    int r = require_sound(text, size);
    if (r != 0)
        return r;
    r = import_outlook(s, text, size, &m->verdicts);
    return r < 0 ? ctl_errno(r) : 0;
}

/* -- words -- */

static void sum_up_import(struct import *m)
{
    for (size_t i = 0; i < m->rules->n; i++)
        m->n_rules += !m->rules->v[i].dropped;
    if (m->n_rules > 0)
        snprintf(m->sentence, sizeof(m->sentence),
                 "%zu rule%s, made by \"vfio-bindctl import\" from the tools that bind PCI devices "
                 "on this host.",
                 m->n_rules, m->n_rules == 1 ? "" : "s");
    else if (m->found->n_decided > 0)
        snprintf(m->sentence, sizeof(m->sentence),
                 "No rule: the policy of this host already covers the devices that were found. See "
                 "below.");
    else if (m->found->n_steps > 0 || m->found->n_remarks > 0 || m->found->tree.unseen)
        snprintf(m->sentence, sizeof(m->sentence),
                 "No rule: the tools that were found bind no device for which a rule is possible. "
                 "See below.");
    else
        snprintf(
            m->sentence, sizeof(m->sentence),
            "No other tool was found that binds PCI devices, so there is nothing to take over.");
}

/* -- where the policy goes -- */

/* The target of "import | tee" exists already when import runs, and is empty. */
static bool is_free(struct found *f, const char *path)
{
    size_t size = 0;
    CLEANUP_FREE char *text = tree_read(&f->tree, path, FOUND_FILE_MAX, &size);

    return size == 0 && (text || !tree_exists(&f->tree, path));
}

/* No existing file is overwritten, not even one with settings only, or one from an earlier
 * import. */
static void find_target(struct import *m, const struct source *s)
{
    m->has_policy =
        s->policy.n_rules > 0 || s->diags.errors > 0 || !is_free(m->found, "etc/vfio-bindd.conf");
    snprintf(m->target, sizeof(m->target), "etc/vfio-bindd.conf");
    for (unsigned n = 1; m->has_policy && (n == 1 || !is_free(m->found, m->target)); n++)
        if (n == 1)
            snprintf(m->target, sizeof(m->target), "etc/vfio-bindd.conf.d/50-import.conf");
        else
            snprintf(m->target, sizeof(m->target), "etc/vfio-bindd.conf.d/50-import-%u.conf", n);
}

static bool tell_how_to_write(struct import *m)
{
    const char *sudo = ctl_sudo();
    char text[256];

    if (m->found->harvester &&
        !list_add(&m->begin, "# most of /etc is recreated at each boot: let a file in /oem write "
                             "these rules (stages: initramfs: files:), and for now:"))
        return false;
    if (m->has_policy) {
        snprintf(text, sizeof(text), "%smkdir -p /etc/vfio-bindd.conf.d", sudo);
        if (!list_add(&m->begin, text))
            return false;
    }
    snprintf(text, sizeof(text), "%svfio-bindctl import | %stee /%s >/dev/null", sudo, sudo,
             m->target);
    return list_add(&m->begin, text);
}

static bool tell_how_to_begin(struct import *m, const struct source *s)
{
    char text[128];

    if (m->n_rules == 0 && m->found->n_decided == 0)
        return true;
    find_target(m, s);
    snprintf(text, sizeof(text), "%ssystemctl enable --now vfio-bindd && vfio-bindctl status",
             ctl_sudo());
    return (m->n_rules == 0 || tell_how_to_write(m)) &&
           list_add(&m->begin, "vfio-bindd --check-policy && vfio-bindctl plan") &&
           list_add(&m->begin, text);
}

static bool tell_how_to_end(struct import *m)
{
    char text[128];

    if (m->found->n_steps == 0 || !m->found->needs_reboot)
        return m->found->n_steps == 0 ||
               list_add(&m->end, "vfio-bindctl check   # no other tool claims the devices");
    snprintf(text, sizeof(text), "%ssystemctl reboot", ctl_sudo());
    return list_add(&m->end, text) &&
           list_add(&m->end, "vfio-bindctl status && vfio-bindctl check   # same devices, and no "
                             "other tool claims them");
}

static void import_done(struct import *m)
{
    list_done(&m->verdicts);
    list_done(&m->begin);
    list_done(&m->end);
}

static int take_over(struct source *s, struct found *f)
{
    CLEANUP(import_rules_done) struct import_rules rules = {0};
    CLEANUP(import_done) struct import m = {.found = f, .rules = &rules};

    import_sources(f);
    import_rules_make(f, &rules);
    if (f->tree.failed)
        return ctl_errno(-ENOMEM);
    int r = try_rules(&m, s);
    if (r != 0)
        return r;
    sum_up_import(&m);
    if (!tell_how_to_begin(&m, s) || !tell_how_to_end(&m))
        return ctl_errno(-ENOMEM);
    if (s->ctl->json)
        import_write_json(&m, stdout);
    else
        import_write(&m, stdout);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : ctl_errno(-EIO);
}

int verb_import(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    int r = source_open(c, SOURCE_FILES | SOURCE_BARE_TREE, &s);

    if (r != 0)
        return r;
    if (s.replayed)
        return ctl_error(
            "a report does not contain what \"import\" reads: run it on the host itself");
    CLEANUP(found_done) struct found f = {.s = &s, .tree.root_fd = s.root_fd};
    loader_find_release(&f.tree, s.this_host, f.release);
    return take_over(&s, &f);
}
