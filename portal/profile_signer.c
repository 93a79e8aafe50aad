/* SPDX-License-Identifier: BSD-2-Clause */
#include "profile_signer.h"
#include "secret.h"
#include <errno.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_S     86400
#define DATE_SIZE 32

struct apw_profile_signer {
    char *path; /* of the certificate */
    X509 *certificate;
    STACK_OF(X509) * intermediates;
    EVP_PKEY *key;      /* NULL until it is set */
    int64_t begin, end; /* of the certificate's validity */
    _Atomic int64_t next_news;
};

/* What libcrypto complained about last. */
static const char *take_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return reason != NULL ? reason : "out of memory";
}

/* ---- the certificate ---- */

static void write_date(int64_t when, char date_r[DATE_SIZE])
{
    time_t seconds = (time_t)when;
    struct tm utc;

    if (gmtime_r(&seconds, &utc) == NULL ||
        strftime(date_r, DATE_SIZE, "%Y-%m-%d %H:%M UTC", &utc) == 0)
        strcpy(date_r, "an unknown date");
}

static int read_time(const ASN1_TIME *from, int64_t *when_r)
{
    struct tm utc;

    if (ASN1_TIME_to_tm(from, &utc) != 1)
        return -1;
    *when_r = (int64_t)timegm(&utc);
    return 0;
}

