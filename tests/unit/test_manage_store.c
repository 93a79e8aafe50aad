/* SPDX-License-Identifier: BSD-2-Clause */
/* Managing app passwords in a store: what is asked of which directory, and what is written. */
#include "manage.h"
#include "mfa_switch.h"
#include "responder.h"
#include "unit.h"
#include "update.h"

#define BASE      "dc=example,dc=org"
#define DN        "uid=alice,ou=people," BASE
#define ENTRIES   "ou=entries,o=app-passwords"
#define ID        "0f3e5a52-61aa"
#define STORED    "appPasswordOwner=" ID "," ENTRIES
#define WITNESS   "cn=mfa-witness,ou=services,o=app-passwords"
#define VALUE(id) "id=" id " created=20261101000000Z hash={ARGON2}" UNIT_PHC " label=Laptop"
#define PLENTY_MS 20000

enum { USERS = 0, STORE = 1 }; /* listeners */

enum flag { FLAG_NONE = 0, FLAG_ON, FLAG_OFF };

struct scene {
    const char *name;
    const char *user[12]; /* attributes: name, value, … NULL; uid and id if there are none */
    int user_code;
    int users;              /* found; 1 where it is 0; -1 for none */
    const char *stored[12]; /* NULL: no entry */
    int stored_code;
    enum flag flag;        /* of the entry; changes with what is written */
    bool is_flag_in_users; /* with store_mfa it is in the store */
    bool is_off_by_default;
    int add_code;
    bool is_added_meanwhile; /* by somebody else: the first addition finds the entry */
    int modify_code;
    bool is_dry_run;
    enum apw_manage_result (*act)(const struct apw_manager *manager,
                                  const struct apw_target *target, struct apw_error *error);

    enum apw_manage_result result;
    int adds, modifies;
    const char *written[4]; /* stand in the last change */
    const char *not_written;
    const char *error;
};

static struct { /* of the store, in the course of a scene */
    bool has_entry;
    enum flag flag;
    char written[RESPONDER_MESSAGE_SIZE];
    size_t length;
} now;

static bool contains(const struct request *request, const char *part)
{
    return memmem(request->bytes, request->length, part, strlen(part)) != NULL;
}

/* ---- the two directories ---- */

static bool finish(const struct request *request, int code)
{
    return responder_result(request, SEARCH_DONE, code, NULL, NULL);
}

static bool answer_users(const struct request *request, const struct scene *scene)
{
    static const char *const usual[] = {"uid", "alice", "entryUUID", ID, NULL};
    static const char *const nothing[] = {NULL};
    bool is_mfa = contains(request, "\x04\x03"
                                    "1.1"),
         is_negated = contains(request, "\xa2\x0b\xa3\x09\x04\x03mfa");

    assert_int_equal(request->operation, SEARCH_REQUEST); /* it is only read */
    if (is_mfa) {
        if (scene->flag == (is_negated ? FLAG_OFF : FLAG_ON))
            responder_entry(request, DN, nothing);
        return finish(request, 0);
    }
    for (int i = 0; i < (scene->users == 0 ? 1 : scene->users); i++)
        responder_entry(request, DN, scene->user[0] != NULL ? scene->user : usual);
    return finish(request, scene->user_code);
}

/* Questions about the flag: of the entry, of the witness, and whether there is still no entry. */
static bool answer_flag(const struct request *request)
{
    static const char *const nothing[] = {NULL};

    if (contains(request, WITNESS))
        responder_entry(request, WITNESS, nothing);
    else if (contains(request, STORED) &&
             now.flag == (contains(request, "FALSE") ? FLAG_OFF : FLAG_ON))
        responder_entry(request, STORED, nothing);
    return finish(request, 0);
}

static bool take_change(const struct request *request, const struct scene *scene)
{
    bool is_new = request->operation == ADD_REQUEST;
    int code = is_new ? scene->add_code : scene->modify_code;

    memcpy(now.written, request->bytes, request->length);
    now.length = request->length;
    if (is_new && scene->is_added_meanwhile && !now.has_entry)
        code = 68;
    if (code == 0 && contains(request, "appPasswordMfaEnabled"))
        now.flag = contains(request, "TRUE") ? FLAG_ON : FLAG_OFF;
    now.has_entry = now.has_entry || code == 0 || code == 68;
    return code >= 0 &&
           responder_result(request, is_new ? ADD_RESPONSE : MODIFY_RESPONSE, code, NULL, NULL);
}

