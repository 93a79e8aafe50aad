/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * form: the fields of the site's forms, declared as data, and the values of one that was sent; the
 * same for the query of an address.
 *
 * Fields that are not declared are ignored. A declared field that is too long, is repeated or
 * contains a NUL makes the form bad.
 */
#ifndef APW_FORM_H
#define APW_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct apw_form_field {
    const char *name;
    size_t bytes_max;                    /* without a NUL */
    bool (*is_valid)(const char *value); /* NULL: any value of that length */
    unsigned complaint;                  /* the text to show for an invalid value */
};

struct apw_form_fields {
    const struct apw_form_field *field;
    size_t count;
};

struct apw_form {
    const struct apw_form_fields *fields; /* borrowed */
    bool is_bad;
    char *values; /* owned; one after another, each with its NUL. Secret. */
};

/* All values are "" at first. -1 without memory. */
int apw_form_begin(const struct apw_form_fields *fields, struct apw_form *form_r);
void apw_form_free(struct apw_form *form); /* wipes; takes one that is all zeroes */

/* Takes a part of a field's decoded value; `offset` is 0 for its first part. Names match in upper
 * or lower case. */
void apw_form_take(struct apw_form *form, const char *name, const char *data, uint64_t offset,
                   size_t size);

/* The value of field number `number`; "" if no form was sent. Borrowed. */
const char *apw_form_value(const struct apw_form *form, size_t number);

/* 0 if the value is valid, else the field's complaint. */
unsigned apw_form_check(const struct apw_form *form, size_t number);

#endif
