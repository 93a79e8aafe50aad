/* SPDX-License-Identifier: BSD-2-Clause */
#include "factor_kinds.h"
#include "method_seal.h"
#include <stdio.h>
#include <string.h>

#define UNKNOWN APW_METHOD_KIND_COUNT /* set up with 0.1, or with a later version */

static void add(const char *name, size_t count, char text_r[APW_FACTOR_KINDS_SIZE])
{
    size_t length = strlen(text_r);
    char number[24] = "";

    if (count == 0)
        return;
    if (count > 1)
        snprintf(number, sizeof number, "%zu ", count);
    snprintf(text_r + length, APW_FACTOR_KINDS_SIZE - length, "%s%s%s", length > 0 ? ", " : "",
             number, name);
}

size_t apw_factor_kinds(const struct apw_user *user, char text_r[APW_FACTOR_KINDS_SIZE])
{
    size_t count[APW_METHOD_KIND_COUNT + 1] = {0}, all = 0;

    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];
        enum apw_method_kind kind;

        if (!apw_method_is_sealed(value->bytes, value->length))
            continue;
        all++;
        count[apw_method_peek(value->bytes, value->length, &kind) == 0 ? kind : UNKNOWN]++;
    }
    text_r[0] = '\0';
    for (int kind = 0; kind < APW_METHOD_KIND_COUNT; kind++)
        add(apw_method_kind_name((enum apw_method_kind)kind), count[kind], text_r);
    add("of unknown kind", count[UNKNOWN], text_r);
    return all;
}
