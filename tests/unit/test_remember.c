/* SPDX-License-Identifier: BSD-2-Clause */
/* Remembered matches: which are found again, which are not, and until when. */
#include "clock.h"
#include "remember.h"
#include "unit.h"
#include <pthread.h>
#include <sodium.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define DN "uid=alice,ou=people,dc=example,dc=org"
#define OTHER_PHC                                                                                  \
    "$argon2id$v=19$m=8,t=1,p=1$" UNIT_SALT "$WvCBsCwirJlCB2HTZd1KSjn+Hc0TA9TCuBB/CQpo2G0"

static const struct apw_password password = {UNIT_PASSWORD};
static time_t seconds_ahead;

/* In place of the C library's: a day passes at once. */
int clock_gettime(clockid_t clock, struct timespec *time_r)
{
    int status = (int)syscall(SYS_clock_gettime, clock, time_r);

    if (status == 0)
        time_r->tv_sec += seconds_ahead;
    return status;
}

static struct apw_tags *new_remember(void)
{
    struct apw_tags *remember;
    struct apw_error error;

    seconds_ahead = 0;
    assert_int_equal(apw_remember_new(&remember, &error), 0);
    return remember;
}

static const struct ask_case {
    const char *name;
    const char *dn;
    const char *symbols;
    const char *phc;
    time_t seconds_later;
    bool is_found;
} ask_cases[] = {
    {"the match that was added is found", DN, UNIT_PASSWORD, UNIT_PHC, 0, true},
    {"it is found a minute before the day is over", DN, UNIT_PASSWORD, UNIT_PHC, 86340, true},
    {"it is not found when the day is over", DN, UNIT_PASSWORD, UNIT_PHC, 86400, false},
    {"another entry's is not found", "uid=bob,ou=people,dc=example,dc=org", UNIT_PASSWORD, UNIT_PHC,
     0, false},
    {"another app password is not found", DN, "k7q29fjdx3mh4tnzp8xx", UNIT_PHC, 0, false},
    {"another stored hash is not found", DN, UNIT_PASSWORD, OTHER_PHC, 0, false},
    {"the same bytes divided elsewhere are not found", DN "$", UNIT_PASSWORD, &UNIT_PHC[1], 0,
     false},
};

static void test_ask(void **state)
{
    const struct ask_case *row = *state;
    struct apw_tags *remember = new_remember();
    struct apw_password asked;

    memcpy(asked.symbols, row->symbols, sizeof asked.symbols);
    apw_remember_add(remember, DN, &password, UNIT_PHC);
    seconds_ahead = row->seconds_later;
    assert_int_equal(apw_remember_has(remember, row->dn, &asked, row->phc), row->is_found);
    apw_tags_free(&remember);
    assert_null(remember);
}

static void test_empty(void **state)
{
    struct apw_tags *remember = new_remember();

    (void)state;
    assert_false(apw_remember_has(remember, DN, &password, UNIT_PHC));
    apw_tags_free(&remember);
    apw_tags_free(&remember);
}

static void test_many(void **state)
{
    struct apw_tags *remember = new_remember();
    char dn[64];
    int found = 0;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        snprintf(dn, sizeof dn, "uid=user%d,dc=example,dc=org", i);
        apw_remember_add(remember, dn, &password, UNIT_PHC);
        assert_true(apw_remember_has(remember, dn, &password, UNIT_PHC));
    }
    for (int i = 0; i < 10000; i++) {
        snprintf(dn, sizeof dn, "uid=user%d,dc=example,dc=org", i);
        found += apw_remember_has(remember, dn, &password, UNIT_PHC);
    }
    assert_in_range(found, 1, 512);
    apw_tags_free(&remember);
}

static void test_again(void **state)
{
    struct apw_tags *remember = new_remember();

    (void)state;
    apw_remember_add(remember, DN, &password, UNIT_PHC);
    seconds_ahead = 86000;
    apw_remember_add(remember, DN, &password, UNIT_PHC);
    seconds_ahead = 2 * 86000;
    assert_true(apw_remember_has(remember, DN, &password, UNIT_PHC));
    apw_tags_free(&remember);
}

static void test_fork(void **state)
{
    struct apw_tags *remember = new_remember();
    int status;
    pid_t child;

    (void)state;
    apw_remember_add(remember, DN, &password, UNIT_PHC);
    child = fork();
    if (child == 0) {
        bool has_parents = apw_remember_has(remember, DN, &password, UNIT_PHC);

        apw_remember_add(remember, DN, &password, UNIT_PHC);
        _exit(has_parents || !apw_remember_has(remember, DN, &password, UNIT_PHC));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(apw_remember_has(remember, DN, &password, UNIT_PHC));
    apw_tags_free(&remember);
}

static void *use_it(void *argument)
{
    struct apw_tags *remember = argument;
    static const struct apw_password wrong = {"k7q29fjdx3mh4tnzp8xx"};
    bool is_good = true;

    for (int i = 0; i < 2000; i++) {
        apw_remember_add(remember, DN, &password, UNIT_PHC);
        is_good = is_good && !apw_remember_has(remember, DN, &wrong, UNIT_PHC);
    }
    return is_good ? remember : NULL;
}

static void test_threads(void **state)
{
    struct apw_tags *remember = new_remember();
    pthread_t thread[4];

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, use_it, remember), 0);
    for (size_t i = 0; i < UNIT_COUNT(thread); i++) {
        void *result;

        assert_int_equal(pthread_join(thread[i], &result), 0);
        assert_ptr_equal(result, remember);
    }
    assert_true(apw_remember_has(remember, DN, &password, UNIT_PHC));
    apw_tags_free(&remember);
}

int main(void)
{
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    UNIT_ROWS(ask_cases, test_ask);
    UNIT_TEST("nothing is found in an empty table", test_empty);
    UNIT_TEST("of many some are forgotten, and none at once", test_many);
    UNIT_TEST("a match that is added again lives a day from then", test_again);
    UNIT_TEST("a child begins with an empty table", test_fork);
    UNIT_TEST("threads find no match that was not added", test_threads);
    return unit_run();
}
