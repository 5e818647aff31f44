/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy: what the administrator wants, as values. Pure: no file is read here (policy/load.h
 * does that) and no text is parsed (policy/parse.h, policy/keys.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "model/address.h"

struct device;

/* The keys of a rule. The first six select: they are tested in this order. */
enum rule_key {
    KEY_ID,
    KEY_CLASS,
    KEY_SUBSYSTEM,
    KEY_ADDRESS,
    KEY_SLOT,
    KEY_SERIAL,
    KEY_SELECTS_MAX,
    KEY_DRIVER = KEY_SELECTS_MAX,
    KEY_GROUP,
    KEY_HOTPLUG,
    KEY_FORCE,
    KEY_EXPECT,
    KEY_RESOURCE,
    KEY_MAX,
};

const char *rule_key_name(enum rule_key key);

enum group_mode {
    GROUP_FUNCTIONS, /* the other functions of the same slot come along */
    GROUP_ALL,       /* every endpoint of the IOMMU group comes along */
    GROUP_MATCHED,   /* only what rules name */
};

enum hotplug_mode {
    HOTPLUG_FENCE,    /* keep native drivers away before the device appears */
    HOTPLUG_TAKEOVER, /* write the override when the device appears, take it over if need be */
    HOTPLUG_OFF,      /* leave devices alone that appear later */
};

/* vendor:device as a rule names it. */
struct id_pattern {
    uint16_t vendor;
    uint16_t device;
    bool any_device; /* vendor:* */
};

/* A comma list of globs, lower case where case has no meaning; a leading '!' negates one. */
struct patterns {
    char **v;
    size_t n;
};

/* Where a section or a key stands. line 0: not set. */
struct origin {
    uint16_t file; /* index into policy.files */
    unsigned line;
};

struct rule {
    char *name;
    uint32_t name_hash;
    struct origin where;         /* the first section of this name */
    struct origin section;       /* the latest section of this name */
    struct origin keys[KEY_MAX]; /* who set each key last */
    struct id_pattern *ids;      /* KEY_ID */
    size_t n_ids;
    struct patterns narrow[KEY_SELECTS_MAX]; /* KEY_CLASS to KEY_SERIAL */
    char *driver;   /* never NULL once finished: "vfio-pci", "auto", "native", ... */
    char *resource; /* or NULL */
    enum group_mode group;
    enum hotplug_mode hotplug;
    bool force;
    bool broken;          /* one of its keys has an error: the rule is not used */
    unsigned broken_keys; /* which: bits 1 << enum rule_key */
    int expect;           /* -1: any number */
};

struct policy {
    char **files; /* as the administrator knows them; the kernel command line is one of them */
    size_t n_files;
    struct rule *rules; /* after policy_finish(): in the order in which they are tried */
    size_t n_rules, allocated_rules;
    unsigned *users; /* who refers to the rules: the policy and its plans. NULL: no rule yet */
    uint64_t *index; /* the rules by their IDs (policy/index.h); made by policy_finish() */
    size_t n_index;
    unsigned used_keys;           /* which keys any rule has: bits 1 << enum rule_key; likewise */
    bool incomplete;              /* a mistake kept some of it out: a device that no rule names may
                                   * have been meant by that */
    int log_level;                /* syslog level */
    uint64_t boot_deadline_usec;  /* READY is sent by then */
    uint64_t unbind_timeout_usec; /* a kernel call that takes longer is "stuck" */
    bool node_features;           /* keep a feature file for Node Feature Discovery */
    bool metrics;                 /* keep a file of metrics for Prometheus */
};

/* More would be a mistake or an attack; the design's bound on memory. */
#define POLICY_RULES_MAX 4096
#define POLICY_FILES_MAX 1024
#define RULE_NAME_MAX 64

/* The name of the rule made from vfio_bindd.ids= on the kernel command line. */
#define RULE_CMDLINE "cmdline"

/* The rules of a policy, kept: they are there until this is given back, whatever becomes of the
 * policy. No rule can be added to it any more. */
struct rules {
    struct rule *v;
    size_t n;
    unsigned *users;
};
struct rules policy_keep_rules(const struct policy *p);
void rules_done(struct rules *r);

/* An empty policy with the defaults of vfio-bindd.conf(5). */
void policy_init(struct policy *p);
void policy_done(struct policy *p);

/* Adds a file's name; returns its index, or -ENOMEM, -E2BIG. */
int policy_add_file(struct policy *p, const char *name);

/* The rule of this name, or NULL. Valid until the next rule is added. */
struct rule *policy_find_rule(struct policy *p, const char *name);

/* A new rule with defaults; NULL when out of memory. */
struct rule *policy_add_rule(struct policy *p, const char *name, struct origin where);

/* Checks what only the whole can show (a rule that selects nothing or can never match, two resource
 * names Kubernetes cannot tell apart), drops broken rules, sorts the rest into the order of
 * matching. Files must have been added from the lowest precedence to the highest. */
void policy_finish(struct policy *p, struct diags *d);

/* Does the rule select the device? Returns -1 if so, else the first key (enum rule_key) that does
 * not fit. */
int rule_test(const struct rule *r, const struct device *d);

/* May some rule select a device of which only the modalias and the address are known? */
bool policy_may_match(const struct policy *p, const struct device *d);

/* Could a rule decide that names a serial number, if the device's were known? Nothing is to be done
 * with it until then. */
bool policy_is_undecided(const struct policy *p, const struct device *d);

/* The rule that decides about the device (first match), or NULL. It may be a "native" one. */
const struct rule *policy_match(const struct policy *p, const struct device *d);

bool rule_is_native(const struct rule *r);

/* The driver that a rule wants; NULL for a native one. With "auto", vfio-pci: the best variant is
 * another for each device (snapshot.h), and vfio-pci serves until it is there. */
const char *rule_target(const struct rule *r);

/* Does the rule name the very place or card of this device, so that no other can be meant? Needs a
 * positive pattern of address, slot or serial that fits it and could fit no second slot: wildcards
 * only in the function of an address. */
bool rule_names_place(const struct rule *r, const struct device *d);

bool rule_is_auto(const struct rule *r);

/* Does any rule want the best variant driver? */
bool policy_uses_auto(const struct policy *p);

/* Does any rule use this key? After policy_finish(). */
bool policy_uses(const struct policy *p, enum rule_key key);

/* The file an origin is in; "" for none. */
const char *policy_file(const struct policy *p, struct origin o);
