/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offer/node-features.h"

#include <errno.h>

#include "config.h"
#include "model/resource.h"
#include "offer/kubelet.h"
#include "offer/kubevirt.h"

/* NFD requires a namespace in every name, and accepts only this one and those of vendors. */
#define NFD_PREFIX "feature.node.kubernetes.io/vfio-bindd."

#define OFFERED_LINE "vfio_bindd_offered_devices{resource=\""

/* more than the longest line */
#define NFD_LINE_MAX 96

#define ANY_NODE (-2)

size_t features_count_vfs_wrong(const struct snapshot *s, const struct plan *plan, bool at_work)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->n_vfs; i++)
        n += !vfs_are_good(&plan->vfs[i], s->cold_boot) ||
             (plan->vfs[i].state == STATE_PENDING && !at_work);
    return n;
}

int features_of_plan(const struct policy *p, const struct snapshot *s, const struct plan *plan,
                     size_t errors, bool at_work, struct features *ret)
{
    struct feature_device *v = calloc(plan->n_verdicts + 1, sizeof(*v));

    size_t n = 0;

    if (!v)
        return -ENOMEM;
    for (size_t i = 0; i < plan->n_verdicts; i++) {
        const struct verdict *verdict = &plan->verdicts[i];
        const struct device *d = snapshot_find(s, verdict->addr);
        if (d)
            v[n++] = (struct feature_device){
                .d = d,
                .rule = verdict->rule->name,
                .resource = verdict->comes_along ? NULL : verdict->rule->resource,
                .state = state_word(verdict->state),
                .numa_node = -1,
                .comes_along = verdict->comes_along,
                .usable = verdict->usable,
            };
    }
    *ret = (struct features){.policy = p,
                             .v = v,
                             .n = n,
                             .errors = errors,
                             .vfs_wrong = features_count_vfs_wrong(s, plan, at_work),
                             .at_work = at_work};
    features_judge(ret);
    return 0;
}

void features_done(struct features *f)
{
    free(f->v);
    *f = (struct features){0};
}

static size_t count_matched(const struct features *f, const char *rule)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++)
        n += !f->v[i].comes_along && streq(f->v[i].rule, rule);
    return n;
}

static size_t count_released(const struct features *f, const char *rule)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++)
        n += !f->v[i].comes_along && streq(f->v[i].rule, rule) &&
             state_parse(f->v[i].state) == STATE_RELEASED;
    return n;
}

void features_judge(struct features *f)
{
    f->ready = f->errors == 0 && f->vfs_wrong == 0;
    for (size_t i = 0; i < f->n; i++)
        f->ready = f->ready && device_is_good(state_parse(f->v[i].state), f->v[i].usable,
                                              f->v[i].d->driver, f->at_work);
    for (size_t i = 0; f->policy && i < f->policy->n_rules; i++) {
        const struct rule *r = &f->policy->rules[i];
        f->ready = f->ready && (r->expect < 0 || (count_matched(f, r->name) == (size_t)r->expect &&
                                                  count_released(f, r->name) == 0));
    }
}

/* -- models -- */

static bool is_model(const struct feature_device *v, uint16_t vendor, uint16_t device)
{
    return !v->comes_along && v->d->vendor == vendor && v->d->device == device;
}

/* Is v[i] the first device of its model that a rule itself names? A loop over these gets each model
 * once, in the order of addresses. */
static bool features_is_first(const struct features *f, size_t i)
{
    const struct device *d = f->v[i].d;

    for (size_t j = 0; j < i; j++)
        if (is_model(&f->v[j], d->vendor, d->device))
            return false;
    return !f->v[i].comes_along;
}

/* The same for models on a NUMA node. */
static bool features_is_first_on_node(const struct features *f, size_t i)
{
    const struct device *d = f->v[i].d;

    for (size_t j = 0; j < i; j++)
        if (is_model(&f->v[j], d->vendor, d->device) && f->v[j].numa_node == f->v[i].numa_node)
            return false;
    return !f->v[i].comes_along && f->v[i].numa_node >= 0;
}

/* Was a device of the same group counted before? All devices of a group are on one node. */
static bool is_group_counted(const struct features *f, size_t i, int node)
{
    const struct device *d = f->v[i].d;

    for (size_t j = 0; j < i; j++)
        if (f->v[j].usable && is_model(&f->v[j], d->vendor, d->device) &&
            f->v[j].d->group == d->group && (node == ANY_NODE || f->v[j].numa_node == node))
            return true;
    return false;
}

/* How many devices of this model could virtual machines have now, on one NUMA node or on any?
 * Counts usable devices that a rule itself names, one for each IOMMU group, since a group goes to
 * one virtual machine. */
