/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader of snapshots, and the plan over what it read. An input is a snapshot, then, each after
 * a line "%%" and each optional, a policy and the runtime state.
 *
 * Whatever is accepted is written and read again without a loss, and the plan over it obeys the
 * laws of plans, before and after a restart has forgotten what does not last. */
#include "fuzz.h"

#include <errno.h>

#include "laws.h"
#include "model/snapshot-text.h"
#include "plan/make.h"
#include "plan/text.h"
#include "policy/parse.h"
#include "record-file.h"

#define DEVICES_MAX 64 /* the laws compare each with each */

/* What is used where the input has none: many devices, in every way. */
static const char usual_policy[] = "[device keep]\nid = 10de:*\nslot = 7\ndriver = native\n"
                                   "[device gpu]\nid = 10de:*\n"
                                   "[device card]\nid = 15b3:*\ndriver = mlx5_vfio_pci\n"
                                   "group = all\nhotplug = off\n"
                                   "[device rest]\nclass = 0*\naddress = !0000:00:*\nforce = yes\n"
                                   "group = matched\n";

static char *write_snapshot(const struct snapshot *s)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    REQUIRE(f && snapshot_write(s, f) == 0, "out of memory");
    fclose(f);
    return text;
}

static char *write_plan(const struct plan *plan, const struct snapshot *s, const struct records *r)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    REQUIRE(f, "out of memory");
    plan_write(plan, s, r, f);
    fclose(f);
    return text;
}

static char *read_plan(const struct policy *p, const struct snapshot *s, const struct records *r)
{
    CLEANUP(plan_done) struct plan plan = {0};
    char why[256];

    REQUIRE(plan_make(p, s, r, &plan) == 0, "out of memory");
    REQUIRE(s->n > DEVICES_MAX || laws_hold(p, s, r, &plan, why), "%s", why);
    for (size_t i = 0; i < plan.n_verdicts; i++) {
        char sentence[SENTENCE_MAX];
        problem_sentence(&plan.verdicts[i], s, sentence);
        verdict_sentence(&plan.verdicts[i], s, r, sentence);
        REQUIRE(*sentence, "no sentence");
    }
    return write_plan(&plan, s, r);
}

/* On a VFIO driver is bound, as at the start of "vfio-bindd --dry-run". */
static void confirm(const struct snapshot *s, struct records *r)
{
    for (size_t i = 0; i < s->n; i++)
        if (driver_is_vfio(s->devices[i].driver))
            records_get(r, s->devices[i].addr)->binding = BINDING_FOUND;
}

static void plan_over(const struct snapshot *s, const struct snapshot *again, struct pieces *rest)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    CLEANUP(records_done) struct records records = {0};
    CLEANUP(recorded_workers_done) struct recorded_workers workers = {0};
    CLEANUP_FREE char *policy = next_text(rest), *state = next_text(rest);
    const char *text = policy ? policy : usual_policy;

    policy_init(&p);
    REQUIRE(policy_parse(&p, "policy", text, strlen(text), &d) == 0, "out of memory");
    policy_finish(&p, &d);
    if (state)
        REQUIRE(record_file_read(state, &records, &workers) == 0, "out of memory");
    free(read_plan(&p, s, &records));
    confirm(s, &records);
    CLEANUP_FREE char *first = read_plan(&p, s, &records), *second = read_plan(&p, again, &records);
    REQUIRE(streq(first, second), "\n%s\nbecame\n%s", first, second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(snapshot_done) struct snapshot s = {0}, again = {0};
    struct pieces rest = {(const char *)data, size};
    CLEANUP_FREE char *text = next_text(&rest);
    unsigned line = 0, lines = 1;
    int r = snapshot_read(&s, text, &line);

    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    REQUIRE(r == 0 || (r == -EINVAL && line >= 1 && line <= lines), "%d, line %u", r, line);
    if (r < 0)
        return 0;
    for (size_t i = 1; i < s.n; i++)
        REQUIRE(pci_addr_cmp(s.devices[i - 1].addr, s.devices[i].addr) < 0, "devices in order");

    CLEANUP_FREE char *first = write_snapshot(&s);
    REQUIRE(snapshot_read(&again, first, &line) == 0, "line %u of\n%s", line, first);
    CLEANUP_FREE char *second = write_snapshot(&again);
    REQUIRE(streq(first, second), "\n%s\nbecame\n%s", first, second);
    plan_over(&s, &again, &rest);
    return 0;
}
