/* SPDX-License-Identifier: BSD-2-Clause */
/* Signed profiles. The tests of tests/live read them with openssl(1). */
#include "memory_search.h"
#include "profile_signer.h"
#include "unit.h"
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <sys/stat.h>
#include <time.h>

#define DAY    86400
#define BEGIN  "<plist>"
#define END    "</plist>"
#define NUMBER 100 /* characters of a profile around the secret, several blocks of the digest */

/* ---- a certificate of its own signer, valid for two days ---- */

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);

    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 2 * DAY);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"us", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

static void write_files(EVP_PKEY *key, const char *certificate_path, const char *key_path)
{
    X509 *certificate = make_certificate(key);
    FILE *file = fopen(certificate_path, "we");

    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
    file = fopen(key_path, "we");
    setvbuf(file, NULL, _IONBF, 0); /* one test looks for what is left of the text */
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    assert_int_equal(chmod(key_path, 0600), 0);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static struct apw_profile_signer *make_signer(EVP_PKEY *key)
{
    char certificate_path[UNIT_PATH_SIZE], key_path[UNIT_PATH_SIZE];
    struct apw_profile_signer *signer;
    struct apw_error error = {""};

    write_files(key, unit_path("certificate", certificate_path), unit_path("key", key_path));
    if (apw_profile_signer_new(certificate_path, &signer, &error) != 0 ||
        apw_profile_signer_set_key(signer, key_path, &error) != 0)
        fail_msg("%s", error.text);
    assert_true(apw_profile_signer_has_key(signer));
    return signer;
}

/* The content of a signed profile. */
static char *read_signed(const struct apw_buffer *profile, size_t *length_r)
{
    const unsigned char *bytes = (const unsigned char *)profile->bytes;
    CMS_ContentInfo *signature = d2i_CMS_ContentInfo(NULL, &bytes, (long)profile->length);
    BIO *content = BIO_new(BIO_s_mem());
    char *start, *copy;

    assert_non_null(signature);
    assert_ptr_equal(bytes, profile->bytes + profile->length);
    assert_int_equal(
        CMS_verify(signature, NULL, NULL, NULL, content, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY),
        1);
    *length_r = (size_t)BIO_get_mem_data(content, &start);
    copy = malloc(*length_r + 1);
    memcpy(copy, start, *length_r);
    BIO_free(content);
    CMS_ContentInfo_free(signature);
    return copy;
}

static void assert_signs(EVP_PKEY *key)
{
    struct apw_profile_signer *signer = make_signer(key);
    struct apw_buffer profile = {.bytes = NULL};
    struct apw_error error = {""};
    size_t length;
    char *content;

    apw_buffer_add(&profile, "a\nb\r\n\0c", 7);
    assert_int_equal(apw_profile_signer_sign(signer, &profile, &error), 0);
    content = read_signed(&profile, &length);
    assert_int_equal(length, 7);
    assert_memory_equal(content, "a\nb\r\n\0c", 7);
    free(content);
    apw_buffer_free(&profile);
    apw_profile_signer_free(&signer);
    assert_null(signer);
    apw_profile_signer_free(&signer);
}

static void test_ec(void **state)
{
    (void)state;
    assert_signs(EVP_EC_gen("P-256"));
}

static void test_rsa(void **state)
{
    (void)state;
    assert_signs(EVP_RSA_gen(2048));
}

/* ---- the end of the certificate ---- */

static void test_end(void **state)
{
    struct apw_profile_signer *signer = make_signer(EVP_EC_gen("P-256"));
    int64_t now = (int64_t)time(NULL), end = now + 2 * DAY;
    struct apw_error text;

    (void)state;
    assert_true(apw_profile_signer_is_valid(signer, now));
    assert_true(apw_profile_signer_is_valid(signer, end - 60));
    assert_false(apw_profile_signer_is_valid(signer, end + 60));
    assert_false(apw_profile_signer_is_valid(signer, now - 2 * DAY));
    assert_true(apw_profile_signer_is_good_for(signer, end - DAY - 60, 1));
    assert_false(apw_profile_signer_is_good_for(signer, end - DAY + 60, 1));
    assert_false(apw_profile_signer_is_good_for(signer, now - 2 * DAY, 3));
    apw_profile_signer_describe(signer, now, &text);
    assert_contains(text.text, "the certificate expires on ");
    apw_profile_signer_describe(signer, end + 60, &text);
    assert_contains(text.text, "the certificate expired on ");
    apw_profile_signer_describe(signer, now - 2 * DAY, &text);
    assert_contains(text.text, "the certificate is not valid before ");
    apw_profile_signer_free(&signer);
}

static void test_news(void **state)
{
    struct apw_profile_signer *signer = make_signer(EVP_EC_gen("P-256"));
    int64_t now = (int64_t)time(NULL);

    (void)state;
    assert_true(apw_profile_signer_is_news(signer, now));
    assert_false(apw_profile_signer_is_news(signer, now));
    assert_false(apw_profile_signer_is_news(signer, now + DAY - 1));
    assert_true(apw_profile_signer_is_news(signer, now + DAY));
    assert_false(apw_profile_signer_is_news(signer, now + DAY));
    apw_profile_signer_free(&signer);
}

/* ---- secrets ---- */

#ifndef UNIT_HAS_ASAN
/* A profile with the secret in the middle of it. */
static void fill(struct apw_buffer *profile, char *secret)
{
    for (int i = 0; i < NUMBER; i++)
        apw_buffer_add_string(profile, BEGIN);
    apw_buffer_add_string(profile, secret);
    for (int i = 0; i < NUMBER; i++)
        apw_buffer_add_string(profile, END);
    memory_search_for(0, secret);
    sodium_memzero(secret, strlen(secret));
}

static char *make_secret(void)
{
    char *secret = malloc(21);

    for (int i = 0; i < 20; i++)
        secret[i] = (char)('a' + randombytes_uniform(26));
    secret[20] = '\0';
    return secret;
}

static void test_wiped(void **state)
{
    struct apw_profile_signer *signer = make_signer(EVP_EC_gen("P-256"));
    struct apw_buffer profile = {.bytes = NULL};
    struct apw_error error = {""};
    char *secret = make_secret();

    (void)state;
    fill(&profile, secret);
    assert_int_equal(memory_search_count(), 1);
    assert_int_equal(apw_profile_signer_sign(signer, &profile, &error), 0);
    assert_int_equal(memory_search_count(), 1); /* inside the signed one */
    apw_buffer_free(&profile);
    assert_int_equal(memory_search_count(), 0);
    apw_profile_signer_free(&signer);
    free(secret);
}

/* The start of the last but one line of the key: what comes first is overwritten soon. */
static void read_line(const char *path, char line_r[32])
{
    FILE *file = fopen(path, "re");
    char lines[4][128] = {""};
    int count = 0;

    assert_non_null(file);
    setvbuf(file, NULL, _IONBF, 0);
    while (fgets(lines[count % 4], sizeof lines[0], file) != NULL)
        count++;
    fclose(file);
    memcpy(line_r, lines[(count - 3) % 4], 31);
    line_r[31] = '\0';
    sodium_memzero(lines, sizeof lines);
}

static void test_key_file_wiped(void **state)
{
    char key_path[UNIT_PATH_SIZE], line[32];
    struct apw_profile_signer *signer = make_signer(EVP_RSA_gen(2048));

    (void)state;
    read_line(unit_path("key", key_path), line);
    memory_search_for(0, line);
    sodium_memzero(line, sizeof line);
    assert_int_equal(memory_search_count(), 0);
    apw_profile_signer_free(&signer);
}
#endif

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    UNIT_TEST("an EC key signs", test_ec);
    UNIT_TEST("an RSA key signs", test_rsa);
    UNIT_TEST("a certificate is valid until its end", test_end);
    UNIT_TEST("the end of a certificate is news once a day", test_news);
#ifndef UNIT_HAS_ASAN
    UNIT_TEST("no copy of a profile stays in memory", test_wiped);
    UNIT_TEST("no text of the key's file stays in memory", test_key_file_wiped);
#endif
    return unit_run();
}
