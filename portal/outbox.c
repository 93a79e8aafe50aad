/* SPDX-License-Identifier: BSD-2-Clause */
#include "outbox.h"
#include "account.h"
#include "clock.h"
#include "thread.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOTICES_MAX        500
#define NOTICES_TO_ONE_MAX 20
#define DAY_MS             (24 * 60 * 60 * INT64_C(1000))

static const int waits_s[] = {60, 5 * 60, 15 * 60, 60 * 60}; /* the last one repeats */

struct notice {
    struct notice *next;
    struct apw_mail mail;
    char login[APW_LOGIN_SIZE];
    char client[APW_ADDRESS_TEXT_SIZE];
    unsigned wait; /* index of the present one */
    int64_t due_ms, give_up_ms;
};

struct apw_outbox {
    const struct apw_portal *portal;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct notice *first; /* soonest first */
    size_t count;         /* with the one that is being sent */
    bool has_thread;
    atomic_bool is_ending;
};

static void report(const struct apw_outbox *outbox, const struct notice *notice,
                   enum apw_mail_result result, const struct apw_error *error)
{
    apw_account_log(outbox->portal,
                    &(struct apw_account_event){
                        .verdict = result == APW_MAIL_SENT ? APW_ACCEPTED : APW_UNAVAILABLE,
                        .reason = result == APW_MAIL_SENT ? APW_REASON_DONE : APW_REASON_NOT_DONE,
                        .login = notice->login,
                        .client = notice->client,
                        .action = "mail",
                        .error = error});
}

static void forget(struct apw_outbox *outbox, struct notice *notice)
{
    apw_mail_free(&notice->mail);
    free(notice);
    outbox->count--;
}

static void insert(struct apw_outbox *outbox, struct notice *notice)
{
    struct notice **place = &outbox->first;

    notice->due_ms = apw_clock_monotonic_ms() + waits_s[notice->wait] * INT64_C(1000);
    while (*place != NULL && (*place)->due_ms <= notice->due_ms)
        place = &(*place)->next;
    notice->next = *place;
    *place = notice;
}

/* One attempt, without the lock. Returns false if another one must follow. */
static bool try_again(struct apw_outbox *outbox, struct notice *notice)
{
    struct apw_error error = {""};
    enum apw_mail_result result = apw_mail_send(&outbox->portal->portal_config->mail, &notice->mail,
                                                &outbox->is_ending, &error);

    if (result == APW_MAIL_NOT_SENT) {
        if (outbox->is_ending || apw_clock_remaining_ms(notice->give_up_ms) > 0)
            return false;
        apw_error_set(&error, "%s; given up after a day", error.text);
    }
    report(outbox, notice, result, &error);
    return true;
}

static void wait_for_change(struct apw_outbox *outbox)
{
    int64_t due_ms = outbox->first == NULL ? 0 : outbox->first->due_ms;
    const struct timespec due = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000};

    if (outbox->first == NULL)
        pthread_cond_wait(&outbox->changed, &outbox->mutex);
    else
        pthread_cond_timedwait(&outbox->changed, &outbox->mutex, &due);
}

static void *run(void *context)
{
    struct apw_outbox *outbox = context;

    pthread_mutex_lock(&outbox->mutex);
    while (!outbox->is_ending) {
        struct notice *notice = outbox->first;
        bool is_done;

        if (notice == NULL || apw_clock_remaining_ms(notice->due_ms) > 0) {
            wait_for_change(outbox);
            continue;
        }
        outbox->first = notice->next;
        pthread_mutex_unlock(&outbox->mutex);
        is_done = try_again(outbox, notice);
        pthread_mutex_lock(&outbox->mutex);
        if (is_done) {
            forget(outbox, notice);
        } else {
            notice->wait += notice->wait + 1 < sizeof waits_s / sizeof waits_s[0];
            insert(outbox, notice);
        }
    }
    outbox->has_thread = false;
    pthread_cond_signal(&outbox->changed);
    pthread_mutex_unlock(&outbox->mutex);
    return NULL;
}

