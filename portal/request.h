/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request: one request on its way, and what the files that answer it share.
 */
#ifndef APW_REQUEST_H
#define APW_REQUEST_H

#include "account.h"
#include "audit.h"
#include "form_fields.h"
#include "manage.h"
#include "portal.h"
#include "visitor.h"
#include "wording.h"

/* Bytes of a text about connections that are open when an app password is revoked. */
#define APW_REQUEST_CONNECTIONS_SIZE 512

struct apw_request {
    const struct apw_portal *portal;
    struct apw_exchange *exchange;
    struct apw_web_session *session; /* NULL before signing in */
    struct apw_visitor *visitor;     /* the session's content */
    struct apw_account account;      /* as the directory has it now */
    struct apw_account helped;       /* whom the visitor helps: see helped.h; user NULL: nobody */
    char helped_login[APW_LOGIN_SIZE];
    char connections[APW_REQUEST_CONNECTIONS_SIZE];
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

/* Step 1 or 2 of setting up a second step: a whole page with one template, and a way out if there
 * is one already. Steps 3 and 4 are the first app password. Then the parts of such a page. */
void apw_request_show_step(struct apw_request *request, enum apw_text title, const char *file,
                           unsigned step);
void apw_request_add_step(struct apw_request *request, unsigned step, unsigned steps);
void apw_request_add_setting_up_step(struct apw_request *request, unsigned step);
void apw_request_add_cancel(struct apw_request *request);

/* Redirects to another page, the second one with a message there. */
void apw_request_go(struct apw_request *request, const char *path);
void apw_request_go_saying(struct apw_request *request, const char *path, enum apw_text text,
                           bool is_good);

/* The same; the complaint stands at that page's field. */
void apw_request_go_complaining(struct apw_request *request, const char *path, enum apw_text text);

/* The same, with the value of {minutes} in the message. */
void apw_request_go_waiting(struct apw_request *request, const char *path, enum apw_text text,
                            unsigned minutes);

/* The directory is down or its data makes no sense: an error page (503), and a log line. */
void apw_request_give_up(struct apw_request *request, const char *action,
                         const struct apw_error *error);

/* A log line about a change (audit.h) that the visitor has made, of their own or for the person
 * whom they help. `id` may be NULL; `error` says why it failed, and is NULL if it was made. */
void apw_request_audit(struct apw_request *request, enum apw_audit_action action, const char *id,
                       const struct apw_error *error);

/* The same for all app passwords and invitations of a user, which were revoked. */
void apw_request_audit_all(struct apw_request *request, const struct apw_user *user);

/* The directory is down or refuses the change: such a line and an error page (503). */
void apw_request_fail_change(struct apw_request *request, enum apw_audit_action action,
                             const char *id, const struct apw_error *error);

/* A log line about something else that this person did or tried to do. `id` and `error` may be
 * NULL. */
void apw_request_log(struct apw_request *request, enum apw_verdict verdict, enum apw_reason reason,
                     const char *action, const char *id, const struct apw_error *error);

#endif
