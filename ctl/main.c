/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-bindctl(1): arguments, the table of verbs, exit code. */
#include <ctype.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>

#include "config.h"
#include "ctl.h"

/* Adding a verb: a line here, its function in ctl.h, its file in meson.build, and the completions
 * and the manual page, which tests/ctl holds to this table. */
static const struct verb {
    const char *name;
    const char *argument; /* the one argument it needs; NULL: none */
    int (*run)(const struct ctl *c);
    const char *help;
    bool input; /* takes "-" as a further argument, for standard input */
} verbs[] = {
    {"status", NULL, verb_status, "how things are, and what to do next (default)", false},
    {"list", NULL, verb_list, "all PCI devices with driver, group, rule and state", false},
    {"tree", NULL, verb_tree, "IOMMU groups and their members", false},
    {"show", "ADDRESS", verb_show, "everything about one device", false},
    {"explain", "ADDRESS", verb_explain, "which rule decides about a device, and why", false},
    {"plan", NULL, verb_plan, "what would be done (--policy FILE: with a changed policy)", false},
    {"suggest", NULL, verb_suggest, "a ready policy for the devices of this host", false},
    {"import", NULL, verb_import,
     "a policy made of what binds devices so far (driverctl, ids=, ...)", false},
    {"check", NULL, verb_check, "the preflight: what is missing, and how to put it right", false},
    {"cat-config", NULL, verb_cat_config, "the merged policy, with the source of each line", false},
    {"edit", NULL, verb_edit, "edit the policy, check it, show the difference, reload", false},
    {"wait", NULL, verb_wait, "wait until vfio-bindd is ready (--timeout SECONDS)", false},
    {"is-usable", "ADDRESS", verb_is_usable, "can a virtual machine have this device? (exit code)",
     false},
    {"bind", "ADDRESS", verb_bind, "take a device (again) that a rule names", false},
    {"release", "ADDRESS", verb_release, "hand a device back to its native driver", false},
    {"reload", NULL, verb_reload, "read the policy again", false},
    {"rescan", NULL, verb_rescan, "look at all devices again, retry what failed", false},
    {"monitor", NULL, verb_monitor, "print changes as they happen", false},
    {"report", NULL, verb_report, "a redacted snapshot for a bug report", false},
    {"export", "KIND", verb_export, "policy and devices as others read them (see below)", true},
};

static void help(void)
{
    puts("vfio-bindctl [OPTION...] [VERB]\n\n"
         "Shows and controls which PCI devices vfio-bindd keeps for virtual machines.\n");
    for (size_t i = 0; i < ELEMENTS(verbs); i++)
        printf("  %-10s %-8s %s\n", verbs[i].name, verbs[i].argument ? verbs[i].argument : "",
               verbs[i].help);
    puts("\n"
         "  -j, --json         tables as JSON\n"
         "      --no-legend    tables without headings\n"
         "  -q, --quiet        no notes; is-usable, wait: the exit code alone\n"
         "      --root PATH    another tree's /sys and /etc, or a file that report wrote\n"
         "  -H, --host HOST    the vfio-bindd of another host, over ssh\n"
         "      --policy FILE  plan, export: FILE takes the place of the main policy\n"
         "      --timeout TIME wait: give up after so many seconds (or 500ms, 2min)\n"
         "  -o, --output FILE  report: write to FILE instead of standard output\n"
         "      --no-pager     accepted; there is no pager\n"
         "  -h, --help         this text\n"
         "      --version      the version\n\n"
         "export KIND writes to standard output; with \"-\" behind it reads an object from\n"
         "standard input, and what it writes is made to fit that. KIND is one of\n"
         "  kubevirt, hco          devices that KubeVirt or HyperConverged permits\n"
         "  capk                   devices of worker nodes made by CAPK\n"
         "  nfd, prometheus        node features; metrics\n"
         "  butane, talos          the policy for hosts made by those\n"
         "  modprobe               the same for hosts without vfio-bindd\n"
         "and its options are\n"
         "      --strict           what cannot be expressed is an error\n"
         "      --patch FORM       kubevirt, hco: merge or json; capk: kustomize or json\n"
         "      --template NAME    capk: the template to patch; with \"-\": its new name\n"
         "      --count N          capk: devices for each virtual machine (default 1)\n"
         "      --resource NAME    capk: devices of this resource\n"
         "      --namespace NAME   kubevirt, hco: where the object is\n"
         "      --variant NAME     butane: fcos, flatcar or openshift; hco: v1 or v1beta1\n\n"
         "ADDRESS is written 0000:06:00.0 or 06:00.0.\n"
         "Exit status: 0 done, 1 failed, 2 wrong usage. See vfio-bindctl(1).");
}

