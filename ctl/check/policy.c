/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: errors of the policy, the devices that each rule matches, and whether Kubernetes can use
 * it. */
#include <errno.h>
#include <limits.h>

#include "check/files.h"
#include "check/parts.h"
#include "device-ids.h"

/* -- errors -- */

static void check_errors(struct check *c)
{
    const struct source *s = c->s;

    for (size_t i = 0; i < s->diags.n; i++) {
        const struct diag *d = &s->diags.v[i];
        CLEANUP_FREE char *text = diag_text(d);
        char remedy[PATH_MAX + 64];
        check_add(c, d->level == DIAG_ERROR ? FINDING_FAIL : FINDING_WARN, "policy", "%s",
                  text ? text : "out of memory");
        texts_remedy(d->file, remedy, sizeof(remedy));
        check_remedy(c, "%s", remedy);
    }
    if (s->diags.errors > 0)
        return;
    if (s->policy.n_rules == 0) {
        check_add(c, FINDING_WARN, "policy",
                  "the policy has no rule, so vfio-bindd binds no device");
        check_remedy(
            c, "%svfio-bindctl edit   # \"vfio-bindctl suggest\" prints a policy to start from",
            ctl_sudo());
    } else if (s->diags.warnings == 0) {
        check_add(c, FINDING_OK, "policy", "%zu rule%s without errors", s->policy.n_rules,
                  s->policy.n_rules == 1 ? "" : "s");
    }
}

/* The daemon does not see such a file (architecture.md, The unit), but reads drop-ins there. */
static void check_unread_main_file(struct check *c)
{
    if (!check_exists(c, "run/vfio-bindd.conf"))
        return;
    check_add(c, FINDING_WARN, "policy",
              "/run/vfio-bindd.conf is not read: in /run only drop-ins count");
    check_remedy(
        c,
        "%smv /run/vfio-bindd.conf /run/vfio-bindd.conf.d/50-run.conf && %ssystemctl reload "
        "vfio-bindd",
        ctl_sudo(), ctl_sudo());
}

/* -- what the rules match -- */

static void check_rule(struct check *c, const struct rule *r)
{
    int n = plan_count_matched(&c->s->plan, r);

    if (n == 0 && r->narrow[KEY_SERIAL].n > 0 && geteuid() != 0) {
        check_unseen(c, "PCIe serial numbers", -EACCES);
    } else if (r->expect >= 0 && n != r->expect) {
        const struct origin where = r->keys[KEY_EXPECT];
        check_add(c, FINDING_FAIL, "rule",
                  "[device %s] matches %d device%s, and expects %d (%s:%u)", r->name, n,
                  n == 1 ? "" : "s", r->expect, policy_file(&c->s->policy, where), where.line);
        check_remedy(c, "vfio-bindctl list   # is a card missing, or \"expect\" out of date?");
    } else if (n == 0) {
        check_add(c, FINDING_WARN, "rule", "[device %s] matches no device of this host", r->name);
        check_remedy(
            c, "vfio-bindctl list; vfio-bindctl explain ADDRESS   # says why it does not match");
    } else if (rule_trusts_addresses(r)) {
        CLEANUP_FREE char *ids = ids_of_rule(&c->s->snapshot, &c->s->policy, r);
        check_add(c, FINDING_WARN, "rule",
                  "[device %s] matches %d device%s by address alone: whatever has the address at "
                  "the next boot is taken",
                  r->name, n, n == 1 ? "" : "s");
        check_remedy(c, "%svfio-bindctl edit   # in [device %s]: id = %s", ctl_sudo(), r->name,
                     ids ? ids : "");
    } else {
        check_add(c, FINDING_OK, "rule", "[device %s] matches %d device%s%s", r->name, n,
                  n == 1 ? "" : "s", r->expect >= 0 ? ", as expected" : "");
    }
}

/* -- for Kubernetes -- */

struct advertised {
    uint32_t id; /* vendor << 16 | device */
    const struct rule *rule;
};

static int by_id(const void *x, const void *y)
{
    const struct advertised *a = x, *b = y;

    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return a->rule == b->rule ? 0 : strcmp(a->rule->resource, b->rule->resource);
}

/* KubeVirt selects by vendor and device alone; if one ID has two resources, the last one wins.
 * Returns the number of such IDs. */
