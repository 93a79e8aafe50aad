/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify.h"
#include "account_state.h"
#include "announcement.h"
#include "ldap/filter.h"
#include "mfa.h"
#include "name.h"
#include "password_change.h"
#include "policy.h"
#include "store.h"
#include "tombstone.h"
#include "use.h"
#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* One login and what is known of it so far. */
struct login {
    const struct apw_config *config;
    const struct apw_world *world;
    const struct apw_attempt *attempt;
    int64_t deadline;
    int64_t now;
    char name[APW_LOGIN_SIZE];
    bool has_client;
    struct apw_address client;
    struct apw_entry *entry;
    bool is_stored_known; /* whether there is an entry in the store */
    char id[APW_STORE_ID_SIZE];
    struct apw_entry *stored; /* NULL: none there */
    bool has_name;            /* `accepted_name` leads to this entry alone */
    char accepted_name[APW_LOGIN_SIZE];
    struct apw_error no_name; /* why not */
    enum apw_reason no_name_reason;
    bool is_app_shaped;
    bool asks_for_mfa;     /* together with the entry */
    bool is_shown_mfa_off; /* by the answer to that */
    struct apw_password app_password;
    struct apw_decision *decision;
    bool is_session; /* somebody has signed in before: no password to check, nobody to accept */
    bool may_stay;   /* whether the session's password would be accepted */
    int64_t until;   /* the clock alone does not end that before */
    bool is_mfa_read;
    bool is_mfa_on;
};

static void settle(struct login *login, enum apw_verdict verdict, enum apw_reason reason)
{
    login->decision->event.verdict = verdict;
    login->decision->event.reason = reason;
}

static void refuse(struct login *login, enum apw_reason reason)
{
    settle(login, APW_REFUSED, reason);
}

static void give_up(struct login *login, enum apw_reason reason)
{
    settle(login, APW_UNAVAILABLE, reason);
}

/* The password of an open session would be accepted, until that moment at least. */
static void stay_until(struct login *login, int64_t moment)
{
    login->may_stay = true;
    if (moment < login->until)
        login->until = moment;
}

/* The entry that has our attributes; NULL if the store has none, or was not asked. */
static const struct apw_entry *holder(const struct login *login)
{
    return apw_config_has_store(login->config) ? login->stored : login->entry;
}

/* For findings about the entry itself, which an administrator should look at. */
static void name_entry(struct login *login)
{
    login->decision->event.dn = strdup(login->entry->dn);
}

static void name_holder(struct login *login)
{
    const struct apw_entry *entry = holder(login);

    login->decision->event.dn = strdup(entry != NULL ? entry->dn : login->entry->dn);
}

/* ---- row 1: what was sent ---- */

static bool is_malformed(const struct apw_attempt *attempt)
{
    return !apw_login_is_wellformed(attempt->login, attempt->login_length) ||
           attempt->password_length == 0 || attempt->password_length > APW_SECRET_BYTES_MAX ||
           memchr(attempt->password, '\0', attempt->password_length) != NULL;
}

/* ---- rows 2 to 5: the entry ---- */

#define ATTRIBUTES_SIZE (APW_ACCOUNT_STATE_ATTRIBUTES + APW_PASSWORD_CHANGE_ATTRIBUTES + 5)

/* Lists our attributes; returns their number. */
static size_t list_ours(const struct apw_config *config, const char *list[ATTRIBUTES_SIZE])
{
    size_t count = 0;

    list[count++] = "appPassword";
    list[count++] = "appPasswordMfaEnforceFrom";
    if (config->record_use_s > 0)
        list[count++] = "appPasswordUsed";
    return count;
}

/* Lists what to read of the user's entry. */
static void list_attributes(const struct apw_config *config, const char *list[ATTRIBUTES_SIZE])
{
    size_t count = 0;

    if (apw_config_has_store(config))
        list[count++] = config->store.id_attribute->name;
    else
        count = list_ours(config, list);
    for (size_t i = 0; i < APW_ACCOUNT_STATE_ATTRIBUTES; i++)
        list[count++] = apw_account_state_attributes[i];
    for (size_t i = 0; config->revoke_on_password_change && i < APW_PASSWORD_CHANGE_ATTRIBUTES; i++)
        list[count++] = apw_password_change_attributes[i];
    if (config->login_attribute != NULL)
        list[count++] = config->login_attribute;
}

