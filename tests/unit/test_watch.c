/* SPDX-License-Identifier: BSD-2-Clause */
/* The watch without a server: what doveadm prints, what has changed, who is kicked, what is kept.
 */
#include "changes.h"
#include "kick.h"
#include "memory.h"
#include "table.h"
#include "unit.h"
#include "who.h"

#define DOVECOT_23(user, pid)                                                                      \
    "{\"username\":\"" user "\",\"service\":\"imap\",\"pid\":\"" pid "\",\"ip\":\"192.0.2.7\"}"
#define DOVECOT_24(user, pid, field)                                                               \
    "{\"username\":\"" user "\",\"service\":\"imap\",\"pid\":\"" pid                               \
    "\",\"ip\":\"192.0.2.7\",\"dest_ip\":\"\",\"user_app_password\":\"" field "\"}"

static struct apw_who parse(const char *text)
{
    char *copy = unit_copy(text, strlen(text) + 1);
    struct apw_error error = {""};
    struct apw_who who;

    if (apw_who_parse(copy, &who, &error) != 0)
        fail_msg("%s: %s", text, error.text);
    free(copy);
    return who;
}

/* ---- doveadm who ---- */

static const struct who_case {
    const char *name;
    const char *text;
    const char *user; /* NULL: no session */
    const char *username;
    const char *way;
} who_cases[] = {
    {"nobody is connected", "[]", NULL, NULL, NULL},
    {"2.3 says who", "[" DOVECOT_23("alice", "7") "]", "alice", "alice", ""},
    {"2.4 says by which app password", "[" DOVECOT_24("alice", "7", "k7q2:alice") "]", "alice",
     "alice", "k7q2"},
    {"2.4 says that it was the account password",
     "[" DOVECOT_24("alice", "7", "account-password:alice") "]", "alice", "alice",
     "account-password"},
    {"2.4 does not know", "[" DOVECOT_24("alice", "7", "") "]", "alice", "alice", ""},
    {"the name of the sign-in is the one to look up",
     "[" DOVECOT_24("box1", "7", "k7q2:alice@example.org") "]", "alice@example.org", "box1",
     "k7q2"},
    {"signs of a pattern are undone", "[" DOVECOT_24("a*", "7", "k7q2:a=2Ab=3F=3D=2") "]",
     "a*b?==2", "a*", "k7q2"},
    {"a field of another kind", "[" DOVECOT_24("alice", "7", "gold:alice") "]", "alice", "alice",
     ""},
    {"a field without a name", "[" DOVECOT_24("alice", "7", "k7q2:") "]", "alice", "alice", ""},
    {"a field with a longer id", "[" DOVECOT_24("alice", "7", "k7q29:alice") "]", "alice", "alice",
     ""},
    {"a name that is not UTF-8", "[" DOVECOT_23("al\xff", "7") "]", "al?", "al?", ""},
    {"a name with a tab", "[" DOVECOT_23("a\\tb", "7") "]", "a\tb", "a\tb", ""},
    {"a delivery",
     "[{\"username\":\"alice\",\"service\":\"lmtp\",\"pid\":\"7\",\"ip\":\"192.0.2.7\"}]", NULL,
     NULL, NULL},
    {"somebody who has not signed in yet", "[" DOVECOT_23("", "7") "]", NULL, NULL, NULL},
};

static void test_who(void **state)
{
    const struct who_case *row = *state;
    struct apw_who who = parse(row->text);

    assert_int_equal(who.count, row->user == NULL ? 0 : 1);
    if (row->user != NULL) {
        assert_string_equal(who.session[0].name, row->user);
        assert_string_equal(who.session[0].username, row->username);
        assert_string_equal(who.session[0].way, row->way);
        assert_string_equal(who.session[0].service, "imap");
        assert_string_equal(who.session[0].client, "192.0.2.7");
        assert_int_equal(who.session[0].pid, 7);
    }
    apw_who_free(&who);
}

static const struct bad_case {
    const char *name;
    const char *text;
} bad_cases[] = {
    {"nothing is no list", ""},
    {"half a list is none", "[" DOVECOT_23("alice", "7")},
    {"an object is no list", "{}"},
    {"words are no list", "doveadm: error"},
};