static size_t check_shared_ids(struct check *c)
{
    const struct plan *plan = &c->s->plan;
    CLEANUP_FREE struct advertised *v = calloc(plan->n_verdicts + 1, sizeof(*v));
    size_t n = 0, shared = 0;

    for (size_t i = 0; v && i < plan->n_verdicts; i++) {
        const struct verdict *verdict = &plan->verdicts[i];
        const struct device *d = snapshot_find(&c->s->snapshot, verdict->addr);
        if (d && !verdict->comes_along && verdict->rule->resource)
            v[n++] = (struct advertised){(uint32_t)d->vendor << 16 | d->device, verdict->rule};
    }
    if (n > 1)
        qsort(v, n, sizeof(*v), by_id);
    for (size_t i = 1, said = 0; i < n; i++) {
        if (v[i].id != v[i - 1].id || streq(v[i].rule->resource, v[i - 1].rule->resource) ||
            v[i].id == said)
            continue;
        said = v[i].id;
        shared++;
        check_add(c, FINDING_WARN, "resource",
                  "%04x:%04x has the resources %s and %s: KubeVirt knows devices by their ID only, "
                  "and counts all of them for one of the two",
                  v[i].id >> 16, v[i].id & 0xffff, v[i - 1].rule->resource, v[i].rule->resource);
        check_remedy(c, "%svfio-bindctl edit   # give both rules one resource", ctl_sudo());
    }
    return shared;
}

/* The driver of a device of this rule, now or later, if it is not vfio-pci; otherwise NULL. */
static const char *other_driver(const struct check *c, const struct rule *r)
{
    const struct source *s = c->s;

    for (size_t i = 0; i < s->plan.n_verdicts; i++) {
        const struct verdict *v = &s->plan.verdicts[i];
        const struct device *d = snapshot_find(&s->snapshot, v->addr);
        const char *now = d ? d->driver : NULL;
        const char *driver = driver_is_vfio(now) ? now : v->driver;
        if (v->rule == r && !v->comes_along && !streq(driver, "vfio-pci"))
            return driver;
    }
    return streq(rule_target(r), "vfio-pci") ? NULL : rule_target(r);
}

/* KubeVirt looks for exactly vfio-pci; a variant needs another device plugin. */
static bool check_driver_name(struct check *c, const struct rule *r)
{
    const char *driver = rule_is_native(r) ? NULL : other_driver(c, r);

    if (!driver)
        return true;
    check_add(c, FINDING_WARN, "driver",
              "[device %s] takes %s: KubeVirt itself offers devices on vfio-pci and NVIDIA's "
              "vGPUs, so %s "
              "needs a device plugin of its own and \"externalResourceProvider: true\"",
              r->name, driver, r->resource);
    check_remedy(c, "%svfio-bindctl edit   # or write driver = vfio-pci", ctl_sudo());
    return false;
}

/* Whether names are valid and distinct is checked when the policy is parsed. */
static void check_resource_names(struct check *c)
{
    const struct policy *p = &c->s->policy;
    size_t resources = 0;
    bool driver_accepted = true;

    for (size_t i = 0; i < p->n_rules; i++)
        if (p->rules[i].resource) {
            resources++;
            driver_accepted = check_driver_name(c, &p->rules[i]) && driver_accepted;
        }
    if (resources == 0)
        return;
    if (driver_accepted)
        check_add(c, FINDING_OK, "driver", "KubeVirt accepts the driver, vfio-pci");
    if (check_shared_ids(c) == 0)
        check_add(c, FINDING_OK, "resource", "%zu resource name%s, valid and distinct", resources,
                  resources == 1 ? "" : "s");
}

void check_policy(struct check *c)
{
    const struct policy *p = &c->s->policy;

    check_errors(c);
    check_unread_main_file(c);
    if (texts_are_on_trial(&c->s->texts)) {
        check_add(c, FINDING_WARN, "policy",
                  "a policy is on trial, and is taken back unless it is confirmed");
        check_remedy(c, "%svfio-bindctl confirm   # or revert", ctl_sudo());
    }
    for (size_t i = 0; i < p->n_rules; i++)
        if (!rule_is_native(&p->rules[i]))
            check_rule(c, &p->rules[i]);
    check_resource_names(c);
}
