/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_import: copies everything of ours into a store, or out of it.
 */
#ifndef APW_STORE_IMPORT_H
#define APW_STORE_IMPORT_H

#include "invocation.h"
#include "status.h"
#include <stdbool.h>

/* Copies from where the configuration `from` has app passwords to where the invocation's has them:
 * one of the two must be a store, and both have the same users. With `is_dry_run`, only prints
 * what it would do. Each entry is written at once or not at all, so it may be interrupted and
 * called again. */
enum apw_status apw_store_import(const struct apw_invocation *invocation, const char *from,
                                 bool is_dry_run);

#endif
