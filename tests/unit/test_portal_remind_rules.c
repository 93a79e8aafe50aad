/* SPDX-License-Identifier: BSD-2-Clause */
/* Which reminder a user gets when, at each boundary. */
#include "policy.h"
#include "remind_rules.h"
#include "unit.h"
#include <sodium.h>

#define DAY   86400
#define NOW   INT64_C(1810080000) /* 2027-05-12, midnight UTC */
#define YEAR  (365 * (int64_t)DAY)
#define ID    "k7q2"
#define VALUE "reminder kind="
#define NEVER APW_POLICY_NEVER

static struct apw_config config;
static struct apw_remind_settings settings;

static const struct due_case {
    const char *name;
    enum apw_remind_mail mail;
    /* of the app password */
    int64_t created, end, used;
    bool is_unusable;
    /* of the user and the site */
    int64_t enforce_from, revoke_unused_s, began;
    bool is_without_uses;
    const char *recorded; /* before */
    const char *added[4]; /* none: the mail is not due */
} dues[] = {
    /* ---- MFA ---- */
    {"MFA without a date needs no mail", APW_REMIND_MAIL_MFA_ANNOUNCED, .is_unusable = true},
    {"MFA is announced a year before", APW_REMIND_MAIL_MFA_ANNOUNCED, .is_unusable = true,
     .enforce_from = NOW + YEAR, .added = {VALUE "mfa-announced of=20280511000000Z"}},
    {"MFA is announced to users who have an app password, too", APW_REMIND_MAIL_MFA_ANNOUNCED,
     .created = NOW - DAY, .end = NEVER, .enforce_from = NOW + YEAR,
     .added = {VALUE "mfa-announced of=20280511000000Z"}},
    {"MFA is announced once", APW_REMIND_MAIL_MFA_ANNOUNCED, .is_unusable = true,
     .enforce_from = NOW + YEAR, .recorded = VALUE "mfa-announced of=20280511000000Z"},
    {"another date is announced, too", APW_REMIND_MAIL_MFA_ANNOUNCED, .is_unusable = true,
     .enforce_from = NOW + YEAR, .recorded = VALUE "mfa-announced of=20280512000000Z",
     .added = {VALUE "mfa-announced of=20280511000000Z"}},
    {"announced a week before, the next mail is that of the day", APW_REMIND_MAIL_MFA_ANNOUNCED,
     .is_unusable = true, .enforce_from = NOW + 8 * DAY,
     .added = {VALUE "mfa-announced of=20270520000000Z", VALUE "mfa-week of=20270520000000Z"}},
    {"a week and a second before MFA", APW_REMIND_MAIL_MFA_WEEK, .is_unusable = true,
     .enforce_from = NOW + 7 * DAY + 1, .recorded = VALUE "mfa-announced of=20270519000001Z"},
    {"a week before MFA", APW_REMIND_MAIL_MFA_WEEK, .is_unusable = true,
     .enforce_from = NOW + 7 * DAY, .recorded = VALUE "mfa-announced of=20270519000000Z",
     .added = {VALUE "mfa-week of=20270519000000Z"}},
    {"a week before MFA, for somebody with an app password", APW_REMIND_MAIL_MFA_WEEK,
     .created = NOW - DAY, .end = NEVER, .enforce_from = NOW + 7 * DAY,
     .recorded = VALUE "mfa-announced of=20270519000000Z"},
    {"the day before MFA", APW_REMIND_MAIL_MFA_TODAY, .is_unusable = true,
     .enforce_from = NOW + DAY},
    {"the day of MFA, before its hour", APW_REMIND_MAIL_MFA_TODAY, .is_unusable = true,
     .enforce_from = NOW + DAY - 1,
     .added = {VALUE "mfa-announced of=20270512235959Z", VALUE "mfa-week of=20270512235959Z",
               VALUE "mfa-today of=20270512235959Z"}},
    {"the day of MFA, for somebody with an app password", APW_REMIND_MAIL_MFA_TODAY,
     .created = NOW - DAY, .end = NEVER, .enforce_from = NOW},
    {"the day of MFA, for somebody whose app password has expired", APW_REMIND_MAIL_MFA_TODAY,
     .created = NOW - DAY, .end = NOW, .enforce_from = NOW,
     .recorded = VALUE "mfa-announced of=20270512000000Z",
     .added = {VALUE "mfa-week of=20270512000000Z", VALUE "mfa-today of=20270512000000Z"}},
    {"the day after, if no mail could be sent", APW_REMIND_MAIL_MFA_TODAY, .is_unusable = true,
     .enforce_from = NOW - DAY,
     .added = {VALUE "mfa-announced of=20270511000000Z", VALUE "mfa-week of=20270511000000Z",
               VALUE "mfa-today of=20270511000000Z"}},
    {"two days after, it is too late", APW_REMIND_MAIL_MFA_TODAY, .is_unusable = true,
     .enforce_from = NOW - 2 * DAY},
    {"nothing is announced when it is in force", APW_REMIND_MAIL_MFA_ANNOUNCED, .is_unusable = true,
     .enforce_from = NOW - 1},

    /* ---- made by somebody else ---- */
    {"made after reminders began", APW_REMIND_MAIL_MADE, .created = NOW - DAY + 1, .end = NEVER,
     .began = NOW - DAY, .added = {VALUE "made id=" ID}},
    {"made before reminders began", APW_REMIND_MAIL_MADE, .created = NOW - DAY, .end = NEVER,
     .began = NOW - DAY},
    {"made on the page", APW_REMIND_MAIL_MADE, .created = NOW - 1, .end = NEVER, .began = NOW - DAY,
     .recorded = VALUE "made id=" ID},
    {"another one was made on the page", APW_REMIND_MAIL_MADE, .created = NOW - 1, .end = NEVER,
     .began = NOW - DAY, .recorded = VALUE "made id=k7q3", .added = {VALUE "made id=" ID}},
    {"made and expired", APW_REMIND_MAIL_MADE, .created = NOW - 2, .end = NOW, .began = NOW - DAY},
    {"made, but unusable", APW_REMIND_MAIL_MADE, .created = NOW - 1, .end = NEVER,
     .began = NOW - DAY, .is_unusable = true},

    /* ---- expiring ---- */
    {"fourteen days and a second before the end", APW_REMIND_MAIL_EXPIRING, .created = NOW - DAY,
     .end = NOW + 14 * DAY + 1},
    {"fourteen days before the end", APW_REMIND_MAIL_EXPIRING, .created = NOW - DAY,
     .end = NOW + 14 * DAY, .added = {VALUE "expiring-14 id=" ID " of=20270526000000Z"}},
    {"thirteen days before the end, once more", APW_REMIND_MAIL_EXPIRING, .created = NOW - DAY,
     .end = NOW + 14 * DAY, .recorded = VALUE "expiring-14 id=" ID " of=20270526000000Z"},
    {"three days and a second before the end", APW_REMIND_MAIL_EXPIRING, .created = NOW - 30 * DAY,
     .end = NOW + 3 * DAY + 1, .recorded = VALUE "expiring-14 id=" ID " of=20270515000001Z"},
    {"three days before the end", APW_REMIND_MAIL_EXPIRING, .created = NOW - 30 * DAY,
     .end = NOW + 3 * DAY, .recorded = VALUE "expiring-14 id=" ID " of=20270515000000Z",
     .added = {VALUE "expiring-3 id=" ID " of=20270515000000Z"}},
    {"three days before the end, for the first time", APW_REMIND_MAIL_EXPIRING,
     .created = NOW - 30 * DAY, .end = NOW + 3 * DAY,
     .added = {VALUE "expiring-14 id=" ID " of=20270515000000Z",
               VALUE "expiring-3 id=" ID " of=20270515000000Z"}},
    {"three days before the end, once more", APW_REMIND_MAIL_EXPIRING, .created = NOW - 30 * DAY,
     .end = NOW + 3 * DAY, .recorded = VALUE "expiring-3 id=" ID " of=20270515000000Z"},
    {"a second before the end", APW_REMIND_MAIL_EXPIRING, .created = NOW - 30 * DAY, .end = NOW + 1,
     .recorded = VALUE "expiring-14 id=" ID " of=20270512000001Z",
     .added = {VALUE "expiring-3 id=" ID " of=20270512000001Z"}},
    {"at the end", APW_REMIND_MAIL_EXPIRING, .created = NOW - 30 * DAY, .end = NOW},
    {"made to live for two weeks", APW_REMIND_MAIL_EXPIRING, .created = NOW - 1,
     .end = NOW - 1 + 14 * DAY},
    {"made to live for two weeks, three days before the end", APW_REMIND_MAIL_EXPIRING,
     .created = NOW - 11 * DAY, .end = NOW + 3 * DAY,
     .added = {VALUE "expiring-14 id=" ID " of=20270515000000Z",
               VALUE "expiring-3 id=" ID " of=20270515000000Z"}},
    {"made to live for three days", APW_REMIND_MAIL_EXPIRING, .created = NOW - 1,
     .end = NOW - 1 + 3 * DAY},
    {"three days before the end, which was another one", APW_REMIND_MAIL_EXPIRING,
     .created = NOW - 30 * DAY, .end = NOW + 3 * DAY,
     .recorded = VALUE "expiring-3 id=" ID " of=20270510000000Z",
     .added = {VALUE "expiring-14 id=" ID " of=20270515000000Z",
               VALUE "expiring-3 id=" ID " of=20270515000000Z"}},
    {"without an end", APW_REMIND_MAIL_EXPIRING, .created = NOW - 30 * DAY, .end = NEVER},

    /* ---- unused ---- */
    {"unused for a year", APW_REMIND_MAIL_UNUSED, .created = NOW - 2 * YEAR, .end = NEVER,
     .used = NOW - YEAR, .added = {VALUE "unused id=" ID " of=20260512000000Z"}},
    {"unused for a second less", APW_REMIND_MAIL_UNUSED, .created = NOW - 2 * YEAR, .end = NEVER,
     .used = NOW - YEAR + 1},
    {"never used in a year", APW_REMIND_MAIL_UNUSED, .created = NOW - YEAR, .end = NEVER,
     .added = {VALUE "unused id=" ID " of=20260512000000Z"}},
    {"unused, once more", APW_REMIND_MAIL_UNUSED, .created = NOW - 3 * YEAR, .end = NEVER,
     .used = NOW - YEAR, .recorded = VALUE "unused id=" ID " of=20260512000000Z"},
    {"unused again, after a use", APW_REMIND_MAIL_UNUSED, .created = NOW - 3 * YEAR, .end = NEVER,
     .used = NOW - YEAR, .recorded = VALUE "unused id=" ID " of=20250512000000Z",
     .added = {VALUE "unused id=" ID " of=20260512000000Z"}},
    {"unused, where uses are not recorded", APW_REMIND_MAIL_UNUSED, .created = NOW - 2 * YEAR,
     .end = NEVER, .is_without_uses = true},
    {"unused, where it will be revoked", APW_REMIND_MAIL_UNUSED, .created = NOW - 2 * YEAR,
     .end = NEVER, .revoke_unused_s = 3 * YEAR},

    /* ---- unused, and revoked soon ---- */
    {"two weeks and a second before", APW_REMIND_MAIL_UNUSED_REVOKE, .created = NOW - YEAR,
     .end = NEVER, .used = NOW - 166 * DAY + 1, .revoke_unused_s = 180 * DAY},
    {"two weeks before", APW_REMIND_MAIL_UNUSED_REVOKE, .created = NOW - YEAR, .end = NEVER,
     .used = NOW - 166 * DAY, .revoke_unused_s = 180 * DAY,
     .added = {VALUE "unused-revoke id=" ID " of=20261127000000Z tried=20270512000000Z"}},
    {"years late", APW_REMIND_MAIL_UNUSED_REVOKE, .created = NOW - 2 * YEAR, .end = NEVER,
     .revoke_unused_s = 180 * DAY,
     .added = {VALUE "unused-revoke id=" ID " of=20250512000000Z tried=20270512000000Z"}},
    {"told before", APW_REMIND_MAIL_UNUSED_REVOKE, .created = NOW - YEAR, .end = NEVER,
     .used = NOW - 166 * DAY, .revoke_unused_s = 180 * DAY,
     .recorded = VALUE "unused-revoke id=" ID " of=20261127000000Z sent=20270101000000Z"},
    {"being told", APW_REMIND_MAIL_UNUSED_REVOKE, .created = NOW - YEAR, .end = NEVER,
     .used = NOW - 166 * DAY, .revoke_unused_s = 180 * DAY,
     .recorded = VALUE "unused-revoke id=" ID " of=20261127000000Z tried=20270511000000Z"},
    {"the mail was lost two days ago", APW_REMIND_MAIL_UNUSED_REVOKE, .created = NOW - YEAR,
     .end = NEVER, .used = NOW - 166 * DAY, .revoke_unused_s = 180 * DAY,
     .recorded = VALUE "unused-revoke id=" ID " of=20261127000000Z tried=20270510000000Z",
     .added = {VALUE "unused-revoke id=" ID " of=20261127000000Z tried=20270512000000Z"}},
    {"told, used, and unused again", APW_REMIND_MAIL_UNUSED_REVOKE, .created = NOW - YEAR,
     .end = NEVER, .used = NOW - 166 * DAY, .revoke_unused_s = 180 * DAY,
     .recorded = VALUE "unused-revoke id=" ID " of=20261126000000Z sent=20270501000000Z",
     .added = {VALUE "unused-revoke id=" ID " of=20261127000000Z tried=20270512000000Z"}},
    {"revoked soon, where uses are not recorded", APW_REMIND_MAIL_UNUSED_REVOKE,
     .created = NOW - YEAR, .end = NEVER, .revoke_unused_s = 180 * DAY, .is_without_uses = true},
    {"revoked soon, without revoke_unused", APW_REMIND_MAIL_UNUSED_REVOKE, .created = NOW - YEAR,
     .end = NEVER},
};

