/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/rights.h"
#include "setup/shipped.h"
#include "setup/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The rules that ldap-schema marks with USER MANAGERS. */
static const char *const managed[] = {"to attrs=objectClass val=appPasswordAccount\n",
                                      "to attrs=objectClass,uid,mail\n",
                                      "to attrs=pwdAccountLockedTime,pwdStartTime,pwdEndTime\n"};

static char *let_manager_write(char *text, const char *manager)
{
    for (size_t i = 0; i < sizeof managed / sizeof *managed; i++) {
        char rule[APW_SETUP_ANSWER_SIZE + 128];

        snprintf(rule, sizeof rule, "%s  by dn.exact=\"%s\" write\n", managed[i], manager);
        text = apw_setup_text_replace(text, managed[i], rule);
    }
    return text;
}

static char *name_replicator(char *text, const struct apw_setup_answers *answers)
{
    char example[APW_SETUP_ANSWER_SIZE + 64];

    snprintf(example, sizeof example, "cn=replicator,ou=services,%s",
             answers->value[APW_SETUP_SUFFIX]);
    if (apw_setup_answers_is(answers, APW_SETUP_REPLICATOR, "none"))
        return apw_setup_text_drop_lines(text, example);
    return apw_setup_text_replace(text, example, answers->value[APW_SETUP_REPLICATOR]);
}

/* Rules for OpenLDAP: adds the user manager, and names the replicator. */
static char *fill_in(char *text, const struct apw_setup_answers *answers)
{
    text = name_replicator(text, answers);
    if (apw_setup_answers_is(answers, APW_SETUP_USER_MANAGER, "none"))
        return text;
    return let_manager_write(text, answers->value[APW_SETUP_USER_MANAGER]);
}

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

static char *make_for_cnconfig(const struct apw_setup_answers *answers, struct apw_error *error)
{
    char *text = apw_setup_shipped_adapt("ldap-schema/acl-cnconfig.ldif", answers, error);

    if (apw_setup_answers_is(answers, APW_SETUP_PPOLICY, "yes"))
        text = add_ppolicy(text, answers, error);
    return fill_in(text, answers);
}

static char *make_for_slapdconf(const struct apw_setup_answers *answers, struct apw_error *error)
{
    char *text = apw_setup_shipped_adapt("ldap-schema/acl-slapd.conf", answers, error);

    if (apw_setup_answers_is(answers, APW_SETUP_PPOLICY, "yes")) {
        char *rule = apw_setup_shipped_adapt("ldap-schema/acl-ppolicy-slapd.conf", answers, error);

        text = rule == NULL ? apw_setup_text_append(text, "") : apw_setup_text_append(text, rule);
        free(rule);
    }
    return fill_in(text, answers);
}

/* The limits are in the entries of the identities; without the page, the portal has none. */
static char *drop_portals_limits(char *text, const struct apw_setup_answers *answers)
{
    char portal[APW_SETUP_ANSWER_SIZE + 64];

    if (apw_setup_answers_is(answers, APW_SETUP_PAGE, "yes"))
        return text;
    snprintf(portal, sizeof portal, "dn: cn=portal,ou=services,%s",
             answers->value[APW_SETUP_SUFFIX]);
    return apw_setup_text_drop_paragraph(text, portal);
}

/* The rules must name a replicator; without one, the example's name is nobody's. */
static char *make_for_389(const struct apw_setup_answers *answers, struct apw_error *error)
{
    char *text = apw_setup_shipped_adapt("ldap-schema/aci-389ds.ldif", answers, error);

    text = drop_portals_limits(text, answers);
    return apw_setup_answers_is(answers, APW_SETUP_REPLICATOR, "none")
               ? text
               : name_replicator(text, answers);
}

char *apw_setup_rights_make(const struct apw_setup_answers *answers, struct apw_error *error)
{
    if (apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "cn=config"))
        return make_for_cnconfig(answers, error);
    if (apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "389"))
        return make_for_389(answers, error);
    return make_for_slapdconf(answers, error);
}
