/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <getopt.h>

#include "model/state.h"
#include "policy/trial.h"

enum option_key {
    OPTION_JSON = 'j',
    OPTION_HELP = 'h',
    OPTION_QUIET = 'q',
    OPTION_HOST = 'H',
    OPTION_OUTPUT = 'o',
    OPTION_YES = 'y',
    OPTION_NO_LEGEND = 256,
    OPTION_ROOT,
    OPTION_POLICY,
    OPTION_TIMEOUT,
    OPTION_NO_PAGER,
    OPTION_VERSION,
    OPTION_ALL,
    OPTION_STATE,
    OPTION_DRIVER,
    OPTION_CLASS,
    OPTION_NAME,
    OPTION_FORCE,
    OPTION_VERBOSE,
    OPTION_CONFIRM,
    OPTION_EXPORT, /* the options of export follow */
    OPTION_STRICT = OPTION_EXPORT,
    OPTION_PATCH,
    OPTION_TEMPLATE,
    OPTION_COUNT,
    OPTION_RESOURCE,
    OPTION_NAMESPACE,
    OPTION_VARIANT,
};

#define READING_FILES                                                                           \
    "explain plan suggest import check cat-config verify edit add remove apply confirm revert " \
    "report export"

/* `verbs` is a list of words; NULL: all verbs take it. */
static const struct option_line {
    const char *name;
    int key;
    const char *argument;
    const char *verbs;
    const char *help;
} table[] = {
    {"json", OPTION_JSON, NULL,
     "status list tree show explain plan import check cat-config is-usable monitor", "print JSON"},
    {"no-legend", OPTION_NO_LEGEND, NULL, "status list tree", "tables without headings"},
    {"quiet", OPTION_QUIET, NULL, NULL, "no notes; is-usable, wait: only the exit code"},
    {"all", OPTION_ALL, NULL, "list show explain is-usable bind release remove",
     "instead of DEVICE: all selected devices"},
    {"state", OPTION_STATE, "STATE", "list", "list: only devices in this state"},
    {"driver", OPTION_DRIVER, "DRIVER", "list", "list: only devices on this driver, or \"none\""},
    {"class", OPTION_CLASS, "CLASS", "list", "list: only devices of this class, like 03 or 0108"},
    {"name", OPTION_NAME, "NAME", "add", "add: the rule's name"},
    {"force", OPTION_FORCE, NULL, "add", "add: also a device that the host uses"},
    {"confirm", OPTION_CONFIRM, "TIME", "apply",
     "apply: take the policy back unless it is confirmed by then"},
    {"yes", OPTION_YES, NULL, "add remove apply", "add, remove, apply: do not ask"},
    {"root", OPTION_ROOT, "PATH", "status list tree show is-usable " READING_FILES,
     "another tree's /sys and /etc, or a file that report wrote"},
    {"host", OPTION_HOST, "HOST",
     "status list tree show is-usable wait bind release reload rescan monitor",
     "the vfio-bindd of another host, over ssh"},
    {"policy", OPTION_POLICY, "FILE", "plan export", "plan, export: use FILE as the main policy"},
    {"verbose", OPTION_VERBOSE, NULL, "plan", "plan: each step"},
    {"timeout", OPTION_TIMEOUT, "TIME", "wait",
     "wait: give up after so many seconds (or 500ms, 2min)"},
    {"output", OPTION_OUTPUT, "FILE", "report", "report: write to FILE instead of standard output"},
    {"no-pager", OPTION_NO_PAGER, NULL, NULL, "no effect; there is no pager"},
    {"help", OPTION_HELP, NULL, NULL, "this text, or that of \"help VERB\""},
    {"version", OPTION_VERSION, NULL, NULL, "the version"},
    {"strict", OPTION_STRICT, NULL, "export", "treat what cannot be expressed as an error"},
    {"patch", OPTION_PATCH, "FORM", "export",
     "kubevirt, hco: merge or json; capk: kustomize or json"},
    {"template", OPTION_TEMPLATE, "NAME", "export",
     "capk: the template to patch; with \"-\": its new name"},
    {"count", OPTION_COUNT, "N", "export", "capk: devices for each virtual machine (default 1)"},
    {"resource", OPTION_RESOURCE, "NAME", "export", "capk: devices of this resource"},
    {"namespace", OPTION_NAMESPACE, "NAME", "export", "kubevirt, hco: where the object is"},
    {"variant", OPTION_VARIANT, "NAME", "export",
     "butane: fcos, flatcar or openshift; hco: v1 or v1beta1"},
};

