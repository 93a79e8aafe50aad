/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facility: syslog facilities in the configuration. Pure.
 */
#ifndef APW_FACILITY_H
#define APW_FACILITY_H

/* Reads "syslog mail" and the like into LOG_MAIL and the like; -1 for anything else. */
int apw_facility_parse(const char *value);

#endif