static size_t count_usable(const struct features *f, uint16_t vendor, uint16_t device, int node)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++)
        n += f->v[i].usable && is_model(&f->v[i], vendor, device) &&
             (node == ANY_NODE || f->v[i].numa_node == node) && !is_group_counted(f, i, node);
    return n;
}

/* -- Node Feature Discovery -- */

int features_write_nfd(const struct features *f, const char *expiry, FILE *stream)
{
    size_t lines = 2;

    for (size_t i = 0; i < f->n; i++)
        lines += features_is_first(f, i) + features_is_first_on_node(f, i);
    if (lines > FEATURES_SIZE_MAX / NFD_LINE_MAX)
        return -E2BIG;
    if (expiry)
        fprintf(stream, "# +expiry-time=%s\n", expiry);
    fprintf(stream, NFD_PREFIX "ready=%s\n", f->ready ? "true" : "false");
    for (size_t i = 0; i < f->n; i++) {
        const struct device *d = f->v[i].d;
        if (features_is_first(f, i))
            fprintf(stream, NFD_PREFIX "pci-%04x-%04x.count=%zu\n", d->vendor, d->device,
                    count_usable(f, d->vendor, d->device, ANY_NODE));
        if (features_is_first_on_node(f, i))
            fprintf(stream, NFD_PREFIX "pci-%04x-%04x.numa-%d.count=%zu\n", d->vendor, d->device,
                    f->v[i].numa_node, count_usable(f, d->vendor, d->device, f->v[i].numa_node));
    }
    return ferror(stream) ? -EIO : 0;
}

/* -- Prometheus -- */

static void write_head(const char *name, const char *help, FILE *stream)
{
    fprintf(stream, "# HELP vfio_bindd_%s %s\n# TYPE vfio_bindd_%s gauge\n", name, help, name);
}

static void write_label(const char *name, const char *value, FILE *stream)
{
    fprintf(stream, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            fputc('\\', stream);
        if (*value == '\n')
            fputs("\\n", stream);
        else
            fputc(*value, stream);
    }
    fputc('"', stream);
}

static void write_states(const struct features *f, FILE *stream)
{
    write_head("devices", "Devices that the policy selects or that come along, by state.", stream);
    for (enum device_state s = 0; s < STATE_MAX; s++) {
        size_t n = 0;
        for (size_t i = 0; i < f->n; i++)
            n += streq(f->v[i].state, state_word(s));
        fprintf(stream, "vfio_bindd_devices{state=\"%s\"} %zu\n", state_word(s), n);
    }
}

static void write_models(const struct features *f, FILE *stream)
{
    write_head("usable_devices",
               "Devices of a model that virtual machines could have now, one for each IOMMU group.",
               stream);
    for (size_t i = 0; i < f->n; i++) {
        const struct feature_device *v = &f->v[i];
        if (!features_is_first(f, i))
            continue;
        fprintf(stream, "vfio_bindd_usable_devices{id=\"%04x:%04x\",", v->d->vendor, v->d->device);
        write_label("resource", v->resource ? v->resource : "", stream);
        fprintf(stream, "} %zu\n", count_usable(f, v->d->vendor, v->d->device, ANY_NODE));
    }
}

static bool has_resource_name(const struct feature_device *v, const char *resource)
{
    return v->resource && streq(v->resource, resource);
}

static bool is_first_of_resource(const struct features *f, size_t i)
{
    const char *resource = f->v[i].resource;

    for (size_t j = 0; resource && j < i; j++)
        if (has_resource_name(&f->v[j], resource))
            return false;
    return resource;
}

static bool is_offer_counted(const struct features *f, size_t i, const char *resource)
{
    for (size_t j = 0; j < i; j++)
        if (has_resource_name(&f->v[j], resource) && kubevirt_offers(f->v[j].d) &&
            f->v[j].d->group == f->v[i].d->group)
            return true;
    return false;
}

/* By this line publish.h knows for which resources to add kubelet's count. */
static void write_offers(const struct features *f, FILE *stream)
{
    write_head("offered_devices",
               "Devices of a resource that KubeVirt would offer if it looked now, usable or not.",
               stream);
    for (size_t i = 0; i < f->n; i++) {
        const char *resource = f->v[i].resource;
        size_t n = 0;
        if (!is_first_of_resource(f, i))
            continue;
        for (size_t j = i; j < f->n; j++)
            n += has_resource_name(&f->v[j], resource) && kubevirt_offers(f->v[j].d) &&
                 !is_offer_counted(f, j, resource);
        fprintf(stream, OFFERED_LINE "%s\"} %zu\n", resource, n);
    }
}

