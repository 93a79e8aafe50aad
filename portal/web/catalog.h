/*
 * catalog: the texts of one translation, from a .mo file ("The Format of GNU MO Files" in gettext's
 * manual).
 *
 * Read by ourselves, because gettext() translates nothing in a process whose locale is C or
 * C.UTF-8, and on many servers there is no other one.
 */
#ifndef APW_CATALOG_H
#define APW_CATALOG_H

#include "error.h"

struct apw_catalog;

/* Reads a file of UTF-8 texts; -1 where it cannot be read or is none of these. The caller frees it
 * with free(). */
int apw_catalog_read(const char *path, struct apw_catalog **catalog_r, struct apw_error *error);

/* The translation, which belongs to the catalog; NULL where there is none. */
const char *apw_catalog_find(const struct apw_catalog *catalog, const char *text);

#endif
