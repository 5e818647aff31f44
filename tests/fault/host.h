/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The made-up host of one run: what it has, what happens on it, and the memory that the test, the
 * daemon and its workers share. The model of the kernel is in tests/kernel. host.c turns it into
 * what the daemon sees, calls.c is what the daemon calls, and stand-ins.c replaces the hot-plug
 * socket and the bus. */
#pragma once

#include <stdatomic.h>
#include <sys/types.h>

#include "base/util.h"
#include "kernel.h"
#include "loop/hotplug.h"
#include "model/dynids.h"
#include "write/perform.h"

#define CARDS_MAX 32
#define NO_CARD CARDS_MAX /* in place of a card, for calls about dynamic IDs */
#define CALLS_MAX 2048
#define REQUESTS_MAX 64
#define SENTENCE_SIZE 512 /* SENTENCE_MAX of plan/text.h */

/* -- what is there and what happens: constant -- */

struct card {
    const char *address, *modalias, *group; /* group: NULL for none */
    const char *driver;                     /* the driver that has it at the start, or NULL */
    const char *attribute;                  /* a file of its own, with the line "1" */
    const char *physical; /* of a virtual function, which is made later: its physical one, which
                           * stands before it */
    bool absent;          /* not there at the start */
    bool untouchable;     /* no kernel call may name it */
};

enum step_kind {
    STEP_END,
    STEP_PLUG,
    STEP_UNPLUG,
    STEP_UNBIND,  /* by somebody else */
    STEP_RELEASE, /* asked for on the bus */
    STEP_BIND,
    STEP_RESCAN,
    STEP_RELOAD,
    STEP_BOOTED, /* the host has come up */
    STEP_LOAD,   /* a driver is registered */
    STEP_VFS,    /* somebody else writes the number in .text to sriov_numvfs */
    STEP_RULES,  /* other rules are written, and a reload asked for */
    STEP_REST,   /* waits until nothing is left to do, even for devices that are not shown */
    STEP_BEGUN,  /* waits until a first call for the device has begun */
    STEP_SHOWS,  /* checks in a run without a fault that the device is as the text says */
};

struct step {
    enum step_kind kind;
    const char *address, *text; /* text: the driver, the rules, or part of a picture */
    bool at_once; /* the next step does not wait until the daemon has nothing more to do */
};

struct script {
    const char *name;
    const char *rules;   /* of the policy */
    const char *drivers; /* that the kernel knows, with blanks between them */
    const struct card *cards;
    const struct step *steps;
    const char *late; /* a driver that FAULT_LOAD and FAULT_LOAD_SLOWLY register, or NULL */
    bool late_only;   /* not run with other faults */
    bool unseen;      /* it is about devices that no rule names in the end */
    bool faultless;   /* not run with faults: it would end otherwise, which proves nothing */
    bool dynids_wait; /* it is about dynamic IDs, which wait while a call hangs */
};

extern const struct script scripts[];
extern const size_t n_scripts;

/* -- what goes wrong -- */

enum fault_kind {
    FAULT_NONE,
    FAULT_ERROR,         /* the call fails, and each like it until the fault is gone */
    FAULT_ERROR_ONCE,    /* this call alone */
    FAULT_NOTHING,       /* it reports success and does nothing */
    FAULT_LOAD,          /* a driver that matches devices is registered before it */
    FAULT_LOAD_SLOWLY,   /* the same, from before it until after it */
    FAULT_HANG_BEFORE,   /* it waits for the device's lock */
    FAULT_HANG_INSIDE,   /* it hangs in the driver's probe() or remove() */
    FAULT_KILL_BEFORE,   /* the daemon is killed before the call */
    FAULT_KILL_AFTER,    /* ... after it */
    FAULT_KILL_WAITING,  /* ... while the call waits for the device's lock */
    FAULT_KILL_HANGING,  /* ... while the call hangs in the driver */
    FAULT_KILL_STUCK,    /* ... when it has reported the hanging call */
    FAULT_KILL_UPDATING, /* ... when it tells the bus something for the n-th time */
};

struct fault {
    enum fault_kind kind;
    int error; /* FAULT_ERROR */
    size_t at; /* which kernel call (FAULT_KILL_UPDATING: update); the first is 1 */
};

bool fault_hangs(const struct fault *f);
bool fault_kills(const struct fault *f);

/* -- what is shared -- */

struct call {
    char address[PCI_ADDR_MAX];
    enum action_kind kind;
    char driver[DRIVER_NAME_MAX];
    _Atomic int result; /* OP_NOT_DONE until it has returned */
};

/* A device as the daemon shows it. */
struct shown {
    bool is_there, usable, touched, released;
    enum device_state state;
    enum reason reason;
    unsigned problems;
    int error;
    enum action_kind failed_at;
    char target[DRIVER_NAME_MAX], driver[DRIVER_NAME_MAX], previous[DRIVER_NAME_MAX];
    char sentence[SENTENCE_SIZE];
};

/* What the tree says of a device, so that only changes are written. */
struct shadow {
    bool there, node, autoprobe_off;
    unsigned n_vfs;
    char driver[DRIVER_NAME_MAX], override[DRIVER_NAME_MAX];
};

struct shared {
    pid_t test; /* the process that makes the run */
    struct fault fault;
    _Atomic bool fired, lifted;
    struct pci_addr hit; /* device and kind of the call that the fault hit */
    enum action_kind hit_kind;

