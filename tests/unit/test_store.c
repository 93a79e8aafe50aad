/* SPDX-License-Identifier: BSD-2-Clause */
/* The store: ids as text, names and filters, and what the answers to a search there mean. */
#include "store.h"
#include "unit.h"

#define DN       "uid=alice,ou=people,dc=example,dc=org"
#define BASE     "ou=entries,o=app-passwords"
#define ID       "0f3e5a52-61aa-103f-8c4b-7d2f9a1b2c3d"
#define DEADLINE 123456789 /* handed through */
#define LONGEST                                                                                    \
    "0123456789abcdef0123456789abcdef"                                                             \
    "0123456789abcdef0123456789abcdef"
#define BYTES(text)                                                                                \
    {                                                                                              \
        (char *)(text), sizeof(text) - 1                                                           \
    }

static struct apw_config config_of(const char *id_attribute)
{
    return (struct apw_config){
        .store = {.base = (char *)BASE, .id_attribute = apw_directory_id_attribute(id_attribute)}};
}

/* ---- ids ---- */

#define VALUES_MAX 2

static const struct id_case {
    const char *name;
    const char *attribute;
    size_t count;
    struct apw_value value[VALUES_MAX];
    const char *id; /* NULL: none */
    const char *error;
    bool has_options; /* as in entryUUID;x-old */
    const char *other_name;
} id_cases[] = {
    {"a UUID is an id", "entryUUID", 1, {BYTES(ID)}, .id = ID},
    {"an id is in lower case", "entryUUID", 1, {BYTES("0F3E-AZ")}, .id = "0f3e-az"},
    {"the unique id of 389 is an id", "nsUniqueId", 1, {BYTES("d0e1-f2")}, .id = "d0e1-f2"},
    {"that of FreeIPA is an id", "ipaUniqueID", 1, {BYTES("d0e1-f2")}, .id = "d0e1-f2"},
    {"an attribute is found in another case",
     "entryUUID",
     1,
     {BYTES("a")},
     .id = "a",
     .other_name = "ENTRYUUID"},
    {"a GUID is in hex, as stored",
     "objectGUID",
     1,
     {BYTES("\x01\x00\xff\x2a(*)\\\n\x7f\x80 abcd")},
     .id = "0100ff2a282a295c0a7f802061626364"},
    {"a GUID of zeros is an id", "objectGUID", 1, {{(char *)"\0\0\0\0", 4}}, .id = "00000000"},
    {"the longest id", "entryUUID", 1, {BYTES(LONGEST)}, .id = LONGEST},
    {"an id that is too long", "entryUUID", 1, {BYTES(LONGEST "0")}, .error = "is not an id"},
    {"the longest binary id",
     "objectGUID",
     1,
     {BYTES("0123456789abcdef0123456789abcdef")},
     .id = "3031323334353637383961626364656630313233343536373839616263646566"},
    {"a binary id that is too long",
     "objectGUID",
     1,
     {BYTES("0123456789abcdef0123456789abcdef0")},
     .error = "is not an id"},
    {"an empty id", "entryUUID", 1, {BYTES("")}, .error = "is not an id"},
    {"an empty binary id", "objectGUID", 1, {BYTES("")}, .error = "is not an id"},
    {"no attribute",
     "entryUUID",
     0,
     {BYTES("a")},
     .other_name = "uid",
     .error = "id_attribute entryUUID has no value in " DN ", or this identity may not read it"},
    {"no value", "entryUUID", 0, {BYTES("")}, .error = "has no value in " DN},
    {"a value with options",
     "entryUUID",
     1,
     {BYTES("a")},
     .has_options = true,
     .error = "has no value"},
    {"two values",
     "entryUUID",
     2,
     {BYTES("a"), BYTES("b")},
     .error = "id_attribute entryUUID has 2 values in " DN},
    {"the same value twice", "entryUUID", 2, {BYTES("a"), BYTES("a")}, .error = "has 2 values"},
    {"a wildcard", "entryUUID", 1, {BYTES("*")}, .error = "is not an id"},
    {"a filter", "entryUUID", 1, {BYTES("a)(uid=bob")}, .error = "is not an id"},
    {"an escape", "entryUUID", 1, {BYTES("\\2a")}, .error = "is not an id"},
    {"a DN", "entryUUID", 1, {BYTES("a,ou=other")}, .error = "is not an id"},
    {"a further name", "entryUUID", 1, {BYTES("a+uid=bob")}, .error = "is not an id"},
    {"a quotation mark", "entryUUID", 1, {BYTES("a\"")}, .error = "is not an id"},
    {"a space", "entryUUID", 1, {BYTES("a b")}, .error = "is not an id"},
    {"a space at the end", "entryUUID", 1, {BYTES("a ")}, .error = "is not an id"},
    {"a line", "entryUUID", 1, {BYTES("a\n")}, .error = "is not an id"},
    {"a NUL", "entryUUID", 1, {BYTES("a\0b")}, .error = "is not an id"},
    {"a NUL at the end", "entryUUID", 1, {BYTES("a\0")}, .error = "is not an id"},
    {"a letter that is not ASCII", "entryUUID", 1, {BYTES("\xc3\xa5")}, .error = "is not an id"},
    {"binary bytes in a text", "entryUUID", 1, {BYTES("\x01\xff")}, .error = "is not an id"},
};

