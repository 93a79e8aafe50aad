/* SPDX-License-Identifier: BSD-2-Clause */
/* A login with a store, in which the fuzzer chooses what both directories find: names, ids, values.
 *
 * The first byte chooses the configuration and the password. Each search takes an answer: a byte
 * with the result (lower three bits) and the number of entries (next two), then each entry's DN and
 * values. A text begins with its length: below 128 bytes follow, else it is one of `texts`. An
 * attribute begins with a byte: one of `names`, or the end of the entry.
 */
#include "fuzz.h"
#include "ldap/filter.h"
#include "mutate.h"
#include "store.h"
#include "user_entry.h"
#include "values.h"
#include "verify.h"
#include <sodium.h>
#include <strings.h>

#define NOW          1795342500 /* 2026-11-22 */
#define DN           "uid=alice,dc=example,dc=org"
#define ENTRIES      "ou=entries,o=app-passwords"
#define STORED       "appPasswordOwner=0f3e," ENTRIES
#define OTHER        "appPasswordOwner=ffff," ENTRIES
#define WITNESS      "cn=mfa-witness,o=app-passwords"
#define FIND         "(appPasswordOwner="
#define APP_PASSWORD "k7q2-9fjd-x3mh-4tnz-p8ww"
#define APP_OUTPUT   "VvCBsCwirJlCB2HTZd1KSjn+Hc0TA9TCuBB/CQpo2G0"

#define APP_VALUE                                                                                  \
    "id=k7q2 created=20261101000000Z hash={ARGON2}$argon2id$v=19$m=8,t=1,p=1$"                     \
    "c2l4dGVlbiBieXRlcyBvaw$" APP_OUTPUT " label=Laptop"

/* Bits of the first byte. */
enum { IS_BINARY = 1, HAS_MFA = 2, IS_OFF_BY_DEFAULT = 4, IS_APP_PASSWORD = 8 };

static const char *const names[] = {
    "entryUUID",       "objectGUID",       "appPassword", "appPasswordMfaEnforceFrom",
    "appPasswordUsed", "appPasswordOwner", "objectClass", "appPasswordMfaEnabled"};
static const char *const texts[] = {
    DN,
    STORED,
    WITNESS,
    "0f3e",
    APP_VALUE,
    "id=k7q2 created=20261101000000Z revoked=20261115000000Z label=Laptop",
    "20261201000000Z",
    OTHER,
};

static const struct fuzz_rule rules[] = {FUZZ_VALUE_RULES, {0, NULL}};

/* One of the texts, or another value of the kind. */
static void put_value(struct fuzz_output *output, char rule, unsigned text)
{
    uint8_t bytes[127];
    struct fuzz_output value = {.bytes = bytes, .size = sizeof bytes};

    if (fuzz_pick(4) > 0) {
        fuzz_put_byte(output, 128 + text);
        return;
    }
    fuzz_put_rule(&value, rules, rule);
    fuzz_put_byte(output, (unsigned)value.length);
    fuzz_put(output, bytes, value.length);
}

/* As take_attribute() reads it. */
static void put_attribute(struct fuzz_output *output)
{
    static const char value_rules[] = "iiTgUiwS"; /* in the order of `names` */
    static const uint8_t usual[] = {3, 3, 4, 6, 5, 3, 2, 6};
    unsigned name = fuzz_pick(8), count = fuzz_pick(6) == 0 ? fuzz_pick(4) : 1;

    fuzz_put_byte(output, name);
    fuzz_put_byte(output, count);
    for (unsigned i = 0; i < count; i++)
        put_value(output, value_rules[name], fuzz_pick(6) == 0 ? fuzz_pick(8) : usual[name]);
}

static void put_entry(struct fuzz_output *output)
{
    put_value(output, 'i', (uint8_t[]){0, 1, 1, 2, 7}[fuzz_pick(5)]);
    for (unsigned i = fuzz_pick(5); i > 0; i--)
        put_attribute(output);
    fuzz_put_byte(output, 8);
}