int options_usage(const char *what, const char *word)
{
    fprintf(stderr, "vfio-bindctl: %s%s; try \"vfio-bindctl --help\"\n", what, word);
    return EXIT_USAGE;
}

/* Is the word one of a list of words? */
static bool is_one_of_words(const char *list, const char *word)
{
    size_t n = strlen(word);

    for (const char *at = list; (at = strstr(at, word)); at += n)
        if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
            return true;
    return false;
}

static bool takes(const struct option_line *o, const char *verb)
{
    return !o->verbs || is_one_of_words(o->verbs, verb);
}

/* -- values -- */

/* "90", "90s", "500ms", "10m", "2min", "1h". */
static bool parse_time(const char *text, uint64_t *ret)
{
    static const struct {
        const char *unit;
        uint64_t usec;
    } units[] = {{"", 1000000},     {"s", 1000000},  {"ms", 1000},
                 {"min", 60000000}, {"m", 60000000}, {"h", 3600000000}};
    char *unit;
    unsigned long n = strtoul(text, &unit, 10);

    for (size_t i = 0; i < ELEMENTS(units); i++)
        if (isdigit((unsigned char)*text) && n <= 1000000 && streq(unit, units[i].unit)) {
            *ret = n * units[i].usec;
            return true;
        }
    return false;
}

static bool parse_count(const char *text, unsigned *ret)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (!isdigit((unsigned char)*text) || *end || n < 1 || n > EXPORT_COUNT_MAX)
        return false;
    *ret = (unsigned)n;
    return true;
}

static int set_state_filter(struct ctl *c, const char *word)
{
    char words[160] = "";

    c->state = word;
    if (state_parse(word) < STATE_MAX || streq(word, "native"))
        return 0;
    for (enum device_state s = 0; s < STATE_MAX; s++)
        snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s", s ? ", " : "",
                 state_word(s));
    fprintf(stderr, "vfio-bindctl: --state takes one of %s, native, not %s\n", words, word);
    return EXIT_USAGE;
}

static int set_class_filter(struct ctl *c, const char *text)
{
    size_t n = strlen(text);

    c->class = text;
    return n >= 2 && n <= 6 && text[strspn(text, "0123456789abcdefABCDEF")] == '\0'
               ? 0
               : options_usage("--class takes 2 to 6 hexadecimal digits, like 03 or 0108, not ",
                               text);
}

/* Options whose text is stored unchanged. */
static const char **text_of(struct ctl *c, enum option_key key)
{
    switch (key) {
    case OPTION_ROOT:
        return &c->root;
    case OPTION_HOST:
        return &c->host;
    case OPTION_POLICY:
        return &c->policy;
    case OPTION_OUTPUT:
        return &c->output;
    case OPTION_DRIVER:
        return &c->driver;
    case OPTION_NAME:
        return &c->name;
    case OPTION_PATCH:
        return &c->patch;
    case OPTION_TEMPLATE:
        return &c->template;
    case OPTION_RESOURCE:
        return &c->resource;
    case OPTION_NAMESPACE:
        return &c->namespace;
    case OPTION_VARIANT:
        return &c->variant;
    default:
        return NULL;
    }
}

static bool *flag_of(struct ctl *c, enum option_key key)
{
    switch (key) {
    case OPTION_JSON:
        return &c->json;
    case OPTION_NO_LEGEND:
        return &c->no_legend;
    case OPTION_QUIET:
        return &c->quiet;
    case OPTION_ALL:
        return &c->all;
    case OPTION_FORCE:
        return &c->force;
    case OPTION_YES:
        return &c->yes;
    case OPTION_STRICT:
        return &c->strict;
    case OPTION_VERBOSE:
        return &c->verbose;
    case OPTION_HELP:
        return &c->help;
    case OPTION_VERSION:
        return &c->version;
    default:
        return NULL;
    }
}