static void test_bad(void **state)
{
    const struct bad_case *row = *state;
    char *copy = unit_copy(row->text, strlen(row->text) + 1);
    struct apw_error error = {""};
    struct apw_who who;

    assert_int_equal(apw_who_parse(copy, &who, &error), -1);
    assert_contains(error.text, "no list of sessions");
    free(copy);
}

/* ---- the table ---- */

static void update(struct apw_table *table, const char *text)
{
    struct apw_who who = parse(text);

    assert_int_equal(apw_table_update(table, &who, 1000), 0);
    apw_who_free(&who);
}

static void test_table_keeps(void **state)
{
    struct apw_table table = {.count = 0};

    (void)state;
    update(&table, "[" DOVECOT_23("bob", "2") "," DOVECOT_23("alice", "1") "]");
    assert_int_equal(table.count, 2);
    assert_string_equal(table.user[0].name, "alice");
    assert_true(table.user[0].due);
    table.user[0].due = false;
    table.user[0].is_known = true;
    table.user[0].session[0].ways = strdup("k7q2");
    update(&table, "[" DOVECOT_23("alice", "1") "]");
    assert_int_equal(apw_table_count_connected(&table), 1);
    assert_true(table.user[0].is_known);
    assert_false(table.user[0].due);
    assert_string_equal(table.user[0].session[0].ways, "k7q2");
    update(&table, "[" DOVECOT_23("alice", "3") "," DOVECOT_23("alice", "1") "]");
    assert_int_equal(table.user[0].count, 2);
    assert_true(table.user[0].due);
    assert_string_equal(table.user[0].session[0].ways, "k7q2");
    assert_null(table.user[0].session[1].ways);
    assert_int_equal(table.user[0].session[1].opened_after, 1000);
    apw_table_free(&table);
}

static void test_table_remembers(void **state)
{
    struct apw_table table = {.count = 0};

    (void)state;
    update(&table, "[" DOVECOT_23("alice", "1") "," DOVECOT_23("bob", "2") "]");
    table.user[0].ways = strdup("k7q2");
    table.user[0].cleared = 5000;
    for (int i = 0; i < APW_TABLE_GONE_ROUNDS; i++)
        update(&table, "[" DOVECOT_23("bob", "2") "]");
    assert_int_equal(table.count, 2);
    assert_int_equal(apw_table_count_connected(&table), 1);
    update(&table, "[" DOVECOT_23("bob", "2") "," DOVECOT_23("alice", "3") "]");
    assert_int_equal(apw_table_count_connected(&table), 2);
    assert_string_equal(table.user[0].name, "alice");
    assert_string_equal(table.user[0].ways, "k7q2");
    assert_true(table.user[0].due);
    assert_int_equal(table.user[0].session[0].opened_after, 5001);
    for (int i = 0; i < APW_TABLE_GONE_ROUNDS + 1; i++)
        update(&table, "[" DOVECOT_23("bob", "2") "]");
    assert_int_equal(table.count, 1);
    assert_string_equal(table.user[0].name, "bob");
    apw_table_free(&table);
}

/* After a kick of everything, new sessions are younger than what has ended. */
static void test_table_after_kick(void **state)
{
    struct apw_table table = {.count = 0};

    (void)state;
    update(&table, "[" DOVECOT_23("alice", "1") "]");
    table.user[0].cleared = 5000;
    update(&table, "[" DOVECOT_23("alice", "2") "]");
    assert_int_equal(table.user[0].session[0].opened_after, 5001);
    apw_table_free(&table);
}

static void note(struct apw_table *table, const char *dn, const char *stamp)
{
    struct apw_table_index index;

    assert_int_equal(apw_table_index(table, &index), 0);
    apw_table_note_change(&index, &(struct apw_table_change){dn, stamp});
    apw_table_index_free(&index);
}