static void put_answer(struct fuzz_output *output)
{
    unsigned count = fuzz_pick(6) == 0 ? fuzz_pick(4) : fuzz_pick(2);

    fuzz_put_byte(output, (fuzz_pick(8) == 0 ? fuzz_pick(8) : APW_LDAP_OK) | count << 3);
    while (count-- > 0)
        put_entry(output);
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t size, unsigned seed)
{
    static void (*const parts[])(struct fuzz_output *) = {put_attribute, put_entry, put_answer};
    struct fuzz_output whole = {.bytes = bytes, .size = size};
    uint8_t buffer[FUZZ_PART_SIZE];
    struct fuzz_output part = {.bytes = buffer, .size = sizeof buffer};
    size_t at;

    fuzz_seed(seed);
    if (length == 0 || fuzz_pick(4) == 0) {
        fuzz_put_byte(&whole, fuzz_pick(16));
        for (unsigned i = fuzz_pick(6) + 1; i > 0; i--)
            put_answer(&whole);
        return whole.length;
    }
    if (fuzz_pick(2) == 0)
        return LLVMFuzzerMutate(bytes, length, size);
    at = fuzz_pick((unsigned)length);
    parts[fuzz_pick(3)](&part);
    return fuzz_replace(bytes, length, size, at,
                        fuzz_pick(2) == 0 ? 0 : fuzz_pick((unsigned)(length - at)), &part);
}

static const uint8_t *input;
static size_t input_left;
static uint8_t flags;
static char found_id[APW_STORE_ID_SIZE]; /* of the one entry that the store had; else "" */
static bool has_found, was_asked;

static uint8_t take_byte(void)
{
    if (input_left == 0)
        return 0;
    input_left--;
    return *input++;
}

static struct apw_value take_text(void)
{
    uint8_t length = take_byte();
    struct apw_value value = {.length = length < input_left ? length : input_left};

    if (length >= 128) {
        const char *text = texts[length % (sizeof texts / sizeof texts[0])];

        return (struct apw_value){fuzz_text((const uint8_t *)text, strlen(text)), strlen(text)};
    }
    value.bytes = fuzz_text(input, value.length);
    input += value.length;
    input_left -= value.length;
    return value;
}

static void take_attribute(struct apw_entry *entry, const char *name)
{
    struct apw_attribute *attribute;

    entry->attribute =
        realloc(entry->attribute, (entry->attribute_count + 1) * sizeof *entry->attribute);
    attribute = &entry->attribute[entry->attribute_count++];
    *attribute = (struct apw_attribute){.name = strdup(name), .count = take_byte() % 4};
    attribute->value = calloc(4, sizeof *attribute->value);
    for (size_t i = 0; i < attribute->count; i++)
        attribute->value[i] = take_text();
}

static struct apw_entry *take_entry(void)
{
    struct apw_entry *entry = calloc(1, sizeof *entry);
    uint8_t name;

    entry->dn = take_text().bytes;
    while ((name = take_byte() % 16) < sizeof names / sizeof names[0] && input_left > 0)
        take_attribute(entry, names[name]);
    return entry;
}

/* The whole of an answer; an entry only with an OK, as from lib/ldap. */
static enum apw_ldap_result take_answer(unsigned limit, struct apw_entry **entries_r,
                                        struct apw_error *error)
{
    uint8_t byte = take_byte();
    enum apw_ldap_result result = byte % 8 <= APW_LDAP_REFUSED ? byte % 8 : APW_LDAP_OK;

    *entries_r = NULL;
    for (unsigned i = 0; i < (byte >> 3) % 4 && i < limit; i++) {
        struct apw_entry *entry = take_entry();

        entry->next = *entries_r;
        *entries_r = entry;
    }
    if (result != APW_LDAP_OK)
        apw_error_set(error, "no answer");
    return result;
}

