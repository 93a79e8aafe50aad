/* SPDX-License-Identifier: BSD-2-Clause */
/* Repetitions of refused account passwords: by client and user, by password, and until when. */
#include "repeat.h"
#include "unit.h"
#include <sodium.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define ALICE "uid=alice,dc=example,dc=org"
#define BOB   "uid=bob,dc=example,dc=org"
#define HOME  "203.0.113.7"
#define AWAY  "198.51.100.9"

static time_t seconds_ahead;

/* In place of the C library's: a day passes at once. */
int clock_gettime(clockid_t clock, struct timespec *time_r)
{
    int status = (int)syscall(SYS_clock_gettime, clock, time_r);

    if (status == 0)
        time_r->tv_sec += seconds_ahead;
    return status;
}

static struct apw_repeat_table *new_table(void)
{
    struct apw_repeat_table *table;
    struct apw_error error;

    seconds_ahead = 0;
    assert_int_equal(apw_repeat_new(&table, &error), 0);
    return table;
}

static enum apw_repeat note(struct apw_repeat_table *table, const char *dn, const char *client,
                            const char *password)
{
    return apw_repeat_note(table, dn, client, password, strlen(password));
}

static const struct note_case {
    const char *name;
    const char *dn;
    const char *client;
    const char *password;
    time_t seconds_later;
    enum apw_repeat expected;
} note_cases[] = {
    {"the same password is a repetition", ALICE, HOME, "old", 0, APW_REPEAT_YES},
    {"a third password is none", ALICE, HOME, "other", 0, APW_REPEAT_NO},
    {"a longer password is another", ALICE, HOME, "old1", 0, APW_REPEAT_NO},
    {"a shorter password is another", ALICE, HOME, "ol", 0, APW_REPEAT_NO},
    {"an empty password is another", ALICE, HOME, "", 0, APW_REPEAT_NO},
    {"another user's is not compared", BOB, HOME, "old", 0, APW_REPEAT_UNKNOWN},
    {"another client's is not compared", ALICE, AWAY, "old", 0, APW_REPEAT_UNKNOWN},
    {"the same bytes divided elsewhere are not compared", ALICE HOME, "", "old", 0,
     APW_REPEAT_UNKNOWN},
    {"it is known a minute before the day is over", ALICE, HOME, "old", 86340, APW_REPEAT_YES},
    {"it is forgotten when the day is over", ALICE, HOME, "old", 86400, APW_REPEAT_UNKNOWN},
};

static void test_note(void **state)
{
    const struct note_case *row = *state;
    struct apw_repeat_table *table = new_table();

    assert_int_equal(note(table, ALICE, HOME, "old"), APW_REPEAT_UNKNOWN);
    assert_int_equal(note(table, ALICE, HOME, "older"), APW_REPEAT_UNKNOWN);
    seconds_ahead = row->seconds_later;
    assert_int_equal(note(table, row->dn, row->client, row->password), row->expected);
    apw_repeat_free(&table);
    assert_null(table);
    apw_repeat_free(&table);
}

/* Two devices of one household, each with its own old password. */
static void test_alternating(void **state)
{
    struct apw_repeat_table *table = new_table();

    (void)state;
    assert_int_equal(note(table, ALICE, HOME, "old"), APW_REPEAT_UNKNOWN);
    assert_int_equal(note(table, ALICE, HOME, "older"), APW_REPEAT_UNKNOWN);
    for (int i = 0; i < 100; i++)
        assert_int_equal(note(table, ALICE, HOME, i % 2 ? "old" : "older"), APW_REPEAT_YES);
    apw_repeat_free(&table);
}

static void test_guesses(void **state)
{
    struct apw_repeat_table *table = new_table();
    char guess[16];

    (void)state;
    note(table, ALICE, HOME, "first");
    note(table, ALICE, HOME, "second");
    for (int i = 0; i < 1000; i++) {
        snprintf(guess, sizeof guess, "guess%d", i);
        assert_int_equal(note(table, ALICE, HOME, guess), APW_REPEAT_NO);
    }
    assert_int_equal(note(table, ALICE, HOME, "guess992"), APW_REPEAT_YES);
    assert_int_equal(note(table, ALICE, HOME, "guess991"), APW_REPEAT_NO);
    apw_repeat_free(&table);
}

/* An attacker elsewhere, with as many passwords as they like, does not change what is known of a
 * phone; with as many users as they like, they only make it unknown. */
static void test_attackers(void **state)
{
    struct apw_repeat_table *table = new_table();
    char text[64];

    (void)state;
    note(table, ALICE, HOME, "old");
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "guess%d", i);
        note(table, ALICE, AWAY, text);
    }
    assert_int_equal(note(table, ALICE, HOME, "old"), APW_REPEAT_YES);
    for (int i = 0; i < 255; i++) {
        snprintf(text, sizeof text, "uid=user%d,dc=example,dc=org", i);
        note(table, text, AWAY, "guess");
    }
    assert_int_equal(note(table, ALICE, HOME, "old"), APW_REPEAT_YES);
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "uid=user%d,dc=example,dc=org", i);
        note(table, text, AWAY, "guess");
    }
    assert_int_equal(note(table, ALICE, HOME, "old"), APW_REPEAT_UNKNOWN);
    apw_repeat_free(&table);
}

static void test_fork(void **state)
{
    struct apw_repeat_table *table = new_table();
    int status;
    pid_t child;

    (void)state;
    note(table, ALICE, HOME, "old");
    child = fork();
    if (child == 0) {
        bool is_new = note(table, ALICE, HOME, "old") == APW_REPEAT_UNKNOWN;

        _exit(is_new && note(table, ALICE, HOME, "old") == APW_REPEAT_YES ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(note(table, ALICE, HOME, "old"), APW_REPEAT_YES);
    apw_repeat_free(&table);
}

int main(void)
{
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    UNIT_ROWS(note_cases, test_note);
    UNIT_TEST("two devices with one old password each repeat themselves", test_alternating);
    UNIT_TEST("guesses are none of the last eight", test_guesses);
    UNIT_TEST("no other client makes a phone's password look new", test_attackers);
    UNIT_TEST("a child after fork() begins anew", test_fork);
    return unit_run();
}
