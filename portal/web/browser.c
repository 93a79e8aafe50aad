/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/browser.h"
#include <sodium.h>
#include <string.h>
#include <time.h>

#define TIME_BYTES   8
#define NUMBER_BYTES 16 /* the time, and random ones */
#define TIE_BYTES    16
#define SECONDS_MAX  (366 * 86400) /* a little longer than the cookie */
#define VARIANT      sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(APW_BROWSER_KEY_BYTES == crypto_kdf_KEYBYTES, "key size");

static void make_tie(const uint8_t key[APW_BROWSER_KEY_BYTES], const char *login,
                     const uint8_t number[NUMBER_BYTES], uint8_t tie_r[TIE_BYTES])
{
    uint8_t own_key[crypto_generichash_KEYBYTES];
    crypto_generichash_state state;

    crypto_kdf_derive_from_key(own_key, sizeof own_key, 1, "browsers", key);
    crypto_generichash_init(&state, own_key, sizeof own_key, TIE_BYTES);
    crypto_generichash_update(&state, number, NUMBER_BYTES);
    for (; *login != '\0'; login++) {
        uint8_t c = (uint8_t)(*login >= 'A' && *login <= 'Z' ? *login - 'A' + 'a' : *login);

        crypto_generichash_update(&state, &c, 1);
    }
    crypto_generichash_final(&state, tie_r, TIE_BYTES);
    sodium_memzero(own_key, sizeof own_key);
}

/* The highest byte first. */
static void put_time(uint64_t seconds, uint8_t bytes_r[TIME_BYTES])
{
    for (int i = 0; i < TIME_BYTES; i++)
        bytes_r[i] = (uint8_t)(seconds >> 8 * (TIME_BYTES - 1 - i));
}

static int64_t get_time(const uint8_t bytes[TIME_BYTES])
{
    uint64_t seconds = 0;

    for (int i = 0; i < TIME_BYTES; i++)
        seconds = seconds << 8 | bytes[i];
    return seconds > INT64_MAX ? INT64_MAX : (int64_t)seconds;
}

void apw_browser_mark(const uint8_t key[APW_BROWSER_KEY_BYTES], const char *login,
                      char mark_r[APW_COOKIE_SIZE])
{
    uint8_t bytes[NUMBER_BYTES + TIE_BYTES];

    put_time((uint64_t)time(NULL), bytes);
    randombytes_buf(bytes + TIME_BYTES, NUMBER_BYTES - TIME_BYTES);
    make_tie(key, login, bytes, bytes + NUMBER_BYTES);
    sodium_bin2base64(mark_r, APW_COOKIE_SIZE, bytes, sizeof bytes, VARIANT);
}

bool apw_browser_is_known(const uint8_t key[APW_BROWSER_KEY_BYTES], const char *login,
                          const char *mark)
{
    return apw_browser_is_known_since(key, login, mark, 0);
}

bool apw_browser_is_known_since(const uint8_t key[APW_BROWSER_KEY_BYTES], const char *login,
                                const char *mark, int64_t since)
{
    uint8_t bytes[NUMBER_BYTES + TIE_BYTES], tie[TIE_BYTES];
    int64_t a_year_ago = (int64_t)time(NULL) - SECONDS_MAX;
    char same[APW_COOKIE_SIZE];
    size_t length;

    if (sodium_base642bin(bytes, sizeof bytes, mark, strlen(mark), NULL, &length, NULL, VARIANT) !=
            0 ||
        length != sizeof bytes)
        return false;
    /* Other spellings of the same mark, some with bytes past ASCII, would each have their own
     * throttle. */
    sodium_bin2base64(same, sizeof same, bytes, sizeof bytes, VARIANT);
    if (strcmp(mark, same) != 0)
        return false;
    make_tie(key, login, bytes, tie);
    return sodium_memcmp(tie, bytes + NUMBER_BYTES, TIE_BYTES) == 0 && get_time(bytes) >= since &&
           get_time(bytes) >= a_year_ago;
}
