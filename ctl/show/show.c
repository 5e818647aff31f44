/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show, is-usable: everything about a device, and whether a virtual machine can have it. */
#include "choose.h"
#include "fields.h"
#include "host/pci-files.h"
#include "model/kinds.h"
#include "open.h"
#include "physical.h"

/* What the tables leave out: from the daemon, or from attributes whose reading takes no lock. */
struct extra {
    const char *name;      /* for people */
    const char *property;  /* on the bus */
    const char *attribute; /* in /sys; NULL: only the daemon knows */
};

static const struct extra extras[] = {
    {"Local CPUs", "LocalCpus", "local_cpulist"},
    {"Resets", "ResetMethods", "reset_method"},
    {"Power", "PowerState", "power_state"},
    {"Previously", "PreviousDriver", NULL},
    {"Untouched", "Untouched", NULL},
    {"Bound after", "BoundUSec", NULL},
};

static const char *extra_text(const struct source *s, const struct row *r, const struct extra *e,
                              char buf[static FIELD_TEXT_MAX])
{
    if (r->live && *props_get(&r->live->props, e->property)) {
        const char *text = props_get(&r->live->props, e->property);
        snprintf(buf, FIELD_TEXT_MAX, "%s", text);
        for (char *at = buf; (at = strchr(at, '\n'));)
            *at = ' ';
        return buf;
    }
    if (!e->attribute || s->root_fd < 0)
        return NULL;
    return *pci_attribute(s->root_fd, r->d->addr, e->attribute, buf, FIELD_TEXT_MAX) ? buf : NULL;
}

static void line(const char *name, const char *text)
{
    if (!text || !*text)
        return;
    int at = *name ? printf("%13s: ", name) : printf("%15s", "");
    ctl_wrap(stdout, text, (unsigned)at, (unsigned)at);
}

static void print_extras(const struct source *s, const struct row *r)
{
    char buf[FIELD_TEXT_MAX];

    for (size_t i = 0; i < ELEMENTS(extras); i++) {
        const char *text = extra_text(s, r, &extras[i], buf);
        if (!text)
            continue;
        if (streq(extras[i].property, "BoundUSec")) {
            unsigned long long usec = strtoull(text, NULL, 10);
            if (usec == 0)
                continue;
            snprintf(buf, sizeof(buf), "%llu.%03llu ms", usec / 1000, usec % 1000);
        } else if (streq(extras[i].property, "Untouched")) {
            text = streq(text, "yes") ? "yes, no native driver has had it since boot"
                                      : "no, a native driver has had it since boot";
        }
        line(extras[i].name, text);
    }
}