static int usage(const char *what, const char *word)
{
    fprintf(stderr, "vfio-bindctl: %s%s; try \"vfio-bindctl --help\"\n", what, word);
    return EXIT_USAGE;
}

/* Colour is for people at a terminal who did not say no (https://no-color.org). */
static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && !(no && *no) && term && !streq(term, "dumb");
}

/* "90", "90s", "500ms", "2min". */
static bool parse_timeout(const char *text, uint64_t *ret)
{
    static const struct {
        const char *unit;
        uint64_t usec;
    } units[] = {{"", 1000000}, {"s", 1000000}, {"ms", 1000}, {"min", 60000000}};
    char *unit;
    unsigned long n = strtoul(text, &unit, 10);

    for (size_t i = 0; i < ELEMENTS(units); i++)
        if (isdigit((unsigned char)*text) && n <= 1000000000 && streq(unit, units[i].unit)) {
            *ret = n * units[i].usec;
            return true;
        }
    return false;
}

enum { JSON = 'j', HELP = 'h', QUIET = 'q', HOST = 'H', OUTPUT = 'o' };
enum { NO_LEGEND = 256, ROOT, POLICY, TIMEOUT, NO_PAGER, VERSION };
enum { STRICT = 512, PATCH, TEMPLATE, COUNT, RESOURCE, NAMESPACE, VARIANT };

static const struct option options[] = {
    {"json", no_argument, NULL, JSON},
    {"no-legend", no_argument, NULL, NO_LEGEND},
    {"quiet", no_argument, NULL, QUIET},
    {"root", required_argument, NULL, ROOT},
    {"host", required_argument, NULL, HOST},
    {"policy", required_argument, NULL, POLICY},
    {"output", required_argument, NULL, OUTPUT},
    {"timeout", required_argument, NULL, TIMEOUT},
    {"no-pager", no_argument, NULL, NO_PAGER},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {"strict", no_argument, NULL, STRICT},
    {"patch", required_argument, NULL, PATCH},
    {"template", required_argument, NULL, TEMPLATE},
    {"count", required_argument, NULL, COUNT},
    {"resource", required_argument, NULL, RESOURCE},
    {"namespace", required_argument, NULL, NAMESPACE},
    {"variant", required_argument, NULL, VARIANT},
    {NULL, 0, NULL, 0},
};

static bool parse_count(const char *text, unsigned *ret)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (!isdigit((unsigned char)*text) || *end || n < 1 || n > EXPORT_COUNT_MAX)
        return false;
    *ret = (unsigned)n;
    return true;
}

/* The options of export. Returns -1 to go on, or the exit code. */
static int parse_export_option(struct ctl *c, int option)
{
    switch (option) {
    case STRICT:
        c->strict = true;
        return -1;
    case PATCH:
        c->patch = optarg;
        return -1;
    case TEMPLATE:
        c->template = optarg;
        return -1;
    case RESOURCE:
        c->resource = optarg;
        return -1;
    case NAMESPACE:
        c->namespace = optarg;
        return -1;
    case VARIANT:
        c->variant = optarg;
        return -1;
    default: /* COUNT */
        return parse_count(optarg, &c->count)
                   ? -1
                   : usage("--count takes a number from 1 to 64, not ", optarg);
    }
}