static void test_id(void **state)
{
    const struct id_case *row = *state;
    const struct apw_config config = config_of(row->attribute);
    struct apw_value value[VALUES_MAX] = {{NULL, 0}};
    struct apw_attribute attribute = {
        .name = (char *)(row->other_name != NULL ? row->other_name : row->attribute),
        .has_options = row->has_options,
        .count = row->count,
        .value = value};
    const struct apw_entry entry = {
        .dn = (char *)DN, .attribute_count = 1, .attribute = &attribute};
    struct apw_error error = {""};
    char id[APW_STORE_ID_SIZE] = "before";

    for (size_t i = 0; i < row->count; i++)
        value[i] = (struct apw_value){unit_copy(row->value[i].bytes, row->value[i].length),
                                      row->value[i].length};
    assert_int_equal(apw_store_read_id(&config, &entry, id, &error), row->id != NULL ? 0 : -1);
    assert_string_equal(id, row->id != NULL ? row->id : "");
    if (row->error != NULL)
        assert_contains(error.text, row->error);
    assert_true((row->id != NULL) == (error.text[0] == '\0'));
    if (row->id != NULL)
        assert_true(apw_store_is_id(&config, row->id));
    for (size_t i = 0; i < VALUES_MAX; i++)
        free(value[i].bytes);
}

/* ---- what is no id of this directory ---- */

static const struct text_case {
    const char *name; /* the text */
    bool is_text_id, is_binary_id;
} text_cases[] = {
    {"0f3e", true, true},         {ID, true, false},           {LONGEST, true, true},
    {"0f3", true, false},         {"xyz", true, false},        {"", false, false},
    {LONGEST "00", false, false}, {LONGEST "0", false, false}, {"0F3E", false, false},
    {"*", false, false},          {"a)(uid=b", false, false},  {"a,b", false, false},
    {"\\2a", false, false},       {"ab ", false, false},
};

static void test_text(void **state)
{
    const struct text_case *row = *state;
    const struct apw_config text = config_of("entryUUID"), binary = config_of("objectGUID");

    assert_int_equal(apw_store_is_id(&text, row->name), row->is_text_id);
    assert_int_equal(apw_store_is_id(&binary, row->name), row->is_binary_id);
}

static void assert_owner(const char *attribute, const char *stored, size_t count, const char *id)
{
    const struct apw_config config = config_of(attribute);
    struct apw_value value[] = {{(char *)stored, strlen(stored)}, {(char *)stored, strlen(stored)}};
    struct apw_attribute owner = {
        .name = (char *)"appPasswordOwner", .count = count, .value = value};
    const struct apw_entry entry = {.attribute_count = 1, .attribute = &owner};
    char read[APW_STORE_ID_SIZE] = "before";

    assert_int_equal(apw_store_read_owner(&config, &entry, read), id != NULL ? 0 : -1);
    if (id != NULL)
        assert_string_equal(read, id);
}

