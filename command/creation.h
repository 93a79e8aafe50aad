/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * creation: what making one app password and making many have in common.
 */
#ifndef APW_CREATION_H
#define APW_CREATION_H

#include "error.h"
#include "status.h"
#include "user.h"
#include <signal.h>

/* Says why none was made, and what helps. `about` is for people. */
enum apw_status apw_creation_complain(const struct apw_config *config, const char *about,
                                      enum apw_manage_result result, const struct apw_error *error);

/* Revokes an app password that could not be printed, for the reason in errno, and says so. */
enum apw_status apw_creation_take_back(const struct apw_manager *manager, const char *login,
                                       const char *id);

/* Ctrl-C and other requests to end wait while an app password is made, because one that is stored
 * and not yet printed would stay valid and unseen. SIGQUIT still ends the program. */
void apw_creation_hold_signals(sigset_t *before_r);
void apw_creation_release_signals(const sigset_t *before);

#endif
