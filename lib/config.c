/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"
#include "apw_build.h"
#include "config_keys.h"
#include "ldap/filter.h"
#include "ldap/filter_tree.h"
#include "mfa_rule.h"
#include "policy.h"
#include "settings.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

const char apw_config_default_path[] = APW_SYSCONFDIR "/app-password/app-password.conf";

/* Whether a filter reads attributes that other directories rarely have. */
static bool reads_as_active_directory(const char *filter)
{
    return apw_filter_tree_reads(filter, "sAMAccountName") ||
           apw_filter_tree_reads(filter, "userPrincipalName") ||
           apw_filter_tree_reads(filter, "objectCategory");
}

/* A flag in the store. A group left over from a configuration without store_mfa would be asked of
 * entries that are in no group. */
static int check_mfa_in_store(const struct apw_config *config, struct apw_error *error)
{
    if (config->store.is_mfa_off_by_default && config->mfa_witness == NULL)
        return apw_error_set(error,
                             "store_mfa_default off needs mfa_witness, the DN of an entry of the "
                             "store for which MFA is always on: an empty store must not turn MFA "
                             "off");
    if (!apw_filter_tree_reads(config->mfa_filter, "appPasswordMfaEnabled"))
        return apw_error_set(error,
                             "with \"store_mfa yes\", mfa_filter must read appPasswordMfaEnabled: "
                             "it is asked of the entry in the store; leave it out");
    if (config->account_password == APW_ACCOUNT_PASSWORD_NEVER || config->mfa_witness != NULL)
        return 0;
    return apw_mfa_rule_check(config->mfa_filter, config->mfa_off_filter, config->store.base,
                              error);
}

/* Whether a login can be shown that MFA is off, if it ever asks. */
static int check_mfa_off(const struct apw_config *config, struct apw_error *error)
{
    if (config->store.has_mfa)
        return check_mfa_in_store(config, error);
    if (config->account_password == APW_ACCOUNT_PASSWORD_NEVER)
        return 0;
    if (apw_directory_traits(config->directory)->hides_per_entry)
        return apw_mfa_rule_check_strictly(config->mfa_filter, config->mfa_off_filter,
                                           config->mfa_witness, error);
    if (config->mfa_witness != NULL)
        return 0;
    if (config->mfa_off_filter == NULL && reads_as_active_directory(config->filter))
        return apw_error_set(error,
                             "filter looks like one for Active Directory, which cannot tell a "
                             "hidden attribute from an absent one; add \"directory "
                             "active-directory\", or, if it is another directory, mfa_witness");
    return apw_mfa_rule_check(config->mfa_filter, config->mfa_off_filter, config->base, error);
}

static int check_filters(const struct apw_config *config, struct apw_error *error)
{
    if (config->login_attribute == NULL && apw_filter_check_name(config->filter, error) != 0)
        return -1;
    if (check_mfa_off(config, error) != 0)
        return -1;
    return apw_mfa_rule_check_disabled(config->disabled_filter, config->disabled_witness,
                                       config->base, error);
}

/* The defaults that depend on where the MFA flag is. */
static int complete_mfa(struct apw_config *config, struct apw_error *error)
{
    bool is_elsewhere = apw_config_has_store(config) && !config->store.has_mfa;

    if (config->store.has_mfa && config->mfa_off_filter == NULL &&
        apw_settings_copy(APW_MFA_RULE_DEFAULT_OFF, &config->mfa_off_filter, error) != 0)
        return -1;
    if (config->mfa_filter != NULL)
        return 0;
    if (is_elsewhere && config->account_password != APW_ACCOUNT_PASSWORD_NEVER)
        return apw_error_set(error,
                             "%s: mfa_filter is missing: with a store, either it says what the "
                             "directory of the users knows of MFA, or \"store_mfa yes\" keeps that "
                             "in the store",
                             config->path);
    return apw_settings_copy(APW_MFA_RULE_DEFAULT, &config->mfa_filter, error);
}

/* The defaults that depend on the kind of directory, and what that does not serve. */
static int complete_for_directory(struct apw_config *config, struct apw_error *error)
{
    const struct apw_directory_traits *traits = apw_directory_traits(config->directory);

    if (config->filter == NULL && apw_settings_copy(traits->filter, &config->filter, error) != 0)
        return -1;
    if (config->login_attribute == NULL && traits->login_attribute != NULL &&
        apw_settings_copy(traits->login_attribute, &config->login_attribute, error) != 0)
        return -1;
    if (config->directory == APW_DIRECTORY_ACTIVE_DIRECTORY &&
        (apw_uris_check_catalog(&config->uris, error) != 0 ||
         apw_uris_check_catalog(&config->write_uris, error) != 0))
        return apw_error_set(error, "%s: %s", config->path, error->text);
    return 0;
}

