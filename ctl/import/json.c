/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/write.h"
#include "table.h"

static void write_member(FILE *f, const char *name, const char *value)
{
    fprintf(f, ", \"%s\": ", name);
    json_string(f, *value ? value : NULL);
}

static void write_list(FILE *f, const char *name, const struct list *l)
{
    fprintf(f, ", \"%s\": [", name);
    for (size_t i = 0; i < l->n; i++) {
        fputs(i > 0 ? ", " : "", f);
        json_string(f, l->v[i]);
    }
    fputc(']', f);
}

static void write_rule_json(FILE *f, const struct import_rule *r)
{
    fputs("{\"name\": ", f);
    json_string(f, r->name);
    write_member(f, "id", r->what.id);
    write_member(f, "subsystem", r->what.subsystem);
    write_member(f, "class", r->what.class);
    write_member(f, "address", r->addresses ? r->addresses : r->what.address);
    write_member(f, "driver", r->what.driver);
    write_member(f, "group", r->matched ? "matched" : "");
    write_list(f, "origins", &r->origins);
    write_list(f, "devices", &r->devices);
    write_list(f, "comments", &r->comments);
    fputc('}', f);
}

static void write_remarks_json(FILE *f, const struct found *found)
{
    fputs(",\n   \"remarks\": [", f);
    for (size_t i = 0; i < found->n_remarks; i++) {
        fprintf(f, "%s\n      {\"where\": ", i > 0 ? "," : "");
        json_string(f, found->remarks[i].where);
        fputs(", \"text\": ", f);
        json_string(f, found->remarks[i].text);
        fputc('}', f);
    }
    fputs("\n   ],\n   \"unseen\": ", f);
    json_string(f, found->tree.unseen);
}

struct step_json {
    FILE *f;
    size_t n;
};

static void write_step_json(void *userdata, const char *stage, const char *text)
{
    struct step_json *w = userdata;

    fprintf(w->f, "%s\n      {\"stage\": \"%s\", \"command\": ", w->n++ > 0 ? "," : "", stage);
    json_string(w->f, text);
    fputc('}', w->f);
}

void import_write_json(const struct import *m, FILE *f)
{
    struct step_json w = {f, 0};
    bool first = true;

    fputs("{\n   \"sentence\": ", f);
    json_string(f, m->sentence);
    fputs(",\n   \"rules\": [", f);
    for (size_t i = 0; i < m->rules->n; i++) {
        if (m->rules->v[i].dropped)
            continue;
        fprintf(f, "%s\n      ", first ? "" : ",");
        write_rule_json(f, &m->rules->v[i]);
        first = false;
    }
    fputs("\n   ]", f);
    write_remarks_json(f, m->found);
    write_list(f, "verdicts", &m->verdicts);
    fputs(",\n   \"steps\": [", f);
    if (m->n_rules > 0 || m->found->n_steps > 0)
        import_steps(m, write_step_json, &w);
    fputs("\n   ]\n}\n", f);
}