static enum apw_ldap_result ask_for_entry(struct login *login, const struct apw_query *query)
{
    const struct apw_world *world = login->world;
    struct apw_error *detail = &login->decision->event.detail;

    return login->asks_for_mfa
               ? apw_mfa_find(world, login->config, query, login->deadline, &login->entry,
                              &login->is_shown_mfa_off, detail)
               : world->search(world->context, query, login->deadline, &login->entry, detail);
}

/* Leaves the one entry in login->entry, or settles. */
static void find_entry(struct login *login)
{
    const struct apw_config *config = login->config;
    const char *attributes[ATTRIBUTES_SIZE] = {NULL};
    char *filter = apw_filter_expand(config->filter, login->name);
    const struct apw_query query = {.base = config->base,
                                    .scope = config->scope,
                                    .filter = filter,
                                    .attributes = attributes,
                                    .limit = 2};
    enum apw_ldap_result result;

    list_attributes(config, attributes);
    if (filter == NULL) {
        apw_error_set(&login->decision->event.detail, "out of memory");
        give_up(login, APW_REASON_INTERNAL_ERROR);
        return;
    }
    result = ask_for_entry(login, &query);
    free(filter);
    if (result != APW_LDAP_OK) {
        /* It may contain the filter, and with it the login. */
        if (apw_password_is_login(login->name, strlen(login->name)))
            apw_error_set(&login->decision->event.detail,
                          "not shown, since the login is an app password");
        apw_entries_free(&login->entry);
        give_up(login, APW_REASON_DIRECTORY_UNAVAILABLE);
    } else if (login->entry == NULL) {
        refuse(login, APW_REASON_UNKNOWN_USER);
    } else if (login->entry->next != NULL) {
        apw_error_set(&login->decision->event.detail, "also found: %s", login->entry->next->dn);
        name_entry(login);
        apw_entries_free(&login->entry);
        give_up(login, APW_REASON_AMBIGUOUS_USER);
    }
}

/* Settles if the name to report leads elsewhere, or if that is unknown. An entry without a name is
 * detected only when a login would be accepted. */
static bool has_own_name(struct login *login)
{
    struct apw_error *detail = &login->decision->event.detail;

    switch (apw_name_choose(login->config, login->entry, login->name, login->accepted_name,
                            &login->no_name)) {
    case APW_NAME_MISSING:
        login->no_name_reason = APW_REASON_NO_NAME;
        return true;
    case APW_NAME_UNAVAILABLE:
    case APW_NAME_AMBIGUOUS:
        return true;
    case APW_NAME_UNIQUE:
        break;
    }
    if (strcmp(login->accepted_name, login->name) == 0) {
        login->has_name = true;
        return true;
    }
    switch (apw_name_check(login->world, login->config, login->entry->dn, login->accepted_name,
                           login->deadline, detail)) {
    case APW_NAME_UNIQUE:
        login->has_name = true;
        return true;
    case APW_NAME_AMBIGUOUS:
        name_entry(login);
        give_up(login, APW_REASON_AMBIGUOUS_NAME);
        return false;
    case APW_NAME_MISSING:
    case APW_NAME_UNAVAILABLE:
        break;
    }
    give_up(login, APW_REASON_DIRECTORY_UNAVAILABLE);
    return false;
}

static void give_up_without_name(struct login *login)
{
    login->decision->event.detail = login->no_name;
    name_entry(login);
    give_up(login, login->no_name_reason);
}

/* Settles if the account has ended, or if that is unknown. */
static bool is_active(struct login *login)
{
    struct apw_error *detail = &login->decision->event.detail;
    enum apw_account_state state =
        apw_account_state_read(login->entry, login->config->directory, login->now, detail);

    if (state == APW_ACCOUNT_STATE_ACTIVE && login->config->disabled_filter != NULL)
        state = apw_account_state_ask(login->world, login->config, login->entry->dn,
                                      login->deadline, detail);
    switch (state) {
    case APW_ACCOUNT_STATE_ACTIVE:
        return true;
    case APW_ACCOUNT_STATE_ENDED:
        refuse(login, APW_REASON_ACCOUNT_DISABLED);
        return false;
    case APW_ACCOUNT_STATE_UNREADABLE:
        break;
    }
    name_entry(login);
    give_up(login, APW_REASON_DIRECTORY_UNAVAILABLE);
    return false;
}

/* ---- row 6: the entry in the store ---- */

