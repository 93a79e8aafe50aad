/* SPDX-License-Identifier: BSD-2-Clause */
/* When the account password was changed, in the words of each directory. */
#include "password_change.h"
#include "unit.h"

#define MOMENT 1795342500 /* 20261122101500Z */
#define NONE   (-1)

static const struct row {
    const char *name;
    const char *attribute, *value;
    const char *other, *other_value;
    int64_t changed; /* or NONE */
    const char *problem;
} rows[] = {
    {"ppolicy", "pwdChangedTime", "20261122101500Z", NULL, NULL, MOMENT, NULL},
    {"389 Directory Server", "pwdUpdateTime", "20261122101500Z", NULL, NULL, MOMENT, NULL},
    {"Kerberos", "krbLastPwdChange", "20261122101500Z", NULL, NULL, MOMENT, NULL},
    {"Active Directory", "pwdLastSet", "134398161000000000", NULL, NULL, MOMENT, NULL},
    {"a change that is still to come", "pwdLastSet", "0", NULL, NULL, INT64_MAX, NULL},
    {"the newest counts", "pwdChangedTime", "20261122101500Z", "krbLastPwdChange",
     "20200101000000Z", MOMENT, NULL},
    {"in any order", "pwdChangedTime", "20200101000000Z", "krbLastPwdChange", "20261122101500Z",
     MOMENT, NULL},
    {"none", "cn", "Alice", NULL, NULL, NONE, "neither pwdChangedTime"},
    {"a time that is none", "pwdChangedTime", "yesterday", NULL, NULL, NONE, "pwdChangedTime"},
    {"one of two that is none", "pwdChangedTime", "20261122101500Z", "krbLastPwdChange", "", NONE,
     "krbLastPwdChange"},
    {"a number that is none", "pwdLastSet", "-1", NULL, NULL, NONE, "pwdLastSet"},
    {"a number that is empty", "pwdLastSet", "", NULL, NULL, NONE, "pwdLastSet"},
    {"a number that is too large", "pwdLastSet", "9223372036854775808", NULL, NULL, NONE,
     "pwdLastSet"},
};

static void test_row(void **state)
{
    const struct row *row = *state;
    struct apw_value value[] = {
        {.bytes = (char *)row->value, .length = strlen(row->value)},
        {.bytes = (char *)row->other_value,
         .length = row->other_value == NULL ? 0 : strlen(row->other_value)}};
    struct apw_attribute attribute[] = {
        {.name = (char *)row->attribute, .count = 1, .value = &value[0]},
        {.name = (char *)row->other, .count = 1, .value = &value[1]}};
    const struct apw_entry entry = {.attribute = attribute,
                                    .attribute_count = row->other == NULL ? 1 : 2};
    struct apw_error error = {""};
    int64_t changed;

    if (row->changed == NONE) {
        assert_int_equal(apw_password_change_read(&entry, &changed, &error), -1);
        assert_contains(error.text, row->problem);
        return;
    }
    assert_int_equal(apw_password_change_read(&entry, &changed, &error), 0);
    assert_true(changed == row->changed);
}

int main(void)
{
    UNIT_ROWS(rows, test_row);
    return unit_run();
}
