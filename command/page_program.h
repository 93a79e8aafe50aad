/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_program: app-password-portal, for commands that need the settings, the key and the mails of
 * the page.
 */
#ifndef APW_PAGE_PROGRAM_H
#define APW_PAGE_PROGRAM_H

#include "status.h"

#define APW_PAGE_PROGRAM "app-password-portal"

/* Whether the page's files are on this host and may be read. Says why not; `command` and `reason`
 * are words for that, like "invite" and "--mail". */
enum apw_status apw_page_program_check(const char *config_path, const char *command,
                                       const char *reason);

/* The status of the command for the exit status of the program, which is -1 if it could not be run
 * or was ended. */
enum apw_status apw_page_program_status(int status);

#endif
