/* What a browser sends to the self-service page: fields in stretches of any length, the path, the
 * language, a code. The form's own reader is in http.c, which stands here whole. */
#include "web/http.c"

#include "fuzz.h"
#include "totp.h"
#include "web/language.h"
#include <sodium.h>

/* The next stretch: a byte for the field, one for its length. */
static size_t take_stretch(struct apw_form *form, char whole[][2048], size_t lengths[],
                           const uint8_t *at, size_t left)
{
    const size_t count = sizeof fields / sizeof fields[0];
    size_t which = at[0] % (count + 1), length = at[1];
    const char *key = which < count ? fields[which].name : "other";

    length = length < left - 2 ? length : left - 2;
    FUZZ_MUST(take_field(form, MHD_POSTDATA_KIND, key, NULL, NULL, NULL, (const char *)at + 2,
                         which < count ? lengths[which] : 0, length) == MHD_YES);
    if (which < count && lengths[which] + length < 2048) {
        memcpy(whole[which] + lengths[which], at + 2, length);
        lengths[which] += length;
    }
    return length + 2;
}

/* A form that is not bad holds exactly what was sent, each field ended by its only NUL. */
static void try_form(const uint8_t *bytes, size_t length)
{
    enum { COUNT = sizeof fields / sizeof fields[0] };
    static char whole[COUNT][2048];
    size_t lengths[COUNT] = {0};
    struct apw_form form = {.is_bad = false};

    memset(whole, 0, sizeof whole);
    for (size_t at = 0; at + 2 <= length;)
        at += take_stretch(&form, whole, lengths, bytes + at, length - at);
    for (size_t i = 0; i < COUNT; i++) {
        const char *value = (const char *)&form + fields[i].offset;

        FUZZ_MUST(memchr(value, '\0', fields[i].size) != NULL);
        if (!form.is_bad)
            FUZZ_MUST(strlen(value) == lengths[i] && memcmp(value, whole[i], lengths[i]) == 0);
    }
}

static void try_text(const char *text)
{
    static const struct apw_languages languages = {.count = 3, .code = {"en", "nb", "pt-BR"}};
    static const struct apw_method method = {.kind = APW_METHOD_APP, .secret = {1, 2, 3}};
    char code[APW_TOTP_DIGITS + 1], path[256], uri[APW_TOTP_URI_SIZE];
    const char *below = path_below("/app-password", text, path);

    FUZZ_MUST(apw_language_choose(&languages, text) < languages.count);
    if (below != NULL)
        FUZZ_MUST(strlen(below) < sizeof path);
    if (apw_code_canonicalise(text, code) == 0)
        FUZZ_MUST(strlen(code) == APW_TOTP_DIGITS && strspn(code, "0123456789") == APW_TOTP_DIGITS);
    if (apw_totp_uri(&method, "mail.example.org", text, uri) == 0)
        FUZZ_MUST(strncmp(uri, "otpauth://totp/", 15) == 0 && fuzz_is_one_line(uri) &&
                  strpbrk(uri, " \"<>'") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = fuzz_text(bytes, length);

    try_form(bytes, length);
    try_text(text);
    free(text);
    return 0;
}
