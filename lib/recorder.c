/* SPDX-License-Identifier: BSD-2-Clause */
#include "recorder.h"
#include "clock.h"
#include "thread.h"
#include "use.h"
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PENDING_MAX      64
#define WRITE_MS_MAX     5000  /* for one use, from connecting to the answer */
#define PAUSE_MS         60000 /* after a failure */
#define CONFLICTS_MAX    4     /* concurrent writers of the same use */
#define VALUES_MAX       64    /* of one id; we write at most two */
#define END_POLL_MS      2
#define USED_ATTRIBUTE   "appPasswordUsed"
#define PENDING_OF(word) ((uint32_t)(word))
#define OWNER_OF(word)   ((pid_t)((word) >> 32))

/* A use that waits to be written. */
struct pending {
    struct pending *next;
    pid_t owner;
    struct apw_use use;
    char dn[];
};

struct apw_recorder {
    struct apw_directory *directory;
    struct apw_log *log;
    int64_t period_s;
    int write_ms;
    _Atomic(struct pending *) head;
    /* Process id (upper half) and how many of its uses are waiting or being written (lower half). A
     * caller that raises the count from 0 starts the thread, which ends when the count is back at
     * 0. A child that inherits its parent's count starts at 0. */
    _Atomic uint64_t work;
    _Atomic int64_t paused_until; /* monotonic milliseconds */
    atomic_bool has_complained;
};

/* The threads of this process. exit() waits for them, because it tears down the libraries that they
 * use. */
static _Atomic uint64_t threads;

/* Adds to a count that belongs to this process; returns the new count. */
static uint32_t count(_Atomic uint64_t *word, int difference)
{
    uint64_t before = atomic_load(word), after;

    do {
        uint32_t own = OWNER_OF(before) == getpid() ? PENDING_OF(before) : 0;

        after = (uint64_t)(uint32_t)getpid() << 32 | (uint32_t)((int64_t)own + difference);
    } while (!atomic_compare_exchange_weak(word, &before, after));
    return PENDING_OF(after);
}

static uint32_t count_now(_Atomic uint64_t *word)
{
    return count(word, 0);
}

static void wait_for_end(_Atomic uint64_t *word)
{
    int64_t deadline = apw_clock_monotonic_ms() + WRITE_MS_MAX + 1000;

    while (count_now(word) > 0 && apw_clock_remaining_ms(deadline) > 0)
        apw_clock_sleep_until_ms(apw_clock_monotonic_ms() + END_POLL_MS);
}

__attribute__((destructor)) static void wait_for_threads(void)
{
    wait_for_end(&threads);
}

/* Plans to replace every older use of this id; 0 if there is nothing to write. */
static size_t plan(const struct apw_recorder *recorder, const struct apw_entry *entry,
                   const struct apw_use *use, const char *value, struct apw_change *changes)
{
    const struct apw_attribute *used = apw_entry_attribute(entry, USED_ATTRIBUTE);
    size_t change_count = 0;

    for (size_t i = 0; used != NULL && i < used->count && change_count < VALUES_MAX; i++) {
        const struct apw_value *old = &used->value[i];
        struct apw_use recorded;

        if (apw_use_parse(old->bytes, old->length, &recorded) != 0 ||
            strcmp(recorded.id, use->id) != 0)
            continue;
        if (!apw_use_is_due(&recorded, use->at, recorder->period_s))
            return 0;
        changes[change_count++] =
            (struct apw_change){APW_CHANGE_DELETE, USED_ATTRIBUTE, old->bytes};
    }
    changes[change_count++] = (struct apw_change){APW_CHANGE_ADD, USED_ATTRIBUTE, value};
    return change_count;
}

static enum apw_ldap_result write_once(struct apw_recorder *recorder, const char *dn,
                                       const struct apw_use *use, const char *value,
                                       int64_t deadline, struct apw_error *error)
{
    static const char *const attributes[] = {USED_ATTRIBUTE, NULL};
    const struct apw_query query = {.base = dn,
                                    .scope = APW_SCOPE_BASE,
                                    .filter = "(objectClass=*)",
                                    .attributes = attributes,
                                    .limit = 1};
    struct apw_change changes[VALUES_MAX + 1];
    struct apw_entry *entry = NULL;
    enum apw_ldap_result result;
    size_t change_count;

    result = apw_directory_search(recorder->directory, &query, deadline, &entry, error);
    if (result != APW_LDAP_OK || entry == NULL)
        return result;
    change_count = plan(recorder, entry, use, value, changes);
    if (change_count > 0)
        result =
            apw_directory_modify(recorder->directory, dn, changes, change_count, deadline, error);
    apw_entries_free(&entry);
    return result;
}

static void complain(struct apw_recorder *recorder, const struct apw_error *error)
{
    struct apw_error line;

    if (atomic_exchange(&recorder->has_complained, true))
        return;
    apw_error_set(&line, "last use is not recorded: %s", error->text);
    apw_log_warning(recorder->log, line.text);
}

