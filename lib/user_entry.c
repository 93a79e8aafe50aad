/* SPDX-License-Identifier: BSD-2-Clause */
#include "user_entry.h"
#include "clock.h"
#include "password_change.h"
#include "policy.h"
#include "store.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const attributes[] = {
    "objectClass",
    "appPassword",
    "appPasswordUsed",
    "appPasswordMfaEnabled",
    "appPasswordMfaEnforceFrom",
};
#define ATTRIBUTE_COUNT (sizeof attributes / sizeof attributes[0])

#define IDS_MAX 2 /* of apw_directory_traits */
/* Besides: appPasswordMfaMethod, mail, the name, `also` and NULL. */
_Static_assert(ATTRIBUTE_COUNT + APW_ACCOUNT_STATE_ATTRIBUTES + APW_PASSWORD_CHANGE_ATTRIBUTES +
                       IDS_MAX + 5 <=
                   APW_USER_ATTRIBUTES_SIZE,
               "more attributes than allowed");

/* The class, by name and by OID. */
static const char *const class_names[] = {
    "appPasswordAccount",
    "2.25.141699905820307496210288608633455437436.2.1",
};

/* The attribute with the name that people use. */
static const char *name_attribute(const struct apw_config *config)
{
    return config->login_attribute != NULL
               ? config->login_attribute
               : apw_directory_traits(config->directory)->name_attribute;
}

static bool read_has_class(const struct apw_config *config, const struct apw_entry *entry)
{
    return apw_directory_traits(apw_config_holder(config))->has_static_class ||
           apw_entry_attribute(entry, "objectClass") == NULL ||
           apw_entry_has_value(entry, "objectClass", class_names[0]) ||
           apw_entry_has_value(entry, "objectClass", class_names[1]);
}

static enum apw_mfa_flag read_mfa_flag(const struct apw_entry *entry)
{
    static const char name[] = "appPasswordMfaEnabled";
    const struct apw_attribute *flag = apw_entry_attribute(entry, name);

    if (flag == NULL || flag->count == 0)
        return APW_MFA_FLAG_ABSENT;
    return apw_entry_has_value(entry, name, "TRUE") ? APW_MFA_FLAG_TRUE : APW_MFA_FLAG_FALSE;
}

static void read_enforce_from(const struct apw_entry *entry, struct apw_user *user)
{
    const struct apw_attribute *from = apw_entry_attribute(entry, "appPasswordMfaEnforceFrom");

    user->has_enforce_from = from != NULL && from->count > 0;
    user->is_enforce_from_readable =
        user->has_enforce_from && from->count == 1 &&
        apw_clock_parse_generalized_time(from->value[0].bytes, from->value[0].length,
                                         &user->enforce_from) == 0;
}

static void read_lock(const struct apw_entry *entry, struct apw_user *user)
{
    const struct apw_attribute *locked = apw_entry_attribute(entry, "pwdAccountLockedTime");
    int64_t since;

    if (locked != NULL && locked->count == 1 &&
        apw_clock_parse_generalized_time(locked->value[0].bytes, locked->value[0].length, &since) ==
            0 &&
        since > 0)
        user->locked_since = since;
}

static int read_uses(const struct apw_entry *entry, struct apw_user *user)
{
    const struct apw_attribute *used = apw_entry_attribute(entry, "appPasswordUsed");

    if (used == NULL || used->count == 0)
        return 0;
    user->use = calloc(used->count, sizeof *user->use);
    if (user->use == NULL)
        return -1;
    for (size_t i = 0; i < used->count; i++) {
        const struct apw_value *value = &used->value[i];
        struct apw_use *use = &user->use[user->use_count];

        if (apw_use_parse(value->bytes, value->length, use) == 0) {
            user->use_count++;
        } else if (apw_record_parse_id(value->bytes, value->length, use->id) == 0) {
            use->at = INT64_MIN;
            user->use_count++;
        }
    }
    return 0;
}

const struct apw_use *apw_user_newest_use(const struct apw_user *user, const char *id)
{
    const struct apw_use *newest = NULL;

    for (size_t i = 0; i < user->use_count; i++)
        if (strcmp(user->use[i].id, id) == 0 && user->use[i].at != INT64_MIN &&
            (newest == NULL || user->use[i].at > newest->at))
            newest = &user->use[i];
    return newest;
}

