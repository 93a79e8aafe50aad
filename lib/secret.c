/* SPDX-License-Identifier: BSD-2-Clause */
#include "secret.h"
#include "ignorable.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int apw_secret_read(const char *path, char **secret_r, struct apw_error *error)
{
    char buffer[APW_SECRET_BYTES_MAX + 6]; /* a mark, a line end, and one byte too many */
    FILE *file = fopen(path, "re");
    const char *line = buffer;
    size_t length, mark;
    int status = -1;

    *secret_r = NULL;
    if (file == NULL)
        return apw_error_set(error, "%s: %s", path, strerror(errno));
    setvbuf(file, NULL, _IONBF, 0); /* stdio would not wipe its buffer */
    length = fread(buffer, 1, sizeof buffer, file);
    if (ferror(file)) {
        apw_error_set(error, "%s: %s", path, strerror(errno));
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
                      path, APW_SECRET_BYTES_MAX);
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
