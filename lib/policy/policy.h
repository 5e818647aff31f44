/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy: what the administrator wants, as values. Pure: no file is read here (policy/load.h
 * does that) and no text is parsed (policy/parse.h, policy/keys.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "policy/index.h"

/* More would be an error or an attack. Bounds the memory. */
#define POLICY_RULES_MAX 4096
#define POLICY_FILES_MAX 1024

struct policy {
    char **files; /* as the administrator knows them; the kernel command line is one of them */
    size_t n_files;
    uint8_t untrusted[(POLICY_FILES_MAX + 1) / 8 + 1]; /* files that others than root can change */
    struct rule *rules; /* after policy_finish(): in the order in which they are tried */
    size_t n_rules, allocated_rules;
    unsigned *users; /* how many refer to the rules: the policy and its plans. NULL: no rule yet */
    struct rule_index index;       /* the rules by their IDs; made by policy_finish() */
    unsigned used_keys;            /* keys that any rule has, as bits 1 << enum rule_key */
    bool incomplete;               /* an error kept a part of it out, which may have meant a device
                                    * that no rule names now; set by policy_finish() */
    int log_level;                 /* syslog level */
    uint64_t boot_deadline_usec;   /* READY is sent by then */
    uint64_t unbind_timeout_usec;  /* a kernel call that takes longer is "stuck" */
    enum interface_mode interface; /* for rules that do not say it */
    bool node_features;            /* keep a feature file for Node Feature Discovery */
    bool metrics;                  /* keep a file of metrics for Prometheus */
    uint64_t trial_until;          /* the main file is on trial (trial.h) until then, by
                                    * CLOCK_BOOTTIME in seconds; 0: it lasts */
    uint32_t digest;               /* of the files' names and bytes, not of the command line: tells
                                    * whether an initramfs has the same policy */
};

/* The name of the rule made from vfio_bindd.ids= on the kernel command line. */
#define RULE_CMDLINE "cmdline"

/* A reference to the rules of a policy. They exist until rules_done(), whatever becomes of the
 * policy. While there is a reference no rule can be added to the policy. */
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

/* Can others than root change the file? */
bool policy_is_untrusted(const struct policy *p, size_t file);
void policy_set_untrusted(struct policy *p, size_t file);

/* The rule of this name, or NULL. Valid until the next rule is added. */
struct rule *policy_find_rule(struct policy *p, const char *name);

/* A new rule with defaults; NULL when out of memory. */
struct rule *policy_add_rule(struct policy *p, const char *name, struct origin where);

/* Checks what only the whole can show (a rule that selects nothing or can never match, two resource
 * names Kubernetes cannot tell apart), drops broken rules, sorts the rest into the order of
 * matching. Files must have been added from the lowest precedence to the highest. */
void policy_finish(struct policy *p, struct diags *d);

/* Before policy_finish(): some of the policy could not be read, and that may narrow any rule, or
 * make an exception. So no rule takes a device; what "native" rules keep is kept, and what the
 * kernel command line names comes first in any case. */
void policy_distrust(struct policy *p);

/* May some rule select a device of which only the modalias and the address are known? */
bool policy_may_match(const struct policy *p, const struct device *d);

/* Could a rule that names a serial number decide about the device, once its number is known? Until
 * then the device must be left alone. */
bool policy_is_undecided(const struct policy *p, const struct device *d);

/* The rule that decides about the device (first match), or NULL. It may be a "native" one. */
const struct rule *policy_match(const struct policy *p, const struct device *d);

/* Does any rule want the best variant driver? */
bool policy_uses_auto(const struct policy *p);

/* Does any rule use this key? After policy_finish(). */
bool policy_uses(const struct policy *p, enum rule_key key);

/* The file an origin is in; "" for none. */
const char *policy_file(const struct policy *p, struct origin o);
