/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The floor: the two steps that every login needs, by libsodium and libldap alone.
 */
#include "operation.h"
#include <ldap.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- raw: one verify of the hash ---- */

static void *raw_open(char *const *word)
{
    return (void *)word;
}

static bool raw_run(void *state, unsigned user)
{
    char *const *word = state;

    (void)user;
    return crypto_pwhash_str_verify(word[0], word[1], strlen(word[1])) == 0;
}

const struct kind raw_kind = {"raw", "HASH, PASSWORD", 2, raw_open, raw_run, NULL};

/* ---- search: one search over a kept connection, for the attributes that a login needs ---- */

static const char *const login_attributes[] = {"appPassword",
                                               "appPasswordMfaEnforceFrom",
                                               "appPasswordUsed",
                                               "pwdAccountLockedTime",
                                               "nsAccountLock",
                                               "pwdStartTime",
                                               "pwdEndTime",
                                               "userAccountControl",
                                               "accountExpires",
                                               "krbPrincipalExpiration",
                                               "shadowExpire",
                                               "uid",
                                               NULL};

struct search {
    LDAP *ld;
    const char *base;
    const char *user;
};

/* Connects with URI, DN, PASSWORD, BASE. */
static struct search connect_search(char *const *word)
{
    struct search search = {.base = word[3]};
    struct berval password = {strlen(word[2]), word[2]};
    const int version = LDAP_VERSION3;

    if (ldap_initialize(&search.ld, word[0]) != LDAP_SUCCESS ||
        ldap_set_option(search.ld, LDAP_OPT_PROTOCOL_VERSION, &version) != 0 ||
        ldap_sasl_bind_s(search.ld, word[1], LDAP_SASL_SIMPLE, &password, NULL, NULL, NULL) !=
            LDAP_SUCCESS)
        fail("%s: cannot bind as %s", word[0], word[1]);
    return search;
}

static void *search_open(char *const *word)
{
    struct search *search = calloc(1, sizeof *search);

    *search = connect_search(word);
    search->user = word[4];
    return search;
}

/* The answer with the one entry that matches; NULL if there is none. */
static LDAPMessage *find(const struct search *search, int scope, const char *filter,
                         const char *const *attributes)
{
    LDAPMessage *answer = NULL;

    if (ldap_search_ext_s(search->ld, search->base, scope, filter, (char **)attributes, 0, NULL,
                          NULL, NULL, 2, &answer) == LDAP_SUCCESS &&
        ldap_count_entries(search->ld, answer) == 1)
        return answer;
    ldap_msgfree(answer);
    return NULL;
}

static LDAPMessage *find_user(const struct search *search, unsigned user,
                              const char *const *attributes)
{
    char name[NAME_SIZE], filter[2 * NAME_SIZE + 32];

    user_name(search->user, user, name);
    snprintf(filter, sizeof filter, "(|(uid=%s)(mail=%s))", name, name);
    return find(search, LDAP_SCOPE_SUBTREE, filter, attributes);
}

static bool search_run(void *state, unsigned user)
{
    LDAPMessage *answer = find_user(state, user, login_attributes);
    bool is_found = answer != NULL;

    ldap_msgfree(answer);
    return is_found;
}

const struct kind search_kind = {
    "search", "URI, DN, PASSWORD, BASE, USER", 5, search_open, search_run, NULL};

/* ---- bind floor: two searches sent together, then a bind on a connection for binds ---- */

struct bind_floor {
    struct search search;
    LDAP *binds;
    struct berval password;
};

static void *bind_floor_open(char *const *word)
{
    struct bind_floor *floor = calloc(1, sizeof *floor);
    const int version = LDAP_VERSION3;

    if (ldap_set_option(NULL, LDAP_OPT_X_TLS_CACERTFILE, word[6]) != 0)
        fail("%s: not usable", word[6]);
    floor->search = connect_search(word);
    floor->search.user = word[4];
    floor->password = (struct berval){strlen(word[5]), word[5]};
    if (ldap_initialize(&floor->binds, word[0]) != LDAP_SUCCESS ||
        ldap_set_option(floor->binds, LDAP_OPT_PROTOCOL_VERSION, &version) != 0)
        fail("%s: cannot connect", word[0]);
    return floor;
}

/* The DN of the one entry that was found; the caller frees it. NULL if there is none. */
static char *take_dn(LDAP *ld, int message_id)
{
    LDAPMessage *answer = NULL;
    char *dn = NULL;

    if (ldap_result(ld, message_id, LDAP_MSG_ALL, NULL, &answer) > 0 &&
        ldap_count_entries(ld, answer) == 1)
        dn = ldap_get_dn(ld, ldap_first_entry(ld, answer));
    ldap_msgfree(answer);
    return dn;
}

