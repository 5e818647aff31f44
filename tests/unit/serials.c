/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serial numbers, which every scan asks for if a rule has one. */
#include "tree.h"

#include "host/serials.h"

static const struct pci_addr known = {0, 6, 0, 0}, asleep = {0, 7, 0, 0};

/* To read configuration space, the kernel wakes a device that is in D3cold, which may take a minute
 * (here: forever). */
START_TEST(no_device_is_woken)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(serials_done) struct serials s = {0};
    CLEANUP_FREE char *serial = NULL, *none = NULL;
    struct stat st;
    char line[96];
    bool unread;

    tree_init(&t);
    tree_device(&t, "0000:06:00.0", MODALIAS_A100, "vfio-pci", "14");
    tree_device(&t, "0000:07:00.0", MODALIAS_A100, "vfio-pci", "15");
    ck_assert_int_eq(mkfifoat(t.fd, "sys/bus/pci/devices/0000:06:00.0/config", 0600), 0);
    ck_assert_int_eq(mkfifoat(t.fd, "sys/bus/pci/devices/0000:07:00.0/config", 0600), 0);
    ck_assert_int_eq(fstatat(t.fd, "sys/bus/pci/devices/0000:06:00.0", &st, 0), 0);
    snprintf(line, sizeof(line), "0000:06:00.0 %ju 48-b0-2d-ff-ff-12-34-56\n",
             (uintmax_t)st.st_ino);
    tree_write(&t, SERIALS_FOLDER "/" SERIALS_FILE, line);
    tree_write(&t, "sys/bus/pci/devices/0000:07:00.0/power_state", "D3cold\n");
    ck_assert_int_eq(serials_load(t.fd, &s), 0);
    ck_assert_int_eq(serials_get(t.fd, &s, 0, known, &serial, &unread), 0);
    ck_assert(!unread);
    ck_assert_str_eq(serial, "48-b0-2d-ff-ff-12-34-56");
    ck_assert_int_eq(serials_get(t.fd, &s, 0, asleep, &none, &unread), 0);
    ck_assert(unread && !none);
}
END_TEST

UNIT_MAIN("serials", no_device_is_woken)
