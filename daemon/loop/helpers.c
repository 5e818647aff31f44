/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/helpers.h"

#include <errno.h>
#include <stdlib.h>
#include <syslog.h>

#include "loop/iommu-wait.h"
#include "loop/serials-ask.h"
#include "loop/start-unit.h"
#include "loop/variants.h"
#include "tell/journal.h"

#define FRONT_UNIT "vfio-bindd-front.service"
#define FRONT_TIMEOUT_USEC (60 * 1000000ULL) /* early in the boot its turn is not yet */

struct helpers {
    sd_event *event;
    struct start_unit *front; /* NULL: it is not being started */
    struct variants *variants;
    struct serials_ask *serials;
    struct iommu_wait *iommu_wait;
};

int helpers_new(sd_event *event, int root_fd, const struct helpers_handler *handler,
                struct helpers **ret)
{
    struct helpers *h = calloc(1, sizeof(*h));

    if (!h)
        return -ENOMEM;
    h->event = event;
    int r = serials_ask_new(event, handler->serials, handler->userdata, &h->serials);
    if (r >= 0)
        r = variants_new(event, handler->variant, handler->userdata, &h->variants);
    if (r >= 0)
        r = iommu_wait_new(event, root_fd, handler->iommu_given_up, handler->userdata,
                           &h->iommu_wait);
    if (r < 0) {
        helpers_free(h);
        return r;
    }
    *ret = h;
    return 0;
}

void helpers_free(struct helpers *h)
{
    if (!h)
        return;
    start_unit_cancel(h->front);
    variants_free(h->variants);
    serials_ask_free(h->serials);
    iommu_wait_free(h->iommu_wait);
    free(h);
}

void helpers_ask(struct helpers *h, const struct view *view)
{
    if (!h)
        return;
    variants_load(h->variants, &view->plan, &view->snapshot);
    serials_ask(h->serials, &view->policy, &view->snapshot);
    iommu_wait_follow(h->iommu_wait, &view->plan, view->policy.boot_deadline_usec);
}

void helpers_retry_serials(struct helpers *h)
{
    if (h)
        serials_ask_retry(h->serials);
}

void helpers_retry_iommu(struct helpers *h)
{
    if (h)
        iommu_wait_retry(h->iommu_wait);
}

void helpers_retry(struct helpers *h)
{
    if (!h)
        return;
    variants_retry(h->variants);
    helpers_retry_serials(h);
    helpers_retry_iommu(h);
}

bool helpers_are_awaited(const struct helpers *h)
{
    return h && serials_ask_is_waiting(h->serials);
}

static void on_front_started(void *userdata, const char *unit, int r, const char *text)
{
    struct helpers *h = userdata;

    (void)unit;
    h->front = NULL;
    if (r < 0)
        journal_plain(LOG_WARNING, "%s; nobody on the bus is told of the devices", text);
}

void helpers_start_front(struct helpers *h)
{
    if (!h || h->front)
        return;
    int r = start_unit(h->event, START_UNIT_ADDRESS, FRONT_UNIT, FRONT_TIMEOUT_USEC,
                       on_front_started, h, &h->front);
    if (r < 0)
        journal_plain(LOG_WARNING, "cannot start " FRONT_UNIT ": %s", strerror(-r));
}
