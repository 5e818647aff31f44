/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The made-up host: the model of the kernel in shared memory, its locks, and the tree in which the
 * daemon reads how things are, which follows the model. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "model/snapshot.h"
#include "tree.h"

#define LOCK_USEC 200      /* between two looks at a lock */
#define LOADING_USEC 30000 /* how long a driver goes on being registered, on other devices */

struct host host = {.root_fd = -1};

static struct kernel *kernel(void)
{
    return &host.shared->kernel;
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

/* -- what is there -- */

int card_index(const char *address)
{
    for (size_t i = 0; i < host.n_cards; i++)
        if (streq(host.script->cards[i].address, address))
            return (int)i;
    return -1;
}

bool card_is_there(size_t card)
{
    return kernel()->devices[card].there;
}

bool card_is_in_call(size_t card)
{
    return atomic_load(&host.shared->owner[card]) != 0 || atomic_load(&host.shared->hung[card]) > 0;
}

bool something_hangs(void)
{
    for (size_t i = 0; i <= NO_CARD; i++)
        if (atomic_load(&host.shared->hung[i]) > 0)
            return true;
    return false;
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
    snprintf(driver, DRIVER_NAME_MAX, "%s", kernel_driver_of(kernel(), card));
}

void card_override(size_t card, char driver[static DRIVER_NAME_MAX])
{
    const struct kernel_device *d = &kernel()->devices[card];

    snprintf(driver, DRIVER_NAME_MAX, "%s", d->there && d->has_override ? d->override : "");
}

bool card_has_node(size_t card)
{
    return card_is_there(card) && group_has_node(kernel(), kernel()->devices[card].group);
}

bool card_is_viable(size_t card)
{
    return group_is_viable(kernel(), kernel()->devices[card].group);
}

size_t dynamic_ids(const struct pci_id **ret)
{
    int driver = kernel_find_driver(kernel(), DYNID_DRIVER);

    *ret = driver == NOBODY ? NULL : kernel()->drivers[driver].ids;
    return driver == NOBODY ? 0 : kernel()->drivers[driver].n_ids;
}

/* -- locks: whoever holds one is inside the kernel, and cannot die -- */

void host_lock(void)
{
    while (atomic_exchange(&host.shared->kernel_lock, 1))
        usleep(LOCK_USEC);
}

void host_unlock(void)
{
    atomic_store(&host.shared->kernel_lock, 0);
}

static bool card_is_locked(size_t card)
{
    return atomic_load(&host.shared->owner[card]) != 0;
}

/* The caller has the host's lock, and releases it while it waits. */
void card_lock(size_t card)
{
    while (card_is_locked(card)) {
        host_unlock();
        usleep(LOCK_USEC);
        host_lock();
    }
    atomic_store(&host.shared->owner[card], getpid());
}

void card_unlock(size_t card)
{
    atomic_store(&host.shared->owner[card], 0);
}

/* -- the tree -- */

static struct tree the_tree(void)
{
    struct tree t = {.fd = host.root_fd};

