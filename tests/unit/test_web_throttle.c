/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting times after wrong tries, with the test's own clock, and the networks that wait. */
#include "unit.h"
#include "web/throttle.h"
#include <pthread.h>
#include <sodium.h>

#define HOUR_MS 3600000

static const struct apw_patience patience = {.free = 3, .base_s = 10, .most_s = 60};

static bool is_memory_short;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    return is_memory_short ? NULL : __real_calloc(count, size);
}

static struct apw_throttle *make(void)
{
    struct apw_error error = {""};
    struct apw_throttle *throttle;

    assert_int_equal(apw_throttle_new(&throttle, &error), 0);
    return throttle;
}

static bool take(struct apw_throttle *throttle, const char *whom, int64_t now_ms)
{
    return apw_throttle_take(throttle, "password", whom, &patience, now_ms);
}

static int64_t wait_ms(struct apw_throttle *throttle, const char *whom, int64_t now_ms)
{
    return apw_throttle_wait_ms(throttle, "password", whom, now_ms);
}

/* All free tries at once. */
static void use_up(struct apw_throttle *throttle, const char *whom, int64_t now_ms)
{
    for (unsigned i = 0; i < patience.free; i++)
        assert_true(take(throttle, whom, now_ms));
    assert_false(take(throttle, whom, now_ms));
}

static const struct growth_case {
    const char *name;
    struct apw_patience patience;
    unsigned waits[8]; /* seconds behind the first try, the second, … */
} growths[] = {
    {"three are free, then waiting doubles up to its most",
     {3, 10, 60, false},
     {0, 0, 10, 20, 40, 60, 60, 60}},
    {"one is free", {1, 1, 1000, false}, {1, 2, 4, 8, 16, 32, 64, 128}},
    {"waiting that begins at its most stays there",
     {2, 60, 60, false},
     {0, 60, 60, 60, 60, 60, 60, 60}},
    {"waiting that would begin above its most is cut",
     {1, 90, 60, false},
     {60, 60, 60, 60, 60, 60, 60, 60}},
    {"everything is free", {100, 10, 60, false}, {0, 0, 0, 0, 0, 0, 0, 0}},
};

static void test_growth(void **state)
{
    const struct growth_case *row = *state;
    struct apw_throttle *throttle = make();
    int64_t now = 5;

    for (size_t i = 0; i < UNIT_COUNT(row->waits); i++) {
        int64_t wait = (int64_t)row->waits[i] * 1000;

        assert_true(apw_throttle_take(throttle, "a", "b", &row->patience, now));
        if (wait > 0) {
            assert_false(apw_throttle_take(throttle, "a", "b", &row->patience, now));
            assert_false(apw_throttle_take(throttle, "a", "b", &row->patience, now + wait - 1));
        }
        now += wait;
    }
    apw_throttle_free(&throttle);
    assert_null(throttle);
}

/* Without a pause of an hour, the wait stays at its maximum. */
static void test_most(void **state)
{
    struct apw_throttle *throttle = make();
    int64_t now = 0;

    (void)state;
    use_up(throttle, "a", now);
    for (int i = 0; i < 10000; i++) {
        now += 60000;
        assert_true(take(throttle, "a", now));
        assert_false(take(throttle, "a", now + 9999));
    }
    apw_throttle_free(&throttle);
}

static void test_refused_costs_nothing(void **state)
{
    struct apw_throttle *throttle = make();

    (void)state;
    use_up(throttle, "a", 0);
    for (int64_t now = 0; now < 10000; now += 7)
        assert_false(take(throttle, "a", now));
    assert_true(take(throttle, "a", 10000));
    assert_false(take(throttle, "a", 29999));
    assert_true(take(throttle, "a", 30000));
    apw_throttle_free(&throttle);
}

