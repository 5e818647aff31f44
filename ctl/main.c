/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-bindctl(1): the table of verbs, help, exit code. */
#include <limits.h>
#include <locale.h>
#include <signal.h>

#include "base/printable-stream.h"
#include "config.h"
#include "options.h"
#include "policy/keys.h"

#define MANY INT_MAX

static int verb_help(const struct ctl *c);

/* To add a verb, add a line here, its function to ctl.h, its file to meson.build, and its name to
 * the options that it takes (options.c). tests/ctl checks completions and manual page against this
 * table. */
static const struct verb {
    const char *name;
    const char *arguments; /* as --help has them */
    int min, max;          /* number of arguments; --all counts as one */
    int (*run)(const struct ctl *c);
    const char *help;
} verbs[] = {
    {"status", "", 0, 0, verb_status, "summary of the state, and the next step (default)"},
    {"list", "[DEVICE...]", 0, MANY, verb_list,
     "all PCI devices with driver, group, rule and state"},
    {"tree", "", 0, 0, verb_tree, "IOMMU groups and their members"},
    {"show", "DEVICE...", 1, MANY, verb_show, "everything about a device"},
    {"explain", "DEVICE...", 1, MANY, verb_explain, "which rule decides about a device, and why"},
    {"plan", "", 0, 0, verb_plan, "what would be done now (--policy FILE: with a changed policy)"},
    {"suggest", "", 0, 0, verb_suggest, "a policy for the devices of this host"},
    {"import", "", 0, 0, verb_import,
     "a policy for devices that other tools bind (driverctl, ids=, ...)"},
    {"check", "", 0, 0, verb_check, "the preflight: what is missing, and how to fix it"},
    {"cat-config", "", 0, 0, verb_cat_config, "the merged policy, with the source of each line"},
    {"verify", "[FILE...]", 0, MANY, verb_verify, "check the policy, or these files"},
    {"add", "DEVICE...", 1, MANY, verb_add, "add a rule for devices to the policy, and reload"},
    {"remove", "DEVICE...", 1, MANY, verb_remove, "undo what add did"},
    {"apply", "FILE", 1, 1, verb_apply, "install this policy (--confirm: on trial)"},
    {"confirm", "", 0, 0, verb_confirm, "keep the policy that is on trial"},
    {"revert", "", 0, 0, verb_revert, "take the policy on trial back"},
    {"edit", "", 0, 0, verb_edit, "edit the policy, check it, show the difference, reload"},
    {"wait", "", 0, 0, verb_wait, "wait until vfio-bindd is ready (--timeout TIME)"},
    {"is-usable", "DEVICE...", 1, MANY, verb_is_usable,
     "whether a virtual machine can have the device (exit code)"},
    {"bind", "DEVICE...", 1, MANY, verb_bind, "bind a selected device (again)"},
    {"release", "DEVICE...", 1, MANY, verb_release, "hand a device back to its native driver"},
    {"reload", "", 0, 0, verb_reload, "reload the policy"},
    {"rescan", "", 0, 0, verb_rescan, "examine all devices again, retry what failed"},
    {"monitor", "", 0, 0, verb_monitor, "print changes as they happen"},
    {"report", "", 0, 0, verb_report, "a redacted snapshot for a bug report"},
    {"export", "KIND [-]", 1, 2, verb_export, "policy and devices in formats of other programs"},
    {"help", "[VERB]", 0, 1, verb_help, "this text, or the description of a verb"},
};

static const char device_forms[] =
    "DEVICE is an address (0000:06:00.0 or 06:00.0), an ID (10de:20f1, 10de:*) or the name\n"
    "of a rule, and stands for all of its devices.\n";

static const char export_kinds[] =
    "export KIND writes to standard output; with \"-\" it reads an object from\n"
    "standard input, and its output fits that object. KIND is one of\n"
    "  kubevirt, hco          devices that KubeVirt or HyperConverged permits\n"
    "  capk                   devices of worker nodes made by CAPK\n"
    "  nfd, prometheus        node features; metrics\n"
    "  butane, talos          the policy for hosts made by those\n"
    "  modprobe               the same for hosts without vfio-bindd\n"
    "  libvirt                <hostdev> of each device, for domains\n"
    "and its options are\n";

