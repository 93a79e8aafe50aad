/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ad_schema: our schema in Active Directory, by the entries that define it (MS-ADTS, 3.1.1.2).
 */
#ifndef APW_DOCTOR_AD_SCHEMA_H
#define APW_DOCTOR_AD_SCHEMA_H

#include "doctor/view.h"

void apw_doctor_ad_schema_check(const struct apw_doctor_view *view, const char *uri,
                                struct apw_directory *directory);

#endif
