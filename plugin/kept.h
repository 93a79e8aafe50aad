/*
 * kept: fronts that outlive whoever asked for them, and with them the connection to the directory.
 * For hosts that load a plugin anew, or several times: PAM for each login, Dovecot 2.4 with one Lua
 * state for each protocol.
 */
#ifndef APW_KEPT_H
#define APW_KEPT_H

#include "error.h"
#include "front.h"

/* The front for that configuration: opened at the first call and then the same until the process
 * ends. One whose configuration is broken is the caller's alone, so that the next one who asks
 * reads the file again. NULL only without memory or random numbers. Any thread may call, and so may
 * a child after fork(): nothing is locked. */
struct apw_front *apw_kept_take(const char *config_path, struct apw_error *error);

/* Ends the use of a front; takes a pointer to NULL. */
void apw_kept_give_back(struct apw_front **front);

#endif
