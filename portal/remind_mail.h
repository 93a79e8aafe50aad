/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remind_mail: sends one user one mail that is due, once.
 *
 * The mail is recorded first (reminder.h). If it cannot be sent now, the record is taken back, and
 * the next run tries again. If this process ends in between, the mail is never sent, except for the
 * one about a revocation, which counts only once the mail was accepted.
 */
#ifndef APW_REMIND_MAIL_H
#define APW_REMIND_MAIL_H

#include "remind_run.h"

/* Waits until another mail may leave, or the run is stopped. Called before a user is read, so that
 * what is recorded next is what is true then, and no recorded mail waits long. */
void apw_remind_mail_wait(const struct apw_remind_run *run);

/* Sends it if it is due, logs it, and counts it. The user has an address. */
void apw_remind_mail_send(struct apw_remind_run *run, const struct apw_user *user,
                          enum apw_remind_mail mail);

#endif