/* None of these can fail on Linux. */
static void init_locks(struct apw_outbox *outbox)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC); /* as apw_clock_monotonic_ms() */
    pthread_mutex_init(&outbox->mutex, NULL);
    pthread_cond_init(&outbox->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

int apw_outbox_new(const struct apw_portal *portal, struct apw_outbox **outbox_r,
                   struct apw_error *error)
{
    struct apw_outbox *outbox = calloc(1, sizeof *outbox);
    int status;

    *outbox_r = outbox;
    if (outbox == NULL)
        return apw_error_set(error, "out of memory");
    outbox->portal = portal;
    init_locks(outbox);
    status = apw_thread_start(run, outbox);
    outbox->has_thread = status == 0;
    if (status == 0)
        return 0;
    apw_outbox_free(outbox_r);
    return apw_error_set(error, "cannot start a thread: %s", strerror(status));
}

/* The thread is detached, so wait until it says that it has ended. */
static void end_thread(struct apw_outbox *outbox)
{
    pthread_mutex_lock(&outbox->mutex);
    outbox->is_ending = true;
    pthread_cond_signal(&outbox->changed);
    while (outbox->has_thread)
        pthread_cond_wait(&outbox->changed, &outbox->mutex);
    pthread_mutex_unlock(&outbox->mutex);
}

void apw_outbox_free(struct apw_outbox **outbox)
{
    const struct apw_error why = {"the page ends before this mail could be sent"};
    struct notice *notice;

    if (*outbox == NULL)
        return;
    end_thread(*outbox);
    while ((notice = (*outbox)->first) != NULL) {
        (*outbox)->first = notice->next;
        report(*outbox, notice, APW_MAIL_NOT_SENT, &why);
        forget(*outbox, notice);
    }
    pthread_cond_destroy(&(*outbox)->changed);
    pthread_mutex_destroy(&(*outbox)->mutex);
    free(*outbox);
    *outbox = NULL;
}

static struct notice *new_notice(struct apw_mail *mail, const char *login, const char *client)
{
    struct notice *notice = calloc(1, sizeof *notice);

    if (notice == NULL)
        return NULL;
    snprintf(notice->login, sizeof notice->login, "%s", login);
    snprintf(notice->client, sizeof notice->client, "%s", client);
    notice->give_up_ms = apw_clock_monotonic_ms() + DAY_MS;
    notice->mail = *mail;
    memset(mail, 0, sizeof *mail);
    return notice;
}

/* One user must not take the room of all: that would keep the others' warnings from being sent. */
static int check_room(const struct apw_outbox *outbox, const char *to, struct apw_error *error)
{
    unsigned to_this = 0;

    if (outbox->count >= NOTICES_MAX)
        return apw_error_set(error, "%d others wait to be sent", NOTICES_MAX);
    for (const struct notice *notice = outbox->first; notice != NULL; notice = notice->next)
        to_this += strcmp(notice->mail.to, to) == 0;
    return to_this < NOTICES_TO_ONE_MAX
               ? 0
               : apw_error_set(error, "%d others to this address wait to be sent",
                               NOTICES_TO_ONE_MAX);
}

int apw_outbox_keep(struct apw_outbox *outbox, struct apw_mail *mail, const char *login,
                    const char *client, struct apw_error *error)
{
    struct notice *notice = NULL;
    bool has_room;

    pthread_mutex_lock(&outbox->mutex);
    has_room = check_room(outbox, mail->to, error) == 0;
    if (has_room)
        notice = new_notice(mail, login, client);
    if (notice != NULL) {
        outbox->count++;
        insert(outbox, notice);
        pthread_cond_signal(&outbox->changed);
    }
    pthread_mutex_unlock(&outbox->mutex);
    if (notice != NULL)
        return 0;
    return has_room ? apw_error_set(error, "out of memory") : -1;
}
