/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/bus-manager.h"

#include <errno.h>

#include "base/hash.h"
#include "base/printable.h"
#include "base/util.h"
#include "config.h"
#include "host/scan.h"
#include "offer/bus-names.h"
#include "plan/text.h"
#include "plan/vfs-text.h"
#include "tell/announce.h"
#include "tell/bus-auth.h"
#include "tell/bus-device.h"
#include "tell/bus-outcome.h"
#include "tell/bus-text.h"

/* -- properties of the manager -- */

static const char *state_of(const struct view *view)
{
    const struct tally t = tally_make(view);

    if (view->disabled)
        return "disabled";
    if (!view->settled && view->trouble == 0)
        return "starting";
    return tally_is_good(&t) ? "ready" : "degraded";
}

/* The pass in the initramfs of this boot. */
static const char *initramfs_of(const struct view *view)
{
    const struct early_pass *e = &view->early;

    if (!e->there)
        return "none";
    if (e->gave_back)
        return "gave-back";
    if (!e->ended)
        return "unfinished";
    if (view->policy.trial_until > 0)
        return "on-trial";
    return e->policy == view->policy.digest ? "current" : "other-policy";
}

static int get_state(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct bus_manager *b = userdata;
    const char *text = state_of(b->view);

    (void)bus;
    (void)path;
    (void)interface;
    (void)error;
    if (streq(property, "Version"))
        text = VERSION_TEXT;
    else if (streq(property, "Iommu"))
        text = scan_iommu(b->view->root_fd);
    else if (streq(property, "Initramfs"))
        text = initramfs_of(b->view);
    return bus_append(reply, "s", text);
}

