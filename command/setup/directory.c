/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/directory.h"
#include "setup/rights.h"
#include "setup/shipped.h"
#include "setup/slapdconf.h"
#include "setup/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Adds ppolicy's rule behind the others, so that one change loads all of them. */
static char *add_ppolicy(char *text, const struct apw_setup_answers *answers,
                         struct apw_error *error)
{
    char *rule = apw_setup_shipped_adapt("ldap-schema/acl-ppolicy-cnconfig.ldif", answers, error);
    const char *start = rule == NULL ? NULL : strstr(rule, "olcAccess: {0}");
    char *joined = NULL;
    unsigned count = 0;

    for (const char *at = text; at != NULL && (at = strstr(at, "\nolcAccess: {")) != NULL; at++)
        count++;
    if (text != NULL && start != NULL &&
        asprintf(&joined, "%solcAccess: {%u}%s", text, count, start + strlen("olcAccess: {0}")) < 0)
        joined = NULL;
    free(rule);
    free(text);
    return joined;
}

static char *make_rights_of_cnconfig(const struct apw_setup_answers *answers,
                                     struct apw_error *error)
{
    char *text = apw_setup_shipped_adapt("ldap-schema/acl-cnconfig.ldif", answers, error);

    if (apw_setup_answers_is(answers, APW_SETUP_PPOLICY, "yes"))
        text = add_ppolicy(text, answers, error);
    text = apw_setup_text_replace(text, "olcDatabase={1}mdb,cn=config",
                                  answers->value[APW_SETUP_DATABASE]);
    return apw_setup_rights_fill_in(text, answers);
}

static char *make_identities(const struct apw_setup_answers *answers, struct apw_error *error)
{
    char *text = apw_setup_shipped_adapt("ldap-schema/identities.ldif", answers, error);
    char page[APW_SETUP_ANSWER_SIZE + 64];

    if (apw_setup_answers_is(answers, APW_SETUP_PAGE, "yes"))
        return text;
    snprintf(page, sizeof page, "dn: cn=portal,ou=services,%s", answers->value[APW_SETUP_SUFFIX]);
    return apw_setup_text_drop_paragraph(text, page);
}

static int write_identities(struct apw_setup_folder *folder,
                            const struct apw_setup_answers *answers, struct apw_error *error)
{
    return apw_setup_folder_write(folder, "directory/identities.ldif",
                                  make_identities(answers, error), error);
}

static int write_cnconfig(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                          struct apw_error *error)
{
    char *index;

    if (apw_setup_folder_write(
            folder, "directory/app-password.ldif",
            apw_setup_shipped_adapt("ldap-schema/app-password.ldif", answers, error), error) != 0 ||
        apw_setup_folder_write(folder, "directory/rights.ldif",
                               make_rights_of_cnconfig(answers, error), error) != 0)
        return -1;
    index = apw_setup_shipped_adapt("ldap-schema/index-cnconfig.ldif", answers, error);
    index = apw_setup_text_replace(index, "olcDatabase={1}mdb,cn=config",
                                   answers->value[APW_SETUP_DATABASE]);
    return apw_setup_folder_write(folder, "directory/index.ldif", index, error);
}

/* The rules must name a replicator; without one, the example's name is nobody's. */
static int write_389(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                     struct apw_error *error)
{
    char *rights = apw_setup_shipped_adapt("ldap-schema/aci-389ds.ldif", answers, error);

    if (!apw_setup_answers_is(answers, APW_SETUP_REPLICATOR, "none"))
        rights = apw_setup_rights_name_replicator(rights, answers);
    if (apw_setup_folder_write(folder, "directory/rights.ldif", rights, error) != 0)
        return -1;
    return apw_setup_folder_write(
        folder, "directory/app-password-389ds.ldif",
        apw_setup_shipped_adapt("ldap-schema/app-password-389ds.ldif", answers, error), error);
}

int apw_setup_directory_write(struct apw_setup_folder *folder,
                              const struct apw_setup_answers *answers, struct apw_error *error)
{
    if (write_identities(folder, answers, error) != 0)
        return -1;
    if (apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "cn=config"))
        return write_cnconfig(folder, answers, error);
    if (apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "389"))
        return write_389(folder, answers, error);
    return apw_setup_slapdconf_write(folder, answers, error);
}
