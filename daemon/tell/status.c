/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/status.h"

#include <errno.h>

#include "base/util.h"
#include "config.h"
#include "model/sriov.h"
#include "plan/text.h"
#include "plan/vfs-text.h"
#include "tell/announce.h"
#include "tell/journal.h"

#define PROBLEMS_MAX 1024 /* all the words there are */

/* -- as a whole -- */

static const char *state_of(const struct view *view, const struct tally *t)
{
    if (view->disabled)
        return "disabled";
    if (!view->settled && view->trouble == 0)
        return "starting";
    return tally_is_good(t) ? "ready" : "degraded";
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

/* The words for these problems, separated by blanks. */
static void words_of_problems(unsigned problems, const char *more, char to[static PROBLEMS_MAX])
{
    size_t used = 0;

    for (unsigned bit = 1; bit < PROBLEM_MAX; bit <<= 1)
        if (problems & bit)
            used += (size_t)snprintf(to + used, PROBLEMS_MAX - used, "%s%s", used ? " " : "",
                                     problem_word((enum problem)bit));
    snprintf(to + used, PROBLEMS_MAX - used, "%s%s", used && *more ? " " : "", more);
}

static void tell_manager(const struct view *view, status_entry *entry, void *userdata)
{
    const struct tally t = tally_make(view);
    unsigned problems = 0;
    char words[PROBLEMS_MAX];

    for (size_t i = 0; i < view->plan.n_verdicts; i++)
        problems |= view->plan.verdicts[i].problems;
    problems |= t.unknown ? PROBLEM_UNREADABLE : 0;
    problems |= t.unexpected > 0 ? PROBLEM_EXPECT_MISMATCH : 0; /* the rule may match no device */
    words_of_problems(problems, t.errors > 0 ? "policy-invalid" : "", words);
    const struct message m = {
        .kind = MESSAGE_MANAGER,
        .numbers = {[MANAGER_RULES] = view->policy.n_rules,
                    [MANAGER_MATCHED] = t.selected,
                    [MANAGER_BOUND] = t.bound,
                    [MANAGER_USABLE] = t.usable,
                    [MANAGER_READY_USEC] = view->ready_usec,
                    [MANAGER_EVENTS] = view->events,
                    [MANAGER_OVERFLOWS] = view->overflows,
                    [MANAGER_IOMMUFD] = view->snapshot.iommufd && view->snapshot.device_nodes,
                    [MANAGER_LOG_LEVEL] = (uint64_t)journal_level()},
        .texts = {[MANAGER_VERSION] = VERSION_TEXT,
                  [MANAGER_STATE] = state_of(view, &t),
                  [MANAGER_PROBLEMS] = words,
                  [MANAGER_INITRAMFS] = initramfs_of(view)}};
    entry(userdata, &m);
}

static void tell_list(enum message_kind kind, char *const *list, size_t n, status_entry *entry,
                      void *userdata)
{
    for (size_t i = 0; i < n; i++) {
        const struct message m = {.kind = kind, .id = i, .texts = {list[i]}};
        entry(userdata, &m);
    }
}

/* -- the plan -- */

static void tell_actions(const struct view *view, status_entry *entry, void *userdata)
{
    char sentence[SENTENCE_MAX];

    for (size_t i = 0; i < view->plan.n_actions; i++) {
        const struct action *a = &view->plan.actions[view->plan.n_actions - 1 - i];
        const struct pci_addr_text address = pci_addr_text(a->addr);
        action_sentence(a, &view->plan, &view->snapshot, &view->records, sentence);
        const struct message m = {
            .kind = MESSAGE_ACTION,
            .id = i,
            .texts = {[ACTION_DEVICE] = action_is_dynid(a->kind) ? "" : address.s,
                      [ACTION_WORD] = action_word(a->kind),
                      [ACTION_SENTENCE] = sentence}};
        entry(userdata, &m);
    }
}

static void tell_vfs(const struct view *view, status_entry *entry, void *userdata)
{
    char sentence[SENTENCE_MAX];

    for (size_t i = 0; i < view->plan.n_vfs; i++) {
        const struct vfs_verdict *v = &view->plan.vfs[i];
        vfs_sentence(v, &view->snapshot, &view->records, sentence);
        const struct message m = {.kind = MESSAGE_VFS,
                                  .id = message_id(v->addr),
                                  .numbers = {[VFS_WANTED] = v->wanted,
                                              [VFS_THERE] = v->there,
                                              [VFS_OURS] = v->ours,
                                              [VFS_SETTLED] = v->state != STATE_PENDING},
                                  .texts = {[VFS_RULE] = v->rule ? v->rule->name : "",
                                            [VFS_STATE] = state_word(v->state),
                                            [VFS_REASON] = reason_word(v->reason),
                                            [VFS_SENTENCE] = sentence}};
        entry(userdata, &m);
    }
}

/* -- devices -- */

/* The addresses of the group, separated by blanks; malloc'ed. */
static char *members_of(const struct groups *groups, uint32_t group)
{
    size_t i = groups_start(groups, group), n = 0;
    const struct group_member *member;

    while (groups_next(groups, group, &i))
        n++;
    char *text = calloc(n + 1, PCI_ADDR_MAX + 1), *end = text;
    i = groups_start(groups, group);
    while (text && (member = groups_next(groups, group, &i)))
        end += sprintf(end, "%s%s", end == text ? "" : " ", pci_addr_text(member->addr).s);
    return text;
}

/* Texts composed for an entry. */
struct device_texts {
    char id[10], class[8], subsystem[10], modalias[64];
    char problems[PROBLEMS_MAX], sentence[SENTENCE_MAX], reason[SENTENCE_MAX + 64];
};

static void make_texts(const struct view *view, const struct verdict *v, const struct device *d,
                       struct device_texts *t)
{
    snprintf(t->id, sizeof(t->id), "%04x:%04x", d->vendor, d->device);
    snprintf(t->class, sizeof(t->class), "%06x", d->class_code & 0xffffff);
    snprintf(t->subsystem, sizeof(t->subsystem), "%04x:%04x", d->subvendor, d->subdevice);
    snprintf(t->modalias, sizeof(t->modalias), "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X",
             d->vendor, d->device, d->subvendor, d->subdevice, d->class_code >> 16 & 0xff,
             d->class_code >> 8 & 0xff, d->class_code & 0xff);
    words_of_problems(v->problems, "", t->problems);
    verdict_sentence(v, &view->snapshot, &view->records, t->sentence);
    *t->reason = '\0';
    if (v->reason != REASON_NONE)
        snprintf(t->reason, sizeof(t->reason), "%s: %s", reason_word(v->reason), t->sentence);
}

static int tell_of_device(const struct view *view, const struct verdict *v, const struct device *d,
                          status_entry *entry, void *userdata)
{
    const struct record *r = records_find(&view->records, v->addr);
    CLEANUP_FREE char *members = members_of(&view->plan.groups, d->group);
    CLEANUP_FREE char *vfs = sriov_vfs_text(&view->snapshot, d);
    const struct pci_addr_text leader = pci_addr_text(v->leader);
    const struct node_text group_node = device_group_node(d), own_node = device_own_node(d);
    const struct pci_addr_text pf = pci_addr_text(d->pf);
    struct device_texts t;

    if (!members || !vfs)
        return -ENOMEM;
    make_texts(view, v, d, &t);
    const struct message m = {.kind = MESSAGE_DEVICE,
                              .id = message_id(d->addr),
                              .numbers = {[DEVICE_USABLE] = v->usable,
                                          [DEVICE_GROUP] = d->group,
                                          [DEVICE_UNTOUCHED] = !(r && r->touched),
                                          [DEVICE_BOUND_USEC] = r ? r->bound_usec : 0},
                              .texts = {[DEVICE_ID] = t.id,
                                        [DEVICE_CLASS] = t.class,
                                        [DEVICE_SUBSYSTEM] = t.subsystem,
                                        [DEVICE_MODALIAS] = t.modalias,
                                        [DEVICE_DRIVER] = d->driver,
                                        [DEVICE_PREVIOUS_DRIVER] = r ? r->previous_driver : "",
                                        [DEVICE_RULE] = v->rule->name,
                                        [DEVICE_COMPANION_OF] = v->comes_along ? leader.s : "",
                                        [DEVICE_RESOURCE] = v->rule->resource,
                                        [DEVICE_STATE] = state_word(v->state),
                                        [DEVICE_REASON] = t.reason,
                                        [DEVICE_PROBLEMS] = t.problems,
                                        [DEVICE_MEMBERS] = members,
                                        [DEVICE_GROUP_NODE] = group_node.s,
                                        [DEVICE_OWN_NODE] = own_node.s,
                                        [DEVICE_INTERFACE] = interface_word(v->rule->interface),
                                        [DEVICE_PHYSICAL_FUNCTION] = d->vf ? pf.s : "",
                                        [DEVICE_SENTENCE] = t.sentence,
                                        [DEVICE_VIRTUAL_FUNCTIONS] = vfs}};
    entry(userdata, &m);
    return 0;
}

int status_entries(const struct view *view, status_entry *entry, void *userdata)
{
    int r = 0;

    tell_manager(view, entry, userdata);
    tell_list(MESSAGE_FILE, view->policy.files, view->policy.n_files, entry, userdata);
    tell_list(MESSAGE_ERROR, view->errors, view->n_errors, entry, userdata);
    tell_actions(view, entry, userdata);
    tell_vfs(view, entry, userdata);
    for (size_t i = 0; r == 0 && i < view->plan.n_verdicts; i++) {
        const struct verdict *v = &view->plan.verdicts[i];
        const struct device *d = snapshot_find(&view->snapshot, v->addr);
        if (d) /* otherwise it was unplugged after the plan was made */
            r = tell_of_device(view, v, d, entry, userdata);
    }
    return r;
}
