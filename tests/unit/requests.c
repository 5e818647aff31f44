/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What callers on the bus are refused, and what they are told in the end. */
#include "tree.h"

#include "failing-path.h"
#include "loop/requests.h"
#include "tell/outcome.h"

static const struct pci_addr gpu = {0, 6, 0, 0}, audio = {0, 6, 0, 1}, other = {0, 7, 0, 0},
                             unnamed = {0, 8, 0, 0}, missing = {0, 9, 0, 0};

/* A GPU and its audio function in one group, another one, and a device that no rule names. */
struct fixture {
    struct tree tree;
    struct view view;
    struct rule rule;
    struct verdict verdicts[3];
};

static void fixture_done(struct fixture *f)
{
    tree_done(&f->tree);
    snapshot_done(&f->view.snapshot);
    records_done(&f->view.records);
}

static void set_up(struct fixture *f)
{
    static const struct pci_addr addrs[] = {{0, 6, 0, 0}, {0, 6, 0, 1}, {0, 7, 0, 0}, {0, 8, 0, 0}};
    static char name[] = "a100";

    *f = (struct fixture){.rule.name = name};
    tree_init(&f->tree);
    f->view.root_fd = f->tree.fd;
    for (size_t i = 0; i < ELEMENTS(addrs); i++) {
        struct device d = {.addr = addrs[i], .group = i < 2 ? 14 : 15 + (unsigned)i, .node = true};
        d.driver = snapshot_name(&f->view.snapshot, "vfio-pci");
        ck_assert_int_eq(snapshot_put(&f->view.snapshot, &d), 0);
        ck_assert_ptr_nonnull(records_get(&f->view.records, addrs[i]));
    }
    for (size_t i = 0; i < ELEMENTS(f->verdicts); i++)
        f->verdicts[i] = (struct verdict){
            .addr = addrs[i], .rule = &f->rule, .driver = "vfio-pci", .state = STATE_BOUND};
    f->view.plan = (struct plan){.verdicts = f->verdicts, .n_verdicts = ELEMENTS(f->verdicts)};
}

static bool is_released(const struct fixture *f, struct pci_addr a)
{
    return record_is_released(records_find(&f->view.records, a));
}

/* What a release of `a` is answered with; NULL: nothing is against it. */
static void check_release(struct fixture *f, struct pci_addr a, enum refusal_kind kind,
                          const char *words)
{
    struct refusal why = {0};
    int r = requests_mark_release(&f->view, a, &why);

    if (kind != REFUSAL_NONE)
        ck_assert_msg(r < 0 && why.kind == kind && strstr(why.text, words), "%d %d: %s", r,
                      why.kind, why.text);
    else
        ck_assert_msg(r == 0, "%s", why.text);
    ck_assert(kind == REFUSAL_NONE || a.bus > 7 || !is_released(f, a));
}

START_TEST(a_group_is_released_and_bound_whole)
{
    CLEANUP(fixture_done) struct fixture f;
    struct refusal why = {0};

    set_up(&f);
    records_find(&f.view.records, gpu)->state = RECORD_FAILED;
    records_find(&f.view.records, gpu)->error = EIO;
    check_release(&f, audio, REFUSAL_NONE, "");
    ck_assert(is_released(&f, gpu) && is_released(&f, audio) && !is_released(&f, other));
    ck_assert_int_eq(records_find(&f.view.records, gpu)->error, 0); /* it is tried again */
    ck_assert_int_eq(requests_mark_bind(&f.view, gpu, &why), 0);
    ck_assert(!is_released(&f, gpu) && !is_released(&f, audio));
}
END_TEST

