/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of appPassword and appPasswordUsed: which are readable, which are unusable. */
#include "record.h"
#include "unit.h"
#include "use.h"

#define BYTES(text) text, sizeof text - 1
#define ID          "id=k7q2"
#define CREATED     " created=20261122101500Z"
#define HASH        " hash={ARGON2}" UNIT_PHC
#define LABEL       " label=Outlook on the laptop"
#define LONG_NAME   "abcdefghijklmnopqrstuvwxyz012345"

static const struct good_case {
    const char *name;
    const char *value;
    const char *services;
    size_t networks;
    const char *label;
    int64_t expires; /* 0: has none */
} good_values[] = {
    {"the shortest value", ID CREATED HASH " label=x", "", 0, "x", 0},
    {"a value with every key",
     ID CREATED
     " expires=20270522000000Z services=smtp,imap from=192.0.2.0/24,2001:db8::/32" HASH LABEL,
     "smtp,imap", 2, "Outlook on the laptop", 1810944000},
    {"a value that expires", ID CREATED " expires=20270522000000Z" HASH LABEL, "", 0,
     "Outlook on the laptop", 1810944000},
    {"a value for services", ID CREATED " services=x-web" HASH LABEL, "x-web", 0,
     "Outlook on the laptop", 0},
    {"a value for a network", ID CREATED " from=::1" HASH LABEL, "", 1, "Outlook on the laptop", 0},
    {"a label that looks like keys", ID CREATED HASH " label=hash={ARGON2}x label=y expires=1", "",
     0, "hash={ARGON2}x label=y expires=1", 0},
    {"a label with two spaces", ID CREATED HASH " label=a  b", "", 0, "a  b", 0},
    {"a label with quotes", ID CREATED HASH " label=\"a\" \\ 'b'", "", 0, "\"a\" \\ 'b'", 0},
    {"a label past ASCII", ID CREATED HASH " label=T\xc3\xa9l\xc3\xa9phone", "", 0,
     "T\xc3\xa9l\xc3\xa9phone", 0},
};

static void test_good(void **state)
{
    const struct good_case *row = *state;
    size_t length = strlen(row->value);
    char *value = unit_copy(row->value, length);
    char again[APW_RECORD_SIZE], id[APW_ID_LENGTH + 1];
    struct apw_error error = {""};
    struct apw_record record;

    assert_int_equal(apw_record_parse(value, length, &record, &error), 0);
    assert_string_equal(error.text, "");
    assert_string_equal(record.id, "k7q2");
    assert_true(record.created == 1795342500);
    assert_int_equal(record.has_expires, row->expires != 0);
    assert_true(record.expires == row->expires);
    assert_string_equal(record.services, row->services);
    assert_int_equal(record.from.count, row->networks);
    assert_string_equal(record.hash, UNIT_PHC);
    assert_string_equal(record.label, row->label);
    assert_int_equal(apw_record_format(&record, again, &error), 0);
    assert_string_equal(again, row->value);
    assert_int_equal(apw_record_parse_id(value, length, id), 0);
    assert_string_equal(id, "k7q2");
    free(value);
}

