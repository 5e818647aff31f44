/* SPDX-License-Identifier: GPL-2.0-or-later */
/* edit: opens a copy of the policy in an editor, checks and compares it, installs it, and
 * reloads. */
#include <errno.h>

#include "base/rootfs.h"
#include "edit/editor.h"
#include "edit/install.h"
#include "edit/on-trial.h"
#include "edit/reload.h"
#include "edit/suggest.h"
#include "open.h"
#include "plan-diff.h"
#include "plan/preview.h"
#include "policy/parse.h"

#define POLICY_NAME "/etc/vfio-bindd.conf"

struct session {
    struct source *s;
    struct install target; /* the file that will be replaced */
    char folder[256];      /* the folder of the copy */
    char copy[288];
    bool keep; /* the copy contains changes that exist nowhere else */
};

static void session_done(struct session *e)
{
    if (e->keep) {
        fprintf(stderr, "Your text is kept in %s\n", e->copy);
    } else if (*e->folder) {
        unlink(e->copy);
        rmdir(e->folder);
    }
    install_done(&e->target);
}

/* -- what the editor begins with -- */

static char *template_text(const struct source *s)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    fputs(
        "# The policy of vfio-bindd: which PCI devices are kept for virtual machines.\n"
        "# All keys: vfio-bindd.conf(5). What follows is suggested for the devices of this host:\n"
        "# remove the '#' before the lines that you want.\n\n",
        f);
    suggest_write(s, true, f);
    return fclose(f) == 0 ? text : NULL;
}

/* The policy of the package says nothing about this host. */
static bool has_no_rule(const struct text *t)
{
    return !memmem(t->bytes, t->size, "\n[device ", strlen("\n[device "));
}

/* Copies the main file, wherever it is, or else writes a template. */
static int write_copy(struct session *e)
{
    const struct text *main = texts_main(&e->s->texts);

    if (main && after_prefix(main->name, "/usr/lib/") && has_no_rule(main))
        main = NULL;
    CLEANUP_FREE char *template = main ? NULL : template_text(e->s);
    const char *tmp = getenv("TMPDIR");

    if (!main && !template)
        return -ENOMEM;
    int length = snprintf(e->folder, sizeof(e->folder), "%s/vfio-bindctl.XXXXXX",
                          tmp && *tmp == '/' ? tmp : "/tmp");
    if (length < 0 || (size_t)length >= sizeof(e->folder))
        return -ENAMETOOLONG;
    if (!mkdtemp(e->folder)) {
        int r = -errno;
        e->folder[0] = '\0';
        return r;
    }
    snprintf(e->copy, sizeof(e->copy), "%s/vfio-bindd.conf", e->folder);
    FILE *f = fopen(e->copy, "wxe");
    if (!f)
        return -errno;
    if (main)
        fwrite(main->bytes, 1, main->size, f);
    else
        fputs(template, f);
    return fclose(f) == 0 ? 0 : -errno;
}

static int read_copy(const struct session *e, char **ret, size_t *ret_size)
{
    CLEANUP_CLOSE int root = rootfs_open_root("/");

    return root < 0 ? root : rootfs_read_file(root, e->copy + 1, POLICY_FILE_MAX, ret, ret_size);
}

/* -- questions -- */

/* Returns the first letter of the answer; an empty line means the default. */
static char ask(const char *question, char otherwise)
{
    char line[32];

    printf("%s [%c] ", question, otherwise);
    fflush(stdout);
    if (!fgets(line, sizeof(line), stdin))
        return 'q';
    return line[0] == '\n' ? otherwise : line[0];
}

enum answer { ANSWER_INSTALL, ANSWER_EDIT, ANSWER_QUIT };

/* Pressing only Enter must not install a policy that leaves selected devices unbound. */
static enum answer decide(const struct session *e, const struct change *change)
{
    size_t trouble = change_count_trouble(e->s, change);
    char answer;

    diags_print(&change->diags, stderr);
    if (change->diags.errors > 0) {
        answer = ask("This policy has errors. Edit it again (e), or quit (q)?", 'e');
        return answer == 'e' ? ANSWER_EDIT : ANSWER_QUIT;
    }
    change_print(e->s, change);
    preview_write_unmet(&change->policy, &change->plan, stdout);
    if (trouble > 0)
        printf(
            "With this policy not every device would be in the intended state (%zu): see above, or "
            "\"vfio-bindctl plan --policy %s\"\n",
            trouble, e->copy);
    answer = ask("Install it (y), edit it again (e), or quit (q)?", trouble > 0 ? 'e' : 'y');
    return answer == 'y' ? ANSWER_INSTALL : answer == 'e' ? ANSWER_EDIT : ANSWER_QUIT;
}

/* -- the round -- */

static int put_into_place(struct session *e, const char *bytes, size_t size)
{
    int r = install_replace(&e->target, bytes, size);

    if (r < 0)
        return install_complain(e->s->ctl, &e->target, r);
    e->keep = false;
    if (!e->s->this_host) {
        ctl_note(e->s->ctl, "%s is replaced; nothing is reloaded with --root", e->target.path);
        return EXIT_SUCCESS;
    }
    return reload_changed(e->s->ctl);
}

/* Runs the editor once. Returns -1 for another round, or the exit code. */
static int edit_once(struct session *e, const char *before, size_t before_size)
{
    CLEANUP(change_done) struct change change = {0};
    CLEANUP_FREE char *bytes = NULL;
    char *handed;
    size_t size;
    int r = editor_run(e->copy);

    if (r != 0)
        return r;
    e->keep = true;
    r = read_copy(e, &bytes, &size);
    if (r < 0)
        return ctl_error("%s: %s", e->copy, strerror(-r));
    if (size == before_size && memcmp(bytes, before, size) == 0) {
        e->keep = false;
        puts("Nothing was changed.");
        return EXIT_SUCCESS;
    }
    handed = malloc(size + 1);
    if (!handed)
        return ctl_errno(-ENOMEM);
    memcpy(handed, bytes, size + 1);
    r = change_make(e->s, POLICY_NAME, handed, size, &change);
    if (r < 0)
        return ctl_errno(r);
    enum answer answer = decide(e, &change);
    if (answer == ANSWER_INSTALL)
        return put_into_place(e, bytes, size);
    return answer == ANSWER_EDIT ? -1 : EXIT_FAILURE;
}

static int begin(struct session *e)
{
    const struct ctl *c = e->s->ctl;
    int r = install_open(c->root ? c->root : "/", POLICY_NAME, &e->target);

    if (r < 0)
        return install_complain(c, &e->target, r);
    r = write_copy(e);
    return r < 0 ? ctl_error("cannot write a copy: %s", strerror(-r)) : 0;
}

int verb_edit(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    CLEANUP(session_done) struct session e = {.s = &s};
    CLEANUP_FREE char *before = NULL;
    size_t size;
    int r = source_open(c, SOURCE_FILES, &s);

    if (r != 0)
        return r;
    if (s.replayed)
        return ctl_error("a report cannot be edited: see \"vfio-bindctl plan --policy FILE\"");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return ctl_error(
            "\"edit\" needs a terminal: write the file yourself, check its effect with "
            "\"vfio-bindctl plan --policy FILE\", and run \"vfio-bindctl reload\"");
    if (on_trial_refused(&s))
        return EXIT_FAILURE;
    diags_print(&s.diags, stderr);
    r = begin(&e);
    if (r != 0)
        return r;
    r = read_copy(&e, &before, &size);
    if (r < 0)
        return ctl_error("%s: %s", e.copy, strerror(-r));
    do
        r = edit_once(&e, before, size);
    while (r < 0);
    return r;
}
