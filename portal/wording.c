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
    [APW_TITLE_SECOND_STEPS] = N_("Your second steps"),
    [APW_TITLE_RECOVERY] = N_("Your recovery codes"),
    [APW_TITLE_PASSKEY] = N_("Set up a passkey"),
    [APW_TITLE_PASSWORD] = N_("Your app password"),
    [APW_TITLE_LIST] = N_("Your app passwords"),
    [APW_TITLE_DEVICE] = N_("Set up mail on this device"),
    [APW_TITLE_DEVICE_LINK] = N_("Set up your phone"),
    [APW_TITLE_THIS_BROWSER] = N_("Use this browser?"),
    [APW_TITLE_HELP_DESK] = N_("Help desk"),
    [APW_TITLE_HELP_CODE] = N_("A code to read out"),
    [APW_TEXT_ERROR_MARK] = N_("Error:"),
    [APW_TITLE_ERROR] = N_("That didn’t work"),
    [APW_TEXT_REFUSED] = N_("We couldn’t sign you in. Check your user name and password. If "
                            "they’re right, wait a few minutes and try again."),
    [APW_TEXT_WAIT_PASSWORD] =
        N_("There were too many wrong passwords. Try again in {minutes} min."),
    [APW_TEXT_IDLE] = N_("You’ve been signed out because you hadn’t clicked anything for a while."),
    [APW_TEXT_HOUR] = N_("You’ve been signed out because an hour has passed since you signed in."),
    [APW_TEXT_CROWDED] = N_("You’ve been signed out because somebody has signed in with your "
                            "account in many other browsers. If it wasn’t you, tell support."),
    [APW_TEXT_METHOD_REPLACED] = N_("Your second step was reset or changed in the meantime, so "
                                    "you need to sign in again."),
    [APW_TEXT_ACCOUNT_GONE] = N_("You’ve been signed out because your account has changed or "
                                 "ended. If you didn’t expect that, tell support."),
    [APW_TEXT_NOT_SIGNED_IN] = N_("You’re not signed in here."),
    [APW_TEXT_LAST_CLICK] = N_("{why} Your last click changed nothing."),
    [APW_TEXT_WRONG_CODE] =
        N_("This code is wrong, has been used, or has expired. Enter the one your app shows now."),
    [APW_TEXT_CLOCK_AHEAD] = N_(
        "This code is wrong because the clock of your phone is about {minutes} min ahead. Let the "
        "phone set its clock automatically, then enter the next code. On an iPhone: Settings › "
        "General › Date & Time. On Android: Settings › System › Date & time."),
    [APW_TEXT_CLOCK_BEHIND] = N_(
        "This code is wrong because the clock of your phone is about {minutes} min behind. Let "
        "the phone set its clock automatically, then enter the next code. On an iPhone: Settings "
        "› General › Date & Time. On Android: Settings › System › Date & time."),
    [APW_TEXT_WRONG_MAIL_CODE] =
        N_("This code is wrong. Check the newest mail we sent, or send another code."),
    [APW_TEXT_WRONG_RECOVERY_CODE] =
        N_("This code is wrong or has been used. Enter another one of your recovery codes."),
    [APW_TEXT_DEAD_MAIL_CODE] =
        N_("This code no longer works: it’s older than ten minutes, has been used, or a wrong one "
           "was entered five times. Send another code."),
    [APW_TEXT_WRONG_PASSKEY] =
        N_("This passkey wasn’t accepted. Try again, or use another second step."),
    [APW_TEXT_WAIT] = N_("There were too many wrong tries. Try again in {minutes} min. Each try "
                         "before that makes the wait longer."),
    [APW_TEXT_WAIT_MAIL] = N_("We didn’t send a code, because too many were asked for. Try again "
                              "in {minutes} min."),
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
    [APW_TEXT_CHOOSE_ONE] = N_("Choose one of these ways."),
    [APW_TEXT_BAD_LABEL] =
        N_("Name the program in 1 to 64 characters, for example “Outlook on the laptop”."),
    [APW_TEXT_BAD_REQUEST] = N_("The form wasn’t filled in the way this page expects."),
    [APW_TEXT_TOO_MANY] =
        N_("You’ve reached the maximum number of app passwords. Revoke one first."),
    [APW_TEXT_TOO_MANY_FACTORS] =
        N_("You’ve reached the maximum number of second steps. Remove one first."),
    [APW_TEXT_LAST_FACTOR] = N_("This is your only second step. Add another one, then remove it."),
    [APW_TEXT_BAD_NAME] = N_("A name has 1 to 64 characters, for example “Kari’s phone”."),
    [APW_TEXT_FACTOR_GONE] = N_("This second step no longer exists."),
    [APW_TEXT_GONE] = N_("This app password no longer exists."),
    [APW_TEXT_NONE_TO_REVOKE] = N_("There was no app password to revoke."),
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
    [APW_TEXT_FULL] = N_("Too many people use this page right now. Try again in a minute."),
    [APW_TEXT_NOT_FOUND] = N_("This page doesn’t exist."),
    [APW_TEXT_FOREIGN_FORM] =
        N_("This form is too old, or came from another site. Nothing was done. Start again."),
    [APW_TEXT_NO_SIGN_ON] = N_("This site’s single sign-on didn’t tell us who you are."),
    [APW_TEXT_LINK_OVER] =
        N_("This link no longer works. It works in the browser that made it, for "
           "ten minutes. Create another app password to get a new link."),
    [APW_TEXT_NO_SUCH_PERSON] =
        N_("There is nobody with this user name whom you may help. Search for the person again."),
    [APW_TEXT_PERSON_SEALED] = N_("We can’t read this person’s second steps, and trying again "
                                  "won’t help. Please tell your administrator."),
    [APW_TEXT_HELP_NOT_PERMITTED] = N_("This page has no right to change that in the directory, so "
                                       "nothing was done. Your administrator can grant it."),
    [APW_TEXT_HELP_ELSEWHERE] = N_("Two-step verification is turned on and off elsewhere, so "
                                   "nothing was done. Ask your administrator."),
    [APW_TEXT_HELP_NO_ADDRESS] = N_("There is no alternate e-mail address, so no link was sent."),
    [APW_TEXT_HELP_LINK_NOT_SENT] =
        N_("The mail couldn’t be sent right now, so the link was withdrawn. Try again later."),
    [APW_TEXT_HELP_LINK_THERE] =
        N_("A link with this name is on its way already. Withdraw it first to send another one."),
    [APW_TEXT_HELP_TOO_MANY] =
        N_("This person has reached the maximum number of app passwords or links."),
    [APW_TEXT_HELP_MFA_IS_OFF] =
        N_("Two-step verification is off for this person, or the account has ended."),
    [APW_TEXT_HELP_NO_CODE] =
        N_("No code is needed: a second step can be set up after signing in."),
    [APW_TEXT_HELP_ENROLLED] = N_("No code was made, because a second step is set up already."),
    [APW_TEXT_HELP_NO_FACTOR] = N_("There is no second step to reset."),
    [APW_TEXT_HELP_RESET_THERE] =
        N_("A reset was asked for before. It stays as it is, and nothing was changed."),
    [APW_TEXT_HELP_RESET_NOT_TOLD] =
        N_("No mail about the reset can reach this person, so it was canceled. Ask your "
           "administrator."),
    [APW_TEXT_NO_RESET] = N_("There was no reset to cancel."),
    [APW_TEXT_BAD_DATE] = N_("Choose a date from tomorrow on, within a year."),
    [APW_TEXT_HELP_MFA_IS_ON] = N_("Two-step verification is on already. Nothing was changed."),
    [APW_TEXT_HELP_MFA_STAYS_ON] =
        N_("The help desk may not turn off two-step verification here. Ask your administrator."),
    [APW_TEXT_BAD_SEARCH] = N_("Enter a name, a user name or an e-mail address."),
    [APW_TEXT_WAIT_SEARCH] = N_("There were too many searches. Wait a few seconds and try again."),
    [APW_TEXT_LINK_USED] =
        N_("This link was used before you withdrew it. Its app password is in this list. If it "
           "wasn’t you, revoke it."),
    [APW_TEXT_RECOVERED] = N_("You’ve used a recovery code. If you’ve lost a device, remove it "
                              "under “Your second steps”, and revoke its app passwords here."),
    [APW_TEXT_BROWSER_KNOWN] = N_("This browser accepts your codes again. Enter the next one."),
    [APW_TEXT_DEVICE_LINK_OVER] =
        N_("This link isn’t valid: it was used or withdrawn, or its time is over. Each link works "
           "once. Ask for a new one."),
    [APW_TEXT_LINK_WITHDRAWN] = N_("The link was withdrawn. It no longer works."),
    [APW_TEXT_HELP_LINK_SENT] =
        N_("The link is on its way to the alternate address. It works once, for 24 hours."),
    [APW_TEXT_HELP_RESET] =
        N_("The reset was recorded, and the person was told by mail how to cancel it."),
    [APW_TEXT_RESET_CANCELED] = N_("The reset was canceled. The second steps keep working."),
    [APW_TEXT_HELP_MFA_ON] = N_("Two-step verification will be on from that date."),
    [APW_TEXT_HELP_MFA_OFF] = N_("Two-step verification is off."),
    [APW_TEXT_RENAMED] = N_("The app password has a new name. It keeps working."),
    [APW_TEXT_REVOKED] =
        N_("The app password was revoked. The program that used it can no longer sign in. "
           "{connections}"),
    [APW_TEXT_REVOKED_ALL] =
        N_("All app passwords were revoked. The programs that used them can no longer sign in. "
           "{connections}"),
    [APW_TEXT_CONNECTIONS_END] =
        N_("A program that is still connected is signed out within {seconds} s."),
    [APW_TEXT_CONNECTIONS_STAY] =
        N_("A program that is still connected may stay connected for days. To have it signed out, "
           "tell {support}."),
    [APW_TEXT_METHOD_SET_UP] = N_("Your second step is set up."),
    [APW_TEXT_FACTOR_ADDED] = N_("The second step was added. From now on, any of these works."),
    [APW_TEXT_FACTOR_REMOVED] = N_("The second step was removed. It no longer works."),
    [APW_TEXT_BROWSER_FORGOTTEN] = N_("That browser is asked for a second step again."),
    [APW_TEXT_FACTOR_RENAMED] = N_("The name was changed."),
    [APW_TEXT_CODE_SENT] = N_("A new code is on its way."),
    [APW_TEXT_SIGNED_OUT] = N_("You’re signed out."),
    [APW_TEXT_NEVER] = N_("never"),
    [APW_TEXT_EXPIRES_NEVER] = N_("Never"),
    [APW_TEXT_IN_30_DAYS] = N_("In 30 days"),
    [APW_TEXT_IN_90_DAYS] = N_("In 90 days"),
    [APW_TEXT_IN_A_YEAR] = N_("In a year"),
    [APW_TEXT_NOT_USED] = N_("not yet"),
    [APW_TEXT_ALL_SERVICES] = N_("all mail"),
    [APW_TEXT_EXPIRED] = N_("expired"),
    [APW_TEXT_OUTDATED] = N_("no longer works, because the account password was changed"),
    [APW_TEXT_UNUSED_LONG] = N_("will be revoked soon unless it’s used"),
    [APW_TEXT_UNUSABLE] = N_("damaged; revoke it"),
    [APW_TEXT_READING] = N_("reading mail"),
    [APW_TEXT_SENDING] = N_("sending mail"),
    [APW_TEXT_FILTERING] = N_("mail filters"),
    [APW_TEXT_CAN_BOTH] = N_("A mail program can read and send your mail with it."),
    [APW_TEXT_CAN_READ] = N_("A mail program can read your mail with it."),
    [APW_TEXT_CAN_SEND] = N_("A program or a device can send mail in your name with it."),
    [APW_TEXT_CAN_OTHER] = N_("It’s only for: {services}."),
    [APW_TEXT_HERE] = N_("the network you’re in now"),
    [APW_TEXT_METHOD_APP] = N_("Authenticator app"),
    [APW_TEXT_METHOD_MAIL] = N_("Code by e-mail"),
    [APW_TEXT_METHOD_PASSKEY] = N_("Passkey"),
    [APW_TEXT_METHOD_RECOVERY] = N_("Recovery code"),
    [APW_TEXT_FIRST_LABEL] = N_("My mail program"),
    [APW_TEXT_FROM_NAME] = N_("App passwords"),
    [APW_TEXT_ACCOUNT_OPEN] = N_("in use"),
    [APW_TEXT_ACCOUNT_ENDED] = N_("closed or locked"),
    [APW_TEXT_ON] = N_("on"),
    [APW_TEXT_OFF] = N_("off"),
    [APW_TEXT_ANNOUNCED] = N_("announced"),
    /* TRANSLATORS: From here on, somebody at a help desk reads these sentences aloud to a caller.
     */
    [APW_TEXT_SAY_ENDED] = N_("Your account is closed or locked, so nothing can sign in with it. "
                              "Whoever manages your account can open it again."),
    [APW_TEXT_SAY_LOCKED] =
        N_("Your account password was locked after too many wrong tries: {date}. It may be open "
           "again by now. Your app passwords keep working in any case."),
    [APW_TEXT_SAY_MFA_OFF] =
        N_("Two-step verification is off for you. Your mail program signs in with your account "
           "password and doesn’t need an app password."),
    [APW_TEXT_SAY_ANNOUNCED] =
        N_("As of {date}, your mail programs need an app password. Until then, your account "
           "password also works."),
    [APW_TEXT_SAY_ENROL] =
        N_("You haven’t set up a second step yet. Sign in at {url} with your account password. The "
           "page then shows you how to set it up."),
    [APW_TEXT_SAY_ENROL_BY_CODE] =
        N_("You haven’t set up a second step yet. For that, you need a code from us. Sign in at "
           "{url} with your account password, then enter the code."),
    [APW_TEXT_SAY_NOT_ALLOWED] =
        N_("The second step that you’ve set up is no longer accepted here. We need to reset it, so "
           "that you can set up another one."),
    [APW_TEXT_SAY_NO_APP_PASSWORD] =
        N_("You have no app password. Create one at {url}, and enter it in your mail program in "
           "place of your account password."),
    [APW_TEXT_SAY_EXPIRED] =
        N_("The app password “{label}” expired on {date}. Create a new one, and enter it in the "
           "program that used the old one."),
    [APW_TEXT_SAY_DAMAGED] =
        N_("The app password “{label}” is damaged and no longer works. Revoke it, create a new "
           "one, and enter that in the program that used it."),
    [APW_TEXT_SAY_UNUSED] =
        N_("We don’t see that any program has signed in with the app password “{label}”. Check "
           "that you typed all of it, without mistakes."),
    [APW_TEXT_SAY_ONLY_FOR] = N_("The app password “{label}” is only for: {services}."),
    [APW_TEXT_SAY_ONLY_FROM] =
        N_("The app password “{label}” only works from these networks: {from}."),
    [APW_TEXT_SAY_REVOKED] =
        N_("The app password “{label}” was revoked on {date}. A program that still has it can’t "
           "sign in until you enter a new one there."),
    [APW_TEXT_SAY_REVOKED_USED] =
        N_("The app password “{label}” was revoked on {date}. A program last used it on {used}. If "
           "that program still has it, it can’t sign in until you enter a new one there."),
    [APW_TEXT_SAY_NOTHING_WRONG] =
        N_("We see nothing wrong with your account or your app passwords. If a program can’t sign "
           "in, create a new app password at {url}, and enter it there."),
    [APW_TEXT_DAY] = N_("{day} {month} {year}"),
    /* TRANSLATORS: {day} for the first of a month: French has "1er". */
    [APW_TEXT_FIRST_DAY] = N_("1"),
    [APW_TEXT_MINUTE] = N_("{day} {month} {year}, {hour}:{minute}"),
    [APW_TEXT_JANUARY] = N_("January"),
    [APW_TEXT_FEBRUARY] = N_("February"),
    [APW_TEXT_MARCH] = N_("March"),
    [APW_TEXT_APRIL] = N_("April"),
    [APW_TEXT_MAY] = N_("May"),
    [APW_TEXT_JUNE] = N_("June"),
    [APW_TEXT_JULY] = N_("July"),
    [APW_TEXT_AUGUST] = N_("August"),
    [APW_TEXT_SEPTEMBER] = N_("September"),
    [APW_TEXT_OCTOBER] = N_("October"),
    [APW_TEXT_NOVEMBER] = N_("November"),
    [APW_TEXT_DECEMBER] = N_("December"),
};