/* Finds it, unless that was done or there is no store. Settles if that fails. */
static bool find_stored(struct login *login)
{
    const struct apw_config *config = login->config;
    struct apw_error *detail = &login->decision->event.detail;
    const char *attributes[ATTRIBUTES_SIZE] = {NULL};

    if (!apw_config_has_store(config) || login->is_stored_known)
        return true;
    list_ours(config, attributes);
    if (apw_store_read_id(config, login->entry, login->id, detail) == 0)
        login->is_stored_known =
            apw_store_find(login->world->store, config, login->id, attributes, login->deadline,
                           &login->stored, detail) == APW_LDAP_OK;
    if (login->is_stored_known)
        return true;
    name_entry(login);
    give_up(login, APW_REASON_DIRECTORY_UNAVAILABLE);
    return false;
}

/* ---- acceptance ---- */

/* Settles if the host does not accept the user. */
static bool is_authorized(struct login *login)
{
    const struct apw_attempt *attempt = login->attempt;
    enum apw_reason refusal = APW_REASON_REFUSED_NAME;

    if (attempt->authorize == NULL)
        return true;
    switch (attempt->authorize(attempt->authorize_context, login->decision->event.name, &refusal,
                               &login->decision->event.detail)) {
    case APW_ACCEPTED:
        return true;
    case APW_REFUSED:
        refuse(login, refusal);
        break;
    case APW_UNAVAILABLE:
        give_up(login, APW_REASON_INTERNAL_ERROR);
        break;
    }
    login->decision->event.name[0] = '\0';
    return false;
}

/* Requests a record of this use, unless a recent one exists. */
static void note_use(struct login *login)
{
    const struct apw_attribute *used = apw_entry_attribute(holder(login), "appPasswordUsed");
    struct apw_decision *decision = login->decision;
    struct apw_use *use = &decision->use;

    if (login->config->record_use_s == 0)
        return;
    for (size_t i = 0; used != NULL && i < used->count; i++) {
        const struct apw_value *value = &used->value[i];
        struct apw_use recorded;

        if (apw_use_parse(value->bytes, value->length, &recorded) == 0 &&
            strcmp(recorded.id, decision->event.id) == 0 &&
            !apw_use_is_due(&recorded, login->now, login->config->record_use_s))
            return;
    }
    use->at = login->now;
    memcpy(use->id, decision->event.id, sizeof use->id);
    memcpy(use->service, decision->event.service, sizeof use->service);
    if (!login->config->record_use_without_address)
        memcpy(use->from, decision->event.client, sizeof use->from);
    decision->use_dn = strdup(holder(login)->dn); /* without memory, not recorded this time */
}

/* The one place that accepts. */
static void accept_login(struct login *login, enum apw_reason reason)
{
    if (!login->has_name) {
        give_up_without_name(login);
        return;
    }
    memcpy(login->decision->event.name, login->accepted_name, sizeof login->accepted_name);
    if (is_authorized(login))
        settle(login, APW_ACCEPTED, reason);
}

/* ---- row 7: an app password ---- */

/* The values with one id. */
struct found {
    size_t count;
    bool is_revoked;               /* one of them is a tombstone */
    const struct apw_value *value; /* the last of them */
};

static struct found find_values(const struct login *login, const char *id)
{
    const struct apw_attribute *attribute = apw_entry_attribute(holder(login), "appPassword");
    struct found found = {.count = 0};

    for (size_t i = 0; attribute != NULL && i < attribute->count; i++) {
        const struct apw_value *value = &attribute->value[i];
        char value_id[APW_ID_LENGTH + 1];
        struct apw_tombstone tombstone;

        if (apw_record_parse_id(value->bytes, value->length, value_id) != 0 ||
            strcmp(value_id, id) != 0)
            continue;
        found.value = value;
        found.count++;
        if (apw_tombstone_parse(value->bytes, value->length, &tombstone) == 0)
            found.is_revoked = true;
    }
    return found;
}

static struct apw_hash_cost cost_cap(const struct login *login)
{
    return apw_hash_cap(login->config->hash_memory_mib, login->config->hash_passes);
}

/* Whether the value is usable; the detail says why not. */
static bool is_usable(struct login *login, const struct found *found, struct apw_record *record_r)
{
    struct apw_error *detail = &login->decision->event.detail;
    const struct apw_hash_cost cap = cost_cap(login);

    if (found->count > 1) {
        apw_error_set(detail, "%zu values have the id %s", found->count, login->decision->event.id);
        return false;
    }
    return apw_record_parse(found->value->bytes, found->value->length, record_r, detail) == 0 &&
           apw_hash_check(record_r->hash, &cap, detail) == 0;
}

