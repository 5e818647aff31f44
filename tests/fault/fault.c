/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fault injection: each script is played with each fault at each kernel call. The daemon must live,
 * tell the truth, and, once the fault is gone, come to the same end as without it.
 *
 * usage: fault [SCRIPT [FAULT [N]]]     only these, to look for a cause
 *        fault SCRIPT none              how it comes out without a fault */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/util.h"
#include "expected.h"
#include "run.h"

#define JOBS_PER_PROCESSOR 6 /* hanging runs mostly wait */
#define JOBS_MAX 64
#define TRIES 5         /* of a run for which the machine was too slow */
#define FAILURES_MAX 10 /* then the rest is left out */

static const struct variant {
    const char *name;
    enum fault_kind kind;
    int error;
} variants[] = {
    {"hang-before", FAULT_HANG_BEFORE, 0},
    {"hang-inside", FAULT_HANG_INSIDE, 0},
    {"kill-waiting", FAULT_KILL_WAITING, 0},
    {"kill-hanging", FAULT_KILL_HANGING, 0},
    {"kill-stuck", FAULT_KILL_STUCK, 0},
    {"EIO", FAULT_ERROR, EIO},
    {"EBUSY", FAULT_ERROR, EBUSY},
    {"ENODEV", FAULT_ERROR, ENODEV},
    {"EINVAL", FAULT_ERROR, EINVAL},
    {"EACCES", FAULT_ERROR, EACCES},
    {"ENOSPC", FAULT_ERROR, ENOSPC},
    {"EIO-once", FAULT_ERROR_ONCE, EIO},
    {"EBUSY-once", FAULT_ERROR_ONCE, EBUSY},
    {"ENODEV-once", FAULT_ERROR_ONCE, ENODEV},
    {"EINVAL-once", FAULT_ERROR_ONCE, EINVAL},
    {"EACCES-once", FAULT_ERROR_ONCE, EACCES},
    {"ENOSPC-once", FAULT_ERROR_ONCE, ENOSPC},
    {"EPERM", FAULT_ERROR, EPERM},           /* an override that a locked kernel refuses */
    {"EOPNOTSUPP", FAULT_ERROR, EOPNOTSUPP}, /* an override, on a bus that has none */
    {"EROFS", FAULT_ERROR, EROFS},           /* /sys read-only */
    {"no-effect", FAULT_NOTHING, 0},
    {"load", FAULT_LOAD, 0},
    {"load-slowly", FAULT_LOAD_SLOWLY, 0},
    {"kill-before", FAULT_KILL_BEFORE, 0},
    {"kill-after", FAULT_KILL_AFTER, 0},
    {"kill-updating", FAULT_KILL_UPDATING, 0},
};

struct count {
    _Atomic unsigned runs, fired, failed, expected, repeated;
};

/* Shared by all jobs. */
struct work {
    _Atomic size_t next;
    _Atomic unsigned failed;
    struct count counts[ELEMENTS(variants)];
    struct reference reference;
};

struct selection {
    const char *script, *variant;
    size_t at;
};

static void *share(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        perror("mmap");
        exit(EXIT_FAILURE);
    }
    return p;
}

static void run_with(const struct script *s, const struct variant *v, size_t at, struct work *w)
{
    const struct fault f = {v->kind, v->error, at};
    struct count *c = &w->counts[v - variants];
    CLEANUP_FREE struct outcome *o = calloc(1, sizeof(*o));

    for (int i = 0; o && i < TRIES; i++) {
        run_fault(s, &f, &w->reference, o);
        if (!o->false_alarm || !*o->problem)
            break;
        c->repeated++;
    }
    c->runs++;
    if (o && *o->problem && is_expected(s->name, v->name, o->problem)) {
        c->expected++;
        c->fired++;
        return;
    }
    if (!o || *o->problem) {
        c->failed++;
        w->failed++;
        fprintf(stderr, "FAILED %s %s %zu: %s\n\n", s->name, v->name, at,
                o ? o->problem : "no memory");
        return;
    }
    c->fired += o->fired;
}

static size_t places(const struct script *s, const struct variant *v, const struct reference *r)
{
    const bool loads = v->kind == FAULT_LOAD || v->kind == FAULT_LOAD_SLOWLY;

    if (loads ? !s->late : s->late_only)
        return 0;
    return v->kind == FAULT_KILL_UPDATING ? r->n_updates : r->n_calls;
}

/* Takes the next place and fault until there is none left. */
static void do_job(const struct script *s, const struct selection *only, struct work *w)
{
    size_t most = w->reference.n_calls > w->reference.n_updates ? w->reference.n_calls
                                                                : w->reference.n_updates;

    while (w->failed < FAILURES_MAX) {
        size_t i = atomic_fetch_add(&w->next, 1), at = i / ELEMENTS(variants) + 1;
        const struct variant *v = &variants[i % ELEMENTS(variants)];
        if (at > most)
            break;
        if (at > places(s, v, &w->reference) || (only->at && only->at != at) ||
            (only->variant && !streq(only->variant, v->name)))
            continue;
        run_with(s, v, at, w);
    }
}

