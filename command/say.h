/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * say: messages for people, on standard error. Standard output carries results only.
 */
#ifndef APW_SAY_H
#define APW_SAY_H

#include "status.h"

/* Replaces control characters, changes of direction and invalid UTF-8 by question marks, so that
 * data from the directory cannot control a terminal. Returns `text`. */
char *apw_say_printable(char *text);

/* Writes "app-password: about: …", made printable; `about` may be NULL. */
void apw_say(const char *about, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes "app-password: …" and a pointer to --help; returns APW_STATUS_USAGE. */
enum apw_status apw_say_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
