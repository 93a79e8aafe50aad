/* SPDX-License-Identifier: BSD-2-Clause */
/* Second factors and enrollment codes: which values are written, and which are rejected. */
#include "method.h"
#include "method_seal.h"
#include "unit.h"
#include <sodium.h>

#define BYTES(text) text, sizeof text - 1
#define SINCE       " since=20261122101500Z"
#define STEP        " step=59844750"
#define NEW         "id=1f2e3d4c" SINCE
#define TOTP        "factor v=2 kind=totp "
#define MAIL        "factor v=2 kind=mail "
#define CODES       "factor v=2 kind=recovery "
#define KEY         "factor v=2 kind=passkey "
#define SECRET      "3132333435363738393031323334353637383930"
#define ENTRY       "597ae2f6-16a6-1027-98f4-d28b5365dc14"
#define URLSAFE     sodium_base64_VARIANT_URLSAFE_NO_PADDING

static const uint8_t key[APW_METHOD_KEY_BYTES] = "the portal's key, 32 bytes of it";
static const uint8_t other_key[APW_METHOD_KEY_BYTES] = "the portal's key, 32 bytes of It";

static const struct apw_method app = {.kind = APW_METHOD_APP,
                                      .id = "1f2e3d4c",
                                      .since = 1795342500,
                                      .counter = 59844750,
                                      .secret = "1234567890123456789"};
static const struct apw_method mail = {
    .kind = APW_METHOD_MAIL, .id = "00ff00ff", .since = 1795342500, .address = "alice@example.net"};

/* Opens a copy of exactly that size. */
static int open_copy(const char *value, size_t length, struct apw_method *method_r,
                     struct apw_error *error)
{
    char *copy = unit_copy(value, length);
    int status = apw_method_open(copy, length, key, ENTRY, method_r, error);

    free(copy);
    return status;
}

/* It is rejected and wiped. */
static void assert_refused(const char *value, size_t length)
{
    struct apw_error error = {""};
    struct apw_method method;

    memset(&method, 0xff, sizeof method);
    assert_int_equal(open_copy(value, length, &method, &error), -1);
    assert_true(unit_is_zero(&method, sizeof method));
    assert_contains(error.text, "the second factor ");
}

/* ---- sealed and opened ---- */

static const struct round_case {
    const char *name;
    struct apw_method method;
} rounds[] = {
    {"an app that was used comes back",
     {.kind = APW_METHOD_APP,
      .id = "1f2e3d4c",
      .since = 1795342500,
      .used = 1795947300,
      .counter = 59844750,
      .secret = "\x01\xff"}},
    {"an app that was never used comes back", {.kind = APW_METHOD_APP, .id = "00000000"}},
    {"the last step that can be written comes back",
     {.kind = APW_METHOD_APP, .id = "ffffffff", .counter = UINT64_C(999999999999999999)}},
    {"a name with spaces and keys comes back",
     {.kind = APW_METHOD_APP, .id = "ffffffff", .name = "Kari’s phone, step=1 name= secret=x"}},
    {"a passkey comes back",
     {.kind = APW_METHOD_PASSKEY,
      .id = "1f2e3d4c",
      .since = 1795342500,
      .used = 1795947300,
      .name = "Blue key",
      .counter = 4294967295,
      .credential_length = 3,
      .credential = {0, 1, 0xff},
      .algorithm = -257,
      .public_key_length = 2,
      .public_key = {0xfe, 0},
      .flags = 0x1d}},
    {"recovery codes of which some are used come back",
     {.kind = APW_METHOD_RECOVERY,
      .id = "1f2e3d4c",
      .code_hash = {{1}, {0}, {0xff, 2}, [9] = {3}}}},
    {"recovery codes that are used up come back", {.kind = APW_METHOD_RECOVERY, .id = "1f2e3d4c"}},
    {"an address comes back",
     {.kind = APW_METHOD_MAIL,
      .id = "1f2e3d4c",
      .since = 1795342500,
      .address = "a.b+c=d'e@mail.example.net"}},
};

static void test_round(void **state)
{
    const struct round_case *row = *state;
    struct apw_error error = {""};
    char value[APW_METHOD_VALUE_SIZE];
    struct apw_method method;
    enum apw_method_kind kind;

    assert_int_equal(apw_method_seal(&row->method, key, ENTRY, value, &error), 0);
    assert_false(apw_method_is_code(value, strlen(value)));
    assert_true(apw_method_is_sealed(value, strlen(value)));
    assert_int_equal(apw_method_peek(value, strlen(value), &kind), 0);
    assert_int_equal(kind, row->method.kind);
    memset(&method, 0xff, sizeof method);
    assert_int_equal(open_copy(value, strlen(value), &method, &error), 0);
    assert_memory_equal(&method, &row->method, sizeof method);
    assert_string_equal(error.text, "");
}

