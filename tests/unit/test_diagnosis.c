/* SPDX-License-Identifier: BSD-2-Clause */
/* The doctor's findings: how they print, and how they count. */
#include "doctor/diagnosis.h"
#include "unit.h"
#include <jansson.h>

static FILE *terminal;
static char *printed;
static size_t printed_length;

static void begin_capture(void)
{
    terminal = stdout;
    stdout = open_memstream(&printed, &printed_length);
    if (stdout == NULL)
        abort();
}

static void end_capture(void)
{
    fclose(stdout);
    stdout = terminal;
}

static void assert_printed(const char *expected)
{
    end_capture();
    assert_string_equal(printed, expected);
    free(printed);
}

static void test_good(void **state)
{
    struct apw_diagnosis diagnosis = {.good = 0};

    (void)state;
    begin_capture();
    apw_diagnosis_good(&diagnosis, "log", "%s is %d", "file", 7);
    assert_printed("ok       log: file is 7\n");
    assert_int_equal(diagnosis.good, 1);
    assert_true(apw_diagnosis_is_clean(&diagnosis));
}

static void test_problem(void **state)
{
    struct apw_diagnosis diagnosis = {.good = 0};

    (void)state;
    begin_capture();
    apw_diagnosis_problem(&diagnosis, "log", "%s", "no");
    apw_diagnosis_fix(&diagnosis, "chmod %o", 0640U);
    assert_printed("PROBLEM  log: no\n         fix: chmod 640\n");
    assert_int_equal(diagnosis.problems, 1);
    assert_false(apw_diagnosis_is_clean(&diagnosis));
}

static void test_unknown(void **state)
{
    struct apw_diagnosis diagnosis = {.good = 0};

    (void)state;
    begin_capture();
    apw_diagnosis_unknown(&diagnosis, "log", "cannot tell");
    assert_printed("unknown  log: cannot tell\n");
    assert_int_equal(diagnosis.unknown, 1);
    assert_false(apw_diagnosis_is_clean(&diagnosis));
}

static void test_note(void **state)
{
    struct apw_diagnosis diagnosis = {.good = 0};

    (void)state;
    begin_capture();
    apw_diagnosis_note(&diagnosis, "log", "left out");
    assert_printed("-        log: left out\n");
}

static void test_counts(void **state)
{
    struct apw_diagnosis diagnosis = {.good = 12, .problems = 1, .unknown = 3};

    (void)state;
    begin_capture();
    apw_diagnosis_finish(&diagnosis);
    assert_printed("12 good, 1 problem, 3 unknown\n");
}

static void test_server(void **state)
{
    struct apw_diagnosis diagnosis = {.server = "ldap://a"};

    (void)state;
    begin_capture();
    apw_diagnosis_good(&diagnosis, "uri", "fine");
    apw_diagnosis_good(&diagnosis, "uri", "ldap://a answers");
    assert_printed("ok       uri: ldap://a: fine\nok       uri: ldap://a answers\n");
}

static void test_json(void **state)
{
    struct apw_diagnosis diagnosis = {.server = "ldap://a", .is_json = true};

    (void)state;
    begin_capture();
    apw_diagnosis_problem(&diagnosis, "log", "a \"quote\"\n");
    apw_diagnosis_fix(&diagnosis, "one");
    apw_diagnosis_fix(&diagnosis, "two");
    assert_int_equal(apw_diagnosis_finish(&diagnosis), 0);
    assert_printed("[\n  {\n    \"level\": \"problem\",\n    \"subject\": \"log\",\n"
                   "    \"text\": \"a \\\"quote\\\"?\",\n    \"fix\": \"one\\ntwo\",\n"
                   "    \"server\": \"ldap://a\"\n  }\n]\n");
}

static void test_json_without_findings(void **state)
{
    struct apw_diagnosis diagnosis = {.is_json = true};

    (void)state;
    begin_capture();
    assert_int_equal(apw_diagnosis_finish(&diagnosis), 0);
    assert_printed("[]\n");
}