/* After constant polling, only the longest wait without a try gives one more try. */
static void test_polling(void **state)
{
    static const struct apw_patience polling = {3, 10, 60, true};
    struct apw_throttle *throttle = make();
    int64_t now = 0;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_true(apw_throttle_take(throttle, "a", "b", &polling, now));
    for (; now < 10 * HOUR_MS; now += 9999)
        assert_false(apw_throttle_take(throttle, "a", "b", &polling, now));
    now -= 9999;
    assert_true(apw_throttle_take(throttle, "a", "b", &polling, now + 60000));
    assert_false(apw_throttle_take(throttle, "a", "b", &polling, now + 119999));
    assert_false(apw_throttle_take(throttle, "a", "b", &polling, now + 120000)); /* anew */
    assert_true(apw_throttle_take(throttle, "a", "c", &polling, now));
    apw_throttle_free(&throttle);
}

static void test_give_back(void **state)
{
    struct apw_throttle *throttle = make();

    (void)state;
    for (int i = 0; i < 1000; i++) { /* who is right each time never waits */
        assert_true(take(throttle, "a", 0));
        apw_throttle_give_back(throttle, "password", "a");
    }
    use_up(throttle, "a", 0);
    apw_throttle_give_back(throttle, "password", "a");
    assert_true(take(throttle, "a", 0)); /* the third is free again */
    assert_false(take(throttle, "a", 0));
    apw_throttle_give_back(throttle, "password", "nobody");
    assert_true(take(throttle, "nobody", 0));
    apw_throttle_free(&throttle);
}

/* A right try between wrong ones does not undo them. */
static void test_give_back_one(void **state)
{
    struct apw_throttle *throttle = make();

    (void)state;
    use_up(throttle, "a", 0);
    assert_true(take(throttle, "a", 10000));
    assert_true(take(throttle, "a", 30000));
    apw_throttle_give_back(throttle, "password", "a");
    assert_true(take(throttle, "a", 30000));
    assert_false(take(throttle, "a", 69999)); /* as after the fifth, not as after the first */
    assert_true(take(throttle, "a", 70000));
    apw_throttle_free(&throttle);
}

static void test_forget(void **state)
{
    struct apw_throttle *throttle = make();

    (void)state;
    use_up(throttle, "a", 0);
    use_up(throttle, "b", 0);
    apw_throttle_forget(throttle, "password", "a");
    use_up(throttle, "a", 0);
    assert_false(take(throttle, "b", 0));
    apw_throttle_forget(throttle, "password", "nobody");
    apw_throttle_give_back(throttle, "password", "nobody");
    apw_throttle_free(&throttle);
}

static void test_hour(void **state)
{
    struct apw_throttle *throttle = make();
    const struct apw_patience day = {1, 86400, 86400, false};

    (void)state;
    use_up(throttle, "a", 1000);
    assert_true(take(throttle, "a", 1000 + HOUR_MS)); /* the fourth: not forgotten yet */
    assert_false(take(throttle, "a", 1000 + HOUR_MS + 19999));
    use_up(throttle, "a", 1000 + 2 * HOUR_MS + 1); /* and now it is */
    assert_true(apw_throttle_take(throttle, "x", "a", &day, 0));
    assert_false(apw_throttle_take(throttle, "x", "a", &day, HOUR_MS));
    assert_true(apw_throttle_take(throttle, "x", "a", &day, HOUR_MS + 1));
    apw_throttle_free(&throttle);
}

static void test_wait(void **state)
{
    struct apw_throttle *throttle = make();

    (void)state;
    assert_int_equal(wait_ms(throttle, "a", 5), 0);
    for (unsigned i = 1; i < patience.free; i++) {
        assert_true(take(throttle, "a", 5));
        assert_int_equal(wait_ms(throttle, "a", 5), 0);
    }
    assert_true(take(throttle, "a", 5));
    assert_int_equal(wait_ms(throttle, "a", 5), 10000);
    assert_int_equal(wait_ms(throttle, "a", 10004), 1);
    assert_int_equal(wait_ms(throttle, "a", 10005), 0);
    assert_int_equal(wait_ms(throttle, "a", 20000), 0);
    assert_int_equal(wait_ms(throttle, "b", 5), 0);
    apw_throttle_give_back(throttle, "password", "a");
    assert_int_equal(wait_ms(throttle, "a", 5), 0);
    use_up(throttle, "b", 5);
    apw_throttle_forget(throttle, "password", "b");
    assert_int_equal(wait_ms(throttle, "b", 5), 0);
    apw_throttle_free(&throttle);
}

