/* SPDX-License-Identifier: BSD-2-Clause */
/* Values from the directory: appPassword, appPasswordUsed, the hash, a GeneralizedTime. */
#include "account_state.h"
#include "clock.h"
#include "fuzz.h"
#include "hash.h"
#include "mutate.h"
#include "record.h"
#include "tombstone.h"
#include "use.h"
#include "values.h"

static const struct fuzz_rule rules[] = {{'V', "%R|%R|%T|%U|%g|%S"}, FUZZ_VALUE_RULES, {0, NULL}};

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t size, unsigned seed)
{
    fuzz_seed(seed);
    return fuzz_mutate_text(rules, " =,$/", bytes, length, size);
}

static void try_value(const char *value, size_t length)
{
    char id[APW_ID_LENGTH + 1], again[APW_RECORD_SIZE];
    const struct apw_hash_cost cap = apw_hash_cap(8, 1);
    struct apw_record record, second;
    struct apw_error error = {""};
    struct apw_hash_cost cost;

    if (apw_record_parse(value, length, &record, &error) != 0) {
        FUZZ_MUST(error.text[0] != '\0');
        return;
    }
    FUZZ_MUST(apw_record_parse_id(value, length, id) == 0 && strcmp(id, record.id) == 0);
    cost = apw_hash_cost_of(record.hash);
    if (apw_hash_check(record.hash, &cap, &error) == 0)
        FUZZ_MUST(cost.memory_kib <= cap.memory_kib && cost.passes <= cap.passes);
    if (length >= sizeof again)
        return;
    FUZZ_MUST(apw_record_format(&record, again, &error) == 0);
    FUZZ_MUST(apw_record_parse(again, strlen(again), &second, &error) == 0);
    FUZZ_MUST(memcmp(&record, &second, sizeof record) == 0);
}

static void try_tombstone(const char *value, size_t length)
{
    char again[APW_TOMBSTONE_SIZE];
    struct apw_tombstone tombstone;
    struct apw_record record;

    if (apw_tombstone_parse(value, length, &tombstone) != 0)
        return;
    FUZZ_MUST(apw_record_parse(value, length, &record, NULL) != 0);
    FUZZ_MUST(apw_tombstone_format(&tombstone, again, NULL) == 0);
    FUZZ_MUST(strlen(again) == length && memcmp(again, value, length) == 0);
}

/* As the value of each attribute by which a directory ends an account. */
static void try_state(const char *text, size_t length)
{
    struct apw_value value = {(char *)text, length};

    for (size_t i = 0; i < APW_ACCOUNT_STATE_ATTRIBUTES; i++) {
        struct apw_attribute attribute = {
            .name = (char *)apw_account_state_attributes[i], .count = 1, .value = &value};
        const struct apw_entry entry = {.attribute_count = 1, .attribute = &attribute};
        struct apw_error error = {""};

        FUZZ_MUST((apw_account_state_read(&entry, APW_DIRECTORY_LDAP, 1800000000, &error) ==
                   APW_ACCOUNT_STATE_ACTIVE) == (error.text[0] == '\0'));
    }
}

static void try_use(const char *value, size_t length)
{
    char again[APW_USE_SIZE];
    struct apw_use use, second;

    if (apw_use_parse(value, length, &use) != 0)
        return;
    if (apw_use_format(&use, again) != 0)
        return; /* longer than we write */
    FUZZ_MUST(apw_use_parse(again, strlen(again), &second) == 0);
    FUZZ_MUST(strcmp(use.id, second.id) == 0 && use.at == second.at);
    apw_use_is_due(&use, 0, 86400);
}

static void try_time(const char *text, size_t length)
{
    char again[APW_TIMESTAMP_SIZE];
    int64_t seconds, second;

    if (apw_clock_parse_generalized_time(text, length, &seconds) != 0 ||
        apw_clock_format_timestamp(seconds, again) != 0)
        return;
    FUZZ_MUST(apw_clock_parse_timestamp(again, strlen(again), &second) == 0 && second == seconds);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    try_value((const char *)bytes, length);
    try_tombstone((const char *)bytes, length);
    try_state((const char *)bytes, length);
    try_use((const char *)bytes, length);
    try_time((const char *)bytes, length);
    return 0;
}