/* The user of a row, with one app password and one value. */
struct subject {
    struct apw_user user;
    struct apw_managed_password password;
    struct apw_value value;
};

static void make(struct subject *subject, const struct due_case *row)
{
    const char *recorded = row->recorded == NULL ? "guesses x" : row->recorded;

    *subject = (struct subject){.password = {.id = ID,
                                             .has_record = true,
                                             .record = {.created = row->created,
                                                        .has_expires = row->end != NEVER,
                                                        .expires = row->end},
                                             .end = row->end,
                                             .is_usable = !row->is_unusable,
                                             .has_use = row->used != 0,
                                             .use = {.id = ID, .at = row->used}},
                                .value = {.bytes = (char *)recorded, .length = strlen(recorded)},
                                .user = {.dn = (char *)"uid=alice",
                                         .has_enforce_from = row->enforce_from != 0,
                                         .is_enforce_from_readable = row->enforce_from != 0,
                                         .enforce_from = row->enforce_from,
                                         .password_count = 1,
                                         .method = {.count = 1}}};
    subject->user.password = &subject->password;
    subject->user.method.value = &subject->value;
}

static void test_due(void **state)
{
    const struct due_case *row = *state;
    const struct apw_remind_rules rules = {.config = &config,
                                           .settings = &settings,
                                           .now = NOW,
                                           .began = row->began,
                                           .has_uses = !row->is_without_uses};
    struct apw_remind_due due;
    struct subject subject;
    size_t count = 0;

    make(&subject, row);
    config.revoke_unused_s = row->revoke_unused_s;
    while (count < 4 && row->added[count] != NULL)
        count++;
    assert_int_equal(apw_remind_rules_judge(&rules, &subject.user, row->mail, &due), count > 0);
    assert_int_equal(due.added_count, count);
    for (size_t i = 0; i < count; i++) {
        char value[APW_REMINDER_VALUE_SIZE];
        struct apw_error error = {""};

        assert_int_equal(apw_reminder_format(&due.added[i], value, &error), 0);
        assert_string_equal(value, row->added[i]);
    }
    assert_int_equal(due.password_count, count > 0 && row->enforce_from == 0);
    apw_remind_rules_clear(&due);
}

