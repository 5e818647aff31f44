/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The perform() of these tests: it replaces the one that writes to the real /sys, and makes the
 * fault of the run happen. */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "model/snapshot.h"

#define HANG_USEC 2000 /* between two looks at whether the fault is gone */

/* The call that this process is in. */
static struct {
    size_t card;
    bool hang_before, hang_inside; /* it has still to hang */
} current = {.card = NO_CARD};

static struct kernel *kernel(void)
{
    return &host.shared->kernel;
}

bool fault_hangs(const struct fault *f)
{
    return f->kind == FAULT_HANG_BEFORE || f->kind == FAULT_HANG_INSIDE ||
           f->kind == FAULT_KILL_WAITING || f->kind == FAULT_KILL_HANGING ||
           f->kind == FAULT_KILL_STUCK;
}

bool fault_kills(const struct fault *f)
{
    return f->kind >= FAULT_KILL_BEFORE;
}

/* -- hanging -- */

/* Hangs until the fault is lifted. The caller has the host's lock, which is free meanwhile. */
static void hang(size_t card)
{
    current.hang_before = current.hang_inside = false;
    host_follow();
    host_unlock();
    atomic_fetch_add(&host.shared->hung[card], 1);
    if (host.shared->fault.kind == FAULT_KILL_HANGING ||
        host.shared->fault.kind == FAULT_KILL_WAITING)
        kill(atomic_load(&host.shared->daemon), SIGKILL);
    while (!atomic_load(&host.shared->lifted)) {
        if (kill(host.shared->test, 0) < 0) /* the test has died: nobody would lift it */
            raise(SIGKILL);
        usleep(HANG_USEC);
    }
    atomic_fetch_sub(&host.shared->hung[card], 1);
    host_lock();
}

static void on_lock(size_t device)
{
    card_lock(device);
    if (current.hang_before && device == current.card)
        hang(device);
}

static void on_inside(size_t device)
{
    host_follow();
    if (current.hang_inside && device == current.card)
        hang(device);
}

static void on_unlock(size_t device)
{
    if (current.hang_inside && device == current.card)
        hang(device);
    card_unlock(device);
}

static void on_event(enum kernel_event event, size_t device, const char *driver)
{
    static const enum hotplug_action actions[] = {
        [EVENT_ADD] = HOTPLUG_ADD,
        [EVENT_BIND] = HOTPLUG_BIND,
        [EVENT_UNBIND] = HOTPLUG_UNBIND,
        [EVENT_REMOVE] = HOTPLUG_REMOVE,
    };

    (void)driver;
    host_follow();
    send_event(actions[event], host.script->cards[device].address);
}

void calls_init(void)
{
    kernel_hooks = (struct kernel_hooks){
        .lock = on_lock, .unlock = on_unlock, .inside = on_inside, .event = on_event};
}

/* -- what perform() does besides single writes -- */

/* Is the driver's folder in the tree newer than the one with this number? */
static bool is_newer(const char *driver, uint64_t order)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s", driver);
    return fstatat(host.root_fd, path, &st, 0) == 0 && st.st_ino > order;
}

/* Offers the card to the native drivers that were registered after `order` (0: to all), until one
 * takes it. */
static void offer_to_natives(size_t card, uint64_t order)
{
    for (size_t i = 0; i < kernel()->n_drivers; i++)
        if (kernel_is_native(kernel(), (int)i, card) &&
            is_newer(kernel()->drivers[i].kind.name, order) &&
            kernel_bind(kernel(), kernel()->drivers[i].kind.name,
                        host.script->cards[card].address) == 0)
            break;
}

/* Binds the card to the native driver that had it, by its name, or to another one. */
static int bind_native(const struct op *op, size_t card)
{
    if (!*op->driver || kernel_bind(kernel(), op->driver, host.script->cards[card].address) < 0)
        offer_to_natives(card, 0);
    char driver[DRIVER_NAME_MAX];
    card_driver(card, driver);
    return driver_is_vfio(driver) ? -EBUSY : 0;
}

