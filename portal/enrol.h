/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * enrol: sets up the first second factor, and further ones.
 */
#ifndef APW_ENROL_H
#define APW_ENROL_H

#include "request.h"

/* Whether the person may choose a second factor now. */
bool apw_enrol_may_choose(const struct apw_request *request);

/* Whether the person must enter an enrollment code first. */
bool apw_enrol_needs_code(const struct apw_request *request);

/* The pages, each for GET or POST. */
void apw_enrol_show_start(struct apw_request *request);
void apw_enrol_do_start(struct apw_request *request);
void apw_enrol_show_code(struct apw_request *request);
void apw_enrol_do_code(struct apw_request *request);
void apw_enrol_show_choose(struct apw_request *request);
void apw_enrol_do_choose(struct apw_request *request);
void apw_enrol_do_add(struct apw_request *request);
void apw_enrol_show_verified(struct apw_request *request);

/* POST passkey. */
void apw_enrol_do_passkey(struct apw_request *request);

/* POST verify with a pending second factor. */
void apw_enrol_verify(struct apw_request *request);

#endif
