/* SPDX-License-Identifier: BSD-2-Clause */
/* Creating, revoking, MFA on and off, reading users: the requests to the directory, and the results
 * of its answers. */
#include "enrolment.h"
#include "hash.h"
#include "manage.h"
#include "method.h"
#include "mfa_switch.h"
#include "reset.h"
#include "responder.h"
#include "unit.h"

#define DN "uid=alice,ou=people,dc=example,dc=org"
#define VALUE(id, rest)                                                                            \
    "id=" id " created=20261101000000Z" rest " hash={ARGON2}" UNIT_PHC " label=Laptop"
#define PLENTY_MS 20000

enum mfa { MFA_OFF = 0, MFA_ON, MFA_HIDDEN, MFA_LOST };

/* The directory: one entry, and the answer to a modification. */
struct scene {
    const char *name;
    const char *attributes[28]; /* name, value, … NULL */
    int entries;                /* 1 where it is 0; -1 for none */
    int search_code;
    int later_search_code; /* after a modification */
    enum mfa mfa;
    int modify_code;
    enum apw_manage_result (*act)(const struct apw_manager *manager,
                                  const struct apw_target *target, struct apw_error *error);
    enum apw_manage_result result;
    int modifies;
    const char *modified;     /* stands in the last modification; NULL for anything */
    const char *not_modified; /* does not */
    const char *error;        /* stands in the error */
    bool is_dry_run;
    unsigned max_app_passwords; /* 40 where it is 0 */
    const char *mfa_filter;
    int64_t max_lifetime_s, default_expires_s;
};

static char modified[RESPONDER_MESSAGE_SIZE];
static size_t modified_length;

static bool contains(const char *bytes, size_t length, const char *part)
{
    return memmem(bytes, length, part, strlen(part)) != NULL;
}

