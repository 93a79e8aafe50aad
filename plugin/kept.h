/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kept: fronts, and their connections to the directory, that outlive a PAM transaction or a Lua
 * state. PAM loads the module for each login; Dovecot 2.4 has one Lua state for each protocol.
 */
#ifndef APW_KEPT_H
#define APW_KEPT_H

#include "error.h"
#include "front.h"

/* The front for that configuration, the same from the first call until the process ends. A front
 * with a broken configuration belongs to the caller alone, so that the next call reads the file
 * again. NULL only without memory or random numbers. Any thread may call, and a child of fork(). */
struct apw_front *apw_kept_take(const char *config_path, struct apw_error *error);

/* Gives the front back; takes a pointer to NULL. */
void apw_kept_give_back(struct apw_front **front);

#endif
