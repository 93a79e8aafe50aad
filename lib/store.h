/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store: finds a user's entry in the store, a directory that has our attributes only.
 *
 *   dn: appPasswordOwner=<id>,<store_base>
 *
 * <id> is the value of id_attribute of the user's own entry, in lower case, a binary one in hex:
 * whoever is renamed or moved keeps the app passwords, and a successor of the same name has none.
 * Nothing is ever looked up there by a name that somebody typed.
 */
#ifndef APW_STORE_H
#define APW_STORE_H

#include "config.h"
#include "error.h"
#include "ldap/directory.h"
#include "world.h"
#include <stdbool.h>
#include <stdint.h>

/* How long an entry stays after its user is gone. */
#define APW_STORE_KEPT_DAYS 30

#define APW_STORE_ID_SIZE     65
#define APW_STORE_FILTER_SIZE (APW_STORE_ID_SIZE + 32)

/* Our attributes of an entry in the store; NULL follows. */
extern const char *const apw_store_attributes[];

/* Reads the id of a user's entry. Fails unless it has exactly one, of letters, digits and hyphens.
 */
int apw_store_read_id(const struct apw_config *config, const struct apw_entry *entry,
                      char id_r[APW_STORE_ID_SIZE], struct apw_error *error);

/* The DN of the entry with that id. The caller frees it; NULL without memory. */
char *apw_store_dn(const struct apw_config *config, const char *id);

/* The filter that finds it among the children of store_base. */
void apw_store_filter(const char *id, char filter_r[APW_STORE_FILTER_SIZE]);

/* Whether a user of this directory can have that id. */
bool apw_store_is_id(const struct apw_config *config, const char *id);

/* Reads whose entry of the store it is, in lower case, as a login looks for it. Fails unless a user
 * of this directory can have that id. */
int apw_store_read_owner(const struct apw_config *config, const struct apw_entry *stored,
                         char id_r[APW_STORE_ID_SIZE]);

/* The filter that finds the user with that id in the users' directory; the caller frees it. NULL
 * without memory, and for what is no id. */
char *apw_store_user_filter(const struct apw_config *config, const char *id);

/* Says that store_base is not there; returns -1. */
int apw_store_set_no_base(const struct apw_config *config, struct apw_error *error);

/* Finds the entry with that id; *entry_r is NULL with APW_LDAP_OK if there is none, which a store
 * that has lost its entries does not say: store_base would be missing. The caller frees the entry.
 * `store` is a world of the store, `deadline` a moment of apw_clock_monotonic_ms(). */
enum apw_ldap_result apw_store_find(const struct apw_world *store, const struct apw_config *config,
                                    const char *id, const char *const *attributes, int64_t deadline,
                                    struct apw_entry **entry_r, struct apw_error *error);

#endif
