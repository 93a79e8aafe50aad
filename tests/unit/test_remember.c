/* SPDX-License-Identifier: BSD-2-Clause */
/* Remembered matches: which are found again, which are not, and until when. */
#include "clock.h"
#include "remember.h"
#include "unit.h"
#include <errno.h>
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

/* In place of the C library's: another thread has the lock. */
static bool is_busy;
int __real_pthread_mutex_trylock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex);

int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    return is_busy ? EBUSY : __real_pthread_mutex_trylock(mutex);
}

static bool is_memory_short;
static size_t slots_bytes; /* the newest table's */

/* In place of libsodium's, which the table of slots comes from. */
void *sodium_allocarray(size_t count, size_t size)
{
    if (is_memory_short)
        return NULL;
    slots_bytes = count * size;
    return sodium_malloc(slots_bytes);
}

static struct apw_tags *new_remember_of(unsigned maximum)
{
    struct apw_tags *remember;
    struct apw_error error;

    seconds_ahead = 0;
    is_memory_short = false;
    slots_bytes = 0;
    assert_int_equal(apw_remember_new(maximum, &remember, &error), 0);
    return remember;
}

static struct apw_tags *new_remember(void)
{
    return new_remember_of(100000);
}

/* ---- many users ---- */

static const char *dn_of(int user, char dn_r[64])
{
    snprintf(dn_r, 64, "uid=user%d,dc=example,dc=org", user);
    return dn_r;
}

static bool has_user(struct apw_tags *remember, int user)
{
    char dn[64];

    return apw_remember_has(remember, dn_of(user, dn), &password, UNIT_PHC);
}

static void add_user(struct apw_tags *remember, int user)
{
    char dn[64];

    apw_remember_add(remember, dn_of(user, dn), &password, UNIT_PHC);
}

/* Of the users from `first` to before `end`. */
static int count_users(struct apw_tags *remember, int first, int end)
{
    int found = 0;

    for (int i = first; i < end; i++)
        found += has_user(remember, i);
    return found;
}

