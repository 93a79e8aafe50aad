/* SPDX-License-Identifier: BSD-2-Clause */
/* The input of the self-service page: fields in parts of any length, the path, the language, a
 * code, Outlook's request. The path's reader is private to http.c, so it is included whole. */
#include "web/http.c"

#include "autodiscover.h"
#include "form_fields.h"
#include "fuzz.h"
#include "totp.h"

/* The next part: a byte for the field, one for its length. */
static size_t take_part(struct apw_form *form, char whole[][2048], size_t lengths[],
                        const uint8_t *at, size_t left)
{
    size_t which = at[0] % (APW_FIELD_COUNT + 1), length = at[1];
    bool is_declared = which < APW_FIELD_COUNT;
    const char *key = is_declared ? apw_form_fields.field[which].name : "other";

    length = length < left - 2 ? length : left - 2;
    FUZZ_MUST(take_field(form, MHD_POSTDATA_KIND, key, NULL, NULL, NULL, (const char *)at + 2,
                         is_declared ? lengths[which] : 0, length) == MHD_YES);
    if (is_declared && lengths[which] + length < 2048) {
        memcpy(whole[which] + lengths[which], at + 2, length);
        lengths[which] += length;
    }
    return length + 2;
}

/* A form that is not bad has exactly the values that were sent, each within its bound. */
static void try_form(const uint8_t *bytes, size_t length)
{
    static char whole[APW_FIELD_COUNT][2048];
    size_t lengths[APW_FIELD_COUNT] = {0};
    struct apw_form form;

    memset(whole, 0, sizeof whole);
    FUZZ_MUST(apw_form_begin(&apw_form_fields, &form) == 0);
    for (size_t at = 0; at + 2 <= length;)
        at += take_part(&form, whole, lengths, bytes + at, length - at);
    for (size_t i = 0; i < APW_FIELD_COUNT; i++) {
        const char *value = apw_form_value(&form, i);

        FUZZ_MUST(strlen(value) <= apw_form_fields.field[i].bytes_max);
        if (!form.is_bad)
            FUZZ_MUST(strlen(value) == lengths[i] && memcmp(value, whole[i], lengths[i]) == 0);
        apw_form_check(&form, i);
    }
    apw_form_free(&form);
}

static void try_text(const char *text)
{
    static const struct apw_languages languages = {
        .count = 3, .language = {{.code = "en"}, {.code = "nb"}, {.code = "pt-BR"}}};
    static const struct apw_method method = {.kind = APW_METHOD_APP, .secret = {1, 2, 3}};
    char code[APW_TOTP_DIGITS + 1], path[APW_PATH_SIZE], uri[APW_TOTP_URI_SIZE];
    const char *below = path_below("/app-password", text, path);

    FUZZ_MUST(apw_language_choose(&languages, text) < languages.count);
    if (below != NULL)
        FUZZ_MUST(strlen(below) < sizeof path);
    if (apw_totp_canonicalize_code(text, code) == 0)
        FUZZ_MUST(strlen(code) == APW_TOTP_DIGITS && strspn(code, "0123456789") == APW_TOTP_DIGITS);
    if (apw_totp_uri(&method, "mail.example.org", text, uri) == 0)
        FUZZ_MUST(strncmp(uri, "otpauth://totp/", 15) == 0 && fuzz_is_one_line(uri) &&
                  strpbrk(uri, " \"<>'") == NULL);
}

/* An address that was read is one, and stands there. */
static void try_autodiscover(const uint8_t *bytes, size_t length)
{
    char address[APW_MAIL_ADDRESS_SIZE];

    if (apw_autodiscover_read((const char *)bytes, length, address) != 0) {
        FUZZ_MUST(address[0] == '\0');
        return;
    }
    FUZZ_MUST(apw_mail_address_is_valid(address) && fuzz_is_one_line(address));
    FUZZ_MUST(memmem(bytes, length, address, strlen(address)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = fuzz_text(bytes, length);

    try_form(bytes, length);
    try_text(text);
    try_autodiscover(bytes, length);
    free(text);
    return 0;
}
