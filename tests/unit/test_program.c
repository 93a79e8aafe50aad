/* SPDX-License-Identifier: BSD-2-Clause */
/* Running other programs: what they print, how they end, and what they must not get. */
#include "program.h"
#include "unit.h"

#define SHELL(script) ((const char *const[]){"sh", "-c", script, NULL})
#define OUTPUT_SIZE   64
#define LIMIT_S       5

static const struct end_case {
    const char *name;
    const char *script;
    int status;
    const char *output;        /* of apw_program_read() */
    const char *with_messages; /* of apw_program_read_all() */
} ends[] = {
    {"it prints and succeeds", "echo yes", 0, "yes\n", "yes\n"},
    {"it prints nothing", "exit 0", 0, "", ""},
    {"its status is passed on", "echo no; exit 77", 77, "no\n", "no\n"},
    {"its messages are read only if asked for", "echo out; echo message >&2; exit 2", 2, "out\n",
     "out\nmessage\n"},
    {"a signal ends it", "echo begun; kill -TERM $$", -1, "begun\n", "begun\n"},
    {"it has no input", "cat; echo end", 0, "end\n", "end\n"},
    {"its locale is C", "echo $LC_ALL", 0, "C\n", "C\n"},
    {"it is found in /usr/sbin", "case $PATH in *:/usr/sbin*) echo found;; esac", 0, "found\n",
     "found\n"},
};

static void test_end(void **state)
{
    const struct end_case *row = *state;
    char output[OUTPUT_SIZE], *all;

    assert_int_equal(apw_program_read(SHELL(row->script), output, sizeof output), row->status);
    assert_string_equal(output, row->output);
    assert_int_equal(apw_program_read_all(SHELL(row->script), &all), row->status);
    assert_string_equal(all, row->with_messages);
    free(all);
}

/* It must not stop at a full pipe, which takes 64 KiB. */
static void test_long_output(void **state)
{
    const char *const *argv = SHELL("head -c 1000000 /dev/zero | tr '\\0' x; exit 3");
    char output[OUTPUT_SIZE], *all;

    (void)state;
    assert_int_equal(apw_program_read(argv, output, sizeof output), 3);
    assert_int_equal(strlen(output), sizeof output - 1);
    assert_int_equal(apw_program_read_all(argv, &all), 3);
    assert_int_equal(strlen(all), APW_PROGRAM_OUTPUT_SIZE - 1);
    free(all);
}

/* Each has to begin within the time, also on a busy machine. */
static void test_late(void **state)
{
    char output[OUTPUT_SIZE];

    (void)state;
    assert_int_equal(apw_program_read_within(SHELL("echo begun; exec sleep 600"), LIMIT_S, output,
                                             sizeof output),
                     -1);
    assert_string_equal(output, "begun\n");
    /* One that has closed its output is waited for, too, and not for ever. */
    assert_int_equal(apw_program_read_within(SHELL("echo begun; exec >&- 2>&-; exec sleep 600"),
                                             LIMIT_S, output, sizeof output),
                     -1);
    assert_string_equal(output, "begun\n");
}

static void test_missing(void **state)
{
    const char *const argv[] = {"/nonexistent/program", NULL};
    char output[OUTPUT_SIZE], *all;

    (void)state;
    assert_int_equal(apw_program_read(argv, output, sizeof output), -1);
    assert_string_equal(output, "");
    assert_int_equal(apw_program_read_all(argv, &all), -1);
    assert_string_equal(all, "/nonexistent/program: No such file or directory");
    free(all);
    assert_int_equal(apw_program_feed(argv, "secret", &all), -1);
    assert_string_equal(all, "/nonexistent/program: No such file or directory");
    free(all);
    assert_int_equal(apw_program_run(argv), -1);
}

static void test_feed(void **state)
{
    char *all, *longest = unit_repeat("x", 4095);

    (void)state;
    assert_int_equal(apw_program_feed(SHELL("cat; echo message >&2; exit 4"), "secret\n", &all), 4);
    assert_string_equal(all, "secret\nmessage\n");
    free(all);
    assert_int_equal(apw_program_feed(SHELL("cat"), longest, &all), 0);
    assert_string_equal(all, longest);
    free(all);
    assert_int_equal(apw_program_feed(SHELL("exit 5"), "nobody reads it", &all), 5);
    assert_string_equal(all, "");
    free(all);
    free(longest);
}

static void test_run(void **state)
{
    (void)state;
    assert_int_equal(apw_program_run(SHELL("exit 0")), 0);
    assert_int_equal(apw_program_run(SHELL("exit 6")), 6);
    assert_int_equal(apw_program_run(SHELL("kill -KILL $$")), -1);
}

static void test_path(void **state)
{
    char output[256], *path = strdup(getenv("PATH"));

    (void)state;
    setenv("PATH", "/bin:/usr/sbin", 1);
    assert_int_equal(apw_program_read(SHELL("echo $PATH"), output, sizeof output), 0);
    assert_string_equal(output, "/bin:/usr/sbin\n");
    setenv("PATH", "/bin", 1);
    assert_int_equal(apw_program_read(SHELL("echo $PATH"), output, sizeof output), 0);
    assert_string_equal(output, "/bin:/usr/sbin:/usr/bin\n");
    unsetenv("PATH");
    assert_int_equal(apw_program_read(SHELL("echo $PATH"), output, sizeof output), 0);
    assert_string_equal(output, "/usr/local/sbin:/usr/sbin:/usr/bin\n");
    setenv("PATH", path, 1);
    free(path);
}

static void test_lines(void **state)
{
    char text[] = "one\n\ntwo\n", unfinished[] = "one\ntwo";
    char *line;

    (void)state;
    line = apw_program_next_line(text);
    assert_string_equal(text, "one");
    assert_string_equal(line, "\ntwo\n");
    line = apw_program_next_line(line);
    assert_string_equal(line, "two\n");
    assert_null(apw_program_next_line(line));
    assert_string_equal(line, "two");
    line = apw_program_next_line(unfinished);
    assert_string_equal(line, "two");
    assert_null(apw_program_next_line(line));
}

int main(void)
{
    UNIT_ROWS(ends, test_end);
    UNIT_TEST("what does not fit is dropped, and the program still ends", test_long_output);
    UNIT_TEST("a program that hangs is ended", test_late);
    UNIT_TEST("one that does not exist is told", test_missing);
    UNIT_TEST("an input is fed", test_feed);
    UNIT_TEST("a program runs with the streams of this process", test_run);
    UNIT_TEST("PATH gets /usr/sbin unless it is there", test_path);
    UNIT_TEST("a text is taken apart into lines", test_lines);
    return unit_run();
}