/* All of them in turn; returns how many were remembered. */
static int sign_in(struct apw_tags *remember, int users)
{
    int found = 0;

    for (int i = 0; i < users; i++)
        if (has_user(remember, i))
            found++;
        else
            add_user(remember, i);
    return found;
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

static const struct many_case {
    const char *name;
    unsigned maximum;
    int users;
    int least; /* of them, in each round but the first */
    int most;
} many_cases[] = {
    {"0: nobody is remembered", 0, 10, 0, 0},
    {"1: one user is remembered", 1, 1, 1, 1},
    {"1: of two users none in turn", 1, 2, 0, 0},
    {"10 of 10 are remembered", 10, 10, 10, 10},
    {"1,500 of 1,500 are remembered", 1500, 1500, 1500, 1500},
    {"1,500 with room for 100,000 are remembered", 100000, 1500, 1500, 1500},
    {"100,000 of 100,000 are remembered", 100000, 100000, 100000, 100000},
    {"one too many costs some, not all", 1000, 1001, 900, 1000},
    {"a tenth too many costs some, not all", 1000, 1100, 600, 990}, /* chance: 915, ± 13 */
};

static void test_many(void **state)
{
    const struct many_case *row = *state;
    struct apw_tags *remember = new_remember_of(row->maximum);

    assert_int_equal(sign_in(remember, row->users), 0);
    for (int round = 0; round < 3; round++)
        assert_in_range(sign_in(remember, row->users), row->least, row->most);
    apw_tags_free(&remember);
}

static void test_growth(void **state)
{
    struct apw_tags *remember = new_remember();

    (void)state;
    assert_int_equal(slots_bytes, 0);
    for (int i = 1; i <= 100000; i++) {
        add_user(remember, i);
        assert_in_range(slots_bytes, 1, i < 100 ? 4096 : 48 * i);
    }
    apw_tags_free(&remember);
}

/* An unfair choice would spare the newest or the oldest. */
static void test_eviction(void **state)
{
    struct apw_tags *remember = new_remember_of(1000);

    (void)state;
    for (int i = 0; i < 20000; i++) {
        add_user(remember, i);
        assert_true(has_user(remember, i));
    }
    assert_int_equal(count_users(remember, 0, 20000), 1000);
    assert_in_range(count_users(remember, 19000, 20000), 550, 720); /* 1 - 1/e of them */
    assert_in_range(count_users(remember, 18000, 19000), 160, 310);
    apw_tags_free(&remember);
}

static void test_short_memory(void **state)
{
    struct apw_tags *remember = new_remember();
    int found;

    (void)state;
    is_memory_short = true;
    assert_int_equal(sign_in(remember, 10), 0);
    assert_int_equal(sign_in(remember, 10), 0);
    is_memory_short = false;
    sign_in(remember, 100);
    assert_int_equal(sign_in(remember, 100), 100);
    is_memory_short = true;
    for (int i = 100; i < 1000; i++) {
        add_user(remember, i);
        assert_true(has_user(remember, i));
    }
    found = count_users(remember, 0, 1000);
    assert_in_range(found, 100, 128);
    is_memory_short = false;
    sign_in(remember, 1000);
    assert_int_equal(sign_in(remember, 1000), 1000);
    apw_tags_free(&remember);
}

/* Those of yesterday are dropped when the table grows. */
static void test_next_day(void **state)
{
    struct apw_tags *remember = new_remember();
    char dn[64];

    (void)state;
    sign_in(remember, 1500);
    seconds_ahead = APW_REMEMBER_S / 2;
    for (int i = 1500; i < 1600; i++)
        add_user(remember, i);
    seconds_ahead = APW_REMEMBER_S;
    assert_int_equal(count_users(remember, 0, 1600), 100);
    for (int i = 10000; i < 14000; i++)
        apw_remember_add(remember, dn_of(i, dn), &password, OTHER_PHC);
    assert_int_equal(count_users(remember, 0, 14000), 100);
    for (int i = 10000; i < 14000; i++)
        assert_true(apw_remember_has(remember, dn_of(i, dn), &password, OTHER_PHC));
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

static void test_busy(void **state)
{
    struct apw_tags *remember = new_remember();

    (void)state;
    add_user(remember, 1);
    is_busy = true;
    assert_false(has_user(remember, 1));
    add_user(remember, 2);
    is_busy = false;
    assert_true(has_user(remember, 1));
    assert_false(has_user(remember, 2));
    apw_tags_free(&remember);
}

static void test_fork(void **state)
{
    struct apw_tags *remember = new_remember();
    int status;
    pid_t child;

    (void)state;
    sign_in(remember, 1500);
    child = fork();
    if (child == 0) {
        bool is_new = sign_in(remember, 1500) == 0 && sign_in(remember, 1500) == 1500;

        apw_tags_free(&remember);
        _exit(is_new ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(sign_in(remember, 1500), 1500);
    apw_tags_free(&remember);
}

static void *use_it(void *argument)
{
    struct apw_tags *remember = argument;
    static const struct apw_password wrong = {"k7q29fjdx3mh4tnzp8xx"};
    bool is_good = true;

    for (int i = 0; i < 5000; i++) {
        apw_remember_add(remember, DN, &password, UNIT_PHC);
        add_user(remember, i); /* it grows meanwhile */
        is_good = is_good && !has_user(remember, 5000 + i);
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
    sign_in(remember, 5000);
    assert_int_equal(sign_in(remember, 5000), 5000);
    apw_tags_free(&remember);
}

int main(void)
{
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    UNIT_ROWS(ask_cases, test_ask);
    UNIT_TEST("nothing is found in an empty table", test_empty);
    UNIT_ROWS(many_cases, test_many);
    UNIT_TEST("48 bytes are enough for each, at every size", test_growth);
    UNIT_TEST("a full table drops any, and never the new one", test_eviction);
    UNIT_TEST("without memory it stays as it is", test_short_memory);
    UNIT_TEST("yesterday's are forgotten, whatever is added", test_next_day);
    UNIT_TEST("a match that is added again lives a day from then", test_again);
    UNIT_TEST("while another thread has the table, nothing is found or added", test_busy);
    UNIT_TEST("a child begins with an empty table", test_fork);
    UNIT_TEST("threads find no match that was not added", test_threads);
    return unit_run();
}