static void write_use(struct apw_recorder *recorder, const char *dn, const struct apw_use *use)
{
    int64_t deadline = apw_clock_monotonic_ms() + recorder->write_ms;
    enum apw_ldap_result result = APW_LDAP_CONFLICT;
    struct apw_error error = {""};
    char value[APW_USE_SIZE];

    if (apw_use_format(use, value) != 0 ||
        apw_clock_remaining_ms(atomic_load(&recorder->paused_until)) > 0)
        return;
    for (int i = 0; i < CONFLICTS_MAX && result == APW_LDAP_CONFLICT; i++)
        result = write_once(recorder, dn, use, value, deadline, &error);
    switch (result) {
    case APW_LDAP_OK:
    case APW_LDAP_CONFLICT:
    case APW_LDAP_NO_SUCH_OBJECT:
        return;
    case APW_LDAP_NOT_PERMITTED:
    case APW_LDAP_REFUSED:
        complain(recorder, &error);
        break;
    case APW_LDAP_READ_ONLY: /* the site's choice; doctor reports it */
    case APW_LDAP_UNAVAILABLE:
        break;
    }
    atomic_store(&recorder->paused_until, apw_clock_monotonic_ms() + PAUSE_MS);
}

/* Takes all waiting uses and writes or drops them. Returns their number. */
static int drain(struct apw_recorder *recorder, bool is_writing)
{
    struct pending *list = atomic_exchange(&recorder->head, NULL);
    int taken = 0;

    while (list != NULL) {
        struct pending *pending = list;

        list = pending->next;
        if (pending->owner == getpid()) { /* else the parent writes it */
            taken++;
            if (is_writing)
                write_use(recorder, pending->dn, &pending->use);
        }
        free(pending);
    }
    return taken;
}

static void *run(void *argument)
{
    struct apw_recorder *recorder = argument;
    int taken;

    do {
        taken = drain(recorder, true);
        if (taken == 0) /* counted, but not yet in the list */
            sched_yield();
        else
            apw_directory_disconnect(recorder->directory);
    } while (count(&recorder->work, -taken) > 0);
    count(&threads, -1);
    return NULL;
}

static int start_thread(struct apw_recorder *recorder)
{
    int status;

    count(&threads, 1);
    status = apw_thread_start(run, recorder);
    if (status != 0)
        count(&threads, -1);
    return status;
}

void apw_recorder_note(struct apw_recorder *recorder, const char *dn, const struct apw_use *use)
{
    size_t dn_size = strlen(dn) + 1;
    struct pending *pending;
    bool is_first;

    if (apw_clock_remaining_ms(atomic_load(&recorder->paused_until)) > 0 ||
        count_now(&recorder->work) >= PENDING_MAX)
        return;
    pending = malloc(sizeof *pending + dn_size);
    if (pending == NULL)
        return;
    pending->owner = getpid();
    pending->use = *use;
    memcpy(pending->dn, dn, dn_size);
    is_first = count(&recorder->work, 1) == 1;
    pending->next = atomic_load(&recorder->head);
    while (!atomic_compare_exchange_weak(&recorder->head, &pending->next, pending))
        ;
    if (is_first && start_thread(recorder) != 0)
        while (count(&recorder->work, -drain(recorder, false)) > 0)
            sched_yield();
}

int apw_recorder_new(const struct apw_config *config, const struct apw_directory *logins,
                     struct apw_log *log, struct apw_recorder **recorder_r, struct apw_error *error)
{
    struct apw_directory_settings settings =
        apw_config_has_store(config)
            ? apw_config_store_settings(config, &config->store.write_uris, &config->store.identity)
            : apw_config_directory_settings(config, &config->write_uris, &config->identity);
    struct apw_recorder *recorder = calloc(1, sizeof *recorder);

    settings.tls_of = logins;
    *recorder_r = NULL;
    if (recorder == NULL)
        return apw_error_set(error, "out of memory");
    if (apw_directory_new(&settings, &recorder->directory, error) != 0) {
        free(recorder);
        return -1;
    }
    recorder->log = log;
    recorder->period_s = config->record_use_s;
    recorder->write_ms = config->deadline_ms < WRITE_MS_MAX ? config->deadline_ms : WRITE_MS_MAX;
    *recorder_r = recorder;
    return 0;
}

void apw_recorder_free(struct apw_recorder **recorder)
{
    struct apw_recorder *freeing = *recorder;

    *recorder = NULL;
    if (freeing == NULL)
        return;
    atomic_store(&freeing->paused_until, INT64_MAX); /* drops what still waits */
    wait_for_end(&freeing->work);
    if (count_now(&freeing->work) > 0)
        return; /* its thread still needs it */
    drain(freeing, false);
    apw_directory_free(&freeing->directory);
    free(freeing);
}
