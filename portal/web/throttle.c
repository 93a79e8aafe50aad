/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/throttle.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS          4096
#define TAG_BYTES      16
#define FORGET_AFTER_S 3600
#define MINUTE_MS      60000

/* The tries of one `what` by one `whom`, of which only a keyed hash is kept. */
struct slot {
    uint8_t tag[TAG_BYTES];
    unsigned tries; /* 0: the slot is free */
    int64_t last_ms;
    int64_t wait_until_ms;
};

struct apw_throttle {
    pthread_mutex_t mutex;
    uint8_t key[crypto_generichash_KEYBYTES];
    struct slot slot[SLOTS];
};

int apw_throttle_new(struct apw_throttle **throttle_r, struct apw_error *error)
{
    struct apw_throttle *throttle = calloc(1, sizeof *throttle);

    *throttle_r = NULL;
    if (throttle == NULL || pthread_mutex_init(&throttle->mutex, NULL) != 0) {
        free(throttle);
        return apw_error_set(error, "out of memory");
    }
    randombytes_buf(throttle->key, sizeof throttle->key);
    *throttle_r = throttle;
    return 0;
}

void apw_throttle_free(struct apw_throttle **throttle)
{
    if (*throttle == NULL)
        return;
    pthread_mutex_destroy(&(*throttle)->mutex);
    sodium_memzero(*throttle, sizeof **throttle);
    free(*throttle);
    *throttle = NULL;
}

static void make_tag(const struct apw_throttle *throttle, const char *what, const char *whom,
                     uint8_t tag_r[TAG_BYTES])
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, throttle->key, sizeof throttle->key, TAG_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)what, strlen(what) + 1);
    crypto_generichash_update(&state, (const uint8_t *)whom, strlen(whom));
    crypto_generichash_final(&state, tag_r, TAG_BYTES);
}

static struct slot *find(struct apw_throttle *throttle, const char *what, const char *whom)
{
    uint8_t tag[TAG_BYTES];

    make_tag(throttle, what, whom, tag);
    for (size_t i = 0; i < SLOTS; i++)
        if (throttle->slot[i].tries > 0 && memcmp(throttle->slot[i].tag, tag, TAG_BYTES) == 0)
            return &throttle->slot[i];
    return NULL;
}

/* A free slot, else the one quiet for longest. */
static struct slot *make_room(struct apw_throttle *throttle, const char *what, const char *whom)
{
    struct slot *slot = &throttle->slot[0];

    for (size_t i = 0; i < SLOTS && slot->tries > 0; i++)
        if (throttle->slot[i].tries == 0 || throttle->slot[i].last_ms < slot->last_ms)
            slot = &throttle->slot[i];
    memset(slot, 0, sizeof *slot);
    make_tag(throttle, what, whom, slot->tag);
    return slot;
}

static int64_t waiting_ms(const struct apw_patience *patience, unsigned tries)
{
    int64_t seconds = tries > patience->free ? patience->base_s : 0;

    for (unsigned i = patience->free + 1; i < tries && seconds < patience->most_s; i++)
        seconds *= 2;
    return (seconds < patience->most_s ? seconds : patience->most_s) * 1000;
}

bool apw_throttle_take(struct apw_throttle *throttle, const char *what, const char *whom,
                       const struct apw_patience *patience, int64_t now_ms)
{
    struct slot *slot;
    bool may;

    pthread_mutex_lock(&throttle->mutex);
    slot = find(throttle, what, whom);
    if (slot != NULL && now_ms - slot->last_ms > FORGET_AFTER_S * 1000)
        slot->tries = 0;
    if (slot == NULL || slot->tries == 0)
        slot = make_room(throttle, what, whom);
    may = now_ms >= slot->wait_until_ms;
    if (may || patience->counts_polling) {
        slot->tries++;
        slot->last_ms = now_ms;
        slot->wait_until_ms = now_ms + waiting_ms(patience, slot->tries + 1);
    }
    pthread_mutex_unlock(&throttle->mutex);
    return may;
}

int64_t apw_throttle_wait_ms(struct apw_throttle *throttle, const char *what, const char *whom,
                             int64_t now_ms)
{
    const struct slot *slot;
    int64_t wait;

    pthread_mutex_lock(&throttle->mutex);
    slot = find(throttle, what, whom);
    wait = slot != NULL && now_ms < slot->wait_until_ms ? slot->wait_until_ms - now_ms : 0;
    pthread_mutex_unlock(&throttle->mutex);
    return wait;
}

unsigned apw_throttle_minutes(int64_t wait_ms)
{
    return 1 + (unsigned)((wait_ms - 1) / MINUTE_MS); /* -1 / MINUTE_MS is 0 */
}

void apw_throttle_give_back(struct apw_throttle *throttle, const char *what, const char *whom)
{
    struct slot *slot;

    pthread_mutex_lock(&throttle->mutex);
    slot = find(throttle, what, whom);
    if (slot != NULL) {
        slot->tries--;
        slot->wait_until_ms = 0;
    }
    pthread_mutex_unlock(&throttle->mutex);
}

void apw_throttle_forget(struct apw_throttle *throttle, const char *what, const char *whom)
{
    struct slot *slot;

    pthread_mutex_lock(&throttle->mutex);
    slot = find(throttle, what, whom);
    if (slot != NULL)
        slot->tries = 0;
    pthread_mutex_unlock(&throttle->mutex);
}

/* The first so many bytes of an IPv6 address. */
static void name_network(const char *client, unsigned kept,
                         char network_r[APW_THROTTLE_NETWORK_SIZE])
{
    struct apw_address address;
    char text[APW_ADDRESS_TEXT_SIZE];

    if (apw_network_parse_address(client, &address) != 0) {
        strcpy(network_r, "-");
        return;
    }
    if (address.bits == 128)
        memset(address.bytes + kept, 0, sizeof address.bytes - kept);
    inet_ntop(address.bits == 32 ? AF_INET : AF_INET6, address.bytes, text, sizeof text);
    if (address.bits == 32)
        strcpy(network_r, text);
    else
        snprintf(network_r, APW_THROTTLE_NETWORK_SIZE, "%s/%u", text, kept * 8);
}

void apw_throttle_network(const char *client, char network_r[APW_THROTTLE_NETWORK_SIZE])
{
    name_network(client, 8, network_r);
}

void apw_throttle_site(const char *client, char site_r[APW_THROTTLE_NETWORK_SIZE])
{
    name_network(client, 6, site_r);
}
