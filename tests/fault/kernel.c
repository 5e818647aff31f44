/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver core, as far as the daemon meets it: what the writes to /sys do, what they answer,
 * which of them wait for the device's lock, and what the kernel tells by events. Its state is the
 * tree itself. perform() here stands in for the one that writes to the real /sys, and makes the
 * fault of the run happen. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "fence.h"
#include "snapshot.h"
#include "tree.h"

#define LOCK_USEC 200  /* between two looks at a lock */
#define HANG_USEC 2000 /* between two looks whether the fault is gone */

struct host host = {.root_fd = -1};

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

void breach(const char *format, ...)
{
    va_list args;

    if (atomic_exchange(&host.shared->broken, true))
        return;
    va_start(args, format);
    vsnprintf(host.shared->breach, sizeof(host.shared->breach), format, args);
    va_end(args);
}

/* -- what the tree shows -- */

static const char *card_path(char buf[static 128], size_t card, const char *name)
{
    snprintf(buf, 128, "sys/bus/pci/devices/%s%s%s", host.script->cards[card].address,
             *name ? "/" : "", name);
    return buf;
}

int card_index(const char *address)
{
    for (size_t i = 0; i < host.n_cards; i++)
        if (streq(host.script->cards[i].address, address))
            return (int)i;
    return -1;
}

bool card_is_there(size_t card)
{
    char path[128];

    return faccessat(host.root_fd, card_path(path, card, "modalias"), F_OK, 0) == 0;
}

bool card_is_in_call(size_t card)
{
    return atomic_load(&host.shared->owner[card]) != 0 || atomic_load(&host.shared->hung[card]) > 0;
}

bool cards_share_group(size_t a, size_t b)
{
    const char *group = host.script->cards[a].group;

    return a == b || (group && streq_null(group, host.script->cards[b].group));
}

bool group_is_in_call(size_t card)
{
    for (size_t i = 0; i < host.n_cards; i++)
        if (cards_share_group(i, card) && card_is_in_call(i))
            return true;
    return false;
}

void card_driver(size_t card, char driver[static DRIVER_NAME_MAX])
{
    char path[128], target[256];
    ssize_t n =
        readlinkat(host.root_fd, card_path(path, card, "driver"), target, sizeof(target) - 1);

    target[n > 0 ? n : 0] = '\0';
    const char *slash = strrchr(target, '/');
    snprintf(driver, DRIVER_NAME_MAX, "%.*s", DRIVER_NAME_MAX - 1, slash ? slash + 1 : target);
}

void card_override(size_t card, char driver[static DRIVER_NAME_MAX])
{
    char path[128];
    CLEANUP_CLOSE int fd =
        openat(host.root_fd, card_path(path, card, "driver_override"), O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, driver, DRIVER_NAME_MAX - 1);

    driver[n > 0 ? n : 0] = '\0';
}

static const char *node_path(char buf[static 128], size_t card)
{
    snprintf(buf, 128, "dev/vfio/%s", host.script->cards[card].group);
    return buf;
}

bool card_has_node(size_t card)
{
    char path[128];

    return host.script->cards[card].group &&
           faccessat(host.root_fd, node_path(path, card), F_OK, 0) == 0;
}

static bool is_registered(const char *driver)
{
    char path[128];

    snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s", driver);
    return faccessat(host.root_fd, path, F_OK, 0) == 0;
}

/* -- locks: what holds one is inside the kernel, so it does not die -- */

static void lock_kernel(void)
{
    while (atomic_exchange(&host.shared->kernel_lock, 1))
        usleep(LOCK_USEC);
}

static void unlock_kernel(void)
{
    atomic_store(&host.shared->kernel_lock, 0);
}

static bool try_lock_card(size_t card)
{
    pid_t nobody = 0;

    return atomic_compare_exchange_strong(&host.shared->owner[card], &nobody, getpid());
}

static void lock_card(size_t card)
{
    while (!try_lock_card(card))
        usleep(LOCK_USEC);
}

