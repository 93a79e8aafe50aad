/* SPDX-License-Identifier: BSD-2-Clause */
#include "tags.h"
#include "clock.h"
#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define TAG_BYTES 16
#define SLOTS_MIN 128 /* a power of two */

struct slot {
    unsigned char tag[TAG_BYTES];
    uint32_t added_at; /* monotonic seconds, plus 1; 0 for an empty slot */
};

/* An open hash table with linear probing: a tag is in the first slots from its home on, without an
 * empty one before it. */
struct apw_tags {
    pthread_mutex_t mutex;
    pid_t owner; /* the process that made the key */
    uint32_t lifetime_s;
    uint32_t maximum;
    unsigned char key[crypto_generichash_KEYBYTES];
    struct slot *slot;   /* slot_count of them; NULL before the first tag */
    uint32_t slot_count; /* a power of two, or 0 */
    uint32_t count;      /* slots in use */
};

/* With sodium_malloc() key and slots lie between guard pages, are kept out of core dumps and swap,
 * and are wiped when they are freed. */
int apw_tags_new(int lifetime_s, unsigned maximum, struct apw_tags **tags_r,
                 struct apw_error *error)
{
    struct apw_tags *tags = sodium_malloc(sizeof *tags);

    *tags_r = NULL;
    if (tags == NULL)
        return apw_error_set(error, "out of memory");
    memset(tags, 0, sizeof *tags);
    tags->lifetime_s = (uint32_t)lifetime_s;
    tags->maximum = maximum;
    if (pthread_mutex_init(&tags->mutex, NULL) != 0) {
        sodium_free(tags);
        return apw_error_set(error, "out of memory");
    }
    *tags_r = tags;
    return 0;
}

static void forget_all(struct apw_tags *tags)
{
    sodium_free(tags->slot);
    tags->slot = NULL;
    tags->slot_count = 0;
    tags->count = 0;
}

void apw_tags_free(struct apw_tags **tags)
{
    if (*tags == NULL)
        return;
    pthread_mutex_destroy(&(*tags)->mutex);
    forget_all(*tags);
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
        forget_all(tags);
        randombytes_buf(tags->key, sizeof tags->key);
        tags->owner = process;
    }
    return true;
}

static void leave(struct apw_tags *tags)
{
    pthread_mutex_unlock(&tags->mutex);
}

static uint32_t now_s(void)
{
    return (uint32_t)(apw_clock_monotonic_ms() / 1000) + 1;
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

static bool is_live(const struct apw_tags *tags, const struct slot *slot, uint32_t now)
{
    return slot->added_at != 0 && now - slot->added_at < tags->lifetime_s;
}

/* ---- the slots ---- */

/* Nobody without the key can choose it. */
static uint32_t home_of(const struct apw_tags *tags, const unsigned char tag[TAG_BYTES])
{
    uint32_t bits;

    memcpy(&bits, tag, sizeof bits);
    return bits & (tags->slot_count - 1);
}

static uint32_t after(const struct apw_tags *tags, uint32_t place)
{
    return (place + 1) & (tags->slot_count - 1);
}

/* How many slots there are from one place to another, around the end. */
static uint32_t distance(const struct apw_tags *tags, uint32_t from, uint32_t to)
{
    return (to - from) & (tags->slot_count - 1);
}

/* The slot with that tag, or the empty one where it belongs. There must be slots. */
static struct slot *find(const struct apw_tags *tags, const unsigned char tag[TAG_BYTES])
{
    uint32_t place = home_of(tags, tag);

    while (tags->slot[place].added_at != 0 &&
           sodium_memcmp(tags->slot[place].tag, tag, TAG_BYTES) != 0)
        place = after(tags, place);
    return &tags->slot[place];
}

static void fill(struct apw_tags *tags, struct slot *slot, const unsigned char tag[TAG_BYTES],
                 uint32_t now)
{
    memcpy(slot->tag, tag, TAG_BYTES);
    slot->added_at = now;
    tags->count++;
}

/* Empties the slot, and closes the gap: tags behind it that it separated from their home move up.
 */
static void empty(struct apw_tags *tags, uint32_t gap)
{
    for (uint32_t place = after(tags, gap); tags->slot[place].added_at != 0;
         place = after(tags, place))
        if (distance(tags, home_of(tags, tags->slot[place].tag), place) >=
            distance(tags, gap, place)) {
            tags->slot[gap] = tags->slot[place];
            gap = place;
        }
    sodium_memzero(&tags->slot[gap], sizeof tags->slot[gap]);
    tags->count--;
}

/* Every tag has the same chance to go. If the oldest went, and one user too many signed in in turn
 * with the others, nobody's tag would be found. */
static void evict(struct apw_tags *tags)
{
    uint32_t place;

    do
        place = randombytes_uniform(tags->slot_count);
    while (tags->slot[place].added_at == 0);
    empty(tags, place);
}

/* Doubles the slots, and drops what is forgotten. False without memory. */
static bool grow(struct apw_tags *tags, uint32_t now)
{
    uint32_t slot_count = tags->slot_count == 0 ? SLOTS_MIN : 2 * tags->slot_count;
    struct slot *old = tags->slot;
    uint32_t old_count = tags->slot_count;
    struct slot *slot = sodium_allocarray(slot_count, sizeof *slot);

    if (slot == NULL)
        return false;
    memset(slot, 0, slot_count * sizeof *slot);
    tags->slot = slot;
    tags->slot_count = slot_count;
    tags->count = 0;
    for (uint32_t i = 0; i < old_count; i++)
        if (is_live(tags, &old[i], now))
            fill(tags, find(tags, old[i].tag), old[i].tag, old[i].added_at);
    sodium_free(old);
    return true;
}

/* Makes room for one more tag. False if there is none at all. */
static bool make_room(struct apw_tags *tags, uint32_t now)
{
    bool is_crowded = tags->count >= tags->slot_count - tags->slot_count / 8;

    if (tags->count < tags->maximum && (!is_crowded || grow(tags, now)))
        return true;
    if (tags->count > 0)
        evict(tags);
    return tags->slot != NULL && tags->count < tags->maximum;
}

bool apw_tags_have(struct apw_tags *tags, const char *const *parts)
{
    unsigned char tag[TAG_BYTES];
    bool is_found;

    if (!enter(tags))
        return false;
    make_tag(tags, parts, tag);
    is_found = tags->slot != NULL && is_live(tags, find(tags, tag), now_s());
    leave(tags);
    sodium_memzero(tag, sizeof tag);
    return is_found;
}

void apw_tags_add(struct apw_tags *tags, const char *const *parts)
{
    unsigned char tag[TAG_BYTES];
    uint32_t now;

    if (!enter(tags))
        return;
    now = now_s();
    make_tag(tags, parts, tag);
    if (tags->slot != NULL && find(tags, tag)->added_at != 0)
        find(tags, tag)->added_at = now;
    else if (make_room(tags, now))
        fill(tags, find(tags, tag), tag, now);
    leave(tags);
    sodium_memzero(tag, sizeof tag);
}
