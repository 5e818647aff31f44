/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives every file of a corpus to a fuzz target: with this main() it is an ordinary test.
 * usage: replay-TARGET FOLDER|FILE... */
#include "fuzz.h"

#include <errno.h>

#include "base/rootfs.h"

#define INPUT_MAX (1 << 20)

static int replay_file(int root_fd, const char *path)
{
    CLEANUP_FREE char *bytes = NULL;
    size_t size;
    int r = rootfs_read_file(root_fd, path + 1, INPUT_MAX, &bytes, &size);

    if (r < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(-r));
        return r;
    }
    printf("%s\n", path); /* before it is tried: the last one is the one that failed */
    fflush(stdout);
    CLEANUP_FREE uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        return -ENOMEM;
    memcpy(exact, bytes, size);
    LLVMFuzzerTestOneInput(exact, size);
    return 0;
}

/* Returns how many files there were, or negative errno. */
static int replay(int root_fd, const char *path)
{
    CLEANUP(closedirp) DIR *dir = opendir(path);
    const struct dirent *e;
    int n = 0;

    if (!dir)
        return replay_file(root_fd, path) < 0 ? -EIO : 1;
    while ((e = readdir(dir))) {
        CLEANUP_FREE char *file = NULL;
        if (e->d_name[0] == '.')
            continue;
        if (asprintf(&file, "%s/%s", path, e->d_name) < 0 || replay_file(root_fd, file) < 0)
            return -EIO;
        n++;
    }
    return n;
}

int main(int argc, char **argv)
{
    CLEANUP_CLOSE int root_fd = rootfs_open_root("/");
    int total = 0;

    for (int i = 1; i < argc; i++) {
        CLEANUP_FREE char *path = realpath(argv[i], NULL);
        int n = path ? replay(root_fd, path) : -errno;
        if (n <= 0) {
            fprintf(stderr, "%s: no input\n", argv[i]);
            return EXIT_FAILURE;
        }
        total += n;
    }
    printf("%d inputs\n", total);
    return total > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
