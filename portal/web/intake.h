/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * intake: what the headers of a request say: cookies, the client, the language.
 */
#ifndef APW_INTAKE_H
#define APW_INTAKE_H

#include "web/settings.h"
#include <microhttpd.h>

/* Fills in the request's half of the exchange, without method, path and form. */
void apw_intake_read(const struct apw_web_settings *settings, struct MHD_Connection *connection,
                     struct apw_exchange *exchange);

#endif
