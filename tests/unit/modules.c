/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include <errno.h>

#include "host/modules.h"

#define FOLDER "usr/lib/modules/6.1.0"
#define A100 "pci:v000010DEd000020F1sv000010DEsd00001463bc03sc02i00"
#define GRACE "pci:v000010DEd00002342sv000010DEsd000016EBbc03sc02i00"
#define MLX5 "pci:v000015B3d0000101Esv000015B3sd00000001bc02sc00i00"
#define MLX5_SSD "pci:v000015B3d0000101Esv000015B3sd00000002bc01sc08i02"
#define OTHER "pci:v00001234d00005678sv00000000sd00000000bc00sc00i00"

static const char aliases[] =
    "# Aliases extracted from modules themselves.\n"
    "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n"
    "alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci\n"
    "alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* second_of_two\n"
    "alias vfio_pci:v000010DEd00002342sv*sd*bc*sc*i* nvgrace_gpu_vfio_pci\n"
    "alias vfio_pci:v000010DEd000020F1sv*sd*bc*sc*i* ../evil\n"
    "alias vfio_pci:v000015B3d0000101Esv*sd*bc01sc08i02* special-vfio-pci\n"
    "alias\n"
    "alias vfio_pci:v000010DEd000020F1sv*sd*bc*sc*i*\n"
    "alias fs-btrfs btrfs\n"
    "alias pci:v000010DEd*sv*sd*bc03sc02i00* nvidia\n"
    "alias pci:v000010DEd*sv*sd*bc03sc*i* nouveau\n"
    "alias pci:v000010DEd000020F1sv*sd*bc*sc*i* nvidia\n"
    "alias pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_core\n"
    "alias pci:v*d*sv*sd*bc01sc08i02* nvme\n"
    "alias pci:v000010DEd000020F1sv*sd*bc*sc*i* last-without-newline";

static const char builtin[] = "nvme.license=GPL\0nvme.alias=pci:v*d*sv*sd*bc01sc08i02*\0"
                              "ahci.alias=pci:v*d*sv*sd*bc01sc06i01*\0"
                              "efifb.alias=platform:x\0nothing\0"
                              "snd-odd.alias=pci:v00001234d*sv*sd*bc*sc*i*\0";

static void make_files(struct tree *t)
{
    tree_init(t);
    tree_write(t, FOLDER "/modules.alias", aliases);
    char path[128];
    snprintf(path, sizeof(path), "%s/" FOLDER "/modules.builtin.modinfo", t->path);
    CLEANUP(fclosep) FILE *f = fopen(path, "w");
    ck_assert_uint_eq(fwrite(builtin, 1, sizeof(builtin) - 1, f), sizeof(builtin) - 1);
}

START_TEST(variant)
{
    static const struct {
        const char *modalias, *module;
    } cases[] = {
        {A100, "vfio_pci"},      {GRACE, "nvgrace_gpu_vfio_pci"},
        {MLX5, "mlx5_vfio_pci"}, {MLX5_SSD, "special-vfio-pci"},
        {OTHER, "vfio_pci"},
    };
    CLEANUP(tree_done) struct tree t;

    CLEANUP(variant_aliases_done) struct variant_aliases aliases_read = {0};

    make_files(&t);
    ck_assert_int_eq(variant_aliases_read(t.fd, FOLDER, &aliases_read), 0);
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        ck_assert_str_eq(modules_variant(&aliases_read, cases[i].modalias), cases[i].module);
    ck_assert_ptr_null(modules_variant(&aliases_read, "usb:v1D6Bp0002"));
}
END_TEST

START_TEST(no_variant)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(variant_aliases_done) struct variant_aliases none = {0};
    char path[PATH_MAX + 8];

    make_files(&t);
    tree_write(&t, "old/modules.alias", "alias pci:v*d*sv*sd*bc*sc*i* any\n");
    ck_assert_int_eq(variant_aliases_read(t.fd, "old", &none), 0);
    ck_assert_int_eq(variant_aliases_read(t.fd, "nowhere", &none), -ENOENT);
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    ck_assert_int_eq(variant_aliases_read(t.fd, path, &none), -ENAMETOOLONG);
    ck_assert_ptr_null(modules_variant(&none, A100));
}
END_TEST

