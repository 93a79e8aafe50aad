/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * browser: recognizes a browser in which a person has passed the second step.
 *
 * Such a browser has its own throttle, so strangers cannot lock the owner out. Its mark, a cookie,
 * is the time, a random number and a keyed hash that ties them to the login; it grants nothing.
 */
#ifndef APW_BROWSER_H
#define APW_BROWSER_H

#include "web/session.h"
#include <stdbool.h>
#include <stdint.h>

#define APW_BROWSER_KEY_BYTES 32

/* `login` is compared without regard to case (ASCII). */
void apw_browser_mark(const uint8_t key[APW_BROWSER_KEY_BYTES], const char *login,
                      char mark_r[APW_COOKIE_SIZE]);
bool apw_browser_is_known(const uint8_t key[APW_BROWSER_KEY_BYTES], const char *login,
                          const char *mark);

/* The same, for a mark that was made at `since` (seconds) or later. */
bool apw_browser_is_known_since(const uint8_t key[APW_BROWSER_KEY_BYTES], const char *login,
                                const char *mark, int64_t since);

#endif