/* Nothing but an id gets into a filter for the store. */
static void check_question(const struct apw_query *query)
{
    static const char safe[] = "0123456789abcdefghijklmnopqrstuvwxyz-";
    const char *id = query->filter + sizeof FIND - 1;

    if (query->scope != APW_SCOPE_ONE)
        return;
    FUZZ_MUST(strcmp(query->base, ENTRIES) == 0);
    FUZZ_MUST(strncmp(query->filter, FIND, sizeof FIND - 1) == 0);
    FUZZ_MUST(strspn(id, safe) > 0 && strcmp(id + strspn(id, safe), ")") == 0);
    FUZZ_MUST(apw_filter_check(query->filter, false, NULL) == 0);
    was_asked = true;
}

static enum apw_ldap_result search_users(void *context, const struct apw_query *query,
                                         int64_t deadline, struct apw_entry **entries_r,
                                         struct apw_error *error)
{
    (void)context, (void)deadline;
    return take_answer(query->limit, entries_r, error);
}

/* Notes the id if there is one entry, and it is named after the id. */
static void note_found(const struct apw_query *query, const struct apw_entry *entry)
{
    char prefix[APW_STORE_FILTER_SIZE];

    found_id[0] = '\0';
    has_found = entry != NULL;
    snprintf(prefix, sizeof prefix, "%s", query->filter + 1); /* "appPasswordOwner=0f3e)" */
    prefix[strlen(prefix) - 1] = ',';
    if (has_found && entry->next == NULL && strncasecmp(entry->dn, prefix, strlen(prefix)) == 0)
        snprintf(found_id, sizeof found_id, "%.*s", (int)(strlen(prefix) - sizeof FIND + 1),
                 prefix + sizeof FIND - 2);
}

static enum apw_ldap_result search_store(void *context, const struct apw_query *query,
                                         int64_t deadline, struct apw_entry **entries_r,
                                         struct apw_error *error)
{
    enum apw_ldap_result result;

    (void)context, (void)deadline;
    check_question(query);
    result = take_answer(query->limit, entries_r, error);
    if (query->scope == APW_SCOPE_ONE)
        note_found(query, result == APW_LDAP_OK ? *entries_r : NULL);
    return result;
}

static enum apw_ldap_result search_series(void *context, struct apw_search_series *series,
                                          int64_t deadline, struct apw_error *error)
{
    struct apw_search *one;

    (void)context, (void)deadline;
    series->connection = 1;
    series->asked = 0;
    do {
        one = &series->search[series->asked++];
        check_question(&one->query);
        one->result = take_answer(one->query.limit, &one->entries, error);
    } while (series->asked < series->count &&
             (series->is_together || (one->result == APW_LDAP_OK && one->entries != NULL)));
    return series->is_together ? series->search[0].result : one->result;
}

static enum apw_user_bind bind_user(void *context, const char *dn, const char *password,
                                    size_t password_length, int64_t deadline,
                                    struct apw_error *error)
{
    (void)context, (void)dn, (void)password, (void)password_length, (void)deadline, (void)error;
    return APW_USER_BIND_OK;
}

static int64_t now(void *context)
{
    (void)context;
    return NOW;
}

static struct apw_config make_config(void)
{
    bool has_mfa = (flags & HAS_MFA) != 0;

    return (struct apw_config){
        .base = (char *)"dc=example,dc=org",
        .filter = (char *)"(uid=%u)",
        .mfa_filter = (char *)"(appPasswordMfaEnabled=TRUE)",
        .mfa_off_filter = (char *)(has_mfa ? "(appPasswordMfaEnabled=FALSE)" : NULL),
        .mfa_witness = (char *)((flags & IS_OFF_BY_DEFAULT) != 0 ? WITNESS : NULL),
        .record_use_s = 86400,
        .hash_memory_mib = 8,
        .hash_passes = 1,
        .store = {.uris = {.count = 1},
                  .base = (char *)ENTRIES,
                  .id_attribute = apw_directory_id_attribute(
                      (flags & IS_BINARY) != 0 ? "objectGUID" : "entryUUID"),
                  .has_mfa = has_mfa,
                  .is_mfa_off_by_default = has_mfa && (flags & IS_OFF_BY_DEFAULT) != 0}};
}

