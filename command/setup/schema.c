/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"
#include "say.h"
#include "setup/questions.h"
#include "setup/rights.h"
#include "setup/shipped.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXAMPLE "dc=example,dc=org"

enum { BASE, DATABASE, PPOLICY, REPLICATOR, USER_MANAGER };

static const struct apw_option table[] = {
    [BASE] = {.name = "base", .argument = "DN", .help = "the suffix of the directory"},
    [DATABASE] = {.name = "database",
                  .argument = "DN",
                  .help = "the database in cn=config, if not Debian's olcDatabase={1}mdb"},
    [PPOLICY] = {.name = "ppolicy", .help = "the ppolicy overlay is loaded"},
    [REPLICATOR] = {.name = "replicator", .argument = "DN", .help = "who replicates"},
    [USER_MANAGER] = {.name = "user-manager",
                      .argument = "DN",
                      .help = "who creates users, besides the directory's administrator"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

#define FOR(option) (1U << (option))
#define OPENLDAP    (FOR(PPOLICY) | FOR(REPLICATOR) | FOR(USER_MANAGER))

static const struct part {
    const char *directory;
    const char *name;
    const char *file; /* below ldap-schema/; NULL: the rights are made */
    unsigned options; /* FOR() those that it takes besides --base */
} parts[] = {
    {"openldap", "schema", "app-password.schema", 0},
    {"openldap", "identities", "identities.ldif", 0},
    {"openldap", "rights", NULL, OPENLDAP},
    {"cn=config", "schema", "app-password.ldif", 0},
    {"cn=config", "identities", "identities.ldif", 0},
    {"cn=config", "rights", NULL, OPENLDAP | FOR(DATABASE)},
    {"cn=config", "index", "index-cnconfig.ldif", FOR(DATABASE)},
    {"389", "schema", "app-password-389ds.ldif", 0},
    {"389", "identities", "identities.ldif", 0},
    {"389", "rights", NULL, FOR(REPLICATOR)},
    {"active-directory", "schema", "active-directory/schema.ldif", 0},
    {"active-directory", "identities", "active-directory/identities.ldif", 0},
    {"active-directory", "rights", "active-directory/rights.sddl", 0},
    {"active-directory", "set-rights.sh", "active-directory/set-rights.sh", 0},
    {"active-directory", "set-rights.ps1", "active-directory/set-rights.ps1", 0},
};

/* NULL after a usage error. */
static const struct part *find_part(const char *directory, const char *name)
{
    char names[128] = "";

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t length = strlen(names);

        if (strcmp(parts[i].directory, directory) != 0)
            continue;
        if (strcmp(parts[i].name, name) == 0)
            return &parts[i];
        snprintf(names + length, sizeof names - length, "%s%s", length == 0 ? "" : ", ",
                 parts[i].name);
    }
    if (*names == '\0')
        apw_say_usage("schema: \"%s\" must be openldap, cn=config, 389 or active-directory",
                      directory);
    else
        apw_say_usage("schema: \"%s\" must be one of %s", name, names);
    return NULL;
}

static int check_options(const struct part *part, const struct apw_options *options)
{
    for (unsigned option = DATABASE; option <= USER_MANAGER; option++)
        if (options->is_given[option] && (part->options & FOR(option)) == 0) {
            apw_say_usage("schema: --%s does not apply to %s %s", table[option].name,
                          part->directory, part->name);
            return -1;
        }
    return 0;
}

static int set_answers(const struct part *part, const struct apw_options *options,
                       struct apw_setup_answers *answers_r)
{
    static const struct {
        enum apw_setup_key key;
        const char *otherwise;
    } keys[] = {
        [BASE] = {APW_SETUP_SUFFIX, EXAMPLE},
        [DATABASE] = {APW_SETUP_DATABASE, "olcDatabase={1}mdb,cn=config"},
        [PPOLICY] = {APW_SETUP_PPOLICY, "no"},
        [REPLICATOR] = {APW_SETUP_REPLICATOR, "none"},
        [USER_MANAGER] = {APW_SETUP_USER_MANAGER, "none"},
    };
    struct apw_error error = {""};

    *answers_r = (struct apw_setup_answers){.value = {""}};
    strcpy(answers_r->value[APW_SETUP_DIRECTORY],
           strcmp(part->directory, "openldap") == 0 ? "slapd.conf" : part->directory);
    for (unsigned option = BASE; option <= USER_MANAGER; option++) {
        const char *value = !options->is_given[option] ? keys[option].otherwise
                            : option == PPOLICY        ? "yes"
                                                       : options->value[option];

        if (apw_setup_questions_set(answers_r, keys[option].key, value, &error) != 0) {
            apw_say_usage("schema: --%s: %s", table[option].name, error.text);
            return -1;
        }
    }
    return 0;
}

static char *make(const struct part *part, const struct apw_setup_answers *answers,
                  struct apw_error *error)
{
    char name[128];

    if (part->file == NULL)
        return apw_setup_rights_make(answers, error);
    snprintf(name, sizeof name, "ldap-schema/%s", part->file);
    return apw_setup_shipped_adapt(name, answers, error);
}

static enum apw_status print(const struct part *part, const struct apw_options *options)
{
    struct apw_setup_answers answers;
    struct apw_error error = {"out of memory"};
    enum apw_status status = APW_STATUS_DONE;
    char *text;

    if (set_answers(part, options, &answers) != 0)
        return APW_STATUS_USAGE;
    text = make(part, &answers, &error);
    if (text == NULL) {
        apw_say(NULL, "%s", error.text);
        return APW_STATUS_FAILED;
    }
    if (!options->is_given[BASE] && strstr(text, EXAMPLE) != NULL)
        status = apw_say_usage("schema: --base DN is missing: the suffix of the directory, like "
                               "%s",
                               EXAMPLE);
    else
        fputs(text, stdout);
    free(text);
    return status;
}

static enum apw_status run(const struct apw_invocation *invocation,
                           const struct apw_options *options)
{
    const struct part *part;

    (void)invocation;
    if (options->count == 0)
        return apw_say_usage("schema: give openldap, cn=config, 389 or active-directory");
    if (options->count > 2)
        return apw_say_usage("schema: one part at a time, not also \"%s\"", options->operand[2]);
    part = find_part(options->operand[0], options->count == 2 ? options->operand[1] : "schema");
    if (part == NULL || check_options(part, options) != 0)
        return APW_STATUS_USAGE;
    return print(part, options);
}

const struct apw_command apw_command_schema = {
    .name = "schema",
    .options = table,
    .usage = "openldap|cn=config|389|active-directory [PART]",
    .help = "print the schema, or the identities, rights, ..., with the names of the site",
    .run = run,
};