static void test_minutes(void **state)
{
    static const struct {
        int64_t wait_ms;
        unsigned minutes;
    } rows[] = {{0, 1},      {1, 1},      {59999, 1},   {60000, 1},      {60001, 2},
                {120000, 2}, {120001, 3}, {600000, 10}, {86400000, 1440}};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++)
        assert_int_equal(apw_throttle_minutes(rows[i].wait_ms), rows[i].minutes);
}

static void test_apart(void **state)
{
    struct apw_throttle *throttle = make();
    char same[] = "password\0and more";

    (void)state;
    use_up(throttle, "bc", 0);
    assert_true(take(throttle, "b", 0));
    assert_true(take(throttle, "bcd", 0));
    assert_true(take(throttle, "", 0));
    assert_true(apw_throttle_take(throttle, "passwordb", "c", &patience, 0));
    assert_true(apw_throttle_take(throttle, "", "passwordbc", &patience, 0));
    assert_false(take(throttle, "bc", 0));
    assert_false(apw_throttle_take(throttle, same, "bc", &patience, 0)); /* names end at the NUL */
    apw_throttle_free(&throttle);
}

#define TABLE 4096 /* what is remembered at the same time */

static void fill(struct apw_throttle *throttle, int from, int to, int64_t now_ms)
{
    char whom[16];

    for (int i = from; i < to; i++) {
        snprintf(whom, sizeof whom, "%d", i);
        assert_true(take(throttle, whom, now_ms + i));
    }
}

static void test_full(void **state)
{
    struct apw_throttle *throttle = make();

    (void)state;
    use_up(throttle, "the oldest", 0);
    use_up(throttle, "the second", 1);
    fill(throttle, 0, TABLE - 2, 2);
    assert_false(take(throttle, "the oldest", 5000));
    assert_true(take(throttle, "one more", 5000));
    assert_false(take(throttle, "the second", 5000));
    use_up(throttle, "the oldest", 5000); /* forgotten; its return takes the place of the second */
    use_up(throttle, "the second", 5000);
    assert_false(take(throttle, "the oldest", 5000));
    apw_throttle_free(&throttle);
}

static void test_room(void **state)
{
    struct apw_throttle *throttle = make();

    (void)state;
    use_up(throttle, "the oldest", 0);
    fill(throttle, 0, TABLE - 1, 1);
    apw_throttle_forget(throttle, "password", "17");
    assert_true(take(throttle, "one more", 5000)); /* there is a free place */
    assert_false(take(throttle, "the oldest", 5000));
    apw_throttle_free(&throttle);
}

/* ---- at the same time ---- */

#define THREADS 8
#define ROUNDS  500

static struct apw_throttle *shared;
static pthread_barrier_t barrier;
static const struct apw_patience generous = {.free = 100, .base_s = 10, .most_s = 60};

static void *take_many(void *context)
{
    size_t *taken = context;

    pthread_barrier_wait(&barrier);
    for (int i = 0; i < ROUNDS; i++)
        *taken += apw_throttle_take(shared, "a", "b", &generous, 1);
    return NULL;
}

static void *take_and_give_many(void *context)
{
    size_t *taken = context;

    pthread_barrier_wait(&barrier);
    for (int i = 0; i < ROUNDS; i++)
        if (apw_throttle_take(shared, "a", "b", &generous, 1)) {
            (*taken)++;
            apw_throttle_give_back(shared, "a", "b");
        }
    return NULL;
}

