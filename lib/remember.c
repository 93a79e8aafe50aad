/* SPDX-License-Identifier: BSD-2-Clause */
#include "remember.h"
#include "clock.h"
#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define TAG_BYTES   32
#define SET_COUNT   64 /* a power of two below 256 */
#define SET_SLOTS   8
#define LIFETIME_MS ((int64_t)APW_REMEMBER_S * 1000)

struct slot {
    unsigned char tag[TAG_BYTES];
    int64_t added_at; /* monotonic milliseconds, 0 for an empty slot */
};

struct apw_remember {
    pthread_mutex_t mutex;
    pid_t owner; /* the process that made the key */
    unsigned char key[crypto_generichash_KEYBYTES];
    struct slot slot[SET_COUNT][SET_SLOTS];
};

/* With sodium_malloc() the table lies between guard pages, is kept out of core dumps and swap, and
 * is wiped when it is freed. */
int apw_remember_new(struct apw_remember **remember_r, struct apw_error *error)
{
    struct apw_remember *remember = sodium_malloc(sizeof *remember);

    *remember_r = NULL;
    if (remember == NULL)
        return apw_error_set(error, "out of memory");
    memset(remember, 0, sizeof *remember);
    if (pthread_mutex_init(&remember->mutex, NULL) != 0) {
        sodium_free(remember);
        return apw_error_set(error, "out of memory");
    }
    *remember_r = remember;
    return 0;
}

void apw_remember_free(struct apw_remember **remember)
{
    if (*remember == NULL)
        return;
    pthread_mutex_destroy(&(*remember)->mutex);
    sodium_free(*remember);
    *remember = NULL;
}

/* Never blocks: if the lock is held, nothing is remembered. */
static bool enter(struct apw_remember *remember)
{
    pid_t process = getpid();

    if (pthread_mutex_trylock(&remember->mutex) != 0)
        return false;
    if (remember->owner != process) {
        sodium_memzero(remember->slot, sizeof remember->slot);
        randombytes_buf(remember->key, sizeof remember->key);
        remember->owner = process;
    }
    return true;
}

static void leave(struct apw_remember *remember)
{
    pthread_mutex_unlock(&remember->mutex);
}

static void make_tag(const struct apw_remember *remember, const char *dn,
                     const struct apw_password *password, const char *phc,
                     unsigned char tag_r[TAG_BYTES])
{
    crypto_generichash_state state;

    /* A NUL ends each part, because no part contains one. */
    crypto_generichash_init(&state, remember->key, sizeof remember->key, TAG_BYTES);
    crypto_generichash_update(&state, (const unsigned char *)dn, strlen(dn) + 1);
    crypto_generichash_update(&state, (const unsigned char *)phc, strlen(phc) + 1);
    crypto_generichash_update(&state, (const unsigned char *)password->symbols,
                              APW_PASSWORD_LENGTH);
    crypto_generichash_final(&state, tag_r, TAG_BYTES);
    sodium_memzero(&state, sizeof state);
}

static bool is_live(const struct slot *slot, int64_t now)
{
    return slot->added_at != 0 && now - slot->added_at < LIFETIME_MS;
}

/* The slot with that tag, or NULL. The tag determines its set. */
static struct slot *find(struct apw_remember *remember, const unsigned char tag[TAG_BYTES],
                         int64_t now)
{
    struct slot *set = remember->slot[tag[0] % SET_COUNT];

    for (int i = 0; i < SET_SLOTS; i++)
        if (is_live(&set[i], now) && sodium_memcmp(set[i].tag, tag, TAG_BYTES) == 0)
            return &set[i];
    return NULL;
}

bool apw_remember_has(struct apw_remember *remember, const char *dn,
                      const struct apw_password *password, const char *phc)
{
    unsigned char tag[TAG_BYTES];
    bool is_found;

    if (!enter(remember))
        return false;
    make_tag(remember, dn, password, phc, tag);
    is_found = find(remember, tag, apw_clock_monotonic_ms()) != NULL;
    leave(remember);
    sodium_memzero(tag, sizeof tag);
    return is_found;
}

void apw_remember_add(struct apw_remember *remember, const char *dn,
                      const struct apw_password *password, const char *phc)
{
    int64_t now = apw_clock_monotonic_ms();
    unsigned char tag[TAG_BYTES];
    struct slot *set, *oldest;

    if (!enter(remember))
        return;
    make_tag(remember, dn, password, phc, tag);
    oldest = find(remember, tag, now);
    if (oldest == NULL) {
        set = remember->slot[tag[0] % SET_COUNT];
        oldest = set;
        for (int i = 1; i < SET_SLOTS; i++)
            if (set[i].added_at < oldest->added_at)
                oldest = &set[i];
    }
    memcpy(oldest->tag, tag, TAG_BYTES);
    oldest->added_at = now;
    leave(remember);
    sodium_memzero(tag, sizeof tag);
}
