/* SPDX-License-Identifier: BSD-2-Clause */
/* Tombstones of revoked app passwords, as text. */
#include "record.h"
#include "tombstone.h"
#include "unit.h"

#define GOOD "id=k7q2 created=20261122101500Z revoked=20270110080000Z label=Outlook on the laptop"
#define TEN  "0123456789"

static void test_read(void **state)
{
    size_t length = strlen(GOOD);
    char *value = unit_copy(GOOD, length), again[APW_TOMBSTONE_SIZE];
    struct apw_tombstone tombstone;
    struct apw_error error;

    (void)state;
    assert_int_equal(apw_tombstone_parse(value, length, &tombstone), 0);
    assert_string_equal(tombstone.id, "k7q2");
    assert_int_equal(tombstone.created, 1795342500);
    assert_int_equal(tombstone.revoked, 1799568000);
    assert_string_equal(tombstone.label, "Outlook on the laptop");
    assert_int_equal(apw_tombstone_format(&tombstone, again, &error), 0);
    assert_string_equal(again, GOOD);
    free(value);
}

static void test_cut_short(void **state)
{
    (void)state;
    for (size_t length = 0; length < strlen(GOOD); length++) {
        char *value = unit_copy(GOOD, length);
        struct apw_tombstone tombstone;
        bool is_label_cut =
            length > strlen(GOOD) - strlen("utlook on the laptop") - 1 && value[length - 1] != ' ';

        assert_int_equal(apw_tombstone_parse(value, length, &tombstone), is_label_cut ? 0 : -1);
        free(value);
    }
}

static const struct bad_case {
    const char *name;
    const char *value;
} bad_values[] = {
    {"an app password is no tombstone",
     "id=k7q2 created=20261122101500Z hash={ARGON2}" UNIT_PHC " label=x"},
    {"with a hash it is none",
     "id=k7q2 created=20261122101500Z revoked=20270110080000Z hash={ARGON2}" UNIT_PHC " label=x"},
    {"without created it is none", "id=k7q2 revoked=20270110080000Z label=x"},
    {"without revoked it is none", "id=k7q2 created=20261122101500Z label=x"},
    {"without a label it is none", "id=k7q2 created=20261122101500Z revoked=20270110080000Z"},
    {"with an empty label it is none",
     "id=k7q2 created=20261122101500Z revoked=20270110080000Z label="},
    {"with a control character in its label it is none",
     "id=k7q2 created=20261122101500Z revoked=20270110080000Z label=a\nb"},
    {"in another order it is none",
     "id=k7q2 revoked=20270110080000Z created=20261122101500Z label=x"},
    {"with an id in upper case it is none",
     "id=K7Q2 created=20261122101500Z revoked=20270110080000Z label=x"},
    {"with an id of five it is none",
     "id=k7q2z created=20261122101500Z revoked=20270110080000Z label=x"},
    {"with a time of another form it is invalid",
     "id=k7q2 created=20261122101500Z revoked=202701100800Z label=x"},
    {"with a leap second it is none",
     "id=k7q2 created=20261122101500Z revoked=20270110080060Z label=x"},
    {"with a day that is not there it is none",
     "id=k7q2 created=20261122101500Z revoked=20270230080000Z label=x"},
    {"with an expiry it is none",
     "id=k7q2 created=20261122101500Z expires=20270110080000Z revoked=20270110080000Z label=x"},
    {"with two spaces it is none",
     "id=k7q2  created=20261122101500Z revoked=20270110080000Z label=x"},
    {"with 65 characters of label it is none",
     "id=k7q2 created=20261122101500Z revoked=20270110080000Z label=" TEN TEN TEN TEN TEN TEN
     "01234"},
};

static void test_bad(void **state)
{
    const struct bad_case *row = *state;
    size_t length = strlen(row->value);
    char *value = unit_copy(row->value, length);
    struct apw_tombstone tombstone;

    memset(&tombstone, 0xaa, sizeof tombstone);
    assert_int_equal(apw_tombstone_parse(value, length, &tombstone), -1);
    assert_true(unit_is_zero(&tombstone, sizeof tombstone));
    free(value);
}

static void test_nul(void **state)
{
    struct apw_tombstone tombstone;

    (void)state;
    assert_int_equal(apw_tombstone_parse(GOOD, sizeof GOOD, &tombstone), -1);
}

static const struct unwritable_case {
    const char *name;
    struct apw_tombstone tombstone;
} unwritable[] = {
    {"without an id it is not written", {.label = "x"}},
    {"without a label it is not written", {.id = "k7q2"}},
    {"with a line end in its label it is not written", {.id = "k7q2", .label = "a\nb"}},
    {"with a year of five digits it is not written",
     {.id = "k7q2", .label = "x", .revoked = 253402300800}},
};

static void test_unwritable(void **state)
{
    const struct unwritable_case *row = *state;
    char value[APW_TOMBSTONE_SIZE];
    struct apw_error error = {""};

    assert_int_equal(apw_tombstone_format(&row->tombstone, value, &error), -1);
    assert_contains(error.text, "cannot write a tombstone");
}

static void test_old_readers(void **state)
{
    struct apw_record record;

    (void)state;
    assert_int_equal(apw_record_parse(GOOD, strlen(GOOD), &record, NULL), -1);
}

int main(void)
{
    UNIT_TEST("a tombstone is read and written", test_read);
    UNIT_TEST("what is cut short is no tombstone, but for its label", test_cut_short);
    UNIT_ROWS(bad_values, test_bad);
    UNIT_TEST("with a NUL after it, it is invalid", test_nul);
    UNIT_ROWS(unwritable, test_unwritable);
    UNIT_TEST("a tombstone is no usable value", test_old_readers);
    return unit_run();
}
