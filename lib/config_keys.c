/* SPDX-License-Identifier: BSD-2-Clause */
#include "config_keys.h"
#include "clock.h"
#include "facility.h"
#include "hash.h"
#include "ldap/filter.h"
#include "ldap/schema.h"
#include "remember.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WATCH_INTERVAL_MAX_S   300
#define REVOKE_UNUSED_MIN_DAYS 30

static int set_start_tls(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_yes_no(value, &((struct apw_config *)target)->start_tls, error);
}

static int set_uri(void *target, const char *value, struct apw_error *error)
{
    struct apw_config *config = target;

    return apw_uris_parse(value, config->start_tls, &config->uris, error);
}

static int set_write_uri(void *target, const char *value, struct apw_error *error)
{
    struct apw_config *config = target;

    return apw_uris_parse(value, config->start_tls, &config->write_uris, error);
}

static int set_directory(void *target, const char *value, struct apw_error *error)
{
    static const char *const names[] = {"ldap", "active-directory", NULL};
    struct apw_config *config = target;
    int choice = apw_settings_choice(value, names, error);

    if (choice >= 0)
        config->directory = (enum apw_directory_type)choice;
    return choice >= 0 ? 0 : -1;
}

static int set_base(void *target, const char *value, struct apw_error *error)
{
    struct apw_config *config = target;

    if (!apw_schema_is_dn(value))
        return apw_error_set(error, "\"%s\" is not a DN like dc=example,dc=org", value);
    return apw_settings_copy(value, &config->base, error);
}

static int set_scope(void *target, const char *value, struct apw_error *error)
{
    static const char *const names[] = {"sub", "one", "base", NULL};
    struct apw_config *config = target;
    int choice = apw_settings_choice(value, names, error);

    if (choice >= 0)
        config->scope = (enum apw_scope)choice;
    return choice >= 0 ? 0 : -1;
}

static int set_filter(void *target, const char *value, struct apw_error *error)
{
    struct apw_config *config = target;

    if (apw_filter_check(value, true, error) != 0)
        return -1;
    return apw_settings_copy(value, &config->filter, error);
}

static int set_bind(void *target, const char *value, struct apw_error *error)
{
    struct apw_config *config = target;

    if (strcmp(value, "external") != 0)
        return apw_error_set(error,
                             "\"%s\" must be external; for a simple bind remove this line and "
                             "set binddn and bindpw_file",
                             value);
    config->identity.method = APW_BIND_EXTERNAL;
    return 0;
}

static int set_binddn(void *target, const char *value, struct apw_error *error)
{
    return apw_identity_set_dn(&((struct apw_config *)target)->identity, value, error);
}

static int set_bindpw_file(void *target, const char *value, struct apw_error *error)
{
    return apw_identity_set_password_file(&((struct apw_config *)target)->identity, value, error);
}

static int set_tls_cacert(void *target, const char *value, struct apw_error *error)
{
    struct apw_config *config = target;

    if (apw_settings_check_readable(value, error) != 0)
        return -1;
    free(config->tls_cacert);
    return apw_settings_copy(value, &config->tls_cacert, error);
}

static int set_tls_min(void *target, const char *value, struct apw_error *error)
{
    static const char *const names[] = {"1.2", "1.3", NULL};
    struct apw_config *config = target;
    int choice = apw_settings_choice(value, names, error);

    if (choice >= 0)
        config->tls_min = (enum apw_tls_min)choice;
    return choice >= 0 ? 0 : -1;
}

static int set_timeout(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_seconds(value, 1, &((struct apw_config *)target)->timeout_ms, error);
}

static int set_deadline(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_seconds(value, 1, &((struct apw_config *)target)->deadline_ms, error);
}

static int set_idle(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_period(value, &((struct apw_config *)target)->idle_s, error);
}

static int copy_filter(const char *value, char **filter, struct apw_error *error)
{
    if (apw_filter_check(value, false, error) != 0)
        return -1;
    free(*filter);
    return apw_settings_copy(value, filter, error);
}