static const struct unusable_case {
    const char *name;
    const char *value;
    size_t length;
    const char *error;
} unusable_values[] = {
    {"nothing", BYTES(""), "begin with id="},
    {"a space", BYTES(" "), "begin with id="},
    {"a space in front", BYTES(" " ID CREATED HASH LABEL), "begin with id="},
    {"a missing id", BYTES("created=20261122101500Z" HASH LABEL), "begin with id="},
    {"an empty id", BYTES("id=" CREATED HASH LABEL), "begin with id="},
    {"an id of three symbols", BYTES("id=k7q" CREATED HASH LABEL), "begin with id="},
    {"an id of five symbols", BYTES("id=k7q29" CREATED HASH LABEL), "begin with id="},
    {"an id in upper case", BYTES("id=K7Q2" CREATED HASH LABEL), "begin with id="},
    {"an id with o for 0", BYTES("id=o7q2" CREATED HASH LABEL), "begin with id="},
    {"a key in upper case", BYTES("ID=k7q2" CREATED HASH LABEL), "begin with id="},
    {"an id alone", BYTES(ID), "created="},

    {"a missing created", BYTES(ID HASH LABEL), "created="},
    {"an empty created", BYTES(ID " created=" HASH LABEL), "created="},
    {"created without a zone", BYTES(ID " created=20261122101500" HASH LABEL), "created="},
    {"created with a zone that is not Z", BYTES(ID " created=20261122101500+0000" HASH LABEL),
     "created="},
    {"created on 30 February", BYTES(ID " created=20260230101500Z" HASH LABEL), "created="},
    {"created without seconds", BYTES(ID " created=202611221015Z" HASH LABEL), "created="},
    {"a repeated id", BYTES(ID " " ID CREATED HASH LABEL), "created="},
    {"two spaces after the id", BYTES(ID " " CREATED HASH LABEL), "created="},
    {"a tab for a space", BYTES("id=k7q2\tcreated=20261122101500Z" HASH LABEL), "begin with id="},

    {"a repeated created", BYTES(ID CREATED CREATED HASH LABEL), "unknown, repeated or misplaced"},
    {"two spaces after created", BYTES(ID CREATED " " HASH LABEL),
     "unknown, repeated or misplaced"},
    {"an unknown key", BYTES(ID CREATED " colour=red" HASH LABEL),
     "unknown, repeated or misplaced"},
    {"a word that is no key", BYTES(ID CREATED " red" HASH LABEL),
     "unknown, repeated or misplaced"},
    {"an unknown key after the hash", BYTES(ID CREATED HASH " colour=red" LABEL),
     "unknown, repeated or misplaced"},

    {"an empty expires", BYTES(ID CREATED " expires=" HASH LABEL), "expires="},
    {"expires as a word", BYTES(ID CREATED " expires=never" HASH LABEL), "expires="},
    {"expires as a date", BYTES(ID CREATED " expires=20270522" HASH LABEL), "expires="},
    {"expires in month 13", BYTES(ID CREATED " expires=20271322000000Z" HASH LABEL), "expires="},
    {"a repeated expires",
     BYTES(ID CREATED " expires=20270522000000Z expires=20280522000000Z" HASH LABEL),
     "unknown, repeated or misplaced"},
    {"expires after services",
     BYTES(ID CREATED " services=smtp expires=20270522000000Z" HASH LABEL),
     "unknown, repeated or misplaced"},
    {"expires after the hash", BYTES(ID CREATED HASH " expires=20270522000000Z" LABEL),
     "unknown, repeated or misplaced"},
    {"expires before created", BYTES(ID " expires=20270522000000Z" CREATED HASH LABEL), "created="},

    {"empty services", BYTES(ID CREATED " services=" HASH LABEL), "services="},
    {"services in upper case", BYTES(ID CREATED " services=SMTP" HASH LABEL), "services="},
    {"services with two commas", BYTES(ID CREATED " services=smtp,,imap" HASH LABEL), "services="},
    {"services with a comma at the end", BYTES(ID CREATED " services=smtp," HASH LABEL),
     "services="},
    {"an asterisk for services", BYTES(ID CREATED " services=*" HASH LABEL), "services="},
    {"a service of 33 characters", BYTES(ID CREATED " services=" LONG_NAME "6" HASH LABEL),
     "services="},
    {"services of more than 255 bytes",
     BYTES(ID CREATED " services=" LONG_NAME "," LONG_NAME "," LONG_NAME "," LONG_NAME "," LONG_NAME
                      "," LONG_NAME "," LONG_NAME "," LONG_NAME HASH LABEL),
     "services="},
    {"a NUL in services", BYTES(ID CREATED " services=smtp\0imap" HASH LABEL), "services="},
    {"services after from", BYTES(ID CREATED " from=::1 services=smtp" HASH LABEL),
     "unknown, repeated or misplaced"},
    {"repeated services", BYTES(ID CREATED " services=smtp services=imap" HASH LABEL),
     "unknown, repeated or misplaced"},

    {"an empty from", BYTES(ID CREATED " from=" HASH LABEL), "from="},
    {"a prefix over 32", BYTES(ID CREATED " from=192.0.2.0/33" HASH LABEL), "from="},
    {"a bit after the prefix", BYTES(ID CREATED " from=192.0.2.1/24" HASH LABEL), "from="},
    {"a host name in from", BYTES(ID CREATED " from=localhost" HASH LABEL), "from="},
    {"a bad network after a good one", BYTES(ID CREATED " from=::1,bad" HASH LABEL), "from="},
    {"a NUL in from", BYTES(ID CREATED " from=::1\0,::2" HASH LABEL), "from="},
    {"a repeated from", BYTES(ID CREATED " from=::1 from=::2" HASH LABEL),
     "unknown, repeated or misplaced"},

    {"a missing hash", BYTES(ID CREATED LABEL), "hash= is missing"},
    {"an empty hash", BYTES(ID CREATED " hash=" LABEL), "{ARGON2}"},
    {"a scheme without a hash", BYTES(ID CREATED " hash={ARGON2}" LABEL), "{ARGON2}"},
    {"a hash without its scheme", BYTES(ID CREATED " hash=" UNIT_PHC LABEL), "{ARGON2}"},
    {"a hash of another scheme", BYTES(ID CREATED " hash={SSHA}c2FsdA==" LABEL), "{ARGON2}"},
    {"a scheme in lower case", BYTES(ID CREATED " hash={argon2}" UNIT_PHC LABEL), "{ARGON2}"},
    {"a hash of 129 bytes",
     BYTES(ID CREATED " hash={ARGON2}"
                      "0123456789012345678901234567890123456789012345678901234567890123"
                      "01234567890123456789012345678901234567890123456789012345678901234" LABEL),
     "hash= is too long"},
    {"a NUL in the hash", BYTES(ID CREATED " hash={ARGON2}$argon2id$\0" LABEL),
     "hash= is too long"},
    {"a repeated hash", BYTES(ID CREATED HASH HASH LABEL), "label= is missing"},
    {"two spaces after the hash", BYTES(ID CREATED HASH " " LABEL), "label= is missing"},

    {"a missing label", BYTES(ID CREATED HASH), "label= is missing"},
    {"a space for a label", BYTES(ID CREATED HASH " "), "label= is missing"},
    {"a key without its equals sign", BYTES(ID CREATED HASH " label"), "label= is missing"},
    {"an empty label", BYTES(ID CREATED HASH " label="), "1 to 64 characters"},
    {"a blank label", BYTES(ID CREATED HASH " label= "), "begins or ends with a space"},
    {"a space in front of the label", BYTES(ID CREATED HASH " label= x"),
     "begins or ends with a space"},
    {"a space after the label", BYTES(ID CREATED HASH LABEL " "), "begins or ends with a space"},
    {"a line end after the label", BYTES(ID CREATED HASH LABEL "\n"), "control characters"},
    {"a tab in the label", BYTES(ID CREATED HASH " label=a\tb"), "control characters"},
    {"a NUL in the label", BYTES(ID CREATED HASH " label=a\0b"), "control characters"},
    {"a NUL after the label", BYTES(ID CREATED HASH " label=a\0"), "control characters"},
    {"DEL in the label", BYTES(ID CREATED HASH " label=a\x7f"), "control characters"},
    {"C1 in the label", BYTES(ID CREATED HASH " label=a\xc2\x9b"), "control characters"},
    {"a label that is not UTF-8", BYTES(ID CREATED HASH " label=Andr\xe9"), "not UTF-8"},
};