static int get_list(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct view *view = ((const struct bus_manager *)userdata)->view;
    bool files = streq(property, "PolicyFiles");
    char **list = files ? view->policy.files : view->errors;
    size_t n = files ? view->policy.n_files : view->n_errors;
    int r = sd_bus_message_open_container(reply, 'a', "s");

    (void)bus;
    (void)path;
    (void)interface;
    (void)error;
    for (size_t i = 0; r >= 0 && i < n; i++)
        r = bus_append(reply, "s", list[i]);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* All problems of all devices, and what is wrong beyond single devices. */
static int get_problems(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct view *view = ((const struct bus_manager *)userdata)->view;
    const struct tally t = tally_make(view);
    unsigned problems = 0;
    int r = sd_bus_message_open_container(reply, 'a', "s");

    (void)bus;
    (void)path;
    (void)interface;
    (void)property;
    (void)error;
    for (size_t i = 0; i < view->plan.n_verdicts; i++)
        problems |= view->plan.verdicts[i].problems;
    problems |= t.unknown ? PROBLEM_UNREADABLE : 0;
    problems |= t.unexpected > 0 ? PROBLEM_EXPECT_MISMATCH : 0; /* the rule may match no device */
    for (unsigned bit = 1; r >= 0 && bit < PROBLEM_MAX; bit <<= 1)
        if (problems & bit)
            r = bus_append(reply, "s", problem_word((enum problem)bit));
    if (r >= 0 && t.errors > 0)
        r = bus_append(reply, "s", "policy-invalid");
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_count(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct view *view = ((const struct bus_manager *)userdata)->view;
    const struct tally t = tally_make(view);

    (void)bus;
    (void)path;
    (void)interface;
    (void)error;
    if (streq(property, "Rules"))
        return bus_append(reply, "u", (uint32_t)view->policy.n_rules);
    if (streq(property, "Matched"))
        return bus_append(reply, "u", (uint32_t)t.selected);
    if (streq(property, "Bound"))
        return bus_append(reply, "u", (uint32_t)t.bound);
    if (streq(property, "Usable"))
        return bus_append(reply, "u", (uint32_t)t.usable);
    if (streq(property, "ReadyUSec"))
        return bus_append(reply, "t", view->ready_usec);
    if (streq(property, "Events"))
        return bus_append(reply, "t", view->events);
    return bus_append(reply, "t", view->overflows);
}

/* Can virtual machines use device nodes here? */
static int get_iommufd(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct snapshot *s = &((const struct bus_manager *)userdata)->view->snapshot;

    (void)bus;
    (void)path;
    (void)interface;
    (void)property;
    (void)error;
    return bus_append(reply, "b", s->iommufd && s->device_nodes);
}

/* How physical functions stand: address, rule, state, reason, how many virtual functions they are
 * to have and have, whether those are ours, and a sentence. */
static int get_vfs(sd_bus *bus, const char *path, const char *interface, const char *property,
                   sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct view *view = ((const struct bus_manager *)userdata)->view;
    int r = sd_bus_message_open_container(reply, 'a', "(ssssuubs)");
    char sentence[SENTENCE_MAX];

    (void)bus;
    (void)path;
    (void)interface;
    (void)property;
    (void)error;
    for (size_t i = 0; r >= 0 && i < view->plan.n_vfs; i++) {
        const struct vfs_verdict *v = &view->plan.vfs[i];
        vfs_sentence(v, &view->snapshot, &view->records, sentence);
        r = bus_append(reply, "(ssssuubs)", pci_addr_text(v->addr).s, v->rule ? v->rule->name : "",
                       state_word(v->state), reason_word(v->reason), (uint32_t)v->wanted,
                       (uint32_t)v->there, (int)v->ours, sentence);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static uint32_t vfs_hash(const struct view *view)
{
    uint32_t hash = (uint32_t)view->plan.n_vfs;
    char sentence[SENTENCE_MAX];

    for (size_t i = 0; i < view->plan.n_vfs; i++) {
        const struct vfs_verdict *v = &view->plan.vfs[i];
        vfs_sentence(v, &view->snapshot, &view->records, sentence);
        hash = hash * 31 + hash_text(sentence);
        hash = hash * 31 + v->there * 2 + v->ours;
    }
    return hash;
}

/* -- methods that read -- */

static int on_list(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const struct view *view = ((const struct bus_manager *)userdata)->view;
    CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int r = sd_bus_message_new_method_return(m, &reply);

    (void)error;
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "(sssssuo)");
    for (size_t i = 0; r >= 0 && i < view->plan.n_verdicts; i++) {
        const struct verdict *v = &view->plan.verdicts[i];
        const struct device *d = snapshot_find(&view->snapshot, v->addr);
        if (!d) /* unplugged since the plan was made */
            continue;
        CLEANUP_FREE char *path = bus_device_path(d->addr);
        bool leaving = bus_device_is_leaving(view, v);
        char id[10];
        snprintf(id, sizeof(id), "%04x:%04x", d->vendor, d->device);
        r = !path ? -ENOMEM
                  : bus_append(reply, "(sssssuo)", pci_addr_text(d->addr).s, id, v->rule->name,
                               state_word(leaving ? STATE_BUSY : v->state),
                               d->driver && !leaving ? d->driver : "", d->group, path);
    }
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* What would be done next: the actions, then devices for which nothing is to be done. */
static int on_plan(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const struct view *view = ((const struct bus_manager *)userdata)->view;
    CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    char sentence[SENTENCE_MAX];
    int r = sd_bus_message_new_method_return(m, &reply);

    (void)error;
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "(sss)");
    for (size_t i = 0; r >= 0 && i < view->plan.n_actions; i++) {
        const struct action *a = &view->plan.actions[i];
        action_sentence(a, &view->plan, &view->snapshot, &view->records, sentence);
        r = bus_append(reply, "(sss)", action_is_dynid(a->kind) ? "" : pci_addr_text(a->addr).s,
                       action_word(a->kind), sentence);
    }
    for (size_t i = 0; r >= 0 && i < view->plan.n_verdicts; i++) {
        const struct verdict *v = &view->plan.verdicts[i];
        if (v->state == STATE_PENDING)
            continue;
        verdict_sentence(v, &view->snapshot, &view->records, sentence);
        r = bus_append(reply, "(sss)", pci_addr_text(v->addr).s, "none", sentence);
    }
    for (size_t i = 0; r >= 0 && i < view->plan.n_vfs; i++) {
        const struct vfs_verdict *v = &view->plan.vfs[i];
        if (v->state == STATE_PENDING)
            continue;
        vfs_sentence(v, &view->snapshot, &view->records, sentence);
        r = bus_append(reply, "(sss)", pci_addr_text(v->addr).s, "none", sentence);
    }
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* -- methods that change something: carried out once the caller is known to be allowed -- */

static int reload_allowed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct bus_manager *b = userdata;
    int r = b->requests.reload(b->requests.userdata, error);

    return r < 0 ? r : sd_bus_reply_method_return(m, NULL);
}

static int rescan_allowed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct bus_manager *b = userdata;
    int r = b->requests.rescan(b->requests.userdata, error);

    return r < 0 ? r : sd_bus_reply_method_return(m, NULL);
}

static int read_address(sd_bus_message *m, struct pci_addr *ret, sd_bus_error *error)
{
    const char *text;
    uint64_t flags;
    int r = sd_bus_message_rewind(m, true);

    if (r >= 0)
        r = sd_bus_message_read(m, "st", &text, &flags);
    if (r < 0)
        return r;
    if (pci_addr_parse(text, ret) < 0)
        return bus_error(error, SD_BUS_ERROR_INVALID_ARGS,
                         "\"%s\" is not a PCI address: write it like 0000:06:00.0", quoted(text).s);
    if (flags != 0)
        return bus_error(error, SD_BUS_ERROR_INVALID_ARGS, "flags must be 0 today");
    return 0;
}

static int start_work(sd_bus_message *m, struct bus_manager *b, bool bind, sd_bus_error *error)
{
    struct pci_addr a;
    int r = read_address(m, &a, error);

    if (r < 0)
        return r;
    if (b->n_waiting == WAITING_MAX)
        return bus_error(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                         "too many calls wait for their device: try again later");
    r = (bind ? b->requests.bind : b->requests.release)(b->requests.userdata, a, error);
    if (r < 0)
        return r;
    b->waiting[b->n_waiting++] = (struct waiting_caller){sd_bus_message_ref(m), a, bind};
    bus_manager_answer(b);
    return 1;
}

static int bind_allowed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    return start_work(m, userdata, true, error);
}

static int release_allowed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    return start_work(m, userdata, false, error);
}

