/* SPDX-License-Identifier: BSD-2-Clause */
#include "directory_type.h"
#include <stddef.h>
#include <strings.h>

static const char *const none[] = {NULL};

/* In this order: 389 Directory Server adds an entryUUID when its plugin is turned on, long after
 * values were bound to nsUniqueId, and keeps both. entryUUID: RFC 4530. */
static const char *const ldap_ids[] = {"nsUniqueId", "entryUUID", NULL};

static const char *const ad_ids[] = {"objectGUID", NULL};
static const char *const ad_account_attributes[] = {"userAccountControl", "accountExpires", NULL};

#define AD_USERS "(objectCategory=person)(objectClass=user)"

static const struct apw_directory_traits all_traits[] = {
    [APW_DIRECTORY_LDAP] =
        {
            .filter = "(|(uid=%u)(mail=%u))",
            .name_attribute = "uid",
            .utc = "Z",
            .account_attributes = none,
            .id_attributes = ldap_ids,
        },
    [APW_DIRECTORY_ACTIVE_DIRECTORY] =
        {
            .filter = "(&" AD_USERS "(|(sAMAccountName=%u)(userPrincipalName=%u)(mail=%u)))",
            .login_attribute = "sAMAccountName",
            .name_attribute = "sAMAccountName",
            .user_filter = "(&" AD_USERS ")",
            .other_than_administrators = "(!(adminCount=1))", /* MS-ADA1, 2.11 */
            .utc = ".0Z",
            .has_static_class = true,
            .hides_per_entry = true,
            .account_attributes = ad_account_attributes,
            .id_attributes = ad_ids,
            .is_id_binary = true,
        },
};

const struct apw_directory_traits *apw_directory_traits(enum apw_directory_type type)
{
    return &all_traits[type];
}

/* Active Directory (MS-ADA3, 2.44); RFC 4530; 389 Directory Server; FreeIPA. */
static const struct apw_id_attribute ids[] = {
    {"objectGUID", true},
    {"entryUUID", false},
    {"nsUniqueId", false},
    {"ipaUniqueID", false},
};
const char apw_directory_id_attributes[] = "objectGUID, entryUUID, nsUniqueId or ipaUniqueID";

const struct apw_id_attribute *apw_directory_id_attribute(const char *name)
{
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        if (strcasecmp(ids[i].name, name) == 0)
            return &ids[i];
    return NULL;
}
