/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stranger: the pages for people who are not signed in.
 */
#ifndef APW_STRANGER_H
#define APW_STRANGER_H

#include "portal.h"
#include "wording.h"

/* The page with the form, and what was typed. */
void apw_stranger_show_sign_in(const struct apw_portal *portal, struct apw_exchange *exchange,
                               unsigned status, enum apw_text text, bool is_good);

/* The same, for people who have to sign in again, and why; NONE: nobody was signed in here, as far
 * as we know. */
void apw_stranger_show_signed_out(const struct apw_portal *portal, struct apw_exchange *exchange,
                                  enum apw_text text);

/* The text for that; NONE for no known reason. */
enum apw_text apw_stranger_why(enum apw_web_absence why);

/* Answers a form whose token does not fit the browser's cookie: it is another site's, or from a
 * page that was opened before somebody signed out. */
void apw_stranger_refuse_form(const struct apw_portal *portal, struct apw_exchange *exchange);

/* The same after a refusal; `wait_ms` is 0 or how long to wait before the next try. */
void apw_stranger_refuse(const struct apw_portal *portal, struct apw_exchange *exchange,
                         int64_t wait_ms);

/* A page that says what went wrong, without a form. */
void apw_stranger_fail(const struct apw_portal *portal, struct apw_exchange *exchange,
                       unsigned status, enum apw_text text);

#endif
