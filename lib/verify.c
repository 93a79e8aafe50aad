/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify.h"
#include "account_state.h"
#include "clock.h"
#include "ldap/filter.h"
#include "mfa.h"
#include "name.h"
#include "tombstone.h"
#include "use.h"
#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CLOCK_TOLERANCE_S 86400
#define CLOCK_EARLIEST    1790812800 /* 2026-10-01: a right clock is later */

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
    bool has_name; /* `accepted_name` leads to this entry alone */
    char accepted_name[APW_LOGIN_SIZE];
    struct apw_error no_name; /* why not */
    enum apw_reason no_name_reason;
    bool is_app_shaped;
    struct apw_password app_password;
    struct apw_decision *decision;
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

/* For findings about the entry itself, which an administrator should look at. */
static void name_entry(struct login *login)
{
    login->decision->event.dn = strdup(login->entry->dn);
}

/* ---- row 1: what was sent ---- */

static bool is_malformed(const struct apw_attempt *attempt)
{
    return !apw_login_is_wellformed(attempt->login, attempt->login_length) ||
           attempt->password_length == 0 || attempt->password_length > APW_SECRET_BYTES_MAX ||
           memchr(attempt->password, '\0', attempt->password_length) != NULL;
}

/* ---- rows 2 to 5: the entry ---- */

/* Leaves the one entry in login->entry, or settles. */
static void find_entry(struct login *login)
{
    const struct apw_config *config = login->config;
    const char *attributes[APW_ACCOUNT_STATE_ATTRIBUTES + 5] = {"appPassword",
                                                                "appPasswordMfaEnforceFrom"};
    size_t count = 2;
    char *filter = apw_filter_expand(config->filter, login->name);
    const struct apw_query query = {.base = config->base,
                                    .scope = config->scope,
                                    .filter = filter,
                                    .attributes = attributes,
                                    .limit = 2};
    enum apw_ldap_result result;

    for (size_t i = 0; i < APW_ACCOUNT_STATE_ATTRIBUTES; i++)
        attributes[count++] = apw_account_state_attributes[i];
    if (config->record_use_s > 0)
        attributes[count++] = "appPasswordUsed";
    if (config->login_attribute != NULL)
        attributes[count++] = config->login_attribute;
    if (filter == NULL) {
        apw_error_set(&login->decision->event.detail, "out of memory");
        give_up(login, APW_REASON_INTERNAL_ERROR);
        return;
    }
    result = login->world->search(login->world->context, &query, login->deadline, &login->entry,
                                  &login->decision->event.detail);
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
    const struct apw_attribute *used = apw_entry_attribute(login->entry, "appPasswordUsed");
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
    decision->use_dn = strdup(login->entry->dn); /* without memory, not recorded this time */
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

/* ---- row 6: an app password ---- */

/* The values with one id. */
struct found {
    size_t count;
    bool is_revoked;               /* one of them is a tombstone */
    const struct apw_value *value; /* the last of them */
};

static struct found find_values(const struct login *login, const char *id)
{
    const struct apw_attribute *attribute = apw_entry_attribute(login->entry, "appPassword");
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

static void decide_record(struct login *login, const struct apw_record *record)
{
    if (record->created > login->now + CLOCK_TOLERANCE_S) {
        apw_error_set(&login->decision->event.detail,
                      "created more than a day in the future; check this host's clock");
        name_entry(login);
        give_up(login, APW_REASON_CLOCK);
    } else if (record->has_expires && login->now >= record->expires) {
        refuse(login, APW_REASON_EXPIRED);
    } else if (record->services[0] != '\0' &&
               !apw_service_list_has(record->services, login->decision->event.service)) {
        refuse(login, APW_REASON_WRONG_SERVICE);
    } else if (record->from.count > 0 &&
               (!login->has_client || !apw_networks_contain(&record->from, &login->client))) {
        refuse(login, APW_REASON_WRONG_NETWORK);
    } else {
        decide_hash(login, record);
    }
}

static void decide_app_password(struct login *login, const struct found *found)
{
    struct apw_record record;

    apw_password_id(&login->app_password, login->decision->event.id);
    if (found->is_revoked) {
        refuse(login, APW_REASON_REVOKED);
        return;
    }
    if (is_usable(login, found, &record)) {
        decide_record(login, &record);
    } else {
        name_entry(login);
        refuse(login, APW_REASON_UNUSABLE_VALUE);
    }
    sodium_memzero(&record, sizeof record);
}

/* ---- rows 7 and 8: the account password ---- */

/* Whether MFA is only announced; -1 if appPasswordMfaEnforceFrom is invalid. */
static int read_announcement(struct login *login, bool *is_announced_r)
{
    const struct apw_attribute *attribute =
        apw_entry_attribute(login->entry, "appPasswordMfaEnforceFrom");
    int64_t enforce_from;

    *is_announced_r = false;
    if (attribute == NULL || attribute->count == 0)
        return 0;
    if (attribute->count != 1 ||
        apw_clock_parse_generalized_time(attribute->value[0].bytes, attribute->value[0].length,
                                         &enforce_from) != 0)
        return apw_error_set(&login->decision->event.detail,
                             "appPasswordMfaEnforceFrom is not one GeneralizedTime");
    *is_announced_r = login->now < enforce_from;
    return 0;
}

static bool is_made_later(const struct apw_value *value, int64_t moment)
{
    struct apw_tombstone tombstone;
    struct apw_record record;
    bool is_later;

    if (apw_tombstone_parse(value->bytes, value->length, &tombstone) == 0)
        return tombstone.created > moment || tombstone.revoked > moment;
    is_later = apw_record_parse(value->bytes, value->length, &record, NULL) == 0 &&
               record.created > moment;

    sodium_memzero(&record, sizeof record);
    return is_later;
}

/* With a clock that is behind, enforced MFA would look announced. */
static bool is_clock_behind(const struct login *login)
{
    const struct apw_attribute *made = apw_entry_attribute(login->entry, "appPassword");
    const struct apw_attribute *used = apw_entry_attribute(login->entry, "appPasswordUsed");
    int64_t latest = login->now + CLOCK_TOLERANCE_S;
    struct apw_use use;

    if (login->now < CLOCK_EARLIEST)
        return true;
    for (size_t i = 0; made != NULL && i < made->count; i++)
        if (is_made_later(&made->value[i], latest))
            return true;
    for (size_t i = 0; used != NULL && i < used->count; i++)
        if (apw_use_parse(used->value[i].bytes, used->value[i].length, &use) == 0 &&
            use.at > latest)
            return true;
    return false;
}

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
        is_clock_behind(login)) {
        apw_error_set(&login->decision->event.detail,
                      "by this host's clock MFA is not enforced yet, but the clock is not set or "
                      "is behind a date in the entry; check it");
        name_entry(login);
        give_up(login, APW_REASON_CLOCK);
        return;
    }
    login->decision->event.is_exempt = is_exempt && (is_enforced || is_never);
    decide_bind(login);
    login->decision->event.would_refuse =
        login->decision->event.verdict == APW_ACCEPTED && is_on && !is_exempt;
}

