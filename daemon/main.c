/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-bindd(8): arguments and exit code. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "base/rootfs.h"
#include "config.h"
#include "loop/manager.h"
#include "offline.h"
#include "tell/journal.h"
#include "tell/publish.h"

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
         "Exit status: 0 done, 1 failed (--check-policy: errors; --once: not everything\n"
         "selected is bound and usable), 2 wrong usage.\n"
         "See vfio-bindd(8), vfio-bindd.conf(5).");
}

static int usage(const char *what, const char *word)
{
    fprintf(stderr, "vfio-bindd: %s%s; try \"vfio-bindd --help\"\n", what, word);
    return EXIT_USAGE;
}

static int check_arguments(const struct arguments *a)
{
    if (a->n_files > 0 && !a->check_policy && !a->publish)
        return usage("unexpected argument ", a->files[0]);
    if (a->check_policy + a->dry_run + a->once + a->publish + a->read_serials > 1)
        return usage("choose one of --check-policy, --dry-run, --once, --publish and "
                     "--read-serials",
                     "");
    if (a->publish && (a->n_files == 0 || a->n_files % 2 != 0))
        return usage("--publish needs a source and a target, or several such pairs", "");
    if (a->root && !a->check_policy && !a->dry_run && !a->once)
        return usage("--root needs --check-policy, --dry-run or --once", "");
    return 0;
}

/* Returns 0, or an exit code + 1 if there is nothing more to do. */
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
    int r = check_arguments(a);
    return r == 0 ? 0 : 1 + r;
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
        return flushed(offline_check_policy(root_fd, a.files, a.n_files));
    if (a.dry_run)
        return flushed(offline_dry_run(root_fd));
    if (a.read_serials)
        return offline_read_serials(root_fd);
    if (geteuid() != 0 && !a.root) {
        fprintf(stderr, "vfio-bindd: only root can bind devices; to look: vfio-bindd --dry-run\n");
        return EXIT_FAILURE;
    }

    struct manager_options options = {.root_fd = root_fd, .once = a.once, .listen = !a.once};
    journal_open();
    r = manager_run(&options);
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
