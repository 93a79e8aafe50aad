/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail_result: what became of an attempt to send a mail.
 */
#ifndef APW_MAIL_RESULT_H
#define APW_MAIL_RESULT_H

enum apw_mail_result {
    APW_MAIL_NOT_SENT = 0, /* now; another attempt may succeed */
    APW_MAIL_REFUSED,      /* sender, recipient or text: another attempt would not help */
    APW_MAIL_SENT,
};

#endif