static void give_up_without_mfa(struct login *login)
{
    name_entry(login);
    give_up(login, APW_REASON_MFA_UNREADABLE);
}

/* Settles if that is unknown. */
static bool is_mfa_known(struct login *login, bool *is_on_r)
{
    /* Users with app passwords usually have MFA on; asking for that first saves a search. */
    bool is_likely_on =
        login->is_app_shaped || apw_entry_attribute(login->entry, "appPassword") != NULL;

    switch (apw_mfa_read(login->world, login->config, login->entry->dn, is_likely_on,
                         login->deadline, &login->decision->event.detail)) {
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

static void decide_account_password(struct login *login)
{
    bool is_on, is_announced = false;

    if (!is_mfa_known(login, &is_on))
        return;
    if (is_on && read_announcement(login, &is_announced) != 0)
        give_up_without_mfa(login);
    else
        decide_with_mfa(login, is_on, is_announced);
}

/* A bind would count as a wrong password. If the directory hides attributes of single entries, the
 * app password may be hidden, too. */
static void decide_unknown_app_password(struct login *login)
{
    const struct apw_config *config = login->config;
    bool may_be_hidden =
        apw_directory_traits(config->directory)->hides_per_entry && config->mfa_off_filter != NULL;
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

    find_entry(login);
    if (login->entry == NULL)
        return;
    if (!has_own_name(login) || !is_active(login))
        return;
    login->is_app_shaped = apw_password_recognize(
        login->attempt->password, login->attempt->password_length, &login->app_password);
    if (login->is_app_shaped) {
        apw_password_id(&login->app_password, id);
        found = find_values(login, id);
    }
    if (found.count > 0)
        decide_app_password(login, &found);
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

/* Fills the parts of the log line that do not depend on the outcome. */
static void describe(struct login *login)
{
    const struct apw_attempt *attempt = login->attempt;
    struct apw_decision *decision = login->decision;

    decision->event.user_length =
        attempt->login_length < APW_LOGIN_BYTES_MAX ? attempt->login_length : APW_LOGIN_BYTES_MAX;
    memcpy(decision->event.user, attempt->login, decision->event.user_length);
    if (attempt->service != NULL)
        apw_service_canonicalize(attempt->service, strlen(attempt->service),
                                 decision->event.service);
    login->has_client =
        attempt->client != NULL && apw_network_parse_address(attempt->client, &login->client) == 0;
    if (login->has_client)
        inet_ntop(login->client.bits == 32 ? AF_INET : AF_INET6, login->client.bytes,
                  decision->event.client, sizeof decision->event.client);
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
    memcpy(login.name, attempt->login, attempt->login_length);
    login.now = world->now(world->context);
    decide(&login);
    apw_entries_free(&login.entry);
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

void apw_verify_clear(struct apw_decision *decision)
{
    free(decision->event.dn);
    free(decision->use_dn);
    memset(decision, 0, sizeof *decision);
}
