/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/resolve.h"
#include "clock.h"
#include "thread.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOKUPS_MAX 16

/* Lookup threads of this process, abandoned ones included: a hanging resolver must not pile them
 * up. */
static atomic_int lookups;
static _Atomic pid_t counting; /* the process; a child has none of its parent's threads */

static const struct addrinfo tcp = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

/* Shared by the caller and the lookup thread; the last one to leave frees it. */
struct lookup {
    atomic_int owners;
    pthread_mutex_t mutex;
    pthread_cond_t is_done_changed;
    bool is_done;
    int status; /* of getaddrinfo() */
    struct addrinfo *addresses;
    char *host;
    char *port;
};

static void lookup_leave(struct lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->owners, 1) > 1)
        return;
    if (lookup->addresses != NULL)
        freeaddrinfo(lookup->addresses);
    pthread_cond_destroy(&lookup->is_done_changed);
    pthread_mutex_destroy(&lookup->mutex);
    free(lookup->host);
    free(lookup->port);
    free(lookup);
}

static struct lookup *lookup_new(const char *host, const char *port)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);
    pthread_condattr_t monotonic;

    if (lookup == NULL)
        return NULL;
    atomic_init(&lookup->owners, 1);
    pthread_mutex_init(&lookup->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&lookup->is_done_changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    lookup->host = strdup(host);
    lookup->port = strdup(port);
    if (lookup->host == NULL || lookup->port == NULL) {
        lookup_leave(lookup);
        return NULL;
    }
    return lookup;
}

static void *lookup_run(void *argument)
{
    struct lookup *lookup = argument;
    struct addrinfo *addresses = NULL;
    int status = getaddrinfo(lookup->host, lookup->port, &tcp, &addresses);

    pthread_mutex_lock(&lookup->mutex);
    lookup->status = status;
    lookup->addresses = status == 0 ? addresses : NULL;
    lookup->is_done = true;
    pthread_cond_signal(&lookup->is_done_changed);
    pthread_mutex_unlock(&lookup->mutex);
    lookup_leave(lookup);
    atomic_fetch_sub(&lookups, 1);
    return NULL;
}

static int lookup_start(struct lookup *lookup)
{
    int status;

    if (atomic_exchange(&counting, getpid()) != getpid())
        atomic_store(&lookups, 0);
    if (atomic_fetch_add(&lookups, 1) >= LOOKUPS_MAX) {
        atomic_fetch_sub(&lookups, 1);
        return EAGAIN;
    }
    atomic_fetch_add(&lookup->owners, 1);
    status = apw_thread_start(lookup_run, lookup);
    if (status != 0) {
        lookup_leave(lookup);
        atomic_fetch_sub(&lookups, 1);
    }
    return status;
}

/* Waits for the thread; false at the deadline. */
static bool lookup_wait(struct lookup *lookup, int64_t deadline)
{
    struct timespec until = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};
    bool is_done;

    pthread_mutex_lock(&lookup->mutex);
    while (!lookup->is_done &&
           pthread_cond_timedwait(&lookup->is_done_changed, &lookup->mutex, &until) != ETIMEDOUT)
        ;
    is_done = lookup->is_done;
    pthread_mutex_unlock(&lookup->mutex);
    return is_done;
}

int apw_resolve_host(const char *host, const char *port, int64_t deadline,
                     struct addrinfo **addresses_r, struct apw_error *error)
{
    struct addrinfo numeric = tcp;
    struct lookup *lookup;
    int status;

    numeric.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    if (getaddrinfo(host, port, &numeric, addresses_r) == 0)
        return 0;
    lookup = lookup_new(host, port);
    if (lookup == NULL)
        return apw_error_set(error, "out of memory");
    status = lookup_start(lookup);
    if (status != 0) {
        apw_error_set(error, "\"%s\" cannot be looked up now: %s", host, strerror(status));
    } else if (!lookup_wait(lookup, deadline)) {
        status = -1;
        apw_error_set(error, "\"%s\" was not resolved in time", host);
    } else if (lookup->status != 0) {
        status = -1;
        apw_error_set(error, "\"%s\": %s", host, gai_strerror(lookup->status));
    } else {
        *addresses_r = lookup->addresses;
        lookup->addresses = NULL;
    }
    lookup_leave(lookup);
    return status == 0 ? 0 : -1;
}
