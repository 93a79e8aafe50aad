/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/form.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The offset of a field's value; for the number after the last field, the size of all. */
static size_t offset_of(const struct apw_form_fields *fields, size_t number)
{
    size_t offset = 0;

    for (size_t i = 0; i < number; i++)
        offset += fields->field[i].bytes_max + 1;
    return offset;
}

int apw_form_begin(const struct apw_form_fields *fields, struct apw_form *form_r)
{
    *form_r = (struct apw_form){.fields = fields};
    form_r->values = calloc(1, offset_of(fields, fields->count));
    return form_r->values != NULL ? 0 : -1;
}

void apw_form_free(struct apw_form *form)
{
    if (form->values != NULL)
        sodium_memzero(form->values, offset_of(form->fields, form->fields->count));
    free(form->values);
    memset(form, 0, sizeof *form);
}

void apw_form_take(struct apw_form *form, const char *name, const char *data, uint64_t offset,
                   size_t size)
{
    const struct apw_form_fields *fields = form->fields;
    size_t number = 0;
    char *value;

    while (number < fields->count && strcasecmp(fields->field[number].name, name) != 0)
        number++;
    if (number == fields->count)
        return;
    value = form->values + offset_of(fields, number);
    if (offset > fields->field[number].bytes_max ||
        size > fields->field[number].bytes_max - offset || strlen(value) != offset ||
        memchr(data, '\0', size) != NULL) {
        form->is_bad = true;
        return;
    }
    memcpy(value + offset, data, size);
    value[offset + size] = '\0';
}

const char *apw_form_value(const struct apw_form *form, size_t number)
{
    return form->values == NULL ? "" : form->values + offset_of(form->fields, number);
}

unsigned apw_form_check(const struct apw_form *form, size_t number)
{
    const struct apw_form_field *field = &form->fields->field[number];

    return field->is_valid == NULL || field->is_valid(apw_form_value(form, number))
               ? 0
               : field->complaint;
}