static void find_newest_use(const struct apw_user *user, struct apw_managed_password *password)
{
    const struct apw_use *use = apw_user_newest_use(user, password->id);

    password->has_use = use != NULL;
    if (use != NULL)
        password->use = *use;
}

static int read_password(const struct apw_config *config, const struct apw_value *value,
                         struct apw_managed_password *password)
{
    const struct apw_hash_cost cap = apw_hash_cap(config->hash_memory_mib, config->hash_passes);
    struct apw_value copy;

    if (apw_entry_copy_value(value, &copy) != 0)
        return -1;
    password->value = copy.bytes;
    password->length = copy.length;
    if (apw_record_parse_id(value->bytes, value->length, password->id) != 0)
        password->id[0] = '\0';
    password->has_record =
        apw_record_parse(value->bytes, value->length, &password->record, &password->problem) == 0;
    password->is_usable = password->has_record &&
                          apw_hash_check(password->record.hash, &cap, &password->problem) == 0;
    password->end =
        password->has_record ? apw_policy_end(config, &password->record) : APW_POLICY_NEVER;
    password->cost = apw_hash_cost_of(password->record.hash);
    password->is_costly =
        apw_hash_is_costly(&password->cost, config->hash_memory_mib, config->hash_passes);
    return 0;
}

static void mark_repeated_ids(struct apw_user *user)
{
    for (size_t i = 0; i < user->password_count; i++)
        for (size_t j = 0; j < user->password_count; j++) {
            struct apw_managed_password *one = &user->password[i];

            if (i == j || one->id[0] == '\0' || strcmp(one->id, user->password[j].id) != 0)
                continue;
            one->is_usable = false;
            apw_error_set(&one->problem, "another value has the same id");
        }
}

static void mark_revoked_ids(struct apw_user *user)
{
    for (size_t i = 0; i < user->password_count; i++) {
        struct apw_managed_password *one = &user->password[i];

        if (!apw_user_has_tombstone(user, one->id))
            continue;
        one->is_usable = false;
        apw_error_set(&one->problem, "its id was revoked");
    }
}

/* Usable before unusable, then by creation, then by id. */
static int compare_passwords(const void *left_item, const void *right_item)
{
    const struct apw_managed_password *left = left_item, *right = right_item;

    if (left->is_usable != right->is_usable)
        return left->is_usable ? -1 : 1;
    if (left->record.created != right->record.created)
        return left->record.created < right->record.created ? -1 : 1;
    return strcmp(left->id, right->id);
}

/* The newest first. */
static int compare_tombstones(const void *left_item, const void *right_item)
{
    const struct apw_tombstone *left = left_item, *right = right_item;

    if (left->revoked != right->revoked)
        return left->revoked > right->revoked ? -1 : 1;
    return strcmp(left->id, right->id);
}

static int read_passwords(const struct apw_config *config, const struct apw_entry *entry,
                          struct apw_user *user)
{
    const struct apw_attribute *values = apw_entry_attribute(entry, "appPassword");

    if (values == NULL || values->count == 0)
        return 0;
    user->password = calloc(values->count, sizeof *user->password);
    user->tombstone = calloc(values->count, sizeof *user->tombstone);
    if (user->password == NULL || user->tombstone == NULL)
        return -1;
    for (size_t i = 0; i < values->count; i++) {
        const struct apw_value *value = &values->value[i];
        struct apw_managed_password *password = &user->password[user->password_count];

        if (apw_tombstone_parse(value->bytes, value->length,
                                &user->tombstone[user->tombstone_count]) == 0) {
            user->tombstone_count++;
            continue;
        }
        if (read_password(config, value, password) != 0)
            return -1;
        user->password_count++;
        find_newest_use(user, password);
    }
    mark_repeated_ids(user);
    mark_revoked_ids(user);
    qsort(user->password, user->password_count, sizeof *user->password, compare_passwords);
    qsort(user->tombstone, user->tombstone_count, sizeof *user->tombstone, compare_tombstones);
    return 0;
}

/* Copies the id as text. */
static char *copy_id(const struct apw_value *id, bool is_binary)
{
    size_t size = 2 * id->length + 1;
    char *text;

    if (!is_binary)
        return strdup(id->bytes);
    text = malloc(size);
    return text == NULL ? NULL
                        : sodium_bin2hex(text, size, (const unsigned char *)id->bytes, id->length);
}

