/* SPDX-License-Identifier: BSD-2-Clause */
#include "invite_mail.h"
#include "page_program.h"
#include "program.h"
#include "say.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX APW_PAGE_PROGRAM ": "

/* Leaves the first line of the answer, without the name of a program that could be run. */
static void trim(char *answer, bool has_run)
{
    answer[strcspn(answer, "\n")] = '\0';
    if (has_run && strncmp(answer, PREFIX, sizeof PREFIX - 1) == 0)
        memmove(answer, answer + sizeof PREFIX - 1, strlen(answer + sizeof PREFIX - 1) + 1);
    apw_say_printable(answer);
}

enum apw_status apw_invite_mail_send(const struct apw_invite_mail *mail, const char *token,
                                     char **answer_r)
{
    const char *const arguments[] = {APW_PAGE_PROGRAM,
                                     "-c",
                                     mail->config_path,
                                     "--mail-invitation",
                                     mail->login,
                                     "--language",
                                     mail->language == NULL ? "en" : mail->language,
                                     NULL};
    int status = apw_program_feed(arguments, token, answer_r);

    if (*answer_r != NULL)
        trim(*answer_r, status >= 0);
    return apw_page_program_status(status);
}

enum apw_status apw_invite_mail_check(const struct apw_invite_mail *mail)
{
    enum apw_status status = apw_page_program_check(mail->config_path, "invite", "--mail");
    char *answer = NULL;

    if (status != APW_STATUS_DONE)
        return status;
    status = apw_invite_mail_send(mail, "", &answer);
    if (status != APW_STATUS_DONE)
        apw_say(mail->login, "not invited: %s",
                answer != NULL && *answer != '\0' ? answer : APW_PAGE_PROGRAM " was ended");
    free(answer);
    return status;
}
