/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_init: "app-password store init".
 */
#ifndef APW_SETUP_STORE_INIT_H
#define APW_SETUP_STORE_INIT_H

#include "setup/store_files.h"
#include "status.h"

/* Writes the folder, which must be empty or not exist, completely or not at all, and prints the
 * commands that start the store. */
enum apw_status apw_setup_store_init(const char *folder, const struct apw_setup_store *store);

#endif