static void test_changes_are_noted(void **state)
{
    struct apw_table table = {.count = 0};

    (void)state;
    update(&table,
           "[" DOVECOT_23("a", "1") "," DOVECOT_23("a@b", "2") "," DOVECOT_23("c", "3") "]");
    table.user[0].place[0].dn = strdup("uid=a,dc=x"); /* one user, connected by two names */
    table.user[1].place[0].dn = strdup("UID=a,dc=x");
    table.user[2].place[0].dn = strdup("uid=c,dc=x");
    table.user[2].place[1].dn = strdup("appPasswordOwner=c,dc=y");
    note(&table, "uid=A,dc=x", "1");
    assert_int_equal(table.user[0].changed, 2); /* again, for a change within the same second */
    assert_int_equal(table.user[1].changed, 2);
    assert_int_equal(table.user[2].changed, 0);
    table.user[0].changed = 0;
    note(&table, "uid=a,dc=x", "1"); /* within the overlap */
    assert_int_equal(table.user[0].changed, 0);
    note(&table, "uid=a,dc=x", "2");
    assert_int_equal(table.user[0].changed, 2);
    note(&table, "uid=unknown,dc=x", "1");
    note(&table, "appPasswordOwner=c,dc=y", "1");
    assert_int_equal(table.user[2].changed, 2);
    apw_table_free(&table);
}

static void test_ways(void **state)
{
    (void)state;
    assert_true(apw_table_has_way("k7q2 account-password", "account-password"));
    assert_true(apw_table_has_way("k7q2 account-password", "k7q2"));
    assert_false(apw_table_has_way("k7q2 account-password", "k7q"));
    assert_false(apw_table_has_way("", "k7q2"));
}

/* ---- since when ---- */

static void test_since(void **state)
{
    char filter[APW_CHANGES_FILTER_SIZE];

    (void)state;
    assert_int_equal(apw_changes_since(5000, 20, 9000), 5020 - APW_CHANGES_OVERLAP_S);
    assert_int_equal(apw_changes_since(99000, 20, 9000), 9000 - APW_CHANGES_OVERLAP_S);
    assert_int_equal(apw_changes_filter(APW_DIRECTORY_LDAP, 1795300000, filter), 0);
    assert_string_equal(filter, "(modifyTimestamp>=20261121222640Z)");
    assert_int_equal(apw_changes_filter(APW_DIRECTORY_ACTIVE_DIRECTORY, 1795300000, filter), 0);
    assert_string_equal(filter, "(whenChanged>=20261121222640.0Z)");
}

/* ---- kicks ---- */

static void test_wave(void **state)
{
    struct apw_kick_limit limit = {.max = 3};

    (void)state;
    assert_true(apw_kick_is_allowed(&limit, 3, 1000000));
    apw_kick_note(&limit, 1000000);
    apw_kick_note(&limit, 1030000);
    assert_true(apw_kick_is_allowed(&limit, 1, 1059999));
    assert_true(apw_kick_is_allowed(&limit, 2, 1060000)); /* the first is a minute ago */
    assert_true(apw_kick_is_allowed(&limit, 3, 1090000));
    apw_kick_note(&limit, 1090000);
    assert_true(apw_kick_is_allowed(&limit, 0, 1090000));
    assert_false(apw_kick_is_allowed(&limit, 3, 1149999));
}

static void test_wave_waits(void **state)
{
    struct apw_kick_limit limit = {.max = 3};

    (void)state;
    assert_false(apw_kick_is_allowed(&limit, 4, 1000000));
    assert_false(apw_kick_is_allowed(&limit, 4, 1999999)); /* much later */
    assert_false(apw_kick_is_allowed(&limit, 1, 1999999)); /* some have gone by themselves */
    limit.is_released = true;
    assert_true(apw_kick_is_allowed(&limit, 20000, 2000000));
    apw_kick_settle(&limit);
    assert_false(apw_kick_is_allowed(&limit, 4, 2000000));
    apw_kick_settle(&limit);
    assert_true(apw_kick_is_allowed(&limit, 3, 2000000));
}