static void test_longest_address(void **state)
{
    char *local = unit_repeat("a", 254 - 12), value[APW_METHOD_VALUE_SIZE];
    struct apw_method method = mail, opened;

    (void)state;
    for (int i = 0; i < APW_LABEL_CHARACTERS_MAX; i++)
        strcat(method.name, "\xf0\x9f\x94\x91"); /* the most bytes a character has */
    method.used = method.since;
    snprintf(method.address, sizeof method.address, "%s@example.net", local);
    assert_int_equal(strlen(method.address), 254);
    assert_int_equal(apw_method_seal(&method, key, ENTRY, value, NULL), 0);
    assert_int_equal(open_copy(value, strlen(value), &opened, NULL), 0);
    assert_memory_equal(&opened, &method, sizeof opened);
    free(local);
}

static void test_largest_passkey(void **state)
{
    struct apw_method method = {.kind = APW_METHOD_PASSKEY,
                                .id = "ffffffff",
                                .since = 1795342500,
                                .used = 1795342500,
                                .algorithm = -257,
                                .counter = UINT64_C(999999999999999999),
                                .credential_length = APW_METHOD_CREDENTIAL_MAX,
                                .public_key_length = APW_METHOD_PUBLIC_KEY_MAX,
                                .flags = 0xff},
                      opened;
    char value[APW_METHOD_VALUE_SIZE];

    (void)state;
    for (int i = 0; i < APW_LABEL_CHARACTERS_MAX; i++)
        strcat(method.name, "\xf0\x9f\x94\x91");
    memset(method.credential, 0xff, sizeof method.credential);
    memset(method.public_key, 0xff, sizeof method.public_key);
    assert_int_equal(apw_method_seal(&method, key, ENTRY, value, NULL), 0);
    assert_int_equal(open_copy(value, strlen(value), &opened, NULL), 0);
    assert_memory_equal(&opened, &method, sizeof opened);
}

static void test_never_twice(void **state)
{
    char one[APW_METHOD_VALUE_SIZE], two[APW_METHOD_VALUE_SIZE];

    (void)state;
    assert_int_equal(apw_method_seal(&app, key, ENTRY, one, NULL), 0);
    assert_int_equal(apw_method_seal(&app, key, ENTRY, two, NULL), 0);
    assert_string_not_equal(one, two);
    assert_null(strstr(one, SECRET));
}

/* Sealed by another implementation of XChaCha20-Poly1305: what is in directories stays readable. */
static void test_known_value(void **state)
{
    static const char value[] =
        "sealed=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXig7LUlOc_VwNsbBYcJWAYeb8DRb9wN9Do7dmiIs0yGZc0"
        "0i7XD2d_gWX1rCfFtfIu8RpLSvmSri10oM03hpATfJqCLAFh0tkOqGNsnbsBVep-bv8DDqFgcPGKBoREI-"
        "M_j1nW5oOHWBmPmNtopk";
    enum apw_method_kind kind;
    struct apw_method method;

    (void)state;
    assert_int_equal(open_copy(value, sizeof value - 1, &method, NULL), 0);
    assert_int_equal(method.kind, APW_METHOD_APP);
    assert_true(method.since == 1795342500 && method.counter == 59844750);
    assert_memory_equal(method.secret, "12345678901234567890", APW_METHOD_SECRET_BYTES);
    assert_string_equal(method.id, APW_METHOD_OLD_ID);
    assert_true(method.used == 0 && method.name[0] == '\0');
    assert_true(apw_method_is_sealed(value, sizeof value - 1));
    assert_int_equal(apw_method_peek(value, sizeof value - 1, &kind), -1);
}

static const struct unstorable_case {
    const char *name;
    struct apw_method method;
} unstorable[] = {
    {"a kind that there is not is not sealed",
     {.kind = (enum apw_method_kind)APW_METHOD_KIND_COUNT, .id = "00000000"}},
    {"a time past the year 9999 is not sealed", {.id = "00000000", .since = INT64_MAX}},
    {"a time before the year 0 is not sealed", {.id = "00000000", .since = INT64_MIN}},
    {"a use past the year 9999 is not sealed", {.id = "00000000", .used = INT64_MAX}},
    {"a step that would not be read again is not sealed",
     {.id = "00000000", .counter = UINT64_C(1000000000000000000)}},
    {"a counter of 64 bits is not sealed", {.id = "00000000", .counter = UINT64_MAX}},
    {"no address is not sealed", {.kind = APW_METHOD_MAIL, .id = "00000000"}},
    {"a bad address is not sealed",
     {.kind = APW_METHOD_MAIL, .id = "00000000", .address = "a@b.c secret=x"}},
    {"a passkey without an id of its own is not sealed",
     {.kind = APW_METHOD_PASSKEY, .id = "00000000", .public_key_length = 1}},
    {"a passkey without a key is not sealed",
     {.kind = APW_METHOD_PASSKEY, .id = "00000000", .credential_length = 1}},
    {"a passkey with too long a key is not sealed",
     {.kind = APW_METHOD_PASSKEY,
      .id = "00000000",
      .credential_length = 1,
      .public_key_length = APW_METHOD_PUBLIC_KEY_MAX + 1}},
    {"no id is not sealed", {.id = ""}},
    {"a short id is not sealed", {.id = "1f2e3d4"}},
    {"an id in upper case is not sealed", {.id = "1F2E3D4C"}},
    {"an id with a space is not sealed", {.id = "1f2e 3d4"}},
    {"a name with a line end is not sealed", {.id = "00000000", .name = "a\nb"}},
    {"a name with a space at its end is not sealed", {.id = "00000000", .name = "a "}},
};

