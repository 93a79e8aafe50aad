/* SPDX-License-Identifier: BSD-2-Clause */
/* What the last run of the reminders left for the doctor, and for the next run. */
#include "remind_state.h"
#include "unit.h"

static char file_path[UNIT_PATH_SIZE];

static void write_file(const char *text)
{
    FILE *file = fopen(file_path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static const struct file_case {
    const char *name;
    const char *text;
    int status;
    struct apw_remind_state state;
} files[] = {
    {"before the first run",
     "began 1795947300\ntime 1795947301\n",
     0,
     {.began = 1795947300, .time = 1795947301}},
    {"after a good one",
     "began 1\ntime 2\nsent 3 failed 4 held 5 without-address 6 revoked 7\n",
     0,
     {.began = 1, .time = 2, .counts = {3, 4, 5, 6, 7}}},
    {"after a bad one",
     "began 1\ntime 2\nsent 0 failed 0 held 5 without-address 6 revoked 0\n"
     "error alice: mail_relay 127.0.0.1:25: %s refused\nerror another\n",
     0,
     {.began = 1,
      .time = 2,
      .counts = {.held = 5, .without_address = 6},
      .error = {"alice: mail_relay 127.0.0.1:25: %s refused"}}},
    {"empty", "", -1, {.began = 0}},
    {"something else", "time 1\n", -1, {.began = 0}},
    {"a beginning that is none", "began soon\ntime 2\n", -1, {.began = 0}},
    {"a beginning before all times", "began -5\ntime 2\n", -1, {.began = 0}},
    {"without the time", "began 1\n", -1, {.began = 0}},
    {"counts that are none", "began 1\ntime 2\nsent many failed 0\n", -1, {.began = 0}},
};

static void test_file(void **state)
{
    const struct file_case *row = *state;
    struct apw_remind_state read, again;
    struct apw_error error = {""};

    write_file(row->text);
    assert_int_equal(apw_remind_state_read(&read, &error), row->status);
    if (row->status != 0) {
        assert_contains(error.text, "remind: damaged; delete it");
        return;
    }
    assert_true(read.began == row->state.began && read.time == row->state.time);
    assert_memory_equal(&read.counts, &row->state.counts, sizeof read.counts);
    assert_string_equal(read.error.text, row->state.error.text);
    assert_int_equal(apw_remind_state_write(&read, &error), 0);
    assert_int_equal(apw_remind_state_read(&again, &error), 0);
    assert_memory_equal(&again.counts, &read.counts, sizeof read.counts);
    assert_string_equal(again.error.text, read.error.text);
}

static void test_without(void **state)
{
    struct apw_remind_state read;
    struct apw_error error = {""};

    (void)state;
    remove(file_path);
    assert_int_equal(apw_remind_state_read(&read, &error), 0);
    assert_true(read.began == 0 && read.time == 0);
}

static void test_remove(void **state)
{
    const struct apw_remind_state written = {.began = 1, .time = 2};
    struct apw_remind_state read;
    struct apw_error error = {""};

    (void)state;
    assert_int_equal(apw_remind_state_write(&written, &error), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(apw_remind_state_remove(&error), 0);
        assert_int_equal(apw_remind_state_read(&read, &error), 0);
        assert_true(read.began == 0);
    }
    setenv("STATE_DIRECTORY", "/dev/null", 1);
    assert_int_equal(apw_remind_state_remove(&error), -1);
    assert_contains(error.text, "/dev/null/remind: ");
    setenv("STATE_DIRECTORY", unit_folder_path, 1);
}

/* A state that cannot be kept is an error, and leaves nothing behind. */
static void test_no_folder(void **state)
{
    const struct apw_remind_state written = {.began = 1, .time = 2};
    struct apw_error error = {""};

    (void)state;
    setenv("STATE_DIRECTORY", "/nonexistent", 1);
    assert_int_equal(apw_remind_state_write(&written, &error), -1);
    assert_contains(error.text, "/nonexistent/");
}

int main(void)
{
    unit_path("remind", file_path);
    setenv("STATE_DIRECTORY", unit_folder_path, 1);
    UNIT_ROWS(files, test_file);
    UNIT_TEST("without a file, no run was", test_without);
    UNIT_TEST("a file that is removed is gone", test_remove);
    UNIT_TEST("without a folder, it fails", test_no_folder);
    return unit_run();
}
