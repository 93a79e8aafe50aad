#include "wording.h"
#include <stddef.h>

/* Marks a text for scripts/update-po. */
#define N_(text) text

const char *const apw_wording[APW_TEXT_COUNT] = {
    [APW_TEXT_NONE] = NULL,
    [APW_TITLE_SIGN_IN] = N_("App passwords for mail"),
    [APW_TITLE_NOT_ENABLED] = N_("You do not need an app password"),
    [APW_TITLE_START] = N_("Two-step verification is turned on for you"),
    [APW_TITLE_ENROLMENT_CODE] = N_("The code from your administrator"),
    [APW_TITLE_CHOOSE] = N_("Choose your second step"),
    [APW_TITLE_APP] = N_("Set up your authenticator app"),
    [APW_TITLE_CONTACT] = N_("Your alternate e-mail address"),
    [APW_TITLE_CONTACT_CODE] = N_("Verify your alternate e-mail address"),
    [APW_TITLE_VERIFIED] = N_("Your second step is set up"),
    [APW_TITLE_CHALLENGE] = N_("Your second step"),
    [APW_TITLE_PASSWORD] = N_("Your app password"),
    [APW_TITLE_LIST] = N_("Your app passwords"),
    [APW_TITLE_ERROR] = N_("That did not work"),
    [APW_TEXT_REFUSED] =
        N_("You could not be signed in. Check the user name and the password. After several tries, "
           "wait a minute before the next one."),
    [APW_TEXT_SESSION_OVER] =
        N_("You are no longer signed in: that happens after 10 minutes without a click. Nothing "
           "was changed by your last one."),
    [APW_TEXT_WRONG_CODE] =
        N_("This code is not right, or has been used or has expired. Try the next one."),
    [APW_TEXT_WAIT] = N_("There were too many wrong tries. Wait some minutes, then try again."),
    [APW_TEXT_WRONG_ENROLMENT_CODE] =
        N_("This code is not right, or has been used or has expired. Your administrator can make "
           "another one."),
    [APW_TEXT_MAIL_NOT_SENT] = N_("The mail could not be sent just now. Try again in a while."),
    [APW_TEXT_BAD_ADDRESS] = N_("This is not an e-mail address like name@example.net."),
    [APW_TEXT_OWN_ADDRESS] =
        N_("This address belongs to the mailbox that is to be protected. Give one that you can "
           "read without it."),
    [APW_TEXT_CHOOSE_ONE] = N_("Choose one of the two."),
    [APW_TEXT_BAD_LABEL] =
        N_("Say in 1 to 64 characters which program it is for, like Outlook on the laptop."),
    [APW_TEXT_BAD_REQUEST] = N_("The form was not filled in as this page expects."),
    [APW_TEXT_TOO_MANY] = N_("You have as many app passwords as there can be. Revoke one first."),
    [APW_TEXT_GONE] = N_("This app password is no longer there."),
    [APW_TEXT_CHANGED_MEANWHILE] =
        N_("Something was changed at the same moment, so this was left undone. Try again."),
    [APW_TEXT_ALREADY_ENROLLED] =
        N_("A second step was set up for you meanwhile. If it was not you, tell your "
           "administrator."),
    [APW_TEXT_UNAVAILABLE] =
        N_("The directory does not answer at the moment. Try again in a few minutes."),
    [APW_TEXT_NOT_FOUND] = N_("There is no such page."),
    [APW_TEXT_FOREIGN_FORM] =
        N_("This form is too old, or came from somewhere else. Nothing was done. Start again."),
    [APW_TEXT_NO_SIGN_ON] = N_("The single sign-on of this site did not say who you are."),
    [APW_TEXT_LINK_USED] =
        N_("This link works once, for 10 minutes, and while you are signed in. Make another app "
           "password to get another one."),
    [APW_TEXT_REVOKED] = N_("The app password was revoked. What used it can no longer sign in."),
    [APW_TEXT_REVOKED_ALL] =
        N_("All app passwords were revoked. What used them can no longer sign in."),
    [APW_TEXT_METHOD_CHANGED] = N_("Your second step was changed."),
    [APW_TEXT_CODE_SENT] = N_("A new code is on its way."),
    [APW_TEXT_SIGNED_OUT] = N_("You are signed out."),
    [APW_TEXT_NEVER] = N_("never"),
    [APW_TEXT_NOT_USED] = N_("not yet"),
    [APW_TEXT_ALL_SERVICES] = N_("all mail"),
    [APW_TEXT_EXPIRED] = N_("expired"),
    [APW_TEXT_UNUSABLE] = N_("damaged: revoke it"),
    [APW_TEXT_READING] = N_("reading mail"),
    [APW_TEXT_SENDING] = N_("sending mail"),
    [APW_TEXT_METHOD_APP] = N_("authenticator app"),
    [APW_TEXT_METHOD_MAIL] = N_("code by e-mail"),
    [APW_TEXT_FIRST_LABEL] = N_("My mail program"),
    [APW_TEXT_FROM_NAME] = N_("App passwords"),
};
