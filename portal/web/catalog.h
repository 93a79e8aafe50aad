/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * catalog: the texts of one translation, from a .mo file (gettext manual, "The Format of GNU MO
 * Files").
 *
 * gettext() itself translates nothing in the locales C and C.UTF-8, and many servers have no other.
 */
#ifndef APW_CATALOG_H
#define APW_CATALOG_H

#include "error.h"

struct apw_catalog;

/* Reads a file of UTF-8 texts; -1 if it cannot be read or is not a .mo file. free() the catalog. */
int apw_catalog_read(const char *path, struct apw_catalog **catalog_r, struct apw_error *error);

/* The translation, borrowed from the catalog; NULL if there is none. */
const char *apw_catalog_find(const struct apw_catalog *catalog, const char *text);

#endif
