/*
 * step: one request of somebody who has signed in, on its way. Shared by the files that answer:
 * enrol.c (the second factor) and passwords.c (app passwords).
 */
#ifndef APW_STEP_H
#define APW_STEP_H

#include "account.h"
#include "manage.h"
#include "portal.h"
#include "web/page.h"

struct apw_step {
    const struct apw_portal *portal;
    struct apw_exchange *exchange;
    struct apw_visit *visit;
    struct apw_account account; /* as the directory has it now */
    struct apw_page page;
};

/* To another page, with something to be said there. */
void apw_step_go(struct apw_step *step, const char *path);
void apw_step_go_saying(struct apw_step *step, const char *path, enum apw_text text, bool is_good);

/* The directory is gone, or makes no sense: the page for it (503), and a line in the log. */
void apw_step_give_up(struct apw_step *step, const char *action, const struct apw_error *error);

/* A line in the log about what this person did, or did not. */
void apw_step_log(struct apw_step *step, enum apw_verdict verdict, enum apw_reason reason,
                  const char *action, const char *id, const struct apw_error *error);

/* A mail about something that was done, to the person's own mailbox; `label` for those that name
 * an app password. That it could not be sent is logged. */
void apw_step_notify(struct apw_step *step, const char *file, const char *label);

/* A mail to that address. -1, and logged, where it could not be sent. */
int apw_step_mail(struct apw_step *step, const char *to, const char *file);

/* Whether the person may choose a second factor now. */
bool apw_step_may_choose(const struct apw_step *step);

/* The pages, each for GET or POST. */
void apw_show_start(struct apw_step *step);
void apw_do_start(struct apw_step *step);
void apw_show_enrolment_code(struct apw_step *step);
void apw_do_enrolment_code(struct apw_step *step);
void apw_show_choose(struct apw_step *step);
void apw_do_choose(struct apw_step *step);
void apw_show_app(struct apw_step *step);
void apw_show_contact(struct apw_step *step);
void apw_do_contact(struct apw_step *step);
void apw_show_contact_code(struct apw_step *step);
void apw_show_challenge(struct apw_step *step);
void apw_do_resend(struct apw_step *step);
void apw_do_verify(struct apw_step *step);
void apw_do_change_method(struct apw_step *step);
void apw_show_verified(struct apw_step *step);

void apw_show_list(struct apw_step *step);
void apw_do_create(struct apw_step *step);
void apw_show_password(struct apw_step *step);
void apw_show_profile(struct apw_step *step);
void apw_do_revoke(struct apw_step *step);
void apw_do_revoke_all(struct apw_step *step);

/* Sends the code for the second factor by mail, where that is the second factor. */
void apw_send_challenge(struct apw_step *step);

/* A date and time as people read them, UTC: "2026-11-23 07:00 UTC", the day alone as "2026-11-23".
 */
#define APW_MOMENT_SIZE 32
void apw_moment_format(int64_t seconds, bool with_time, char text_r[APW_MOMENT_SIZE]);

#endif
