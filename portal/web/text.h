/*
 * text: the sentences that are not part of a template, in every language.
 */
#ifndef APW_TEXT_H
#define APW_TEXT_H

#include "error.h"
#include "web/language.h"

enum apw_text {
    APW_TEXT_NONE = 0,
    /* titles */
    APW_TITLE_SIGN_IN,
    APW_TITLE_NOT_ENABLED,
    APW_TITLE_START,
    APW_TITLE_ENROLMENT_CODE,
    APW_TITLE_CHOOSE,
    APW_TITLE_APP,
    APW_TITLE_CONTACT,
    APW_TITLE_CONTACT_CODE,
    APW_TITLE_VERIFIED,
    APW_TITLE_CHALLENGE,
    APW_TITLE_PASSWORD,
    APW_TITLE_LIST,
    APW_TITLE_ERROR,
    /* what went wrong, and what to do */
    APW_TEXT_REFUSED,
    APW_TEXT_VISIT_OVER,
    APW_TEXT_WRONG_CODE,
    APW_TEXT_WAIT,
    APW_TEXT_WRONG_ENROLMENT_CODE,
    APW_TEXT_CODE_OVER,
    APW_TEXT_MAIL_NOT_SENT,
    APW_TEXT_BAD_ADDRESS,
    APW_TEXT_OWN_ADDRESS,
    APW_TEXT_CHOOSE_ONE,
    APW_TEXT_BAD_LABEL,
    APW_TEXT_BAD_REQUEST,
    APW_TEXT_TOO_MANY,
    APW_TEXT_GONE,
    APW_TEXT_CHANGED_MEANWHILE,
    APW_TEXT_ALREADY_ENROLLED,
    APW_TEXT_UNAVAILABLE,
    APW_TEXT_NOT_FOUND,
    APW_TEXT_FOREIGN_FORM,
    APW_TEXT_TOO_LARGE,
    APW_TEXT_NO_SIGN_ON,
    APW_TEXT_LINK_USED,
    /* what went well */
    APW_TEXT_REVOKED,
    APW_TEXT_REVOKED_ALL,
    APW_TEXT_METHOD_CHANGED,
    APW_TEXT_CODE_SENT,
    APW_TEXT_SIGNED_OUT,
    /* words in lists */
    APW_TEXT_NEVER,
    APW_TEXT_NOT_USED,
    APW_TEXT_ALL_SERVICES,
    APW_TEXT_EXPIRED,
    APW_TEXT_UNUSABLE,
    APW_TEXT_READING,
    APW_TEXT_SENDING,
    APW_TEXT_METHOD_APP,
    APW_TEXT_METHOD_MAIL,
    APW_TEXT_FIRST_LABEL,
    APW_TEXT_FROM_NAME,
    APW_TEXT_COUNT
};

/* Translates them all; for the start, while there is one thread. */
int apw_texts_load(const struct apw_languages *languages, struct apw_error *error);

/* Borrowed for good. */
const char *apw_text_in(enum apw_text text, unsigned language);

#endif
