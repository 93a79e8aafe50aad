/* SPDX-License-Identifier: BSD-2-Clause */
#include "reverse_names.h"
#include "clock.h"
#include "network.h"
#include "thread.h"
#include "utf8.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLOTS       256
#define THREADS_MAX 16
#define WAIT_MS     500
#define KEEP_MS     (10 * 60 * 1000)
#define LABEL_MAX   63

enum state { STATE_FREE = 0, STATE_ASKED, STATE_BUSY, STATE_KNOWN };

struct slot {
    enum state state;
    int64_t asked_ms;
    char address[APW_ADDRESS_TEXT_SIZE];
    char name[APW_REVERSE_NAME_SIZE]; /* "" for none */
};

struct apw_reverse_names {
    pthread_mutex_t mutex;
    pthread_cond_t is_known_changed;
    unsigned owners; /* threads, and the caller until it frees this */
    unsigned threads;
    bool is_ending;
    struct slot slot[SLOTS];
};

/* ---- one look-up ---- */

/* A name that is no address: its last label begins with a letter. */
static bool is_host_name(const char *name)
{
    const char *label = name, *last = name;

    if (strlen(name) >= APW_REVERSE_NAME_SIZE || strchr(name, '.') == NULL)
        return false;
    for (;;) {
        size_t length = strspn(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-");

        if (length == 0 || length > LABEL_MAX || label[0] == '-' || label[length - 1] == '-')
            return false;
        last = label;
        label += length;
        if (*label == '\0')
            break;
        if (*label++ != '.')
            return false;
    }
    return last[0] < '0' || last[0] > '9';
}

static socklen_t make_sockaddr(const struct apw_address *address, struct sockaddr_storage *place_r)
{
    struct sockaddr_in *four = (struct sockaddr_in *)place_r;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)place_r;

    memset(place_r, 0, sizeof *place_r);
    if (address->bits == 32) {
        four->sin_family = AF_INET;
        memcpy(&four->sin_addr, address->bytes, sizeof four->sin_addr);
        return sizeof *four;
    }
    six->sin6_family = AF_INET6;
    memcpy(&six->sin6_addr, address->bytes, sizeof six->sin6_addr);
    return sizeof *six;
}

static bool leads_back(const char *name, const struct sockaddr_storage *place, socklen_t length)
{
    const struct addrinfo hints = {.ai_family = place->ss_family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    bool is_there = false;

    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        return false;
    for (const struct addrinfo *each = found; each != NULL && !is_there; each = each->ai_next)
        is_there = each->ai_addrlen == length && memcmp(each->ai_addr, place, length) == 0;
    freeaddrinfo(found);
    return is_there;
}

static void look_up(const char *text, char name_r[APW_REVERSE_NAME_SIZE])
{
    struct sockaddr_storage place;
    struct apw_address address;
    char name[NI_MAXHOST];
    socklen_t length;

    name_r[0] = '\0';
    if (apw_network_parse_address(text, &address) != 0)
        return;
    length = make_sockaddr(&address, &place);
    if (getnameinfo((const struct sockaddr *)&place, length, name, sizeof name, NULL, 0,
                    NI_NAMEREQD) != 0 ||
        !is_host_name(name) || !leads_back(name, &place, length))
        return;
    for (size_t i = 0; i <= strlen(name); i++)
        name_r[i] = apw_utf8_lower(name[i]);
}

/* ---- the table ---- */

/* With the lock, which it gives up. */
static void leave(struct apw_reverse_names *names)
{
    bool is_last = --names->owners == 0;

    pthread_mutex_unlock(&names->mutex);
    if (!is_last)
        return;
    pthread_cond_destroy(&names->is_known_changed);
    pthread_mutex_destroy(&names->mutex);
    free(names);
}

static struct slot *find(struct apw_reverse_names *names, const char *address)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (names->slot[i].state != STATE_FREE && strcmp(names->slot[i].address, address) == 0)
            return &names->slot[i];
    return NULL;
}