static bool answer_store(const struct request *request, const struct scene *scene)
{
    static const char *const bare[] = {"objectClass",
                                       "appPasswordEntry",
                                       "objectClass",
                                       "appPasswordAccount",
                                       "appPasswordOwner",
                                       ID,
                                       NULL};

    if (request->operation != SEARCH_REQUEST)
        return take_change(request, scene);
    assert_false(contains(request, "alice")); /* nothing is looked up there by name */
    if (contains(request, "\x04\x03"
                          "1.1"))
        return answer_flag(request);
    if (now.has_entry)
        responder_entry(request, STORED, scene->stored[0] != NULL ? scene->stored : bare);
    return finish(request, scene->stored_code);
}

static bool answer(const struct request *request)
{
    if (request->operation == BIND_REQUEST)
        return responder_result(request, BIND_RESPONSE, 0, NULL, NULL);
    return request->listener == STORE ? answer_store(request, request->row)
                                      : answer_users(request, request->row);
}

/* ---- what is done ---- */

static enum apw_manage_result create_with(const struct apw_manager *manager,
                                          const struct apw_target *target, bool without_mfa,
                                          struct apw_error *error)
{
    const struct apw_password_spec spec = {.label = "Printer", .without_mfa = without_mfa};
    struct apw_password password;

    return apw_manage_create(manager, target, &spec, &password, error);
}

static enum apw_manage_result create(const struct apw_manager *manager,
                                     const struct apw_target *target, struct apw_error *error)
{
    return create_with(manager, target, false, error);
}

static enum apw_manage_result create_without_mfa(const struct apw_manager *manager,
                                                 const struct apw_target *target,
                                                 struct apw_error *error)
{
    return create_with(manager, target, true, error);
}

static enum apw_manage_result revoke_one(const struct apw_manager *manager,
                                         const struct apw_target *target, struct apw_error *error)
{
    return apw_manage_revoke(manager, target, "k7q2", error);
}

static enum apw_manage_result revoke_all(const struct apw_manager *manager,
                                         const struct apw_target *target, struct apw_error *error)
{
    size_t count;

    return apw_manage_revoke_all(manager, target, &count, error);
}

static enum apw_manage_result mfa_on(const struct apw_manager *manager,
                                     const struct apw_target *target, struct apw_error *error)
{
    struct apw_mfa_switched switched;

    return apw_mfa_switch_on(manager, target, &(struct apw_mfa_start){.from = NULL}, &switched,
                             error);
}

static enum apw_manage_result mfa_from(const struct apw_manager *manager,
                                       const struct apw_target *target, struct apw_error *error)
{
    static const int64_t distant = 4102444800; /* 2100 */
    struct apw_mfa_switched switched;

    return apw_mfa_switch_on(manager, target, &(struct apw_mfa_start){.from = &distant}, &switched,
                             error);
}

static enum apw_manage_result mfa_off(const struct apw_manager *manager,
                                      const struct apw_target *target, struct apw_error *error)
{
    struct apw_mfa_switched switched;

    return apw_mfa_switch_off(manager, target, &switched, error);
}

static enum apw_manage_result look(const struct apw_manager *manager,
                                   const struct apw_target *target, struct apw_error *error)
{
    struct apw_user *user;
    enum apw_manage_result result = apw_user_find(manager, target, &user, error);

    assert_true((user != NULL) == (result == APW_MANAGE_DONE));
    if (user != NULL) {
        assert_string_equal(user->dn, DN);
        assert_string_equal(user->name, "alice");
        assert_string_equal(user->holder_dn, STORED);
        assert_string_equal(user->unique_id, ID);
        assert_int_equal(user->has_holder, now.has_entry);
        assert_int_equal(user->password_count, now.has_entry ? 1 : 0);
        assert_false(user->is_orphan);
    }
    apw_user_free(&user);
    return result;
}

static enum apw_manage_result delete_methods(const struct apw_manager *manager,
                                             const struct apw_target *target,
                                             struct apw_error *error)
{
    struct apw_user *user;
    enum apw_manage_result result = apw_user_find(manager, target, &user, error);

    if (result == APW_MANAGE_DONE)
        result = apw_update_delete_all(manager, user, "appPasswordMfaMethod", error);
    apw_user_free(&user);
    return result;
}

