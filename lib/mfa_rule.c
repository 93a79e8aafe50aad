/* SPDX-License-Identifier: BSD-2-Clause */
#include "mfa_rule.h"
#include "ldap/filter_tree.h"
#include <stddef.h>
#include <string.h>

/* Whether `off` also matches an entry whose attributes are hidden. */
static bool shows_nothing(const char *on, const char *off)
{
    return apw_filter_tree_shows_nothing(off) || apw_filter_tree_infers(off, on);
}

int apw_mfa_rule_check(const char *on, const char *off, const char *base, struct apw_error *error)
{
    if (off != NULL && shows_nothing(on, off))
        return apw_error_set(error,
                             "mfa_off_filter also matches an entry whose attributes are hidden; it "
                             "must compare an attribute that says that MFA is off, or add "
                             "\"mfa_witness uid=mfa-witness,%s\"",
                             base);
    if (off != NULL || strcmp(on, APW_MFA_RULE_DEFAULT) == 0)
        return 0;
    return apw_error_set(error,
                         "mfa_filter cannot show that MFA is off; add \"mfa_witness "
                         "uid=mfa-witness,%s\", the DN of an entry for which MFA is always on "
                         "(ldap-schema/README.md shows one), or "
                         "\"mfa_off_filter (yourFlag=off)\", which matches users with MFA off",
                         base);
}

int apw_mfa_rule_check_strictly(const char *on, const char *off, const char *witness,
                                struct apw_error *error)
{
    if (off == NULL)
        return apw_error_set(error,
                             "mfa_off_filter is missing: Active Directory cannot tell a hidden "
                             "attribute from an absent one, so users for whom MFA is off must have "
                             "a value that says so; add \"mfa_off_filter "
                             "(appPasswordMfaEnabled=FALSE)\", and turn MFA on or off for every "
                             "user, or add \"account_password never\"");
    if (shows_nothing(on, off))
        return apw_error_set(error,
                             "mfa_off_filter also matches an entry whose attributes are hidden; it "
                             "must compare an attribute that says that MFA is off, like "
                             "\"mfa_off_filter (appPasswordMfaEnabled=FALSE)\"");
    if (strcmp(on, APW_MFA_RULE_DEFAULT) != 0 && witness == NULL)
        return apw_error_set(error,
                             "mfa_witness is missing: without it nobody notices that a group in "
                             "mfa_filter is mistyped or was renamed; add \"mfa_witness "
                             "CN=…,DC=…\", the DN of an entry for which MFA is always on");
    return 0;
}

int apw_mfa_rule_check_disabled(const char *filter, const char *witness, const char *base,
                                struct apw_error *error)
{
    if ((filter == NULL) == (witness == NULL))
        return 0;
    if (filter == NULL)
        return apw_error_set(error, "disabled_witness requires disabled_filter");
    return apw_error_set(error,
                         "disabled_filter cannot show that an account has not ended; add "
                         "\"disabled_witness uid=disabled-witness,%s\", the DN of an entry that it "
                         "always matches",
                         base);
}
