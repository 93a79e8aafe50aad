/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host: the program that loads the plugin, such as Postfix: its SASL options and its log.
 */
#ifndef APW_SASL_HOST_H
#define APW_SASL_HOST_H

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

/* An option of the host's SASL configuration; NULL if it is not set. Borrowed from libsasl2. */
const char *apw_host_option(const sasl_utils_t *utils, const char *name);

/* Logs one line at `level` (SASL_LOG_…) through the host; utils->conn may be NULL. */
void apw_host_log(const sasl_utils_t *utils, int level, const char *text);

#endif