/* A free slot, else the oldest whose name is known. NULL while the table is full of questions. */
static struct slot *make_room(struct apw_reverse_names *names)
{
    struct slot *oldest = NULL;

    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &names->slot[i];

        if (slot->state == STATE_FREE)
            return slot;
        if (slot->state == STATE_KNOWN && (oldest == NULL || slot->asked_ms < oldest->asked_ms))
            oldest = slot;
    }
    return oldest;
}

static struct slot *next_question(struct apw_reverse_names *names)
{
    struct slot *first = NULL;

    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &names->slot[i];

        if (slot->state == STATE_ASKED && (first == NULL || slot->asked_ms < first->asked_ms))
            first = slot;
    }
    return first;
}

/* A busy slot stays where it is. */
static void *run(void *context)
{
    struct apw_reverse_names *names = context;
    struct slot *slot;

    pthread_mutex_lock(&names->mutex);
    while (!names->is_ending && (slot = next_question(names)) != NULL) {
        char address[APW_ADDRESS_TEXT_SIZE], name[APW_REVERSE_NAME_SIZE];

        slot->state = STATE_BUSY;
        strcpy(address, slot->address);
        pthread_mutex_unlock(&names->mutex);
        look_up(address, name);
        pthread_mutex_lock(&names->mutex);
        strcpy(slot->name, name);
        slot->state = STATE_KNOWN;
        pthread_cond_broadcast(&names->is_known_changed);
    }
    names->threads--;
    leave(names);
    return NULL;
}

/* Without one more, the question waits for one of those that run, or for a later one. */
static void start_thread(struct apw_reverse_names *names)
{
    if (names->threads >= THREADS_MAX)
        return;
    names->threads++;
    names->owners++;
    if (apw_thread_start(run, names) == 0)
        return;
    names->threads--;
    names->owners--;
}

int apw_reverse_names_new(struct apw_reverse_names **names_r, struct apw_error *error)
{
    struct apw_reverse_names *names = calloc(1, sizeof *names);
    pthread_condattr_t monotonic;

    *names_r = names;
    if (names == NULL)
        return apw_error_set(error, "out of memory");
    names->owners = 1;
    pthread_mutex_init(&names->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&names->is_known_changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return 0;
}

void apw_reverse_names_free(struct apw_reverse_names **names)
{
    if (*names == NULL)
        return;
    pthread_mutex_lock(&(*names)->mutex);
    (*names)->is_ending = true;
    leave(*names);
    *names = NULL;
}

void apw_reverse_names_ask(struct apw_reverse_names *names, const char *address)
{
    int64_t now_ms = apw_clock_monotonic_ms();
    struct slot *slot;
    bool is_new;

    pthread_mutex_lock(&names->mutex);
    slot = find(names, address);
    is_new = slot == NULL || (slot->state == STATE_KNOWN && now_ms - slot->asked_ms >= KEEP_MS);
    if (slot == NULL)
        slot = make_room(names);
    if (slot != NULL && is_new) {
        *slot = (struct slot){.state = STATE_ASKED, .asked_ms = now_ms};
        snprintf(slot->address, sizeof slot->address, "%s", address);
    }
    if (slot != NULL && slot->state == STATE_ASKED)
        start_thread(names);
    pthread_mutex_unlock(&names->mutex);
}

void apw_reverse_names_get(struct apw_reverse_names *names, const char *address,
                           char name_r[APW_REVERSE_NAME_SIZE])
{
    struct slot *slot;

    name_r[0] = '\0';
    pthread_mutex_lock(&names->mutex);
    while ((slot = find(names, address)) != NULL && slot->state != STATE_KNOWN) {
        int64_t until_ms = slot->asked_ms + WAIT_MS;
        const struct timespec until = {.tv_sec = until_ms / 1000,
                                       .tv_nsec = until_ms % 1000 * 1000000};

        if (pthread_cond_timedwait(&names->is_known_changed, &names->mutex, &until) == ETIMEDOUT)
            break;
    }
    if (slot != NULL && slot->state == STATE_KNOWN)
        strcpy(name_r, slot->name);
    pthread_mutex_unlock(&names->mutex);
}