/* A login finds an entry in either case, and so does a list of them. */
static void test_owner(void **state)
{
    const struct apw_entry bare = {.attribute_count = 0};
    const struct apw_config config = config_of("entryUUID");
    char id[APW_STORE_ID_SIZE] = "before";

    (void)state;
    assert_owner("entryUUID", ID, 1, ID);
    assert_owner("entryUUID", "0F3E-AZ", 1, "0f3e-az");
    assert_owner("objectGUID", "0F3E", 1, "0f3e");
    assert_owner("objectGUID", "0f3e-az", 1, NULL);
    assert_owner("objectGUID", "0f3", 1, NULL);
    assert_owner("entryUUID", "*", 1, NULL);
    assert_owner("entryUUID", "a)(uid=b", 1, NULL);
    assert_owner("entryUUID", ID, 2, NULL);
    assert_owner("entryUUID", ID, 0, NULL);
    assert_int_equal(apw_store_read_owner(&config, &bare, id), -1);
    assert_string_equal(id, "");
}

/* ---- names and filters ---- */

static void test_names(void **state)
{
    const struct apw_config config = config_of("entryUUID");
    char filter[APW_STORE_FILTER_SIZE];
    char *dn = apw_store_dn(&config, ID);

    (void)state;
    assert_string_equal(dn, "appPasswordOwner=" ID "," BASE);
    free(dn);
    apw_store_filter(ID, filter);
    assert_string_equal(filter, "(appPasswordOwner=" ID ")");
    apw_store_filter(LONGEST, filter);
    assert_string_equal(filter, "(appPasswordOwner=" LONGEST ")");
}

static void assert_user_filter(const char *attribute, const char *id, const char *expected)
{
    const struct apw_config config = config_of(attribute);
    char *filter = apw_store_user_filter(&config, id);

    assert_string_equal(filter, expected);
    free(filter);
}

static void test_user_filter(void **state)
{
    (void)state;
    assert_user_filter("entryUUID", ID, "(entryUUID=" ID ")");
    assert_user_filter("nsUniqueId", "a-b", "(nsUniqueId=a-b)");
    assert_user_filter("objectGUID", "0100ff2a", "(objectGUID=\\01\\00\\ff\\2a)");
    assert_user_filter(
        "objectGUID", LONGEST,
        "(objectGUID=\\01\\23\\45\\67\\89\\ab\\cd\\ef\\01\\23\\45\\67\\89\\ab\\cd\\ef"
        "\\01\\23\\45\\67\\89\\ab\\cd\\ef\\01\\23\\45\\67\\89\\ab\\cd\\ef)");
}

/* What somebody wrote into the store must not overflow anything. */
static void test_user_filter_of_no_id(void **state)
{
    const struct apw_config text = config_of("entryUUID"), binary = config_of("objectGUID");
    char endless[4 * APW_STORE_ID_SIZE];

    (void)state;
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(apw_store_user_filter(&binary, endless));
    assert_null(apw_store_user_filter(&text, endless));
    assert_null(apw_store_user_filter(&text, "*)(uid=*"));
    assert_null(apw_store_user_filter(&binary, "abc"));
    assert_null(apw_store_user_filter(&text, ""));
}

/* ---- finding ---- */