/* The key that only a store needs and that is set though there is none, or NULL. */
static const char *needless_key(const struct apw_store_config *store)
{
    return store->base != NULL                ? "store_base"
           : store->write_uris.count > 0      ? "store_write_uri"
           : store->identity.dn != NULL       ? "store_binddn"
           : store->identity.password != NULL ? "store_bindpw_file"
           : store->start_tls                 ? "store_start_tls"
           : store->tls_cacert != NULL        ? "store_tls_cacert"
           : store->id_attribute != NULL      ? "id_attribute"
           : store->has_mfa                   ? "store_mfa"
           : store->is_mfa_off_by_default     ? "store_mfa_default"
                                              : NULL;
}

static int complete_store(struct apw_config *config, bool with_identity, struct apw_error *error)
{
    struct apw_store_config *store = &config->store;
    const char *needless = needless_key(store);
    const char *missing = store->base == NULL                ? "store_base"
                          : store->id_attribute == NULL      ? "id_attribute"
                          : !with_identity                   ? NULL
                          : store->identity.dn == NULL       ? "store_binddn"
                          : store->identity.password == NULL ? "store_bindpw_file"
                                                             : NULL;

    if (!apw_config_has_store(config))
        return needless == NULL
                   ? 0
                   : apw_error_set(error, "%s: %s needs store_uri", config->path, needless);
    if (missing != NULL)
        return apw_error_set(error, "%s: %s is missing: store_uri needs it", config->path, missing);
    if (store->is_mfa_off_by_default && !store->has_mfa)
        return apw_error_set(error, "%s: store_mfa_default needs \"store_mfa yes\"", config->path);
    if (store->tls_cacert == NULL &&
        apw_settings_copy(APW_CA_BUNDLE, &store->tls_cacert, error) != 0)
        return -1;
    return store->write_uris.count > 0 ? 0 : apw_uris_copy(&store->uris, &store->write_uris, error);
}

static int complete_policy(struct apw_config *config, struct apw_error *error)
{
    if (!config->has_default_expires)
        config->default_expires_s = config->max_lifetime_s;
    return apw_policy_check(config, error);
}

static int complete(struct apw_config *config, bool with_identity, struct apw_error *error)
{
    if (config->uris.count == 0 || config->base == NULL)
        return apw_error_set(error, "%s: %s is missing", config->path,
                             config->uris.count == 0 ? "uri" : "base");
    if (with_identity && apw_identity_check(&config->identity, config->path, error) != 0)
        return -1;
    if (config->identity.method == APW_BIND_EXTERNAL &&
        (!apw_uris_are_ldapi(&config->uris) || !apw_uris_are_ldapi(&config->write_uris)))
        return apw_error_set(error, "%s: \"bind external\" needs ldapi URIs only", config->path);
    if (config->deadline_ms < config->timeout_ms)
        return apw_error_set(error, "%s: deadline (%d s) is shorter than timeout (%d s)",
                             config->path, config->deadline_ms / 1000, config->timeout_ms / 1000);
    if (complete_for_directory(config, error) != 0 ||
        complete_store(config, with_identity, error) != 0 || complete_mfa(config, error) != 0)
        return -1;
    if (complete_policy(config, error) != 0 || check_filters(config, error) != 0)
        return apw_error_set(error, "%s: %s", config->path, error->text);
    if (config->write_uris.count == 0)
        return apw_uris_copy(&config->uris, &config->write_uris, error);
    return 0;
}

static int set_defaults(struct apw_config *config, const char *path, struct apw_error *error)
{
    config->timeout_ms = 5000;
    config->deadline_ms = 12000;
    config->idle_s = 240;
    config->hash_memory_mib = 8;
    config->hash_passes = 1;
    config->watch_kick_max = 50;
    config->max_app_passwords = 40;
    config->record_use_s = 86400;
    config->remember = 100000;
    config->refusal_delay_ms = 1000;
    config->log_facility = LOG_MAIL;
    if (apw_settings_copy(path, &config->path, error) != 0)
        return -1;
    return apw_settings_copy(APW_CA_BUNDLE, &config->tls_cacert, error);
}

