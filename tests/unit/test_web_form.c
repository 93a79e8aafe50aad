/* SPDX-License-Identifier: BSD-2-Clause */
/* Forms: values within their bounds, and what makes a form bad. */
#include "form_fields.h"
#include "unit.h"
#include "web/form.h"
#include "wording.h"

#define COMPLAINT 7

static bool is_yes(const char *value)
{
    return strcmp(value, "yes") == 0;
}

static const struct apw_form_field declared[] = {
    {"short", 3, NULL, 0}, {"answer", 8, is_yes, COMPLAINT}, {"long", 1000, NULL, 0}};
static const struct apw_form_fields fields = {declared, 3};

static void take(struct apw_form *form, const char *name, const char *value)
{
    apw_form_take(form, name, value, 0, strlen(value));
}

static const struct value_case {
    const char *name;
    const char *value;
    bool is_bad;
} values[] = {
    {"nothing", "", false},
    {"one byte", "a", false},
    {"as long as it may be", "abc", false},
    {"a byte too long", "abcd", true},
};

static void test_value(void **state)
{
    const struct value_case *row = *state;
    struct apw_form form;

    assert_int_equal(apw_form_begin(&fields, &form), 0);
    take(&form, "answer", "no");
    take(&form, "short", row->value);
    assert_int_equal(form.is_bad, row->is_bad);
    assert_string_equal(apw_form_value(&form, 0), row->is_bad ? "" : row->value);
    assert_string_equal(apw_form_value(&form, 1), "no"); /* its neighbor */
    assert_string_equal(apw_form_value(&form, 2), "");
    apw_form_free(&form);
    assert_string_equal(apw_form_value(&form, 0), "");
    apw_form_free(&form);
}

static void test_parts(void **state)
{
    struct apw_form form;

    (void)state;
    assert_int_equal(apw_form_begin(&fields, &form), 0);
    apw_form_take(&form, "long", "ab", 0, 2);
    apw_form_take(&form, "long", "", 2, 0);
    apw_form_take(&form, "long", "cd", 2, 2);
    assert_string_equal(apw_form_value(&form, 2), "abcd");
    assert_false(form.is_bad);
    apw_form_take(&form, "long", "x", UINT64_MAX, 1);
    assert_true(form.is_bad);
    assert_string_equal(apw_form_value(&form, 2), "abcd");
    apw_form_free(&form);
}

static void test_other_case(void **state)
{
    struct apw_form form;

    (void)state;
    assert_int_equal(apw_form_begin(&fields, &form), 0);
    take(&form, "Short", "a");
    assert_string_equal(apw_form_value(&form, 0), "a");
    take(&form, "SHORT", "b");
    assert_true(form.is_bad);
    assert_string_equal(apw_form_value(&form, 0), "a");
    apw_form_free(&form);
}

static void test_repeated(void **state)
{
    struct apw_form form;

    (void)state;
    assert_int_equal(apw_form_begin(&fields, &form), 0);
    take(&form, "short", "a");
    take(&form, "short", "b");
    assert_true(form.is_bad);
    apw_form_free(&form);
}

static void test_nul(void **state)
{
    struct apw_form form;

    (void)state;
    assert_int_equal(apw_form_begin(&fields, &form), 0);
    apw_form_take(&form, "long", "a\0b", 0, 3);
    assert_true(form.is_bad);
    assert_string_equal(apw_form_value(&form, 2), "");
    apw_form_free(&form);
}

static void test_undeclared(void **state)
{
    struct apw_form form;

    (void)state;
    assert_int_equal(apw_form_begin(&fields, &form), 0);
    take(&form, "other", "a value that is longer than every other one");
    take(&form, "", "x");
    assert_false(form.is_bad);
    apw_form_free(&form);
}

static void test_check(void **state)
{
    struct apw_form form;

    (void)state;
    assert_int_equal(apw_form_begin(&fields, &form), 0);
    assert_int_equal(apw_form_check(&form, 0), 0);
    assert_int_equal(apw_form_check(&form, 1), COMPLAINT);
    take(&form, "answer", "yes");
    assert_int_equal(apw_form_check(&form, 1), 0);
    apw_form_free(&form);
}

/* ---- the page's own fields ---- */

static const struct own_case {
    const char *name;
    enum apw_form_field_number field;
    const char *value;
    enum apw_text complaint;
} own_fields[] = {
    {"an address", APW_FIELD_ADDRESS, "alice@example.net", APW_TEXT_NONE},
    {"no address", APW_FIELD_ADDRESS, "", APW_TEXT_BAD_ADDRESS},
    {"an address without a domain", APW_FIELD_ADDRESS, "alice", APW_TEXT_BAD_ADDRESS},
};

static void test_own_field(void **state)
{
    const struct own_case *row = *state;
    struct apw_form form;

    assert_int_equal(apw_form_begin(&apw_form_fields, &form), 0);
    take(&form, apw_form_fields.field[row->field].name, row->value);
    assert_string_equal(apw_form_value(&form, row->field), row->value);
    assert_int_equal(apw_form_check(&form, row->field), row->complaint);
    apw_form_free(&form);
}

int main(void)
{
    UNIT_ROWS(values, test_value);
    UNIT_TEST("a value comes in parts", test_parts);
    UNIT_TEST("a name in upper case is the same name", test_other_case);
    UNIT_TEST("a repeated field makes the form bad", test_repeated);
    UNIT_TEST("a NUL makes the form bad", test_nul);
    UNIT_TEST("undeclared fields are ignored", test_undeclared);
    UNIT_TEST("an invalid value gets the field's complaint", test_check);
    UNIT_ROWS(own_fields, test_own_field);
    return unit_run();
}