static int set_mfa_filter(void *target, const char *value, struct apw_error *error)
{
    return copy_filter(value, &((struct apw_config *)target)->mfa_filter, error);
}

static int set_mfa_off_filter(void *target, const char *value, struct apw_error *error)
{
    return copy_filter(value, &((struct apw_config *)target)->mfa_off_filter, error);
}

static int copy_witness(const char *value, char **dn_r, struct apw_error *error)
{
    if (apw_schema_is_dn(value))
        return apw_settings_copy(value, dn_r, error);
    return apw_error_set(error, "\"%s\" is not a DN like uid=mfa-witness,dc=example,dc=org", value);
}

static int set_mfa_witness(void *target, const char *value, struct apw_error *error)
{
    return copy_witness(value, &((struct apw_config *)target)->mfa_witness, error);
}

static int set_disabled_filter(void *target, const char *value, struct apw_error *error)
{
    return copy_filter(value, &((struct apw_config *)target)->disabled_filter, error);
}

static int set_disabled_witness(void *target, const char *value, struct apw_error *error)
{
    return copy_witness(value, &((struct apw_config *)target)->disabled_witness, error);
}

static int set_mfa_enforcement(void *target, const char *value, struct apw_error *error)
{
    static const char *const names[] = {"enforce", "report", NULL};
    struct apw_config *config = target;
    int choice = apw_settings_choice(value, names, error);

    if (choice >= 0)
        config->mfa_enforcement = (enum apw_mfa_enforcement)choice;
    return choice >= 0 ? 0 : -1;
}

static int set_mfa_grace(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_period(value, &((struct apw_config *)target)->mfa_grace_s, error);
}

static int set_account_password(void *target, const char *value, struct apw_error *error)
{
    static const char *const names[] = {"when-mfa-off", "never", NULL};
    struct apw_config *config = target;
    int choice = apw_settings_choice(value, names, error);

    if (choice >= 0)
        config->account_password = (enum apw_account_password)choice;
    return choice >= 0 ? 0 : -1;
}

static int set_account_password_from(void *target, const char *value, struct apw_error *error)
{
    struct apw_config *config = target;
    const char *bad = NULL;
    char *list;
    int status = 0;

    if (strcmp(value, "none") == 0)
        return 0;
    if (apw_settings_copy_list(value, &list, error) != 0)
        return -1;
    if (apw_networks_parse(list, strlen(list), ' ', &config->account_password_from, &bad) != 0)
        status = apw_error_set(error,
                               "\"%.*s\" is not a network like 192.0.2.7, 192.0.2.0/24 or "
                               "2001:db8::/32 (at most %d, no bits set after the prefix)",
                               (int)strcspn(bad, " "), bad, APW_NETWORKS_MAX);
    free(list);
    return status;
}

