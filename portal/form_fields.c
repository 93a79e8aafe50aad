/* SPDX-License-Identifier: BSD-2-Clause */
#include "form_fields.h"
#include "method.h"
#include "passkey.h"
#include "secret.h"
#include "wording.h"

#define BASE64_MAX(bytes) (((bytes)*4 + 2) / 3) /* without padding */

static const struct apw_form_field fields[APW_FIELD_COUNT] = {
    [APW_FIELD_CSRF] = {"csrf", 63, NULL, APW_TEXT_FOREIGN_FORM},
    [APW_FIELD_LOGIN] = {"login", 511, NULL, APW_TEXT_REFUSED},
    [APW_FIELD_PASSWORD] = {"password", APW_SECRET_BYTES_MAX + 1, NULL, APW_TEXT_REFUSED},
    [APW_FIELD_CODE] = {"code", 63, NULL, APW_TEXT_WRONG_CODE},
    [APW_FIELD_METHOD] = {"method", 15, NULL, APW_TEXT_CHOOSE_ONE},
    [APW_FIELD_ADDRESS] = {"address", APW_MAIL_ADDRESS_SIZE - 1, apw_mail_address_is_valid,
                           APW_TEXT_BAD_ADDRESS},
    [APW_FIELD_LABEL] = {"label", 511, NULL, APW_TEXT_BAD_LABEL},
    [APW_FIELD_SERVICES] = {"services", 63, NULL, APW_TEXT_BAD_REQUEST},
    [APW_FIELD_EXPIRES] = {"expires", 15, NULL, APW_TEXT_BAD_REQUEST},
    [APW_FIELD_ID] = {"id", 15, NULL, APW_TEXT_GONE},
    [APW_FIELD_REMEMBER] = {"remember", 7, NULL, APW_TEXT_BAD_REQUEST},
    [APW_FIELD_FIND] = {"find", 511, NULL, APW_TEXT_BAD_SEARCH},
    [APW_FIELD_PERSON] = {"person", 511, NULL, APW_TEXT_NO_SUCH_PERSON},
    [APW_FIELD_DATE] = {"date", 15, NULL, APW_TEXT_BAD_DATE},
    [APW_FIELD_CREDENTIAL] = {"credential", BASE64_MAX(APW_METHOD_CREDENTIAL_MAX), NULL,
                              APW_TEXT_WRONG_PASSKEY},
    [APW_FIELD_CLIENT_DATA] = {"client_data", BASE64_MAX(APW_PASSKEY_CLIENT_DATA_MAX), NULL,
                               APW_TEXT_WRONG_PASSKEY},
    [APW_FIELD_AUTHENTICATOR_DATA] = {"authenticator_data",
                                      BASE64_MAX(APW_PASSKEY_AUTHENTICATOR_MAX), NULL,
                                      APW_TEXT_WRONG_PASSKEY},
    [APW_FIELD_SIGNATURE] = {"signature", BASE64_MAX(APW_PASSKEY_SIGNATURE_MAX), NULL,
                             APW_TEXT_WRONG_PASSKEY},
};

const struct apw_form_fields apw_form_fields = {fields, APW_FIELD_COUNT};

static const struct apw_form_field query[APW_QUERY_COUNT] = {
    [APW_QUERY_ADDRESS] = {"emailaddress", APW_MAIL_ADDRESS_SIZE - 1, apw_mail_address_is_valid,
                           APW_TEXT_BAD_ADDRESS},
    [APW_QUERY_PROTOCOL] = {"protocol", 31, NULL, APW_TEXT_BAD_REQUEST},
    [APW_QUERY_PERSON] = {"person", 511, NULL, APW_TEXT_NO_SUCH_PERSON},
};

const struct apw_form_fields apw_query_fields = {query, APW_QUERY_COUNT};