/* ---- what is deleted with it ---- */

static const struct obsolete_case {
    const char *name;
    const char *recorded;
    bool is_deleted;
} obsoletes[] = {
    {"of an app password that is gone", VALUE "made id=k7q3", true},
    {"of one that is there", VALUE "made id=" ID, false},
    {"of an earlier time without use", VALUE "unused id=" ID " of=20240512000000Z", true},
    {"of this time without use", VALUE "unused id=" ID " of=20270412000000Z", false},
    {"of another end", VALUE "expiring-3 id=" ID " of=20270510000000Z", true},
    {"of another date of MFA", VALUE "mfa-week of=20270101000000Z", true},
    {"of years ago", VALUE "yearly of=20240101000000Z", true},
    {"of last year", VALUE "yearly of=20260601000000Z", false},
    {"something else", "reset id=k7q3", false},
    {"something damaged", VALUE "made id=k7q3 x", false},
};

static void test_obsolete(void **state)
{
    const struct obsolete_case *row = *state;
    const struct due_case usual = {
        .created = NOW - 30 * DAY, .end = NOW + 14 * DAY, .recorded = row->recorded};
    const struct apw_remind_rules rules = {.config = &config, .settings = &settings, .now = NOW};
    struct apw_remind_due due;
    struct subject subject;

    make(&subject, &usual);
    assert_int_equal(apw_remind_rules_judge(&rules, &subject.user, APW_REMIND_MAIL_EXPIRING, &due),
                     1);
    assert_int_equal(due.deleted_count, row->is_deleted);
    if (row->is_deleted)
        assert_ptr_equal(due.deleted[0], row->recorded);
    apw_remind_rules_clear(&due);
}

