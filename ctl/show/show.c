/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show, is-usable: everything about a device, and whether a virtual machine can have it. */
#include "choose.h"
#include "device-json.h"
#include "fields.h"
#include "model/kinds.h"
#include "open.h"
#include "physical.h"

static void line(const char *name, const char *text)
{
    if (!text || !*text)
        return;
    int at = *name ? printf("%13s: ", name) : printf("%15s", "");
    ctl_wrap(stdout, text, (unsigned)at, (unsigned)at);
}

/* Turns a text with one item per line into a list. */
static void print_words(const char *name, const char *lines)
{
    CLEANUP_FREE char *words = lines ? strdup(lines) : NULL;

    for (char *at = words; at && (at = strchr(at, '\n'));)
        *at = ' ';
    line(name, words);
}

static void print_extras(const struct source *s, const struct row *r)
{
    char buf[FIELD_TEXT_MAX];
    const char *text;

    line("Local CPUs", device_extra(s, r, "LocalCpus", buf, sizeof(buf)));
    print_words("Resets", device_extra(s, r, "ResetMethods", buf, sizeof(buf)));
    line("Power", device_extra(s, r, "PowerState", buf, sizeof(buf)));
    line("Previously", device_extra(s, r, "PreviousDriver", buf, sizeof(buf)));
    text = device_extra(s, r, "Untouched", buf, sizeof(buf));
    line("Untouched", !text                ? NULL
                      : streq(text, "yes") ? "yes, no native driver has had it since boot"
                                           : "no, a native driver has had it since boot");
    text = device_extra(s, r, "BoundUSec", buf, sizeof(buf));
    unsigned long long usec = text ? strtoull(text, NULL, 10) : 0;
    snprintf(buf, sizeof(buf), "%llu.%03llu ms", usec / 1000, usec % 1000);
    line("Bound after", usec > 0 ? buf : NULL);
}

static void print_group(const struct source *s, const struct row *r)
{
    char *text = NULL;
    size_t size;
    FILE *f = r->d->group == NO_GROUP ? NULL : open_memstream(&text, &size);

    if (!f) {
        line("IOMMU group", "none: no IOMMU covers it");
        return;
    }
    fprintf(f, "%u, of", r->d->group);
    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct device *d = &s->snapshot.devices[i];
        if (d->group == r->d->group)
            fprintf(f, " %s (%s)", pci_addr_text(d->addr).s,
                    device_is_bridge(d) ? "bridge"
                    : d->driver         ? d->driver
                                        : "no driver");
    }
    if (fclose(f) == 0)
        line("IOMMU group", text);
    free(text);
}

/* Prints a physical function for which a rule sets the number of virtual functions. */
static bool print_physical(const struct source *s, const struct row *r)
{
    CLEANUP(physicals_done) struct physicals all = {0};
    const struct physical *p =
        physicals_read(s, &all) < 0 ? NULL : physicals_find(&all, r->d->addr);

    if (p)
        line("State", "stays on its native driver, which creates its virtual functions");
    if (p)
        line("VFs", p->sentence);
    return p;
}

static void print_rule_of(const struct source *s, const struct row *r)
{
    const struct rule *rule = r->native                                  ? r->native
                              : r->v && streq(r->v->rule->name, r->rule) ? r->v->rule
                                                                         : NULL;
    char text[FIELD_TEXT_MAX + 64];

    if (!rule && !*r->rule)
        return;
    if (rule)
        snprintf(text, sizeof(text), "%s (%s:%u)%s%s", rule->name,
                 policy_file(&s->policy, rule->where), rule->where.line,
                 r->comes_along ? ", along with " : "",
                 r->comes_along ? pci_addr_text(r->leader).s : "");
    else
        snprintf(text, sizeof(text), "%s", r->rule);
    line("Rule", text);
}

static void print_state(const struct source *s, const struct row *r)
{
    char text[FIELD_TEXT_MAX + 64];

    if (!r->selected && print_physical(s, r))
        return;
    if (r->selected) {
        snprintf(text, sizeof(text), "%s%s%s%s", r->state, *r->reason ? " (" : "", r->reason,
                 *r->reason ? ")" : "");
        line("State", text);
        line("Usable", r->usable ? "yes" : "no");
    } else {
        line("State", r->native ? "native" : "not selected");
    }
    line("", r->sentence);
    line("", r->problem);
    print_rule_of(s, r);
}

