/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * label: a name that somebody typed. Pure.
 */
#ifndef APW_TYPED_LABEL_H
#define APW_TYPED_LABEL_H

#include "record.h"

/* Trims it; -1, and nothing is written, unless it has 1 to 64 characters then
 * (apw_record_check_label()). */
int apw_label_read(const char *typed, char label_r[APW_LABEL_SIZE]);

#endif
