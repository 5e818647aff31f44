/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/helpers.h"

#include <errno.h>
#include <stdlib.h>

#include "loop/iommu-wait.h"
#include "loop/serials-ask.h"
#include "loop/variants.h"

struct helpers {
    const struct view *view;
    struct variants *variants;
    struct serials_ask *serials;
    struct iommu_wait *iommu_wait;
};

int helpers_new(sd_event *event, const struct view *view, const struct helpers_handler *handler,
                struct helpers **ret)
{
    struct helpers *h = calloc(1, sizeof(*h));

    if (!h)
        return -ENOMEM;
    h->view = view;
    int r = serials_ask_new(event, view, handler->serials, handler->userdata, &h->serials);
    if (r >= 0)
        r = variants_new(event, view->root_fd, handler->variant, handler->userdata, &h->variants);
    if (r >= 0)
        r = iommu_wait_new(event, view->root_fd, handler->iommu_given_up, handler->userdata,
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
    variants_free(h->variants);
    serials_ask_free(h->serials);
    iommu_wait_free(h->iommu_wait);
    free(h);
}

void helpers_ask(struct helpers *h)
{
    if (!h)
        return;
    variants_load(h->variants, &h->view->plan, &h->view->snapshot);
    serials_ask(h->serials);
    iommu_wait_follow(h->iommu_wait, &h->view->plan, h->view->policy.boot_deadline_usec);
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