/* ---- revoking ---- */

static const struct over_case {
    const char *name;
    int64_t used;
    const char *recorded;
    bool is_over;
} overs[] = {
    {"at the time in the mail", NOW - 180 * DAY,
     VALUE "unused-revoke id=" ID " of=20261113000000Z sent=20270428000000Z", true},
    {"a day before the time in the mail", NOW - 180 * DAY,
     VALUE "unused-revoke id=" ID " of=20261113000000Z sent=20270429000000Z", false},
    {"without a mail", NOW - 180 * DAY, "guesses x", false},
    {"a mail that may be lost", NOW - 180 * DAY,
     VALUE "unused-revoke id=" ID " of=20261113000000Z tried=20270401000000Z", false},
    {"used since the mail", NOW - 179 * DAY,
     VALUE "unused-revoke id=" ID " of=20261113000000Z sent=20270401000000Z", false},
    {"used since the mail, and unused again, without another mail", NOW - 180 * DAY,
     VALUE "unused-revoke id=" ID " of=20261112000000Z sent=20270401000000Z", false},
    {"a second before the period ends", NOW - 180 * DAY + 1,
     VALUE "unused-revoke id=" ID " of=20261113000001Z sent=20270401000000Z", false},
    {"another app password", NOW - 180 * DAY,
     VALUE "unused-revoke id=k7q3 of=20261113000000Z sent=20270401000000Z", false},
};

