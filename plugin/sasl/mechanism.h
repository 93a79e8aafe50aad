/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mechanism: PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login). They differ only in how the
 * login and the password arrive.
 */
#ifndef APW_SASL_MECHANISM_H
#define APW_SASL_MECHANISM_H

#include "front.h"
#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#define APW_MECHANISM_COUNT 2

/* The two mechanisms. They own `front` and close it when libsasl2 frees them; if it is NULL, they
 * answer "unavailable" to every login. NULL if out of memory; then the caller keeps `front`. */
sasl_server_plug_t *apw_mechanisms_new(struct apw_front *front);

#endif