static void test_unstorable(void **state)
{
    const struct unstorable_case *row = *state;
    struct apw_error error = {""};
    char value[APW_METHOD_VALUE_SIZE] = "as it was";

    assert_int_equal(apw_method_seal(&row->method, key, ENTRY, value, &error), -1);
    assert_string_equal(error.text, "the second factor cannot be stored");
    assert_string_equal(value, "as it was");
}

/* ---- somebody else's ---- */

static const struct foreign_case {
    const char *name;
    const uint8_t *key;
    const char *unique_id;
} foreigners[] = {
    {"one of another key is refused", other_key, ENTRY},
    {"one of another entry is refused", key, "597ae2f6-16a6-1027-98f4-d28b5365dc15"},
    {"one of an entry whose id begins the same is refused", key, ENTRY "0"},
    {"one of an entry whose id is shorter is refused", key, "597ae2f6"},
    {"one of no entry is refused", key, ""},
    {"one of an id in upper case is refused", key, "597AE2F6-16A6-1027-98F4-D28B5365DC14"},
};

static void test_foreign(void **state)
{
    const struct foreign_case *row = *state;
    const struct apw_method *methods[] = {&app, &mail};

    for (size_t i = 0; i < UNIT_COUNT(methods); i++) {
        struct apw_error error = {""};
        char value[APW_METHOD_VALUE_SIZE];
        struct apw_method method;

        assert_int_equal(apw_method_seal(methods[i], row->key, row->unique_id, value, NULL), 0);
        assert_int_equal(open_copy(value, strlen(value), &method, &error), -1);
        assert_string_equal(error.text, "the second factor was sealed with another key or for "
                                        "another entry, or has been changed");
        assert_true(unit_is_zero(&method, sizeof method));
        assert_int_equal(
            apw_method_open(value, strlen(value), row->key, row->unique_id, &method, NULL), 0);
    }
}

/* ---- damaged ---- */

static void test_cut_short(void **state)
{
    char value[APW_METHOD_VALUE_SIZE];

    (void)state;
    assert_int_equal(apw_method_seal(&app, key, ENTRY, value, NULL), 0);
    for (size_t length = 0; length < strlen(value); length++)
        assert_refused(value, length);
}

static void test_altered(void **state)
{
    char value[APW_METHOD_VALUE_SIZE];
    size_t length;

    (void)state;
    assert_int_equal(apw_method_seal(&mail, key, ENTRY, value, NULL), 0);
    length = strlen(value);
    for (size_t i = 0; i < length; i++) {
        char right = value[i];

        for (int byte = 0; byte < 256; byte++) {
            value[i] = (char)byte;
            if (value[i] != right)
                assert_refused(value, length);
        }
        value[i] = right;
    }
    assert_int_equal(open_copy(value, length, &(struct apw_method){.since = 0}, NULL), 0);
}

static void test_lengthened(void **state)
{
    static const char *const tails[] = {"A", "AA", "=", "==", " ", "\n", " sealed=A"};
    char value[APW_METHOD_VALUE_SIZE], longer[APW_METHOD_VALUE_SIZE + 16];

    (void)state;
    assert_int_equal(apw_method_seal(&app, key, ENTRY, value, NULL), 0);
    for (size_t i = 0; i < UNIT_COUNT(tails); i++) {
        snprintf(longer, sizeof longer, "%s%s", value, tails[i]);
        assert_refused(longer, strlen(longer));
        snprintf(longer, sizeof longer, "%s%s", tails[i], value);
        assert_refused(longer, strlen(longer));
    }
    assert_refused(value, strlen(value) + 1);
}

