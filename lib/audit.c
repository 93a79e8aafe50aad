/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit.h"
#include "login.h"
#include "password.h"
#include <string.h>

#define DN_BYTES_MAX 255

const char *apw_audit_action_name(enum apw_audit_action action)
{
    static const char *const names[APW_AUDIT_ACTIONS] = {
        [APW_AUDIT_CREATE] = "create",
        [APW_AUDIT_REVOKE] = "revoke",
        [APW_AUDIT_RENAME] = "rename",
        [APW_AUDIT_MFA_ON] = "mfa-on",
        [APW_AUDIT_MFA_OFF] = "mfa-off",
        [APW_AUDIT_RESET] = "reset",
        [APW_AUDIT_CODE] = "code",
        [APW_AUDIT_INVITE] = "invite",
        [APW_AUDIT_SWEEP] = "sweep",
        [APW_AUDIT_IMPORT] = "import",
        [APW_AUDIT_MAIL] = "mail",
        [APW_AUDIT_REMIND] = "remind",
        [APW_AUDIT_ENROL] = "enrol",
        [APW_AUDIT_ADD_FACTOR] = "add-factor",
        [APW_AUDIT_RENAME_FACTOR] = "rename-factor",
        [APW_AUDIT_REMOVE_FACTOR] = "remove-factor",
        [APW_AUDIT_RECOVERY_CODES] = "recovery-codes",
        [APW_AUDIT_REMEMBER_BROWSER] = "remember-browser",
        [APW_AUDIT_FORGET_BROWSER] = "forget-browser",
        [APW_AUDIT_REQUEST_RESET] = "request-reset",
        [APW_AUDIT_CANCEL_RESET] = "cancel-reset",
    };

    return names[action];
}

/* A person: a login or a DN. */
static void put_person(struct apw_line *line, const char *key, const char *person)
{
    apw_line_put(line, key);
    if (person == NULL)
        apw_line_put(line, "-");
    else
        apw_line_put_login(line, person, strnlen(person, APW_LOGIN_BYTES_MAX));
}

static void put_quoted(struct apw_line *line, const char *key, const char *text, size_t size)
{
    if (text == NULL || text[0] == '\0')
        return;
    apw_line_put(line, key);
    apw_line_put_quoted(line, text, strnlen(text, size));
}

static void put_word(struct apw_line *line, const char *key, const char *word)
{
    if (word != NULL && word[0] != '\0')
        apw_line_put_field(line, key, word);
}

static bool is_password(const char *person)
{
    return person != NULL && apw_password_is_login(person, strnlen(person, APW_LOGIN_BYTES_MAX));
}

void apw_audit_format(const struct apw_audit *audit, char line_r[APW_LINE_SIZE])
{
    struct apw_line line = apw_line_begin(line_r);

    apw_line_put_field(&line, "app-password: action=", apw_audit_action_name(audit->action));
    put_person(&line, " actor=", audit->actor);
    put_person(&line, " user=", audit->user);
    apw_line_put_field(&line, " id=", audit->id);
    apw_line_put_field(&line, " result=", audit->is_done ? "done" : "failed");
    put_word(&line, " ", audit->details);
    put_word(&line, " client=", audit->client);
    put_word(&line, " mail=", audit->mail);
    put_quoted(&line, " dn=", audit->dn, DN_BYTES_MAX);
    /* If the user's name is an app password, the error may repeat it. */
    if (!audit->is_done && !is_password(audit->user))
        put_quoted(&line, " error=", audit->error, sizeof((struct apw_error *)NULL)->text - 1);
}