static void test_over(void **state)
{
    const struct over_case *row = *state;
    const struct due_case usual = {
        .created = NOW - YEAR, .end = NEVER, .used = row->used, .recorded = row->recorded};
    const struct apw_remind_settings off = {.rate = 60};
    struct apw_remind_rules rules = {
        .config = &config, .settings = &settings, .now = NOW, .has_uses = true};
    struct subject subject;

    config.revoke_unused_s = 180 * DAY;
    make(&subject, &usual);
    assert_int_equal(apw_remind_rules_is_over(&rules, &subject.user, &subject.password),
                     row->is_over);
    rules.has_uses = false;
    assert_false(apw_remind_rules_is_over(&rules, &subject.user, &subject.password));
    rules.has_uses = true;
    rules.settings = &off;
    assert_false(apw_remind_rules_is_over(&rules, &subject.user, &subject.password));
    rules.settings = &settings;
    config.revoke_unused_s = 0;
    assert_false(apw_remind_rules_is_over(&rules, &subject.user, &subject.password));
}

/* ---- once a year ---- */

/* Whether the mail is due on that day; records it then, as a run would. */
static bool try_yearly(struct subject *subject, int64_t now, int64_t began,
                       char value_r[APW_REMINDER_VALUE_SIZE])
{
    const struct apw_remind_rules rules = {
        .config = &config, .settings = &settings, .now = now, .began = began};
    struct apw_error error = {""};
    struct apw_remind_due due;
    bool is_due = apw_remind_rules_judge(&rules, &subject->user, APW_REMIND_MAIL_YEARLY, &due) == 1;

    if (is_due) {
        assert_int_equal(due.added_count, 1);
        assert_int_equal(due.password_count, 1);
        assert_int_equal(apw_reminder_format(&due.added[0], value_r, &error), 0);
        subject->value = (struct apw_value){.bytes = value_r, .length = strlen(value_r)};
    }
    apw_remind_rules_clear(&due);
    return is_due;
}