/* Wrong arguments are reported before anybody is asked for a password. */
static int check_device_call(sd_bus_message *m, const char *verb, bus_allowed allowed,
                             void *userdata, sd_bus_error *error)
{
    struct pci_addr a;
    const struct asked what = {.verb = verb, .device = &a};
    int r = read_address(m, &a, error);

    return r < 0 ? r : bus_check_caller(m, &what, allowed, userdata, error);
}

static int on_bind(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    return check_device_call(m, "bind", bind_allowed, userdata, error);
}

static int on_release(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    return check_device_call(m, "release", release_allowed, userdata, error);
}

static int on_reload(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    return bus_check_caller(m, &(struct asked){.verb = "reload"}, reload_allowed, userdata, error);
}

static int on_rescan(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    return bus_check_caller(m, &(struct asked){.verb = "rescan"}, rescan_allowed, userdata, error);
}

void bus_manager_answer(struct bus_manager *b)
{
    size_t kept = 0;

    for (size_t i = 0; i < b->n_waiting; i++) {
        struct waiting_caller w = b->waiting[i];
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        if (bus_outcome_is_pending(b->view, w.addr)) {
            b->waiting[kept++] = w;
            continue;
        }
        if (bus_outcome(b->view, w.addr, w.bind, &error) < 0)
            (void)sd_bus_reply_method_error(w.call, &error);
        else
            (void)sd_bus_reply_method_return(w.call, NULL);
        sd_bus_message_unref(w.call);
    }
    b->n_waiting = kept;
}

