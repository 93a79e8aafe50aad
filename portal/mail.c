/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail.h"
#include "relay.h"
#include "sendmail.h"
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SUBJECT_MAX      512
#define ENCODED_WORD     36 /* bytes of text in an encoded word of at most 75 characters */
#define LINE_MAX_QUOTED  76
#define MESSAGE_ID_BYTES 16
#define DATE_SIZE        40

/* ---- words of the header ---- */

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

/* Whether the text stands in a subject as it is, and does not look encoded. */
static bool is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~' || (text[i] == '=' && text[i + 1] == '?'))
            return false;
    return text[0] != ' ' && text[length - 1] != ' ';
}

static void add_subject(struct apw_buffer *message, const char *text, size_t length)
{
    if (is_plain(text, length))
        apw_buffer_add(message, text, length);
    else
        add_encoded(message, text, length);
}

/* A name, which is a phrase (RFC 5322, 3.2.5), and an address. Lines with encoded words have at
 * most 76 characters (RFC 2047, 2). */
static void add_mailbox(struct apw_buffer *message, const char *name, const char *address)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ -";
    size_t length = strlen(name);

    if (strspn(name, plain) == length && is_plain(name, length)) {
        apw_buffer_add(message, name, length);
    } else {
        add_encoded(message, name, length);
        apw_buffer_add_string(message, "\n");
    }
    apw_buffer_add_string(message, " <");
    apw_buffer_add_string(message, address);
    apw_buffer_add_string(message, ">\n");
}

/* ---- the header ---- */

static void add_field(struct apw_buffer *message, const char *name, const char *value)
{
    apw_buffer_add_string(message, name);
    apw_buffer_add_string(message, ": ");
    apw_buffer_add_string(message, value);
    apw_buffer_add_string(message, "\n");
}

/* The process never calls setlocale(), so the names of days and months are English. */
static void add_date(struct apw_buffer *message)
{
    time_t now = time(NULL);
    char date[DATE_SIZE];
    struct tm fields;

    if (gmtime_r(&now, &fields) != NULL &&
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &fields) > 0)
        add_field(message, "Date", date);
}

static void add_message_id(struct apw_buffer *message, const char *from)
{
    unsigned char random[MESSAGE_ID_BYTES];
    char id[2 * sizeof random + 1];

    randombytes_buf(random, sizeof random);
    sodium_bin2hex(id, sizeof id, random, sizeof random);
    apw_buffer_add_string(message, "Message-ID: <");
    apw_buffer_add_string(message, id);
    apw_buffer_add_string(message, strrchr(from, '@'));
    apw_buffer_add_string(message, ">\n");
}

static void add_header(struct apw_buffer *message, const struct apw_mail_content *content,
                       const char *subject, size_t subject_length)
{
    apw_buffer_add_string(message, "From: ");
    add_mailbox(message, content->from_name, content->from);
    if (content->reply_to != NULL)
        add_field(message, "Reply-To", content->reply_to);
    add_field(message, "To", content->to);
    apw_buffer_add_string(message, "Subject: ");
    add_subject(message, subject, subject_length);
    apw_buffer_add_string(message, "\n");
    add_date(message);
    add_message_id(message, content->from);
    add_field(message, "MIME-Version", "1.0");
    add_field(message, "Content-Type", "text/plain; charset=utf-8");
    add_field(message, "Content-Transfer-Encoding", "quoted-printable");
    add_field(message, "Content-Language", content->language);
    add_field(message, "Auto-Submitted", "auto-generated"); /* RFC 3834, 5 */
}

/* ---- the body ---- */

/* Quoted-printable (RFC 2045, 6.7): a relay may know nothing but ASCII, a label may be long, and
 * mail programs show a paragraph as wide as the screen is. */
static void add_quoted(struct apw_buffer *message, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t column = 0;

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        char quoted[3] = {'=', digits[c >> 4], digits[c & 15]};
        bool ends_line = text[1] == '\n' || text[1] == '\0';
        bool is_literal = (c > ' ' && c <= '~' && c != '=') || (c == ' ' && !ends_line);
        size_t width = is_literal ? 1 : sizeof quoted;

        if (c == '\n') {
            apw_buffer_add(message, "\n", 1);
            column = 0;
            continue;
        }
        if (column + width > LINE_MAX_QUOTED - (ends_line ? 0 : 1)) {
            apw_buffer_add_string(message, "=\n");
            column = 0;
        }
        apw_buffer_add(message, is_literal ? text : quoted, width);
        column += width;
    }
}

int apw_mail_compose(const struct apw_mail_content *content, struct apw_mail *mail_r,
                     struct apw_error *error)
{
    static const char mark[] = "Subject: ";
    const char *subject = content->text + sizeof mark - 1;
    size_t length;

    *mail_r = (struct apw_mail){.to = NULL};
    if (strncmp(content->text, mark, sizeof mark - 1) != 0)
        return apw_error_set(error, "the text of a mail must begin with \"Subject: \"");
    length = strcspn(subject, "\n");
    if (length == 0 || length > SUBJECT_MAX)
        return apw_error_set(error, "the subject of a mail must have 1 to %d bytes", SUBJECT_MAX);
    mail_r->to = strdup(content->to);
    add_header(&mail_r->message, content, subject, length);
    apw_buffer_add_string(&mail_r->message, "\n");
    add_quoted(&mail_r->message, subject + length + strspn(subject + length, "\n"));
    if (mail_r->to != NULL && !mail_r->message.is_broken)
        return 0;
    apw_mail_free(mail_r);
    return apw_error_set(error, "out of memory");
}

enum apw_mail_result apw_mail_send(const struct apw_mail_settings *settings,
                                   const struct apw_mail *mail, const atomic_bool *stop,
                                   struct apw_error *error)
{
    return settings->program != NULL
               ? apw_sendmail_send(settings->program, settings->from, &mail->message, stop, error)
               : apw_relay_send(settings, mail->to, &mail->message, stop, error);
}

void apw_mail_free(struct apw_mail *mail)
{
    free(mail->to);
    mail->to = NULL;
    apw_buffer_free(&mail->message);
}
