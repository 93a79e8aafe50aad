/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devices: "Set up my phone": a QR code and a link, good once and for ten minutes, that give
 * another device an app password. Its owner sees here who used it, and may undo that.
 */
#ifndef APW_DEVICES_H
#define APW_DEVICES_H

#include "request.h"

/* POST device-link makes a link, for the second factor of this visit; GET shows it. */
void apw_devices_do_link(struct apw_request *request);
void apw_devices_show_link(struct apw_request *request);

/* GET device-used, from device.js: the id of the link that this visit made last, "" if it was used.
 */
void apw_devices_show_used(struct apw_request *request);

/* POST device-undo withdraws the link with that id, or revokes the app password made with it. */
void apw_devices_do_undo(struct apw_request *request);

/* Whether the value of appPasswordMfaMethod is an unused link whose time is not over. */
bool apw_devices_is_open(const struct apw_value *value, struct apw_invitation *invitation_r);

/* The list of unused links. */
void apw_devices_add_unused(struct apw_request *request);

#endif