START_TEST(refused)
{
    CLEANUP(fixture_done) struct fixture f;
    struct refusal why = {0};

    set_up(&f);
    check_release(&f, unnamed, REFUSAL_REFUSED, "no rule selects");
    check_release(&f, missing, REFUSAL_NO_SUCH_DEVICE, "there is no PCI device");
    f.verdicts[0].state = STATE_PENDING;
    check_release(&f, gpu, REFUSAL_BUSY, "in progress (pending)");
    f.verdicts[0].state = STATE_STUCK;
    check_release(&f, gpu, REFUSAL_BUSY, "in progress (stuck)");
    f.verdicts[0].state = STATE_REFUSED;
    check_release(&f, gpu, REFUSAL_REFUSED, "nothing to release");
    f.verdicts[0].state = STATE_BOUND;
    f.view.disabled = true;
    check_release(&f, gpu, REFUSAL_REFUSED, "vfio_bindd=off");
    ck_assert_int_lt(requests_mark_bind(&f.view, gpu, &why), 0);
}
END_TEST

/* Another member of the group is as good a reason. */
START_TEST(not_from_under_a_virtual_machine)
{
    CLEANUP(fixture_done) struct fixture f;

    set_up(&f);
    f.view.snapshot.devices[1].node = false;
    check_release(&f, gpu, REFUSAL_REFUSED, "0000:06:00.1 has no node in /dev/vfio");
    check_release(&f, other, REFUSAL_NONE, "");
    f.view.snapshot.devices[1].node = true;
    failing.part = "0000:06:00.1/virtfn0";
    failing.error = EMFILE;
    check_release(&f, gpu, REFUSAL_REFUSED, "it is unknown whether 0000:06:00.1 has virtual");
    failing.part = NULL;
    tree_link(&f.tree, "sys/bus/pci/devices/0000:06:00.1/virtfn0", "../0000:06:10.0");
    check_release(&f, gpu, REFUSAL_REFUSED, "0000:06:00.1 has virtual functions");
    f.view.snapshot.devices[0].group = f.view.snapshot.devices[1].group = NO_GROUP;
    check_release(&f, gpu, REFUSAL_NONE, "");
    check_release(&f, audio, REFUSAL_REFUSED, "has virtual functions");
}
END_TEST

START_TEST(outcomes)
{
    static const struct {
        bool bind;
        enum device_state state;
        enum reason reason;
        enum refusal_kind kind; /* none: it is done */
        const char *words;
    } cases[] = {
        {true, STATE_BOUND, REASON_NONE, REFUSAL_NONE, ""},
        {false, STATE_RELEASED, REASON_NONE, REFUSAL_NONE, ""},
        {false, STATE_BOUND, REASON_NONE, REFUSAL_BUSY,
         "IOMMU group 14 of 0000:06:00.0 is in use: "
         "qemu (PID 7)"},
        {true, STATE_REFUSED, REASON_BOOT_DISPLAY, REFUSAL_REFUSED, "0000:06:00.0"},
        {true, STATE_FAILED, REASON_NO_IOMMU, REFUSAL_FAILED, "0000:06:00.0"},
        {true, STATE_BUSY, REASON_IN_USE, REFUSAL_BUSY, "0000:06:00.0"},
        {false, STATE_STUCK, REASON_DEADLINE, REFUSAL_BUSY, "0000:06:00.0"},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(fixture_done) struct fixture f;
        struct refusal why = {0}, gone = {0};
        set_up(&f);
        f.verdicts[0].state = cases[i].state;
        f.verdicts[0].reason = cases[i].reason;
        records_find(&f.view.records, gpu)->holder = strdup("qemu (PID 7)");
        int r = outcome(&f.view, gpu, cases[i].bind, &why);
        ck_assert_msg((r < 0) == (cases[i].kind != REFUSAL_NONE), "case %zu", i);
        ck_assert_msg(why.kind == cases[i].kind && strstr(why.text, cases[i].words),
                      "case %zu: %d: %s", i, why.kind, why.text);
        ck_assert(!outcome_is_pending(&f.view, gpu));
        ck_assert_int_lt(outcome(&f.view, missing, cases[i].bind, &gone), 0);
        ck_assert_int_eq(gone.kind, REFUSAL_NO_SUCH_DEVICE);
    }
}
END_TEST

UNIT_MAIN("requests", a_group_is_released_and_bound_whole, refused,
          not_from_under_a_virtual_machine, outcomes)
