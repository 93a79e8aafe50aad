/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guesses: counts the codes per day that were tried in browsers that the page does not know.
 *
 * The count is a value of appPasswordMfaMethod, so that a restart does not reset it and several
 * hosts share it:
 *
 *   guesses day=20261129000000Z count=12 told=20261129000000Z link=<base64url of a hash>
 *
 * `told` is the day of the last mail to the owner, and `link` belongs to that mail; both may be
 * missing. Concurrent changes on two providers may leave two values, whose counts are added.
 */
#ifndef APW_GUESSES_H
#define APW_GUESSES_H

#include "error.h"
#include "token.h"
#include "user.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define APW_GUESSES_VALUE_SIZE 160
#define APW_GUESSES_TELL       10 /* wrong codes that cause a mail and a finding */
#define APW_GUESSES_MOST       50 /* codes checked per day */
#define APW_GUESSES_LINK_DAYS  7

struct apw_guesses {
    int64_t day; /* days since 1970, UTC; 0 for none */
    unsigned count;
    int64_t told;              /* a day; 0 for never */
    char link[APW_TOKEN_SIZE]; /* hash of the token; "" for none */
};

bool apw_guesses_is_value(const char *value, size_t length);
int apw_guesses_parse(const char *value, size_t length, struct apw_guesses *guesses_r,
                      struct apw_error *error);
int apw_guesses_format(const struct apw_guesses *guesses, char value_r[APW_GUESSES_VALUE_SIZE],
                       struct apw_error *error);

/* Reads the entry's values; all zeroes if there are none. The user must have been read
 * `with_enrolment`. -1 if a value is damaged: the count is then unknown. */
int apw_guesses_read(const struct apw_user *user, struct apw_guesses *guesses_r,
                     struct apw_error *error);

/* Changes the guesses, whose `day` is today; false if there is nothing to change. May be called
 * again, after a conflict. */
typedef bool (*apw_guesses_change)(struct apw_guesses *guesses, void *context);

/* UNCHANGED if `change` returns false. */
enum apw_manage_result apw_guesses_update(const struct apw_manager *manager, const char *dn,
                                          apw_guesses_change change, void *context,
                                          struct apw_error *error);

/* Makes a link's token and sets `told` and `link`. */
void apw_guesses_make_link(struct apw_guesses *guesses, char token_r[APW_TOKEN_SIZE]);

/* Whether it is the token of the link. If so, removes the link, which works only once. */
bool apw_guesses_use_link(struct apw_guesses *guesses, const char *token);

#endif
