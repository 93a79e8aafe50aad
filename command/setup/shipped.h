/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shipped: files that the package ships below $datadir/sasl-app-password.
 */
#ifndef APW_SETUP_SHIPPED_H
#define APW_SETUP_SHIPPED_H

#include "error.h"
#include "setup/answers.h"

/* NULL on failure. The caller frees it. */
char *apw_setup_shipped_read(const char *name, struct apw_error *error);

/* With the site's suffix in place of dc=example,dc=org, and its database in place of Debian's. */
char *apw_setup_shipped_adapt(const char *name, const struct apw_setup_answers *answers,
                              struct apw_error *error);

#endif
