/* SPDX-License-Identifier: BSD-2-Clause */
/* Workers: every job finishes once, none too soon, and waiting jobs occupy no thread. */
#include "clock.h"
#include "unit.h"
#include "web/worker.h"
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define WORKERS 2
#define JOBS    200
#define LONG_MS 3600000

struct job {
    struct apw_worker_job job;
    int64_t delay_ms;
    bool is_slow; /* work() returns after `may_return` */
    atomic_int begun, worked, finished;
    int64_t due_ms, finished_ms;
};

static atomic_bool may_return;

static void work(void *context, struct apw_worker_job *base)
{
    struct job *job = (struct job *)base;

    (void)context;
    atomic_store(&job->begun, 1);
    while (job->is_slow && !atomic_load(&may_return))
        sched_yield();
    job->due_ms = job->delay_ms == 0 ? 0 : apw_clock_monotonic_ms() + job->delay_ms;
    base->due_ms = job->due_ms;
    atomic_fetch_add(&job->worked, 1);
}

static void finish(void *context, struct apw_worker_job *base)
{
    struct job *job = (struct job *)base;

    (void)context;
    job->finished_ms = apw_clock_monotonic_ms();
    atomic_fetch_add(&job->finished, 1);
}

static struct apw_workers *start(void)
{
    const struct apw_worker_settings settings = {.count = WORKERS, .work = work, .finish = finish};
    struct apw_error error = {""};
    struct apw_workers *workers;

    atomic_store(&may_return, false);
    assert_int_equal(apw_workers_start(&settings, &workers, &error), 0);
    return workers;
}

static void wait_for(atomic_int *number)
{
    while (atomic_load(number) == 0)
        sched_yield();
}

static void end(struct apw_workers **workers)
{
    apw_workers_end(*workers);
    apw_workers_free(workers);
    assert_null(*workers);
}

static void test_at_once(void **state)
{
    struct apw_workers *workers = start();
    static struct job jobs[JOBS];

    (void)state;
    for (int i = 0; i < JOBS; i++)
        assert_true(apw_worker_give(workers, &jobs[i].job));
    for (int i = 0; i < JOBS; i++)
        wait_for(&jobs[i].finished);
    end(&workers);
    for (int i = 0; i < JOBS; i++)
        assert_true(jobs[i].worked == 1 && jobs[i].finished == 1);
}

static void test_waiting_holds_no_thread(void **state)
{
    struct apw_workers *workers = start();
    static struct job late[JOBS];
    struct job prompt = {.delay_ms = 0};

    (void)state;
    for (int i = 0; i < JOBS; i++) {
        late[i].delay_ms = LONG_MS;
        assert_true(apw_worker_give(workers, &late[i].job));
    }
    assert_true(apw_worker_give(workers, &prompt.job));
    wait_for(&prompt.finished); /* behind all of them, and long before they are due */
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(late[i].finished, 0);
    end(&workers);
    for (int i = 0; i < JOBS; i++)
        assert_true(late[i].worked == 1 && late[i].finished == 1);
}

static void test_not_too_soon_and_in_order(void **state)
{
    struct apw_workers *workers = start();
    static const int64_t delays[] = {120, 40, 80, 40, 1};
    static struct job jobs[5];

    (void)state;
    for (int i = 0; i < 5; i++) {
        jobs[i].delay_ms = delays[i];
        assert_true(apw_worker_give(workers, &jobs[i].job));
    }
    for (int i = 0; i < 5; i++)
        wait_for(&jobs[i].finished);
    end(&workers);
    for (int i = 0; i < 5; i++)
        assert_true(jobs[i].finished_ms >= jobs[i].due_ms);
}

static void *end_all(void *workers)
{
    apw_workers_end(workers);
    return NULL;
}

static void sleep_ms(int64_t ms)
{
    apw_clock_sleep_until_ms(apw_clock_monotonic_ms() + ms);
}

static void test_end(void **state)
{
    struct apw_workers *workers = start();
    static struct job busy[WORKERS], unbegun[JOBS];
    static struct job more[JOBS];
    pthread_t thread;

    (void)state;
    for (int i = 0; i < WORKERS; i++) {
        busy[i].is_slow = true;
        busy[i].delay_ms = LONG_MS;
        assert_true(apw_worker_give(workers, &busy[i].job));
    }
    for (int i = 0; i < WORKERS; i++)
        wait_for(&busy[i].begun);
    for (int i = 0; i < JOBS; i++)
        assert_true(apw_worker_give(workers, &unbegun[i].job));
    assert_int_equal(pthread_create(&thread, NULL, end_all, workers), 0);
    for (int i = 0; apw_worker_give(workers, &more[i].job); i++) {
        assert_true(i < JOBS - 1); /* it is told to end within that many moments */
        sleep_ms(100);
    }
    atomic_store(&may_return, true);
    pthread_join(thread, NULL);
    apw_workers_free(&workers);
    for (int i = 0; i < WORKERS; i++)
        assert_true(busy[i].worked == 1 && busy[i].finished == 1);
    for (int i = 0; i < JOBS; i++)
        assert_true(unbegun[i].worked == 0 && unbegun[i].finished == 1);
}

static void test_wrong_counts(void **state)
{
    static const unsigned counts[] = {0, 65, UINT_MAX};
    static const char *const errors[] = {"0 worker threads: there must be 1 to 64",
                                         "65 worker threads: there must be 1 to 64",
                                         "4294967295 worker threads: there must be 1 to 64"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        const struct apw_worker_settings settings = {
            .count = counts[i], .work = work, .finish = finish};
        struct apw_error error = {""};
        struct apw_workers *workers;

        assert_int_equal(apw_workers_start(&settings, &workers, &error), -1);
        assert_null(workers);
        assert_string_equal(error.text, errors[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_waiting_holds_no_thread),
        cmocka_unit_test(test_not_too_soon_and_in_order),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_wrong_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