static void unlock_card(size_t card)
{
    atomic_store(&host.shared->owner[card], 0);
}

/* -- binding: each in two halves, between which the driver's probe() or remove() runs -- */

enum second_half { NO_MORE, PROBED, REMOVED };

/* What the table of IDs is compared with. */
static struct device identity(size_t card)
{
    struct device d = {.group = NO_GROUP};
    unsigned v, dev, sv, sd, base, sub, interface;

    if (sscanf(host.script->cards[card].modalias, "pci:v%8Xd%8Xsv%8Xsd%8Xbc%2Xsc%2Xi%2X", &v, &dev,
               &sv, &sd, &base, &sub, &interface) != 7)
        abort();
    d.vendor = (uint16_t)v;
    d.device = (uint16_t)dev;
    d.subvendor = (uint16_t)sv;
    d.subdevice = (uint16_t)sd;
    d.class_code = base << 16 | sub << 8 | interface;
    return d;
}

static bool table_has(size_t card)
{
    const struct device d = identity(card);

    for (size_t i = 0; i < host.shared->n_ids; i++)
        if (fence_fits(&host.shared->ids[i], &d))
            return true;
    return false;
}

/* driver_override decides alone where there is one. */
static bool driver_matches(size_t card, const char *driver)
{
    const char *native = host.script->cards[card].native;
    char override[DRIVER_NAME_MAX];

    card_override(card, override);
    if (*override)
        return streq(override, driver);
    return (native && streq(native, driver)) || (streq(driver, FENCE_DRIVER) && table_has(card));
}

static void attach(size_t card, const char *driver)
{
    char path[128], target[128];

    snprintf(target, sizeof(target), "../../../../bus/pci/drivers/%s", driver);
    if (symlinkat(target, host.root_fd, card_path(path, card, "driver")) < 0)
        breach("the model could not link %s to %s: %m", host.script->cards[card].address, driver);
}

static void detach(size_t card)
{
    char path[128];

    (void)unlinkat(host.root_fd, card_path(path, card, "driver"), 0);
}

