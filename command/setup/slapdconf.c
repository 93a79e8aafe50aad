/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/slapdconf.h"
#include "setup/rights.h"
#include "setup/shipped.h"
#include "setup/text.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The folder of slapd.conf. */
static int folder_length(const struct apw_setup_answers *answers)
{
    const char *path = answers->value[APW_SETUP_DATABASE];

    return (int)(strrchr(path, '/') - path);
}

static void make_path(const struct apw_setup_answers *answers, const char *name, char *path_r)
{
    snprintf(path_r, PATH_MAX, "%.*s/%s", folder_length(answers),
             answers->value[APW_SETUP_DATABASE], name);
}

/* The line with the suffix in a database section, as a pointer to the line after it; NULL if there
 * is none. */
static const char *find_database(const char *text, const char *suffix)
{
    for (const char *line = text; line != NULL && *line != '\0';) {
        char found[APW_SETUP_ANSWER_SIZE];
        const char *next = strchr(line, '\n');

        if ((sscanf(line, " suffix \"%511[^\"\n]\"", found) == 1 ||
             sscanf(line, " suffix %511s", found) == 1) &&
            strcasecmp(found, suffix) == 0)
            return next == NULL ? line + strlen(line) : next + 1;
        line = next == NULL ? NULL : next + 1;
    }
    return NULL;
}

/* Whether this database indexes mail. */
static bool has_index(const char *section)
{
    for (const char *line = section; line != NULL; line = strchr(line, '\n')) {
        char names[256];

        line += strspn(line, "\n");
        if (strncmp(line, "database", 8) == 0)
            return false;
        if (sscanf(line, " index %255s", names) != 1)
            continue;
        for (char *rest, *name = strtok_r(names, ",", &rest); name != NULL;
             name = strtok_r(NULL, ",", &rest))
            if (strcasecmp(name, "mail") == 0)
                return true;
    }
    return false;
}

/* slapd.conf with a line for the schema: all that undo.sh leaves. */
static char *add_schema(const struct apw_setup_answers *answers, const char *text)
{
    char path[PATH_MAX], line[PATH_MAX + 16];

    make_path(answers, "schema/app-password.schema", path);
    snprintf(line, sizeof line, "include %s\n", path);
    return strstr(text, line) != NULL ? strdup(text)
                                      : apw_setup_text_insert(strdup(text), "database", line);
}

/* Without the line of an earlier folder. Takes over the text. */
static char *drop_rights(const struct apw_setup_answers *answers, char *text)
{
    char path[PATH_MAX], line[PATH_MAX + 16];

    make_path(answers, "app-password-rights.conf", path);
    snprintf(line, sizeof line, "include %s", path);
    return apw_setup_text_drop_lines(text, line);
}

/* With two more lines in the database, before the site's own rules. */
static char *add_rights(const struct apw_setup_answers *answers, const char *text,
                        struct apw_error *error)
{
    const char *section = find_database(text, answers->value[APW_SETUP_SUFFIX]);
    char path[PATH_MAX], *changed;

    if (section == NULL) {
        apw_error_set(error, "%s: no database has the suffix %s",
                      answers->value[APW_SETUP_DATABASE], answers->value[APW_SETUP_SUFFIX]);
        return NULL;
    }
    make_path(answers, "app-password-rights.conf", path);
    if (asprintf(&changed, "%.*sinclude %s\n%s%s", (int)(section - text), text, path,
                 has_index(section) ? "" : "index mail eq\n", section) < 0)
        return NULL;
    return changed;
}

static int write_conf(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                      struct apw_error *error)
{
    const struct apw_setup_file conf = {.step = "slapd",
                                        .path = answers->value[APW_SETUP_DATABASE]};
    char *found = drop_rights(answers, apw_setup_text_read(conf.path, error));
    char *undone = found == NULL ? NULL : add_schema(answers, found);
    int status = -1;

    if (undone != NULL)
        status = apw_setup_folder_install(folder, &conf, add_rights(answers, undone, error), error);
    if (status == 0)
        status = apw_setup_folder_write(folder, "directory/slapd.conf", undone, error);
    else
        free(undone);
    free(found);
    return status;
}

int apw_setup_slapdconf_write(struct apw_setup_folder *folder,
                              const struct apw_setup_answers *answers, struct apw_error *error)
{
    char schema_path[PATH_MAX], rights_path[PATH_MAX];
    const struct apw_setup_file schema = {"slapd", "0644", "root:root", schema_path},
                                rights = {"slapd", "0644", "root:root", rights_path};

    make_path(answers, "schema/app-password.schema", schema_path);
    make_path(answers, "app-password-rights.conf", rights_path);
    if (write_conf(folder, answers, error) != 0 ||
        apw_setup_folder_install(
            folder, &schema,
            apw_setup_shipped_adapt("ldap-schema/app-password.schema", answers, error), error) != 0)
        return -1;
    return apw_setup_folder_install(folder, &rights, apw_setup_rights_make(answers, error), error);
}
