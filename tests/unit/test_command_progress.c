/* SPDX-License-Identifier: BSD-2-Clause */
/* What a terminal shows of a long command. The linker puts the clock and isatty() in between. */
#include "clock.h"
#include "progress.h"
#include "unit.h"

static int64_t now_ms;
static bool is_terminal;
static FILE *real;
static char *shown;
static size_t shown_length;

int64_t __wrap_apw_clock_monotonic_ms(void);
int __wrap_isatty(int fd);

int64_t __wrap_apw_clock_monotonic_ms(void)
{
    return now_ms;
}

int __wrap_isatty(int fd)
{
    return fd == STDERR_FILENO && is_terminal;
}

static void begin_capture(void)
{
    now_ms = 1000;
    is_terminal = true;
    setenv("TERM", "xterm", 1);
    real = stderr;
    stderr = open_memstream(&shown, &shown_length);
    if (stderr == NULL)
        abort();
}

static void assert_shown(const char *expected)
{
    apw_progress_end();
    fclose(stderr);
    stderr = real;
    assert_string_equal(shown, expected);
    free(shown);
}

static void steps(unsigned count, unsigned ms)
{
    for (unsigned i = 0; i < count; i++) {
        now_ms += ms;
        apw_progress_step();
    }
}

static void test_count(void **state)
{
    (void)state;
    begin_capture();
    apw_progress_begin("users", 0);
    steps(1, 50);
    steps(2, 30); /* too soon */
    steps(1, 40);
    assert_shown("\rusers: 1\033[K\rusers: 4\033[K\r\033[K");
}

static void test_rate(void **state)
{
    (void)state;
    begin_capture();
    apw_progress_begin("users", 0);
    steps(1, 999);
    steps(1, 1001);
    steps(97, 0);
    steps(1, 2000);
    assert_shown("\rusers: 1\033[K\rusers: 2, 1 a second\033[K\rusers: 100, 25 a second\033[K"
                 "\r\033[K");
}

static void test_next_pass(void **state)
{
    (void)state;
    begin_capture();
    apw_progress_begin("users", 0);
    steps(1, 5000);
    apw_progress_begin("users with MFA", 0);
    steps(1, 10);
    assert_shown("\rusers: 1, 0 a second\033[K\r\033[K\rusers with MFA: 1\033[K\r\033[K");
}

static void test_bar(void **state)
{
    (void)state;
    begin_capture();
    apw_progress_begin("users", 4);
    steps(1, 0);
    steps(3, 0);
    assert_shown("\r[##########                              ] 1 of 4"
                 "\r[########################################] 4 of 4\r\033[K");
}

static void test_line_between(void **state)
{
    (void)state;
    begin_capture();
    apw_progress_begin("users", 0);
    steps(1, 0);
    apw_progress_hide();
    fputs("a finding\n", stderr);
    apw_progress_hide();
    steps(1, 100);
    assert_shown("\rusers: 1\033[K\r\033[Ka finding\n\rusers: 2\033[K\r\033[K");
}

static void test_pipe(void **state)
{
    (void)state;
    begin_capture();
    is_terminal = false;
    apw_progress_begin("users", 0);
    steps(2, 5000);
    assert_shown("");
}

static void test_dumb(void **state)
{
    (void)state;
    begin_capture();
    setenv("TERM", "dumb", 1);
    apw_progress_begin("users", 0);
    steps(2, 5000);
    assert_shown("");
}

int main(void)
{
    UNIT_TEST("a count is shown at once, and then ten times a second", test_count);
    UNIT_TEST("after a second, the count has a rate", test_rate);
    UNIT_TEST("a further search counts from its own beginning", test_next_pass);
    UNIT_TEST("a known total has a bar, which is seen full", test_bar);
    UNIT_TEST("a line that is printed stands alone", test_line_between);
    UNIT_TEST("a pipe gets nothing", test_pipe);
    UNIT_TEST("a dumb terminal gets nothing", test_dumb);
    return unit_run();
}