static void print_group(const struct source *s, const struct row *r)
{
    char *text = NULL;
    size_t size;
    FILE *f = r->d->group == NO_GROUP ? NULL : open_memstream(&text, &size);

    if (!f) {
        line("IOMMU group", "none: no IOMMU works for it");
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

/* A physical function that a rule makes virtual ones of. */
static bool print_physical(const struct source *s, const struct row *r)
{
    CLEANUP(physicals_done) struct physicals all = {0};
    const struct physical *p =
        physicals_read(s, &all) < 0 ? NULL : physicals_find(&all, r->d->addr);

    if (p)
        line("State", "stays on its native driver, which makes its virtual functions");
    if (p)
        line("VFs", p->sentence);
    return p;
}

static void print_state(const struct source *s, const struct row *r)
{
    char text[FIELD_TEXT_MAX + 64];

    if (!r->selected && print_physical(s, r))
        return;
    if (!r->selected) {
        line("State", "no rule concerns it: left to its native driver");
        return;
    }
    snprintf(text, sizeof(text), "%s%s%s%s", r->state, *r->reason ? " (" : "", r->reason,
             *r->reason ? ")" : "");
    line("State", text);
    line("Usable", r->usable ? "yes" : "no");
    line("", r->sentence);
    line("", r->problem);
    if (r->v && streq(r->v->rule->name, r->rule))
        snprintf(text, sizeof(text), "%s (%s:%u)%s%s", r->rule,
                 policy_file(&s->policy, r->v->rule->where), r->v->rule->where.line,
                 r->comes_along ? ", along with " : "",
                 r->comes_along ? pci_addr_text(r->v->leader).s : "");
    else
        snprintf(text, sizeof(text), "%s", r->rule);
    line("Rule", text);
}

static void print_problem_words(const struct row *r)
{
    CLEANUP_FREE char *words = strdup(r->problems);

    for (char *at = words; at && (at = strchr(at, '\n'));)
        *at = ' ';
    line("Problems", words);
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
             r->boot_display ? ", the firmware's console is on it" : "");
    line("Class", text);
    print_state(s, r);
    print_problem_words(r);
    line("Resource", field_text(r, FIELD_RESOURCE, buf));
    line("Driver", *r->driver ? r->driver : "none");
    print_group(s, r);
    line("Group node", field_text(r, FIELD_NODE, buf));
    line("Device node", field_text(r, FIELD_DEVICE_NODE, buf));
    line("Slot", r->d->slot);
    line("Serial", r->d->serial);
    line("NUMA node", field_text(r, FIELD_NUMA, buf));
    print_extras(s, r);
}

/* What comes from a report or another tree may be anything; where JSON wants a number, only one
 * will do. */
static const char *json_value(size_t extra, const char *text)
{
    bool number = extra == 5;
    const char *digits = text && *text == '-' ? text + 1 : text;

    return !number || (digits && *digits && !digits[strspn(digits, "0123456789")]) ? text : NULL;
}

static int print_json(const struct source *s, const struct chosen *devices)
{
    static const char *const names[ELEMENTS(extras)] = {
        "LOCAL_CPUS", "RESET_METHODS", "POWER_STATE", "PREVIOUS_DRIVER", "UNTOUCHED", "BOUND_USEC"};
    CLEANUP(table_done) struct table t = {0};
    struct column columns[FIELD_MAX + ELEMENTS(extras)];
    char buf[FIELD_TEXT_MAX];

    for (size_t i = 0; i < n_fields_json; i++)
        columns[i] = field_column(fields_json[i]);
    for (size_t i = 0; i < ELEMENTS(extras); i++)
        columns[n_fields_json + i] = (struct column){names[i], 0, 0,
                                                     i == 5   ? SCOLS_JSON_NUMBER
                                                     : i == 4 ? SCOLS_JSON_BOOLEAN_OPTIONAL
                                                              : SCOLS_JSON_STRING};
    table_init(&t, s->ctl, "devices", columns, n_fields_json + ELEMENTS(extras));
    for (size_t k = 0; k < devices->n; k++) {
        struct libscols_line *l = table_line(&t, NULL);
        fields_set(&t, l, 0, devices->v[k], fields_json, n_fields_json);
        for (size_t i = 0; i < ELEMENTS(extras); i++)
            table_set(&t, l, n_fields_json + i,
                      json_value(i, extra_text(s, devices->v[k], &extras[i], buf)));
    }
    return table_print(&t);
}

int verb_show(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    CLEANUP(chosen_done) struct chosen devices = {0};
    int r = source_open(c, SOURCE_DAEMON, &s);

    if (r == 0)
        r = choose(&s, &devices);
    if (r == 0 && c->json)
        return print_json(&s, &devices);
    for (size_t i = 0; i < devices.n; i++) {
        fputs(i > 0 ? "\n" : "", stdout);
        print_row(&s, devices.v[i]);
    }
    return r;
}

/* Says it, and returns it. */
static bool tell_usable(const struct source *s, const struct row *row)
{
    const struct ctl *c = s->ctl;
    bool usable = source_is_usable(s, row);

    if (!c->quiet && usable)
        printf("%s is usable\n", pci_addr_text(row->d->addr).s);
    else if (!c->quiet)
        printf("%s is not usable: %s\n", pci_addr_text(row->d->addr).s,
               row->problem    ? row->problem
               : row->sentence ? row->sentence
               : !driver_is_vfio(row->driver)
                   ? "no rule concerns it, and it is not on a VFIO driver"
                   : "its IOMMU group is not viable, or /dev/vfio has no node for it");
    return usable;
}

int verb_is_usable(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    CLEANUP(chosen_done) struct chosen devices = {0};
    int r = source_open(c, SOURCE_DAEMON, &s);

    if (r == 0)
        r = choose(&s, &devices);
    for (size_t i = 0; i < devices.n; i++)
        if (!tell_usable(&s, devices.v[i]))
            r = EXIT_FAILURE;
    return r;
}
