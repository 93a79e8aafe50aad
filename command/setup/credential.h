/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * credential: random passwords and keys.
 */
#ifndef APW_SETUP_CREDENTIAL_H
#define APW_SETUP_CREDENTIAL_H

#include "setup/folder.h"

/* Fails if a secret is there only as an encrypted credential of systemd. */
int apw_setup_credential_check(const char *path, struct apw_error *error);

/* A password in a file to be installed: that of the file that is there, or a new one. */
int apw_setup_credential_write(struct apw_setup_folder *folder, const struct apw_setup_file *file,
                               struct apw_error *error);

/* A key of 32 bytes in Base64. The caller wipes and frees it. NULL if out of memory. */
char *apw_setup_credential_make_key(void);

#endif