static const struct unsealed_case {
    const char *name;
    const char *value;
} unsealed[] = {
    {"nothing is refused", ""},
    {"a key alone is refused", "sealed"},
    {"an empty value is refused", "sealed="},
    {"the key in upper case is refused", "SEALED=AAAA"},
    {"what is not base64 is refused", "sealed=????"},
    {"half a nonce is refused", "sealed=AAAAAAAAAAAAAAAA"},
    {"a nonce alone is refused", "sealed=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    {"a nonce and half a tag are refused", "sealed=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    {"a nonce and a tag of nothing are refused",
     "sealed=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    {"a kind that there is not is refused",
     "factor v=2 kind=fax sealed=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    {"a value without a kind is refused",
     "factor v=2 sealed=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    {"a later version is refused",
     "factor v=3 kind=totp sealed=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    {"a second factor in the clear is refused", "method=mail" SINCE " address=eve@example.net"},
    {"a code is no second factor",
     "code created=20261122101500Z expires=20261129101500Z hash={ARGON2}" UNIT_PHC},
};

static void test_unsealed(void **state)
{
    const struct unsealed_case *row = *state;
    enum apw_method_kind kind;

    assert_int_equal(apw_method_peek(row->value, strlen(row->value), &kind), -1);
    assert_refused(row->value, strlen(row->value));
}

static void test_enormous(void **state)
{
    char *value = unit_repeat("sealed=AAAAAAAAAAAAAAAAAAAAAAAA", 40000);

    (void)state;
    assert_refused(value, strlen(value));
    memset(value + 7, 'A', strlen(value) - 7);
    assert_refused(value, strlen(value));
    free(value);
}

/* ---- sealed with the right key, and not what this version writes ---- */

/* Seals any bytes behind that head, "" in 0.1. */
static void seal_bytes(const char *head, const char *plain, size_t length, char *value_r,
                       size_t size)
{
    const size_t nonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
    size_t start = (size_t)snprintf(value_r, size, "%ssealed=", head);
    unsigned long long sealed_length;
    char bound[128];
    uint8_t sealed[4096];

    assert_true(length + 100 < sizeof sealed);
    snprintf(bound, sizeof bound, "%s" ENTRY, head);
    randombytes_buf(sealed, nonce);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        sealed + nonce, &sealed_length, (const uint8_t *)plain, length, (const uint8_t *)bound,
        strlen(bound), NULL, sealed, key);
    sodium_bin2base64(value_r + start, size - start, sealed, nonce + (size_t)sealed_length,
                      URLSAFE);
}

static const struct plain_case {
    const char *name;
    const char *plain;
    size_t length;
    bool is_good;
} plains[] = {
    {"an app as it is written", BYTES("method=app" SINCE STEP " secret=" SECRET), true},
    {"mail as it is written", BYTES("method=mail" SINCE " address=alice@example.net"), true},
    {"sealed nothing", BYTES(""), false},
    {"a sealed NUL", BYTES("\0"), false},
    {"a method that there is not", BYTES("method=fax" SINCE " address=alice@example.net"), false},
    {"a method that begins like one", BYTES("method=apps" SINCE STEP " secret=" SECRET), false},
    {"a method in upper case", BYTES("method=APP" SINCE STEP " secret=" SECRET), false},
    {"no method", BYTES("since=20261122101500Z" STEP " secret=" SECRET), false},
    {"an empty method", BYTES("method=" SINCE STEP " secret=" SECRET), false},
    {"a method alone", BYTES("method=app"), false},
    {"no since", BYTES("method=app" STEP " secret=" SECRET), false},
    {"a since that is no time", BYTES("method=app since=yesterday" STEP " secret=" SECRET), false},
    {"a since that ends it", BYTES("method=app" SINCE), false},
    {"a space in front", BYTES(" method=app" SINCE STEP " secret=" SECRET), false},
    {"two spaces", BYTES("method=app" SINCE " " STEP " secret=" SECRET), false},
    {"keys in another order", BYTES("method=app" SINCE " secret=" SECRET STEP), false},
    {"an unknown key", BYTES("method=app" SINCE STEP " colour=red secret=" SECRET), false},
    {"an app without a step", BYTES("method=app" SINCE " secret=" SECRET), false},
    {"an empty step", BYTES("method=app" SINCE " step= secret=" SECRET), false},
    {"a step below 0", BYTES("method=app" SINCE " step=-1 secret=" SECRET), false},
    {"a step with a plus", BYTES("method=app" SINCE " step=+1 secret=" SECRET), false},
    {"a step with a letter", BYTES("method=app" SINCE " step=1a secret=" SECRET), false},
    {"a step with a NUL", BYTES("method=app" SINCE " step=1\0002 secret=" SECRET), false},
    {"a step of 19 digits", BYTES("method=app" SINCE " step=1000000000000000000 secret=" SECRET),
     false},
    {"a step of 40 digits",
     BYTES("method=app" SINCE " step=1000000000000000000000000000000000000000 secret=" SECRET),
     false},
    {"an app without a secret", BYTES("method=app" SINCE STEP), false},
    {"an empty secret", BYTES("method=app" SINCE STEP " secret="), false},
    {"a secret of 19 bytes",
     BYTES("method=app" SINCE STEP " secret=31323334353637383930313233343536373839"), false},
    {"a secret of 21 bytes", BYTES("method=app" SINCE STEP " secret=" SECRET "00"), false},
    {"a secret with a letter past f",
     BYTES("method=app" SINCE STEP " secret=313233343536373839303132333435363738393g"), false},
    {"a secret with a colon",
     BYTES("method=app" SINCE STEP " secret=31323334353637383930313233343536:3738393"), false},
    {"a secret with a trailing space", BYTES("method=app" SINCE STEP " secret=" SECRET " "), false},
    {"a secret with a trailing NUL", BYTES("method=app" SINCE STEP " secret=" SECRET "\0"), false},
    {"an app with an address", BYTES("method=app" SINCE " address=alice@example.net"), false},
    {"mail without an address", BYTES("method=mail" SINCE), false},
    {"mail with an empty address", BYTES("method=mail" SINCE " address="), false},
    {"mail with a secret", BYTES("method=mail" SINCE " secret=" SECRET), false},
    {"mail with a bad address", BYTES("method=mail" SINCE " address=-oQ/tmp@example.net"), false},
    {"mail with two addresses",
     BYTES("method=mail" SINCE " address=alice@example.net,eve@example.net"), false},
    {"mail with a line end", BYTES("method=mail" SINCE " address=alice@example.net\n"), false},
    {"mail with a NUL", BYTES("method=mail" SINCE " address=alice@example.net\0"), false},
};

static void test_plain(void **state)
{
    const struct plain_case *row = *state;
    struct apw_error error = {""};
    struct apw_method method;
    char value[4096];

    seal_bytes("", row->plain, row->length, value, sizeof value);
    memset(&method, 0xff, sizeof method);
    assert_int_equal(open_copy(value, strlen(value), &method, &error), row->is_good ? 0 : -1);
    if (row->is_good)
        return;
    assert_string_equal(error.text, "the sealed value is not a second factor of this version");
    assert_true(unit_is_zero(&method, sizeof method));
}

/* The same inside a value of this version. */
static const struct new_case {
    const char *name;
    const char *head;
    const char *plain;
    size_t length;
    bool is_good;
} news[] = {
    {"an app of this version", TOTP, BYTES(NEW STEP " secret=" SECRET " name="), true},
    {"a used app with a name", TOTP,
     BYTES(NEW " used=20261129101500Z" STEP " secret=" SECRET " name=My  phone"), true},
    {"an address of this version", MAIL, BYTES(NEW " address=a@example.net name=x"), true},
    {"an app in a value for mail", MAIL, BYTES(NEW STEP " secret=" SECRET " name="), false},
    {"recovery codes that are used up", CODES, BYTES(NEW " codes=-,-,-,-,-,-,-,-,-,- name="), true},
    {"an unused recovery code", CODES,
     BYTES(NEW " codes=-,-,-,AAECAwQFBgcICQoLDA0ODw,-,-,-,-,-,- name="), true},
    {"nine recovery codes", CODES, BYTES(NEW " codes=-,-,-,-,-,-,-,-,- name="), false},
    {"eleven recovery codes", CODES, BYTES(NEW " codes=-,-,-,-,-,-,-,-,-,-,- name="), false},
    {"a comma behind the recovery codes", CODES, BYTES(NEW " codes=-,-,-,-,-,-,-,-,-,-, name="),
     false},
    {"no recovery codes", CODES, BYTES(NEW " codes= name="), false},
    {"an empty recovery code", CODES, BYTES(NEW " codes=,-,-,-,-,-,-,-,-,- name="), false},
    {"a hash of zeroes for a recovery code", CODES,
     BYTES(NEW " codes=AAAAAAAAAAAAAAAAAAAAAA,-,-,-,-,-,-,-,-,- name="), false},
    {"a recovery code with a short hash", CODES,
     BYTES(NEW " codes=AAECAwQFBgcICQoLDA0O,-,-,-,-,-,-,-,-,- name="), false},
    {"a recovery code with a byte past ASCII", CODES,
     BYTES(NEW " codes=AAECAwQFBgcICQoLDA0O\xff\xff,-,-,-,-,-,-,-,-,- name="), false},
    {"a passkey of this version", KEY,
     BYTES(NEW " credential=AAEC alg=-7 key=AAEC counter=0 flags=05 name="), true},
    {"a passkey with an empty id", KEY,
     BYTES(NEW " credential= alg=-7 key=AAEC counter=0 flags=05 name="), false},
    {"a passkey with a bad id", KEY,
     BYTES(NEW " credential=A alg=-7 key=AAEC counter=0 flags=05 name="), false},
    {"a passkey with another spelling of its type", KEY,
     BYTES(NEW " credential=AAEC alg=-07 key=AAEC counter=0 flags=05 name="), false},
    {"a passkey without a type", KEY,
     BYTES(NEW " credential=AAEC key=AAEC counter=0 flags=05 name="), false},
    {"a passkey with an empty key", KEY,
     BYTES(NEW " credential=AAEC alg=-7 key= counter=0 flags=05 name="), false},
    {"a passkey with a counter below 0", KEY,
     BYTES(NEW " credential=AAEC alg=-7 key=AAEC counter=-1 flags=05 name="), false},
    {"a passkey with three digits of flags", KEY,
     BYTES(NEW " credential=AAEC alg=-7 key=AAEC counter=0 flags=005 name="), false},
    {"0.1's text in a value of this version", TOTP,
     BYTES("method=app" SINCE STEP " secret=" SECRET), false},
    {"this version's text in a value of 0.1", "", BYTES(NEW STEP " secret=" SECRET " name="),
     false},
    {"a text without an id", TOTP, BYTES("since=20261122101500Z" STEP " secret=" SECRET " name="),
     false},
    {"an id of seven digits", TOTP, BYTES("id=1f2e3d4" SINCE STEP " secret=" SECRET " name="),
     false},
    {"a use that is no time", TOTP, BYTES(NEW " used=never" STEP " secret=" SECRET " name="),
     false},
    {"no name at all", TOTP, BYTES(NEW STEP " secret=" SECRET), false},
    {"a name with a control character", TOTP, BYTES(NEW STEP " secret=" SECRET " name=a\tb"),
     false},
    {"a name with a NUL", TOTP, BYTES(NEW STEP " secret=" SECRET " name=a\0b"), false},
    {"a key behind the secret", TOTP, BYTES(NEW STEP " secret=" SECRET " colour=red name="), false},
};

static void test_new(void **state)
{
    const struct new_case *row = *state;
    struct apw_method method;
    char value[4096];

    seal_bytes(row->head, row->plain, row->length, value, sizeof value);
    memset(&method, 0xff, sizeof method);
    assert_int_equal(open_copy(value, strlen(value), &method, NULL), row->is_good ? 0 : -1);
    assert_true(row->is_good || unit_is_zero(&method, sizeof method));
}

static const char *const no_versions[] = {
    "factor v=3 kind=totp ",    "factor v=2 kind=fax ",   "factor v=2 ",
    "factor kind=totp ",        "factor v=2  kind=totp ", "Factor v=2 kind=totp ",
    "factor v=2 kind=totp x=1 "};

static void test_other_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(no_versions); i++) {
        char value[4096];

        seal_bytes(no_versions[i], BYTES(NEW STEP " secret=" SECRET " name="), value, sizeof value);
        assert_refused(value, strlen(value));
    }
}

