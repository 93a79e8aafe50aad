/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * secret: passwords in files and strings.
 */
#ifndef APW_SECRET_H
#define APW_SECRET_H

#include "error.h"

/* Of any password: sent by a client, kept in a file, typed at a prompt. */
#define APW_SECRET_BYTES_MAX 1024

/* Reads a file of one line, without the line end (LF or CR LF) and a byte-order mark. The caller
 * frees it with apw_secret_free(). */
int apw_secret_read(const char *path, char **secret_r, struct apw_error *error);

/* What looks wrong in the secret, such as "ends in white space …"; NULL if nothing does. */
const char *apw_secret_stray(const char *secret);

void apw_secret_free(char **secret); /* wipes; takes NULL */

#endif
