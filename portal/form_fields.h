/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * form_fields: every field of the page's forms, with its bound and its check.
 *
 * Fields without a check here are either compared with a secret, so a malformed value gets the same
 * answer as a wrong one, or checked by lib as parts of a new app password.
 */
#ifndef APW_FORM_FIELDS_H
#define APW_FORM_FIELDS_H

#include "web/form.h"

enum apw_form_field_number {
    APW_FIELD_CSRF = 0,
    APW_FIELD_LOGIN,
    APW_FIELD_PASSWORD,
    APW_FIELD_CODE,
    APW_FIELD_METHOD,
    APW_FIELD_ADDRESS,
    APW_FIELD_LABEL,
    APW_FIELD_SERVICES,
    APW_FIELD_EXPIRES,
    APW_FIELD_ID,
    APW_FIELD_COUNT
};

extern const struct apw_form_fields apw_form_fields;

#endif
