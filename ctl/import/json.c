/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"

#include "import/write.h"

static void add_list(struct json *j, const char *key, const struct list *l)
{
    json_array(j, key);
    for (size_t i = 0; i < l->n; i++)
        json_text(j, NULL, l->v[i]);
    json_end(j);
}

static void add_imported_rule(struct json *j, const struct import_rule *r)
{
    json_object(j, NULL);
    json_text(j, "name", r->name);
    json_text(j, "id", r->what.id);
    json_text(j, "subsystem", r->what.subsystem);
    json_text(j, "class", r->what.class);
    json_text(j, "address", r->addresses ? r->addresses : r->what.address);
    json_text(j, "driver", r->what.driver);
    json_text(j, "group", r->matched ? "matched" : NULL);
    add_list(j, "origins", &r->origins);
    add_list(j, "devices", &r->devices);
    add_list(j, "comments", &r->comments);
    json_end(j);
}

static void add_step(void *userdata, const char *stage, const char *text)
{
    struct json *j = userdata;

    json_object(j, NULL);
    json_text(j, "stage", stage);
    json_text(j, "command", text);
    json_end(j);
}

void import_write_json(const struct import *m, FILE *f)
{
    struct json j;

    json_begin(&j, f, false);
    json_text(&j, "sentence", m->sentence);
    json_array(&j, "rules");
    for (size_t i = 0; i < m->rules->n; i++)
        if (!m->rules->v[i].dropped)
            add_imported_rule(&j, &m->rules->v[i]);
    json_end(&j);
    json_array(&j, "remarks");
    for (size_t i = 0; i < m->found->n_remarks; i++) {
        json_object(&j, NULL);
        json_text(&j, "where", m->found->remarks[i].where);
        json_text(&j, "text", m->found->remarks[i].text);
        json_end(&j);
    }
    json_end(&j);
    json_text(&j, "unseen", m->found->tree.unseen);
    add_list(&j, "verdicts", &m->verdicts);
    json_array(&j, "steps");
    if (m->n_rules > 0 || m->found->n_steps > 0)
        import_steps(m, add_step, &j);
    json_end(&j);
    json_finish(&j);
}
