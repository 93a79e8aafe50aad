/*
 * browser: knowing a browser again in which somebody has passed the second step.
 *
 * Who tries from such a browser has tries of their own: neither somebody who comes from the same
 * address nor somebody who knows the password and tries codes from elsewhere can keep them waiting.
 * Its mark, a cookie, is a random number and, under our key, its tie to the login; it opens
 * nothing.
 */
#ifndef APW_BROWSER_H
#define APW_BROWSER_H

#include "method.h"
#include "web/session.h"
#include <stdbool.h>
#include <stdint.h>

/* `key` is that of key_file. Upper and lower case of the login (ASCII) are the same. */
void apw_browser_mark(const uint8_t key[APW_METHOD_KEY_BYTES], const char *login,
                      char mark_r[APW_COOKIE_SIZE]);
bool apw_browser_is_known(const uint8_t key[APW_METHOD_KEY_BYTES], const char *login,
                          const char *mark);

#endif