static bool bind_floor_run(void *state, unsigned user)
{
    static const char *const nothing[] = {LDAP_NO_ATTRS, NULL};
    struct bind_floor *floor = state;
    LDAP *ld = floor->search.ld;
    char name[NAME_SIZE], whole[2 * NAME_SIZE + 32], off[sizeof whole + 64], *dn[2];
    const char *const filter[] = {whole, off};
    bool is_bound;
    int id[2];

    user_name(floor->search.user, user, name);
    snprintf(whole, sizeof whole, "(|(uid=%s)(mail=%s))", name, name);
    snprintf(off, sizeof off, "(&%s(!(appPasswordMfaEnabled=TRUE)))", whole);
    for (int i = 0; i < 2; i++)
        if (ldap_search_ext(ld, floor->search.base, LDAP_SCOPE_SUBTREE, filter[i],
                            (char **)(i == 0 ? login_attributes : nothing), 0, NULL, NULL, NULL, 2,
                            &id[i]) != LDAP_SUCCESS)
            return false;
    for (int i = 0; i < 2; i++)
        dn[i] = take_dn(ld, id[i]);
    is_bound = dn[0] != NULL && dn[1] != NULL &&
               ldap_sasl_bind_s(floor->binds, dn[0], LDAP_SASL_SIMPLE, &floor->password, NULL, NULL,
                                NULL) == LDAP_SUCCESS;
    ldap_memfree(dn[0]);
    ldap_memfree(dn[1]);
    return is_bound;
}

const struct kind bind_floor_kind = {
    "bind floor", "URI, DN, PASSWORD, BASE, USER, PASSWORD, CA", 7, bind_floor_open, bind_floor_run,
    NULL};

/* ---- floor: the search, then the verify ---- */

struct floor {
    void *search;
    void *raw;
};

static void *floor_open(char *const *word)
{
    struct floor *floor = calloc(1, sizeof *floor);

    floor->search = search_open(word);
    floor->raw = raw_open(word + 5);
    return floor;
}

static bool floor_run(void *state, unsigned user)
{
    struct floor *floor = state;

    return search_run(floor->search, user) && raw_run(floor->raw, user);
}

const struct kind floor_kind = {
    "floor", "URI, DN, PASSWORD, BASE, USER, HASH, PASSWORD", 7, floor_open, floor_run, NULL};

/* ---- floor with a store: a search in each directory, then the verify ---- */

struct store_floor {
    void *raw;
    struct search users, store;
};

static void *store_floor_open(char *const *word)
{
    struct store_floor *floor = calloc(1, sizeof *floor);

    floor->users = connect_search(word);
    floor->users.user = word[4];
    floor->store = connect_search(word + 5);
    floor->raw = raw_open(word + 9);
    return floor;
}

/* Whether the store has the entry that the user's own names. */
static bool find_stored(const struct store_floor *floor, LDAPMessage *answer)
{
    static const char *const attributes[] = {"appPassword", "appPasswordMfaEnforceFrom",
                                             "appPasswordUsed", NULL};
    LDAP *ld = floor->users.ld;
    struct berval **id = ldap_get_values_len(ld, ldap_first_entry(ld, answer), "entryUUID");
    char filter[NAME_SIZE];
    LDAPMessage *stored = NULL;

    if (id != NULL && id[0] != NULL) {
        snprintf(filter, sizeof filter, "(appPasswordOwner=%.*s)", (int)id[0]->bv_len,
                 id[0]->bv_val);
        stored = find(&floor->store, LDAP_SCOPE_ONELEVEL, filter, attributes);
    }
    ldap_value_free_len(id);
    ldap_msgfree(stored);
    return stored != NULL;
}

static bool store_floor_run(void *state, unsigned user)
{
    static const char *const attributes[] = {"entryUUID", "pwdAccountLockedTime", "nsAccountLock",
                                             "uid", NULL};
    struct store_floor *floor = state;
    LDAPMessage *answer = find_user(&floor->users, user, attributes);
    bool is_found = answer != NULL && find_stored(floor, answer);

    ldap_msgfree(answer);
    return is_found && raw_run(floor->raw, user);
}

const struct kind store_floor_kind = {"store floor",
                                      "URI, DN, PASSWORD, BASE, USER, and of the store URI, DN, "
                                      "PASSWORD, BASE, and HASH, PASSWORD",
                                      11,
                                      store_floor_open,
                                      store_floor_run,
                                      NULL};