/* A group's node is there while a VFIO driver has one of its members. */
static void update_node(size_t card)
{
    const char *group = host.script->cards[card].group;
    char path[128], driver[DRIVER_NAME_MAX];
    bool is_there = false;

    if (!group)
        return;
    for (size_t i = 0; i < host.n_cards && !is_there; i++) {
        if (!cards_share_group(i, card))
            continue;
        card_driver(i, driver);
        is_there = *driver && driver_is_vfio(driver);
    }
    if (!is_there) {
        (void)unlinkat(host.root_fd, node_path(path, card), 0);
        return;
    }
    int fd = openat(host.root_fd, node_path(path, card), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

static void do_second_half(size_t card, enum second_half half)
{
    if (half == NO_MORE)
        return;
    update_node(card);
    send_event(half == PROBED ? HOTPLUG_BIND : HOTPLUG_UNBIND, host.script->cards[card].address);
}

/* -- the writes -- */

static int write_override(size_t card, const char *driver)
{
    char path[128];
    CLEANUP_CLOSE int fd = openat(host.root_fd, card_path(path, card, "driver_override"),
                                  O_WRONLY | O_TRUNC | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    return write(fd, driver, strlen(driver)) < 0 ? -errno : 0;
}

static int bind_card(size_t card, const char *driver, enum second_half *half)
{
    char has[DRIVER_NAME_MAX];

    if (!is_registered(driver))
        return -ENOENT;
    if (!card_is_there(card) || !driver_matches(card, driver))
        return -ENODEV;
    card_driver(card, has);
    if (*has)
        return -EBUSY;
    attach(card, driver);
    *half = PROBED;
    return 0;
}

/* The first driver that matches, in the order of their registration. Succeeds whatever comes of it.
 */
static int probe_card(size_t card, enum second_half *half)
{
    char drivers[256], *rest = drivers, *driver;

    if (!card_is_there(card))
        return -ENODEV;
    snprintf(drivers, sizeof(drivers), "%s", host.script->drivers);
    while (*half == NO_MORE && (driver = strsep(&rest, " ")))
        (void)bind_card(card, driver, half);
    return 0;
}

/* By its name. */
static int bind_native(size_t card, enum second_half *half)
{
    const char *native = host.script->cards[card].native;

    if (native)
        (void)bind_card(card, native, half);
    return 0;
}

/* The driver was looked at before the lock: now whatever has the device loses it. */
static int unbind_card(size_t card, enum second_half *half)
{
    char driver[DRIVER_NAME_MAX];

    card_driver(card, driver);
    if (!*driver)
        return 0;
    detach(card);
    *half = REMOVED;
    return 0;
}

/* One open file a group, until the descriptor is closed. */
static int hold_group(const char *group, int *held_fd)
{
    char path[128];

    snprintf(path, sizeof(path), "dev/vfio/%s", group);
    *held_fd = openat(host.root_fd, path, O_RDWR | O_CLOEXEC);
    if (*held_fd < 0)
        return -errno;
    return flock(*held_fd, LOCK_EX | LOCK_NB) < 0 ? -EBUSY : 0;
}

/* One that a driver has needs none, and one with an override is not touched. */
static int park(size_t card)
{
    char text[DRIVER_NAME_MAX];

    if (!card_is_there(card))
        return -ENOENT;
    card_driver(card, text);
    if (!*text)
        card_override(card, text);
    return *text ? 0 : write_override(card, PARKING_NAME);
}

static int unpark(size_t card)
{
    char text[DRIVER_NAME_MAX];

    card_override(card, text);
    return streq(text, PARKING_NAME) ? write_override(card, "") : 0;
}

/* -- vfio-pci's table of IDs -- */

static int add_id(const char *text)
{
    struct shared *s = host.shared;

    if (s->n_ids == IDS_MAX || !fence_parse(text, &s->ids[s->n_ids]))
        return -EINVAL;
    s->n_ids++;
    return 0;
}

/* The first that fits what is written, which has more blanks to fill than it. */
static int remove_id(const char *text)
{
    struct shared *s = host.shared;
    struct fence_id id;

    if (!fence_parse(text, &id))
        return -EINVAL;
    for (size_t i = 0; i < s->n_ids; i++) {
        const struct fence_id *e = &s->ids[i];
        if (e->vendor != id.vendor || e->device != id.device ||
            (id.subvendor != FENCE_ANY && id.subvendor != e->subvendor) ||
            (id.subdevice != FENCE_ANY && id.subdevice != e->subdevice) ||
            ((e->class_code ^ id.class_code) & id.class_mask))
            continue;
        memmove(&s->ids[i], &s->ids[i + 1], (--s->n_ids - i) * sizeof(*e));
        return 0;
    }
    return 0; /* perform() takes "there is none such" for success */
}

/* A new entry is tried on every device; that waits for the lock of each. */
static void attach_all(void)
{
    for (size_t card = 0; card < host.n_cards; card++) {
        enum second_half half = NO_MORE;
        lock_card(card);
        lock_kernel();
        (void)bind_card(card, FENCE_DRIVER, &half);
        do_second_half(card, half);
        unlock_kernel();
        unlock_card(card);
    }
}

/* -- all calls -- */

static int do_first_half(const struct op *op, size_t card, int *held_fd, enum second_half *half)
{
    switch (op->kind) {
    case ACTION_OVERRIDE:
        return card_is_there(card) ? write_override(card, op->driver) : -ENOENT;
    case ACTION_CLEAR:
        return card_is_there(card) ? write_override(card, "") : -ENOENT;
    case ACTION_UNBIND:
        return unbind_card(card, half);
    case ACTION_BIND:
        return bind_card(card, op->driver, half);
    case ACTION_PROBE:
        return probe_card(card, half);
    case ACTION_NATIVE:
        return bind_native(card, half);
    case ACTION_HOLD:
        return hold_group(op->driver, held_fd);
    case ACTION_CHECK:
        return 0; /* nobody has anything open here */
    case ACTION_PARK:
        return park(card);
    case ACTION_UNPARK:
        return unpark(card);
    case ACTION_NEW_ID:
        return add_id(op->driver);
    case ACTION_REMOVE_ID:
        return remove_id(op->driver);
    case ACTION_MAX:
        break;
    }
    return -EINVAL;
}

/* What the kernel looks at before it waits for the device's lock. */
static int check_before_lock(const struct op *op, size_t card)
{
    char driver[DRIVER_NAME_MAX];

    if (op->kind != ACTION_UNBIND)
        return 0;
    if (!is_registered(op->driver))
        return -ENOENT;
    card_driver(card, driver);
    return streq(driver, op->driver) ? 0 : -ENODEV;
}

static bool takes_lock(enum action_kind kind)
{
    return kind != ACTION_HOLD && kind != ACTION_CHECK && !action_is_fence(kind);
}

/* -- faults -- */

static void hang(size_t card)
{
    atomic_fetch_add(&host.shared->hung[card], 1);
    if (host.shared->fault.kind == FAULT_KILL_HANGING ||
        host.shared->fault.kind == FAULT_KILL_WAITING)
        kill(atomic_load(&host.shared->daemon), SIGKILL);
    while (!atomic_load(&host.shared->lifted)) {
        if (kill(host.shared->test, 0) < 0) /* nobody is left who would */
            raise(SIGKILL);
        usleep(HANG_USEC);
    }
    atomic_fetch_sub(&host.shared->hung[card], 1);
}

/* Is the n-th call the one, or (FAULT_ERROR) one like it? */
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

/* Does it hang before it has done anything? An entry is in the table before new_id can hang. */
static bool hangs_before(enum action_kind kind)
{
    return kind != ACTION_NEW_ID && (host.shared->fault.kind == FAULT_HANG_BEFORE ||
                                     host.shared->fault.kind == FAULT_KILL_WAITING);
}

static int call_kernel(const struct op *op, size_t card, bool hit, int *held_fd)
{
    const struct fault *fault = &host.shared->fault;
    enum second_half half = NO_MORE;
    int r = check_before_lock(op, card);

    if (hit && (fault->kind == FAULT_ERROR || fault->kind == FAULT_ERROR_ONCE))
        return -fault->error;
    if ((hit && fault->kind == FAULT_NOTHING) || r < 0)
        return r;
    if (takes_lock(op->kind))
        lock_card(card);
    if (hit && fault_hangs(fault) && hangs_before(op->kind))
        hang(card);
    lock_kernel();
    r = do_first_half(op, card, held_fd, &half);
    unlock_kernel();
    if (hit && fault_hangs(fault) && !hangs_before(op->kind))
        hang(card);
    lock_kernel();
    do_second_half(card, half);
    unlock_kernel();
    if (takes_lock(op->kind))
        unlock_card(card);
    if (op->kind == ACTION_NEW_ID && r == 0)
        attach_all();
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

    if (action_is_fence(op->kind))
        return;
    if (card < 0 || host.script->cards[card].untouchable)
        breach("%s of %s, which nobody may touch", action_word(op->kind), address);
    else if (op->kind == ACTION_BIND && !is_overridden(address, n - 1))
        breach("bind of %s before its override", address);
    else if (op->kind == ACTION_UNBIND &&
             !atomic_compare_exchange_strong(&host.shared->unbinding[card], &nobody, getpid()))
        breach("a second unbind of %s while the first has not returned", address);
}

static struct call *begin_call(const struct op *op, const char *address, size_t *ret_n)
{
    size_t n = atomic_fetch_add(&host.shared->n_calls, 1) + 1;
    struct call *c = &host.shared->calls[n - 1];

    if (n > CALLS_MAX)
        raise(SIGKILL);
    snprintf(c->address, sizeof(c->address), "%s", address);
    snprintf(c->driver, sizeof(c->driver), "%s", op->driver);
    c->kind = op->kind;
    c->result = OP_NOT_DONE;
    *ret_n = n;
    return c;
}

/* A system call is ended before a signal is heeded: whoever is in here does not die with the
 * daemon, but when it comes out; unless it outlives it anyway. */
void perform_state_done(struct perform_state *s)
{
    closep(&s->held_fd);
}

int perform(int root_fd, const struct op *op, struct perform_state *state)
{
    int *held_fd = &state->held_fd;

    const struct pci_addr_text address = pci_addr_text(op->addr);
    pid_t daemon = getppid();
    int card = action_is_fence(op->kind) ? NO_CARD : card_index(address.s), r = -ENODEV;
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
    if (card >= 0) {
        r = call_kernel(op, (size_t)card, hit, held_fd);
        end_call(c, (size_t)card, r);
    }
    if (hit && host.shared->fault.kind == FAULT_KILL_AFTER)
        kill_daemon();
    prctl(PR_SET_PDEATHSIG, death_signal);
    if (death_signal != 0 && getppid() != daemon)
        raise(SIGKILL);
    return r;
}

/* -- what happens by itself -- */

static void add_card(const struct tree *t, size_t card)
{
    const struct card *c = &host.script->cards[card];
    const char *driver = table_has(card) ? FENCE_DRIVER : c->driver;
    char path[128];

    tree_device(t, c->address, c->modalias, driver, c->group);
    if (c->attribute)
        tree_write(t, card_path(path, card, c->attribute), "1\n");
}

void kernel_boot(void)
{
    struct tree t = {.fd = host.root_fd};
    char drivers[256], *rest = drivers, *driver;

    snprintf(t.path, sizeof(t.path), "%s", host.path);
    snprintf(drivers, sizeof(drivers), "%s", host.script->drivers);
    while ((driver = strsep(&rest, " ")))
        tree_driver(&t, driver);
    tree_write(&t, "dev/vfio/vfio", "");
    for (size_t i = 0; i < host.n_cards; i++)
        if (!host.script->cards[i].absent)
            add_card(&t, i);
    for (size_t i = 0; i < host.n_cards; i++)
        update_node(i);
}

int kernel_plug(size_t card)
{
    struct tree t = {.fd = host.root_fd};
    char driver[DRIVER_NAME_MAX];

    snprintf(t.path, sizeof(t.path), "%s", host.path);
    if (card_is_there(card) || !try_lock_card(card))
        return -EAGAIN;
    lock_kernel();
    add_card(&t, card);
    update_node(card);
    send_event(HOTPLUG_ADD, host.script->cards[card].address);
    card_driver(card, driver);
    if (*driver)
        send_event(HOTPLUG_BIND, host.script->cards[card].address);
    unlock_kernel();
    unlock_card(card);
    return 0;
}

int kernel_unbind(size_t card)
{
    enum second_half half = NO_MORE;

    if (!try_lock_card(card))
        return -EAGAIN;
    lock_kernel();
    (void)unbind_card(card, &half);
    do_second_half(card, half);
    unlock_kernel();
    unlock_card(card);
    return 0;
}

int kernel_unplug(size_t card)
{
    const struct card *c = &host.script->cards[card];
    char path[256];

    if (!card_is_there(card) || kernel_unbind(card) < 0 || !try_lock_card(card))
        return -EAGAIN;
    lock_kernel();
    if (c->group) {
        snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%s/devices/%s", c->group, c->address);
        (void)unlinkat(host.root_fd, path, 0);
    }
    snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s", host.path, c->address);
    nftw(path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    update_node(card);
    send_event(HOTPLUG_REMOVE, c->address);
    unlock_kernel();
    unlock_card(card);
    return 0;
}