static size_t run_threads(void *(*run)(void *context))
{
    size_t taken[THREADS] = {0}, sum = 0;
    pthread_t thread[THREADS];

    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, run, &taken[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        sum += taken[i];
    }
    pthread_barrier_destroy(&barrier);
    return sum;
}

static void test_parallel(void **state)
{
    (void)state;
    shared = make();
    assert_int_equal(run_threads(take_many), generous.free);
    apw_throttle_free(&shared);
}

static void test_parallel_give_back(void **state)
{
    (void)state;
    shared = make();
    assert_int_equal(run_threads(take_and_give_many), THREADS * ROUNDS);
    assert_int_equal(run_threads(take_many), generous.free); /* nothing is left of it */
    apw_throttle_free(&shared);
}

/* ---- networks ---- */

static const struct network_case {
    const char *name;
    const char *client, *network, *site;
} networks[] = {
    {"an IPv4 address is its own network", "192.0.2.255", "192.0.2.255", "192.0.2.255"},
    {"also if IPv6 contains it", "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"},
    {"an IPv6 network is a /64, a site a /48", "2001:db8:1234:5678:9abc:def0:1234:5678",
     "2001:db8:1234:5678::/64", "2001:db8:1234::/48"},
    {"the longest has room", "abcd:abcd:abcd:abcd:1111:2222:3333:4444", "abcd:abcd:abcd:abcd::/64",
     "abcd:abcd:abcd::/48"},
    {"without an address the network is unknown", "", "-", "-"},
    {"so it is with a name", "mail.example.org", "-", "-"},
};

static void test_network(void **state)
{
    const struct network_case *row = *state;
    char network[APW_THROTTLE_NETWORK_SIZE], site[APW_THROTTLE_NETWORK_SIZE];

    apw_throttle_network(row->client, network);
    apw_throttle_site(row->client, site);
    assert_string_equal(network, row->network);
    assert_string_equal(site, row->site);
}

/* ---- the table itself ---- */

static void test_no_memory(void **state)
{
    struct apw_error error = {""};
    struct apw_throttle *throttle = (void *)&error;

    (void)state;
    is_memory_short = true;
    assert_int_equal(apw_throttle_new(&throttle, &error), -1);
    is_memory_short = false;
    assert_null(throttle);
    assert_string_equal(error.text, "out of memory");
}

static void test_free_nothing(void **state)
{
    struct apw_throttle *throttle = NULL;

    (void)state;
    apw_throttle_free(&throttle);
}

int main(void)
{
    if (sodium_init() < 0)
        abort();
    UNIT_ROWS(growths, test_growth);
    UNIT_TEST("ten thousand tries wait no longer than the most", test_most);
    UNIT_TEST("a try that is refused costs nothing", test_refused_costs_nothing);
    UNIT_TEST("where polling counts, it makes the waiting begin anew", test_polling);
    UNIT_TEST("a try that is given back was none", test_give_back);
    UNIT_TEST("giving one back leaves the others", test_give_back_one);
    UNIT_TEST("forgotten tries begin anew", test_forget);
    UNIT_TEST("an hour later all is forgotten", test_hour);
    UNIT_TEST("the waiting time that is left is known", test_wait);
    UNIT_TEST("minutes are rounded up, and at least one", test_minutes);
    UNIT_TEST("different things count apart", test_apart);
    UNIT_TEST("a full table forgets what was quiet the longest", test_full);
    UNIT_TEST("a free place is taken first", test_room);
    UNIT_TEST("many at the same moment are no cheaper than one after the other", test_parallel);
    UNIT_TEST("many who are right at the same moment leave nothing", test_parallel_give_back);
    UNIT_ROWS(networks, test_network);
    UNIT_TEST("without memory there is no table", test_no_memory);
    UNIT_TEST("nothing is freed", test_free_nothing);
    return unit_run();
}
