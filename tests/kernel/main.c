/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs scripts (script.h) against the model, or against the real kernel of a guest in the lab.
 *
 * usage: kernel-script inventory                     of this host; prints it
 *        kernel-script random SEED INVENTORY         prints a script
 *        kernel-script model|sys INVENTORY SCRIPT    runs one; prints what came of it */
#include "script.h"

#include <stdlib.h>
#include <string.h>

static FILE *must_open(const char *path)
{
    FILE *f = fopen(path, "re");

    if (!f) {
        perror(path);
        exit(2);
    }
    return f;
}

static void must_read(const char *path, struct inventory *ret)
{
    FILE *f = must_open(path);

    if (!inventory_read(f, ret)) {
        fprintf(stderr, "%s: not an inventory\n", path);
        exit(2);
    }
    fclose(f);
}

int main(int argc, char **argv)
{
    static struct inventory inventory;
    const char *what = argc > 1 ? argv[1] : "";

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(what, "inventory") == 0 && argc == 2) {
        sys_inventory(&inventory);
        inventory_print(&inventory);
        return EXIT_SUCCESS;
    }
    if (argc != 4) {
        fprintf(stderr, "usage: kernel-script inventory | random SEED INVENTORY | model|sys "
                        "INVENTORY SCRIPT\n");
        return 2;
    }
    if (strcmp(what, "random") == 0) {
        must_read(argv[3], &inventory);
        script_random((unsigned)strtoul(argv[2], NULL, 10), &inventory, stdout);
        return EXIT_SUCCESS;
    }
    must_read(argv[2], &inventory);
    FILE *script = must_open(argv[3]);
    bool done = script_run(script, strcmp(what, "sys") == 0 ? &on_sys : &on_model, &inventory);
    fclose(script);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