/* Computes the hash unless this match is remembered. */
static enum apw_hash_result match(struct login *login, const struct apw_record *record)
{
    struct apw_tags *remember = login->world->remember;
    const struct apw_hash_cost cap = cost_cap(login);
    const char *dn = login->entry->dn;
    enum apw_hash_result result;

    if (remember != NULL && apw_remember_has(remember, dn, &login->app_password, record->hash))
        return APW_HASH_MATCH;
    result =
        apw_hash_verify(record->hash, &cap, &login->app_password, &login->decision->event.detail);
    if (remember != NULL && result == APW_HASH_MATCH)
        apw_remember_add(remember, dn, &login->app_password, record->hash);
    return result;
}

static void decide_hash(struct login *login, const struct apw_record *record)
{
    switch (match(login, record)) {
    case APW_HASH_MATCH:
        accept_login(login, APW_REASON_APP_PASSWORD);
        if (login->decision->event.verdict == APW_ACCEPTED)
            note_use(login);
        return;
    case APW_HASH_MISMATCH:
        refuse(login, APW_REASON_WRONG_APP_PASSWORD);
        return;
    case APW_HASH_UNUSABLE:
        refuse(login, APW_REASON_UNUSABLE_VALUE);
        return;
    case APW_HASH_NO_MEMORY:
        break;
    }
    give_up(login, APW_REASON_INTERNAL_ERROR);
}

/* Settles if the account password changed since this app password was made and the site refuses
 * these, or if that is unknown. */
static bool is_outdated(struct login *login, const struct apw_record *record)
{
    int64_t changed;

    if (!login->config->revoke_on_password_change)
        return false;
    if (apw_password_change_read(login->entry, &changed, &login->decision->event.detail) != 0) {
        name_entry(login);
        give_up(login, APW_REASON_DIRECTORY_UNAVAILABLE);
        return true;
    }
    if (record->created >= changed)
        return false;
    refuse(login, APW_REASON_PASSWORD_CHANGED);
    return true;
}

static void decide_record(struct login *login, const struct apw_record *record)
{
    if (record->created > login->now + APW_ANNOUNCEMENT_TOLERANCE_S) {
        apw_error_set(&login->decision->event.detail,
                      "created more than a day in the future; check this host's clock");
        name_holder(login);
        give_up(login, APW_REASON_CLOCK);
    } else if (login->now >= apw_policy_end(login->config, record)) {
        refuse(login, APW_REASON_EXPIRED);
    } else if (is_outdated(login, record)) {
        return;
    } else if (record->services[0] != '\0' &&
               !apw_service_list_has(record->services, login->decision->event.service)) {
        refuse(login, APW_REASON_WRONG_SERVICE);
    } else if (record->from.count > 0 &&
               (!login->has_client || !apw_networks_contain(&record->from, &login->client))) {
        refuse(login, APW_REASON_WRONG_NETWORK);
    } else if (login->is_session) {
        stay_until(login, apw_policy_end(login->config, record));
    } else {
        decide_hash(login, record);
    }
}

static void decide_app_password(struct login *login, const char id[APW_ID_LENGTH + 1],
                                const struct found *found)
{
    struct apw_record record;

    memcpy(login->decision->event.id, id, APW_ID_LENGTH + 1);
    if (found->is_revoked) {
        refuse(login, APW_REASON_REVOKED);
        return;
    }
    if (is_usable(login, found, &record)) {
        decide_record(login, &record);
    } else {
        name_holder(login);
        refuse(login, APW_REASON_UNUSABLE_VALUE);
    }
    sodium_memzero(&record, sizeof record);
}

/* ---- rows 8 to 11: the account password ---- */

static void decide_bind(struct login *login)
{
    enum apw_user_bind bind = login->world->bind_user(
        login->world->context, login->entry->dn, login->attempt->password,
        login->attempt->password_length, login->deadline, &login->decision->event.detail);
    enum apw_reason reason = apw_reason_of_bind(bind);

    if (bind == APW_USER_BIND_OK)
        accept_login(login, reason);
    else if (reason == APW_REASON_DIRECTORY_UNAVAILABLE)
        give_up(login, reason);
    else
        refuse(login, reason);
}

/* How far ahead dates are looked up, in seconds: a session is looked at again by then. */
#define AHEAD_S 3600

