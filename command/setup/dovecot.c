/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/dovecot.h"
#include "program.h"
#include "setup/shipped.h"
#include "setup/text.h"
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER    "/etc/dovecot"
#define FILES_MAX 64

/* The files that Dovecot reads: those that the patterns below match, and those that they include
 * by name. */
struct files {
    size_t count;
    char path[FILES_MAX][PATH_MAX];
};

static int add_file(struct files *files, const char *path, struct apw_error *error)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->path[i], path) == 0)
            return 0;
    if (files->count == FILES_MAX)
        return apw_error_set(error, "%s: more than %d files", FOLDER, FILES_MAX);
    snprintf(files->path[files->count++], PATH_MAX, "%s", path);
    return 0;
}

/* Adds the files that match: relative to the folder of the file that includes them. */
static int add_matches(struct files *files, const char *from, const char *pattern,
                       struct apw_error *error)
{
    char path[PATH_MAX * 2];
    glob_t found;
    int status = 0;

    if (*pattern == '/')
        snprintf(path, sizeof path, "%s", pattern);
    else
        snprintf(path, sizeof path, "%.*s/%s", (int)(strrchr(from, '/') - from), from, pattern);
    if (glob(path, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; status == 0 && i < found.gl_pathc; i++)
        status = add_file(files, found.gl_pathv[i], error);
    globfree(&found);
    return status;
}

static int add_includes(struct files *files, const char *from, const char *text,
                        struct apw_error *error)
{
    while (text != NULL && *text != '\0') {
        char pattern[256];

        if ((sscanf(text, " !include %255s", pattern) == 1 ||
             sscanf(text, " !include_try %255s", pattern) == 1) &&
            add_matches(files, from, pattern, error) != 0)
            return -1;
        text = strchr(text, '\n');
        text = text == NULL ? NULL : text + 1;
    }
    return 0;
}

/* Other passdbs would accept the account password. */
static char *without_passdbs(const char *text, const struct apw_setup_answers *answers)
{
    char *changed = apw_setup_text_comment_blocks(strdup(text), "passdb");

    if (apw_setup_answers_is(answers, APW_SETUP_USERDB, "virtual"))
        changed = apw_setup_text_comment_blocks(changed, "userdb");
    return changed;
}

static int change_file(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                       const char *path, const char *text, struct apw_error *error)
{
    struct apw_setup_file file = {.step = "dovecot", .path = path};
    char *changed = without_passdbs(text, answers);

    if (changed == NULL)
        return apw_error_set(error, "out of memory");
    if (strcmp(changed, text) != 0)
        return apw_setup_folder_install(folder, &file, changed, error);
    free(changed);
    return 0;
}

static int change_files(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                        struct files *files, struct apw_error *error)
{
    int status = add_file(files, FOLDER "/dovecot.conf", error);

    for (size_t i = 0; status == 0 && i < files->count; i++) {
        const char *path = files->path[i];
        char *text;

        if (strcmp(path, FOLDER "/conf.d/90-app-password.conf") == 0)
            continue;
        text = apw_setup_text_read(path, error);
        status = text == NULL ? -1 : add_includes(files, path, text, error);
        if (status == 0)
            status = change_file(folder, answers, path, text, error);
        free(text);
    }
    return status;
}

/* Our settings, without the parts that this site does not need. */
static char *make_settings(const struct apw_setup_answers *answers, bool is_24,
                           struct apw_error *error)
{
    char *text = apw_setup_shipped_adapt(is_24 ? "examples/dovecot/dovecot-2.4.conf"
                                               : "examples/dovecot/dovecot-2.3.conf",
                                         answers, error);

    text = apw_setup_text_drop_paragraph(text, is_24 ? "#userdb ldap {" : "#userdb {");
    if (!apw_setup_answers_is(answers, APW_SETUP_POSTFIX, "dovecot"))
        text = apw_setup_text_drop_paragraph(text, "service auth {");
    if (!apw_setup_answers_is(answers, APW_SETUP_USERDB, "virtual"))
        return apw_setup_text_drop_paragraph(text, is_24 ? "userdb static {" : "userdb {");
    return apw_setup_text_insert(text, "# Choose your own userdb.",
                                 is_24 ? "# Mail of virtual users.\nmail_driver = maildir\n"
                                         "mail_path = ~/Maildir\nmail_inbox_path = ~/Maildir\n\n"
                                       : "# Mail of virtual users.\n"
                                         "mail_location = maildir:~/Maildir\n\n");
}

/* "prefetch" has the users that an LDAP or SQL passdb found; ours finds none. */
static int check_userdb(const struct apw_setup_answers *answers, struct apw_error *error)
{
    char output[65536];
    const char *first, *next;

    if (!apw_setup_answers_is(answers, APW_SETUP_USERDB, "keep") ||
        apw_program_read((const char *[]){"doveconf", "-n", "userdb", NULL}, output,
                         sizeof output) != 0 ||
        strstr(output, "prefetch") == NULL)
        return 0;
    first = strstr(output, "userdb");
    next = first == NULL ? NULL : strstr(first + 1, "\nuserdb");
    if (next != NULL)
        return 0;
    return apw_error_set(error,
                         "Dovecot's only userdb is prefetch, which needs the passdb that ours "
                         "replaces: add a userdb with driver ldap first");
}

int apw_setup_dovecot_write(struct apw_setup_folder *folder,
                            const struct apw_setup_answers *answers, struct apw_error *error)
{
    static const struct apw_setup_file lua = {"dovecot", "0644", "root:root",
                                              FOLDER "/app-password.lua"},
                                       settings = {"dovecot", "0644", "root:root",
                                                   FOLDER "/conf.d/90-app-password.conf"};
    struct files *files;
    char version[64];
    int status;

    if (check_userdb(answers, error) != 0)
        return -1;
    files = calloc(1, sizeof *files);
    if (files == NULL)
        return apw_error_set(error, "out of memory");
    status = change_files(folder, answers, files, error);
    free(files);
    if (status != 0)
        return -1;
    if (apw_program_read((const char *[]){"dovecot", "--version", NULL}, version, sizeof version) !=
        0)
        return apw_error_set(error, "cannot run dovecot --version");
    if (apw_setup_folder_install(
            folder, &lua,
            apw_setup_shipped_adapt("examples/dovecot/app-password.lua", answers, error),
            error) != 0)
        return -1;
    return apw_setup_folder_install(
        folder, &settings, make_settings(answers, strncmp(version, "2.4", 3) == 0, error), error);
}