static const struct plan_case {
    const char *name;
    const char *text;
    const char *target; /* NULL: nobody may be kicked by it */
    bool is_by_field;
} plan_cases[] = {
    {"2.3: by the user", "[" DOVECOT_23("-alice", "7") "]", "-alice", false},
    {"2.4: by the field", "[" DOVECOT_24("alice", "7", "k7q2:al=2A") "]", "k7q2:al=2A", true},
    {"an asterisk would match others", "[" DOVECOT_23("a*", "7") "]", NULL, false},
    {"so would a question mark", "[" DOVECOT_24("alice", "7", "k7q2:a?") "]", NULL, false},
    {"an address is no user", "[" DOVECOT_23("192.0.2.7", "7") "]", NULL, false},
    {"nor is a network", "[" DOVECOT_23("2001:db8::/32", "7") "]", NULL, false},
};

static void test_plan(void **state)
{
    const struct plan_case *row = *state;
    struct apw_who who = parse(row->text);
    struct apw_kick_command command;
    struct apw_error error = {""};
    int status = apw_kick_plan(&who.session[0], &command, &error);

    assert_int_equal(status, row->target == NULL ? -1 : 0);
    if (row->target != NULL) {
        assert_string_equal(command.target, row->target);
        assert_int_equal(command.is_by_field, row->is_by_field);
    }
    apw_who_free(&who);
}

/* ---- files ---- */

static void test_memory(void **state)
{
    struct apw_table table = {.count = 0}, again = {.count = 0};
    const struct apw_heartbeat beat = {.time = 1795300000, .interval = 5, .users = 2};
    struct apw_error error = {""};
    char path[UNIT_PATH_SIZE];

    (void)state;
    unit_path("x", path);
    assert_int_equal(apw_memory_read_heartbeat(unit_folder_path), 0);
    assert_int_equal(apw_memory_load(unit_folder_path, 1000, &again, &error), 0);
    assert_int_equal(again.count, 0);
    update(&table, "[" DOVECOT_24("bob", "2", "k7q2:bo=2A") "," DOVECOT_23("alice", "1") "]");
    table.user[0].is_known = true;
    table.user[0].session[0].ways = strdup("k7q2 z3x4");
    table.user[0].ways = strdup("z3x4");
    assert_int_equal(apw_memory_save(unit_folder_path, &table, &error), 0);
    assert_int_equal(apw_memory_load(unit_folder_path, 2000, &again, &error), 0);
    assert_int_equal(again.count, 2);
    assert_true(again.user[0].is_known);
    assert_string_equal(again.user[0].session[0].ways, "k7q2 z3x4");
    assert_string_equal(again.user[0].ways, "z3x4");
    assert_null(again.user[1].ways);
    assert_string_equal(again.user[1].name, "bo*");
    assert_string_equal(again.user[1].session[0].who.field, "k7q2:bo=2A");
    assert_false(again.user[1].is_known);
    assert_null(again.user[1].session[0].ways);
    assert_int_equal(apw_memory_write_heartbeat(unit_folder_path, &beat, &error), 0);
    assert_int_equal(apw_memory_read_heartbeat(unit_folder_path), 1795300000);
    unit_write(unit_path("sessions", path), "[{}]", 4);
    apw_table_free(&again);
    assert_int_equal(apw_memory_load(unit_folder_path, 2000, &again, &error), -1);
    assert_contains(error.text, "is damaged");
    apw_table_free(&table);
    apw_table_free(&again);
}

int main(void)
{
    UNIT_ROWS(who_cases, test_who);
    UNIT_ROWS(bad_cases, test_bad);
    UNIT_TEST("the table keeps what is known of sessions that stay", test_table_keeps);
    UNIT_TEST("the table remembers users who come back soon", test_table_remembers);
    UNIT_TEST("sessions after a kick are younger than what ended", test_table_after_kick);
    UNIT_TEST("a change makes two looks due, once", test_changes_are_noted);
    UNIT_TEST("a list of ways", test_ways);
    UNIT_TEST("since when to search for changes", test_since);
    UNIT_TEST("a wave is more than the limit within any minute", test_wave);
    UNIT_TEST("a wave waits for the administrator, however long", test_wave_waits);
    UNIT_ROWS(plan_cases, test_plan);
    UNIT_TEST("what is saved is loaded", test_memory);
    return unit_run();
}