/* The buffers end where the longest plain text does. */
static void test_long_plain(void **state)
{
    char *plain = unit_repeat("x", APW_METHOD_PLAIN_SIZE + 20), value[8192];
    struct apw_error error = {""};
    struct apw_method method;

    (void)state;
    memcpy(plain, BYTES("method=mail" SINCE " address="));
    for (size_t length = APW_METHOD_PLAIN_SIZE - 20; length < APW_METHOD_PLAIN_SIZE + 20;
         length++) {
        seal_bytes("", plain, length, value, sizeof value);
        assert_int_equal(open_copy(value, strlen(value), &method, &error), -1);
        assert_string_equal(error.text,
                            length <= APW_METHOD_PLAIN_SIZE
                                ? "the sealed value is not a second factor of this version"
                                : "the second factor is not a sealed value of this version");
    }
    free(plain);
}

/* ---- the same or not ---- */

static void test_is_same(void **state)
{
    struct apw_method other = app;

    (void)state;
    other.counter++;
    assert_true(apw_method_is_same(&app, &other));
    other.since++;
    assert_false(apw_method_is_same(&app, &other));
    other = app;
    other.secret[APW_METHOD_SECRET_BYTES - 1] ^= 1;
    assert_false(apw_method_is_same(&app, &other));
    other = app;
    other.kind = APW_METHOD_MAIL;
    assert_false(apw_method_is_same(&app, &other));
    other = mail;
    assert_true(apw_method_is_same(&mail, &other));
    other.address[0] = 'b';
    assert_false(apw_method_is_same(&mail, &other));
}

