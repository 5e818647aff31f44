/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-bindd(8): arguments and exit code. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>

#include "config.h"
#include "held.h"
#include "journal.h"
#include "manager.h"
#include "plan-text.h"
#include "policy-load.h"
#include "publish.h"
#include "replace.h"
#include "rootfs.h"
#include "scan.h"
#include "serials.h"

enum { EXIT_USAGE = 2 };

struct arguments {
    bool check_policy, once, dry_run, publish, read_serials;
    const char *root; /* NULL: "/" */
    char **files;     /* --check-policy FILE..., --publish SOURCE TARGET... */
    size_t n_files;
};

static void help(void)
{
    puts("vfio-bindd [OPTION...]\n\n"
         "Binds PCI devices to vfio-pci before their native drivers take them.\n"
         "Run by systemd: systemctl enable --now vfio-bindd\n\n"
         "  --check-policy [FILE...]  check the policy (or these files) and exit\n"
         "  --dry-run                 print what would be done and exit\n"
         "  --once                    do one pass and exit\n"
         "  --publish SOURCE TARGET   copy a file as a whole, or remove the copy; several pairs\n"
         "  --read-serials            write the serial numbers that the policy needs to\n"
         "                            /run/vfio-bindd/serials and exit\n"
         "  --root DIR                use the /sys, /etc and /run below DIR\n"
         "  --help                    this text\n"
         "  --version                 the version\n\n"
         "Exit status: 0 done, 1 failed (--check-policy: mistakes; --once: not everything\n"
         "selected is bound and usable), 2 wrong usage.\n"
         "See vfio-bindd(8), vfio-bindd.conf(5).");
}

static int usage(const char *what, const char *word)
{
    fprintf(stderr, "vfio-bindd: %s%s; try \"vfio-bindd --help\"\n", what, word);
    return EXIT_USAGE;
}

/* Returns 0, an exit code + 1 when there is nothing more to do. */
static int parse_arguments(int argc, char **argv, struct arguments *a)
{
    enum { CHECK = 256, DRY_RUN, ONCE, PUBLISH, READ_SERIALS, ROOT, HELP, VERSION };
    static const struct option options[] = {
        {"check-policy", no_argument, NULL, CHECK},
        {"dry-run", no_argument, NULL, DRY_RUN},
        {"once", no_argument, NULL, ONCE},
        {"publish", no_argument, NULL, PUBLISH},
        {"read-serials", no_argument, NULL, READ_SERIALS},
        {"root", required_argument, NULL, ROOT},
        {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
        switch (c) {
        case CHECK:
            a->check_policy = true;
            break;
        case DRY_RUN:
            a->dry_run = true;
            break;
        case ONCE:
            a->once = true;
            break;
        case PUBLISH:
            a->publish = true;
            break;
        case READ_SERIALS:
            a->read_serials = true;
            break;
        case ROOT:
            a->root = optarg;
            break;
        case 'h':
        case HELP:
            help();
            return 1 + EXIT_SUCCESS;
        case VERSION:
            puts("vfio-bindd " VERSION_TEXT);
            return 1 + EXIT_SUCCESS;
        case ':':
            return 1 + usage("a value is missing after ", argv[optind - 1]);
        default:
            return 1 + usage("unknown option ", argv[optind - 1]);
        }
    }
    a->files = argv + optind;
    a->n_files = (size_t)(argc - optind);
    if (a->n_files > 0 && !a->check_policy && !a->publish)
        return 1 + usage("unexpected argument ", a->files[0]);
    if (a->check_policy + a->dry_run + a->once + a->publish + a->read_serials > 1)
        return 1 + usage("choose one of --check-policy, --dry-run, --once, --publish and "
                         "--read-serials",
                         "");
    if (a->publish && (a->n_files == 0 || a->n_files % 2 != 0))
        return 1 + usage("--publish needs a source and a target, or several such pairs", "");
    if (a->root && !a->check_policy && !a->dry_run && !a->once)
        return 1 + usage("--root needs --check-policy, --dry-run or --once", "");
    return 0;
}

static void print_mistakes(const struct diags *d)
{
    for (size_t i = 0; i < d->n; i++) {
        CLEANUP_FREE char *text = diag_text(&d->v[i]);
        fprintf(stderr, "%s: %s\n", d->v[i].level == DIAG_ERROR ? "error" : "warning",
                text ? text : "out of memory");
    }
    if (d->errors + d->warnings > d->n)
        fprintf(stderr, "and %zu more\n", d->errors + d->warnings - d->n);
}

static int check_policy(const struct arguments *a, int root_fd)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    bool off = false;
    int r;

    policy_init(&p);
    r = a->n_files > 0 ? policy_load_files(a->files, a->n_files, &p, &d)
                       : policy_load(root_fd, &p, &d, &off);
    if (r < 0) {
        fprintf(stderr, "vfio-bindd: %s\n", strerror(-r));
        return EXIT_FAILURE;
    }
    print_mistakes(&d);
    if (d.errors > 0) {
        fprintf(stderr, "%zu mistake%s; vfio-bindd.conf(5) explains each key\n", d.errors,
                d.errors == 1 ? "" : "s");
        return EXIT_FAILURE;
    }
    if (p.n_rules == 0)
        puts("the policy is valid and selects nothing");
    else
        printf("the policy is valid: %zu rule%s\n", p.n_rules, p.n_rules == 1 ? "" : "s");
    return EXIT_SUCCESS;
}

