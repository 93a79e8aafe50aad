/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_progress: how many users have MFA on, are enrolled, and have and use an app password.
 */
#ifndef APW_REPORT_PROGRESS_H
#define APW_REPORT_PROGRESS_H

#include "report_format.h"
#include "status.h"
#include "user.h"
#include <stdbool.h>

/* Whether `report --progress` may count by this attribute: it is a name without options, and its
 * values are not secret. */
bool apw_report_progress_is_attribute(const char *name);

/* Searches and prints; `by` is NULL for the totals alone. Prints no counts if a search fails. */
enum apw_status apw_report_progress(const struct apw_manager *manager, const char *by,
                                    enum apw_report_format format);

#endif