static int set_login_attribute(void *target, const char *value, struct apw_error *error)
{
    struct apw_config *config = target;
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    if (strspn(value, letters) == 0 ||
        strspn(value + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") !=
            strlen(value) - 1)
        return apw_error_set(error, "\"%s\" is not an attribute name like uid", value);
    return apw_settings_copy(value, &config->login_attribute, error);
}

static int set_hash_memory(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_mebibytes(value, APW_HASH_MEMORY_MAX_MIB,
                                  &((struct apw_config *)target)->hash_memory_mib, error);
}

static int set_hash_passes(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_count(value, APW_HASH_PASSES_MAX, "passes",
                              &((struct apw_config *)target)->hash_passes, error);
}

static int set_max_app_passwords(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_count(value, 1000, "app passwords",
                              &((struct apw_config *)target)->max_app_passwords, error);
}

static int set_record_use(void *target, const char *value, struct apw_error *error)
{
    struct apw_config *config = target;
    static const char suffix[] = "without-address";
    size_t length = strcspn(value, " \t");
    const char *rest = value + length + strspn(value + length, " \t");
    char period[16];

    if (length < sizeof period && (*rest == '\0' || strcmp(rest, suffix) == 0)) {
        memcpy(period, value, length);
        period[length] = '\0';
        config->record_use_without_address = *rest != '\0';
        config->record_use_s = 0;
        if (strcmp(period, "never") == 0 ||
            (apw_clock_parse_duration(period, false, &config->record_use_s) == 0 &&
             config->record_use_s > 0))
            return 0;
    }
    return apw_error_set(error,
                         "\"%s\" must be never, or a period like 1d or 12h, optionally followed "
                         "by without-address",
                         value);
}

static int set_max_lifetime(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_days(value, 1, &((struct apw_config *)target)->max_lifetime_s, error);
}

static int set_default_expires(void *target, const char *value, struct apw_error *error)
{
    struct apw_config *config = target;

    config->has_default_expires = true;
    return apw_settings_days(value, 1, &config->default_expires_s, error);
}

static int set_revoke_unused(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_days(value, REVOKE_UNUSED_MIN_DAYS,
                             &((struct apw_config *)target)->revoke_unused_s, error);
}

static int set_revoke_on_password_change(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_yes_no(value, &((struct apw_config *)target)->revoke_on_password_change,
                               error);
}

static int set_remember(void *target, const char *value, struct apw_error *error)
{
    unsigned *count = &((struct apw_config *)target)->remember;
    struct apw_error ignored;

    if (strcmp(value, "yes") == 0)
        return 0; /* the default */
    *count = 0;
    if (strcmp(value, "no") == 0 || strcmp(value, "0") == 0 ||
        apw_settings_count(value, APW_REMEMBER_MAX, "app passwords", count, &ignored) == 0)
        return 0;
    return apw_error_set(error, "\"%s\" is not a number of app passwords from 0 to %d", value,
                         APW_REMEMBER_MAX);
}

static int set_refusal_delay(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_seconds(value, 0, &((struct apw_config *)target)->refusal_delay_ms, error);
}

static int set_watch_interval(void *target, const char *value, struct apw_error *error)
{
    struct apw_config *config = target;

    config->watch_interval_s = 0;
    if (strcmp(value, "never") == 0 ||
        (apw_clock_parse_duration(value, true, &config->watch_interval_s) == 0 &&
         config->watch_interval_s > 0 && config->watch_interval_s <= WATCH_INTERVAL_MAX_S))
        return 0;
    return apw_error_set(error, "\"%s\" must be never, or a time from 1s to 5m, such as 5s", value);
}

static int set_watch_kick_max(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_count(value, 1000000, "users",
                              &((struct apw_config *)target)->watch_kick_max, error);
}

static struct apw_store_config *store_of(void *target)
{
    return &((struct apw_config *)target)->store;
}

static int set_store_start_tls(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_yes_no(value, &store_of(target)->start_tls, error);
}

static int set_store_uri(void *target, const char *value, struct apw_error *error)
{
    struct apw_store_config *store = store_of(target);

    return apw_uris_parse(value, store->start_tls, &store->uris, error);
}

static int set_store_write_uri(void *target, const char *value, struct apw_error *error)
{
    struct apw_store_config *store = store_of(target);

    return apw_uris_parse(value, store->start_tls, &store->write_uris, error);
}

static int set_store_base(void *target, const char *value, struct apw_error *error)
{
    if (!apw_schema_is_dn(value))
        return apw_error_set(error, "\"%s\" is not a DN like ou=entries,o=app-passwords", value);
    return apw_settings_copy(value, &store_of(target)->base, error);
}

static int set_store_binddn(void *target, const char *value, struct apw_error *error)
{
    return apw_identity_set_dn(&store_of(target)->identity, value, error);
}

static int set_store_bindpw_file(void *target, const char *value, struct apw_error *error)
{
    return apw_identity_set_password_file(&store_of(target)->identity, value, error);
}

static int set_store_tls_cacert(void *target, const char *value, struct apw_error *error)
{
    if (apw_settings_check_readable(value, error) != 0)
        return -1;
    return apw_settings_copy(value, &store_of(target)->tls_cacert, error);
}

static int set_id_attribute(void *target, const char *value, struct apw_error *error)
{
    struct apw_store_config *store = store_of(target);

    store->id_attribute = apw_directory_id_attribute(value);
    if (store->id_attribute != NULL)
        return 0;
    return apw_error_set(error, "\"%s\" must be %s, which a user keeps for good", value,
                         apw_directory_id_attributes);
}

static int set_store_mfa(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_yes_no(value, &store_of(target)->has_mfa, error);
}

static int set_store_mfa_default(void *target, const char *value, struct apw_error *error)
{
    static const char *const names[] = {"on", "off", NULL};
    int choice = apw_settings_choice(value, names, error);

    if (choice >= 0)
        store_of(target)->is_mfa_off_by_default = choice == 1;
    return choice >= 0 ? 0 : -1;
}

int apw_config_set_log(void *target, const char *value, struct apw_error *error)
{
    struct apw_config *config = target;

    if (value[0] == '/')
        return apw_settings_copy(value, &config->log_file, error);
    config->log_to_stderr = strcmp(value, "stderr") == 0;
    if (config->log_to_stderr)
        return 0;
    config->log_facility = apw_facility_parse(value);
    if (config->log_facility >= 0)
        return 0;
    return apw_error_set(error,
                         "\"%s\" is neither \"syslog mail\" (auth, authpriv, daemon, user, local0 "
                         "to local7) nor stderr nor an absolute path",
                         value);
}

/* Values are set in this order: start_tls before the URIs that depend on it. */
static const struct apw_key login_keys[] = {
    {"directory", set_directory},
    {"start_tls", set_start_tls},
    {"uri", set_uri},
    {"write_uri", set_write_uri},
    {"base", set_base},
    {"scope", set_scope},
    {"filter", set_filter},
    {"bind", set_bind},
    {"binddn", set_binddn},
    {"bindpw_file", set_bindpw_file},
    {"tls_cacert", set_tls_cacert},
    {"tls_min", set_tls_min},
    {"timeout", set_timeout},
    {"deadline", set_deadline},
    {"idle", set_idle},
    {"disabled_filter", set_disabled_filter},
    {"disabled_witness", set_disabled_witness},
    {"mfa_filter", set_mfa_filter},
    {"mfa_off_filter", set_mfa_off_filter},
    {"mfa_witness", set_mfa_witness},
    {"mfa_enforcement", set_mfa_enforcement},
    {"mfa_grace", set_mfa_grace},
    {"account_password", set_account_password},
    {"account_password_from", set_account_password_from},
    {"login_attribute", set_login_attribute},
    {"hash_memory", set_hash_memory},
    {"hash_passes", set_hash_passes},
    {"max_app_passwords", set_max_app_passwords},
    {"record_use", set_record_use},
    {"max_lifetime", set_max_lifetime},
    {"default_expires", set_default_expires},
    {"revoke_unused", set_revoke_unused},
    {"revoke_on_password_change", set_revoke_on_password_change},
    {"remember", set_remember},
    {"refusal_delay", set_refusal_delay},
    {"watch_interval", set_watch_interval},
    {"watch_kick_max", set_watch_kick_max},
    {"store_start_tls", set_store_start_tls},
    {"store_uri", set_store_uri},
    {"store_write_uri", set_store_write_uri},
    {"store_base", set_store_base},
    {"store_binddn", set_store_binddn},
    {"store_bindpw_file", set_store_bindpw_file},
    {"store_tls_cacert", set_store_tls_cacert},
    {"id_attribute", set_id_attribute},
    {"store_mfa", set_store_mfa},
    {"store_mfa_default", set_store_mfa_default},
    {"log", apw_config_set_log},
};

const struct apw_key_table apw_config_login_keys = {
    "app-password.conf(5)", sizeof login_keys / sizeof login_keys[0], login_keys};
_Static_assert(sizeof login_keys / sizeof login_keys[0] <= APW_KEYS_MAX, "more keys than allowed");

bool apw_config_is_identity_key(const struct apw_key *key)
{
    return key->set == set_bind || key->set == set_binddn || key->set == set_bindpw_file ||
           key->set == set_store_binddn || key->set == set_store_bindpw_file;
}
