/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of a rule that selects certain devices of this host. `in` marks these devices; it is as
 * long as the source has rows. `hash` is printed before each line ("" or "#"). */
#pragma once

#include "fields.h"

#define RULE_TEXT_NAME_MAX 40

/* Does the field distinguish each of these devices from all others of its model? */
bool rule_text_distinguishes(const struct source *s, const bool *in, enum field field);

/* A key that distinguishes them: the slot, which does not change when a card is added, otherwise
 * the address. (At boot, rules with serial numbers wait for a helper that reads them.) */
enum field rule_text_key(const struct source *s, const bool *in);
const char *rule_text_key_name(enum field key);

/* "id = 10de:20f1, 10de:2330", without duplicates */
void rule_text_ids(const struct source *s, const bool *in, const char *hash, FILE *f);

/* "slot = 3, 4" or "address = 0000:05:00.*". */
void rule_text_places(const struct source *s, const bool *in, enum field key, const char *hash,
                      FILE *f);

/* "expect = 2": their number. Nothing if one is a virtual function, since these come and go. */
void rule_text_expect(const struct source *s, const bool *in, const char *hash, FILE *f);

/* A name for a rule about this model: "GA100 [A100 PCIe 40GB]" -> "a100-pcie-40gb"; without a name
 * "gpu-10de-20f1". */
void rule_text_name(const struct row *r, char buf[static RULE_TEXT_NAME_MAX]);

/* Comments about other devices in the IOMMU groups of these devices, and "#group = all" if that
 * would help. */
void rule_text_neighbours(const struct source *s, const bool *in, const bool *named, FILE *f);