static int set_option(struct ctl *c, enum option_key key, const char *value)
{
    bool *flag = flag_of(c, key);
    const char **text = text_of(c, key);

    if (flag)
        *flag = true;
    if (text)
        *text = value;
    switch (key) {
    case OPTION_STATE:
        return set_state_filter(c, value);
    case OPTION_CLASS:
        return set_class_filter(c, value);
    case OPTION_TIMEOUT:
        return parse_time(value, &c->timeout_usec)
                   ? 0
                   : options_usage("--timeout takes seconds, or a time like 500ms or 2min, not ",
                                   value);
    case OPTION_CONFIRM:
        return parse_time(value, &c->confirm_usec) && c->confirm_usec >= USEC_PER_SEC &&
                       c->confirm_usec <= TRIAL_SECONDS_MAX * USEC_PER_SEC
                   ? 0
                   : options_usage("--confirm takes a time from 1s to 168h, like 10m, not ", value);
    case OPTION_COUNT:
        return parse_count(value, &c->count)
                   ? 0
                   : options_usage("--count takes a number from 1 to 64, not ", value);
    default: /* stored above; --no-pager has no effect */
        return 0;
    }
}

/* -- all of them -- */

int options_read(struct ctl *c, int argc, char **argv, int *ret_first)
{
    struct option options[ELEMENTS(table) + 1] = {0};
    int key, r = 0;

    for (size_t i = 0; i < ELEMENTS(table); i++)
        options[i] = (struct option){
            table[i].name, table[i].argument ? required_argument : no_argument, NULL, table[i].key};
    opterr = 0;
    while (r == 0 && (key = getopt_long(argc, argv, ":hjqyH:o:", options, NULL)) >= 0) {
        if (key == ':' || key == '?')
            return options_usage(key == ':' ? "a value is missing after " : "unknown option ",
                                 argv[optind - 1]);
        for (size_t i = 0; i < ELEMENTS(table); i++)
            c->given |= table[i].key == key ? 1ULL << i : 0;
        r = set_option(c, (enum option_key)key, optarg);
    }
    *ret_first = optind;
    return r;
}

/* "list", "plan and export", "list, show and bind" */
static int refuse_option(const struct option_line *o, const char *verb)
{
    fprintf(stderr, "vfio-bindctl: \"%s\" does not take --%s; it is an option of ", verb, o->name);
    for (const char *at = o->verbs; *at; at++) {
        bool last = *at == ' ' && !strchr(at + 1, ' ');
        fputs(last ? " and " : *at == ' ' ? ", " : (const char[]){*at, '\0'}, stderr);
    }
    fprintf(stderr, " (vfio-bindctl help %s)\n", verb);
    return EXIT_USAGE;
}

/* --host is not checked here: the verbs themselves say what to do instead. */
int options_check(const struct ctl *c)
{
    if (c->root && c->host)
        return options_usage("choose one of --root and --host", "");
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const struct option_line *o = &table[i];
        if (c->given & 1ULL << i && o->key != OPTION_HOST && !takes(o, c->verb))
            return refuse_option(o, c->verb);
    }
    return 0;
}

static void print_option(const struct option_line *o)
{
    char name[40], letter[8] = "    ";

    if (o->key < 256)
        snprintf(letter, sizeof(letter), "-%c, ", o->key);
    snprintf(name, sizeof(name), "%s%s%s", o->name, o->argument ? " " : "",
             o->argument ? o->argument : "");
    printf("  %s--%-14s %s\n", letter, name, o->help);
}

void options_print(const char *verb)
{
    for (size_t i = 0; i < ELEMENTS(table); i++)
        if (verb ? takes(&table[i], verb) : table[i].key < OPTION_EXPORT)
            print_option(&table[i]);
}

void options_print_export(void)
{
    for (size_t i = 0; i < ELEMENTS(table); i++)
        if (table[i].key >= OPTION_EXPORT)
            print_option(&table[i]);
}