/* ---- addresses ---- */

static const struct address_case {
    const char *name;
    const char *address;
    bool is_valid;
} addresses[] = {
    {"an ordinary address is valid", "alice@example.net", true},
    {"dots, plus and underscore are valid", "a.b+c_d-e@mail.example.net", true},
    {"an apostrophe is valid", "o'brien@example.net", true},
    {"digits are valid", "12345@163.com", true},
    {"an international domain as ASCII is valid", "alice@xn--blbr-roah.no", true},
    {"nothing is no address", "", false},
    {"an at sign is no address", "@", false},
    {"no local part is no address", "@example.net", false},
    {"no domain is no address", "alice@", false},
    {"no at sign is no address", "alice.example.net", false},
    {"a domain without a dot is no address", "alice@localhost", false},
    {"a dot in the local part alone does not do", "a.b@localhost", false},
    {"two at signs are no address", "alice@example.net@example.org", false},
    {"two at signs side by side are no address", "alice@@example.net", false},
    {"a domain that begins with a dot is invalid", "alice@.example.net", false},
    {"a domain that ends in a dot is invalid", "alice@example.net.", false},
    {"a domain that begins with a hyphen is invalid", "alice@-example.net", false},
    {"an option is no address", "-oQ/tmp@example.net", false},
    {"a space is in no address", "alice @example.net", false},
    {"a space in front is in no address", " alice@example.net", false},
    {"no address has a trailing space", "alice@example.net ", false},
    {"a tab is in no address", "alice\t@example.net", false},
    {"a line end is in no address", "alice@example.net\nBcc: eve@example.net", false},
    {"a carriage return is in no address", "alice@example.net\r", false},
    {"DEL is in no address", "alice\x7f@example.net", false},
    {"a name in front is no address", "Alice <alice@example.net>", false},
    {"angle brackets are no address", "<alice@example.net>", false},
    {"a comment is no address", "alice(home)@example.net", false},
    {"two addresses are invalid", "alice@example.net,eve@example.net", false},
    {"a group is no address", "friends:alice@example.net;", false},
    {"a quoted local part is invalid", "\"alice\"@example.net", false},
    {"an address literal is invalid", "alice@[192.0.2.1]", false},
    {"a backslash is in no address", "alice\\@example.net", false},
    {"a percent sign would be a route", "alice%example.org@example.net", false},
    {"an exclamation mark would be a route", "example.org!alice@example.net", false},
    {"a pipe would be a program", "|/bin/sh@example.net", false},
    {"an ampersand is in no address", "a&b@example.net", false},
    {"letters past ASCII are in no address", "bl\xc3\xa5@example.net", false},
    {"a domain past ASCII is invalid", "alice@bl\xc3\xa5.no", false},
    {"a byte past ASCII is in no address", "alice\xff@example.net", false},
};