static int read_config(const char *path, bool with_identity, struct apw_config **config_r,
                       struct apw_error *error)
{
    struct apw_config *config = calloc(1, sizeof *config);

    *config_r = NULL;
    if (config == NULL)
        return apw_error_set(error, "out of memory");
    if (set_defaults(config, path, error) != 0 ||
        apw_settings_read(path, &apw_config_login_keys,
                          with_identity ? NULL : apw_config_is_identity_key, config, error) != 0 ||
        complete(config, with_identity, error) != 0) {
        apw_config_free(&config);
        return -1;
    }
    *config_r = config;
    return 0;
}

int apw_config_read(const char *path, struct apw_config **config_r, struct apw_error *error)
{
    return read_config(path, true, config_r, error);
}

int apw_config_read_without_identity(const char *path, struct apw_config **config_r,
                                     struct apw_error *error)
{
    return read_config(path, false, config_r, error);
}

int apw_config_read_log(const char *path, struct apw_config **config_r, struct apw_error *error)
{
    struct apw_config *config = calloc(1, sizeof *config);
    char *value = apw_settings_find(path, "log");
    int status =
        config == NULL ? apw_error_set(error, "out of memory") : set_defaults(config, path, error);

    if (status == 0 && value != NULL)
        status = apw_config_set_log(config, value, error);
    free(value);
    if (status != 0)
        apw_config_free(&config);
    *config_r = config;
    return status;
}

int apw_config_read_identity(const char *path, struct apw_identity *identity_r,
                             struct apw_error *error)
{
    struct apw_config *config;

    if (apw_config_read(path, &config, error) != 0)
        return -1;
    *identity_r = config->identity;
    config->identity = (struct apw_identity){.dn = NULL};
    apw_config_free(&config);
    return 0;
}

void apw_config_free(struct apw_config **config)
{
    if (*config == NULL)
        return;
    apw_uris_free(&(*config)->uris);
    apw_uris_free(&(*config)->write_uris);
    apw_identity_wipe(&(*config)->identity);
    free((*config)->path);
    free((*config)->base);
    free((*config)->filter);
    free((*config)->tls_cacert);
    free((*config)->mfa_filter);
    free((*config)->mfa_off_filter);
    free((*config)->mfa_witness);
    free((*config)->disabled_filter);
    free((*config)->disabled_witness);
    free((*config)->login_attribute);
    apw_uris_free(&(*config)->store.uris);
    apw_uris_free(&(*config)->store.write_uris);
    apw_identity_wipe(&(*config)->store.identity);
    free((*config)->store.base);
    free((*config)->store.tls_cacert);
    free((*config)->log_file);
    free(*config);
    *config = NULL;
}

struct apw_directory_settings apw_config_directory_settings(const struct apw_config *config,
                                                            const struct apw_uris *uris,
                                                            const struct apw_identity *identity)
{
    return (struct apw_directory_settings){.uris = uris,
                                           .identity = identity,
                                           .start_tls = config->start_tls,
                                           .tls_cacert = config->tls_cacert,
                                           .tls_min = config->tls_min,
                                           .timeout_ms = config->timeout_ms,
                                           .idle_ms = config->idle_s * 1000};
}

struct apw_directory_settings apw_config_store_settings(const struct apw_config *config,
                                                        const struct apw_uris *uris,
                                                        const struct apw_identity *identity)
{
    struct apw_directory_settings settings = apw_config_directory_settings(config, uris, identity);

    settings.start_tls = config->store.start_tls;
    settings.tls_cacert = config->store.tls_cacert;
    return settings;
}

/* A round begins each interval, and may find much to do. */
#define WATCH_ROUND_S 5

int64_t apw_config_sessions_end_s(const struct apw_config *config)
{
    return config->watch_interval_s == 0 ? 0 : config->watch_interval_s + WATCH_ROUND_S;
}

bool apw_config_has_store(const struct apw_config *config)
{
    return config->store.uris.count > 0;
}

enum apw_directory_type apw_config_holder(const struct apw_config *config)
{
    return apw_config_has_store(config) ? APW_DIRECTORY_LDAP : config->directory;
}

const struct apw_uris *apw_config_holder_uris(const struct apw_config *config)
{
    return apw_config_has_store(config) ? &config->store.uris : &config->uris;
}

const struct apw_uris *apw_config_holder_write_uris(const struct apw_config *config)
{
    return apw_config_has_store(config) ? &config->store.write_uris : &config->write_uris;
}
