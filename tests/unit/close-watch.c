/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "failing-path.h"
#include "tree.h"

#include <fcntl.h>

#include "loop/close-watch.h"

static char told[256];

static void on_closed(void *userdata, struct pci_addr a)
{
    (void)userdata;
    strcat(strcat(told, pci_addr_text(a).s), " ");
}

static void on_unseen(void *userdata)
{
    (void)userdata;
    strcat(told, "unseen ");
}

static void on_done(void *userdata)
{
    (void)userdata;
    strcat(told, "done ");
}

/* What is told when a user of the node closes it. */
static const char *close_node(sd_event *event, struct tree *t, const char *path, int flags)
{
    int fd = openat(t->fd, path, flags | O_CLOEXEC);

    told[0] = '\0';
    ck_assert_int_ge(fd, 0);
    while (sd_event_run(event, 0) > 0)
        ;
    ck_assert_str_eq(told, ""); /* not while it is open */
    close(fd);
    while (sd_event_run(event, 0) > 0)
        ;
    return told;
}

START_TEST(who_closes_is_told)
{
    const struct close_watch_handler handler = {on_closed, on_unseen, on_done, NULL};
    CLEANUP(tree_done) struct tree t;
    struct close_watch *w;
    sd_event *event;

    tree_init(&t);
    ck_assert_int_ge(sd_event_new(&event), 0);
    ck_assert_int_eq(close_watch_new(event, t.fd, &handler, &w), 0); /* no VFIO yet */
    tree_write(&t, "dev/vfio/14", "");
    tree_write(&t, "dev/vfio/noiommu-15", "");
    tree_write(&t, "sys/kernel/iommu_groups/14/devices/0000:06:00.0", "");
    tree_write(&t, "sys/kernel/iommu_groups/14/devices/0000:06:00.1", "");
    tree_write(&t, "sys/kernel/iommu_groups/15/devices/0000:07:00.0", "");
    close_watch_try(w);
    const char *group = close_node(event, &t, "dev/vfio/14", O_RDWR);
    ck_assert(strstr(group, "0000:06:00.0 ") && strstr(group, "0000:06:00.1 "));
    ck_assert(strstr(group, "done "));
    ck_assert_str_eq(close_node(event, &t, "dev/vfio/noiommu-15", O_RDWR), "0000:07:00.0 done ");
    ck_assert_str_eq(close_node(event, &t, "dev/vfio/14", O_RDONLY), ""); /* VFIO's users write */
    tree_write(&t, "dev/vfio/vfio", ""); /* which everybody may open */
    ck_assert_str_eq(close_node(event, &t, "dev/vfio/vfio", O_RDWR), "");
    tree_write(&t, "dev/vfio/devices/vfio3", "");
    tree_link(&t, "sys/class/vfio-dev/vfio3/device", "../../../0000:08:00.0");
    close_watch_try(w);
    ck_assert_str_eq(close_node(event, &t, "dev/vfio/devices/vfio3", O_RDWR), "0000:08:00.0 done ");
    failing.error = EMFILE; /* then any of them may be dead */
    failing.part = "iommu_groups/14";
    ck_assert_str_eq(close_node(event, &t, "dev/vfio/14", O_RDWR), "unseen done ");
    failing.part = "vfio-dev/vfio3";
    ck_assert_str_eq(close_node(event, &t, "dev/vfio/devices/vfio3", O_RDWR), "unseen done ");
    failing.part = NULL;
    close_watch_free(w);
    sd_event_unref(event);
}
END_TEST

UNIT_MAIN("close-watch", who_closes_is_told)
