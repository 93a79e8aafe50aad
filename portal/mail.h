/*
 * mail: one message to one address, handed to the site's sendmail program.
 */
#ifndef APW_MAIL_H
#define APW_MAIL_H

#include "error.h"

/* Hands over `text`, whose first line is "Subject: …", followed by an empty line and the body, all
 * UTF-8 (RFC 6532 is not needed: the subject is encoded, RFC 2047). `program` takes what sendmail
 * takes; `to` must be one that apw_method_address_is_valid() takes. Waits for the program, for ten
 * seconds at most. -1 where it could not be started, failed or took longer. */
int apw_mail_send(const char *program, const char *to, const char *from_name, const char *text,
                  struct apw_error *error);

#endif