static void test_address(void **state)
{
    const struct address_case *row = *state;
    char *address = unit_copy(row->address, strlen(row->address) + 1);

    assert_int_equal(apw_mail_address_is_valid(address), row->is_valid);
    free(address);
}

static void test_address_length(void **state)
{
    char *address = unit_repeat("a", 255);

    (void)state;
    memcpy(address, "b@c.", 4);
    assert_false(apw_mail_address_is_valid(address));
    assert_int_equal(strlen(address), 255);
    address[254] = '\0';
    assert_true(apw_mail_address_is_valid(address));
    free(address);
}

/* ---- enrolment codes ---- */

#define CREATED "code created=20261122101500Z"
#define EXPIRES " expires=20261129101500Z"
#define HASH    " hash={ARGON2}" UNIT_PHC

static void test_code(void **state)
{
    const struct apw_enrolment_code code = {.created = 1795342500,
                                            .expires = 1795342500 + APW_ENROLMENT_CODE_SECONDS,
                                            .hash = UNIT_PHC};
    char value[APW_METHOD_VALUE_SIZE];
    struct apw_error error = {""};
    struct apw_enrolment_code parsed;

    (void)state;
    assert_int_equal(apw_method_format_code(&code, value, &error), 0);
    assert_string_equal(value, CREATED EXPIRES HASH);
    assert_true(apw_method_is_code(value, strlen(value)));
    assert_int_equal(apw_method_parse_code(value, strlen(value), &parsed, &error), 0);
    assert_true(parsed.created == code.created && parsed.expires == code.expires);
    assert_string_equal(parsed.hash, UNIT_PHC);
    assert_string_equal(error.text, "");
}

static void test_code_times(void **state)
{
    struct apw_enrolment_code code = {.created = INT64_MAX, .expires = 0, .hash = UNIT_PHC};
    char value[APW_METHOD_VALUE_SIZE];
    struct apw_error error = {""};

    (void)state;
    assert_int_equal(apw_method_format_code(&code, value, &error), -1);
    assert_contains(error.text, "outside the years 0 to 9999");
    code.created = 0;
    code.expires = INT64_MIN;
    assert_int_equal(apw_method_format_code(&code, value, &error), -1);
}

static const struct code_case {
    const char *name;
    const char *value;
    size_t length;
    const char *error;
} bad_codes[] = {
    {"nothing is no code", BYTES(""), "not an enrollment code"},
    {"the word alone is no code", BYTES("code"), "not an enrollment code"},
    {"the word and a space are no code", BYTES("code "), "malformed enrollment code"},
    {"the word in upper case is no code", BYTES("CODE created=20261122101500Z" EXPIRES HASH),
     "not an enrollment code"},
    {"a word that begins like it is no code", BYTES("codes" EXPIRES HASH),
     "not an enrollment code"},
    {"a sealed value is no code", BYTES("sealed=AAAA"), "not an enrollment code"},
    {"an app password is no code", BYTES("id=k7q2 created=20261122101500Z" EXPIRES HASH " label=x"),
     "not an enrollment code"},
    {"a code without its creation is invalid", BYTES("code" EXPIRES HASH),
     "malformed enrollment code"},
    {"a code without an end is invalid", BYTES(CREATED HASH), "malformed enrollment code"},
    {"a code with an empty end is invalid", BYTES(CREATED " expires=" HASH),
     "malformed enrollment code"},
    {"a code that never expires is invalid", BYTES(CREATED " expires=never" HASH),
     "malformed enrollment code"},
    {"a code whose end has a zone is invalid", BYTES(CREATED " expires=20261129101500+0100" HASH),
     "malformed enrollment code"},
    {"a code whose end has a NUL is invalid", BYTES(CREATED " expires=20261129\000101500Z" HASH),
     "malformed enrollment code"},
    {"a code that expires on 30 February is invalid",
     BYTES(CREATED " expires=20260230101500Z" HASH), "malformed enrollment code"},
    {"a code with two ends is invalid", BYTES(CREATED EXPIRES EXPIRES HASH),
     "malformed enrollment code"},
    {"a code with an unknown key is invalid", BYTES(CREATED EXPIRES " colour=red" HASH),
     "malformed enrollment code"},
    {"a code with its keys in another order is invalid",
     BYTES("code" EXPIRES " created=20261122101500Z" HASH), "malformed enrollment code"},
    {"a code with two spaces is invalid", BYTES("code  created=20261122101500Z" EXPIRES HASH),
     "malformed enrollment code"},
    {"a code with a tab is invalid", BYTES("code\tcreated=20261122101500Z" EXPIRES HASH),
     "not an enrollment code"},
    {"a code without a hash is invalid", BYTES(CREATED EXPIRES), "malformed enrollment code"},
    {"a code with nothing for a hash is invalid", BYTES(CREATED EXPIRES " hash="),
     "malformed enrollment code"},
    {"a code with an empty hash is invalid", BYTES(CREATED EXPIRES " hash={ARGON2}"),
     "malformed enrollment code"},
    {"a code in the clear is invalid", BYTES(CREATED EXPIRES " hash=" UNIT_PASSWORD),
     "malformed enrollment code"},
    {"a code with a hash of another scheme is invalid",
     BYTES(CREATED EXPIRES " hash={SSHA}c2FsdA=="), "malformed enrollment code"},
    {"a code with a scheme in lower case is invalid",
     BYTES(CREATED EXPIRES " hash={argon2}" UNIT_PHC), "malformed enrollment code"},
    {"a code with a NUL in its hash is invalid",
     BYTES(CREATED EXPIRES " hash={ARGON2}$argon2id\0$v"), "too long"},
    {"a code with a NUL after its hash is invalid", BYTES(CREATED EXPIRES HASH "\0"), "too long"},
};