static void run_jobs(const struct script *s, const struct selection *only, struct work *w)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    long n = (processors > 0 ? processors : 1) * JOBS_PER_PROCESSOR;
    int status;
    pid_t pids[JOBS_MAX];

    n = n < JOBS_MAX ? n : JOBS_MAX;
    for (long i = 0; i < n; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            do_job(s, only, w);
            exit(EXIT_SUCCESS);
        }
    }
    for (long i = 0; i < n; i++)
        if (pids[i] < 0 || waitpid(pids[i], &status, 0) != pids[i] || status != 0) {
            fprintf(stderr, "FAILED %s: a job ended unexpectedly\n", s->name);
            w->failed++;
        }
}

static void complain(struct work *w, const char *script, const char *variant, const char *what)
{
    fprintf(stderr, "FAILED %s %s: %s\n", script, variant, what);
    w->failed++;
}

#define FEW 3

/* Every place that the reference has must have been reached, except for a few: the number of calls
 * depends a little on the order in which workers come, and that of updates on how many come
 * together. */
static void report(const struct script *s, const struct selection *only, struct work *w)
{
    unsigned known = 0;

    for (size_t i = 0; i < ELEMENTS(variants); i++) {
        const struct count *c = &w->counts[i];
        const char *name = variants[i].name;
        size_t expected = only->at ? 1 : places(s, &variants[i], &w->reference);
        known += c->expected;
        if ((only->variant && !streq(only->variant, name)) || expected == 0)
            continue;
        printf("%-10s %-14s %3u of %3zu places, %u failed, %u as expected, %u repeated\n", s->name,
               name, c->fired, expected, c->failed, c->expected, c->repeated);
        if (c->expected == 0 && !only->at && is_listed(s->name, name))
            complain(w, s->name, name, "passes; take it from expected.c");
        if (c->fired < expected * 3 / 4 && (c->fired == 0 || expected - c->fired > FEW) &&
            c->failed == 0)
            complain(w, s->name, name, "too few places were reached");
    }
    if (known == 0 && !only->variant && is_listed(s->name, ANY_VARIANT))
        complain(w, s->name, "any fault", "passes; take it from expected.c");
}

/* Runs in a process of its own, so that it leaves nothing behind in this one. */
static bool make_reference(const struct script *s, struct work *w)
{
    struct outcome *o = share(sizeof(*o));
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        run_reference(s, &w->reference, o);
        exit(EXIT_SUCCESS);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        snprintf(o->problem, PROBLEM_SIZE, "the run ended unexpectedly");
    if (*o->problem && is_expected(s->name, NULL, o->problem)) {
        printf("%-10s without fault: failed as expected\n", s->name);
        return false;
    }
    if (!*o->problem && !is_listed(s->name, NULL))
        return true;
    fprintf(stderr, "FAILED %s without fault: %s\n", s->name,
            *o->problem ? o->problem : "passes; take it from expected.c");
    w->failed++;
    return false;
}

static void print_reference(const struct script *s, const struct reference *r)
{
    static const char *const when[] = {"script played", "rescan", "reload"};
    const struct picture *const pictures[] = {&r->played, &r->rescanned, &r->reloaded};

    for (size_t i = 0; i < ELEMENTS(pictures); i++) {
        printf("after %s:\n", when[i]);
        for (size_t k = 0; s->cards[k].address; k++)
            printf("  %s %s\n", pictures[i]->lines[k], pictures[i]->pasts[k]);
    }
}

static unsigned run_script(const struct script *s, const struct selection *only)
{
    struct work *w = share(sizeof(*w));
    uint64_t start = now_usec();

    if (!make_reference(s, w))
        return w->failed;
    if (only->variant && streq(only->variant, "none"))
        print_reference(s, &w->reference);
    if (!s->faultless) {
        run_jobs(s, only, w);
        report(s, only, w);
    }
    printf("%-10s %zu kernel calls, %zu updates of the bus, %.1f s\n", s->name,
           w->reference.n_calls, w->reference.n_updates, (double)(now_usec() - start) / 1e6);
    return w->failed;
}

int main(int argc, char **argv)
{
    const struct selection only = {argc > 1 ? argv[1] : NULL, argc > 2 ? argv[2] : NULL,
                                   argc > 3 ? strtoul(argv[3], NULL, 10) : 0};
    unsigned failed = 0, ran = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < n_scripts; i++)
        if (!only.script || streq(only.script, scripts[i].name)) {
            failed += run_script(&scripts[i], &only);
            ran++;
        }
    return failed == 0 && ran > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
