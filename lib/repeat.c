/* SPDX-License-Identifier: BSD-2-Clause */
#include "repeat.h"
#include "clock.h"
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define SENDER_COUNT 256
#define TAG_COUNT    8
#define DEVICE_COUNT 2 /* devices of one user that may each have an old password of their own */
#define KEY_MS       ((int64_t)86400 * 1000)

/* One client that signs in as one user. */
struct sender {
    uint64_t tag;       /* of DN and client */
    uint64_t last_call; /* 0: an empty slot */
    unsigned count;     /* of passwords so far */
    uint64_t password[TAG_COUNT];
};

struct apw_repeat_table {
    pthread_mutex_t mutex;
    pid_t owner;      /* the process that made the key */
    int64_t key_made; /* monotonic milliseconds */
    unsigned char key[crypto_generichash_KEYBYTES];
    uint64_t calls;
    struct sender sender[SENDER_COUNT];
};

int apw_repeat_new(struct apw_repeat_table **table_r, struct apw_error *error)
{
    struct apw_repeat_table *table = sodium_malloc(sizeof *table);

    *table_r = NULL;
    if (table == NULL)
        return apw_error_set(error, "out of memory");
    memset(table, 0, sizeof *table);
    if (pthread_mutex_init(&table->mutex, NULL) != 0) {
        sodium_free(table);
        return apw_error_set(error, "out of memory");
    }
    *table_r = table;
    return 0;
}

void apw_repeat_free(struct apw_repeat_table **table)
{
    if (*table == NULL)
        return;
    pthread_mutex_destroy(&(*table)->mutex);
    sodium_free(*table);
    *table = NULL;
}

/* False if the lock is held, now or when this process was forked. */
static bool enter(struct apw_repeat_table *table)
{
    int64_t now = apw_clock_monotonic_ms();

    if (pthread_mutex_trylock(&table->mutex) != 0)
        return false;
    if (table->owner != getpid() || now - table->key_made >= KEY_MS) {
        sodium_memzero(table->sender, sizeof table->sender);
        randombytes_buf(table->key, sizeof table->key);
        table->owner = getpid();
        table->key_made = now;
        table->calls = 0;
    }
    table->calls++;
    return true;
}

/* The NULs separate the parts, none of which contains one. */
static uint64_t tag_of(const struct apw_repeat_table *table, const char *dn, const char *client,
                       const char *password, size_t length)
{
    crypto_generichash_state state;
    unsigned char hash[crypto_generichash_BYTES];
    uint64_t tag;

    crypto_generichash_init(&state, table->key, sizeof table->key, sizeof hash);
    crypto_generichash_update(&state, (const unsigned char *)dn, strlen(dn) + 1);
    crypto_generichash_update(&state, (const unsigned char *)client, strlen(client) + 1);
    crypto_generichash_update(&state, (const unsigned char *)password, length);
    crypto_generichash_final(&state, hash, sizeof hash);
    memcpy(&tag, hash, sizeof tag);
    sodium_memzero(&state, sizeof state);
    sodium_memzero(hash, sizeof hash);
    return tag;
}

/* The sender with that tag, or the one that was quiet for longest, emptied. */
static struct sender *sender_of(struct apw_repeat_table *table, uint64_t tag)
{
    struct sender *oldest = table->sender;

    for (struct sender *at = table->sender; at < table->sender + SENDER_COUNT; at++) {
        if (at->last_call != 0 && at->tag == tag)
            return at;
        if (at->last_call < oldest->last_call)
            oldest = at;
    }
    *oldest = (struct sender){.tag = tag};
    return oldest;
}

static enum apw_repeat compare(struct sender *sender, uint64_t password)
{
    unsigned known = sender->count < TAG_COUNT ? sender->count : TAG_COUNT;

    for (unsigned i = 0; i < known; i++)
        if (sender->password[i] == password)
            return APW_REPEAT_YES;
    sender->password[sender->count++ % TAG_COUNT] = password;
    return known < DEVICE_COUNT ? APW_REPEAT_UNKNOWN : APW_REPEAT_NO;
}

enum apw_repeat apw_repeat_note(struct apw_repeat_table *table, const char *dn, const char *client,
                                const char *password, size_t length)
{
    enum apw_repeat result;
    struct sender *sender;

    if (!enter(table))
        return APW_REPEAT_UNKNOWN;
    sender = sender_of(table, tag_of(table, dn, client, "", 0));
    sender->last_call = table->calls;
    result = compare(sender, tag_of(table, dn, client, password, length));
    pthread_mutex_unlock(&table->mutex);
    return result;
}
