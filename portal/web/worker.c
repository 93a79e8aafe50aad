/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/worker.h"
#include "clock.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define WORKERS_MAX 64

struct apw_workers {
    struct apw_worker_settings settings;
    pthread_mutex_t mutex;
    pthread_cond_t given;                /* a job, or the end */
    pthread_cond_t due;                  /* another first one, or the end */
    struct apw_worker_job *first, *last; /* not started */
    struct apw_worker_job *waiting;      /* done, soonest first */
    bool is_ending;
    pthread_t thread[WORKERS_MAX + 1]; /* the last one is the timer */
    unsigned thread_count;
};

static void keep_until_due(struct apw_workers *workers, struct apw_worker_job *job)
{
    struct apw_worker_job **place = &workers->waiting;

    while (*place != NULL && (*place)->due_ms <= job->due_ms)
        place = &(*place)->next;
    job->next = *place;
    *place = job;
    if (workers->waiting == job)
        pthread_cond_signal(&workers->due);
}

static struct apw_worker_job *take_first(struct apw_workers *workers)
{
    struct apw_worker_job *job = workers->first;

    if (job == NULL)
        return NULL;
    workers->first = job->next;
    if (workers->first == NULL)
        workers->last = NULL;
    return job;
}

static void *run_worker(void *context)
{
    struct apw_workers *workers = context;
    const struct apw_worker_settings *settings = &workers->settings;
    struct apw_worker_job *job;
    bool is_late;

    pthread_mutex_lock(&workers->mutex);
    while (!workers->is_ending) {
        job = take_first(workers);
        if (job == NULL) {
            pthread_cond_wait(&workers->given, &workers->mutex);
            continue;
        }
        pthread_mutex_unlock(&workers->mutex);
        settings->work(settings->context, job);
        pthread_mutex_lock(&workers->mutex);
        is_late = !workers->is_ending && apw_clock_remaining_ms(job->due_ms) > 0;
        if (is_late)
            keep_until_due(workers, job);
        else
            settings->finish(settings->context, job);
    }
    pthread_mutex_unlock(&workers->mutex);
    return NULL;
}

static void wait_until(struct apw_workers *workers, int64_t moment_ms)
{
    const struct timespec moment = {.tv_sec = moment_ms / 1000,
                                    .tv_nsec = moment_ms % 1000 * 1000000};

    pthread_cond_timedwait(&workers->due, &workers->mutex, &moment);
}

static void *run_timer(void *context)
{
    struct apw_workers *workers = context;

    pthread_mutex_lock(&workers->mutex);
    while (!workers->is_ending) {
        struct apw_worker_job *job = workers->waiting;

        if (job == NULL) {
            pthread_cond_wait(&workers->due, &workers->mutex);
        } else if (apw_clock_remaining_ms(job->due_ms) > 0) {
            wait_until(workers, job->due_ms);
        } else {
            workers->waiting = job->next;
            workers->settings.finish(workers->settings.context, job);
        }
    }
    pthread_mutex_unlock(&workers->mutex);
    return NULL;
}

/* None of these can fail on Linux. */
static void init_locks(struct apw_workers *workers)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC); /* as apw_clock_monotonic_ms() */
    pthread_mutex_init(&workers->mutex, NULL);
    pthread_cond_init(&workers->given, NULL);
    pthread_cond_init(&workers->due, &attributes);
    pthread_condattr_destroy(&attributes);
}

int apw_workers_start(const struct apw_worker_settings *settings, struct apw_workers **workers_r,
                      struct apw_error *error)
{
    struct apw_workers *workers;

    *workers_r = NULL;
    if (settings->count == 0 || settings->count > WORKERS_MAX)
        return apw_error_set(error, "%u worker threads: there must be 1 to %d", settings->count,
                             WORKERS_MAX);
    *workers_r = workers = calloc(1, sizeof *workers);
    if (workers == NULL)
        return apw_error_set(error, "out of memory");
    workers->settings = *settings;
    init_locks(workers);
    while (workers->thread_count <= settings->count) {
        bool is_timer = workers->thread_count == settings->count;

        if (pthread_create(&workers->thread[workers->thread_count], NULL,
                           is_timer ? run_timer : run_worker, workers) != 0) {
            apw_workers_end(workers);
            return apw_error_set(error, "cannot start a thread");
        }
        workers->thread_count++;
    }
    return 0;
}

bool apw_worker_give(struct apw_workers *workers, struct apw_worker_job *job)
{
    bool is_taken;

    pthread_mutex_lock(&workers->mutex);
    is_taken = !workers->is_ending;
    if (is_taken) {
        job->next = NULL;
        if (workers->last != NULL)
            workers->last->next = job;
        else
            workers->first = job;
        workers->last = job;
        pthread_cond_signal(&workers->given);
    }
    pthread_mutex_unlock(&workers->mutex);
    return is_taken;
}

static void finish_all(struct apw_workers *workers, struct apw_worker_job *job)
{
    while (job != NULL) {
        struct apw_worker_job *next = job->next; /* finishing may free it */

        workers->settings.finish(workers->settings.context, job);
        job = next;
    }
}

void apw_workers_end(struct apw_workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    workers->is_ending = true;
    pthread_cond_broadcast(&workers->given);
    pthread_cond_signal(&workers->due);
    pthread_mutex_unlock(&workers->mutex);
    for (unsigned i = 0; i < workers->thread_count; i++)
        pthread_join(workers->thread[i], NULL);
    workers->thread_count = 0;
    finish_all(workers, workers->first);
    finish_all(workers, workers->waiting);
    workers->first = workers->last = workers->waiting = NULL;
}

void apw_workers_free(struct apw_workers **workers)
{
    if (*workers == NULL)
        return;
    pthread_cond_destroy(&(*workers)->due);
    pthread_cond_destroy(&(*workers)->given);
    pthread_mutex_destroy(&(*workers)->mutex);
    free(*workers);
    *workers = NULL;
}