struct hold {
    int fd;
};

/* Only one process can have a group open; it is free again when the descriptor is closed. */
static int hold_group(const char *group, struct hold **ret)
{
    struct hold *h = *ret = malloc(sizeof(*h));
    char path[128];

    snprintf(path, sizeof(path), "dev/vfio/%s", group);
    if (!h)
        return -ENOMEM;
    h->fd = openat(host.root_fd, path, O_RDWR | O_CLOEXEC);
    if (h->fd < 0)
        return -errno;
    return flock(h->fd, LOCK_EX | LOCK_NB) < 0 ? -EBUSY : 0;
}

static int write_override(size_t card, const char *text)
{
    return kernel_write_override(kernel(), card, text, strlen(text));
}

static int clear_override(const struct op *op, size_t card)
{
    char text[DRIVER_NAME_MAX];

    card_override(card, text);
    if (*op->driver && !streq(text, op->driver) && !streq(text, PLACEHOLDER_NAME))
        return 0;
    return write_override(card, "\n");
}

static int check_override(size_t card)
{
    char text[DRIVER_NAME_MAX];

    card_override(card, text);
    return *text && !streq(text, PLACEHOLDER_NAME) ? -EBUSY : 0;
}

/* A card that a driver has needs no placeholder, and an override is not replaced. */
static int set_placeholder(size_t card)
{
    char text[DRIVER_NAME_MAX];

    if (!card_is_there(card))
        return -ENOENT;
    card_driver(card, text);
    if (!*text)
        card_override(card, text);
    return *text ? 0 : write_override(card, PLACEHOLDER_NAME);
}

static int clear_placeholder(size_t card)
{
    char text[DRIVER_NAME_MAX];

    card_override(card, text);
    return streq(text, PLACEHOLDER_NAME) ? write_override(card, "\n") : 0;
}

/* A write that hangs has its entry in the table already: it waits for the lock of a device that
 * fits. */
static int new_id(const struct op *op)
{
    int r = kernel_add_id(kernel(), DYNID_DRIVER, op->driver);

    if (r < 0)
        return r;
    if (current.hang_before || current.hang_inside)
        hang(NO_CARD);
    kernel_offer_all(kernel(), DYNID_DRIVER);
    return 0;
}

/* Like the real perform(), counts "no such entry" and "no such driver" as success. */
static int remove_id(const struct op *op)
{
    int r = kernel_remove_id(kernel(), DYNID_DRIVER, op->driver);

    return r == -ENODEV || r == -ENOENT ? 0 : r;
}

/* As write/set-vfs.c does it, where nobody uses virtual functions. */
static int set_numvfs(const struct op *op, size_t card)
{
    struct kernel_device *pf = &kernel()->devices[card];
    int r = pf->n_vfs > op->vfs_there                    ? -ESTALE
            : pf->n_vfs > 0 && pf->n_vfs < op->vfs_there ? -EEXIST
                                                         : 0;

    if (r == 0 && pf->n_vfs > 0 && pf->n_vfs != op->vfs)
        r = kernel_set_numvfs(kernel(), card, 0);
    if (r == 0 && op->sets_autoprobe)
        r = kernel_set_autoprobe(kernel(), card, op->vfs == 0);
    return r == 0 && op->vfs > 0 ? kernel_set_numvfs(kernel(), card, op->vfs) : r;
}