/* What the plan may take for granted: devices that are on a VFIO driver are really bound; drivers
 * that are not loaded can be (the unit does so). */
static int assume(int root_fd, const struct policy *p, struct snapshot *s, struct records *records)
{
    CLEANUP(held_workers_done) struct held_workers workers = {0};

    (void)held_load(root_fd, records, &workers); /* without privilege the past is unknown */
    for (size_t i = 0; i < s->n; i++) {
        if (!driver_is_vfio(s->devices[i].driver))
            continue;
        struct record *r = records_get(records, s->devices[i].addr);
        if (!r)
            return -ENOMEM;
        r->confirmed = true;
    }
    for (size_t i = 0; i < p->n_rules; i++) {
        const char *driver = rule_target(&p->rules[i]);
        if (!driver || snapshot_is_registered(s, driver))
            continue;
        printf("note: the driver %s is not loaded; it is assumed that it can be\n", driver);
        if (snapshot_add_registered(s, driver, UINT64_MAX) < 0)
            return -ENOMEM;
    }
    fence_follow(&records->fence, snapshot_order(s, FENCE_DRIVER));
    return 0;
}

/* On a running host more is known than at boot: say what will be refused there. */
static void print_next_boot(const struct policy *p, struct snapshot *s)
{
    CLEANUP(records_done) struct records none = {0};
    CLEANUP(plan_done) struct plan plan = {0};
    char sentence[SENTENCE_MAX];

    if (s->cold_boot)
        return;
    s->cold_boot = true;
    for (size_t i = 0; i < s->n; i++)
        s->devices[i].driver = NULL;
    if (plan_make(p, s, &none, &plan) < 0)
        return;
    for (size_t i = 0; i < plan.n_verdicts; i++)
        if (plan.verdicts[i].reason == REASON_UNPROVEN_AT_BOOT) {
            verdict_sentence(&plan.verdicts[i], s, &none, sentence);
            printf("at the next boot: %s\n", sentence);
        }
}

static int dry_run(int root_fd)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    CLEANUP(records_done) struct records records = {0};
    CLEANUP(plan_done) struct plan plan = {0};
    bool off = false;
    int r;

    policy_init(&p);
    r = policy_load(root_fd, &p, &d, &off);
    if (r >= 0)
        r = scan_all(root_fd, &p, &s);
    if (r >= 0)
        r = assume(root_fd, &p, &s, &records);
    if (r >= 0)
        r = plan_make(&p, &s, &records, &plan);
    if (r < 0) {
        fprintf(stderr, "vfio-bindd: %s%s\n",
                r == -ENOENT ? "there is no sys/bus/pci here: is sysfs mounted? " : "",
                strerror(-r));
        return EXIT_FAILURE;
    }
    print_mistakes(&d);
    if (off)
        puts("disabled by the kernel command line: nothing of this would be done");
    plan_write(&plan, &s, &records, stdout);
    for (size_t i = 0; i < p.n_rules; i++)
        if (p.rules[i].expect >= 0 && plan_count_matched(&plan, &p.rules[i]) != p.rules[i].expect)
            printf("rule %s expects %d devices and matches %d\n", p.rules[i].name,
                   p.rules[i].expect, plan_count_matched(&plan, &p.rules[i]));
    print_next_boot(&p, &s);
    return d.errors > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Devices that no rule concerns are not looked at. */
static int read_serials(int root_fd)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    CLEANUP_FREE char *text = NULL;
    bool off = false;
    int r;

    policy_init(&p);
    r = policy_load(root_fd, &p, &d, &off);
    if (r >= 0)
        r = scan_all(root_fd, &p, &s);
    if (r >= 0)
        text = serials_text(root_fd, &s);
    CLEANUP_CLOSE int dir = rootfs_open(root_fd, SERIALS_FOLDER, O_PATH | O_DIRECTORY);
    if (r >= 0)
        r = !text     ? -ENOMEM
            : dir < 0 ? dir
                      : replace_file(dir, SERIALS_FILE, 0644, text, strlen(text));
    if (r >= 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "vfio-bindd: cannot write /" SERIALS_FOLDER "/" SERIALS_FILE ": %s\n",
            strerror(-r));
    return EXIT_FAILURE;
}

/* Output that could not be written is no success. */
static int flushed(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "vfio-bindd: cannot write the output: %s\n", strerror(errno));
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct arguments a = {0};
    int r = parse_arguments(argc, argv, &a);

    if (r > 0)
        return flushed(r - 1);
    CLEANUP_CLOSE int root_fd = rootfs_open_root(a.root ? a.root : "/");
    if (root_fd < 0) {
        fprintf(stderr, "vfio-bindd: %s: %s\n", a.root ? a.root : "/", strerror(-root_fd));
        return EXIT_FAILURE;
    }
    if (a.publish)
        return flushed(publish_files(a.files, a.n_files) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
    if (a.check_policy)
        return flushed(check_policy(&a, root_fd));
    if (a.dry_run)
        return flushed(dry_run(root_fd));
    if (a.read_serials)
        return read_serials(root_fd);
    if (geteuid() != 0 && !a.root) {
        fprintf(stderr, "vfio-bindd: only root can bind devices; to look: vfio-bindd --dry-run\n");
        return EXIT_FAILURE;
    }

    struct manager_options options = {.root_fd = root_fd, .once = a.once, .listen = !a.once};
    journal_open();
    r = manager_run(&options);
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