#define CONSTANT SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static const sd_bus_vtable manager_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Version", "s", get_state, 0, CONSTANT),
    SD_BUS_PROPERTY("State", "s", get_state, 0, CHANGES),
    SD_BUS_PROPERTY("Problems", "as", get_problems, 0, CHANGES),
    SD_BUS_PROPERTY("PolicyFiles", "as", get_list, 0, CHANGES),
    SD_BUS_PROPERTY("PolicyErrors", "as", get_list, 0, CHANGES),
    SD_BUS_PROPERTY("Rules", "u", get_count, 0, CHANGES),
    SD_BUS_PROPERTY("Matched", "u", get_count, 0, CHANGES),
    SD_BUS_PROPERTY("Bound", "u", get_count, 0, CHANGES),
    SD_BUS_PROPERTY("Usable", "u", get_count, 0, CHANGES),
    SD_BUS_PROPERTY("VirtualFunctions", "a(ssssuubs)", get_vfs, 0, CHANGES),
    SD_BUS_PROPERTY("Iommu", "s", get_state, 0, 0),
    SD_BUS_PROPERTY("Initramfs", "s", get_state, 0, 0),
    SD_BUS_PROPERTY("Iommufd", "b", get_iommufd, 0, 0),
    SD_BUS_PROPERTY("ReadyUSec", "t", get_count, 0, CHANGES),
    SD_BUS_PROPERTY("Events", "t", get_count, 0, 0),
    SD_BUS_PROPERTY("Overflows", "t", get_count, 0, 0),
    SD_BUS_METHOD_WITH_NAMES("ListDevices", NULL, , "a(sssssuo)", SD_BUS_PARAM(devices), on_list,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES("Plan", NULL, , "a(sss)", SD_BUS_PARAM(actions), on_plan,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Reload", NULL, NULL, on_reload, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Rescan", NULL, NULL, on_rescan, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES("Bind", "st", SD_BUS_PARAM(address) SD_BUS_PARAM(flags), NULL, ,
                             on_bind, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES("Release", "st", SD_BUS_PARAM(address) SD_BUS_PARAM(flags), NULL, ,
                             on_release, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

int bus_manager_register(struct bus_manager *b, sd_bus *bus)
{
    return sd_bus_add_object_vtable(bus, NULL, BUS_PATH, BUS_MANAGER_INTERFACE, manager_vtable, b);
}

void bus_manager_forget_callers(struct bus_manager *b)
{
    for (size_t i = 0; i < b->n_waiting; i++)
        sd_bus_message_unref(b->waiting[i].call);
    b->n_waiting = 0;
}

/* -- signals -- */

static const char *const changing[BUS_MANAGER_CHANGING] = {
    "State",   "Problems", "PolicyFiles", "PolicyErrors", "Rules",
    "Matched", "Bound",    "Usable",      "ReadyUSec",    "VirtualFunctions",
};

static uint32_t list_hash(char *const *list, size_t n)
{
    uint32_t hash = (uint32_t)n;

    for (size_t i = 0; i < n; i++)
        hash = hash * 31 + hash_text(list[i]);
    return hash;
}

void bus_manager_publish(struct bus_manager *b, sd_bus *bus)
{
    const struct view *view = b->view;
    const struct tally t = tally_make(view);
    unsigned problems = (t.unknown ? PROBLEM_UNREADABLE : 0) |
                        (t.unexpected > 0 ? PROBLEM_EXPECT_MISMATCH : 0) |
                        (t.errors > 0 ? PROBLEM_MAX : 0);
    const char *names[BUS_MANAGER_CHANGING + 1];
    size_t n = 0;

    for (size_t i = 0; i < view->plan.n_verdicts; i++)
        problems |= view->plan.verdicts[i].problems;
    const uint32_t now[BUS_MANAGER_CHANGING] = {
        hash_text(state_of(view)),
        problems,
        list_hash(view->policy.files, view->policy.n_files),
        list_hash(view->errors, view->n_errors),
        (uint32_t)view->policy.n_rules,
        (uint32_t)t.selected,
        (uint32_t)t.bound,
        (uint32_t)t.usable,
        (uint32_t)view->ready_usec,
        vfs_hash(view),
    };
    for (size_t i = 0; i < BUS_MANAGER_CHANGING; i++)
        if (now[i] != b->published[i])
            names[n++] = changing[i];
    names[n] = NULL;
    memcpy(b->published, now, sizeof(now));
    if (n > 0)
        (void)sd_bus_emit_properties_changed_strv(bus, BUS_PATH, BUS_MANAGER_INTERFACE,
                                                  (char **)(uintptr_t)names);
}
