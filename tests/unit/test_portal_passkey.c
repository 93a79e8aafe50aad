/* SPDX-License-Identifier: BSD-2-Clause */
/* Passkeys (WebAuthn level 2): registrations, signatures, and answers that are rejected. */
#include "authenticator.h"
#include "passkey.h"
#include "unit.h"
#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>

#define HOST      "mail.example.org"
#define ORIGIN    "\"origin\":\"https://" HOST "\""
#define CHALLENGE "\"challenge\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\""
#define CREATE    "{\"type\":\"webauthn.create\"," CHALLENGE "," ORIGIN "}"
#define GET       "{\"type\":\"webauthn.get\"," CHALLENGE "," ORIGIN "}"

static const struct apw_passkey_request request = {
    .host = HOST,
    .origin = "https://" HOST,
    .challenge = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"};

static struct apw_error last_error;

/* ---- without memory ---- */

static bool has_memory = true;

#define WRAP_NEW(type, function)                                                                   \
    type *__real_##function(void);                                                                 \
    type *__wrap_##function(void);                                                                 \
    type *__wrap_##function(void)                                                                  \
    {                                                                                              \
        return has_memory ? __real_##function() : NULL;                                            \
    }
WRAP_NEW(fido_cred_t, fido_cred_new)
WRAP_NEW(fido_assert_t, fido_assert_new)
WRAP_NEW(es256_pk_t, es256_pk_new)
WRAP_NEW(eddsa_pk_t, eddsa_pk_new)
WRAP_NEW(rs256_pk_t, rs256_pk_new)

/* ---- registrations ---- */

static int register_passkey(const char *client_data, const struct data *data,
                            struct apw_method *method_r)
{
    char *client = encode(client_data, strlen(client_data));
    char *authenticator = encode(data->bytes, data->length);
    int status = apw_passkey_register(
        &request,
        &(struct apw_passkey_response){.client_data = client, .authenticator_data = authenticator},
        method_r, &last_error);

    free(client);
    free(authenticator);
    return status;
}

#define REGISTERED     (PRESENT | HAS_CREDENTIAL)
#define IS_WRONG(what) "the client data of the passkey " what

static const struct client_case {
    const char *name;
    const char *format; /* %s is the ceremony */
    const char *error;  /* NULL: accepted */
} clients[] = {
    {"the answer to our request", "{\"type\":\"webauthn.%s\"," CHALLENGE "," ORIGIN "}", NULL},
    {"a page of the same site",
     "{\"type\":\"webauthn.%s\"," CHALLENGE "," ORIGIN ",\"crossOrigin\":false}", NULL},
    {"more than we know",
     "{\"type\":\"webauthn.%s\"," CHALLENGE "," ORIGIN ",\"tokenBinding\":{\"status\":\"x\"}}",
     NULL},
    {"in another order", "{" ORIGIN "," CHALLENGE ",\"type\":\"webauthn.%s\"}", NULL},
    {"a frame of another site",
     "{\"type\":\"webauthn.%s\"," CHALLENGE "," ORIGIN ",\"crossOrigin\":true}",
     IS_WRONG("come from a frame of another site")},
    {"a frame of who knows what",
     "{\"type\":\"webauthn.%s\"," CHALLENGE "," ORIGIN ",\"crossOrigin\":null}",
     IS_WRONG("come from a frame of another site")},
    {"nothing", "", IS_WRONG("are not a JSON object")},
    {"an array", "[\"webauthn.%s\"]", IS_WRONG("are not a JSON object")},
    {"half an object", "{\"type\":\"webauthn.%s\"," CHALLENGE "," ORIGIN,
     IS_WRONG("are not a JSON object")},
    {"something behind it", "{\"type\":\"webauthn.%s\"," CHALLENGE "," ORIGIN "}x",
     IS_WRONG("are not a JSON object")},
    {"a key twice", "{\"type\":\"webauthn.%s\"," CHALLENGE "," CHALLENGE "," ORIGIN "}",
     IS_WRONG("are not a JSON object")},
    {"no type", "{\"kind\":\"webauthn.%s\"," CHALLENGE "," ORIGIN "}",
     IS_WRONG("are of another type")},
    {"a type with a NUL", "{\"type\":\"webauthn.%s\\u0000\"," CHALLENGE "," ORIGIN "}",
     IS_WRONG("are not a JSON object")},
    {"a type that only begins like ours", "{\"type\":\"webauthn.%ss\"," CHALLENGE "," ORIGIN "}",
     IS_WRONG("are of another type")},
    {"a type that is no string", "{\"type\":[\"webauthn.%s\"]," CHALLENGE "," ORIGIN "}",
     IS_WRONG("are of another type")},
    {"no challenge", "{\"type\":\"webauthn.%s\"," ORIGIN "}", IS_WRONG("have another challenge")},
    {"another challenge", "{\"type\":\"webauthn.%s\",\"challenge\":\"AAEC\"," ORIGIN "}",
     IS_WRONG("have another challenge")},
    {"no origin", "{\"type\":\"webauthn.%s\"," CHALLENGE "}",
     IS_WRONG("have another origin than public_url")},
    {"the origin of another site",
     "{\"type\":\"webauthn.%s\"," CHALLENGE ",\"origin\":\"https://mail.example.com\"}",
     IS_WRONG("have another origin than public_url")},
    {"our origin without TLS",
     "{\"type\":\"webauthn.%s\"," CHALLENGE ",\"origin\":\"http://" HOST "\"}",
     IS_WRONG("have another origin than public_url")},
};

static const char *client_text(const struct client_case *row, const char *ceremony,
                               char text_r[512])
{
    const char *at = strstr(row->format, "%s");

    if (at == NULL)
        snprintf(text_r, 512, "%s", row->format);
    else
        snprintf(text_r, 512, "%.*s%s%s", (int)(at - row->format), row->format, ceremony, at + 2);
    return text_r;
}

static void assert_ends(int status, const char *error)
{
    const struct apw_error said = last_error;

    last_error.text[0] = '\0';
    assert_string_equal(said.text, error == NULL ? "" : error);
    assert_int_equal(status, error == NULL ? 0 : -1);
}

static void test_client_of_registration(void **state)
{
    const struct client_case *row = *state;
    struct data data = begin_data(HOST, REGISTERED, 0);
    struct apw_method method;
    char text[512];

    put_own_credential(&data, 16);
    assert_ends(register_passkey(client_text(row, "create", text), &data, &method), row->error);
    assert_int_equal(method.credential_length, row->error == NULL ? 16 : 0);
    if (row->error == NULL)
        assert_ends(register_passkey(client_text(row, "get", text), &data, &method),
                    IS_WRONG("are of another type"));
}

static const struct registration_case {
    const char *name;
    const char *host;
    uint8_t flags;
    size_t id_length;
    const char *error;
} registrations[] = {
    {"somebody was present", HOST, REGISTERED, 16, NULL},
    {"can be backed up", HOST, REGISTERED | ELIGIBLE, 16, NULL},
    {"is backed up", HOST, REGISTERED | ELIGIBLE | BACKED_UP, 16, NULL},
    {"no id", HOST, REGISTERED, 0, "the passkey's id is empty or too long"},
    {"the shortest id", HOST, REGISTERED, 1, NULL},
    {"the longest id", HOST, REGISTERED, 1023, NULL},
    {"too long an id", HOST, REGISTERED, 1024, "the passkey's id is empty or too long"},
    {"for another host", "mail.example.com", REGISTERED, 16,
     "the passkey is for another host than " HOST},
    {"nobody was present", HOST, HAS_CREDENTIAL, 16, "nobody was present at the passkey"},
    {"is backed up, and cannot be", HOST, REGISTERED | BACKED_UP, 16,
     "the passkey is backed up, and cannot be"},
    {"a flag says that there is no key", HOST, PRESENT, 16,
     "the authenticator data have no key of a type that we accept"},
};

static void test_registration(void **state)
{
    const struct registration_case *row = *state;
    struct data data = begin_data(row->host, row->flags, 3);
    struct apw_method method;

    put_own_credential(&data, row->id_length);
    assert_ends(register_passkey(CREATE, &data, &method), row->error);
    if (row->error != NULL) {
        assert_true(unit_is_zero(&method, sizeof method));
        return;
    }
    assert_int_equal(method.kind, APW_METHOD_PASSKEY);
    assert_int_equal(method.algorithm, COSE_EDDSA);
    assert_int_equal(method.credential_length, row->id_length);
    assert_int_equal(method.credential[row->id_length - 1], 'i');
    assert_int_equal(method.public_key_length, sizeof own_key);
    assert_memory_equal(method.public_key, own_key, sizeof own_key);
    assert_int_equal(method.counter, 3);
    assert_int_equal(method.flags, row->flags);
}

/* ---- signatures of our key ---- */

static struct apw_method own_method(uint64_t counter, uint8_t flags)
{
    struct apw_method method = {.kind = APW_METHOD_PASSKEY,
                                .algorithm = COSE_EDDSA,
                                .public_key_length = sizeof own_key,
                                .counter = counter,
                                .flags = flags};

    memcpy(method.public_key, own_key, sizeof own_key);
    return method;
}

static int verify(const char *client_data, const struct data *data, const char *signature,
                  struct apw_method *method)
{
    char *client = encode(client_data, strlen(client_data));
    char *authenticator = encode(data->bytes, data->length);
    int status = apw_passkey_verify(
        &request, &(struct apw_passkey_response){client, authenticator, signature}, method,
        &last_error);

    free(client);
    free(authenticator);
    return status;
}

static void test_client_of_signature(void **state)
{
    const struct client_case *row = *state;
    struct apw_method method = own_method(0, PRESENT);
    struct data data = begin_data(HOST, PRESENT, 1);
    char text[512], *signature = sign(&data, client_text(row, "get", text));

    assert_ends(verify(text, &data, signature, &method), row->error);
    assert_int_equal(method.counter, row->error == NULL ? 1 : 0);
    free(signature);
    signature = sign(&data, client_text(row, "create", text));
    if (row->error == NULL)
        assert_ends(verify(text, &data, signature, &method), IS_WRONG("are of another type"));
    free(signature);
}

#define UNSIGNED "the passkey did not sign this, or for another host"

static const struct use_case {
    const char *name;
    const char *host;
    uint8_t flags, flags_before;
    uint32_t counter, counter_before;
    const char *behind; /* a byte, or NULL */
    const char *error;
} uses[] = {
    {"a passkey that does not count", HOST, PRESENT, PRESENT, 0, 0, NULL, NULL},
    {"the first that is counted", HOST, PRESENT, PRESENT, 1, 0, NULL, NULL},
    {"the next", HOST, PRESENT, PRESENT, 8, 7, NULL, NULL},
    {"one after others elsewhere", HOST, PRESENT, PRESENT, UINT32_MAX, 7, NULL, NULL},
    {"the same again", HOST, PRESENT, PRESENT, 7, 7, NULL,
     "the passkey counts 7 uses after 7: it may be a copy"},
    {"the first again", HOST, PRESENT, PRESENT, 1, 1, NULL,
     "the passkey counts 1 uses after 1: it may be a copy"},
    {"one before", HOST, PRESENT, PRESENT, 6, 7, NULL,
     "the passkey counts 6 uses after 7: it may be a copy"},
    {"it no longer counts", HOST, PRESENT, PRESENT, 0, 1, NULL,
     "the passkey counts 0 uses after 1: it may be a copy"},
    {"it is backed up now", HOST, PRESENT | ELIGIBLE | BACKED_UP, PRESENT | ELIGIBLE, 1, 0, NULL,
     NULL},
    {"it can be backed up now", HOST, PRESENT | ELIGIBLE, PRESENT, 1, 0, NULL,
     "the passkey can be backed up now, or no longer can"},
    {"it can no longer be backed up", HOST, PRESENT, PRESENT | ELIGIBLE, 1, 0, NULL,
     "the passkey can be backed up now, or no longer can"},
    {"it is backed up, and cannot be", HOST, PRESENT | BACKED_UP, PRESENT, 1, 0, NULL,
     "the passkey is backed up, and cannot be"},
    {"nobody is present", HOST, 0, PRESENT, 1, 0, NULL, UNSIGNED},
    {"another host", "mail.example.com", PRESENT, PRESENT, 1, 0, NULL, UNSIGNED},
    {"something behind it", HOST, PRESENT, PRESENT, 1, 0, "\xa0",
     "there is something behind the authenticator data"},
    {"extensions, of which there are none", HOST, PRESENT | HAS_EXTENSIONS, PRESENT, 1, 0, "\xa0",
     NULL},
};

static void test_use(void **state)
{
    const struct use_case *row = *state;
    struct apw_method method = own_method(row->counter_before, row->flags_before);
    struct data data = begin_data(row->host, row->flags, row->counter);
    char *signature;

    if (row->behind != NULL)
        put(&data, row->behind, 1);
    signature = sign(&data, GET);
    assert_ends(verify(GET, &data, signature, &method), row->error);
    assert_int_equal(method.counter, row->error == NULL ? row->counter : row->counter_before);
    assert_int_equal(method.flags, row->error == NULL ? row->flags : row->flags_before);
    free(signature);
}

/* A signature is valid only for the data that it signs, and with the key that made it. */
static void test_signed(void **state)
{
    struct apw_method method = own_method(0, PRESENT), other = method;
    struct data data = begin_data(HOST, PRESENT, 1), later = begin_data(HOST, PRESENT, 2);
    char *signature = sign(&data, GET);
    const char *spaced = "{ \"type\":\"webauthn.get\"," CHALLENGE "," ORIGIN "}";

    (void)state;
    assert_ends(verify(GET, &later, signature, &method), UNSIGNED);
    assert_ends(verify(spaced, &data, signature, &method), UNSIGNED);
    other.public_key[0] ^= 1;
    assert_ends(verify(GET, &data, signature, &other), UNSIGNED);
    other = method;
    other.public_key_length--;
    assert_ends(verify(GET, &data, signature, &other), UNSIGNED);
    other = method;
    other.algorithm = COSE_ES256;
    assert_ends(verify(GET, &data, signature, &other), UNSIGNED);
    other.algorithm = COSE_RS256;
    assert_ends(verify(GET, &data, signature, &other), UNSIGNED);
    other.algorithm = 0;
    assert_ends(verify(GET, &data, signature, &other), UNSIGNED);
    assert_ends(verify(GET, &data, signature, &method), NULL);
    free(signature);
}

/* ---- signatures of other types, made with OpenSSL for GET, presence and counter 8 ---- */

static const struct type_case {
    const char *name;
    int algorithm;
    const char *key; /* in COSE, base64url, as the signature */
    const char *signature;
} types[] = {
    {"ES256", COSE_ES256,
     "pQECAyYgASFYIOKnAwvw_lqz3GtkLyai840W9Eb09hoNF5V-MSG0EspAIlggmKw_sa02QdoAndf8kxlfR15OpAWL"
     "j6tEdoDzwRZTlXQ",
     "MEUCIH8CNtCkQh2BEtMpK62mA7BPK6wQkq02xVDsilFgUwabAiEAiZIgkC7vr6ysQkhNa_3FfaTrhmyJW2Sh-_lm"
     "kgLne98"},
    {"RS256", COSE_RS256,
     "pAEDAzkBACBZAQDeVwwZOQA-haCf_Mdx32CtyTIjoPFdlL2_DVRLeYOODoSo9mr_vNIzkr9L3qmeAy_3ZlE_Uk5E"
     "AFXsYEC5oMx_OCX5_w2pX8Ed--vGJheIjWYPqwatFjAdM5AnkwnGSNyPKfxkAgLbZ7CH_XQeQ2K33rw8k3lyPsZU"
     "kBxYHaUfzD8bkfUPckjRqGtrP9GmFvjpuWAL_5ueFuGwqvVE-xviib_-c5ggHxSx0UomxJkQCNrAH7ug2WUhOfij"
     "Jlb8NtYHIoRbJ8wh_DHnHrzeapdjm8VZaMto4WZlEVmo20q3qLRnskrlYgHVXo3p4jUqE0bo66JDd1dajLD01mxa"
     "FzpPIUMBAAE",
     "UlSh6QxiiGWGjMTsMZ_x8yw5gwyUNbMQzbUs9mflY987ry-WK782XuzYX2CdvJbFzzkLWAA8yVmLTbaVLtZhKa6Z"
     "KQkaKoqaXF2Sc0UlcnGSMLRD_ctK0KZZ12ct3E58s3N1_Y9uhxB77Ku5mF-rOGFvgO2nPbV6Yynygum_yVAKyy6N"
     "ZcUCvdx18BJlQjLtyDMOIk4yL9ap_33sGP74eoHFO72Z2B2XrYobTMeGA0_IeooB6tOT1M4Lap6G1iPcg5UwtWux"
     "8ac6hPspjOhcY8KFa4MeMlYUbt-CayIhlmMTys94SKy0QbK-xqFE0PEEfhPbXUMVJguSVr4nu2_A3Q"},
};

static void test_type(void **state)
{
    const struct type_case *row = *state;
    struct data data = begin_data(HOST, REGISTERED, 7);
    char *wrong = unit_copy(row->signature, strlen(row->signature) + 1);
    struct apw_method method, other;
    uint8_t key[512];
    size_t length;

    assert_int_equal(
        sodium_base642bin(key, sizeof key, row->key, strlen(row->key), NULL, &length, NULL, BASE64),
        0);
    put_credential(&data, 16, key, length);
    assert_ends(register_passkey(CREATE, &data, &method), NULL);
    assert_int_equal(method.algorithm, row->algorithm);
    method.flags = PRESENT;

    data = begin_data(HOST, PRESENT, 8);
    wrong[strlen(wrong) / 2] ^= 1;
    assert_ends(verify(GET, &data, wrong, &method), UNSIGNED);
    other = method;
    other.public_key[40] ^= 1;
    assert_ends(verify(GET, &data, row->signature, &other), UNSIGNED);
    other = method;
    other.public_key_length--;
    assert_ends(verify(GET, &data, row->signature, &other), UNSIGNED);
    other = method;
    has_memory = false;
    assert_int_equal(verify(GET, &data, row->signature, &other), -1);
    has_memory = true;
    last_error.text[0] = '\0';
    assert_ends(verify(GET, &data, row->signature, &method), NULL);
    assert_int_equal(method.counter, 8);
    free(wrong);
}

/* A type of key that we do not accept: secp256k1 (RFC 8812). */
static void test_unknown_type(void **state)
{
    static const uint8_t head[] = {0xa5, 1, 2, 3, 0x38, 46, 0x20, 8, 0x21, 0x58, 32};
    struct data data = begin_data(HOST, REGISTERED, 0);
    uint8_t key[sizeof head + 32 + 3 + 32] = {0};
    struct apw_method method;

    (void)state;
    memcpy(key, head, sizeof head);
    memcpy(key + sizeof head + 32, "\x22\x58\x20", 3);
    put_credential(&data, 16, key, sizeof key);
    assert_ends(register_passkey(CREATE, &data, &method),
                "the authenticator data have no key of a type that we accept");
}

/* ---- answers that cannot be read ---- */

#define UNREADABLE "the answer is not base64url, or too long"
#define MALFORMED  "the authenticator data or the signature are malformed"

/* The row replaces one part of a right answer. */
static const struct part_case {
    const char *name;
    size_t length; /* of so many "A"; 0: one that is no base64url */
    const char *client_error, *data_error, *signature_error;
} parts[] = {
    {"no base64url", 0, UNREADABLE, UNREADABLE, UNREADABLE},
    {"one character", 1, UNREADABLE, UNREADABLE, UNREADABLE},
    {"one byte", 2, IS_WRONG("are not a JSON object"), MALFORMED, UNSIGNED},
    {"513 bytes", 684, IS_WRONG("are not a JSON object"), UNSIGNED, UNREADABLE},
    {"2049 bytes", 2732, UNREADABLE, UNREADABLE, UNREADABLE},
};

static void test_part(void **state)
{
    const struct part_case *row = *state;
    struct apw_method method = own_method(0, PRESENT), before = method, made;
    struct data data = begin_data(HOST, PRESENT, 1);
    char *client = encode(GET, strlen(GET)), *authenticator = encode(data.bytes, data.length);
    char *create = encode(CREATE, strlen(CREATE)), *signature = sign(&data, GET);
    char *wrong = row->length > 0 ? unit_repeat("A", row->length) : unit_repeat("+/=", 1);
    const struct apw_passkey_response responses[] = {{wrong, authenticator, signature},
                                                     {client, wrong, signature},
                                                     {client, authenticator, wrong}};
    const char *const errors[] = {row->client_error, row->data_error, row->signature_error};

    for (size_t i = 0; i < UNIT_COUNT(responses); i++)
        assert_ends(apw_passkey_verify(&request, &responses[i], &method, &last_error), errors[i]);
    assert_memory_equal(&method, &before, sizeof method);
    assert_ends(apw_passkey_register(&request,
                                     &(struct apw_passkey_response){wrong, authenticator, NULL},
                                     &made, &last_error),
                row->client_error);
    assert_int_equal(apw_passkey_register(&request,
                                          &(struct apw_passkey_response){create, wrong, NULL},
                                          &made, &last_error),
                     -1);
    last_error.text[0] = '\0';
    free(client);
    free(create);
    free(authenticator);
    free(signature);
    free(wrong);
}

static void test_without_memory(void **state)
{
    struct data data = begin_data(HOST, PRESENT, 1), made = begin_data(HOST, REGISTERED, 0);
    char *signature = sign(&data, GET);
    struct apw_method method = own_method(0, PRESENT), registered;

    (void)state;
    put_own_credential(&made, 16);
    has_memory = false;
    assert_ends(verify(GET, &data, signature, &method), "out of memory");
    assert_int_equal(register_passkey(CREATE, &made, &registered), -1);
    has_memory = true;
    last_error.text[0] = '\0';
    assert_int_equal(method.counter, 0);
    free(signature);
}

/* ---- ids ---- */

static void test_ids(void **state)
{
    struct apw_method method = {
        .kind = APW_METHOD_PASSKEY, .credential = "\xfb\xff", .credential_length = 2};
    char text[APW_PASSKEY_CREDENTIAL_SIZE], one[APW_PASSKEY_CHALLENGE_SIZE],
        two[APW_PASSKEY_CHALLENGE_SIZE];

    (void)state;
    apw_passkey_credential(&method, text);
    assert_string_equal(text, "-_8");
    assert_true(apw_passkey_is(&method, "-_8"));
    assert_false(apw_passkey_is(&method, "-_9"));
    assert_false(apw_passkey_is(&method, ""));
    method.kind = APW_METHOD_APP;
    assert_false(apw_passkey_is(&method, "-_8"));

    apw_passkey_make_challenge(one);
    apw_passkey_make_challenge(two);
    assert_int_equal(strlen(one), APW_PASSKEY_CHALLENGE_SIZE - 1);
    assert_string_not_equal(one, two);
}

int main(void)
{
    authenticator_begin();
    UNIT_ROWS(clients, test_client_of_registration);
    UNIT_ROWS(clients, test_client_of_signature);
    UNIT_ROWS(registrations, test_registration);
    UNIT_ROWS(uses, test_use);
    UNIT_TEST("a signature is valid only for the data that it signs", test_signed);
    UNIT_ROWS(types, test_type);
    UNIT_TEST("a key of another type", test_unknown_type);
    UNIT_ROWS(parts, test_part);
    UNIT_TEST("without memory nothing is accepted", test_without_memory);
    UNIT_TEST("ids and challenges", test_ids);
    return unit_run();
}
