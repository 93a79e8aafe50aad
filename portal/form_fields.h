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
    APW_FIELD_CREDENTIAL, /* of a passkey, as are the next three */
    APW_FIELD_CLIENT_DATA,
    APW_FIELD_AUTHENTICATOR_DATA,
    APW_FIELD_SIGNATURE,
    APW_FIELD_REMEMBER,
    APW_FIELD_FIND,   /* whom the help desk looks for */
    APW_FIELD_PERSON, /* whom the help desk helps: their login */
    APW_FIELD_DATE,
    APW_FIELD_COUNT
};

extern const struct apw_form_fields apw_form_fields;

/* In addresses: the first two are sent by mail programs. */
enum apw_query_field_number {
    APW_QUERY_ADDRESS = 0, /* their user's */
    APW_QUERY_PROTOCOL,    /* in which Outlook wants its settings */
    APW_QUERY_PERSON,      /* as APW_FIELD_PERSON */
    APW_QUERY_COUNT
};

extern const struct apw_form_fields apw_query_fields;

#endif
