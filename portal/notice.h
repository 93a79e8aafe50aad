/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notice: mails to a person, about what was done in their name.
 */
#ifndef APW_NOTICE_H
#define APW_NOTICE_H

#include "mail_result.h"
#include "request.h"

/* Mails the person's own mailbox about something that was done. If that fails now, writes a log
 * line and leaves the mail to the outbox. */
void apw_notice_tell(struct apw_request *request, const char *file);

/* The same about second factors: every alternate address that the account had when the request
 * arrived gets the mail, too. */
void apw_notice_tell_all(struct apw_request *request, const char *file);

/* Mails that address, or the person's own mailbox, now or not at all; writes a log line if that
 * fails. */
enum apw_mail_result apw_notice_mail(struct apw_request *request, const char *to, const char *file);
enum apw_mail_result apw_notice_mail_owner(struct apw_request *request, const char *file);

/* The same three about the person whom the visitor, of the help desk, helps: see helped.h. The
 * mails name neither the visitor nor their browser; the log does. The second returns whether at
 * least one copy was sent or is in the outbox. */
void apw_notice_tell_helped(struct apw_request *request, const char *file);
bool apw_notice_tell_helped_all(struct apw_request *request, const char *file);
enum apw_mail_result apw_notice_mail_helped(struct apw_request *request, const char *to,
                                            const char *file);

/* Tells the owner of a new app password what it is good for. */
void apw_notice_tell_created(struct apw_request *request, const char *label, const char *services);

#endif