START_TEST(long_lines_are_passed_over)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(variant_aliases_done) struct variant_aliases aliases_read = {0};
    CLEANUP_FREE char *text = calloc(1, 20000);

    tree_init(&t);
    strcpy(text, "alias vfio_pci:");
    memset(text + strlen(text), '*', 10000);
    strcat(text, " long\nalias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n");
    tree_write(&t, FOLDER "/modules.alias", text);
    ck_assert_int_eq(variant_aliases_read(t.fd, FOLDER, &aliases_read), 0);
    ck_assert_uint_eq(aliases_read.n, 1);
    ck_assert_str_eq(modules_variant(&aliases_read, A100), "vfio_pci");
}
END_TEST

START_TEST(native)
{
    static const struct {
        const char *modalias, *modules;
    } cases[] = {
        {A100, "nvidia nouveau last_without_newline "},
        {MLX5, "mlx5_core "},
        {MLX5_SSD, "mlx5_core nvme "},
        {OTHER, "snd_odd "},
        {"pci:v00009999d00005678sv00000000sd00000000bc00sc00i00", ""},
    };
    CLEANUP(tree_done) struct tree t;

    make_files(&t);
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct module_names names = {0};
        char text[256] = "";
        ck_assert_int_eq(modules_native(t.fd, FOLDER, cases[i].modalias, &names), 0);
        for (size_t k = 0; k < names.n; k++) {
            strcat(text, names.v[k]);
            strcat(text, " ");
        }
        ck_assert_str_eq(text, cases[i].modules);
    }
}
END_TEST

START_TEST(drivers)
{
    CLEANUP(tree_done) struct tree t;
    struct module_names names = {0};

    make_files(&t);
    tree_link(&t, "sys/module/nvgrace_gpu_vfio_pci/drivers/pci:nvgrace-gpu-vfio-pci", "x");
    tree_link(&t, "sys/module/nvgrace_gpu_vfio_pci/drivers/platform:other", "x");
    tree_write(&t, "sys/module/loaded/refcnt", "0\n");
    ck_assert_int_eq(modules_drivers(t.fd, "nvgrace-gpu-vfio-pci", &names), 0);
    ck_assert_uint_eq(names.n, 1);
    ck_assert_str_eq(names.v[0], "nvgrace-gpu-vfio-pci");
    ck_assert_int_eq(modules_drivers(t.fd, "nvgrace_gpu_vfio_pci", &names), 0);
    ck_assert_uint_eq(names.n, 1);
    ck_assert_int_eq(modules_drivers(t.fd, "loaded", &names), -ENOENT);
    ck_assert_int_eq(modules_drivers(t.fd, "nvidia", &names), -ENOENT);
    ck_assert_int_eq(modules_drivers(t.fd, "../bus", &names), -EINVAL);
    ck_assert_int_eq(modules_drivers(t.fd, "", &names), -EINVAL);
}
END_TEST

START_TEST(no_more_than_fit)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP_FREE char *text = calloc(100, 64);
    struct module_names names = {0};

    tree_init(&t);
    for (int i = 0; i < 100; i++)
        sprintf(text + strlen(text), "alias pci:v*d*sv*sd*bc*sc*i* m%d\n", i);
    tree_write(&t, FOLDER "/modules.alias", text);
    ck_assert_int_eq(modules_native(t.fd, FOLDER, A100, &names), 0);
    ck_assert_uint_eq(names.n, MODULE_NAMES_MAX);
    ck_assert_str_eq(names.v[MODULE_NAMES_MAX - 1], "m31");
}
END_TEST

UNIT_MAIN("modules", variant, no_variant, long_lines_are_passed_over, native, drivers,
          no_more_than_fit)
