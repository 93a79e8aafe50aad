/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_format: how `report` prints.
 */
#ifndef APW_REPORT_FORMAT_H
#define APW_REPORT_FORMAT_H

enum apw_report_format { APW_REPORT_TEXT = 0, APW_REPORT_JSON, APW_REPORT_CSV };

#endif
