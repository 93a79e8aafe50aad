/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * would_refuse: who still signs in with an account password that enforced MFA would refuse, from a
 * log.
 */
#ifndef APW_WOULD_REFUSE_H
#define APW_WOULD_REFUSE_H

#include "config.h"
#include "report_format.h"
#include "status.h"

/* Prints one line per person. `path` is a log, "-" standard input; NULL is the log that the
 * configuration names: its file, or the journal. */
enum apw_status apw_would_refuse_report(const struct apw_config *config, const char *path,
                                        enum apw_report_format format);

#endif