static int do_call(const struct op *op, size_t card, struct perform_state *state)
{
    const char *address = pci_addr_text(op->addr).s;

    switch (op->kind) {
    case ACTION_OVERRIDE:
        return write_override(card, op->driver);
    case ACTION_CLEAR:
        return clear_override(op, card);
    case ACTION_UNBIND:
        return kernel_unbind(kernel(), op->driver, address);
    case ACTION_BIND:
        return kernel_bind(kernel(), op->driver, address);
    case ACTION_PROBE:
        return kernel_drivers_probe(kernel(), address);
    case ACTION_NATIVE:
        return bind_native(op, card);
    case ACTION_HOLD:
        return hold_group(op->driver, &state->hold);
    case ACTION_CHECK:
        return *op->driver ? check_override(card) : 0; /* nobody has anything open here */
    case ACTION_TEST:
    case ACTION_RESET_METHOD:
        return 0; /* no script has these */
    case ACTION_SET_PLACEHOLDER:
        return set_placeholder(card);
    case ACTION_CLEAR_PLACEHOLDER:
        return clear_placeholder(card);
    case ACTION_OFFER:
        offer_to_natives(card, op->order);
        return 0;
    case ACTION_SET_VFS:
        return set_numvfs(op, card);
    case ACTION_RESTORE_AUTOPROBE:
        return kernel_set_autoprobe(kernel(), card, true);
    case ACTION_NEW_ID:
        return new_id(op);
    case ACTION_REMOVE_ID:
        return remove_id(op);
    case ACTION_MAX:
        break;
    }
    return -EINVAL;
}

/* -- faults -- */

static bool takes_lock(const struct op *op)
{
    return op->kind != ACTION_HOLD && op->kind != ACTION_RESTORE_AUTOPROBE &&
           (op->kind != ACTION_CHECK || *op->driver) && !action_is_dynid(op->kind);
}

/* Does the fault hit the n-th call? FAULT_ERROR also hits later calls of the same kind for the same
 * device. */
static bool is_hit(size_t n, const struct op *op)
{
    struct shared *s = host.shared;

    if (s->fault.kind == FAULT_NONE || s->fault.kind == FAULT_KILL_UPDATING || s->lifted)
        return false;
    if (n == s->fault.at) {
        s->hit = op->addr;
        s->hit_kind = op->kind;
        s->fired = true;
        return true;
    }
    return s->fault.kind == FAULT_ERROR && s->fired && op->kind == s->hit_kind &&
           pci_addr_cmp(op->addr, s->hit) == 0;
}

static bool waits_before(const struct fault *f)
{
    return f->kind == FAULT_HANG_BEFORE || f->kind == FAULT_KILL_WAITING;
}

/* Some calls find nothing to do for which they would take a lock or run a driver: they hang at
 * their end. */
static void hang_at_last(const struct op *op, size_t card, int r)
{
    bool lock = takes_lock(op);

    if (r < 0 || !(current.hang_before || current.hang_inside))
        return;
    if (lock)
        card_lock(card);
    hang(card);
    if (lock)
        card_unlock(card);
}

/* What the real perform() makes of an errno: some operations count it as success, and ACTION_CHECK
 * says -EAGAIN. */
static int answer(enum action_kind kind, int error)
{
    bool is_gone = error == ENODEV || error == ENOENT;

    if (kind == ACTION_NATIVE || (kind == ACTION_OFFER && is_gone) ||
        ((kind == ACTION_REMOVE_ID || kind == ACTION_CLEAR_PLACEHOLDER) && is_gone))
        return 0;
    return kind == ACTION_CHECK ? -EAGAIN : -error;
}

static int call_kernel(const struct op *op, size_t card, bool hit, struct perform_state *state)
{
    const struct fault *fault = &host.shared->fault;

    if (hit && (fault->kind == FAULT_ERROR || fault->kind == FAULT_ERROR_ONCE))
        return answer(op->kind, fault->error);
    if (hit && fault->kind == FAULT_NOTHING)
        return 0;
    current.card = card;
    current.hang_before = hit && fault_hangs(fault) && waits_before(fault);
    current.hang_inside = hit && fault_hangs(fault) && !waits_before(fault);
    host_lock();
    int r = do_call(op, card, state);
    hang_at_last(op, card, r);
    current.hang_before = current.hang_inside = false;
    host_follow();
    host_unlock();
    return r;
}

/* -- promises -- */

