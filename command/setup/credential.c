/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/credential.h"
#include "setup/text.h"
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_BYTES 24
#define KEY_BYTES    32

/* Random bytes as text. Without a line end, which ldappasswd would take for a part of the
 * password. */
static char *make_secret(size_t bytes, int variant)
{
    unsigned char random[KEY_BYTES];
    size_t size = sodium_base64_ENCODED_LEN(bytes, variant);
    char *text = malloc(size);

    randombytes_buf(random, bytes);
    if (text != NULL)
        sodium_bin2base64(text, size, random, bytes, variant);
    sodium_memzero(random, sizeof random);
    return text;
}

/* Active Directory demands three kinds of characters. */
static bool has_all_kinds(const char *text)
{
    return strpbrk(text, "0123456789") != NULL &&
           strpbrk(text, "abcdefghijklmnopqrstuvwxyz") != NULL &&
           strpbrk(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL;
}

static char *make_password(void)
{
    char *text = NULL;

    do {
        free(text);
        text = make_secret(SECRET_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    } while (text != NULL && !has_all_kinds(text));
    return text;
}

int apw_setup_credential_check(const char *path, struct apw_error *error)
{
    char encrypted[PATH_MAX];

    snprintf(encrypted, sizeof encrypted, "/etc/credstore.encrypted%s", strrchr(path, '/'));
    if (access(path, F_OK) == 0 || access(encrypted, F_OK) != 0)
        return 0;
    return apw_error_set(error,
                         "%s is in use but encrypted, and setup would make another one; first run "
                         "\"systemd-creds decrypt %s %s\"",
                         path, encrypted, path);
}

/* One that is there is in use. */
int apw_setup_credential_write(struct apw_setup_folder *folder, const struct apw_setup_file *file,
                               struct apw_error *error)
{
    char *secret;

    if (apw_setup_credential_check(file->path, error) != 0)
        return -1;
    secret = apw_setup_text_read(file->path, NULL);
    if (secret != NULL)
        secret[strcspn(secret, "\r\n")] = '\0';
    if (secret == NULL || *secret == '\0') {
        free(secret);
        secret = make_password();
    }
    return apw_setup_folder_install(folder, file, secret, error);
}

char *apw_setup_credential_make_key(void)
{
    return make_secret(KEY_BYTES, sodium_base64_VARIANT_ORIGINAL);
}