static void test_unusable(void **state)
{
    const struct unusable_case *row = *state;
    char *value = unit_copy(row->value, row->length);
    struct apw_error error = {""};
    struct apw_record record;

    assert_int_equal(apw_record_parse(value, row->length, &record, &error), -1);
    assert_contains(error.text, row->error);
    assert_null(strstr(error.text, "argon2id"));
    free(value);
}

/* Every shorter beginning of a value is unusable, until the label has its first letter. */
static void test_cut_short(void **state)
{
    static const char whole[] =
        ID CREATED " expires=20270522000000Z services=smtp from=::1" HASH " label=x";
    struct apw_record record;

    (void)state;
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        char *value = unit_copy(whole, length);

        assert_int_equal(apw_record_parse(value, length, &record, NULL), -1);
        free(value);
    }
    assert_int_equal(apw_record_parse(whole, sizeof whole - 1, &record, NULL), 0);
}

static int parse_label(const char *label)
{
    struct apw_record record;
    char value[APW_RECORD_SIZE];
    int length = snprintf(value, sizeof value, ID CREATED HASH " label=%s", label);

    return apw_record_parse(value, (size_t)length, &record, NULL);
}

static void test_label_length(void **state)
{
    char *narrow = unit_repeat("a", 65), *wide = unit_repeat("\xf0\x9f\x98\x80", 65);

    (void)state;
    assert_int_equal(parse_label(narrow), -1);
    assert_int_equal(parse_label(narrow + 1), 0);
    assert_int_equal(parse_label(wide), -1);
    assert_int_equal(parse_label(wide + 4), 0);
    free(narrow);
    free(wide);
}

