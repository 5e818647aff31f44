/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-bindd(8): arguments and exit code. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "base/printable-stream.h"
#include "base/rootfs.h"
#include "config.h"
#include "loop/manager.h"
#include "loop/trial.h"
#include "offer/kubelet.h"
#include "offline.h"
#include "policy/verify.h"
#include "start/supervisor.h"
#include "tell/journal.h"
#include "tell/publish.h"

enum { EXIT_USAGE = 2 };

/* Each task is an option. */
enum task {
    TASK_DAEMON,
    TASK_CHECK_POLICY,
    TASK_DRY_RUN,
    TASK_EARLY,
    TASK_FOR_INITRAMFS,
    TASK_GIVE_BACK,
    TASK_ONCE,
    TASK_PUBLISH,
    TASK_SUPERVISE,
    TASK_TRIAL,
    TASK_MAX,
};

struct arguments {
    enum task task;
    const char *root; /* NULL: "/" */
    char **files;     /* --check-policy FILE..., --publish SOURCE TARGET... */
    size_t n_files;
    bool quiet; /* --check-policy: print nothing */
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
         "  --supervise               run the daemon, and start it again if it dies before it is\n"
         "                            ready (for the unit)\n"
         "  --trial                   put a policy on trial in force, and take it back unless it\n"
         "                            is confirmed in time\n"
         "  --for-initramfs           print what an initramfs needs, and which devices the host\n"
         "                            uses\n"
         "  --early                   in an initramfs: bind devices without a driver, and exit\n"
         "  --give-back               in an initramfs whose root file system does not appear:\n"
         "                            hand back the devices that may carry it, and exit\n"
         "  --quiet                   --check-policy: print nothing, only set the exit status\n"
         "  --root DIR                use the /sys, /etc and /run below DIR\n"
         "  --help                    this text\n"
         "  --version                 the version\n\n"
         "Exit status: 0 done, 1 failed (--check-policy: errors; --once: not everything\n"
         "selected is bound and usable), 2 wrong usage, 3 cannot start (--supervise).\n"
         "See vfio-bindd(8), vfio-bindd.conf(5).");
}

static int usage(const char *what, const char *word)
{
    fprintf(stderr, "vfio-bindd: %s%s; try \"vfio-bindd --help\"\n", what, word);
    return EXIT_USAGE;
}

static int check_arguments(const struct arguments *a)
{
    static const bool has_no_root[TASK_MAX] = {
        [TASK_DAEMON] = true, [TASK_PUBLISH] = true, [TASK_SUPERVISE] = true};

    if (a->quiet && a->task != TASK_CHECK_POLICY)
        return usage("--quiet goes with --check-policy", "");
    if (a->n_files > 0 && a->task != TASK_CHECK_POLICY && a->task != TASK_PUBLISH)
        return usage("unexpected argument ", a->files[0]);
    if (a->task == TASK_PUBLISH && (a->n_files == 0 || a->n_files % 2 != 0))
        return usage("--publish needs a source and a target, or several such pairs", "");
    if (a->root && has_no_root[a->task])
        return usage("--root needs another option: --check-policy, --dry-run, --once or one for an "
                     "initramfs",
                     "");
    return 0;
}

