/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * secret: passwords in files and strings.
 *
 * If systemd passes a credential with the name of the file, without its folders, this is read in
 * place of the file (systemd.exec(5), LoadCredential). Set-user-ID programs ignore credentials.
 */
#ifndef APW_SECRET_H
#define APW_SECRET_H

#include "error.h"
#include <limits.h>

/* Of any password: sent by a client, kept in a file, typed at a prompt. */
#define APW_SECRET_BYTES_MAX 1024

/* Of a whole file, such as a private key. */
#define APW_SECRET_TEXT_MAX 16384

/* The path of the credential, or `path` if there is none. A credential that cannot be read counts:
 * the file could be an older one. */
void apw_secret_locate(const char *path, char place_r[PATH_MAX]);

/* Reads a file of one line, without the line end (LF or CR LF) and a byte-order mark. The caller
 * frees it with apw_secret_free(). */
int apw_secret_read(const char *path, char **secret_r, struct apw_error *error);

/* Reads a whole file of text. Its owner and group alone may read it, and its owner alone may write
 * it. The caller frees it with apw_secret_free(). */
int apw_secret_read_text(const char *path, char **text_r, struct apw_error *error);

/* What looks wrong in the secret, such as "ends in white space …"; NULL if nothing does. */
const char *apw_secret_stray(const char *secret);

void apw_secret_free(char **secret); /* wipes; takes NULL */

#endif