/* Returns -1 to go on, or the exit code. */
static int parse_option(struct ctl *c, int option)
{
    switch (option) {
    case JSON:
        c->json = true;
        return -1;
    case NO_LEGEND:
        c->no_legend = true;
        return -1;
    case QUIET:
        c->quiet = true;
        return -1;
    case ROOT:
        c->root = optarg;
        return -1;
    case HOST:
        c->host = optarg;
        return -1;
    case POLICY:
        c->policy = optarg;
        return -1;
    case OUTPUT:
        c->output = optarg;
        return -1;
    case TIMEOUT:
        return parse_timeout(optarg, &c->timeout_usec)
                   ? -1
                   : usage("--timeout takes seconds, or a time like 500ms or 2min, not ", optarg);
    case NO_PAGER:
        return -1;
    case HELP:
        help();
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    case VERSION:
        puts("vfio-bindctl " VERSION_TEXT);
        return EXIT_SUCCESS;
    default:
        return parse_export_option(c, option);
    }
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < ELEMENTS(verbs); i++)
        if (streq(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

/* An option that a verb would silently ignore is an error of the user's. */
static int check_options(const struct ctl *c)
{
    if (c->root && c->host)
        return usage("choose one of --root and --host", "");
    bool export = streq(c->verb, "export");
    if (c->policy && !export && !streq(c->verb, "plan"))
        return usage("--policy belongs to plan and export, not to ", c->verb);
    if (!export && (c->strict || c->patch || c->template || c->count || c->resource ||
                    c->namespace || c->variant))
        return usage("one of the options belongs to export, not to ", c->verb);
    if (c->json && export)
        return usage("--json is for tables, not for ", c->verb);
    if (c->output && !streq(c->verb, "report"))
        return usage("--output belongs to report, not to ", c->verb);
    if (c->timeout_usec != USEC_INFINITY && !streq(c->verb, "wait"))
        return usage("--timeout belongs to wait, not to ", c->verb);
    return -1;
}

static int run(struct ctl *c, int argc, char **argv)
{
    const struct verb *verb = find_verb(argc > 0 ? argv[0] : "status");

    if (!verb)
        return usage("there is no verb ", argv[0]);
    c->verb = verb->name;
    c->args = argv + 1;
    c->n_args = argc > 0 ? argc - 1 : 0;
    if (c->n_args < (verb->argument != NULL))
        return usage(verb->name, streq(verb->argument, "ADDRESS")
                                     ? " needs an ADDRESS (\"vfio-bindctl list\" shows them)"
                                     : " needs a KIND, like kubevirt");
    int allowed = (verb->argument != NULL) + verb->input;
    if (verb->input && c->n_args == allowed && !streq(c->args[allowed - 1], "-"))
        allowed--;
    if (c->n_args > allowed)
        return usage(verb->input
                         ? "unexpected argument (objects come by standard input: \"- <FILE\") "
                         : "unexpected argument ",
                     c->args[allowed]);
    int r = check_options(c);
    if (r >= 0)
        return r;
    r = verb->run(c);
    if ((fflush(stdout) != 0 || ferror(stdout)) && r == EXIT_SUCCESS) /* a full disk */
        return ctl_error("cannot write the output: %m");
    return r;
}

int main(int argc, char **argv)
{
    struct ctl c = {.timeout_usec = USEC_INFINITY, .colour = wants_colour()};
    int option;

    setlocale(LC_CTYPE, ""); /* how wide characters are, and whether lines can be drawn */
    signal(SIGPIPE, SIG_DFL);
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":hjqH:o:", options, NULL)) >= 0) {
        if (option == ':' || option == '?')
            return usage(option == ':' ? "a value is missing after " : "unknown option ",
                         argv[optind - 1]);
        int r = parse_option(&c, option);
        if (r >= 0)
            return r;
    }
    return run(&c, argc - optind, argv + optind);
}
