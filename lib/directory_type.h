/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory_type: in what Active Directory differs from other LDAP directories. Pure.
 */
#ifndef APW_DIRECTORY_TYPE_H
#define APW_DIRECTORY_TYPE_H

#include <stdbool.h>

enum apw_directory_type { APW_DIRECTORY_LDAP = 0, APW_DIRECTORY_ACTIVE_DIRECTORY };

struct apw_directory_traits {
    const char *filter;          /* default of the key */
    const char *login_attribute; /* default of the key; NULL: the name as typed */
    const char *name_attribute;  /* has the name that people use, unless login_attribute does */
    const char *user_filter;     /* matches every user; NULL: every entry may be one */
    /* Matches everybody but administrators, as far as the directory marks them; NULL: it does not.
     */
    const char *other_than_administrators;
    const char *utc; /* how a GeneralizedTime ends */

    /* The auxiliary class is linked to the class of users, and no entry may add it (MS-ADTS,
     * 3.1.1.3.1.1.5). */
    bool has_static_class;

    /* A filter cannot tell a hidden attribute from an absent one (MS-ADTS, 3.1.1.4.3), and what is
     * hidden differs from entry to entry. */
    bool hides_per_entry;

    /* Every user has these; an entry that does not show one may belong to an account that has
     * ended. Ends in NULL. */
    const char *const *account_attributes;

    /* Each has an entry's immutable id; the first that an entry has counts. Ends in NULL. */
    const char *const *id_attributes;
    bool is_id_binary;
};

const struct apw_directory_traits *apw_directory_traits(enum apw_directory_type type);

/* An attribute by which a directory names an entry for good, whatever it is called. */
struct apw_id_attribute {
    const char *name;
    bool is_binary;
};

/* The one of that name, in upper or lower case, or NULL. */
const struct apw_id_attribute *apw_directory_id_attribute(const char *name);
extern const char apw_directory_id_attributes[]; /* their names, for people */

#endif