/* Each certificate of the file: the first is that of the signer. */
static int read_certificates(struct apw_profile_signer *signer, BIO *file, struct apw_error *error)
{
    X509 *certificate;

    while ((certificate = PEM_read_bio_X509(file, NULL, NULL, NULL)) != NULL) {
        if (signer->certificate == NULL) {
            signer->certificate = certificate;
        } else if (sk_X509_push(signer->intermediates, certificate) == 0) {
            X509_free(certificate);
            return apw_error_set(error, "out of memory");
        }
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return apw_error_set(error, "%s: a certificate that cannot be read: %s", signer->path,
                             take_reason());
    ERR_clear_error();
    return signer->certificate != NULL
               ? 0
               : apw_error_set(error, "%s has no certificate in PEM form", signer->path);
}

static int read_file(struct apw_profile_signer *signer, struct apw_error *error)
{
    FILE *stream = fopen(signer->path, "re");
    BIO *file;
    int status;

    if (stream == NULL)
        return apw_error_set(error, "%s: %s", signer->path, strerror(errno));
    file = BIO_new_fp(stream, BIO_NOCLOSE);
    status = file != NULL ? read_certificates(signer, file, error)
                          : apw_error_set(error, "out of memory");
    BIO_free(file);
    fclose(stream);
    return status;
}

static int read_validity(struct apw_profile_signer *signer, struct apw_error *error)
{
    return read_time(X509_get0_notBefore(signer->certificate), &signer->begin) == 0 &&
                   read_time(X509_get0_notAfter(signer->certificate), &signer->end) == 0
               ? 0
               : apw_error_set(error, "%s: the certificate has no valid dates", signer->path);
}

int apw_profile_signer_new(const char *certificate, struct apw_profile_signer **signer_r,
                           struct apw_error *error)
{
    struct apw_profile_signer *signer = calloc(1, sizeof *signer);

    *signer_r = signer;
    if (signer == NULL || (signer->path = strdup(certificate)) == NULL ||
        (signer->intermediates = sk_X509_new_null()) == NULL)
        apw_error_set(error, "out of memory");
    else if (read_file(signer, error) == 0 && read_validity(signer, error) == 0)
        return 0;
    apw_profile_signer_free(signer_r);
    return -1;
}

void apw_profile_signer_free(struct apw_profile_signer **signer)
{
    if (*signer == NULL)
        return;
    EVP_PKEY_free((*signer)->key); /* wipes it */
    X509_free((*signer)->certificate);
    sk_X509_pop_free((*signer)->intermediates, X509_free);
    free((*signer)->path);
    free(*signer);
    *signer = NULL;
}

bool apw_profile_signer_is_valid(const struct apw_profile_signer *signer, int64_t now)
{
    return now >= signer->begin && now <= signer->end;
}

bool apw_profile_signer_is_good_for(const struct apw_profile_signer *signer, int64_t now, int days)
{
    return apw_profile_signer_is_valid(signer, now) &&
           apw_profile_signer_is_valid(signer, now + days * DAY_S);
}

void apw_profile_signer_describe(const struct apw_profile_signer *signer, int64_t now,
                                 struct apw_error *text_r)
{
    bool is_early = now < signer->begin;
    char date[DATE_SIZE];

    write_date(is_early ? signer->begin : signer->end, date);
    apw_error_set(text_r, "profile_certificate %s: the certificate %s %s", signer->path,
                  is_early                                   ? "is not valid before"
                  : apw_profile_signer_is_valid(signer, now) ? "expires on"
                                                             : "expired on",
                  date);
}

bool apw_profile_signer_is_news(struct apw_profile_signer *signer, int64_t now)
{
    int64_t next = atomic_load(&signer->next_news);

    return now >= next && atomic_compare_exchange_strong(&signer->next_news, &next, now + DAY_S);
}

/* ---- the key ---- */

/* The page has nobody to ask. */
static int refuse_passphrase(char *text, int size, int is_writing, void *is_encrypted)
{
    (void)text;
    (void)size;
    (void)is_writing;
    *(bool *)is_encrypted = true;
    return -1;
}

static EVP_PKEY *read_key(const char *text, const char *path, struct apw_error *error)
{
    BIO *file = BIO_new_mem_buf(text, -1);
    bool is_encrypted = false;
    EVP_PKEY *key =
        file == NULL ? NULL : PEM_read_bio_PrivateKey(file, NULL, refuse_passphrase, &is_encrypted);

    BIO_free(file);
    ERR_clear_error();
    if (is_encrypted)
        apw_error_set(error,
                      "%s: the key is encrypted, and the page cannot ask for a passphrase; "
                      "\"openssl pkey -in %s\" prints it without",
                      path, path);
    else if (key == NULL)
        apw_error_set(error, "%s has no private key in PEM form", path);
    return key;
}

static int check_key(const struct apw_profile_signer *signer, const char *path,
                     struct apw_error *error)
{
    int type = EVP_PKEY_get_base_id(signer->key);
    bool is_matching = X509_check_private_key(signer->certificate, signer->key) == 1;

    ERR_clear_error();
    if (!is_matching)
        return apw_error_set(error,
                             "%s is not the key of the first certificate in %s; that must be the "
                             "signer's own, before its intermediates",
                             path, signer->path);
    return type == EVP_PKEY_RSA || type == EVP_PKEY_EC
               ? 0
               : apw_error_set(error, "%s: the key must be of the type RSA or EC", path);
}

int apw_profile_signer_set_key(struct apw_profile_signer *signer, const char *key,
                               struct apw_error *error)
{
    struct apw_buffer trial = {.bytes = NULL};
    char *text;
    int status = -1;

    if (apw_secret_read_text(key, &text, error) != 0)
        return -1;
    signer->key = read_key(text, key, error);
    apw_secret_free(&text);
    if (signer->key == NULL || check_key(signer, key, error) != 0)
        return -1;
    apw_buffer_add_string(&trial, "<plist/>");
    status = apw_profile_signer_sign(signer, &trial, error);
    apw_buffer_free(&trial);
    return status == 0 ? 0 : apw_error_set(error, "%s: %s", key, error->text);
}

bool apw_profile_signer_has_key(const struct apw_profile_signer *signer)
{
    return signer->key != NULL;
}

/* ---- signing ---- */

/* Digests the profile and signs. Not with CMS_final(), whose buffers would keep the profile. */
static bool make_signature(CMS_ContentInfo *signature, const struct apw_buffer *profile)
{
    BIO *digest = CMS_dataInit(signature, NULL);
    bool is_made =
        digest != NULL &&
        BIO_write(digest, profile->bytes, (int)profile->length) == (int)profile->length &&
        BIO_flush(digest) == 1 && CMS_dataFinal(signature, digest) == 1;

    BIO_free_all(digest);
    return is_made;
}

/* A copy, which remove_content() wipes. */
static bool add_content(CMS_ContentInfo *signature, const struct apw_buffer *profile)
{
    ASN1_OCTET_STRING **content = CMS_get0_content(signature);

    *content = ASN1_OCTET_STRING_new();
    return *content != NULL &&
           ASN1_OCTET_STRING_set(*content, (const unsigned char *)profile->bytes,
                                 (int)profile->length) == 1;
}

static void remove_content(CMS_ContentInfo *signature)
{
    ASN1_OCTET_STRING **content = CMS_get0_content(signature);

    ASN1_STRING_clear_free(*content);
    *content = NULL;
}

static bool encode(const CMS_ContentInfo *signature, struct apw_buffer *profile)
{
    int length = i2d_CMS_ContentInfo(signature, NULL);
    unsigned char *bytes = length > 0 ? malloc((size_t)length) : NULL, *end = bytes;

    bool is_encoded = bytes != NULL && i2d_CMS_ContentInfo(signature, &end) == length;

    if (bytes == NULL)
        return false;
    if (is_encoded) {
        apw_buffer_free(profile);
        apw_buffer_add(profile, (const char *)bytes, (size_t)length);
    }
    sodium_memzero(bytes, (size_t)length);
    free(bytes);
    return is_encoded && !profile->is_broken;
}

int apw_profile_signer_sign(const struct apw_profile_signer *signer, struct apw_buffer *profile,
                            struct apw_error *error)
{
    const unsigned flags = CMS_PARTIAL | CMS_BINARY | CMS_DETACHED | CMS_NOSMIMECAP;
    CMS_ContentInfo *signature = CMS_sign(NULL, NULL, signer->intermediates, NULL, flags);
    bool is_signed = false;

    if (signature == NULL)
        return apw_error_set(error, "cannot sign: %s", take_reason());
    if (CMS_add1_signer(signature, signer->certificate, signer->key, EVP_sha256(), flags) != NULL &&
        make_signature(signature, profile) && add_content(signature, profile))
        is_signed = encode(signature, profile);
    remove_content(signature);
    CMS_ContentInfo_free(signature);
    return is_signed ? 0 : apw_error_set(error, "cannot sign: %s", take_reason());
}
