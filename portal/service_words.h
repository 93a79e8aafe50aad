/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service_words: mail services in words, for people who know no protocols.
 */
#ifndef APW_SERVICE_WORDS_H
#define APW_SERVICE_WORDS_H

#include "web/text.h"
#include <stdbool.h>

#define APW_SERVICE_WORDS_SIZE 1024

/* The comma-separated services of an app password, or one of a last use, as in "reading mail,
 * sending mail"; services without a word as they are. "" means all. */
void apw_service_words(const struct apw_texts *texts, unsigned language, const char *services,
                       char words_r[APW_SERVICE_WORDS_SIZE]);

/* What an app password with these services is good for. */
bool apw_services_read(const char *services); /* incoming mail, by IMAP or POP3 */
bool apw_services_send(const char *services);
bool apw_services_have(const char *services, const char *service); /* that canonical one, or all */

#endif