static const struct find_case {
    const char *name;
    enum apw_ldap_result answer;
    const char *dn[3]; /* of the entries */
    enum apw_ldap_result result;
    bool is_found;
    const char *error;
} find_cases[] = {
    {"no entry is none", APW_LDAP_OK, {NULL}, .result = APW_LDAP_OK},
    {"one entry is found",
     APW_LDAP_OK,
     {"appPasswordOwner=" ID "," BASE},
     APW_LDAP_OK,
     .is_found = true},
    {"the store may write the name its own way",
     APW_LDAP_OK,
     {"apppasswordowner=0F3E5A52-61AA-103F-8C4B-7D2F9A1B2C3D,OU=Entries,o=app-passwords"},
     APW_LDAP_OK,
     .is_found = true},
    {"two entries are refused",
     APW_LDAP_OK,
     {"appPasswordOwner=" ID "," BASE, "cn=copy," BASE},
     APW_LDAP_REFUSED,
     .error = "more than one entry of the store has the id " ID ": appPasswordOwner=" ID "," BASE
              " and cn=copy," BASE},
    {"an entry of somebody else is refused",
     APW_LDAP_OK,
     {"appPasswordOwner=ffff," BASE},
     APW_LDAP_REFUSED,
     .error = "the store answered with appPasswordOwner=ffff," BASE},
    {"an entry with a longer id is refused",
     APW_LDAP_OK,
     {"appPasswordOwner=" ID "0," BASE},
     APW_LDAP_REFUSED,
     .error = "the store answered with"},
    {"an entry that is named almost so is refused",
     APW_LDAP_OK,
     {"appPasswordOwners" ID "," BASE},
     APW_LDAP_REFUSED,
     .error = "the store answered with"},
    {"an entry with a further name is refused",
     APW_LDAP_OK,
     {"appPasswordOwner=" ID "+uid=bob," BASE},
     APW_LDAP_REFUSED,
     .error = "the store answered with"},
    {"an entry that is named otherwise is refused",
     APW_LDAP_OK,
     {"uid=alice," BASE},
     APW_LDAP_REFUSED,
     .error = "the store answered with"},
    {"an entry without a name is refused",
     APW_LDAP_OK,
     {""},
     APW_LDAP_REFUSED,
     .error = "the store answered with"},
    {"a missing base is no answer",
     APW_LDAP_NO_SUCH_OBJECT,
     {NULL},
     APW_LDAP_NO_SUCH_OBJECT,
     .error = "store_base \"" BASE "\" does not exist, or this identity may not search it"},
    {"an outage is one", APW_LDAP_UNAVAILABLE, {NULL}, APW_LDAP_UNAVAILABLE, .error = "the fault"},
    {"an outage halfway is one",
     APW_LDAP_UNAVAILABLE,
     {"appPasswordOwner=" ID "," BASE},
     APW_LDAP_UNAVAILABLE,
     .error = "the fault"},
    {"a denial is one",
     APW_LDAP_NOT_PERMITTED,
     {NULL},
     APW_LDAP_NOT_PERMITTED,
     .error = "the fault"},
};

static const char *const attributes[] = {"appPassword", NULL};

static enum apw_ldap_result search(void *context, const struct apw_query *query, int64_t deadline,
                                   struct apw_entry **entries_r, struct apw_error *error)
{
    const struct find_case *row = context;
    struct apw_entry **end = entries_r;

    assert_string_equal(query->base, BASE);
    assert_int_equal(query->scope, APW_SCOPE_ONE);
    assert_string_equal(query->filter, "(appPasswordOwner=" ID ")");
    assert_ptr_equal(query->attributes, attributes);
    assert_int_equal(query->limit, 2);
    assert_true(deadline == DEADLINE);
    *entries_r = NULL;
    for (size_t i = 0; row->dn[i] != NULL; i++, end = &(*end)->next) {
        *end = calloc(1, sizeof **end);
        (*end)->dn = strdup(row->dn[i]);
    }
    if (row->answer != APW_LDAP_OK)
        apw_error_set(error, "the fault");
    return row->answer;
}

static void test_find(void **state)
{
    const struct find_case *row = *state;
    const struct apw_world store = {.search = search, .context = (void *)row};
    const struct apw_config config = config_of("entryUUID");
    struct apw_entry *entry = (struct apw_entry *)&entry;
    struct apw_error error = {""};

    assert_int_equal(apw_store_find(&store, &config, ID, attributes, DEADLINE, &entry, &error),
                     row->result);
    assert_true((entry != NULL) == row->is_found);
    assert_contains(error.text, row->error != NULL ? row->error : "");
    assert_true((row->error == NULL) == (error.text[0] == '\0'));
    apw_entries_free(&entry);
}

int main(void)
{
    UNIT_ROWS(id_cases, test_id);
    UNIT_ROWS(text_cases, test_text);
    UNIT_TEST("an entry belongs to the id that a login would look for", test_owner);
    UNIT_TEST("an entry and its filter are named after the id", test_names);
    UNIT_TEST("a user is found by the id, byte by byte if it is binary", test_user_filter);
    UNIT_TEST("what is no id has no filter", test_user_filter_of_no_id);
    UNIT_ROWS(find_cases, test_find);
    return unit_run();
}