static void help_for_all(void)
{
    puts("vfio-bindctl [OPTION...] [VERB]\n\n"
         "Shows and controls which PCI devices vfio-bindd keeps for virtual machines.\n");
    for (size_t i = 0; i < ELEMENTS(verbs); i++)
        printf("  %-10s %-11s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].help);
    putchar('\n');
    options_print(NULL);
    printf("\n%s", export_kinds);
    options_print_export();
    printf("\n%sExit status: 0 done, 1 failed, 2 wrong usage. See vfio-bindctl(1).\n",
           device_forms);
}

static void help_for_verb(const struct verb *v)
{
    printf("vfio-bindctl [OPTION...] %s%s%s\n\n%c%s.\n\n", v->name, *v->arguments ? " " : "",
           v->arguments, toupper((unsigned char)*v->help), v->help + 1);
    if (strstr(v->arguments, "DEVICE"))
        printf("%s\n", device_forms);
    if (v->run == verb_export)
        fputs(export_kinds, stdout);
    options_print(v->name);
    puts("\nSee vfio-bindctl(1).");
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < ELEMENTS(verbs); i++)
        if (streq(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

static int unknown_verb(const char *name)
{
    const char *names[ELEMENTS(verbs)];
    size_t longer = 0;
    int i = -1;

    for (size_t k = 0; k < ELEMENTS(verbs); k++) {
        names[k] = verbs[k].name;
        if (*name && after_prefix(names[k], name) && longer++ == 0)
            i = (int)k;
    }
    if (longer != 1)
        i = nearest_word(name, names, ELEMENTS(verbs));
    if (i < 0)
        return options_usage("there is no verb ", name);
    fprintf(stderr, "vfio-bindctl: there is no verb %s: did you mean %s?\n", name, names[i]);
    return EXIT_USAGE;
}

static int verb_help(const struct ctl *c)
{
    const struct verb *verb = c->n_args > 0 ? find_verb(c->args[0]) : NULL;

    if (c->n_args > 0 && !verb)
        return unknown_verb(c->args[0]);
    if (verb)
        help_for_verb(verb);
    else
        help_for_all();
    return EXIT_SUCCESS;
}

/* Use colours on a terminal, unless the user does not want them (https://no-color.org). */
static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && !(no && *no) && term && !streq(term, "dumb");
}

static int unexpected_argument(const struct verb *verb, const char *word)
{
    fprintf(stderr, "vfio-bindctl: unexpected argument %s%s (vfio-bindctl help %s)\n", word,
            verb->run == verb_export
                ? ": export reads an object from standard input, \"export KIND - <FILE\""
                : "",
            verb->name);
    return EXIT_USAGE;
}

/* Returns 0 or EXIT_USAGE. */
static int check_arguments(const struct ctl *c, const struct verb *verb)
{
    const char *first = verb->arguments; /* "DEVICE..." */
    int r = options_check(c);

    if (r != 0)
        return r;
    if (c->n_args + c->all < verb->min) {
        fprintf(stderr, "vfio-bindctl: %s needs a %.*s%s\n", verb->name, (int)strcspn(first, " ."),
                first,
                verb->run == verb_export
                    ? ", like libvirt or kubevirt: \"vfio-bindctl help export\" lists them"
                : after_prefix(first, "DEVICE") ? ": an address (0000:06:00.0), an ID (10de:20f1) "
                                                  "or the name of a rule; \"vfio-bindctl list\" "
                                                  "shows them"
                                                : "");
        return EXIT_USAGE;
    }
    if (c->all && c->n_args > 0)
        return options_usage("give either --all or devices, not both: ", c->args[0]);
    int max = verb->max;
    if (verb->run == verb_export && c->n_args == max && !streq(c->args[1], "-"))
        max--;
    return c->n_args > max ? unexpected_argument(verb, c->args[max]) : 0;
}

static int run(struct ctl *c, int argc, char **argv)
{
    const struct verb *verb = find_verb(argc > 0 ? argv[0] : "status");

    if (!verb)
        return unknown_verb(argv[0]);
    c->verb = verb->name;
    c->args = argv + 1;
    c->n_args = argc > 0 ? argc - 1 : 0;
    if (c->help) {
        help_for_verb(verb);
        return EXIT_SUCCESS;
    }
    int r = check_arguments(c, verb);
    return r != 0 ? r : verb->run(c);
}

int main(int argc, char **argv)
{
    struct ctl c = {.timeout_usec = USEC_INFINITY, .colour = wants_colour()};
    int first = argc;

    printable_stdout();
    printable_stderr();
    setlocale(LC_CTYPE, ""); /* for the width of characters and the line-drawing characters */
    signal(SIGPIPE, SIG_DFL);
    int r = options_read(&c, argc, argv, &first);
    if (r != 0)
        return r;
    if (c.version)
        puts("vfio-bindctl " VERSION_TEXT);
    else if (c.help && first == argc)
        help_for_all();
    else
        r = run(&c, argc - first, argv + first);
    if (fflush(stdout) != 0 || ferror(stdout)) /* for example, the disk is full */
        return ctl_error("cannot write the output: %m");
    return r;
}