/* The first moment at which the claim holds, if that is within AHEAD_S; else the end of that time.
 * The rules for dates stay where they are: this only asks them about other moments. */
static int64_t first_moment(const struct login *login,
                            bool (*holds)(const struct login *login, int64_t moment))
{
    int64_t before = login->now, at = login->now + AHEAD_S;

    if (holds(login, before) || !holds(login, at))
        return at;
    while (at - before > 1) {
        int64_t middle = before + (at - before) / 2;

        if (holds(login, middle))
            at = middle;
        else
            before = middle;
    }
    return at;
}

static bool is_announcement_over(const struct login *login, int64_t moment)
{
    bool is_announced = true;

    return apw_announcement_read(holder(login), moment, &is_announced, NULL) == 0 && !is_announced;
}

static int64_t enforcement_of(const struct login *login)
{
    return first_moment(login, is_announcement_over);
}

/* Refuses, or lets the directory check the account password. */
static void decide_with_mfa(struct login *login, bool is_on, bool is_announced)
{
    const struct apw_config *config = login->config;
    bool is_enforced = is_on && !is_announced && config->mfa_enforcement == APW_MFA_ENFORCE;
    bool is_never = config->account_password == APW_ACCOUNT_PASSWORD_NEVER;
    bool is_exempt =
        login->has_client && apw_networks_contain(&config->account_password_from, &login->client);

    if (is_enforced && !is_exempt) {
        refuse(login, login->is_app_shaped ? APW_REASON_UNKNOWN_APP_PASSWORD
                                           : APW_REASON_ACCOUNT_PASSWORD_WITH_MFA);
        return;
    }
    if (is_never && !is_exempt) {
        refuse(login, login->is_app_shaped ? APW_REASON_UNKNOWN_APP_PASSWORD
                                           : APW_REASON_ACCOUNT_PASSWORD_NEVER);
        return;
    }
    if (is_announced && !is_exempt && config->mfa_enforcement == APW_MFA_ENFORCE &&
        apw_announcement_is_clock_behind(holder(login), login->now)) {
        apw_error_set(&login->decision->event.detail,
                      "by this host's clock MFA is not enforced yet, but the clock is not set or "
                      "is behind a date in the entry; check it");
        name_holder(login);
        give_up(login, APW_REASON_CLOCK);
        return;
    }
    if (login->is_session) {
        stay_until(login, is_announced && !is_exempt ? enforcement_of(login) : INT64_MAX);
        return;
    }
    login->decision->event.is_exempt = is_exempt && (is_enforced || is_never);
    decide_bind(login);
    login->decision->event.would_refuse =
        login->decision->event.verdict == APW_ACCEPTED && is_on && !is_exempt;
}

static void give_up_without_mfa(struct login *login)
{
    name_holder(login);
    give_up(login, APW_REASON_MFA_UNREADABLE);
}

/* Settles if that is unknown. */
static bool read_mfa(struct login *login, bool *is_on_r)
{
    /* Users with app passwords usually have MFA on; asking for that first saves a search. */
    bool is_likely_on = login->is_app_shaped || login->asks_for_mfa ||
                        apw_entry_attribute(holder(login), "appPassword") != NULL;
    const struct apw_mfa_subject subject = {
        .dn = login->entry->dn,
        .id = login->id,
        .stored_dn = login->stored == NULL ? NULL : login->stored->dn,
    };

    if (login->is_shown_mfa_off) {
        *is_on_r = false;
        return true;
    }
    switch (apw_mfa_read(login->world, login->config, &subject, is_likely_on, login->deadline,
                         &login->decision->event.detail)) {
    case APW_MFA_OFF:
        *is_on_r = false;
        return true;
    case APW_MFA_ON:
        *is_on_r = true;
        return true;
    case APW_MFA_UNREADABLE:
        give_up_without_mfa(login);
        return false;
    case APW_MFA_UNAVAILABLE:
        break;
    }
    give_up(login, APW_REASON_DIRECTORY_UNAVAILABLE);
    return false;
}

/* As above. All sessions of a user have one answer. */
static bool is_mfa_known(struct login *login, bool *is_on_r)
{
    if (!login->is_mfa_read && !read_mfa(login, &login->is_mfa_on))
        return false;
    login->is_mfa_read = true;
    *is_on_r = login->is_mfa_on;
    return true;
}