static void make_yearly(struct subject *subject, const char *id)
{
    const struct due_case usual = {.created = NOW - 100 * DAY, .end = NEVER};

    make(subject, &usual);
    subject->user.unique_id = (char *)id;
}

static void test_yearly(void **state)
{
    char value[APW_REMINDER_VALUE_SIZE];
    struct subject subject;
    int64_t last = 0;
    unsigned mails = 0;

    (void)state;
    make_yearly(&subject, "one of many");
    for (int64_t day = 0; day < 5 * 365; day++)
        if (try_yearly(&subject, NOW + day * DAY, NOW, value)) {
            if (last > 0)
                assert_int_equal(NOW + day * DAY - last, YEAR);
            last = NOW + day * DAY;
            mails++;
        }
    assert_int_equal(mails, 5);
}

/* On the first day and on each other, a share of the users: never a flood. */
static void test_yearly_spread(void **state)
{
    unsigned count[365] = {0}, most = 0;

    (void)state;
    for (int i = 0; i < 3650; i++) {
        char value[APW_REMINDER_VALUE_SIZE], id[32];
        struct subject subject;
        int day = 0;

        snprintf(id, sizeof id, "user %d", i);
        make_yearly(&subject, id);
        while (!try_yearly(&subject, NOW + day * DAY, NOW, value))
            assert_true(++day < 365);
        count[day]++;
    }
    for (int day = 0; day < 365; day++)
        most = count[day] > most ? count[day] : most;
    assert_in_range(most, 10, 30);
}

static void test_yearly_late(void **state)
{
    char value[APW_REMINDER_VALUE_SIZE];
    struct subject subject;
    int64_t day = NOW;

    (void)state;
    make_yearly(&subject, "one of many");
    while (!try_yearly(&subject, day, NOW, value))
        day += DAY;
    make_yearly(&subject, "one of many");
    assert_true(try_yearly(&subject, day + 30 * DAY, NOW, value));
    make_yearly(&subject, "one of many");
    assert_false(try_yearly(&subject, day + 31 * DAY, NOW, value));
    assert_false(try_yearly(&subject, day, day + DAY, value)); /* before reminders began */
    subject.password.record.created = day - 90 * DAY + 1;
    assert_false(try_yearly(&subject, day, NOW, value));
    subject.password.record.created = day - 90 * DAY;
    subject.password.end = day;
    assert_false(try_yearly(&subject, day, NOW, value));
    subject.password.end = day + 1;
    assert_true(try_yearly(&subject, day, NOW, value));
}

/* ---- all ---- */

static void test_off(void **state)
{
    const struct apw_remind_settings off = {.rate = 60};
    const struct apw_remind_rules rules = {
        .config = &config, .settings = &off, .now = NOW, .has_uses = true};
    const struct due_case much = {
        .created = NOW - 2 * YEAR, .end = NOW + DAY, .enforce_from = NOW + DAY};
    struct apw_remind_due due;
    struct subject subject;

    (void)state;
    make(&subject, &much);
    for (int mail = 0; mail < APW_REMIND_MAIL_COUNT; mail++)
        assert_int_equal(
            apw_remind_rules_judge(&rules, &subject.user, (enum apw_remind_mail)mail, &due), 0);
}

int main(void)
{
    struct apw_error error;

    if (sodium_init() < 0 || setenv("TZ", "UTC", 1) != 0)
        abort();
    apw_remind_settings_begin(&settings);
    apw_remind_settings_set_topics(&settings, "all", &error);
    UNIT_ROWS(dues, test_due);
    UNIT_ROWS(obsoletes, test_obsolete);
    UNIT_ROWS(overs, test_over);
    UNIT_TEST("once a year, on the same day", test_yearly);
    UNIT_TEST("users are spread over the year", test_yearly_spread);
    UNIT_TEST("a month late, and no later", test_yearly_late);
    UNIT_TEST("a topic that is off sends nothing", test_off);
    return unit_run();
}