/* Returns 0, or an exit code + 1 if there is nothing more to do. */
static int parse_arguments(int argc, char **argv, struct arguments *a)
{
    enum { TASK = 256, ROOT = TASK + TASK_MAX, HELP, QUIET, VERSION };
    static const struct option options[] = {
        {"check-policy", no_argument, NULL, TASK + TASK_CHECK_POLICY},
        {"dry-run", no_argument, NULL, TASK + TASK_DRY_RUN},
        {"early", no_argument, NULL, TASK + TASK_EARLY},
        {"for-initramfs", no_argument, NULL, TASK + TASK_FOR_INITRAMFS},
        {"give-back", no_argument, NULL, TASK + TASK_GIVE_BACK},
        {"once", no_argument, NULL, TASK + TASK_ONCE},
        {"publish", no_argument, NULL, TASK + TASK_PUBLISH},
        {"supervise", no_argument, NULL, TASK + TASK_SUPERVISE},
        {"trial", no_argument, NULL, TASK + TASK_TRIAL},
        {"quiet", no_argument, NULL, QUIET},
        {"root", required_argument, NULL, ROOT},
        {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    const char *task = NULL;
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
        switch (c) {
        case ROOT:
            a->root = optarg;
            break;
        case QUIET:
            a->quiet = true;
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
        case '?':
            return 1 + usage("unknown option ", argv[optind - 1]);
        default:
            if (task && a->task != (enum task)(c - TASK)) {
                fprintf(stderr, "vfio-bindd: choose one of %s and %s; try \"vfio-bindd --help\"\n",
                        task, argv[optind - 1]);
                return 1 + EXIT_USAGE;
            }
            a->task = (enum task)(c - TASK);
            task = argv[optind - 1];
        }
    }
    a->files = argv + optind;
    a->n_files = (size_t)(argc - optind);
    int r = check_arguments(a);
    return r == 0 ? 0 : 1 + r;
}

/* It is a failure if the output could not be written. */
static int flushed(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "vfio-bindd: cannot write the output: %s\n", strerror(errno));
    return EXIT_FAILURE;
}

static int run_supervised(void *userdata, struct starting *starting)
{
    struct manager_options options = *(const struct manager_options *)userdata;

    options.starting = starting;
    return manager_run(&options);
}

/* Without systemd, the daemon would be an unsupervised orphan once the supervisor ends. */
static int run_supervisor(struct manager_options *options)
{
    struct policy defaults;

    if (!getenv("NOTIFY_SOCKET"))
        return usage("--supervise needs a service with Type=notify", "");
    policy_init(&defaults);
    return supervise(run_supervised, options, defaults.boot_deadline_usec);
}

static int bind_devices(int root_fd, const struct arguments *a)
{
    static const enum manager_mode modes[TASK_MAX] = {[TASK_DAEMON] = MANAGER_DAEMON,
                                                      [TASK_SUPERVISE] = MANAGER_DAEMON,
                                                      [TASK_ONCE] = MANAGER_ONCE,
                                                      [TASK_EARLY] = MANAGER_EARLY,
                                                      [TASK_GIVE_BACK] = MANAGER_GIVE_BACK};
    struct manager_options options = {.root_fd = root_fd, .mode = modes[a->task]};

    if (geteuid() != 0 && !a->root) {
        fprintf(stderr, "vfio-bindd: only root can bind devices; \"vfio-bindd --dry-run\" shows "
                        "what would be done\n");
        return EXIT_FAILURE;
    }
    journal_open(a->task == TASK_EARLY || a->task == TASK_GIVE_BACK);
    if (a->task == TASK_SUPERVISE)
        return run_supervisor(&options);
    return manager_run(&options) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct arguments a = {0};

    printable_stderr();
    int r = parse_arguments(argc, argv, &a);
    if (a.task != TASK_FOR_INITRAMFS) /* its output is read by a program, and file names may contain
                                         any bytes */
        printable_stdout();
    if (r > 0)
        return flushed(r - 1);
    CLEANUP_CLOSE int root_fd = rootfs_open_root(a.root ? a.root : "/");
    if (root_fd < 0) {
        fprintf(stderr, "vfio-bindd: %s: %s\n", a.root ? a.root : "/", strerror(-root_fd));
        return EXIT_FAILURE;
    }
    switch (a.task) {
    case TASK_PUBLISH:
        return flushed(publish_files(a.files, a.n_files, "/" KUBELET_CHECKPOINT) < 0
                           ? EXIT_FAILURE
                           : EXIT_SUCCESS);
    case TASK_CHECK_POLICY:
        return flushed(policy_verify(root_fd, a.files, a.n_files, a.quiet) ? EXIT_SUCCESS
                                                                           : EXIT_FAILURE);
    case TASK_DRY_RUN:
        return flushed(offline_dry_run(root_fd));
    case TASK_TRIAL:
        return trial_run(root_fd);
    case TASK_FOR_INITRAMFS:
        return flushed(offline_for_initramfs(root_fd));
    default:
        return bind_devices(root_fd, &a);
    }
}
