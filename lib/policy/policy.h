/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy: what the administrator wants, as values. Pure: policy/load.h reads the files,
 * policy/parse.h and policy/keys.h parse the text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "policy/index.h"

/* Bounds the memory. A policy with more rules is an error or an attack. */
#define POLICY_RULES_MAX 4096
#define POLICY_FILES_MAX 1024

struct policy {
    char **files; /* as the administrator knows them; the kernel command line is one of them */
    size_t n_files;
    uint8_t untrusted[(POLICY_FILES_MAX + 1) / 8 + 1]; /* files that others than root can change */
    struct rule *rules; /* after policy_finish(): in the order in which they are tried */
    size_t n_rules, allocated_rules;
    unsigned *users; /* reference count of the rules: the policy and its plans refer to them. NULL:
                        no rule yet */
    struct rule_index index; /* the rules by their IDs; made by policy_finish() */
    unsigned used_keys;      /* keys that any rule sets, as bits 1 << enum rule_key */
    bool incomplete; /* part of it was dropped because of an error, and may have named devices that
                        no rule names now; set by policy_finish() */
    int log_level;   /* syslog level */
    uint64_t boot_deadline_usec;   /* READY is sent at the latest then */
    uint64_t unbind_timeout_usec;  /* a kernel call that takes longer makes the device "stuck" */
    enum interface_mode interface; /* default for rules without this key */
    bool node_features;            /* keep a feature file for Node Feature Discovery */
    bool metrics;                  /* keep a file of metrics for Prometheus */
    uint64_t trial_until; /* the main file is on trial (trial.h) until this time, in seconds of
                             CLOCK_BOOTTIME; 0: it is permanent */
    uint32_t digest;      /* hash of the files' names and contents, without the command line and
                             without files in /run, which no initramfs can contain: shows whether
                             the initramfs has the same policy */
};

/* The name of the rule made from vfio_bindd.ids= on the kernel command line. */
#define RULE_CMDLINE "cmdline"

/* A reference to the rules of a policy. The rules exist until rules_done(), even if the policy is
 * freed before. As long as there is a reference no rule can be added to the policy. */
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

/* Adds the name of a file; returns its index, -ENOMEM or -E2BIG. */
int policy_add_file(struct policy *p, const char *name);

/* Can others than root change the file? */
bool policy_is_untrusted(const struct policy *p, size_t file);
void policy_set_untrusted(struct policy *p, size_t file);

/* A trusted file begins a section of this rule. What untrusted files said before must neither
 * narrow a native rule nor give it its place. */
void policy_doubt_untrusted(const struct policy *p, struct rule *r, struct origin now);

/* The rule of this name, or NULL. Valid until the next rule is added. */
struct rule *policy_find_rule(struct policy *p, const char *name);

/* A new rule with defaults; NULL when out of memory. */
struct rule *policy_add_rule(struct policy *p, const char *name, struct origin where);

/* Makes the checks that need the whole policy (a rule that selects nothing or can never match, two
 * resource names that Kubernetes cannot distinguish), drops broken rules, and sorts the others into
 * matching order. Files must have been added from the lowest precedence to the highest. */
void policy_finish(struct policy *p, struct diags *d);

/* Call this before policy_finish() if some of the policy could not be read, since that part may
 * narrow any rule or contain an exception. Then no rule takes a device. Devices that "native" rules
 * protect stay protected, and what the kernel command line names comes first in any case. */
void policy_distrust(struct policy *p);

/* May some rule select a device of which only the modalias and the address are known? */
bool policy_may_match(const struct policy *p, const struct device *d);

/* Could a rule with a serial number decide about the device, once the number is known? Until then
 * the device must be left alone. */
bool policy_is_undecided(const struct policy *p, const struct device *d);

/* The first matching rule, which decides about the device, or NULL. It may be a "native" rule. */
const struct rule *policy_match(const struct policy *p, const struct device *d);

/* Does any rule have driver = auto? */
bool policy_uses_auto(const struct policy *p);

/* Does any rule use this key? After policy_finish(). */
bool policy_uses(const struct policy *p, enum rule_key key);

/* The file of an origin; "" if there is none. */
const char *policy_file(const struct policy *p, struct origin o);
