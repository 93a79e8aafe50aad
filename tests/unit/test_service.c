/* SPDX-License-Identifier: BSD-2-Clause */
/* Service names: aliases, lists. */
#include "service.h"
#include "unit.h"

static const struct name_case {
    const char *name;
    const char *typed;
    const char *canonical; /* NULL: not a service name */
} names[] = {
    {"smtp is smtp", "smtp", "smtp"},
    {"smtps is smtp", "smtps", "smtp"},
    {"submission is smtp", "submission", "smtp"},
    {"submissions is smtp", "submissions", "smtp"},
    {"imap is imap", "imap", "imap"},
    {"imaps is imap", "imaps", "imap"},
    {"pop3 is pop3", "pop3", "pop3"},
    {"pop3s is pop3", "pop3s", "pop3"},
    {"pop is pop3", "pop", "pop3"},
    {"sieve is sieve", "sieve", "sieve"},
    {"managesieve is sieve", "managesieve", "sieve"},
    {"upper case is folded", "SMTP", "smtp"},
    {"upper case is folded before aliases are looked up", "SubMissions", "smtp"},
    {"a name of its own stays", "x-web-1", "x-web-1"},
    {"what begins like an alias is none", "smtpsx", "smtpsx"},
    {"32 characters are a name", "abcdefghijklmnopqrstuvwxyz012345",
     "abcdefghijklmnopqrstuvwxyz012345"},
    {"33 characters are none", "abcdefghijklmnopqrstuvwxyz0123456", NULL},
    {"the empty name is none", "", NULL},
    {"a space is in no name", "smtp ", NULL},
    {"a comma is in no name", "smtp,imap", NULL},
    {"a slash is in no name", "smtp/auth", NULL},
    {"an underscore is in no name", "a_b", NULL},
    {"bytes past ASCII are in no name", "\xc4\xb1map", NULL},
    {"a quote is in no name", "smtp\"", NULL},
};

static void test_name(void **state)
{
    const struct name_case *row = *state;
    size_t length = strlen(row->typed);
    char *typed = unit_copy(row->typed, length);
    char canonical[APW_SERVICE_SIZE] = "left over";

    assert_int_equal(apw_service_canonicalize(typed, length, canonical),
                     row->canonical != NULL ? 0 : -1);
    assert_string_equal(canonical, row->canonical != NULL ? row->canonical : "");
    free(typed);
}

static void test_nul_in_name(void **state)
{
    char canonical[APW_SERVICE_SIZE];

    (void)state;
    assert_int_equal(apw_service_canonicalize("smtp\0x", 6, canonical), -1);
    assert_string_equal(canonical, "");
}

static const struct member_case {
    const char *name;
    const char *list;
    const char *service;
    bool is_member;
} members[] = {
    {"a list of one has it", "smtp", "smtp", true},
    {"the first of a list", "smtp,imap,sieve", "smtp", true},
    {"one in the middle of a list", "smtp,imap,sieve", "imap", true},
    {"the last of a list", "smtp,imap,sieve", "sieve", true},
    {"a list without it", "smtp,imap", "pop3", false},
    {"an alias in the list counts", "imap,submission", "smtp", true},
    {"the beginning of a name is not the name", "smtpd", "smtp", false},
    {"the end of a name is not the name", "xsmtp", "smtp", false},
    {"a name is not the beginning of another", "smt", "smtp", false},
    {"the unknown service is in no list", "smtp,imap", "", false},
    {"the unknown service is not in an empty list", "", "", false},
    {"the unknown service is not between two commas", "smtp,,imap", "", false},
};

static void test_member(void **state)
{
    const struct member_case *row = *state;

    assert_int_equal(apw_service_list_has(row->list, row->service), row->is_member);
}

static const struct list_case {
    const char *name;
    const char *list;
    bool is_valid;
} lists[] = {
    {"one name is a list", "smtp", true},
    {"names with commas are a list", "smtp,imap,x-web", true},
    {"an alias may stand in a list", "submission", true},
    {"a list of one name with 32 characters", "abcdefghijklmnopqrstuvwxyz012345", true},
    {"a list of one name with 33 characters is invalid", "abcdefghijklmnopqrstuvwxyz0123456",
     false},
    {"an empty list is invalid", "", false},
    {"a comma is no list", ",", false},
    {"a comma in front is no list", ",smtp", false},
    {"a comma at the end is no list", "smtp,", false},
    {"two commas are no list", "smtp,,imap", false},
    {"upper case is not how a list is stored", "SMTP", false},
    {"a space is in no list", "smtp, imap", false},
    {"an asterisk is no list", "*", false},
};

static void test_list(void **state)
{
    const struct list_case *row = *state;
    size_t length = strlen(row->list);
    char *list = unit_copy(row->list, length);

    assert_int_equal(apw_service_list_is_valid(list, length), row->is_valid);
    free(list);
}

int main(void)
{
    UNIT_ROWS(names, test_name);
    UNIT_TEST("a NUL is in no name", test_nul_in_name);
    UNIT_ROWS(members, test_member);
    UNIT_ROWS(lists, test_list);
    return unit_run();
}