static void check_decision(const struct apw_decision *decision, const struct apw_config *config)
{
    if (decision->event.verdict != APW_ACCEPTED) {
        FUZZ_MUST(decision->event.name[0] == '\0' && decision->use_dn == NULL);
        return;
    }
    if (decision->event.reason == APW_REASON_APP_PASSWORD) {
        FUZZ_MUST(was_asked && has_found && found_id[0] != '\0');
        FUZZ_MUST(apw_store_is_id(config, found_id));
        FUZZ_MUST(strncasecmp(decision->use_dn != NULL ? decision->use_dn : STORED,
                              "appPasswordOwner=", 17) == 0);
    } else {
        FUZZ_MUST(decision->event.reason == APW_REASON_ACCOUNT_PASSWORD);
        /* Without an entry, MFA in the store is on. */
        FUZZ_MUST(!config->store.has_mfa || was_asked);
        FUZZ_MUST(!config->store.has_mfa || config->store.is_mfa_off_by_default ||
                  found_id[0] != '\0');
    }
}

static void try_login(void)
{
    const char *password = (flags & IS_APP_PASSWORD) != 0 ? APP_PASSWORD : "correct horse";
    const struct apw_config config = make_config();
    const struct apw_world store = {
        .search = search_store, .search_series = search_series, .bind_user = bind_user, .now = now};
    const struct apw_world world = {.search = search_users,
                                    .search_series = search_series,
                                    .bind_user = bind_user,
                                    .now = now,
                                    .store = &store};
    const struct apw_attempt attempt = {.login = "alice",
                                        .login_length = 5,
                                        .password = password,
                                        .password_length = strlen(password),
                                        .service = "smtp",
                                        .client = "192.0.2.7"};
    struct apw_decision decision;

    apw_verify(&config, &world, &attempt, 1, &decision);
    check_decision(&decision, &config);
    apw_verify_clear(&decision);
}

/* As the entry of a user, of the store, and of an orphan. */
static void try_user(void)
{
    const struct apw_config config = make_config();
    struct apw_entry *entry = take_entry(), *stored = take_entry();
    char id[APW_STORE_ID_SIZE], owner[APW_STORE_ID_SIZE];
    struct apw_error error = {""};
    struct apw_user *user = NULL;

    if (apw_store_read_id(&config, entry, id, &error) == 0) {
        char *filter = apw_store_user_filter(&config, id), *dn = apw_store_dn(&config, id);

        FUZZ_MUST(apw_store_is_id(&config, id) && error.text[0] == '\0');
        FUZZ_MUST(apw_filter_check(filter, false, NULL) == 0);
        FUZZ_MUST(strpbrk(dn + sizeof "appPasswordOwner=" - 1, "+\"\\<>;") == NULL);
        user = apw_user_read(&config, NULL, entry, stored, &error);
        FUZZ_MUST(user != NULL && strcmp(user->unique_id, id) == 0);
        free(filter);
        free(dn);
    } else {
        FUZZ_MUST(id[0] == '\0' && error.text[0] != '\0');
    }
    apw_user_free(&user);
    if (apw_store_read_owner(&config, stored, owner) == 0)
        FUZZ_MUST(apw_store_is_id(&config, owner));
    user = apw_user_read_orphan(&config, stored, &error);
    FUZZ_MUST(user != NULL && user->is_orphan);
    apw_user_free(&user);
    apw_entries_free(&entry);
    apw_entries_free(&stored);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return 0;
    FUZZ_MUST(sodium_init() >= 0);
    flags = bytes[0];
    for (int turn = 0; turn < 2; turn++) {
        input = bytes + 1;
        input_left = length - 1;
        has_found = was_asked = false;
        found_id[0] = '\0';
        if (turn == 0)
            try_login();
        else
            try_user();
    }
    return 0;
}
