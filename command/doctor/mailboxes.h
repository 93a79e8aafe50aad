/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailboxes: whether a running Dovecot finds the same mailbox by a user's address, which people
 * type and LMTP delivers to, and by the accepted name.
 */
#ifndef APW_DOCTOR_MAILBOXES_H
#define APW_DOCTOR_MAILBOXES_H

#include "doctor/diagnosis.h"
#include "doctor/doveconf.h"
#include "doctor/sender.h"

/* Compares home and mail of "doveadm user" for both. Before that, with `has_lookup`, asks the
 * passdb, which answers without a password. A Dovecot that does not run here is a note. */
void apw_doctor_mailboxes_check(struct apw_diagnosis *diagnosis,
                                const struct apw_doctor_doveconf *conf, bool has_lookup,
                                const struct apw_doctor_sender *sender);

#endif