static void test_too_many_networks(void **state)
{
    char *list = unit_repeat("::1,", APW_NETWORKS_MAX + 1), value[APW_RECORD_SIZE];
    struct apw_record record;

    (void)state;
    list[strlen(list) - 1] = '\0';
    snprintf(value, sizeof value, ID CREATED " from=%s" HASH LABEL, list + 4);
    assert_int_equal(apw_record_parse(value, strlen(value), &record, NULL), 0);
    snprintf(value, sizeof value, ID CREATED " from=%s" HASH LABEL, list);
    assert_int_equal(apw_record_parse(value, strlen(value), &record, NULL), -1);
    free(list);
}

static void test_enormous(void **state)
{
    size_t length = 1024 * 1024;
    char *value = unit_repeat("x", length);
    static const char *const starts[] = {ID CREATED " services=", ID CREATED " from=",
                                         ID CREATED " hash={ARGON2}", ID CREATED HASH " label="};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(starts); i++) {
        struct apw_record record;

        memcpy(value, starts[i], strlen(starts[i]));
        assert_int_equal(apw_record_parse(value, length, &record, NULL), -1);
    }
    free(value);
}

static struct apw_record make_record(void)
{
    struct apw_record record = {
        .id = "k7q2", .created = 1795342500, .hash = UNIT_PHC, .label = "Outlook on the laptop"};

    return record;
}

static void test_format_checks(void **state)
{
    struct apw_error error = {""};
    char value[APW_RECORD_SIZE];
    struct apw_record record;

    (void)state;
    record = make_record();
    strcpy(record.id, "K7Q2");
    assert_int_equal(apw_record_format(&record, value, &error), -1);
    assert_contains(error.text, "id=");
    record = make_record();
    record.created = INT64_MAX;
    assert_int_equal(apw_record_format(&record, value, &error), -1);
    assert_contains(error.text, "years");
    record = make_record();
    record.has_expires = true;
    record.expires = INT64_MIN;
    assert_int_equal(apw_record_format(&record, value, &error), -1);
    assert_contains(error.text, "years");
    record = make_record();
    strcpy(record.label, "two\nlines");
    assert_int_equal(apw_record_format(&record, value, &error), -1);
    assert_contains(error.text, "control characters");
    record = make_record();
    strcpy(record.services, "smtp hash={ARGON2}x");
    assert_int_equal(apw_record_format(&record, value, &error), -1);
    record = make_record();
    memset(record.from_text, '1', sizeof record.from_text - 1);
    assert_int_equal(apw_record_format(&record, value, &error), -1);
    assert_contains(error.text, "longer than");
}

