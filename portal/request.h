/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request: one request on its way, and what the files that answer it share.
 */
#ifndef APW_REQUEST_H
#define APW_REQUEST_H

#include "account.h"
#include "form_fields.h"
#include "mail_result.h"
#include "manage.h"
#include "portal.h"
#include "visitor.h"
#include "wording.h"

struct apw_request {
    const struct apw_portal *portal;
    struct apw_exchange *exchange;
    struct apw_web_session *session; /* NULL before signing in */
    struct apw_visitor *visitor;     /* the session's content */
    struct apw_account account;      /* as the directory has it now */
    struct apw_page page;
};

/* Sets what every page needs. */
void apw_request_begin(struct apw_request *request, const struct apw_portal *portal,
                       struct apw_exchange *exchange, struct apw_web_session *session);

const char *apw_request_text(const struct apw_request *request, enum apw_text text);
const char *apw_request_field(const struct apw_request *request, enum apw_form_field_number field);

/* NONE if the field is valid, else its complaint. */
enum apw_text apw_request_check_field(const struct apw_request *request,
                                      enum apw_form_field_number field);

/* Redirects to another page, the second one with a message there. */
void apw_request_go(struct apw_request *request, const char *path);
void apw_request_go_saying(struct apw_request *request, const char *path, enum apw_text text,
                           bool is_good);

/* The directory is down or its data makes no sense: an error page (503), and a log line. */
void apw_request_give_up(struct apw_request *request, const char *action,
                         const struct apw_error *error);

/* A log line about something that this person did or tried to do. `id` and `error` may be NULL. */
void apw_request_log(struct apw_request *request, enum apw_verdict verdict, enum apw_reason reason,
                     const char *action, const char *id, const struct apw_error *error);

/* Mails the person's own mailbox about something that was done. If that fails now, writes a log
 * line and leaves the mail to the outbox. `label` names the app password, or is NULL. */
void apw_request_notify(struct apw_request *request, const char *file, const char *label);

/* Mails that address, or the person's own mailbox, now or not at all; writes a log line if that
 * fails. */
enum apw_mail_result apw_request_mail(struct apw_request *request, const char *to,
                                      const char *file);
enum apw_mail_result apw_request_mail_owner(struct apw_request *request, const char *file);

#define APW_REQUEST_TIME_SIZE 32

/* "2026-11-23 07:00 UTC", or only the day. */
void apw_request_format_time(int64_t seconds, bool with_time, char text_r[APW_REQUEST_TIME_SIZE]);

#endif