static void test_many_in_json(void **state)
{
    struct apw_diagnosis diagnosis = {.is_json = true};
    json_t *array;

    (void)state;
    begin_capture();
    for (int i = 0; i < 1000; i++) {
        apw_diagnosis_problem(&diagnosis, "values", "%d", i);
        apw_diagnosis_fix(&diagnosis, "fix %d", i);
        assert_true(json_array_size(diagnosis.findings) <= 100);
    }
    assert_int_equal(apw_diagnosis_finish(&diagnosis), 0);
    end_capture();
    array = json_loads(printed, 0, NULL);
    assert_int_equal(json_array_size(array), 1000);
    for (int i = 0; i < 1000; i++) {
        json_t *finding = json_array_get(array, (size_t)i);
        char fix[16];

        snprintf(fix, sizeof fix, "fix %d", i);
        assert_string_equal(json_string_value(json_object_get(finding, "fix")), fix);
    }
    json_decref(array);
    free(printed);
}

/* Nothing else may be on standard output if the command cannot do what it should. */
static void test_json_before_the_end(void **state)
{
    struct apw_diagnosis diagnosis = {.is_json = true};

    (void)state;
    begin_capture();
    for (int i = 0; i < 100; i++)
        apw_diagnosis_good(&diagnosis, "values", "%d", i);
    fflush(stdout);
    assert_int_equal(printed_length, 0);
    apw_diagnosis_finish(&diagnosis);
    end_capture();
    free(printed);
}

static const struct escape_case {
    const char *name;
    const char *text;
    const char *printed;
} escapes[] = {
    {"text with umlauts stays as it is", "J\xc3\xb6rg", "J\xc3\xb6rg"},
    {"a line end does not begin a line of its own", "x\nok       base: fine",
     "x?ok       base: fine"},
    {"an escape sequence does not reach the terminal", "\x1b[2J", "?[2J"},
    {"a carriage return does not overwrite the line", "x\rok", "x?ok"},
    {"a change of direction does not reach the terminal", "\xe2\x80\xae", "???"},
    {"bytes that are not UTF-8 do not reach the terminal", "\xff", "?"},
    {"a percent sign in a value is no format", "%s%n", "%s%n"},
};

static void test_escape_in_finding(void **state)
{
    const struct escape_case *row = *state;
    struct apw_diagnosis diagnosis = {.good = 0};
    char expected[256];

    snprintf(expected, sizeof expected, "PROBLEM  values: %s\n", row->printed);
    begin_capture();
    apw_diagnosis_problem(&diagnosis, "values", "%s", row->text);
    assert_printed(expected);
}

static void test_escape_in_fix(void **state)
{
    const struct escape_case *row = *state;
    struct apw_diagnosis diagnosis = {.good = 0};
    char expected[256];

    snprintf(expected, sizeof expected, "         fix: %s\n", row->printed);
    begin_capture();
    apw_diagnosis_fix(&diagnosis, "%s", row->text);
    assert_printed(expected);
}

static void test_long(void **state)
{
    struct apw_diagnosis diagnosis = {.good = 0};
    char text[8192];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    begin_capture();
    apw_diagnosis_good(&diagnosis, "log", "%s", text);
    end_capture();
    assert_true(printed_length < sizeof text);
    assert_ptr_equal(strchr(printed, '\n'), printed + printed_length - 1);
    free(printed);
}

int main(void)
{
    UNIT_TEST("a good finding is counted and is no failure", test_good);
    UNIT_TEST("a problem is counted, is a failure, and has its fix below", test_problem);
    UNIT_TEST("a finding that is unknown is counted and is a failure", test_unknown);
    UNIT_TEST("a note is printed", test_note);
    UNIT_TEST("the counts are printed", test_counts);
    UNIT_TEST("text that is too long is cut off and stays one line", test_long);
    UNIT_TEST("the server precedes a text that does not name it", test_server);
    UNIT_TEST("JSON has the fixes and the server of a finding", test_json);
    UNIT_TEST("JSON without findings is an empty array", test_json_without_findings);
    UNIT_TEST("many findings in JSON are one array, of which few are in memory", test_many_in_json);
    UNIT_TEST("JSON of the first 100 findings waits for the end", test_json_before_the_end);
    UNIT_ROWS(escapes, test_escape_in_finding);
    UNIT_ROWS(escapes, test_escape_in_fix);
    return unit_run();
}
