/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idna: internationalized domain names (RFC 5891, UTS #46). Pure.
 */
#ifndef APW_IDNA_H
#define APW_IDNA_H

/* The login with its domain (after the last '@') in A-labels, like alice@xn--bcher-kva.example for
 * alice@bücher.example. *ascii_r is NULL if the domain is missing or already ASCII; otherwise the
 * caller frees it. -1 without memory. */
int apw_idna_login(const char *login, char **ascii_r);

#endif