/* The longest limits and the longest value are whole; a byte more is an error. */
static void test_format_length(void **state)
{
    struct apw_record record = make_record();
    struct apw_error error = {""};
    char value[APW_RECORD_SIZE];
    size_t others;

    (void)state;
    memset(record.from_text, '1', APW_RECORD_SIZE - 1 - strlen(" from="));
    assert_int_equal(apw_record_format_limits(&record, value, &error), 0);
    assert_int_equal(strlen(value), APW_RECORD_SIZE - 1);
    strcat(record.from_text, "1");
    assert_int_equal(apw_record_format_limits(&record, value, &error), -1);
    assert_string_equal(error.text, "the value is longer than 4095 bytes");

    record = make_record();
    strcpy(record.services, "x");
    assert_int_equal(apw_record_format(&record, value, &error), 0);
    assert_contains(value, " services=x hash=");
    others = strlen(value) + strlen(" from=");
    memset(record.from_text, '1', APW_RECORD_SIZE - 1 - others);
    assert_int_equal(apw_record_format(&record, value, &error), -1);
    assert_contains(error.text, "from= is not a list");
    strcat(record.from_text, "1");
    assert_int_equal(apw_record_format(&record, value, &error), -1);
    assert_string_equal(error.text, "the value is longer than 4095 bytes");
}

static const struct id_case {
    const char *name;
    const char *value;
    const char *id; /* NULL: has none */
} ids[] = {
    {"the id of a value with an unknown key", ID " colour=red", "k7q2"},
    {"the id of a value with a bad time", ID " created=yesterday", "k7q2"},
    {"the id of a value that ends in a space", ID " ", "k7q2"},
    {"the id of a value with two spaces", ID "  created", "k7q2"},
    {"no id without a space after it", ID, NULL},
    {"no id in the middle of a value", "created=20261122101500Z " ID " x", NULL},
    {"no id after a space", " " ID " x", NULL},
    {"no id of five symbols", "id=k7q29 x", NULL},
    {"no id in upper case", "id=K7Q2 x", NULL},
    {"no id without its key", "k7q2 x", NULL},
    {"no id in an empty value", "", NULL},
    {"no id in three bytes", "id=", NULL},
    {"no id with a tab after it", ID "\tx", NULL},
};

static void test_id(void **state)
{
    const struct id_case *row = *state;
    size_t length = strlen(row->value);
    char *value = unit_copy(row->value, length), id[APW_ID_LENGTH + 1] = "";

    assert_int_equal(apw_record_parse_id(value, length, id), row->id != NULL ? 0 : -1);
    if (row->id != NULL)
        assert_string_equal(id, row->id);
    free(value);
}

