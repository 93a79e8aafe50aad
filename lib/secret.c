/* SPDX-License-Identifier: BSD-2-Clause */
#include "secret.h"
#include "ignorable.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

void apw_secret_locate(const char *path, char place_r[PATH_MAX])
{
    const char *folder = secure_getenv("CREDENTIALS_DIRECTORY");

    if (folder == NULL || snprintf(place_r, PATH_MAX, "%s/%s", folder, name_of(path)) >= PATH_MAX ||
        (access(place_r, F_OK) != 0 && errno == ENOENT))
        snprintf(place_r, PATH_MAX, "%s", path);
}

/* `place_r` is the path of what was opened. */
static FILE *open_secret(const char *path, char place_r[PATH_MAX], struct apw_error *error)
{
    FILE *file;

    apw_secret_locate(path, place_r);
    file = fopen(place_r, "re");
    if (file == NULL && strcmp(place_r, path) != 0)
        apw_error_set(error, "%s: %s", place_r, strerror(errno));
    else if (file == NULL)
        apw_error_set(error, "%s: %s, and no credential \"%s\" from systemd", path, strerror(errno),
                      name_of(path));
    return file;
}

int apw_secret_read(const char *path, char **secret_r, struct apw_error *error)
{
    char buffer[APW_SECRET_BYTES_MAX + 6]; /* a mark, a line end, and one byte too many */
    char place[PATH_MAX];
    FILE *file = open_secret(path, place, error);
    const char *line = buffer;
    size_t length, mark;
    int status = -1;

    *secret_r = NULL;
    if (file == NULL)
        return -1;
    setvbuf(file, NULL, _IONBF, 0); /* stdio would not wipe its buffer */
    length = fread(buffer, 1, sizeof buffer, file);
    if (ferror(file)) {
        apw_error_set(error, "%s: %s", place, strerror(errno));
        goto out;
    }
    mark = apw_ignorable_mark_bytes(buffer, length);
    line += mark;
    length -= mark;
    if (length > 0 && line[length - 1] == '\n')
        length--;
    if (length > 0 && line[length - 1] == '\r')
        length--;
    if (length == 0 || length > APW_SECRET_BYTES_MAX || memchr(line, '\0', length) != NULL ||
        memchr(line, '\n', length) != NULL) {
        apw_error_set(error, "%s: the file must contain one line, the password, of 1 to %d bytes",
                      place, APW_SECRET_BYTES_MAX);
        goto out;
    }
    *secret_r = malloc(length + 1);
    if (*secret_r == NULL) {
        apw_error_set(error, "out of memory");
        goto out;
    }
    memcpy(*secret_r, line, length);
    (*secret_r)[length] = '\0';
    status = 0;
out:
    sodium_memzero(buffer, sizeof buffer);
    fclose(file);
    return status;
}

static int check_mode(FILE *file, const char *path, struct apw_error *error)
{
    struct stat status;

    if (fstat(fileno(file), &status) != 0)
        return apw_error_set(error, "%s: %s", path, strerror(errno));
    return (status.st_mode & (S_IRWXO | S_IWGRP)) == 0
               ? 0
               : apw_error_set(
                     error,
                     "%s has mode %04o: others can read or change it; chmod 0600, or 0640 "
                     "for a group that must read it",
                     path, (unsigned)(status.st_mode & 07777));
}

int apw_secret_read_text(const char *path, char **text_r, struct apw_error *error)
{
    char *text = calloc(1, APW_SECRET_TEXT_MAX + 2); /* one byte too many, and the NUL */
    char place[PATH_MAX];
    FILE *file = NULL;
    size_t length = 0;
    int status = -1;

    *text_r = NULL;
    if (text == NULL) {
        apw_error_set(error, "out of memory");
        goto out;
    }
    file = open_secret(path, place, error);
    if (file == NULL)
        goto out;
    setvbuf(file, NULL, _IONBF, 0);
    if (check_mode(file, place, error) != 0)
        goto out;
    length = fread(text, 1, APW_SECRET_TEXT_MAX + 1, file);
    if (ferror(file)) {
        apw_error_set(error, "%s: %s", place, strerror(errno));
        goto out;
    }
    if (length == 0 || length > APW_SECRET_TEXT_MAX || memchr(text, '\0', length) != NULL) {
        apw_error_set(error, "%s: the file must contain text of 1 to %d bytes", place,
                      APW_SECRET_TEXT_MAX);
        goto out;
    }
    *text_r = text;
    status = 0;
out:
    if (file != NULL)
        fclose(file);
    if (status != 0 && text != NULL) {
        sodium_memzero(text, length);
        free(text);
    }
    return status;
}

const char *apw_secret_stray(const char *secret)
{
    size_t length = strlen(secret), trimmed = length;
    const char *start = secret;

    if (apw_ignorable_bytes(secret, length) > 0)
        return "begins with white space or an invisible character";
    apw_ignorable_trim(&start, &trimmed);
    return trimmed < length ? "ends in white space or an invisible character" : NULL;
}

void apw_secret_free(char **secret)
{
    if (*secret != NULL)
        sodium_memzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}
