/* SPDX-License-Identifier: BSD-2-Clause */
#include "form_fields.h"
#include "method.h"
#include "secret.h"
#include "wording.h"
#include <string.h>

static bool is_method(const char *value)
{
    return strcmp(value, "app") == 0 || strcmp(value, "mail") == 0;
}

static const struct apw_form_field fields[APW_FIELD_COUNT] = {
    [APW_FIELD_CSRF] = {"csrf", 63, NULL, APW_TEXT_FOREIGN_FORM},
    [APW_FIELD_LOGIN] = {"login", 511, NULL, APW_TEXT_REFUSED},
    [APW_FIELD_PASSWORD] = {"password", APW_SECRET_BYTES_MAX + 1, NULL, APW_TEXT_REFUSED},
    [APW_FIELD_CODE] = {"code", 63, NULL, APW_TEXT_WRONG_CODE},
    [APW_FIELD_METHOD] = {"method", 15, is_method, APW_TEXT_CHOOSE_ONE},
    [APW_FIELD_ADDRESS] = {"address", APW_METHOD_ADDRESS_SIZE - 1, apw_method_address_is_valid,
                           APW_TEXT_BAD_ADDRESS},
    [APW_FIELD_LABEL] = {"label", 511, NULL, APW_TEXT_BAD_LABEL},
    [APW_FIELD_SERVICES] = {"services", 63, NULL, APW_TEXT_BAD_REQUEST},
    [APW_FIELD_EXPIRES] = {"expires", 15, NULL, APW_TEXT_BAD_REQUEST},
    [APW_FIELD_ID] = {"id", 15, NULL, APW_TEXT_GONE},
};

const struct apw_form_fields apw_form_fields = {fields, APW_FIELD_COUNT};
