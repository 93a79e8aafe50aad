/* SPDX-License-Identifier: BSD-2-Clause */
/* The log, as `report --would-refuse` reads it: any line may be in it, and parts of ours are what
 * clients sent. */
#include "event.h"
#include "fuzz.h"
#include "log_line.h"
#include "mutate.h"
#include "utf8.h"

static const struct fuzz_rule rules[] = {
    {'V', "%f%p%L|%f%p%L|%f%u%0%u"},
    {'f', "%*|0|1|2|3"}, /* the first byte: see try_event() */
    {'p', "|%t host %g%[%d%]: |<22>1 %t host %g %d - - |%t host dovecot: auth-worker(%d): |%*"},
    {'t', "Nov 29 08:40:01|2026-11-29T08:40:01.123+01:00|2026-11-29 08:40:01|%*"},
    {'g', "postfix/smtpd|dovecot|saslauthd|%*"},
    {'L', "app-password: verdict=%v reason=%r user=\"%u\" service=%s client=%c id=%i%o%o"},
    {'v', "accepted|accepted|accepted|refused|unavailable"},
    {'r', "account-password|app-password|%*"},
    {'u', "alice|alice@example.org|\\x22|\\x00|\\xc3\\xa6|\" verdict=accepted|%u%u|%*"},
    {'s', "smtp|imap|-|\"|%*"},
    {'c', "192.0.2.7|2001:db8::1|-|%*"},
    {'i', "k7q2|-"},
    {'d', "1|42|x"},
    {'o',
     "| would-refuse=yes| name=\"%u\"| session=%s| error=\"%u\"| dn=\"%u\"| exempt=yes| %*=%*"},
    {0, NULL},
};

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t size, unsigned seed)
{
    fuzz_seed(seed);
    return fuzz_mutate_text(rules, " =\":", bytes, length, size);
}

static void try_line(const char *text)
{
    struct apw_log_line line;

    if (!apw_log_line_read(text, &line))
        return;
    FUZZ_MUST(strstr(text, "verdict=accepted") != NULL);
    FUZZ_MUST(line.name[0] != '\0' && line.service[0] != '\0' && line.client[0] != '\0');
    FUZZ_MUST(strchr(line.service, ' ') == NULL && strchr(line.client, ' ') == NULL);
    FUZZ_MUST(!line.would_refuse || strstr(text, "would-refuse") != NULL);
}

/* Only an accepted login is read as one, whatever the client sent, and with the right name. */
static void try_event(uint8_t choice, const char *user, size_t length, const char *name)
{
    struct apw_event event = {.verdict = (enum apw_verdict)(choice % 3),
                              .reason = APW_REASON_ACCOUNT_PASSWORD,
                              .service = "smtp",
                              .client = "192.0.2.7",
                              .would_refuse = (choice & 4) != 0};
    char text[APW_EVENT_SIZE];
    struct apw_log_line line;

    event.user_length = length < sizeof event.user ? length : sizeof event.user;
    memcpy(event.user, user, event.user_length);
    snprintf(event.name, sizeof event.name, "%s", name);
    apw_error_set(&event.detail, "%s", name);
    apw_event_set_session(&event, name);
    apw_event_format(&event, text);
    FUZZ_MUST(fuzz_is_one_line(text) && apw_utf8_is_printable(text, strlen(text)));
    if (!apw_log_line_read(text, &line))
        return;
    FUZZ_MUST(event.verdict == APW_ACCEPTED && line.would_refuse == event.would_refuse);
    FUZZ_MUST(strcmp(line.service, "smtp") == 0 && strcmp(line.client, "192.0.2.7") == 0);
    if (event.name[0] != '\0' && strstr(text, " name=") != NULL)
        FUZZ_MUST(strcmp(line.name, event.name) == 0 || strstr(text, "(app password)") != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text;
    size_t user;

    if (length == 0)
        return 0;
    text = fuzz_text(bytes + 1, length - 1);
    user = strlen(text);
    try_line(text);
    try_event(bytes[0], text, user, user < length - 1 ? text + user + 1 : "");
    free(text);
    return 0;
}