    snprintf(t.path, sizeof(t.path), "%s", host.path);
    return t;
}

static const char *card_path(char buf[static 128], size_t card, const char *name)
{
    snprintf(buf, 128, "sys/bus/pci/devices/%s/%s", host.script->cards[card].address, name);
    return buf;
}

static void show_presence(size_t card)
{
    const struct card *c = &host.script->cards[card];
    struct tree t = the_tree();
    char path[256];

    if (card_is_there(card)) {
        tree_device(&t, c->address, c->modalias, NULL, c->group);
        if (c->physical) {
            char target[32];
            snprintf(target, sizeof(target), "../%s", c->physical);
            tree_link(&t, card_path(path, card, "physfn"), target);
        }
        if (c->attribute)
            tree_write(&t, card_path(path, card, c->attribute), "1\n");
        return;
    }
    if (c->group) {
        snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%s/devices/%s", c->group, c->address);
        (void)unlinkat(host.root_fd, path, 0);
    }
    snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s", host.path, c->address);
    nftw(path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void show_driver(size_t card, const char *driver)
{
    char path[128], target[128];

    (void)unlinkat(host.root_fd, card_path(path, card, "driver"), 0);
    snprintf(target, sizeof(target), "../../../../bus/pci/drivers/%s", driver);
    if (*driver && symlinkat(target, host.root_fd, path) < 0)
        breach("the model could not link %s to %s: %m", host.script->cards[card].address, driver);
}

static void show_override(size_t card, const char *override)
{
    struct tree t = the_tree();
    char path[128], text[DRIVER_NAME_MAX + 1];

    snprintf(text, sizeof(text), "%s\n", *override ? override : "(null)");
    tree_write(&t, card_path(path, card, "driver_override"), text);
}

/* The links to its virtual functions, and their numbers. */
static void show_vfs(size_t card)
{
    const struct kernel_device *pf = &kernel()->devices[card];
    struct tree t = the_tree();
    char path[128], target[32], text[16], name[16];
    unsigned number = 0;

    snprintf(text, sizeof(text), "%u\n", pf->total_vfs);
    tree_write(&t, card_path(path, card, "sriov_totalvfs"), text);
    tree_write(&t, card_path(path, card, "sriov_drivers_autoprobe"),
               pf->autoprobe_off ? "0\n" : "1\n");
    for (size_t i = 0; i < host.n_cards; i++) {
        if (kernel()->devices[i].physical != (int)card)
            continue;
        snprintf(name, sizeof(name), "virtfn%u", number++);
        card_path(path, card, name);
        snprintf(target, sizeof(target), "../%s", host.script->cards[i].address);
        /* Those that stay are there at any time. One that is removed by itself keeps its link. */
        if (number > pf->n_vfs)
            (void)unlinkat(host.root_fd, path, 0);
        else if (faccessat(host.root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
            tree_link(&t, path, target);
    }
}

static void show_node(size_t card, bool is_there)
{
    char path[128];

    snprintf(path, sizeof(path), "dev/vfio/%s", host.script->cards[card].group);
    if (!is_there) {
        (void)unlinkat(host.root_fd, path, 0);
        return;
    }
    int fd = openat(host.root_fd, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

/* A group's node belongs to all its devices, of which some may not be there. */
static bool group_node(size_t card)
{
    return host.script->cards[card].group &&
           group_has_node(kernel(), kernel()->devices[card].group);
}

static void follow_card(size_t card)
{
    struct shadow *s = &host.shared->shadows[card];
    struct shadow now = {.there = card_is_there(card),
                         .node = group_node(card),
                         .autoprobe_off = kernel()->devices[card].autoprobe_off,
                         .n_vfs = kernel()->devices[card].n_vfs};

    card_override(card, now.override);
    if (now.there)
        card_driver(card, now.driver);
    if (now.there != s->there) {
        show_presence(card);
        s->driver[0] = '\0';
    }
    if (now.there && (!s->there || !streq(now.override, s->override)))
        show_override(card, now.override);
    if (now.there && !streq(now.driver, s->driver))
        show_driver(card, now.driver);
    if (now.there && kernel()->devices[card].total_vfs > 0 &&
        (!s->there || now.autoprobe_off != s->autoprobe_off || now.n_vfs != s->n_vfs))
        show_vfs(card);
    if (now.node != s->node)
        show_node(card, now.node);
    *s = now;
}

void host_follow(void)
{
    for (size_t i = 0; i < host.n_cards; i++)
        follow_card(i);
}

/* -- what happens without the daemon -- */

static void show_driver_files(const char *driver)
{
    struct tree t = the_tree();

    tree_driver(&t, driver);
}

static void add_drivers(void)
{
    char drivers[256], *rest = drivers, *driver;

    snprintf(drivers, sizeof(drivers), "%s", host.script->drivers);
    while ((driver = strsep(&rest, " "))) {
        kernel_add_driver(kernel(), kind_of(driver));
        show_driver_files(driver);
    }
}

static void add_card(const struct card *c)
{
    struct pci_id id;

    if (!pci_id_of_modalias(c->modalias, &id))
        abort();
    size_t device = kernel_add_device(kernel(), c->address, &id,
                                      c->group ? (int)strtol(c->group, NULL, 10) : NO_IOMMU,
                                      c->absent ? (int)kernel()->n_devices : NO_SLOT);
    if (c->physical)
        kernel_add_vf(kernel(), device, (size_t)card_index(c->physical));
    if (c->driver && !c->absent)
        kernel_set_driver(kernel(), device, kernel_find_driver(kernel(), c->driver));
}

void host_boot(void)
{
    struct tree t = the_tree();

    kernel_init(kernel(), KERNEL(6, 1));
    add_drivers();
    tree_write(&t, "dev/vfio/vfio", "");
    for (size_t i = 0; i < host.n_cards; i++)
        add_card(&host.script->cards[i]);
    host_follow();
}

/* The kernel takes virtual functions away with their physical one, and waits for each. */
static bool is_in_call_with_vfs(size_t card)
{
    bool yes = card_is_in_call(card);

    for (size_t i = 0; i < host.n_cards; i++)
        yes = yes || (kernel()->devices[i].physical == (int)card && card_is_in_call(i));
    return yes;
}

static int happen(size_t card, bool must_be_there, void (*what)(struct kernel *k, size_t card))
{
    int r = -EAGAIN;

    host_lock();
    if (card_is_there(card) == must_be_there && !is_in_call_with_vfs(card)) {
        what(kernel(), card);
        host_follow();
        r = 0;
    }
    host_unlock();
    return r;
}

int host_plug(size_t card)
{
    return happen(card, false, kernel_plug);
}

int host_unplug(size_t card)
{
    return happen(card, true, kernel_unplug);
}

int host_set_vfs(size_t card, unsigned number)
{
    int r = -EAGAIN;

    host_lock();
    if (card_is_there(card) && !is_in_call_with_vfs(card)) {
        r = kernel_set_numvfs(kernel(), card, number);
        host_follow();
    }
    host_unlock();
    return r;
}

bool host_hangs(size_t card)
{
    bool yes = atomic_load(&host.shared->hung[card]) > 0;

    for (size_t i = 0; i < host.n_cards; i++)
        yes = yes || (kernel()->devices[i].physical == (int)card &&
                      atomic_load(&host.shared->hung[i]) > 0);
    return yes;
}

int host_unbind(size_t card)
{
    return happen(card, true, kernel_detach);
}

/* The driver's folder is there before any device is offered to it. Its files and its event come
 * last. The caller has the host's lock. */
static bool begin_load(const char *driver)
{
    char path[128];

    if (!kernel_begin_load(kernel(), kind_of(driver)))
        return false;
    snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s", driver);
    if (mkdirat(host.root_fd, path, 0755) < 0)
        breach("the model could not make %s: %m", path);
    return true;
}

static void offer_all(const char *driver)
{
    kernel_offer_all(kernel(), driver);
    host_follow();
}

static void end_load(const char *driver)
{
    kernel_end_load(kernel(), driver);
    show_driver_files(driver);
    send_driver_event();
}

void host_load(const char *driver)
{
    host_lock();
    if (begin_load(driver)) {
        offer_all(driver);
        end_load(driver);
    }
    host_unlock();
}

/* Returns true in the new process. */
static bool fork_modprobe(void)
{
    atomic_fetch_add(&host.shared->loading, 1);
    pid_t pid = fork();
    if (pid < 0)
        abort();
    return pid == 0;
}

static _Noreturn void end_modprobe(void)
{
    atomic_fetch_sub(&host.shared->loading, 1);
    _exit(EXIT_SUCCESS);
}

void host_modprobe(const char *driver)
{
    if (!fork_modprobe())
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    host_load(driver);
    end_modprobe();
}

void host_begin_load(const char *driver)
{
    host_lock();
    (void)begin_load(driver);
    host_unlock();
}

void host_end_load(const char *driver)
{
    host_lock();
    offer_all(driver);
    host_unlock();
    if (!fork_modprobe())
        return;
    usleep(LOADING_USEC);
    host_lock();
    end_load(driver);
    host_unlock();
    end_modprobe();
}