    _Atomic size_t n_calls;
    struct call calls[CALLS_MAX];
    _Atomic pid_t kernel_lock;              /* not 0: somebody changes the model or the tree */
    _Atomic pid_t owner[CARDS_MAX + 1];     /* who has the device's lock */
    _Atomic pid_t unbinding[CARDS_MAX + 1]; /* who is in unbind */
    _Atomic unsigned hung[CARDS_MAX + 1];   /* calls that hang */
    struct kernel kernel;
    struct shadow shadows[CARDS_MAX];
    _Atomic unsigned loading; /* drivers that are being registered */
    _Atomic bool broken;
    char breach[256]; /* the first promise that was not kept */

    _Atomic pid_t daemon;
    _Atomic int read_error; /* errno with which the daemon's reads of the host fail; 0: they work */
    _Atomic int sight;      /* enum sight: what can be read all the same */
    _Atomic int fork_error; /* errno with which it cannot start a process */
    _Atomic unsigned forks; /* how many failed like that */
    _Atomic bool unread;    /* the daemon says that it could not read everything */
    _Atomic bool good;      /* the daemon says that all is as it should be */
    _Atomic unsigned events_sent, events_done;
    _Atomic bool deaf;      /* events are dropped, and not counted */
    _Atomic bool unheard;   /* a message found no daemon: the one that was there is dying */
    _Atomic unsigned asked; /* requests */
    _Atomic int answers[REQUESTS_MAX];
    char answer_texts[REQUESTS_MAX][SENTENCE_SIZE];

    _Atomic unsigned sequence; /* odd: the following is being written */
    unsigned updates;
    unsigned events_shown;
    bool false_alarm; /* a call that does not hang was reported stuck: the machine is slow */
    struct shown cards[CARDS_MAX];
    struct pci_id ids[KERNEL_IDS_MAX]; /* what the daemon takes for vfio-pci's table */
    size_t n_ids;
    size_t n_open; /* how many things the daemon does or is about to do */
};

#define NOT_ANSWERED 1

enum sight {
    SIGHT_NONE,
    SIGHT_FOLDERS, /* folders can be listed, so that single devices fail */
    SIGHT_NAMES,   /* files can be opened, too; reading them fails */
    SIGHT_MAX,
    SIGHT_ALL_BUT_POLICY,
};

struct host {
    char path[64];
    int root_fd;
    const struct script *script;
    size_t n_cards;
    struct shared *shared;
};

/* The host of this process and its children. */
extern struct host host;

/* Says that a promise was not kept. Only the first such text is kept. */
void breach(const char *format, ...) PRINTF(1, 2);

/* -- drivers.c -- */

const struct driver_kind *kind_of(const char *driver);

/* -- host.c -- */

/* The index of the device with this address, or -1. */
int card_index(const char *address);

/* "" for none. */
void card_driver(size_t card, char driver[static DRIVER_NAME_MAX]);
void card_override(size_t card, char driver[static DRIVER_NAME_MAX]);
bool card_is_there(size_t card);
bool card_has_node(size_t card);

/* Would VFIO say that its group is viable? */
bool card_is_viable(size_t card);

/* vfio-pci's table; returns how many entries it has. */
size_t dynamic_ids(const struct pci_id **ret);

/* Is a call under way on the device, or on a device of its group? */
bool card_is_in_call(size_t card);
bool group_is_in_call(size_t card);
bool something_hangs(void);
bool cards_share_group(size_t a, size_t b);

/* Only whoever holds the host's lock changes the model. A call that waits for a device, or hangs in
 * a driver, releases the lock meanwhile. */
void host_lock(void);
void host_unlock(void);
void card_lock(size_t card);
void card_unlock(size_t card);

/* Makes the tree say what the model says. */
void host_follow(void);

/* What happens without the daemon. -EAGAIN: not now, since a call on the device has its lock. */
void host_boot(void);
int host_plug(size_t card);
int host_unplug(size_t card);
/* Somebody writes to sriov_numvfs. -EAGAIN: it waits for a call; else what the kernel says. */
int host_set_vfs(size_t card, unsigned number);

/* Does a call for the card, or for one of its virtual functions, hang? */
bool host_hangs(size_t card);
int host_unbind(size_t card);
void host_load(const char *driver);
/* Like host_load(), but in a process of its own, as modprobe is: it waits for each device that the
 * driver matches. */
void host_modprobe(const char *driver);
/* Like host_load(), but something happens meanwhile: no device is offered to the driver before
 * host_end_load(), and its registration is over only a while after that. */
void host_begin_load(const char *driver);
void host_end_load(const char *driver);

/* -- the daemon's other ends (stand-ins.c) -- */

enum request_kind { REQUEST_RELEASE, REQUEST_BIND, REQUEST_RESCAN, REQUEST_RELOAD };

/* Asks the daemon for something; returns the request's number. address may be NULL. */
unsigned ask(enum request_kind kind, const char *address);

/* Tells the daemon about a device, as the kernel does. Lost while there is no daemon. */
void send_event(enum hotplug_action action, const char *address);

/* Tells the daemon that a driver has come, or that the kernel has dropped events. */
void send_driver_event(void);
void send_overflow(void);

/* Makes the pipes for requests and events. */
int make_pipes(void);
