/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines are read as lib/event writes them, from any log. */
#include "event.h"
#include "log_line.h"
#include "unit.h"

#define LINE(user)                                                                                 \
    "app-password: verdict=accepted reason=account-password user=\"" user                          \
    "\" service=imap client=192.0.2.7 id=- would-refuse=account-password-with-mfa"

static const struct case_row {
    const char *name, *text;
    bool is_read;
    const char *time, *who;
} rows[] = {
    {"a log file", "2026-11-29T08:00:01Z " LINE("alice"), true, "2026-11-29T08:00:01Z", "alice"},
    {"syslog", "Nov 29 08:40:01 mail postfix/smtpd[12]: " LINE("alice"), true, "Nov 29 08:40:01",
     "alice"},
    {"syslog with a time zone", "2026-11-29T08:00:01.123456+01:00 mail dovecot: " LINE("alice"),
     true, "2026-11-29T08:00:01.123456+01:00", "alice"},
    {"Dovecot's own log", "Nov 29 08:40:01 auth-worker(12): Error: " LINE("alice"), true,
     "Nov 29 08:40:01", "alice"},
    {"Dovecot's log in syslog",
     "Nov 29 08:40:01 mail dovecot: auth-worker(12): Error: " LINE("alice"), true,
     "Nov 29 08:40:01", "alice"},
    {"RFC 5424", "<22>1 2026-11-29T08:00:01Z mail smtpd 12 - - " LINE("alice"), true,
     "2026-11-29T08:00:01Z", "alice"},
    {"no time", LINE("alice"), true, "", "alice"},
    {"the accepted name", LINE("Alice@example.org") " name=\"alice\" session=Qz/x", true, "",
     "alice"},
    {"a quote, a line end and a backslash", LINE("a\\x22\\x0a\\x5c"), true, "", "a\"\n\\"},
    {"UTF-8", LINE("\xc3\xa5se"), true, "", "\xc3\xa5se"},
    {"an entry and keys of later versions", LINE("alice") " dn=\"uid=alice\" later=1 more=\"x y\"",
     true, "", "alice"},

    {"another line", "Nov 29 08:40:01 mail postfix/smtpd[12]: connect from x", false, "", ""},
    {"nothing", "", false, "", ""},
    {"a line in what a client sent", "mail smtpd: helo=<" LINE("evil"), false, "", ""},
    {"a line that a program quotes",
     "Nov 29 08:40:01 mail smtpd[12]: warning: bad <x " LINE("evil"), false, "", ""},
    {"with words of the program's behind it",
     "Nov 29 08:40:01 mail smtpd[12]: warning: bad x: " LINE("evil"), false, "", ""},
    {"a line in a quoted text", "2026-11-29 user=\"" LINE("evil"), false, "", ""},
    {"a line behind a name", "mail x: \\" LINE("evil"), false, "", ""},
    {"cut in the name", "app-password: verdict=accepted reason=app-password user=\"ali", false, "",
     ""},
    {"cut before the service", "app-password: verdict=accepted reason=app-password user=\"alice\"",
     false, "", ""},
    {"cut in a key", LINE("alice") " na", false, "", ""},
    {"cut in an escape", LINE("alice") " name=\"a\\x2", false, "", ""},
    {"another escape", LINE("a\\n"), false, "", ""},
    {"no space behind a value", LINE("alice") " name=\"a\"x", false, "", ""},
};

static void test_row(void **state)
{
    const struct case_row *row = *state;
    struct apw_log_line line;

    assert_int_equal(apw_log_line_read(row->text, &line), row->is_read);
    if (!row->is_read)
        return;
    assert_string_equal(line.time, row->time);
    assert_string_equal(line.name, row->who);
    assert_string_equal(line.service, "imap");
    assert_string_equal(line.client, "192.0.2.7");
    assert_true(line.would_refuse);
}

/* Every byte that a login can hold comes back. */
static void test_event(void **state)
{
    struct apw_event event = {.verdict = APW_ACCEPTED,
                              .reason = APW_REASON_APP_PASSWORD,
                              .service = "smtp",
                              .client = "2001:db8::1",
                              .id = "k7q2"};
    char text[APW_EVENT_SIZE];
    struct apw_log_line line;

    (void)state;
    for (int c = 1; c < 0x100; c++)
        event.user[event.user_length++] = (char)c;
    apw_event_format(&event, text);
    assert_true(apw_log_line_read(text, &line));
    assert_int_equal(strlen(line.name), 255);
    assert_memory_equal(line.name, event.user, 255);
    assert_false(line.would_refuse);
}

int main(void)
{
    UNIT_ROWS(rows, test_row);
    UNIT_TEST("what lib/event writes", test_event);
    return unit_run();
}
