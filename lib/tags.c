/* SPDX-License-Identifier: BSD-2-Clause */
#include "tags.h"
#include "clock.h"
#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define TAG_BYTES 32
#define SET_COUNT 64 /* a power of two below 256 */
#define SET_SLOTS 8

struct slot {
    unsigned char tag[TAG_BYTES];
    int64_t added_at; /* monotonic milliseconds, 0 for an empty slot */
};

struct apw_tags {
    pthread_mutex_t mutex;
    pid_t owner; /* the process that made the key */
    int64_t lifetime_ms;
    unsigned char key[crypto_generichash_KEYBYTES];
    struct slot slot[SET_COUNT][SET_SLOTS];
};

/* With sodium_malloc() the table lies between guard pages, is kept out of core dumps and swap, and
 * is wiped when it is freed. */
int apw_tags_new(int lifetime_s, struct apw_tags **tags_r, struct apw_error *error)
{
    struct apw_tags *tags = sodium_malloc(sizeof *tags);

    *tags_r = NULL;
    if (tags == NULL)
        return apw_error_set(error, "out of memory");
    memset(tags, 0, sizeof *tags);
    tags->lifetime_ms = (int64_t)lifetime_s * 1000;
    if (pthread_mutex_init(&tags->mutex, NULL) != 0) {
        sodium_free(tags);
        return apw_error_set(error, "out of memory");
    }
    *tags_r = tags;
    return 0;
}

void apw_tags_free(struct apw_tags **tags)
{
    if (*tags == NULL)
        return;
    pthread_mutex_destroy(&(*tags)->mutex);
    sodium_free(*tags);
    *tags = NULL;
}

/* Never blocks: if the lock is held, nothing is remembered. */
static bool enter(struct apw_tags *tags)
{
    pid_t process = getpid();

    if (pthread_mutex_trylock(&tags->mutex) != 0)
        return false;
    if (tags->owner != process) {
        sodium_memzero(tags->slot, sizeof tags->slot);
        randombytes_buf(tags->key, sizeof tags->key);
        tags->owner = process;
    }
    return true;
}

static void leave(struct apw_tags *tags)
{
    pthread_mutex_unlock(&tags->mutex);
}

static void make_tag(const struct apw_tags *tags, const char *const *parts,
                     unsigned char tag_r[TAG_BYTES])
{
    crypto_generichash_state state;

    /* A NUL ends each part, because no part contains one. */
    crypto_generichash_init(&state, tags->key, sizeof tags->key, TAG_BYTES);
    for (; *parts != NULL; parts++)
        crypto_generichash_update(&state, (const unsigned char *)*parts, strlen(*parts) + 1);
    crypto_generichash_final(&state, tag_r, TAG_BYTES);
    sodium_memzero(&state, sizeof state);
}

static bool is_live(const struct apw_tags *tags, const struct slot *slot, int64_t now)
{
    return slot->added_at != 0 && now - slot->added_at < tags->lifetime_ms;
}

/* The slot with that tag, or NULL. The tag determines its set. */
static struct slot *find(struct apw_tags *tags, const unsigned char tag[TAG_BYTES], int64_t now)
{
    struct slot *set = tags->slot[tag[0] % SET_COUNT];

    for (int i = 0; i < SET_SLOTS; i++)
        if (is_live(tags, &set[i], now) && sodium_memcmp(set[i].tag, tag, TAG_BYTES) == 0)
            return &set[i];
    return NULL;
}

bool apw_tags_have(struct apw_tags *tags, const char *const *parts)
{
    unsigned char tag[TAG_BYTES];
    bool is_found;

    if (!enter(tags))
        return false;
    make_tag(tags, parts, tag);
    is_found = find(tags, tag, apw_clock_monotonic_ms()) != NULL;
    leave(tags);
    sodium_memzero(tag, sizeof tag);
    return is_found;
}

void apw_tags_add(struct apw_tags *tags, const char *const *parts)
{
    int64_t now = apw_clock_monotonic_ms();
    unsigned char tag[TAG_BYTES];
    struct slot *set, *oldest;

    if (!enter(tags))
        return;
    make_tag(tags, parts, tag);
    oldest = find(tags, tag, now);
    if (oldest == NULL) {
        set = tags->slot[tag[0] % SET_COUNT];
        oldest = set;
        for (int i = 1; i < SET_SLOTS; i++)
            if (set[i].added_at < oldest->added_at)
                oldest = &set[i];
    }
    memcpy(oldest->tag, tag, TAG_BYTES);
    oldest->added_at = now;
    leave(tags);
    sodium_memzero(tag, sizeof tag);
}
