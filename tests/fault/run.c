/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "calls.h"
#include "daemon.h"
#include "epilogue.h"
#include "tree.h"

#define TIMEOUT_MSEC 400  /* unbind-timeout of a run in which something hangs */
#define LONG_MSEC 60000   /* unbind-timeout of all other runs */
#define REST_USEC 5000000 /* as long as a fault may keep the daemon from coming to rest */

/* -- the host -- */

static void write_policy(const struct run *r, const struct tree *t, const char *rules)
{
    CLEANUP_FREE char *text = NULL;

    if (asprintf(&text,
                 "[daemon]\nlog-level = debug\nboot-deadline = %dms\nunbind-timeout = %dms\n%s",
                 DEADLINE_MSEC, fault_hangs(&r->fault) ? TIMEOUT_MSEC : LONG_MSEC, rules) >= 0)
        tree_write(t, "etc/vfio-bindd.conf", text);
}

static bool make_host(struct run *r, const struct script *s)
{
    struct tree t;

    host = (struct host){.script = s};
    while (s->cards[host.n_cards].address)
        host.n_cards++;
    snprintf(host.path, sizeof(host.path), "%s/vfio-bindd-fault.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    host.shared = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (host.shared == MAP_FAILED || !mkdtemp(host.path))
        return failed(r, "cannot make a host: %m");
    host.shared->fault = r->fault;
    host.shared->test = getpid();
    host.root_fd = open(host.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    t.fd = host.root_fd;
    snprintf(t.path, sizeof(t.path), "%s", host.path);
    calls_init();
    host_boot();
    tree_write(&t, "run/.keep", "");
    write_policy(r, &t, s->rules);
    if (make_pipes() < 0)
        return failed(r, "cannot make pipes: %m");
    return true;
}

static void drop_host(void)
{
    struct tree t = {.fd = host.root_fd};

    snprintf(t.path, sizeof(t.path), "%s", host.path);
    tree_done(&t);
    munmap(host.shared, sizeof(struct shared));
}

/* -- requests -- */

static bool has_come_out(const struct run *r, const struct asked_for *q)
{
    return atomic_load(&host.shared->answers[q->number]) == 0 &&
           r->display.cards[card_index(q->address)].state ==
               (q->kind == REQUEST_BIND ? STATE_BOUND : STATE_RELEASED);
}

static void request(struct run *r, enum request_kind kind, const char *address)
{
    r->requests[r->n_requests++] = (struct asked_for){kind, address, ask(kind, address)};
}

static int answer_to(const struct asked_for *q)
{
    return atomic_load(&host.shared->answers[q->number]);
}

/* Asks again, as a caller does whom the daemon's end left without an answer. */
static bool repeat_unanswered(struct run *r)
{
    for (size_t i = 0; i < r->n_requests; i++) {
        struct asked_for *q = &r->requests[i];
        if (answer_to(q) != -ECONNRESET)
            continue;
        q->number = ask(q->kind, q->address);
        if (!wait_until_quiet(r, "asked again after the restart"))
            return false;
    }
    return true;
}

/* Has this request, or an earlier one for the same group, not been answered well? Then the devices
 * have not gone through what they go through without a fault. */
static bool must_repeat(const struct run *r, size_t i)
{
    int card = card_index(r->requests[i].address);

    for (size_t k = 0; k <= i; k++)
        if (cards_share_group((size_t)card, (size_t)card_index(r->requests[k].address)) &&
            answer_to(&r->requests[k]) != 0)
            return true;
    return false;
}

/* Asks again, as an administrator does who was told no, now that the cause is gone. */
static bool repeat_refused(struct run *r)
{
    bool again[REQUESTS_MAX];

    for (size_t i = 0; i < r->n_requests; i++)
        again[i] = must_repeat(r, i);
    for (size_t i = 0; i < r->n_requests; i++) {
        struct asked_for *q = &r->requests[i];
        if (!again[i])
            continue;
        q->number = ask(q->kind, q->address);
        if (!wait_until_quiet(r, "asked again"))
            return false;
        if (!has_come_out(r, q))
            return failed(r, "the fault is gone, and %s of %s fails: %s",
                          q->kind == REQUEST_BIND ? "bind" : "release", q->address,
                          host.shared->answer_texts[q->number]);
    }
    return true;
}

/* -- the script -- */

static const char *step_name(const struct step *s)
{
    static const char *const names[] = {[STEP_PLUG] = "plug",
                                        [STEP_UNPLUG] = "unplug",
                                        [STEP_UNBIND] = "foreign unbind",
                                        [STEP_RELEASE] = "release",
                                        [STEP_BIND] = "bind",
                                        [STEP_RESCAN] = "rescan",
                                        [STEP_RELOAD] = "reload",
                                        [STEP_BOOTED] = "booted",
                                        [STEP_LOAD] = "load",
                                        [STEP_VFS] = "virtual functions",
                                        [STEP_RULES] = "other rules",
                                        [STEP_REST] = "rest",
                                        [STEP_SHOWS] = "look",
                                        [STEP_BEGUN] = "begun"};
    return names[s->kind];
}

static struct tree the_tree(void)
{
    struct tree t = {.fd = host.root_fd};

    snprintf(t.path, sizeof(t.path), "%s", host.path);
    return t;
}

static void boot_ends(void)
{
    const struct tree t = the_tree();

    tree_write(&t, "run/vfio-bindd/booted", "");
}

static void other_rules(const struct run *r, const char *rules)
{
    const struct tree t = the_tree();

    write_policy(r, &t, rules);
    ask(REQUEST_RELOAD, NULL);
}

/* Nothing is in hand, and nothing has been sent that the daemon has not looked at. */
static bool is_at_rest(const struct run *r)
{
    return r->display.n_open == 0 && r->display.events == atomic_load(&host.shared->events_sent);
}

static uint64_t patience(const struct run *r)
{
    return r->fault.kind == FAULT_NONE ? PATIENCE_USEC : REST_USEC;
}

/* A call that fails all the time may be repeated without end: then a broken promise ends the
 * wait. */
static void wait_for_rest(struct run *r)
{
    uint64_t start = now_usec();

    do {
        usleep(LOOK_USEC);
        display_take(&r->display);
    } while (!is_at_rest(r) && !host.shared->broken && now_usec() - start < patience(r) &&
             look_after_daemon(r));
}

static bool has_begun(const char *address)
{
    const struct shared *s = host.shared;

    for (size_t i = 0; i < s->n_calls; i++)
        if (streq(s->calls[i].address, address))
            return true;
    return false;
}

/* With some faults the call never begins. */
static void wait_for_begin(struct run *r, const char *address)
{
    const bool before = r->restarted;

    for (uint64_t start = now_usec(); !has_begun(address) && now_usec() - start < patience(r);)
        if (!look_after_daemon(r))
            return;
    if (r->restarted != before) /* the new one does not listen yet */
        (void)wait_until_quiet(r, "restart");
}

/* Only in the run without a fault: a fault may change it. */
static void check_shown(struct run *r, const struct step *s)
{
    struct picture now;

    picture_take(&r->display, &now);
    const char *line = now.lines[card_index(s->address)];
    if (!r->reference && !strstr(line, s->text))
        failed(r, "not %s: %s", s->text, line);
}

/* Returns false if it cannot happen now. */
static bool do_step(struct run *r, const struct step *s)
{
    int card = s->address ? card_index(s->address) : 0;

    switch (s->kind) {
    case STEP_PLUG:
        r->fresh[card] = true;
        return host_plug((size_t)card) == 0;
    case STEP_UNPLUG:
        return host_unplug((size_t)card) == 0;
    case STEP_UNBIND:
        return host_unbind((size_t)card) == 0;
    case STEP_VFS:
        return host_set_vfs((size_t)card, (unsigned)strtoul(s->text, NULL, 10)) != -EAGAIN;
    case STEP_RELEASE:
        request(r, REQUEST_RELEASE, s->address);
        break;
    case STEP_BIND:
        request(r, REQUEST_BIND, s->address);
        break;
    case STEP_RESCAN:
        ask(REQUEST_RESCAN, NULL);
        break;
    case STEP_RELOAD:
        ask(REQUEST_RELOAD, NULL);
        break;
    case STEP_BOOTED:
        boot_ends();
        break;
    case STEP_LOAD:
        host_modprobe(s->text);
        break;
    case STEP_RULES:
        other_rules(r, s->text);
        break;
    case STEP_REST:
        wait_for_rest(r);
        break;
    case STEP_BEGUN:
        wait_for_begin(r, s->address);
        break;
    case STEP_SHOWS:
        check_shown(r, s);
        break;
    case STEP_END:
        break;
    }
    return true;
}

static bool is_put_off(const struct run *r, const struct step *s)
{
    for (size_t i = 0; s->address && i < r->n_later; i++)
        if (streq(r->later[i]->address, s->address))
            return true;
    return false;
}

/* Like the kernel, waits for a short call on the device to end. False if the call hangs. */
static bool try_step(struct run *r, const struct step *s)
{
    int card = s->address ? card_index(s->address) : -1;

    while (!do_step(r, s)) {
        if (host_hangs((size_t)card) || !look_after_daemon(r))
            return false;
        usleep(LOOK_USEC);
    }
    return true;
}

static bool is_hardware(const struct step *s)
{
    return s->kind == STEP_PLUG || s->kind == STEP_UNPLUG || s->kind == STEP_UNBIND ||
           s->kind == STEP_VFS;
}

/* In some runs the daemon is killed when it has reported a call that hangs. */
static bool kill_if_stuck(struct run *r)
{
    if (r->fault.kind != FAULT_KILL_STUCK || r->restarted || !host.shared->fired)
        return true;
    kill(r->daemon, SIGKILL);
    while (!r->restarted)
        if (!look_after_daemon(r))
            return false;
    return wait_until_quiet(r, "after a restart while a call hangs");
}

static bool rest(struct run *r, const char *when)
{
    bool before = r->restarted;

    if (!wait_until_quiet(r, when) || !kill_if_stuck(r))
        return false;
    if (!before && r->restarted && !repeat_unanswered(r))
        return false;
    return true;
}

static bool play(struct run *r)
{
    if (!rest(r, "start"))
        return false;
    for (const struct step *s = host.script->steps; s->kind != STEP_END; s++) {
        if (is_hardware(s) && (is_put_off(r, s) || !try_step(r, s)))
            r->later[r->n_later++] = s;
        else if (!is_hardware(s))
            do_step(r, s);
        if (*r->outcome->problem || (!s->at_once && !rest(r, step_name(s))))
            return false;
    }
    return true;
}

/* The fault is gone: what hangs returns. */
static bool lift(struct run *r)
{
    uint64_t start = now_usec();

    atomic_store(&host.shared->lifted, true);
    while (something_hangs()) {
        if (now_usec() - start > PATIENCE_USEC)
            return failed(r, "the model's hang does not end");
        usleep(LOOK_USEC);
    }
    return wait_until_quiet(r, "after the fault");
}

static bool catch_up(struct run *r)
{
    for (size_t i = 0; i < r->n_later; i++) {
        const struct step *s = r->later[i];
        if (!try_step(r, s) || !wait_until_quiet(r, step_name(s)))
            return failed(r, "%s of %s cannot happen", step_name(s), s->address);
    }
    return true;
}

/* -- the whole -- */

/* Does the fault concern dynamic IDs? Without them native drivers may come first, and devices come
 * to the same end in another way. */
static bool is_about_dynids(void)
{
    enum action_kind k = host.shared->hit_kind;

    return host.shared->fired &&
           (action_is_dynid(k) || k == ACTION_SET_PLACEHOLDER || k == ACTION_CLEAR_PLACEHOLDER);
}

/* While a call hangs, the write of an entry hangs as well, and devices keep the placeholders that
 * they have for it. */
static bool holds_up_dynids(const struct run *r)
{
    return fault_hangs(&r->fault) && host.script->dynids_wait;
}

static bool check(struct run *r, const char *when, const struct picture *expected,
                  const struct exempt *exempt, struct picture *now)
{
    char problem[PROBLEM_SIZE];

    if (host.shared->broken)
        return failed(r, "%s", host.shared->breach);
    if (!is_true(&r->display, problem))
        return failed(r, "%s: %.*s", when, PROBLEM_SIZE / 2, problem);
    picture_take(&r->display, now);
    if (expected && !picture_is_same(now, expected, exempt, problem))
        return failed(r, "%s: it came out otherwise:%.*s", when, PROBLEM_SIZE / 2, problem);
    return true;
}

/* Which devices may differ from the reference. At the end of the script this is the one that the
 * fault hit, unless all that happened was that the daemon was killed. After that only its past may
 * differ. What was not in /run when the daemon was killed may differ both times. */
static void exempt(const struct run *r, char address[static PCI_ADDR_MAX], struct exempt *played,
                   struct exempt *recovered)
{
    *played = *recovered = (struct exempt){.unsaved = r->unsaved};
    if (!host.shared->fired)
        return;
    snprintf(address, PCI_ADDR_MAX, "%s", pci_addr_text(host.shared->hit).s);
    played->all_pasts = recovered->all_pasts = is_about_dynids() || holds_up_dynids(r);
    if (!fault_kills(&r->fault) || fault_hangs(&r->fault))
        played->device = played->past = recovered->past = address;
}

/* A reload takes all devices that were released. The reference does not check that: the same daemon
 * makes it. */
static bool check_taken_again(struct run *r)
{
    for (size_t i = 0; i < host.n_cards; i++)
        if (r->display.cards[i].released)
            return failed(r, "after the reload: %s is still released",
                          host.script->cards[i].address);
    return true;
}

/* The end is the same only when the daemon has done what it does unseen. */
static bool rest_if_unseen(struct run *r)
{
    if (host.script->unseen)
        wait_for_rest(r);
    return !*r->outcome->problem;
}

static bool run_to_end(struct run *r, struct reference *ret)
{
    const struct reference *reference = r->reference;
    struct exempt played, recovered;
    char address[PCI_ADDR_MAX];

    if (!play(r) || !check_ready(r, "at the end of the script"))
        return false;
    exempt(r, address, &played, &recovered);
    bool comparable =
        reference && !is_about_dynids() && !holds_up_dynids(r) && !host.shared->loading;
    if (!check(r, "at the end of the script", comparable ? &reference->played : NULL, &played,
               &ret->played))
        return false;
    ret->n_calls = host.shared->n_calls;
    ret->n_updates = host.shared->updates;
    r->outcome->fired = host.shared->fired;
    if (!lift(r) || !catch_up(r))
        return false;
    ask(REQUEST_RESCAN, NULL);
    if (!wait_until_quiet(r, "rescan") || !rest_if_unseen(r) || !repeat_refused(r) ||
        !check(r, "after the rescan", reference ? &reference->rescanned : NULL, &recovered,
               &ret->rescanned))
        return false;
    ask(REQUEST_RELOAD, NULL);
    if (!wait_until_quiet(r, "reload") || !check_taken_again(r) ||
        !check(r, "after the reload", reference ? &reference->reloaded : NULL, &recovered,
               &ret->reloaded))
        return false;
    return reference || epilogue(r); /* once is enough */
}

/* The daemon ends when told to, and no process is left behind. */
static void end(struct run *r)
{
    uint64_t start = now_usec();
    int status = 0;
    pid_t pid;

    atomic_store(&host.shared->lifted, true);
    kill(r->daemon, *r->outcome->problem ? SIGKILL : SIGTERM);
    while ((pid = waitpid(-1, &status, WNOHANG)) >= 0) {
        if (pid == r->daemon && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
            failed(r, "the daemon did not end well: status %x", (unsigned)status);
        if (pid == 0)
            usleep(LOOK_USEC);
        take_notifications(r);
        if (now_usec() - start > PATIENCE_USEC) {
            failed(r, "processes are left behind");
            return;
        }
    }
}

/* What the fault hit and what the daemon said, for whoever looks for the cause. */
static void add_cause(struct outcome *o)
{
    size_t used = strlen(o->problem);

    if (host.shared->fired)
        used +=
            (size_t)snprintf(o->problem + used, PROBLEM_SIZE - used, "\n  hit: %s %s",
                             pci_addr_text(host.shared->hit).s, action_word(host.shared->hit_kind));
    CLEANUP_CLOSE int fd = openat(host.root_fd, "log", O_RDONLY | O_CLOEXEC);
    off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    const size_t room = PROBLEM_SIZE - used - 16;

    if (size <= 0)
        return;
    used += (size_t)snprintf(o->problem + used, 16, "\n");
    ssize_t n = pread(fd, o->problem + used, room, size > (off_t)room ? size - (off_t)room : 0);
    o->problem[used + (size_t)(n > 0 ? n : 0)] = '\0';
}

static void run_one(struct run *r, const struct script *s, struct reference *ret)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    *r->outcome = (struct outcome){0};
    if (!make_host(r, s))
        return;
    r->notify_fd = open_notify();
    if (r->notify_fd < 0)
        failed(r, "cannot make the notification socket: %m");
    else if (start_daemon(r))
        (void)run_to_end(r, ret);
    if (r->daemon > 0)
        end(r);
    r->outcome->false_alarm = host.shared->false_alarm;
    if (*r->outcome->problem)
        add_cause(r->outcome);
    close(r->notify_fd);
    drop_host();
}

void run_reference(const struct script *s, struct reference *ret, struct outcome *outcome)
{
    struct run r = {.outcome = outcome};

    run_one(&r, s, ret);
}

void run_fault(const struct script *s, const struct fault *f, const struct reference *reference,
               struct outcome *outcome)
{
    CLEANUP_FREE struct reference *mine = calloc(1, sizeof(*mine));
    struct run r = {.fault = *f, .reference = reference, .outcome = outcome};

    if (mine)
        run_one(&r, s, mine);
}