static int note_holder(void *context, const struct apw_user *user)
{
    char *text = context;

    snprintf(text, 256, "%s%s %s %s", user->is_orphan ? "orphan " : "", user->name, user->unique_id,
             user->dn);
    assert_string_equal(user->holder_dn, STORED);
    assert_true(user->has_holder);
    assert_int_equal(user->account_state,
                     user->is_orphan ? APW_ACCOUNT_STATE_ENDED : APW_ACCOUNT_STATE_ACTIVE);
    return 0;
}

/* The error says whom it has called for. */
static enum apw_manage_result look_at_holders(const struct apw_manager *manager,
                                              const struct apw_target *target,
                                              struct apw_error *error)
{
    char text[256] = "";
    enum apw_manage_result result =
        apw_user_each_holder(manager, "(appPassword=*)", note_holder, text, error);

    (void)target;
    if (result == APW_MANAGE_DONE)
        apw_error_set(error, "%s", text);
    return result;
}

#define CLASSES       "objectClass", "appPasswordEntry", "objectClass", "appPasswordAccount"
#define OWNER         "appPasswordOwner", ID
#define ONE           "appPassword", VALUE("k7q2")
#define ENTRY         .stored = {CLASSES, OWNER, ONE}
#define HOLDER(owner) .stored = {CLASSES, "appPasswordOwner", owner, "uid", "remark", ONE}
#define IN_USERS      .is_flag_in_users = true

