/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * visit: a person at the page, who has signed in with the account password. Without a directory,
 * without mail, and with a clock of our own.
 *
 * A program that uses it is linked with LINK_VISIT, and starts with visit_prepare().
 */
#ifndef APW_VISIT_H
#define APW_VISIT_H

#include "guesses.h"
#include "mail_result.h"
#include "request.h"
#include "unit.h"

#define VISIT_FACTORS 4
#define VISIT_ADDRESS "alice@mail.example.org" /* the person's own mailbox */

extern struct apw_portal_config portal_config;
extern struct apw_portal portal;
extern struct apw_user user;
extern struct apw_exchange exchange;
extern struct apw_request request;

/* Now, which does not pass by itself. */
extern int64_t now_s, now_ms;

/* The entry's guesses, how their next changes end after so many conflicts, and how many were made.
 */
extern struct apw_guesses kept;
extern enum apw_manage_result stored;
extern unsigned stored_conflicts, stores;

/* The last change of second factors, and how the next one ends. */
extern const struct apw_factor *removed_factor, *kept_factor;
extern struct apw_method added_factor;
extern unsigned factor_changes;
extern enum apw_manage_result changed;

/* The mails: how many, the last one, and what becomes of the next one. */
extern unsigned mails;
extern char mailed_to[APW_MAIL_ADDRESS_SIZE], mailed[4096];
extern enum apw_mail_result mailing;
extern void (*during_mail)(void); /* NULL for nothing */

void visit_prepare(void);
struct apw_visitor *visit_begin(void);
void visit_end(void);

/* The person has one more second factor. Borrowed. */
struct apw_factor *visit_add_factor(enum apw_method_kind kind, const char *id);

/* The person has passed the second step in this browser before. */
void visit_know_browser(void);

/* The next request begins, with an empty form. */
void visit_next(void);
void visit_type(const char *name, const char *value); /* into a field of it */

/* What was answered. */
void assert_redirected(const char *path, enum apw_text said, bool is_good);
void assert_shown(unsigned status, const char *part);

void assert_logged(const char *part);
void assert_not_logged(const char *part);

#endif
