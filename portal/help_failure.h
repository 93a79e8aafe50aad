/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * help_failure: answers the help desk when a change was not made.
 */
#ifndef APW_HELP_FAILURE_H
#define APW_HELP_FAILURE_H

#include "helped.h"

/* Before anything was tried: a log line, and `why` on the person's page. */
void apw_help_failure_refuse(struct apw_request *request, enum apw_audit_action action,
                             enum apw_text why);

/* After a change that failed: the same, or an error page if the directory does not answer. `id` may
 * be NULL. */
void apw_help_failure_answer(struct apw_request *request, enum apw_manage_result result,
                             enum apw_audit_action action, const char *id,
                             const struct apw_error *error);

#endif