/* Prints the node that its rule requires. */
static void print_interface(const struct row *r)
{
    const char *text = device_interface(r);

    line("Interface", text && !streq(text, interface_word(INTERFACE_ANY)) ? text : NULL);
}

static void print_row(const struct source *s, const struct row *r)
{
    char buf[FIELD_TEXT_MAX], text[FIELD_TEXT_MAX + 32];

    printf("%s ", pci_addr_text(r->d->addr).s);
    puts(row_name(r, buf));
    snprintf(text, sizeof(text), "%s, subsystem %04x:%04x", field_text(r, FIELD_ID, buf),
             r->d->subvendor, r->d->subdevice);
    line("ID", text);
    snprintf(text, sizeof(text), "%06x %.200s%s%s%s", r->d->class_code, r->class ? r->class : "",
             r->d->vf ? ", virtual function of " : "", r->d->vf ? pci_addr_text(r->d->pf).s : "",
             r->boot_display ? ", it shows the firmware's console" : "");
    line("Class", text);
    CLEANUP_FREE char *vfs = device_vfs(s, r);
    print_words("VF addresses", vfs);
    print_state(s, r);
    print_words("Problems", r->problems);
    line("Resource", field_text(r, FIELD_RESOURCE, buf));
    line("Driver", *r->driver ? r->driver : "none");
    print_group(s, r);
    print_interface(r);
    line("Group node", field_text(r, FIELD_NODE, buf));
    line("Device node", field_text(r, FIELD_DEVICE_NODE, buf));
    line("Slot", r->d->slot);
    line("Serial", r->d->serial);
    line("NUMA node", field_text(r, FIELD_NUMA, buf));
    print_extras(s, r);
}

static void show_json(const struct source *s, const struct chosen *devices)
{
    struct json j;

    json_begin(&j, stdout, false);
    json_array(&j, "devices");
    for (size_t i = 0; i < devices->n; i++)
        device_json(&j, s, devices->v[i]);
    json_end(&j);
    json_finish(&j);
}

int verb_show(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    CLEANUP(chosen_done) struct chosen devices = {0};
    int r = source_open(c, SOURCE_DAEMON, &s);

    if (r == 0)
        r = choose(&s, &devices);
    if (r == 0 && c->json)
        show_json(&s, &devices);
    for (size_t i = 0; !c->json && i < devices.n; i++) {
        fputs(i > 0 ? "\n" : "", stdout);
        print_row(&s, devices.v[i]);
    }
    return r;
}

/* -- is-usable -- */

static const char *why_not_usable(const struct row *r)
{
    const bool sentence_is_reason =
        r->selected ? !streq(r->state, state_word(STATE_BOUND)) : !driver_is_vfio(r->driver);

    return r->problem ? r->problem
           : r->sentence && sentence_is_reason
               ? r->sentence
               : "its IOMMU group is not viable yet, or it has no node in /dev/vfio";
}

/* Sentences about a device begin with its address. */
static void print_usable(const struct row *r, bool usable)
{
    const struct pci_addr_text address = pci_addr_text(r->d->addr);
    const char *why = usable ? "" : why_not_usable(r);

    if (usable)
        printf("%s is usable\n", address.s);
    else if (after_prefix(why, address.s))
        printf("not usable: %s\n", why);
    else
        printf("%s is not usable: %s\n", address.s, why);
}

static void add_usable_json(struct json *j, const struct row *r, bool usable)
{
    json_object(j, NULL);
    json_text(j, "address", pci_addr_text(r->d->addr).s);
    json_bool(j, "usable", usable);
    json_text(j, "why", usable ? NULL : why_not_usable(r));
    json_end(j);
}

int verb_is_usable(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    CLEANUP(chosen_done) struct chosen devices = {0};
    bool all = true;
    struct json j;
    int r = source_open(c, SOURCE_DAEMON, &s);

    if (r == 0)
        r = choose(&s, &devices);
    if (r != 0)
        return r;
    if (c->json) {
        json_begin(&j, stdout, false);
        json_array(&j, "devices");
    }
    for (size_t i = 0; i < devices.n; i++) {
        bool usable = source_is_usable(&s, devices.v[i]);
        all = all && usable;
        if (c->json)
            add_usable_json(&j, devices.v[i], usable);
        else if (!c->quiet)
            print_usable(devices.v[i], usable);
    }
    if (c->json) {
        json_end(&j);
        json_finish(&j);
    }
    return all ? EXIT_SUCCESS : EXIT_FAILURE;
}