static const struct scene scenes[] = {
    /* reading */
    {"a user without an entry", .act = look, .result = APW_MANAGE_DONE},
    {"a user with an entry", ENTRY, .act = look, .result = APW_MANAGE_DONE},
    {"an app password in the user's own entry counts for nothing",
     .user = {"uid", "alice", "entryUUID", ID, ONE}, .act = look, .result = APW_MANAGE_DONE},
    {"a user without an id cannot be managed", .user = {"uid", "alice"}, .act = look,
     .result = APW_MANAGE_CONFIGURATION, .error = "id_attribute entryUUID has no value"},
    {"a user with two ids cannot be managed",
     .user = {"uid", "alice", "entryUUID", ID, "entryUUID", "f"}, .act = look,
     .result = APW_MANAGE_CONFIGURATION, .error = "2 values"},
    {"a missing store_base is an error", .stored_code = 32, .act = look,
     .result = APW_MANAGE_CONFIGURATION, .error = "store_base \"" ENTRIES "\" does not exist"},
    {"a store that denies", .stored_code = 50, .act = look, .result = APW_MANAGE_NOT_PERMITTED},
    {"a store out of order", .stored_code = 80, .act = look, .result = APW_MANAGE_UNAVAILABLE},

    /* the first app password adds the entry */
    {"the first app password adds an entry with MFA on", .act = create_without_mfa,
     .result = APW_MANAGE_DONE, .adds = 1,
     .written = {"appPasswordEntry", "label=Printer", "appPasswordMfaEnabled1\x06\x04\x04TRUE",
                 STORED}},
    {"an entry has the id and a remark", .act = create_without_mfa, .result = APW_MANAGE_DONE,
     .adds = 1,
     .written = {"appPasswordOwner1\x0f\x04\x0d" ID,
                 "uid1\x07\x04\x05"
                 "alice",
                 "appPasswordAccount"}},
    {"an entry has MFA off if that is the default", .is_off_by_default = true,
     .act = create_without_mfa, .result = APW_MANAGE_DONE, .adds = 1, .written = {"FALSE"},
     .not_written = "TRUE"},
    {"an entry has no flag if MFA is in the users' directory", IN_USERS, .flag = FLAG_ON,
     .act = create, .result = APW_MANAGE_DONE, .adds = 1, .not_written = "appPasswordMfaEnabled"},
    {"MFA off in the users' directory needs a word", IN_USERS, .flag = FLAG_OFF, .act = create,
     .result = APW_MANAGE_MFA_IS_OFF},
    {"MFA on by default is on", .act = create, .result = APW_MANAGE_DONE, .adds = 1,
     .written = {"TRUE"}},
    {"MFA off by default is off", .is_off_by_default = true, .act = create,
     .result = APW_MANAGE_MFA_IS_OFF},
    {"a dry run adds nothing", .is_dry_run = true, .act = create_without_mfa,
     .result = APW_MANAGE_DONE},
    {"a further app password changes the entry", ENTRY, .flag = FLAG_ON, .act = create,
     .result = APW_MANAGE_DONE, .modifies = 1, .written = {"label=Printer"},
     .not_written = "appPasswordOwner1"},
    {"an entry that somebody else added is changed", .is_added_meanwhile = true, .flag = FLAG_ON,
     .act = create_without_mfa, .result = APW_MANAGE_DONE, .adds = 1, .modifies = 1,
     .written = {"label=Printer"}, .not_written = "MfaEnabled"},
    {"who may not add is told", .add_code = 50, .act = create_without_mfa,
     .result = APW_MANAGE_NOT_PERMITTED, .adds = 1, .error = "add " STORED},
    {"a store that does not know the class refuses", .add_code = 65, .act = create_without_mfa,
     .result = APW_MANAGE_REFUSED, .adds = 1},
    {"a lost answer to the addition is an outage", .add_code = -1, .act = create_without_mfa,
     .result = APW_MANAGE_UNAVAILABLE, .adds = 1, .error = "if app password"},

    /* nothing to delete */
    {"an app password without an entry is not found", .act = revoke_one,
     .result = APW_MANAGE_NOT_FOUND},
    {"all of none are none", .act = revoke_all, .result = APW_MANAGE_UNCHANGED},
    {"a deletion adds no entry", .act = delete_methods, .result = APW_MANAGE_UNCHANGED},
    {"an app password is revoked in the store", ENTRY, .act = revoke_one, .result = APW_MANAGE_DONE,
     .modifies = 1, .written = {"revoked="}},
    {"a deletion in the store", ENTRY, .modify_code = 16, .act = delete_methods,
     .result = APW_MANAGE_UNCHANGED, .modifies = 1},

    /* MFA */
    {"mfa on without an entry adds one", .is_off_by_default = true, .act = mfa_on,
     .result = APW_MANAGE_DONE, .adds = 1, .written = {"TRUE", "appPasswordEntry"},
     .not_written = "FALSE"},
    {"mfa on by default is so already", .act = mfa_on, .result = APW_MANAGE_DONE, .adds = 1,
     .written = {"TRUE"}},
    {"mfa off without an entry adds one that says so", .act = mfa_off, .result = APW_MANAGE_DONE,
     .adds = 1, .written = {"FALSE"}, .not_written = "TRUE"},
    {"mfa on from a date without an entry", .is_off_by_default = true, .act = mfa_from,
     .result = APW_MANAGE_DONE, .adds = 1, .written = {"TRUE", "21000101000000Z"}},
    {"mfa on of an entry", ENTRY, .flag = FLAG_OFF, .act = mfa_on, .result = APW_MANAGE_DONE,
     .modifies = 1, .written = {"TRUE"}},
    {"mfa on of an entry without the flag", ENTRY, .act = mfa_on, .result = APW_MANAGE_DONE,
     .modifies = 1, .written = {"TRUE"}},
    {"mfa off of an entry without the flag says so", ENTRY, .act = mfa_off,
     .result = APW_MANAGE_DONE, .modifies = 1, .written = {"FALSE"}},
    {"mfa is not turned on where the users' directory says it", IN_USERS, .flag = FLAG_OFF,
     .act = mfa_on, .result = APW_MANAGE_CONFIGURATION,
     .error = "reads MFA from the users' directory"},

    /* by holder */
    {"a holder is the user with the id", HOLDER(ID), .act = look_at_holders,
     .result = APW_MANAGE_DONE, .error = "alice " ID " " DN},
    {"a holder whose id is in upper case is no orphan", HOLDER("0F3E5A52-61AA"),
     .act = look_at_holders, .result = APW_MANAGE_DONE, .error = "alice " ID " " DN},
    {"a holder whom nobody has is an orphan", HOLDER(ID), .users = -1, .act = look_at_holders,
     .result = APW_MANAGE_DONE, .error = "orphan remark " ID " " STORED},
    {"one with an id that nobody can have is an orphan", HOLDER("*"), .act = look_at_holders,
     .result = APW_MANAGE_DONE, .error = "orphan remark * " STORED},
    {"no search, no orphan", HOLDER(ID), .users = -1, .user_code = 80, .act = look_at_holders,
     .result = APW_MANAGE_UNAVAILABLE},
    {"no base, no orphan", HOLDER(ID), .users = -1, .user_code = 32, .act = look_at_holders,
     .result = APW_MANAGE_CONFIGURATION, .error = "base \"" BASE "\""},
    {"no right to search, no orphan", HOLDER(ID), .users = -1, .user_code = 50,
     .act = look_at_holders, .result = APW_MANAGE_NOT_PERMITTED},
    {"an id of two users is an error", HOLDER(ID), .users = 2, .act = look_at_holders,
     .result = APW_MANAGE_REFUSED, .error = "have the same entryUUID " ID},
    {"an entry found by an id that it does not show is an error", HOLDER(ID),
     .user = {"uid", "alice"}, .act = look_at_holders, .result = APW_MANAGE_CONFIGURATION,
     .error = "id_attribute entryUUID has no value in " DN},
    {"an entry with another id is an error", HOLDER(ID),
     .user = {"uid", "alice", "entryUUID", "ffff"}, .act = look_at_holders,
     .result = APW_MANAGE_CONFIGURATION, .error = "ffff"},
    {"holders below a missing base are an error", HOLDER(ID), .stored_code = 32,
     .act = look_at_holders, .result = APW_MANAGE_CONFIGURATION},
    {"holders that may not be read are an error", .stored_code = 50, .act = look_at_holders,
     .result = APW_MANAGE_NOT_PERMITTED},
    {"not all holders at a limit", .stored_code = 4, .act = look_at_holders,
     .result = APW_MANAGE_REFUSED},
};

