/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail.h"
#include "relay.h"
#include "sendmail.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SUBJECT_MAX      256
#define ENCODED_WORD     36 /* bytes of text in an encoded word of at most 75 characters */
#define MESSAGE_ID_BYTES 16
#define DATE_SIZE        40

/* Encoded words (RFC 2047, 2), which must not split a character (5). */
static void add_encoded(struct apw_buffer *message, const char *text, size_t length)
{
    char encoded[sodium_base64_ENCODED_LEN(ENCODED_WORD, sodium_base64_VARIANT_ORIGINAL)];

    while (length > 0) {
        size_t part = length < ENCODED_WORD ? length : ENCODED_WORD;

        while (part < length && part > 1 && ((unsigned char)text[part] & 0xc0) == 0x80)
            part--;
        sodium_bin2base64(encoded, sizeof encoded, (const unsigned char *)text, part,
                          sodium_base64_VARIANT_ORIGINAL);
        apw_buffer_add_string(message, "=?utf-8?B?");
        apw_buffer_add_string(message, encoded);
        apw_buffer_add_string(message, part < length ? "?=\n " : "?=");
        text += part;
        length -= part;
    }
}

/* From, Date and Message-ID (RFC 5322, 3.6), which sendmail adds itself. */
static void add_origin(struct apw_buffer *message, const char *from, const char *from_name)
{
    unsigned char random[MESSAGE_ID_BYTES];
    char id[2 * sizeof random + 1], date[DATE_SIZE];
    time_t now = time(NULL);
    struct tm fields;

    randombytes_buf(random, sizeof random);
    sodium_bin2hex(id, sizeof id, random, sizeof random);
    apw_buffer_add_string(message, "From: ");
    add_encoded(message, from_name, strlen(from_name));
    apw_buffer_add_string(message, " <");
    apw_buffer_add_string(message, from);
    /* The process never calls setlocale(), so the names of days and months are English. */
    if (gmtime_r(&now, &fields) != NULL &&
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &fields) > 0) {
        apw_buffer_add_string(message, ">\nDate: ");
        apw_buffer_add_string(message, date);
    }
    apw_buffer_add_string(message, "\nMessage-ID: <");
    apw_buffer_add_string(message, id);
    apw_buffer_add_string(message, strrchr(from, '@'));
    apw_buffer_add_string(message, ">\n");
}

static int add_text(const char *to, const char *text, struct apw_buffer *message,
                    struct apw_error *error)
{
    static const char subject[] = "Subject: ";
    size_t length;

    if (strncmp(text, subject, sizeof subject - 1) != 0)
        return apw_error_set(error, "the text of a mail must begin with \"Subject: \"");
    text += sizeof subject - 1;
    length = strcspn(text, "\n");
    if (length == 0 || length > SUBJECT_MAX)
        return apw_error_set(error, "the subject of a mail must have 1 to %d bytes", SUBJECT_MAX);
    apw_buffer_add_string(message, "To: ");
    apw_buffer_add_string(message, to);
    apw_buffer_add_string(message, "\nSubject: ");
    add_encoded(message, text, length);
    apw_buffer_add_string(message, "\nMIME-Version: 1.0\n"
                                   "Content-Type: text/plain; charset=utf-8\n"
                                   "Content-Transfer-Encoding: 8bit\n"
                                   "Auto-Submitted: auto-generated\n"); /* RFC 3834, 5 */
    /* The text continues with the empty line that ends the header. */
    apw_buffer_add_string(message, text + length + (text[length] == '\n'));
    return message->is_broken ? apw_error_set(error, "out of memory") : 0;
}

int apw_mail_compose(const struct apw_mail_settings *settings, const char *to,
                     const char *from_name, const char *text, struct apw_mail *mail_r,
                     struct apw_error *error)
{
    *mail_r = (struct apw_mail){.to = strdup(to), .from_name = from_name};
    if (mail_r->to == NULL)
        return apw_error_set(error, "out of memory");
    if (settings->program == NULL)
        add_origin(&mail_r->message, settings->from, from_name);
    if (add_text(to, text, &mail_r->message, error) == 0)
        return 0;
    apw_mail_free(mail_r);
    return -1;
}

enum apw_mail_result apw_mail_send(const struct apw_mail_settings *settings,
                                   const struct apw_mail *mail, const atomic_bool *stop,
                                   struct apw_error *error)
{
    return settings->program != NULL
               ? apw_sendmail_send(settings->program, mail->from_name, &mail->message, stop, error)
               : apw_relay_send(settings, mail->to, &mail->message, stop, error);
}

void apw_mail_free(struct apw_mail *mail)
{
    free(mail->to);
    mail->to = NULL;
    apw_buffer_free(&mail->message);
}
