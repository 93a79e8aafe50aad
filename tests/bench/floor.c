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

struct search {
    LDAP *ld;
    const char *base;
    const char *user;
};

static void *search_open(char *const *word)
{
    struct search *search = calloc(1, sizeof *search);
    struct berval password = {strlen(word[2]), word[2]};
    const int version = LDAP_VERSION3;

    search->base = word[3];
    search->user = word[4];
    if (ldap_initialize(&search->ld, word[0]) != LDAP_SUCCESS ||
        ldap_set_option(search->ld, LDAP_OPT_PROTOCOL_VERSION, &version) != 0 ||
        ldap_sasl_bind_s(search->ld, word[1], LDAP_SASL_SIMPLE, &password, NULL, NULL, NULL) !=
            LDAP_SUCCESS)
        fail("%s: cannot bind as %s", word[0], word[1]);
    return search;
}

static bool search_run(void *state, unsigned user)
{
    static const char *const attributes[] = {"appPassword",
                                             "appPasswordMfaEnforceFrom",
                                             "appPasswordUsed",
                                             "pwdAccountLockedTime",
                                             "nsAccountLock",
                                             "uid",
                                             NULL};
    struct search *search = state;
    char name[NAME_SIZE], filter[2 * NAME_SIZE + 32];
    LDAPMessage *answer = NULL;
    bool is_found;

    user_name(search->user, user, name);
    snprintf(filter, sizeof filter, "(|(uid=%s)(mail=%s))", name, name);
    is_found =
        ldap_search_ext_s(search->ld, search->base, LDAP_SCOPE_SUBTREE, filter, (char **)attributes,
                          0, NULL, NULL, NULL, 2, &answer) == LDAP_SUCCESS &&
        ldap_count_entries(search->ld, answer) == 1;
    ldap_msgfree(answer);
    return is_found;
}

const struct kind search_kind = {
    "search", "URI, DN, PASSWORD, BASE, USER", 5, search_open, search_run, NULL};

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