static void decide_account_password(struct login *login)
{
    bool is_on, is_announced = false;

    if (!is_mfa_known(login, &is_on) || (is_on && !find_stored(login)))
        return;
    if (is_on && apw_announcement_read(holder(login), login->now, &is_announced,
                                       &login->decision->event.detail) != 0)
        give_up_without_mfa(login);
    else
        decide_with_mfa(login, is_on, is_announced);
}

/* A bind would count as a wrong password. If the directory with them hides attributes of single
 * entries, the app password may be hidden, too. */
static void decide_unknown_app_password(struct login *login)
{
    const struct apw_config *config = login->config;
    bool may_be_hidden = apw_directory_traits(apw_config_holder(config))->hides_per_entry &&
                         config->mfa_off_filter != NULL;
    bool is_on;

    if (!may_be_hidden || is_mfa_known(login, &is_on))
        refuse(login, APW_REASON_UNKNOWN_APP_PASSWORD);
}

/* ---- the whole ---- */

/* Tells a device with an old password from somebody who guesses. */
static void note_repeat(struct login *login)
{
    const struct apw_attempt *attempt = login->attempt;
    struct apw_event *event = &login->decision->event;

    switch (event->reason) {
    case APW_REASON_ACCOUNT_PASSWORD_WITH_MFA:
    case APW_REASON_ACCOUNT_PASSWORD_NEVER:
    case APW_REASON_WRONG_ACCOUNT_PASSWORD:
        if (login->world->repeat != NULL && login->has_client)
            event->repeat = apw_repeat_note(login->world->repeat, login->entry->dn, event->client,
                                            attempt->password, attempt->password_length);
        return;
    default:
        return;
    }
}

static void decide(struct login *login)
{
    struct found found = {.count = 0};
    char id[APW_ID_LENGTH + 1];

    login->is_app_shaped = apw_password_recognize(
        login->attempt->password, login->attempt->password_length, &login->app_password);
    login->asks_for_mfa = !login->is_app_shaped && !login->config->store.has_mfa;
    find_entry(login);
    if (login->entry == NULL)
        return;
    if (!has_own_name(login) || !is_active(login))
        return;
    /* Who has MFA off in the users' directory signs in without the store. */
    if ((login->is_app_shaped || login->config->store.has_mfa) && !find_stored(login))
        return;
    if (login->is_app_shaped) {
        apw_password_id(&login->app_password, id);
        found = find_values(login, id);
    }
    if (found.count > 0)
        decide_app_password(login, id, &found);
    else if (apw_password_is_as_shown(login->attempt->password, login->attempt->password_length))
        decide_unknown_app_password(login);
    else
        decide_account_password(login);
    note_repeat(login);
}

/* The host has decided already. */
static void decide_by_objection(struct login *login, const struct apw_objection *objection)
{
    login->decision->event.detail = objection->why;
    if (objection->verdict == APW_UNAVAILABLE)
        give_up(login, APW_REASON_INTERNAL_ERROR);
    else
        refuse(login, APW_REASON_MALFORMED);
}

/* Where the login comes from. */
static void describe_origin(struct login *login, const char *service, const char *client)
{
    struct apw_decision *decision = login->decision;

    decision->event.service[0] = '\0';
    decision->event.client[0] = '\0';
    if (service != NULL)
        apw_service_canonicalize(service, strlen(service), decision->event.service);
    login->has_client = client != NULL && apw_network_parse_address(client, &login->client) == 0;
    if (login->has_client)
        inet_ntop(login->client.bits == 32 ? AF_INET : AF_INET6, login->client.bytes,
                  decision->event.client, sizeof decision->event.client);
}

/* Fills the parts of the log line that do not depend on the outcome. */
static void describe(struct login *login)
{
    const struct apw_attempt *attempt = login->attempt;
    struct apw_decision *decision = login->decision;

    decision->event.user_length =
        attempt->login_length < APW_LOGIN_BYTES_MAX ? attempt->login_length : APW_LOGIN_BYTES_MAX;
    memcpy(decision->event.user, attempt->login, decision->event.user_length);
    describe_origin(login, attempt->service, attempt->client);
    if (attempt->session != NULL)
        apw_event_set_session(&decision->event, attempt->session);
}

/* Begins the decision, with the parts that apw_verify() and apw_verify_existence() share. */
static struct login begin(const struct apw_config *config, const struct apw_world *world,
                          const struct apw_attempt *attempt, int64_t deadline,
                          struct apw_decision *decision_r)
{
    struct login login = {.config = config,
                          .world = world,
                          .attempt = attempt,
                          .deadline = deadline,
                          .decision = decision_r};