static void test_bad_code(void **state)
{
    const struct code_case *row = *state;
    char *value = unit_copy(row->value, row->length);
    struct apw_error error = {""};
    struct apw_enrolment_code code;

    assert_int_equal(apw_method_parse_code(value, row->length, &code, &error), -1);
    assert_contains(error.text, row->error);
    assert_null(strstr(error.text, "argon2id"));
    assert_null(strstr(error.text, UNIT_PASSWORD));
    free(value);
}

static void test_code_cut_short(void **state)
{
    static const char whole[] = CREATED EXPIRES " hash={ARGON2}$";
    struct apw_enrolment_code code;

    (void)state;
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        char *value = unit_copy(whole, length);

        assert_int_equal(apw_method_parse_code(value, length, &code, NULL), -1);
        free(value);
    }
    assert_int_equal(apw_method_parse_code(whole, sizeof whole - 1, &code, NULL), 0);
}

static void test_code_hash_length(void **state)
{
    char *value = unit_repeat("x", 1024 * 1024);
    const size_t start = sizeof CREATED EXPIRES " hash={ARGON2}" - 1;
    struct apw_enrolment_code code;

    (void)state;
    memcpy(value, CREATED EXPIRES " hash={ARGON2}", start);
    for (size_t length = start + 120; length < start + 140; length++)
        assert_int_equal(apw_method_parse_code(value, length, &code, NULL),
                         length - start <= 128 ? 0 : -1);
    assert_int_equal(apw_method_parse_code(value, 1024 * 1024, &code, NULL), -1);
    free(value);
}

int main(void)
{
    if (sodium_init() < 0)
        abort();
    UNIT_ROWS(rounds, test_round);
    UNIT_TEST("an address of 254 bytes comes back", test_longest_address);
    UNIT_TEST("the largest passkey comes back", test_largest_passkey);
    UNIT_TEST("sealed twice, a second factor looks different", test_never_twice);
    UNIT_TEST("a value that was sealed elsewhere is opened", test_known_value);
    UNIT_ROWS(unstorable, test_unstorable);
    UNIT_ROWS(foreigners, test_foreign);
    UNIT_TEST("every shorter beginning of a sealed value is refused", test_cut_short);
    UNIT_TEST("a sealed value with any byte altered is refused", test_altered);
    UNIT_TEST("a sealed value with anything around it is refused", test_lengthened);
    UNIT_ROWS(unsealed, test_unsealed);
    UNIT_TEST("a megabyte is refused", test_enormous);
    UNIT_ROWS(plains, test_plain);
    UNIT_ROWS(news, test_new);
    UNIT_TEST("a value of another version is refused", test_other_version);
    UNIT_TEST("a sealed text of any length is refused where it should be", test_long_plain);
    UNIT_TEST("a second factor is the same, used or not", test_is_same);
    UNIT_ROWS(addresses, test_address);
    UNIT_TEST("an address has 254 bytes at most", test_address_length);
    UNIT_TEST("an enrollment code comes back", test_code);
    UNIT_TEST("an enrollment code with an impossible time is not written", test_code_times);
    UNIT_ROWS(bad_codes, test_bad_code);
    UNIT_TEST("every shorter beginning of an enrollment code is invalid", test_code_cut_short);
    UNIT_TEST("the hash of an enrollment code has 128 bytes at most", test_code_hash_length);
    return unit_run();
}