/* Leaves NULL if there is not exactly one. */
static int read_id(const struct apw_config *config, const struct apw_entry *entry,
                   char **unique_id_r)
{
    const struct apw_directory_traits *traits = apw_directory_traits(config->directory);
    const struct apw_attribute *id = NULL;

    for (const char *const *name = traits->id_attributes; *name != NULL; name++) {
        id = apw_entry_attribute(entry, *name);
        if (id != NULL && id->count > 0)
            break;
    }
    if (id == NULL || id->count != 1)
        return 0;
    *unique_id_r = copy_id(&id->value[0], traits->is_id_binary);
    return *unique_id_r != NULL ? 0 : -1;
}

/* Reads the id, and where our attributes are. */
static int read_place(const struct apw_config *config, const struct apw_entry *entry,
                      const struct apw_entry *holder, struct apw_user *user)
{
    char id[APW_STORE_ID_SIZE];

    user->has_holder = holder != NULL;
    if (!apw_config_has_store(config)) {
        user->holder_dn = strdup(entry->dn);
        return user->holder_dn == NULL ? -1 : read_id(config, entry, &user->unique_id);
    }
    if (apw_store_read_id(config, entry, id, NULL) != 0)
        return -1;
    user->unique_id = strdup(id);
    user->holder_dn = holder != NULL ? strdup(holder->dn) : apw_store_dn(config, id);
    return user->unique_id == NULL || user->holder_dn == NULL ? -1 : 0;
}

/* Reads our attributes. */
static int read_holder(const struct apw_config *config, const struct apw_entry *holder,
                       struct apw_user *user)
{
    user->has_class = holder == NULL || read_has_class(config, holder);
    user->mfa_flag = read_mfa_flag(holder);
    read_enforce_from(holder, user);
    return read_uses(holder, user) == 0 && read_passwords(config, holder, user) == 0 &&
                   apw_entry_copy_values(holder, "appPasswordMfaMethod", &user->method) == 0
               ? 0
               : -1;
}

/* Marks the app passwords that were made before the account password was changed. */
static void mark_outdated(const struct apw_config *config, const struct apw_entry *entry,
                          struct apw_user *user)
{
    int64_t changed;

    if (!config->revoke_on_password_change)
        return;
    user->is_change_unreadable =
        apw_password_change_read(entry, &changed, &user->change_problem) != 0;
    for (size_t i = 0; i < user->password_count && !user->is_change_unreadable; i++)
        user->password[i].is_outdated =
            user->password[i].has_record && user->password[i].record.created < changed;
}

static int read_full_name(const struct apw_entry *entry, struct apw_user *user)
{
    char *common_name = apw_entry_copy_first(entry, "cn", "");

    if (common_name == NULL)
        return -1;
    user->full_name = apw_entry_copy_first(entry, "displayName", common_name);
    free(common_name);
    return user->full_name == NULL ? -1 : 0;
}

struct apw_user *apw_user_read(const struct apw_config *config, const char *also,
                               const struct apw_entry *entry, const struct apw_entry *holder,
                               struct apw_error *error)
{
    struct apw_user *user = calloc(1, sizeof *user);

    if (user == NULL)
        goto failed;
    user->dn = strdup(entry->dn);
    user->name = apw_entry_copy_first(entry, name_attribute(config), entry->dn);
    if (user->dn == NULL || user->name == NULL || read_place(config, entry, holder, user) != 0 ||
        read_holder(config, holder, user) != 0 || read_full_name(entry, user) != 0 ||
        apw_entry_copy_values(entry, "mail", &user->mail) != 0 ||
        (also != NULL && apw_entry_copy_values(entry, also, &user->also) != 0))
        goto failed;
    read_lock(entry, user);
    mark_outdated(config, entry, user);
    user->account_state = apw_account_state_read(entry, config->directory, (int64_t)time(NULL),
                                                 &user->account_problem);
    return user;

failed:
    apw_error_set(error, "out of memory");
    apw_user_free(&user);
    return NULL;
}

