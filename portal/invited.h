/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * invited: links of invitations (lib/invitation.h), which people open without signing in.
 *
 * Opening a link only asks. The button there makes the app password, and a session that shows it
 * and can do nothing else. The owner's page learns who used the link.
 */
#ifndef APW_INVITED_H
#define APW_INVITED_H

#include "agent.h"
#include "invitation.h"
#include "request.h"

/* Answers GET and POST of APW_INVITATION_PATH. */
void apw_invited_answer(const struct apw_portal *portal, struct apw_exchange *exchange);

/* Answers a request of a session that began with a link. */
void apw_invited_answer_session(struct apw_request *request);

/* Whether the request is the form of a link that this browser has just sent, again: the button was
 * pressed twice, and the browser dropped the first answer. Then this answers it: with the same app
 * password, as long as GET password would show it for such a form. */
bool apw_invited_show_again(const struct apw_portal *portal, struct apw_exchange *exchange);

/* Who used a link, as long as this process remembers. */
struct apw_invited_use {
    char invitation[APW_ID_LENGTH + 1]; /* its id */
    char password[APW_ID_LENGTH + 1];   /* the id of the app password made */
    char label[APW_LABEL_SIZE];
    int64_t at; /* seconds since 1970 */
    char client[APW_ADDRESS_TEXT_SIZE];
    char browser[APW_AGENT_NAME_SIZE];
};

struct apw_invited_uses;

int apw_invited_uses_new(struct apw_invited_uses **uses_r, struct apw_error *error);
void apw_invited_uses_free(struct apw_invited_uses **uses); /* takes NULL */

/* The use of the invitation with that id of the entry `dn`; false if it is not remembered. */
bool apw_invited_uses_find(struct apw_invited_uses *uses, const char *dn, const char *id,
                           struct apw_invited_use *use_r);

#endif