static const struct use_case {
    const char *name;
    const char *value;
    const char *service; /* NULL: unusable */
    const char *from;
} uses[] = {
    {"a use with every key", ID " at=20261122101500Z service=imap from=192.0.2.17", "imap",
     "192.0.2.17"},
    {"a use without an address", ID " at=20261122101500Z service=imap", "imap", ""},
    {"a use without a service", ID " at=20261122101500Z from=2001:db8::1", "", "2001:db8::1"},
    {"a use with a time alone", ID " at=20261122101500Z", "", ""},
    {"a use without a time is unusable", ID " service=imap", NULL, NULL},
    {"a use with a bad time is unusable", ID " at=20261322101500Z", NULL, NULL},
    {"a use without an id is unusable", "at=20261122101500Z", NULL, NULL},
    {"a use with a bad id is unusable", "id=k7u2 at=20261122101500Z", NULL, NULL},
    {"a use with an unknown key is unusable", ID " at=20261122101500Z colour=red", NULL, NULL},
    {"a use with keys misplaced is unusable", ID " at=20261122101500Z from=::1 service=imap", NULL,
     NULL},
    {"a use with a bad address is unusable", ID " at=20261122101500Z from=here", NULL, NULL},
    {"a use with a network is unusable", ID " at=20261122101500Z from=192.0.2.0/24", NULL, NULL},
    {"a use with a long service is unusable", ID " at=20261122101500Z service=" LONG_NAME "6", NULL,
     NULL},
    {"a use with two services that together are too long is unusable",
     ID " at=20261122101500Z service=" LONG_NAME ",smtp", NULL, NULL},
    {"an empty use is unusable", "", NULL, NULL},
};

static void test_use(void **state)
{
    const struct use_case *row = *state;
    size_t length = strlen(row->value);
    char *value = unit_copy(row->value, length);
    struct apw_use use;

    assert_int_equal(apw_use_parse(value, length, &use), row->service != NULL ? 0 : -1);
    if (row->service != NULL) {
        assert_string_equal(use.id, "k7q2");
        assert_true(use.at == 1795342500);
        assert_string_equal(use.service, row->service);
        assert_string_equal(use.from, row->from);
    }
    free(value);
}

/* A written value reads back the same. */
static void test_write_use(void **state)
{
    struct apw_use use = {.id = "k7q2", .at = 1795342500, .service = "imap", .from = "192.0.2.17"};
    char value[APW_USE_SIZE];

    (void)state;
    assert_int_equal(apw_use_format(&use, value), 0);
    assert_string_equal(value, "id=k7q2 at=20261122101500Z service=imap from=192.0.2.17");
    use.service[0] = '\0';
    use.from[0] = '\0';
    assert_int_equal(apw_use_format(&use, value), 0);
    assert_string_equal(value, "id=k7q2 at=20261122101500Z");
    strcpy(use.from, "nowhere");
    assert_int_equal(apw_use_format(&use, value), -1);
    use.from[0] = '\0';
    strcpy(use.id, "loop");
    assert_int_equal(apw_use_format(&use, value), -1);
    strcpy(use.id, "k7q2");
    use.at = INT64_MIN;
    assert_int_equal(apw_use_format(&use, value), -1);
}

static const struct due_case {
    const char *name;
    int64_t recorded;
    bool is_due;
} due_cases[] = {
    {"a use of a moment ago is recorded well enough", 999, false},
    {"one just short of the period is", 901, false},
    {"one as old as the period is not", 900, true},
    {"one long ago is not", 0, true},
    {"one from the future is never written over", 1001, false},
};

static void test_due(void **state)
{
    const struct due_case *row = *state;
    const struct apw_use recorded = {.id = "k7q2", .at = row->recorded};

    assert_int_equal(apw_use_is_due(&recorded, 1000, 100), row->is_due);
}

int main(void)
{
    UNIT_ROWS(good_values, test_good);
    UNIT_ROWS(unusable_values, test_unusable);
    UNIT_TEST("every shorter beginning of a value is unusable", test_cut_short);
    UNIT_TEST("a label has 64 characters at most, of up to four bytes", test_label_length);
    UNIT_TEST("64 networks are usable, 65 are not", test_too_many_networks);
    UNIT_TEST("a megabyte in any key is unusable", test_enormous);
    UNIT_TEST("what would not be read back is not written", test_format_checks);
    UNIT_TEST("a value has 4095 bytes at most", test_format_length);
    UNIT_ROWS(ids, test_id);
    UNIT_ROWS(uses, test_use);
    UNIT_TEST("a use is written as it would be read", test_write_use);
    UNIT_ROWS(due_cases, test_due);
    return unit_run();
}
