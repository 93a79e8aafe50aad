/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/directory.h"
#include "setup/rights.h"
#include "setup/shipped.h"
#include "setup/slapdconf.h"
#include "setup/text.h"
#include <stdio.h>
#include <string.h>

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
    if (apw_setup_folder_write(
            folder, "directory/app-password.ldif",
            apw_setup_shipped_adapt("ldap-schema/app-password.ldif", answers, error), error) != 0 ||
        apw_setup_folder_write(folder, "directory/rights.ldif",
                               apw_setup_rights_make(answers, error), error) != 0)
        return -1;
    return apw_setup_folder_write(
        folder, "directory/index.ldif",
        apw_setup_shipped_adapt("ldap-schema/index-cnconfig.ldif", answers, error), error);
}

static int write_389(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                     struct apw_error *error)
{
    if (apw_setup_folder_write(folder, "directory/rights.ldif",
                               apw_setup_rights_make(answers, error), error) != 0)
        return -1;
    return apw_setup_folder_write(
        folder, "directory/app-password-389ds.ldif",
        apw_setup_shipped_adapt("ldap-schema/app-password-389ds.ldif", answers, error), error);
}

/* The schema is the forest's. */
static char *make_ad_schema(const struct apw_setup_answers *answers, struct apw_error *error)
{
    struct apw_setup_answers forest = *answers;

    strcpy(forest.value[APW_SETUP_SUFFIX], answers->value[APW_SETUP_FOREST]);
    return apw_setup_shipped_adapt("ldap-schema/active-directory/schema.ldif", &forest, error);
}

/* All identities, even without the page: set-rights names them. Those without a password stay
 * disabled. */
static int write_ad(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                    struct apw_error *error)
{
    static const char *const names[] = {"identities.ldif", "rights.sddl", "set-rights.sh",
                                        "set-rights.ps1"};
    char shipped[128], name[128];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(shipped, sizeof shipped, "ldap-schema/active-directory/%s", names[i]);
        snprintf(name, sizeof name, "directory/%s", names[i]);
        if (apw_setup_folder_write(folder, name, apw_setup_shipped_adapt(shipped, answers, error),
                                   error) != 0)
            return -1;
    }
    return apw_setup_folder_write(folder, "directory/schema.ldif", make_ad_schema(answers, error),
                                  error);
}

int apw_setup_directory_write(struct apw_setup_folder *folder,
                              const struct apw_setup_answers *answers, struct apw_error *error)
{
    if (apw_setup_answers_has_ad(answers))
        return write_ad(folder, answers, error);
    if (write_identities(folder, answers, error) != 0)
        return -1;
    if (apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "cn=config"))
        return write_cnconfig(folder, answers, error);
    if (apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "389"))
        return write_389(folder, answers, error);
    return apw_setup_slapdconf_write(folder, answers, error);
}
