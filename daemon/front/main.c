/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "base/printable-stream.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "front/front.h"

/* The unit does not restart us after this exit code: nobody listens, and starting vfio-bindd starts
 * us as well. */
#define EXIT_NO_DAEMON 3

int main(int argc, char **argv)
{
    (void)argv;
    printable_stdout();
    printable_stderr();
    if (argc > 1) {
        fprintf(stderr,
                "vfio-bindd-front takes no arguments: systemd runs it, see vfio-bindd(8)\n");
        return 2;
    }
    CLEANUP_CLOSE int root_fd = rootfs_open_root("/");
    if (root_fd < 0) {
        fprintf(stderr, "/: %s\n", strerror(-root_fd));
        return EXIT_FAILURE;
    }
    int r = front_run(root_fd);
    if (r == -ENOENT || r == -ECONNREFUSED)
        return EXIT_NO_DAEMON;
    return r == -ECONNRESET ? EXIT_SUCCESS : EXIT_FAILURE;
}
