/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/record-offer.h"

void record_offer_set_placeholder(struct record *r, uint64_t order)
{
    /* Otherwise native drivers have been kept away for longer. */
    if (!r->placeholder && r->offer == OFFER_NONE)
        r->offered_to = order;
    r->placeholder = true;
}

void record_offer_clear_placeholder(struct record *r)
{
    r->placeholder = false;
    r->offer = OFFER_OWED;
}

void record_offer_native(struct record *r, uint64_t order)
{
    if (r->placeholder) /* the placeholder may have kept all of them away */
        r->offered_to = 0;
    else if (r->offer == OFFER_NONE)
        r->offered_to = order;
    r->offer = OFFER_OWED;
}

void record_offer_drivers(struct record *r, uint64_t newest, bool registering)
{
    if (r->offer == OFFER_OWED && !registering)
        r->offer = newest > r->offered_to ? OFFER_DUE : OFFER_NONE;
}
