/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look: asks the directory whether a user's sessions still have their ways in.
 */
#ifndef APW_LOOK_H
#define APW_LOOK_H

#include "config.h"
#include "error.h"
#include "table.h"
#include "world.h"
#include <stdint.h>

/* A user whom the directory does not find is believed to be gone after so many looks in a row. */
#define APW_LOOK_ABSENCES 2

enum apw_look {
    APW_LOOK_UNAVAILABLE = 0, /* no answer: the user stays as before */
    APW_LOOK_DONE,
};

/* Looks at one user, and marks the sessions that have lost their way in. */
enum apw_look apw_look(const struct apw_config *config, const struct apw_world *world,
                       struct apw_table_user *user, struct apw_error *error);

#endif