    memset(decision_r, 0, sizeof *decision_r);
    describe(&login);
    return login;
}

static void give_up_late(struct login *login)
{
    apw_error_set(&login->decision->event.detail,
                  "the login waited %lld s, longer than half of the deadline of %d s",
                  (long long)login->attempt->waited_ms / 1000, login->config->deadline_ms / 1000);
    give_up(login, APW_REASON_WAITED_TOO_LONG);
}

void apw_verify(const struct apw_config *config, const struct apw_world *world,
                const struct apw_attempt *attempt, int64_t deadline,
                struct apw_decision *decision_r)
{
    struct login login = begin(config, world, attempt, deadline, decision_r);

    if (attempt->objection != NULL) {
        decide_by_objection(&login, attempt->objection);
        return;
    }
    if (is_malformed(attempt)) {
        refuse(&login, APW_REASON_MALFORMED);
        return;
    }
    if (config == NULL) {
        give_up(&login, APW_REASON_CONFIGURATION);
        return;
    }
    if (attempt->waited_ms > config->deadline_ms / 2) {
        give_up_late(&login);
        return;
    }
    memcpy(login.name, attempt->login, attempt->login_length);
    login.now = world->now(world->context);
    decide(&login);
    apw_entries_free(&login.entry);
    apw_entries_free(&login.stored);
    sodium_memzero(&login.app_password, sizeof login.app_password);
}

/* What a refusal or an outage says about the user. */
static enum apw_existence existence_of(const struct apw_event *event)
{
    bool is_unknown = event->reason == APW_REASON_MALFORMED ||
                      event->reason == APW_REASON_UNKNOWN_USER ||
                      event->reason == APW_REASON_ACCOUNT_DISABLED;

    return event->verdict == APW_REFUSED && is_unknown ? APW_EXISTENCE_UNKNOWN
                                                       : APW_EXISTENCE_UNAVAILABLE;
}

static enum apw_existence find_user(struct login *login)
{
    find_entry(login);
    if (login->entry == NULL || !has_own_name(login) || !is_active(login))
        return existence_of(&login->decision->event);
    if (!login->has_name) {
        give_up_without_name(login);
        return APW_EXISTENCE_UNAVAILABLE;
    }
    memcpy(login->decision->event.name, login->accepted_name, sizeof login->accepted_name);
    return APW_EXISTENCE_KNOWN;
}

enum apw_existence apw_verify_existence(const struct apw_config *config,
                                        const struct apw_world *world,
                                        const struct apw_attempt *attempt, int64_t deadline,
                                        struct apw_decision *decision_r)
{
    struct login login = begin(config, world, attempt, deadline, decision_r);
    enum apw_existence existence;

    if (!apw_login_is_wellformed(attempt->login, attempt->login_length)) {
        refuse(&login, APW_REASON_MALFORMED);
        return existence_of(&decision_r->event);
    }
    if (config == NULL) {
        give_up(&login, APW_REASON_CONFIGURATION);
        return APW_EXISTENCE_UNAVAILABLE;
    }
    memcpy(login.name, attempt->login, attempt->login_length);
    login.now = world->now(world->context);
    existence = find_user(&login);
    apw_entries_free(&login.entry);
    return existence;
}

/* ---- sessions that are open ---- */

/* When an app password was revoked or expired, if its value says so. */
static int64_t read_end(const struct apw_config *config, const struct apw_value *value, int64_t now)
{
    struct apw_tombstone tombstone;
    struct apw_record record;
    int64_t end = 0;

    if (apw_tombstone_parse(value->bytes, value->length, &tombstone) == 0)
        return tombstone.revoked;
    if (apw_record_parse(value->bytes, value->length, &record, NULL) == 0)
        end = apw_policy_end(config, &record);
    sodium_memzero(&record, sizeof record);
    return end <= now ? end : 0;
}

/* Decides what a login by this way would decide before its password is checked. */
static void ask_way(struct login *login, const char *name, struct apw_way *way_r)
{
    struct apw_event *event = &login->decision->event;
    struct found found = {.count = 0};

    free(event->dn);
    event->dn = NULL;
    event->detail.text[0] = '\0';
    event->id[0] = '\0';
    give_up(login, APW_REASON_INTERNAL_ERROR);
    login->may_stay = false;
    snprintf(way_r->name, sizeof way_r->name, "%s", name);
    way_r->ended = 0;
    if (strcmp(name, APW_WAY_ACCOUNT_PASSWORD) != 0)
        found = find_values(login, name);
    if (found.count > 0) {
        decide_app_password(login, way_r->name, &found);
        way_r->ended = read_end(login->config, found.value, login->now);
    } else if (strcmp(name, APW_WAY_ACCOUNT_PASSWORD) == 0) {
        decide_account_password(login);
    } else {
        decide_unknown_app_password(login);
    }
    way_r->standing = login->may_stay                 ? APW_STANDING_VALID
                      : event->verdict == APW_REFUSED ? APW_STANDING_ENDED
                                                      : APW_STANDING_UNKNOWN;
    way_r->reason = event->reason;
}

