/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/printable-stream.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "helper/helper.h"

int main(int argc, char **argv)
{
    printable_stdout();
    printable_stderr();
    const enum helper_kind kind = argc == 2 ? helper_kind_of(argv[1]) : HELPER_KINDS;
    if (kind == HELPER_KINDS) {
        fprintf(stderr, "vfio-bindd-helper is run by systemd, see vfio-bindd(8)\n");
        return 2;
    }
    CLEANUP_CLOSE int root_fd = rootfs_open_root("/");
    int r = root_fd < 0 ? root_fd : helper_serve(root_fd, STDIN_FILENO, kind);
    if (r < 0)
        fprintf(stderr, "no answer: %s\n", strerror(-r));
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