static struct apw_directory *open_directory(int listener)
{
    const struct apw_uris uris = {.count = 1, .uri = {(char *)responder_uri(listener)}};
    const struct apw_identity identity = {.dn = (char *)"cn=a", .password = (char *)"b"};
    const struct apw_directory_settings settings = {
        .uris = &uris, .identity = &identity, .timeout_ms = PLENTY_MS};
    struct apw_directory *directory;

    assert_int_equal(apw_directory_new(&settings, &directory, NULL), 0);
    return directory;
}

static struct apw_config config_of(const struct scene *scene)
{
    bool is_in_users = scene->is_flag_in_users;

    return (struct apw_config){
        .path = (char *)"app-password.conf",
        .base = (char *)BASE,
        .filter = (char *)"(uid=%u)",
        .mfa_filter = (char *)(is_in_users ? "(mfa=on)" : "(appPasswordMfaEnabled=TRUE)"),
        .mfa_off_filter = (char *)(is_in_users ? NULL : "(appPasswordMfaEnabled=FALSE)"),
        .mfa_witness = (char *)(scene->is_off_by_default ? WITNESS : NULL),
        .deadline_ms = PLENTY_MS,
        .hash_memory_mib = 1,
        .hash_passes = 1,
        .max_app_passwords = 40,
        .store = {.uris = {.count = 1},
                  .base = (char *)ENTRIES,
                  .id_attribute = apw_directory_id_attribute("entryUUID"),
                  .has_mfa = !is_in_users,
                  .is_mfa_off_by_default = scene->is_off_by_default},
    };
}

static bool was_written(const char *part)
{
    return memmem(now.written, now.length, part, strlen(part)) != NULL;
}

static void assert_written(const struct scene *scene)
{
    assert_int_equal(responder_seen().adds, scene->adds);
    assert_int_equal(responder_seen().modifies, scene->modifies);
    for (size_t i = 0; i < UNIT_COUNT(scene->written) && scene->written[i] != NULL; i++)
        if (!was_written(scene->written[i]))
            fail_msg("%s was not written", scene->written[i]);
    if (scene->not_written != NULL)
        assert_false(was_written(scene->not_written));
}

static void test_scene(void **state)
{
    const struct scene *scene = *state;
    const struct apw_config config = config_of(scene);
    const struct apw_target target = {.login = "alice"};
    struct apw_directory *users = open_directory(USERS), *store = open_directory(STORE);
    const struct apw_manager manager = {
        .config = &config, .directory = users, .store = store, .is_dry_run = scene->is_dry_run};
    struct apw_error error = {""};

    now.has_entry = scene->stored[0] != NULL;
    now.flag = scene->flag;
    now.length = 0;
    responder_expect(answer, scene);
    assert_int_equal(scene->act(&manager, &target, &error), scene->result);
    assert_written(scene);
    if (scene->error != NULL)
        assert_contains(error.text, scene->error);
    apw_directory_free(&users);
    apw_directory_free(&store);
}

int main(void)
{
    UNIT_ROWS(scenes, test_scene);
    return responder_unit_run();
}