static void write_rules(const struct features *f, FILE *stream)
{
    if (!f->policy)
        return;
    write_head("rule_matched", "Devices that a rule itself matches.", stream);
    for (size_t i = 0; i < f->policy->n_rules; i++) {
        const struct rule *r = &f->policy->rules[i];
        if (rule_is_native(r))
            continue;
        fputs("vfio_bindd_rule_matched{", stream);
        write_label("rule", r->name, stream);
        fprintf(stream, "} %zu\n", count_matched(f, r->name));
    }
    write_head("rule_expected", "How many devices a rule with \"expect\" must match.", stream);
    for (size_t i = 0; i < f->policy->n_rules; i++) {
        const struct rule *r = &f->policy->rules[i];
        if (r->expect < 0)
            continue;
        fputs("vfio_bindd_rule_expected{", stream);
        write_label("rule", r->name, stream);
        fprintf(stream, "} %d\n", r->expect);
    }
}

/* Facts that never change for a device are labels of one series; the others are values. So no
 * series appears or disappears when a state changes. */
static void write_devices(const struct features *f, FILE *stream)
{
    write_head("device_info", "One for each device that the policy selects.", stream);
    for (size_t i = 0; i < f->n; i++) {
        const struct feature_device *v = &f->v[i];
        fprintf(stream, "vfio_bindd_device_info{address=\"%s\",id=\"%04x:%04x\",",
                pci_addr_text(v->d->addr).s, v->d->vendor, v->d->device);
        write_label("rule", v->rule, stream);
        fputc(',', stream);
        write_label("resource", v->resource ? v->resource : "", stream);
        if (v->d->group != NO_GROUP)
            fprintf(stream, ",group=\"%u\"", v->d->group);
        if (v->numa_node >= 0)
            fprintf(stream, ",numa_node=\"%d\"", v->numa_node);
        fputs("} 1\n", stream);
    }
    write_head("device_state", "1 for the state that the device is in.", stream);
    for (size_t i = 0; i < f->n; i++)
        for (enum device_state s = 0; s < STATE_MAX; s++)
            fprintf(stream, "vfio_bindd_device_state{address=\"%s\",state=\"%s\"} %d\n",
                    pci_addr_text(f->v[i].d->addr).s, state_word(s),
                    streq(f->v[i].state, state_word(s)));
    write_head("device_driver", "The driver that has the device; none where no driver has it.",
               stream);
    for (size_t i = 0; i < f->n; i++) {
        const struct feature_device *v = &f->v[i];
        if (!v->d->driver)
            continue;
        fprintf(stream, "vfio_bindd_device_driver{address=\"%s\",", pci_addr_text(v->d->addr).s);
        write_label("driver", v->d->driver, stream);
        fputs("} 1\n", stream);
    }
    write_head("device_usable", "Whether a virtual machine could have the device now.", stream);
    for (size_t i = 0; i < f->n; i++)
        fprintf(stream, "vfio_bindd_device_usable{address=\"%s\"} %d\n",
                pci_addr_text(f->v[i].d->addr).s, f->v[i].usable);
}

/* The resources come from our own text, so the daemon has checked their names. */
int features_write_counted(const char *metrics, const char *checkpoint, FILE *stream)
{
    bool headed = false;

    for (const char *at = metrics; (at = strstr(at, "\n" OFFERED_LINE));) {
        char resource[RESOURCE_NAME_MAX + 1];
        struct kubelet_devices counted = {0};
        at += strlen("\n" OFFERED_LINE);
        size_t n = strcspn(at, "\"\n");
        if (n >= sizeof(resource))
            continue;
        snprintf(resource, sizeof(resource), "%.*s", (int)n, at);
        int r = kubelet_find(checkpoint, resource, &counted);
        free(counted.groups);
        if (r < 0)
            return r;
        if (!headed)
            write_head("kubelet_devices", "Healthy devices of a resource that kubelet counts.",
                       stream);
        headed = true;
        fprintf(stream, "vfio_bindd_kubelet_devices{resource=\"%s\"} %zu\n", resource,
                counted.n + counted.others);
    }
    return ferror(stream) ? -EIO : 0;
}

int features_write_prometheus(const struct features *f, FILE *stream)
{
    write_head("build_info", "The version of vfio-bindd.", stream);
    fprintf(stream, "vfio_bindd_build_info{version=\"%s\"} 1\n", VERSION_TEXT);
    write_head("ready", "Whether everything is as the policy wants it.", stream);
    fprintf(stream, "vfio_bindd_ready %d\n", f->ready);
    write_head("policy_errors", "Errors in the policy.", stream);
    fprintf(stream, "vfio_bindd_policy_errors %zu\n", f->errors);
    write_states(f, stream);
    write_models(f, stream);
    write_offers(f, stream);
    write_rules(f, stream);
    write_devices(f, stream);
    return ferror(stream) ? -EIO : 0;
}