/* Has the daemon written the override since the last time that it removed it? */
static bool is_overridden(const char *address, size_t before)
{
    for (size_t i = before; i-- > 0;) {
        const struct call *c = &host.shared->calls[i];
        if (c->result != 0 || !streq(c->address, address))
            continue;
        if (c->kind == ACTION_OVERRIDE || c->kind == ACTION_CLEAR)
            return c->kind == ACTION_OVERRIDE;
    }
    return false;
}

static void check_promises(const struct op *op, const char *address, int card, size_t n)
{
    pid_t nobody = 0;

    if (action_is_dynid(op->kind))
        return;
    if (card < 0 || host.script->cards[card].untouchable)
        breach("%s of %s, which nobody may touch", action_word(op->kind), address);
    else if (op->kind == ACTION_BIND && !is_overridden(address, n - 1))
        breach("bind of %s before its override", address);
    else if (op->kind == ACTION_UNBIND &&
             !atomic_compare_exchange_strong(&host.shared->unbinding[card], &nobody, getpid()))
        breach("a second unbind of %s while the first has not returned", address);
}

/* -- the call -- */

static struct call *begin_call(const struct op *op, const char *address, size_t *ret_n)
{
    size_t n = atomic_fetch_add(&host.shared->n_calls, 1) + 1;

    if (n > CALLS_MAX) {
        breach("%s of %s: there is no end to the calls", action_word(op->kind), address);
        raise(SIGKILL);
    }
    struct call *c = &host.shared->calls[n - 1];
    snprintf(c->address, sizeof(c->address), "%s", address);
    snprintf(c->driver, sizeof(c->driver), "%s", op->driver);
    c->kind = op->kind;
    c->result = OP_NOT_DONE;
    *ret_n = n;
    return c;
}

/* The end of a call, after which the worker may die. */
static void end_call(struct call *c, size_t card, int r)
{
    if (c->kind == ACTION_UNBIND)
        atomic_store(&host.shared->unbinding[card], 0);
    c->result = r;
}

static void kill_daemon(void)
{
    kill(atomic_load(&host.shared->daemon), SIGKILL);
    raise(SIGKILL);
}

void perform_state_done(struct perform_state *s)
{
    if (s->hold)
        closep(&s->hold->fd);
    free(s->hold);
    s->hold = NULL;
}

/* The kernel finishes a system call before it heeds a signal. So a worker in here does not die
 * together with the daemon, but only when it comes out; unless it outlives the daemon anyway. */
int perform(int root_fd, const struct op *op, struct perform_state *state)
{
    const struct pci_addr_text address = pci_addr_text(op->addr);
    pid_t daemon = getppid();
    int card = action_is_dynid(op->kind) ? NO_CARD : card_index(address.s), r = -ENODEV;
    int death_signal = 0;
    size_t n;

    prctl(PR_GET_PDEATHSIG, &death_signal);
    prctl(PR_SET_PDEATHSIG, 0);
    host.root_fd = root_fd;
    struct call *c = begin_call(op, address.s, &n);
    check_promises(op, address.s, card, n);
    bool hit = card >= 0 && is_hit(n, op);
    if (hit && host.shared->fault.kind == FAULT_KILL_BEFORE) {
        end_call(c, (size_t)card, -EINTR);
        kill_daemon();
    }
    if (hit && host.shared->fault.kind == FAULT_LOAD)
        host_load(host.script->late);
    if (hit && host.shared->fault.kind == FAULT_LOAD_SLOWLY)
        host_begin_load(host.script->late);
    if (card >= 0) {
        r = call_kernel(op, (size_t)card, hit, state);
        end_call(c, (size_t)card, r);
    }
    if (hit && host.shared->fault.kind == FAULT_LOAD_SLOWLY)
        host_end_load(host.script->late);
    if (hit && host.shared->fault.kind == FAULT_KILL_AFTER)
        kill_daemon();
    prctl(PR_SET_PDEATHSIG, death_signal);
    if (death_signal != 0 && getppid() != daemon)
        raise(SIGKILL);
    return r;
}