struct apw_user *apw_user_read_orphan(const struct apw_config *config,
                                      const struct apw_entry *holder, struct apw_error *error)
{
    struct apw_user *user = calloc(1, sizeof *user);

    if (user == NULL)
        goto failed;
    user->dn = strdup(holder->dn);
    user->holder_dn = strdup(holder->dn);
    user->name = apw_entry_copy_first(holder, "uid", holder->dn);
    user->unique_id = apw_entry_copy_first(holder, "appPasswordOwner", "");
    if (user->dn == NULL || user->holder_dn == NULL || user->name == NULL ||
        user->unique_id == NULL || read_holder(config, holder, user) != 0)
        goto failed;
    user->has_holder = true;
    user->is_orphan = true;
    user->account_state = APW_ACCOUNT_STATE_ENDED;
    apw_error_set(&user->account_problem, "nobody in the users' directory has the id %s",
                  user->unique_id);
    return user;

failed:
    apw_error_set(error, "out of memory");
    apw_user_free(&user);
    return NULL;
}

void apw_user_list_stored(bool with_enrolment, const char *list_r[APW_USER_ATTRIBUTES_SIZE])
{
    size_t count = ATTRIBUTE_COUNT;

    memcpy(list_r, attributes, sizeof attributes);
    if (with_enrolment)
        list_r[count++] = "appPasswordMfaMethod";
    list_r[count++] = "appPasswordOwner";
    list_r[count++] = "uid";
    list_r[count] = NULL;
}

/* Lists our attributes, and with `with_enrolment` those of the id. Returns their number. */
static size_t list_ours(const struct apw_config *config, bool with_enrolment,
                        const char *list_r[APW_USER_ATTRIBUTES_SIZE])
{
    size_t count = ATTRIBUTE_COUNT;

    memcpy(list_r, attributes, sizeof attributes);
    if (!with_enrolment)
        return count;
    list_r[count++] = "appPasswordMfaMethod";
    for (const char *const *id = apw_directory_traits(config->directory)->id_attributes;
         *id != NULL; id++)
        list_r[count++] = *id;
    return count;
}

void apw_user_list_attributes(const struct apw_config *config, bool with_enrolment,
                              const char *also, const char *list_r[APW_USER_ATTRIBUTES_SIZE])
{
    size_t count = 0;

    if (apw_config_has_store(config))
        list_r[count++] = config->store.id_attribute->name;
    else
        count = list_ours(config, with_enrolment, list_r);
    memcpy(list_r + count, apw_account_state_attributes, sizeof apw_account_state_attributes);
    count += APW_ACCOUNT_STATE_ATTRIBUTES;
    for (size_t i = 0; config->revoke_on_password_change && i < APW_PASSWORD_CHANGE_ATTRIBUTES; i++)
        list_r[count++] = apw_password_change_attributes[i];
    list_r[count++] = name_attribute(config);
    if (with_enrolment) {
        list_r[count++] = "mail";
        list_r[count++] = "displayName";
        list_r[count++] = "cn";
    }
    if (also != NULL)
        list_r[count++] = also;
    list_r[count] = NULL;
}

void apw_user_free(struct apw_user **user)
{
    if (*user == NULL)
        return;
    for (size_t i = 0; i < (*user)->password_count; i++) {
        sodium_memzero((*user)->password[i].value, (*user)->password[i].length);
        free((*user)->password[i].value);
        sodium_memzero(&(*user)->password[i], sizeof(*user)->password[i]);
    }
    free((*user)->password);
    free((*user)->tombstone);
    free((*user)->use);
    apw_entry_free_values(&(*user)->mail);
    apw_entry_free_values(&(*user)->method);
    apw_entry_free_values(&(*user)->also);
    free((*user)->unique_id);
    free((*user)->holder_dn);
    free((*user)->dn);
    free((*user)->name);
    free((*user)->full_name);
    free(*user);
    *user = NULL;
}

bool apw_user_has_tombstone(const struct apw_user *user, const char *id)
{
    for (size_t i = 0; i < user->tombstone_count; i++)
        if (strcmp(user->tombstone[i].id, id) == 0)
            return true;
    return false;
}

bool apw_user_has_method(const struct apw_user *user, const char *value)
{
    for (size_t i = 0; i < user->method.count; i++)
        if (strcmp(user->method.value[i].bytes, value) == 0)
            return true;
    return false;
}

bool apw_user_has_id(const struct apw_user *user, const char *id)
{
    for (size_t i = 0; i < user->password_count; i++)
        if (strcmp(user->password[i].id, id) == 0)
            return true;
    for (size_t i = 0; i < user->use_count; i++)
        if (strcmp(user->use[i].id, id) == 0)
            return true;
    return apw_user_has_tombstone(user, id);
}