static bool answer_mfa(const struct request *request, const struct scene *scene)
{
    static const char *const nothing[] = {NULL};
    /* (!(appPasswordMfaEnabled=TRUE)), as libldap writes it */
    bool is_negated = contains(request->bytes, request->length, "\xa2\x1f\xa3\x1d");

    if (scene->mfa == MFA_LOST)
        return false;
    if (scene->mfa == (is_negated ? MFA_OFF : MFA_ON))
        responder_entry(request, DN, nothing);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

static bool answer_modify(const struct request *request, const struct scene *scene)
{
    memcpy(modified, request->bytes, request->length);
    modified_length = request->length;
    return scene->modify_code >= 0 &&
           responder_result(request, MODIFY_RESPONSE, scene->modify_code, NULL, NULL);
}

static bool answer(const struct request *request)
{
    const struct scene *scene = request->row;
    int entries = scene->entries == 0 ? 1 : scene->entries;

    if (request->operation == BIND_REQUEST)
        return responder_result(request, BIND_RESPONSE, 0, NULL, NULL);
    if (request->operation == MODIFY_REQUEST)
        return answer_modify(request, scene);
    if (contains(request->bytes, request->length,
                 "\x04\x03"
                 "1.1"))
        return answer_mfa(request, scene);
    for (int i = 0; i < entries; i++)
        responder_entry(request, DN, scene->attributes);
    return responder_result(request, SEARCH_DONE,
                            modified_length > 0 ? scene->later_search_code : scene->search_code,
                            NULL, NULL);
}

/* ---- what is done ---- */

static const int64_t distant = 4102444800; /* 2100 */

static enum apw_manage_result create_with(const struct apw_manager *manager,
                                          const struct apw_target *target,
                                          const struct apw_password_spec *spec,
                                          struct apw_error *error)
{
    struct apw_password password;
    enum apw_manage_result result = apw_manage_create(manager, target, spec, &password, error);
    struct apw_password again;

    /* An app password that was not stored is never shown. */
    if (result == APW_MANAGE_DONE)
        assert_true(apw_password_recognize(password.symbols, APW_PASSWORD_LENGTH, &again));
    else
        assert_true(unit_is_zero(&password, sizeof password));
    return result;
}

#define CREATES(function, ...)                                                                     \
    static enum apw_manage_result function(const struct apw_manager *manager,                      \
                                           const struct apw_target *target,                        \
                                           struct apw_error *error)                                \
    {                                                                                              \
        return create_with(manager, target, &(struct apw_password_spec){__VA_ARGS__}, error);      \
    }
CREATES(create, .label = " Laptop ", .services = "SMTPS,imap,smtp", .from = "192.0.2.0/24",
        .expires = &distant)
CREATES(create_without_mfa, .label = "Printer", .without_mfa = true)
CREATES(create_endless, .label = "Printer", .without_mfa = true, .is_endless = true)
CREATES(create_forced, .label = "Printer", .without_mfa = true, .is_forced = true)
CREATES(create_with_bad_label, .label = "  ")
CREATES(create_with_bad_services, .label = "x", .services = "smtp,,imap")
CREATES(create_with_bad_from, .label = "x", .from = "192.0.2.1/24")
CREATES(create_expired, .label = "x", .expires = &(const int64_t){1})

#define TURNS_ON(function, ...)                                                                    \
    static enum apw_manage_result function(const struct apw_manager *manager,                      \
                                           const struct apw_target *target,                        \
                                           struct apw_error *error)                                \
    {                                                                                              \
        struct apw_mfa_switched switched;                                                          \
                                                                                                   \
        return apw_mfa_switch_on(manager, target, &(struct apw_mfa_start){__VA_ARGS__}, &switched, \
                                 error);                                                           \
    }
TURNS_ON(mfa_on, .is_only_if_off = true)
TURNS_ON(mfa_on_later, .is_only_if_off = true, .from = &distant)
TURNS_ON(mfa_now, .from = NULL)
TURNS_ON(mfa_from, .from = &distant)
TURNS_ON(mfa_too_late, .from = &(const int64_t){INT64_MAX / 2})

static enum apw_manage_result mfa_taken_back(const struct apw_manager *manager,
                                             const struct apw_target *target,
                                             struct apw_error *error)
{
    struct apw_mfa_switched switched;

    return apw_mfa_switch_take_back(manager, target, &switched, error);
}

static enum apw_manage_result mfa_off(const struct apw_manager *manager,
                                      const struct apw_target *target, struct apw_error *error)
{
    struct apw_mfa_switched switched;

    return apw_mfa_switch_off(manager, target, &switched, error);
}

#define INVITATION(id, until)                                                                      \
    "invitation id=" id " created=20261101000000Z until=" until                                    \
    " hash=AAAAAAAAAAAAAAAAAAAAAA label=Phone"
#define OPEN_INVITATION INVITATION("k7q2", "20990101000000Z")

CREATES(create_invited, .label = "Phone", .invitation = OPEN_INVITATION)

static enum apw_manage_result invite(const struct apw_manager *manager,
                                     const struct apw_target *target, struct apw_error *error)
{
    const struct apw_password_spec spec = {.label = " Phone ", .services = "SMTPS,imap"};
    const struct apw_manage_invitation wish = {
        .spec = &spec, .valid_s = 3600, .factor = "1f2e3d4c"};
    struct apw_invitation invitation;
    char token[APW_TOKEN_SIZE];
    enum apw_manage_result result =
        apw_manage_invite(manager, target, &wish, &invitation, token, error);

    /* A token that was not stored is never shown. */
    if (result == APW_MANAGE_DONE)
        assert_true(apw_token_has_hash(token, invitation.hash));
    else
        assert_true(unit_is_zero(token, sizeof token));
    return result;
}

static enum apw_manage_result revoke_one(const struct apw_manager *manager,
                                         const struct apw_target *target, struct apw_error *error)
{
    return apw_manage_revoke(manager, target, "K7Q2", error);
}

static enum apw_manage_result revoke_nonsense(const struct apw_manager *manager,
                                              const struct apw_target *target,
                                              struct apw_error *error)
{
    return apw_manage_revoke(manager, target, "k7q2-9fjd", error);
}

static enum apw_manage_result revoke_all(const struct apw_manager *manager,
                                         const struct apw_target *target, struct apw_error *error)
{
    size_t count;
    enum apw_manage_result result = apw_manage_revoke_all(manager, target, &count, error);

    assert_in_range(count, 0, 2);
    return result;
}

static enum apw_manage_result make_code(const struct apw_manager *manager,
                                        const struct apw_target *target, struct apw_error *error)
{
    struct apw_password code;
    enum apw_manage_result result = apw_enrolment_make_code(manager, target, false, &code, error);

    assert_true((result == APW_MANAGE_DONE) == !unit_is_zero(&code, sizeof code));
    return result;
}

static enum apw_manage_result replace_code(const struct apw_manager *manager,
                                           const struct apw_target *target, struct apw_error *error)
{
    struct apw_password code;

    return apw_enrolment_make_code(manager, target, true, &code, error);
}

static enum apw_manage_result look(const struct apw_manager *manager,
                                   const struct apw_target *target, struct apw_error *error)
{
    struct apw_user *user;
    enum apw_manage_result result = apw_user_find(manager, target, &user, error);

    assert_true((user != NULL) == (result == APW_MANAGE_DONE));
    apw_user_free(&user);
    return result;
}

static enum apw_manage_result look_for_nonsense(const struct apw_manager *manager,
                                                const struct apw_target *target,
                                                struct apw_error *error)
{
    (void)target;
    return look(manager, &(struct apw_target){.login = "\r\n"}, error);
}

static enum apw_manage_result request_reset(const struct apw_manager *manager,
                                            const struct apw_target *target,
                                            struct apw_error *error)
{
    struct apw_reset reset;

    return apw_reset_request(manager, target, 86400, "helper", &reset, error);
}

static int count_users(void *context, const struct apw_user *user)
{
    assert_string_equal(user->dn, DN);
    ++*(int *)context;
    return 0;
}

static enum apw_manage_result look_at_all(const struct apw_manager *manager,
                                          const struct apw_target *target, struct apw_error *error)
{
    int count = 0;
    enum apw_manage_result result =
        apw_user_each(manager, "(appPassword=*)", count_users, &count, error);

    (void)target;
    assert_int_equal(count, result == APW_MANAGE_DONE ? 2 : 0);
    return result;
}

#define CLASS         "objectClass", "appPasswordAccount"
#define ONE           "appPassword", VALUE("k7q2", "")
#define STONE(id, at) "appPassword", "id=" id " created=20261101000000Z revoked=" at " label=Gone"
#define SEALED        "sealed=AAAA"
#define CODE          "code created=20261101000000Z expires=20270101000000Z hash={ARGON2}" UNIT_PHC

static const struct scene scenes[] = {
    {"an app password is created",
     {"uid", "alice"},
     .mfa = MFA_ON,
     .act = create,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = " expires=21000101000000Z services=smtp,imap from=192.0.2.0/24 hash={ARGON2}"},
    {"an app password needs MFA",
     {CLASS},
     .mfa = MFA_OFF,
     .act = create,
     .result = APW_MANAGE_MFA_IS_OFF,
     .error = "MFA is off"},
    {"an app password without MFA is asked for",
     {CLASS},
     .mfa = MFA_OFF,
     .act = create_without_mfa,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "label=Printer"},
    {"it has no end unless asked for",
     {CLASS},
     .act = create_without_mfa,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .not_modified = " expires="},
    {"with default_expires it has",
     {CLASS},
     .default_expires_s = 86400,
     .act = create_without_mfa,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = " expires="},
    {"in spite of default_expires it may have none",
     {CLASS},
     .default_expires_s = 86400,
     .act = create_endless,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .not_modified = " expires="},
    {"with max_lifetime it has one in any case",
     {CLASS},
     .max_lifetime_s = 86400,
     .act = create_endless,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = " expires="},
    {"with max_lifetime it ends earlier than asked for",
     {CLASS},
     .mfa = MFA_ON,
     .max_lifetime_s = 86400,
     .act = create,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = " expires=20",
     .not_modified = " expires=21000101000000Z"},
    {"where MFA cannot be read no app password is created",
     {CLASS},
     .mfa = MFA_HIDDEN,
     .act = create,
     .result = APW_MANAGE_NOT_PERMITTED,
     .error = "neither"},
    {"where MFA cannot be asked no app password is created",
     {CLASS},
     .mfa = MFA_LOST,
     .act = create,
     .result = APW_MANAGE_UNAVAILABLE,
     .error = "search"},
    {"one app password too many is refused",
     {CLASS, ONE},
     .mfa = MFA_ON,
     .act = create,
     .max_app_passwords = 1,
     .result = APW_MANAGE_REFUSED,
     .error = "max_app_passwords is 1"},
    {"an account that has ended gets no app password",
     {CLASS, "pwdEndTime", "20200101000000Z"},
     .act = create_without_mfa,
     .result = APW_MANAGE_ENDED,
     .error = "pwdEndTime ends the account"},
    {"nor does one that may have ended",
     {CLASS, "shadowExpire", "soon"},
     .act = create_without_mfa,
     .result = APW_MANAGE_ENDED,
     .error = "shadowExpire is invalid"},
    {"unless it is forced",
     {CLASS, "userAccountControl", "514"},
     .act = create_forced,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "label=Printer"},
    {"a blank label is invalid",
     {CLASS},
     .act = create_with_bad_label,
     .result = APW_MANAGE_INVALID,
     .error = "label"},
    {"an empty service is invalid",
     {CLASS},
     .act = create_with_bad_services,
     .result = APW_MANAGE_INVALID,
     .error = "not the name of a service"},
    {"bits after the prefix are invalid",
     {CLASS},
     .act = create_with_bad_from,
     .result = APW_MANAGE_INVALID,
     .error = "not a network"},
    {"one that has expired is invalid",
     {CLASS},
     .act = create_expired,
     .result = APW_MANAGE_INVALID,
     .error = "expired already"},
    {"one whose answer was lost may have been made",
     {CLASS},
     .act = create_without_mfa,
     .modify_code = -1,
     .result = APW_MANAGE_UNAVAILABLE,
     .modifies = 1,
     .error = "if app password"},
    {"who may not write creates nothing",
     {CLASS},
     .act = create_without_mfa,
     .modify_code = 50,
     .result = APW_MANAGE_NOT_PERMITTED,
     .modifies = 1},
    {"an entry that keeps changing is a conflict",
     {CLASS},
     .act = create_without_mfa,
     .modify_code = 20,
     .result = APW_MANAGE_CONFLICT,
     .modifies = 5,
     .error = "keeps changing"},
    {"what the schema does not take is refused",
     {CLASS},
     .act = create_without_mfa,
     .modify_code = 65,
     .result = APW_MANAGE_REFUSED,
     .modifies = 1},
    {"a replica that takes no changes refuses",
     {CLASS},
     .act = create_without_mfa,
     .modify_code = 53,
     .result = APW_MANAGE_REFUSED,
     .modifies = 1},
    {"an entry that went away is not found",
     {CLASS},
     .act = create_without_mfa,
     .modify_code = 32,
     .result = APW_MANAGE_NOT_FOUND,
     .modifies = 1},
    {"a dry run writes nothing",
     {CLASS},
     .act = create_without_mfa,
     .is_dry_run = true,
     .result = APW_MANAGE_DONE},

    {"an app password is revoked",
     {CLASS, ONE, "appPassword", VALUE("zzzz", "")},
     .act = revoke_one,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "id=k7q2"},
    {"two values with one id are revoked together",
     {CLASS, ONE, "appPassword", "id=k7q2 broken"},
     .act = revoke_one,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "id=k7q2 broken"},
    {"a revoked app password leaves a tombstone",
     {CLASS, ONE},
     .act = revoke_one,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "id=k7q2 created=20261101000000Z revoked=2"},
    {"the tombstone keeps the label",
     {CLASS, ONE},
     .act = revoke_one,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "Z label=Laptop"},
    {"what cannot be read leaves a tombstone too",
     {CLASS, "appPassword", "id=k7q2 broken"},
     .act = revoke_one,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "Z label=(unreadable)"},
    {"of two values with one id the readable one is remembered",
     {CLASS, "appPassword", "id=k7q2 broken", ONE},
     .act = revoke_one,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "Z label=Laptop",
     .not_modified = "unreadable"},
    {"a value beside its tombstone is revoked and leaves no second one",
     {CLASS, ONE, STONE("k7q2", "20261120000000Z")},
     .act = revoke_one,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "hash={ARGON2}",
     .not_modified = "revoked="},
    {"what was revoked before is not found",
     {CLASS, STONE("k7q2", "20261120000000Z")},
     .act = revoke_one,
     .result = APW_MANAGE_NOT_FOUND,
     .error = "app password k7q2 was revoked before"},
    {"revoking all leaves tombstones",
     {CLASS, ONE, "appPassword", "rubbish"},
     .act = revoke_all,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "id=k7q2 created=20261101000000Z revoked=2",
     .not_modified = "rubbish"},
    {"revoking all keeps the tombstones that were there",
     {CLASS, ONE, STONE("zzzz", "20261120000000Z")},
     .act = revoke_all,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "id=zzzz created=20261101000000Z revoked=20261120000000Z label=Gone"},
    {"revoking all where only tombstones are is unchanged",
     {CLASS, STONE("zzzz", "20261120000000Z")},
     .act = revoke_all,
     .result = APW_MANAGE_UNCHANGED},
    {"tombstones do not count for max_app_passwords",
     {CLASS, STONE("k7q2", "20261120000000Z"), STONE("zzzz", "20261120000000Z")},
     .mfa = MFA_ON,
     .act = create,
     .max_app_passwords = 1,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .not_modified = "revoked="},
    {"an id that is not there is not found",
     {CLASS, "appPassword", VALUE("zzzz", "")},
     .act = revoke_one,
     .result = APW_MANAGE_NOT_FOUND,
     .error = "no app password k7q2"},
    {"what is no id is invalid",
     {CLASS, ONE},
     .act = revoke_nonsense,
     .result = APW_MANAGE_INVALID,
     .error = "not an id"},
    {"all are revoked",
     {CLASS, ONE},
     .act = revoke_all,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "appPassword"},
    {"nothing to revoke is unchanged",
     {CLASS},
     .act = revoke_all,
     .modify_code = 16,
     .result = APW_MANAGE_UNCHANGED,
     .modifies = 1},
    {"a dry run of revoking nothing is unchanged",
     {CLASS},
     .act = revoke_all,
     .is_dry_run = true,
     .result = APW_MANAGE_UNCHANGED},

    {"an invitation is stored",
     {CLASS, "appPasswordMfaMethod", SEALED},
     .mfa = MFA_ON,
     .act = invite,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = " factor=1f2e3d4c services=smtp,imap label=Phone",
     .not_modified = SEALED},
    {"invitations that have expired go with the next one",
     {CLASS, "appPasswordMfaMethod", INVITATION("zzzz", "20261102000000Z"), "appPasswordMfaMethod",
      OPEN_INVITATION},
     .mfa = MFA_ON,
     .act = invite,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "until=20261102000000Z",
     .not_modified = "until=20990101000000Z"},
    {"an invitation ends as the app password would",
     {CLASS},
     .mfa = MFA_ON,
     .max_lifetime_s = 86400,
     .act = invite,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = " expires="},
    {"nobody is invited who may not have an app password",
     {CLASS},
     .mfa = MFA_OFF,
     .act = invite,
     .result = APW_MANAGE_MFA_IS_OFF,
     .error = "MFA is off"},
    {"nobody is invited whose account has ended",
     {CLASS, "pwdAccountLockedTime", "000001010000Z"},
     .mfa = MFA_ON,
     .act = invite,
     .result = APW_MANAGE_ENDED},
    {"invitations are limited",
     {CLASS,          "appPasswordMfaMethod", OPEN_INVITATION, "appPasswordMfaMethod",
      "invitation 1", "appPasswordMfaMethod", "invitation 2",  "appPasswordMfaMethod",
      "invitation 3", "appPasswordMfaMethod", "invitation 4",  "appPasswordMfaMethod",
      "invitation 5", "appPasswordMfaMethod", "invitation 6",  "appPasswordMfaMethod",
      "invitation 7", "appPasswordMfaMethod", "invitation 8",  "appPasswordMfaMethod",
      "invitation 9"},
     .mfa = MFA_ON,
     .act = invite,
     .result = APW_MANAGE_REFUSED,
     .error = "10 invitations"},
    {"an invitation is used up in the step that stores the app password",
     {CLASS, "appPasswordMfaMethod", OPEN_INVITATION},
     .mfa = MFA_ON,
     .act = create_invited,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = OPEN_INVITATION},
    {"an invitation that is gone gives no app password",
     {CLASS, "appPasswordMfaMethod", INVITATION("k7q2", "20990102000000Z")},
     .mfa = MFA_ON,
     .act = create_invited,
     .result = APW_MANAGE_NOT_FOUND,
     .error = "used or revoked"},
    {"an invitation that others use at the same time gives no app password",
     {CLASS, "appPasswordMfaMethod", OPEN_INVITATION},
     .mfa = MFA_ON,
     .act = create_invited,
     .modify_code = 16,
     .result = APW_MANAGE_CONFLICT,
     .modifies = 5},
    {"taking back announced MFA deletes no date but the one that was read",
     {CLASS, "appPasswordMfaEnabled", "TRUE", "appPasswordMfaEnforceFrom", "20990102000000Z"},
     .mfa = MFA_ON,
     .act = mfa_taken_back,
     .result = APW_MANAGE_REFUSED, /* this directory still says that it is on */
     .modifies = 1,
     .modified = "20990102000000Z"},
    {"MFA that somebody enforces at the same time stays on",
     {CLASS, "appPasswordMfaEnabled", "TRUE", "appPasswordMfaEnforceFrom", "20990102000000Z"},
     .mfa = MFA_ON,
     .act = mfa_taken_back,
     .modify_code = 16,
     .result = APW_MANAGE_CONFLICT,
     .modifies = 5},
    {"MFA that is enforced is not taken back",
     {CLASS, "appPasswordMfaEnabled", "TRUE"},
     .mfa = MFA_ON,
     .act = mfa_taken_back,
     .result = APW_MANAGE_REFUSED,
     .error = "enforced, not announced"},
    {"an invitation is revoked by its id",
     {CLASS, "appPasswordMfaMethod", OPEN_INVITATION},
     .act = revoke_one,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = OPEN_INVITATION},
    {"revoking all removes invitations, even damaged ones",
     {CLASS, "appPasswordMfaMethod", SEALED, "appPasswordMfaMethod", "invitation rubbish",
      STONE("zzzz", "20261120000000Z")},
     .act = revoke_all,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "invitation rubbish",
     .not_modified = SEALED},

    {"MFA is turned on",
     {"uid", "alice", "objectClass", "person"},
     .mfa = MFA_OFF,
     .act = mfa_on,
     .result = APW_MANAGE_REFUSED,
     .modifies = 1,
     .modified = "appPasswordAccount",
     .error = "is TRUE now, but"}, /* the scene's filter still says that it is off */
    {"MFA that is on is unchanged",
     {CLASS, "appPasswordMfaEnabled", "TRUE"},
     .mfa = MFA_ON,
     .act = mfa_on,
     .result = APW_MANAGE_UNCHANGED},
    {"an announcement stays",
     {CLASS, "appPasswordMfaEnabled", "TRUE", "appPasswordMfaEnforceFrom", "20990101000000Z"},
     .mfa = MFA_ON,
     .act = mfa_on,
     .result = APW_MANAGE_UNCHANGED},
    {"another announcement does not move it",
     {CLASS, "appPasswordMfaEnabled", "TRUE", "appPasswordMfaEnforceFrom", "20990101000000Z"},
     .mfa = MFA_ON,
     .act = mfa_on_later,
     .result = APW_MANAGE_UNCHANGED},
    {"nor does it take back what is enforced",
     {CLASS, "appPasswordMfaEnabled", "TRUE"},
     .mfa = MFA_ON,
     .act = mfa_on_later,
     .result = APW_MANAGE_UNCHANGED},
    {"a date that has passed stays",
     {CLASS, "appPasswordMfaEnabled", "TRUE", "appPasswordMfaEnforceFrom", "20200101000000Z"},
     .mfa = MFA_ON,
     .act = mfa_on,
     .result = APW_MANAGE_UNCHANGED},
    {"an invalid date is removed",
     {CLASS, "appPasswordMfaEnabled", "TRUE", "appPasswordMfaEnforceFrom", "soon"},
     .mfa = MFA_ON,
     .act = mfa_on,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "appPasswordMfaEnforceFrom"},
    {"an invalid date gets no time to pass",
     {CLASS, "appPasswordMfaEnabled", "TRUE", "appPasswordMfaEnforceFrom", "soon"},
     .mfa = MFA_ON,
     .act = mfa_on_later,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .not_modified = "21000101000000Z"},
    {"MFA that is off is announced",
     {CLASS},
     .mfa = MFA_OFF,
     .act = mfa_on_later,
     .result = APW_MANAGE_REFUSED, /* the scene's filter still says that it is off */
     .modifies = 1,
     .modified = "21000101000000Z"},
    {"a date to come that was left behind counts",
     {CLASS, "appPasswordMfaEnabled", "FALSE", "appPasswordMfaEnforceFrom", "20990101000000Z"},
     .mfa = MFA_OFF,
     .act = mfa_on,
     .result = APW_MANAGE_REFUSED,
     .modifies = 1,
     .modified = "TRUE",
     .not_modified = "appPasswordMfaEnforceFrom"},
    {"a date that has passed does not shorten the announcement",
     {CLASS, "appPasswordMfaEnforceFrom", "20200101000000Z"},
     .mfa = MFA_OFF,
     .act = mfa_on_later,
     .result = APW_MANAGE_REFUSED,
     .modifies = 1,
     .modified = "21000101000000Z"},
    {"MFA that is not shown to be off is enforced at once",
     {CLASS},
     .mfa = MFA_HIDDEN,
     .act = mfa_on_later,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .not_modified = "21000101000000Z"},
    {"an announcement is enforced now",
     {CLASS, "appPasswordMfaEnabled", "TRUE", "appPasswordMfaEnforceFrom", "20990101000000Z"},
     .mfa = MFA_ON,
     .act = mfa_now,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "appPasswordMfaEnforceFrom"},
    {"MFA is announced",
     {CLASS, "appPasswordMfaEnabled", "TRUE"},
     .mfa = MFA_ON,
     .act = mfa_from,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "21000101000000Z"},
    {"MFA that is announced for then is unchanged",
     {CLASS, "appPasswordMfaEnabled", "TRUE", "appPasswordMfaEnforceFrom", "21000101000000Z"},
     .mfa = MFA_ON,
     .act = mfa_from,
     .result = APW_MANAGE_UNCHANGED},
    {"a date past the year 9999 is invalid",
     {CLASS},
     .mfa = MFA_ON,
     .act = mfa_too_late,
     .result = APW_MANAGE_INVALID,
     .error = "9999"},
    {"MFA is turned off",
     {CLASS, "appPasswordMfaEnabled", "TRUE"},
     .mfa = MFA_OFF,
     .act = mfa_off,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "FALSE"},
    {"MFA that is off is unchanged",
     {CLASS},
     .mfa = MFA_OFF,
     .act = mfa_off,
     .result = APW_MANAGE_UNCHANGED},
    {"MFA that cannot be asked is unavailable",
     {CLASS},
     .mfa = MFA_LOST,
     .act = mfa_on,
     .result = APW_MANAGE_UNAVAILABLE},
    {"where mfa_filter reads something else it is a matter of configuration",
     {CLASS},
     .act = mfa_on,
     .mfa_filter = "(memberOf=cn=mfa,dc=example,dc=org)",
     .result = APW_MANAGE_CONFIGURATION,
     .error = "does not read"},
    {"the same for turning it off",
     {CLASS},
     .act = mfa_off,
     .mfa_filter = "(xappPasswordMfaEnabled=TRUE)",
     .result = APW_MANAGE_CONFIGURATION},
    {"an enrollment is removed",
     {CLASS},
     .act = apw_enrolment_reset,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "appPasswordMfaMethod"},
    {"an enrollment that is not there is unchanged",
     {CLASS},
     .act = apw_enrolment_reset,
     .modify_code = 16,
     .result = APW_MANAGE_UNCHANGED,
     .modifies = 1},
    {"a code replaces an older one",
     {CLASS, "appPasswordMfaMethod", SEALED, "appPasswordMfaMethod", CODE},
     .act = make_code,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = CODE},
    {"a code with a reset replaces everything",
     {"entryUUID", "1-2-3", "mail", "a@example.net", "appPasswordMfaMethod", SEALED},
     .act = replace_code,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "appPasswordMfaMethod"},
    {"a code that cannot be stored is not given out",
     {CLASS},
     .act = make_code,
     .modify_code = 50,
     .result = APW_MANAGE_NOT_PERMITTED,
     .modifies = 1},
    {"a reset is stored",
     {CLASS, "appPasswordMfaMethod", SEALED},
     .act = request_reset,
     .result = APW_MANAGE_DONE,
     .modifies = 1,
     .modified = "reset id="},
    {"a reset that cannot be read back is stored: its owner is told",
     {CLASS, "appPasswordMfaMethod", SEALED},
     .later_search_code = 80,
     .act = request_reset,
     .result = APW_MANAGE_DONE,
     .modifies = 1},

    {"a user is found",
     {"UID", "alice", ONE, "appPassword", "nonsense", "appPassword", VALUE("zzzz", ""),
      "appPasswordUsed", "id=k7q2 at=20261123070000Z", "appPasswordUsed",
      "id=k7q2 at=20261124070000Z service=imap", "appPasswordUsed", "id=0000 x", "appPasswordUsed",
      "nonsense", "nsAccountLock", "true"},
     .act = look,
     .result = APW_MANAGE_DONE},
    {"nobody is not found",
     {NULL},
     .entries = -1,
     .act = look,
     .result = APW_MANAGE_NOT_FOUND,
     .error = "no such user"},
    {"two are refused",
     {NULL},
     .entries = 2,
     .act = look,
     .result = APW_MANAGE_REFUSED,
     .error = "more than one entry"},
    {"a base that is not there is a matter of configuration",
     {NULL},
     .search_code = 32,
     .act = look,
     .result = APW_MANAGE_CONFIGURATION,
     .error = "it does not exist"},
    {"a search that is not permitted is told",
     {NULL},
     .search_code = 50,
     .act = look,
     .result = APW_MANAGE_NOT_PERMITTED},
    {"a directory out of order is unavailable",
     {NULL},
     .search_code = 80,
     .act = look,
     .result = APW_MANAGE_UNAVAILABLE},
    {"what cannot be a login is not found",
     {NULL},
     .act = look_for_nonsense,
     .result = APW_MANAGE_NOT_FOUND,
     .error = "no login can have this name"},
    {"all users are looked at", {ONE}, .entries = 2, .act = look_at_all, .result = APW_MANAGE_DONE},
    {"not all users at a limit",
     {NULL},
     .entries = -1,
     .search_code = 4,
     .act = look_at_all,
     .result = APW_MANAGE_REFUSED,
     .error = "load the limits"},
};

static struct apw_config config_of(const struct scene *scene)
{
    return (struct apw_config){
        .path = (char *)"app-password.conf",
        .base = (char *)"dc=example,dc=org",
        .filter = (char *)"(uid=%u)",
        .mfa_filter = (char *)(scene->mfa_filter != NULL ? scene->mfa_filter
                                                         : "(appPasswordMfaEnabled=TRUE)"),
        .deadline_ms = PLENTY_MS,
        .hash_memory_mib = 1,
        .hash_passes = 1,
        .max_app_passwords = scene->max_app_passwords > 0 ? scene->max_app_passwords : 40,
        .max_lifetime_s = scene->max_lifetime_s,
        .default_expires_s = scene->default_expires_s,
    };
}

static struct apw_directory *open_directory(void)
{
    const struct apw_uris uris = {.count = 1, .uri = {(char *)responder_uri(0)}};
    const struct apw_identity identity = {.dn = (char *)"cn=a", .password = (char *)"b"};
    const struct apw_directory_settings settings = {
        .uris = &uris, .identity = &identity, .timeout_ms = PLENTY_MS};
    struct apw_directory *directory;

    assert_int_equal(apw_directory_new(&settings, &directory, NULL), 0);
    return directory;
}

static void test_scene(void **state)
{
    const struct scene *scene = *state;
    const struct apw_config config = config_of(scene);
    const struct apw_target target = {.login = "alice"};
    struct apw_directory *directory = open_directory();
    const struct apw_manager manager = {.config = &config,
                                        .directory = directory,
                                        .is_dry_run = scene->is_dry_run,
                                        .with_enrolment = true};
    struct apw_error error = {""};

    responder_expect(answer, scene);
    modified_length = 0;
    assert_int_equal(scene->act(&manager, &target, &error), scene->result);
    assert_int_equal(responder_seen().modifies, scene->modifies);
    if (scene->modified != NULL)
        assert_true(contains(modified, modified_length, scene->modified));
    if (scene->not_modified != NULL)
        assert_false(contains(modified, modified_length, scene->not_modified));
    if (scene->error != NULL)
        assert_contains(error.text, scene->error);
    apw_directory_free(&directory);
}

/* A user that was just read is not looked up again. */
static void test_user_in_hand(void **state)
{
    static const struct scene scene = {.attributes = {CLASS, ONE}};
    const struct apw_config config = config_of(&scene);
    struct apw_directory *directory = open_directory();
    const struct apw_manager manager = {
        .config = &config, .directory = directory, .with_enrolment = true};
    struct apw_target target = {.login = "alice"};
    struct apw_error error = {""};
    struct apw_user *user;
    size_t count;

    (void)state;
    responder_expect(answer, &scene);
    assert_int_equal(apw_user_find(&manager, &target, &user, &error), APW_MANAGE_DONE);
    target.user = user;
    assert_int_equal(apw_manage_revoke(&manager, &target, "k7q2", &error), APW_MANAGE_DONE);
    assert_int_equal(apw_manage_revoke_all(&manager, &target, &count, &error), APW_MANAGE_DONE);
    assert_int_equal(create_without_mfa(&manager, &target, &error), APW_MANAGE_DONE);
    assert_int_equal(responder_seen().searches, 1);
    assert_int_equal(responder_seen().modifies, 3);
    apw_user_free(&user);
    apw_directory_free(&directory);
}

/* An invitation of a user in hand may have become an app password in the meantime. */
static void test_revoking_all_while_an_invitation_is_used(void **state)
{
    static const struct scene before = {.attributes = {CLASS, STONE("zzzz", "20261120000000Z"),
                                                       "appPasswordMfaMethod", OPEN_INVITATION}};
    static const struct scene after = {
        .attributes = {CLASS, ONE, STONE("zzzz", "20261120000000Z")}};
    const struct apw_config config = config_of(&before);
    struct apw_directory *directory = open_directory();
    const struct apw_manager manager = {
        .config = &config, .directory = directory, .with_enrolment = true};
    struct apw_target target = {.login = "alice"};
    struct apw_error error = {""};
    struct apw_user *user;
    size_t count;

    (void)state;
    responder_expect(answer, &before);
    assert_int_equal(apw_user_find(&manager, &target, &user, &error), APW_MANAGE_DONE);
    target.user = user;
    responder_expect(answer, &after);
    modified_length = 0;
    assert_int_equal(apw_manage_revoke_all(&manager, &target, &count, &error), APW_MANAGE_DONE);
    assert_int_equal(count, 1);
    assert_true(contains(modified, modified_length, "id=k7q2 created=20261101000000Z revoked=2"));
    apw_user_free(&user);
    apw_directory_free(&directory);
}

/* ... unless it has changed in the meantime. */
static void test_user_in_hand_that_changed(void **state)
{
    static const struct scene scene = {.attributes = {CLASS, ONE}, .modify_code = 16};
    const struct apw_config config = config_of(&scene);
    struct apw_directory *directory = open_directory();
    const struct apw_manager manager = {.config = &config, .directory = directory};
    struct apw_target target = {.login = "alice"};
    struct apw_error error = {""};
    struct apw_user *user;

    (void)state;
    responder_expect(answer, &scene);
    assert_int_equal(apw_user_find(&manager, &target, &user, &error), APW_MANAGE_DONE);
    target.user = user;
    assert_int_equal(apw_manage_revoke(&manager, &target, "k7q2", &error), APW_MANAGE_CONFLICT);
    assert_true(responder_seen().searches > 1);
    apw_user_free(&user);
    apw_directory_free(&directory);
}

/* What is read of a user, in order. */
static void test_user(void **state)
{
    static const struct scene rich = {.attributes = {"uid",
                                                     "alice",
                                                     "objectClass",
                                                     "person",
                                                     "appPassword",
                                                     VALUE("zzzz", ""),
                                                     ONE,
                                                     "appPassword",
                                                     "id=k7q2 broken",
                                                     "appPasswordMfaEnabled",
                                                     "FALSE",
                                                     "appPasswordMfaEnforceFrom",
                                                     "soon",
                                                     "appPasswordUsed",
                                                     "id=zzzz at=20261123070000Z service=imap",
                                                     "appPasswordUsed",
                                                     "id=aaaa nonsense",
                                                     "entryUUID",
                                                     "1-2-3",
                                                     "cn",
                                                     "Alice Liddell"}};
    const struct apw_config config = config_of(&rich);
    struct apw_directory *directory = open_directory();
    const struct apw_manager manager = {
        .config = &config, .directory = directory, .with_enrolment = true};
    const struct apw_target target = {.dn = DN};
    struct apw_error error;
    struct apw_user *user;

    (void)state;
    responder_expect(answer, &rich);
    assert_int_equal(apw_user_find(&manager, &target, &user, &error), APW_MANAGE_DONE);
    assert_string_equal(user->name, "alice");
    assert_string_equal(user->full_name, "Alice Liddell");
    assert_string_equal(user->unique_id, "1-2-3");
    assert_false(user->has_class);
    assert_int_equal(user->account_state, APW_ACCOUNT_STATE_ACTIVE);
    assert_int_equal(user->mfa_flag, APW_MFA_FLAG_FALSE);
    assert_true(user->has_enforce_from && !user->is_enforce_from_readable);
    assert_int_equal(user->password_count, 3);
    assert_string_equal(user->password[0].id, "zzzz"); /* the only usable one */
    assert_true(user->password[0].is_usable && user->password[0].has_use);
    assert_string_equal(user->password[0].use.service, "imap");
    for (int i = 1; i < 3; i++) {
        assert_string_equal(user->password[i].id, "k7q2");
        assert_false(user->password[i].is_usable);
        assert_contains(user->password[i].problem.text, "the same id");
    }
    assert_true(apw_user_has_id(user, "aaaa")); /* was used once */
    assert_false(apw_user_has_id(user, "bbbb"));
    apw_user_free(&user);
    assert_null(user);
    apw_directory_free(&directory);
}

static const struct name_case {
    const char *name;
    const char *attributes[8];
    const char *full_name;
} names[] = {
    {"the displayName is the name", {"cn", "Liddell", "displayName", "Alice"}, "Alice"},
    {"without a displayName it is the cn", {"cn", "Liddell", "cn", "Alice"}, "Liddell"},
    {"without either there is none, and never the login", {"uid", "alice"}, ""},
};

static void test_full_name(void **state)
{
    const struct name_case *row = *state;
    struct scene scene = {.name = row->name};
    const struct apw_config config = config_of(&scene);
    struct apw_directory *directory = open_directory();
    const struct apw_manager manager = {
        .config = &config, .directory = directory, .with_enrolment = true};
    struct apw_error error;
    struct apw_user *user;

    memcpy(scene.attributes, row->attributes, sizeof row->attributes);
    responder_expect(answer, &scene);
    assert_int_equal(apw_user_find(&manager, &(struct apw_target){.dn = DN}, &user, &error),
                     APW_MANAGE_DONE);
    assert_string_equal(user->full_name, row->full_name);
    apw_user_free(&user);
    apw_directory_free(&directory);
}

static void test_enrolment(void **state)
{
    static const struct scene enrolled = {.attributes = {"entryUUID", "1-2-3",
                                                         "appPasswordMfaMethod", SEALED,
                                                         "appPasswordMfaMethod", CODE}};
    const struct apw_config config = config_of(&enrolled);
    struct apw_directory *directory = open_directory();
    const struct apw_manager manager = {
        .config = &config, .directory = directory, .with_enrolment = true};
    const struct apw_target target = {.login = "alice"};
    const struct apw_enrolment_change change = {.removed = {SEALED},
                                                .added = {"sealed=BBBB", "sealed=CCCC"}};
    struct apw_error error;
    struct apw_user *user;

    (void)state;
    responder_expect(answer, &enrolled);
    assert_int_equal(apw_user_find(&manager, &target, &user, &error), APW_MANAGE_DONE);
    assert_int_equal(user->method.count, 2);
    assert_int_equal(apw_enrolment_change_methods(&manager, user, &change, &error),
                     APW_MANAGE_DONE);
    assert_true(contains(modified, modified_length, "sealed=BBBB"));
    assert_true(contains(modified, modified_length, "sealed=CCCC"));
    assert_true(contains(modified, modified_length, SEALED));
    assert_true(contains(modified, modified_length, CODE));
    assert_int_equal(apw_enrolment_remove_method(&manager, user, SEALED, &error), APW_MANAGE_DONE);
    apw_user_free(&user);
    apw_directory_free(&directory);
}

/* ---- which part of a request is wrong ---- */

static const int64_t yesterday = 1, tomorrow = 3;

static const struct part_case {
    const char *name;
    struct apw_password_spec spec;
    enum apw_password_spec_part part;
} parts[] = {
    {"a good request", {.label = " Outlook ", .expires = &tomorrow}, APW_PASSWORD_SPEC_GOOD},
    {"the label is wrong", {.label = "\x01"}, APW_PASSWORD_SPEC_LABEL},
    {"the services are wrong", {.label = "x", .services = ","}, APW_PASSWORD_SPEC_SERVICES},
    {"the networks are wrong", {.label = "x", .from = "x"}, APW_PASSWORD_SPEC_FROM},
    {"the expiry date is wrong", {.label = "x", .expires = &yesterday}, APW_PASSWORD_SPEC_EXPIRES},
    {"of several wrong parts the first is named",
     {.label = "", .services = ","},
     APW_PASSWORD_SPEC_LABEL},
};

static void test_part(void **state)
{
    const struct part_case *row = *state;
    struct apw_error error = {""};
    struct apw_record record;

    assert_int_equal(apw_password_spec_to_record(&row->spec, 2, &record, &error), row->part);
    assert_int_equal(error.text[0] == '\0', row->part == APW_PASSWORD_SPEC_GOOD);
}

/* ---- when it ends ---- */

#define MADE INT64_C(1798761600)
#define DAY  86400

static const int64_t in_two_days = MADE + 2 * DAY;

static const struct limit_case {
    const char *name;
    struct apw_password_spec spec;
    int64_t max_lifetime_s, default_expires_s;
    int64_t expires; /* 0: never */
    bool is_shortened;
} limits[] = {
    {"without a policy one that names no end has none", {.label = "x"}, 0, 0, 0, false},
    {"without a policy it ends as asked", {.expires = &in_two_days}, 0, 0, in_two_days, false},
    {"default_expires is for one that names no end", {.label = "x"}, 0, DAY, MADE + DAY, false},
    {"not for one that names one", {.expires = &in_two_days}, 0, DAY, in_two_days, false},
    {"nor for one that is to have none", {.is_endless = true}, 0, DAY, 0, false},
    {"max_lifetime is for one that names no end", {.label = "x"}, DAY, DAY, MADE + DAY, false},
    {"even if there were no default", {.label = "x"}, DAY, 0, MADE + DAY, false},
    {"it shortens a later end", {.expires = &in_two_days}, DAY, DAY, MADE + DAY, true},
    {"and none at all", {.is_endless = true}, DAY, DAY, MADE + DAY, true},
    {"not one as long as allowed", {.expires = &in_two_days}, 2 * DAY, DAY, in_two_days, false},
};

static void test_limit(void **state)
{
    const struct limit_case *row = *state;
    const struct apw_config policy = {.max_lifetime_s = row->max_lifetime_s,
                                      .default_expires_s = row->default_expires_s};
    struct apw_password_spec spec = row->spec;
    struct apw_error error = {""};
    struct apw_record record;

    spec.label = "x";
    assert_int_equal(apw_password_spec_to_record(&spec, MADE, &record, &error),
                     APW_PASSWORD_SPEC_GOOD);
    assert_int_equal(apw_password_spec_limit(&spec, &policy, &record), row->is_shortened);
    assert_int_equal(record.has_expires, row->expires != 0);
    assert_true(!record.has_expires || record.expires == row->expires);
}

int main(void)
{
    UNIT_ROWS(parts, test_part);
    UNIT_ROWS(limits, test_limit);
    UNIT_ROWS(scenes, test_scene);
    UNIT_TEST("a user that was just read is not looked up again", test_user_in_hand);
    UNIT_TEST("a user that has changed since is read again", test_user_in_hand_that_changed);
    UNIT_TEST("revoking all finds the app password that an invitation has become",
              test_revoking_all_while_an_invitation_is_used);
    UNIT_TEST("a user is read whole", test_user);
    UNIT_ROWS(names, test_full_name);
    UNIT_TEST("an enrollment replaces what was there", test_enrolment);
    return responder_unit_run();
}