static bool has_way(const struct apw_open_session *session, const char *name)
{
    for (size_t i = 0; i < session->count; i++)
        if (strcmp(session->found[i].name, name) == 0)
            return true;
    return false;
}

/* Fails without memory. */
static int ask_session(struct login *login, struct apw_open_session *session)
{
    const struct apw_attribute *values = apw_entry_attribute(holder(login), "appPassword");
    size_t count = values == NULL || session->way != NULL ? 0 : values->count;

    session->found = calloc(count + 1, sizeof session->found[0]);
    if (session->found == NULL)
        return -1;
    describe_origin(login, session->service, session->client);
    ask_way(login, session->way != NULL ? session->way : APW_WAY_ACCOUNT_PASSWORD,
            &session->found[session->count++]);
    for (size_t i = 0; i < count; i++) {
        char id[APW_ID_LENGTH + 1];

        if (apw_record_parse_id(values->value[i].bytes, values->value[i].length, id) == 0 &&
            !has_way(session, id))
            ask_way(login, id, &session->found[session->count++]);
    }
    return 0;
}

static bool has_ended(const struct login *login, int64_t moment)
{
    return apw_account_state_read(login->entry, login->config->directory, moment, NULL) ==
           APW_ACCOUNT_STATE_ENDED;
}

/* Asks all sessions of a user who may sign in. */
static enum apw_existence ask_sessions(struct login *login, struct apw_open_session *sessions,
                                       size_t count)
{
    if (!has_own_name(login) || !is_active(login) || !find_stored(login))
        return existence_of(&login->decision->event);
    login->until = first_moment(login, has_ended);
    for (size_t i = 0; i < count; i++)
        if (ask_session(login, &sessions[i]) != 0) {
            give_up(login, APW_REASON_INTERNAL_ERROR);
            return APW_EXISTENCE_UNAVAILABLE;
        }
    return APW_EXISTENCE_KNOWN;
}

enum apw_existence apw_verify_open_sessions(const struct apw_config *config,
                                            const struct apw_world *world, const char *name,
                                            struct apw_open_session *sessions, size_t count,
                                            int64_t deadline, struct apw_session_user *user_r)
{
    const struct apw_attempt attempt = {.login = name, .login_length = strlen(name)};
    struct apw_decision decision;
    struct login login = begin(config, world, &attempt, deadline, &decision);
    enum apw_existence existence;

    memset(user_r, 0, sizeof *user_r);
    if (!apw_login_is_wellformed(name, attempt.login_length)) {
        refuse(&login, APW_REASON_MALFORMED);
        user_r->event = decision.event;
        return existence_of(&decision.event);
    }
    memcpy(login.name, name, attempt.login_length);
    login.is_session = true;
    login.now = world->now(world->context);
    login.until = login.now + AHEAD_S;
    find_entry(&login);
    existence =
        login.entry == NULL ? existence_of(&decision.event) : ask_sessions(&login, sessions, count);
    user_r->dn = login.entry == NULL ? NULL : strdup(login.entry->dn);
    user_r->stored_dn = login.stored == NULL ? NULL : strdup(login.stored->dn);
    user_r->until = login.until;
    user_r->event = decision.event;
    apw_entries_free(&login.entry);
    apw_entries_free(&login.stored);
    return existence;
}

void apw_verify_clear_session_user(struct apw_session_user *user)
{
    free(user->event.dn);
    free(user->dn);
    free(user->stored_dn);
    memset(user, 0, sizeof *user);
}

void apw_verify_clear_open_sessions(struct apw_open_session *sessions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(sessions[i].found);
        sessions[i].found = NULL;
        sessions[i].count = 0;
    }
}

void apw_verify_clear(struct apw_decision *decision)
{
    free(decision->event.dn);
    free(decision->use_dn);
    memset(decision, 0, sizeof *decision);
}
