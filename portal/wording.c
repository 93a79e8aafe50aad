/* SPDX-License-Identifier: BSD-2-Clause */
#include "wording.h"
#include <stddef.h>

/* Marks a text for scripts/update-po. */
#define N_(text) text

const char *const apw_wording[APW_TEXT_COUNT] = {
    [APW_TEXT_NONE] = NULL,
    [APW_TITLE_SIGN_IN] = N_("App passwords for mail"),
    [APW_TITLE_NOT_ENABLED] = N_("You don’t need an app password"),
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
    [APW_TITLE_THIS_BROWSER] = N_("Use this browser?"),
    [APW_TITLE_ERROR] = N_("That didn’t work"),
    [APW_TEXT_REFUSED] = N_("We couldn’t sign you in. Check your user name and password. After "
                            "several tries, wait a minute before the next one."),
    [APW_TEXT_SESSION_OVER] =
        N_("You’re no longer signed in: that happens after 10 minutes without a click, and after "
           "an hour in any case. Your last click changed nothing."),
    [APW_TEXT_WRONG_CODE] =
        N_("This code is wrong, has been used, or has expired. Try the next one."),
    [APW_TEXT_WAIT] = N_("There were too many wrong tries. Wait a few minutes, then try again. "
                         "Each try before that makes the wait longer."),
    [APW_TEXT_WAIT_A_DAY] =
        N_("There were too many wrong codes for this account today, or too many were asked for. If "
           "it’s yours, open the link in the mail that we sent you, in this browser."),
    [APW_TEXT_SIGN_IN_FIRST] = N_("Sign in here first, then open the link in the mail again."),
    [APW_TEXT_BROWSER_LINK_USED] = N_("This link no longer works. It works once, for 7 days, and "
                                      "only until we send you a new one."),
    [APW_TEXT_WRONG_ENROLMENT_CODE] = N_("This code is wrong, has been used, or has expired. Your "
                                         "administrator can give you a new one."),
    [APW_TEXT_MAIL_NOT_SENT] = N_("We couldn’t send the mail right now. Try again later."),
    [APW_TEXT_MAIL_REFUSED] = N_("The mail server doesn’t accept mail to this address. Check the "
                                 "address; if it’s right, tell your administrator."),
    [APW_TEXT_BAD_ADDRESS] = N_("This isn’t an e-mail address like name@example.net."),
    [APW_TEXT_OWN_ADDRESS] = N_("This address belongs to the mailbox that the code protects. Enter "
                                "one that you can read without it."),
    [APW_TEXT_CHOOSE_ONE] = N_("Choose one of the two."),
    [APW_TEXT_BAD_LABEL] =
        N_("Name the program in 1 to 64 characters, for example “Outlook on the laptop”."),
    [APW_TEXT_BAD_REQUEST] = N_("The form wasn’t filled in the way this page expects."),
    [APW_TEXT_TOO_MANY] =
        N_("You’ve reached the maximum number of app passwords. Revoke one first."),
    [APW_TEXT_GONE] = N_("This app password no longer exists."),
    [APW_TEXT_CHANGED_MEANWHILE] =
        N_("Something else changed at the same time, so nothing was done. Try again."),
    [APW_TEXT_ALREADY_ENROLLED] = N_("A second step has been set up for you in the meantime. If it "
                                     "wasn’t you, tell your administrator."),
    [APW_TEXT_UNAVAILABLE] =
        N_("The service isn’t available right now. Try again in a few minutes."),
    [APW_TEXT_SEALED] =
        N_("We can’t read your second step, and trying again won’t help. Please tell support."),
    [APW_TEXT_BUSY] =
        N_("There are too many requests from your network right now. Try again in a minute."),
    [APW_TEXT_NOT_FOUND] = N_("This page doesn’t exist."),
    [APW_TEXT_FOREIGN_FORM] =
        N_("This form is too old, or came from another site. Nothing was done. Start again."),
    [APW_TEXT_NO_SIGN_ON] = N_("This site’s single sign-on didn’t tell us who you are."),
    [APW_TEXT_LINK_USED] = N_("This link no longer works. It works once, for 10 minutes, while "
                              "you’re signed in. Create another app password to get a new link."),
    [APW_TEXT_BROWSER_KNOWN] = N_("This browser accepts your codes again. Enter the next one."),
    [APW_TEXT_REVOKED] =
        N_("The app password was revoked. The program that used it can no longer sign in."),
    [APW_TEXT_REVOKED_ALL] =
        N_("All app passwords were revoked. The programs that used them can no longer sign in."),
    [APW_TEXT_METHOD_CHANGED] = N_("Your second step was changed."),
    [APW_TEXT_CODE_SENT] = N_("A new code is on its way."),
    [APW_TEXT_SIGNED_OUT] = N_("You’re signed out."),
    [APW_TEXT_NEVER] = N_("never"),
    [APW_TEXT_NOT_USED] = N_("not yet"),
    [APW_TEXT_ALL_SERVICES] = N_("all mail"),
    [APW_TEXT_EXPIRED] = N_("expired"),
    [APW_TEXT_UNUSABLE] = N_("damaged; revoke it"),
    [APW_TEXT_READING] = N_("reading mail"),
    [APW_TEXT_SENDING] = N_("sending mail"),
    [APW_TEXT_METHOD_APP] = N_("authenticator app"),
    [APW_TEXT_METHOD_MAIL] = N_("code by e-mail"),
    [APW_TEXT_FIRST_LABEL] = N_("My mail program"),
    [APW_TEXT_FROM_NAME] = N_("App passwords"),
};
