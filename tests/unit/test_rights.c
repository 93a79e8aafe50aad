/* SPDX-License-Identifier: BSD-2-Clause */
/* Why the identity that manages sees or changes nothing: no schema, no rights, a refused bind, or
 * nothing that anybody can tell. */
#include "directory_under_test.h"
#include "rights.h"

#define SCHEMA_DN "cn=Subschema"
#define OURS      "( 1.1 NAME 'appPassword' )"
#define OTHERS    "( 2.5.4.3 NAME 'cn' )"

enum { ACCEPTS = 0, REFUSES = 49, OUTAGE = 52 };

/* The directory, as this identity sees it. */
struct scene {
    const char *name;
    const char *types;    /* attributeTypes; NULL: the schema is hidden */
    bool is_hidden;       /* the entry is */
    bool is_searchable;   /* appPassword is */
    const char *writable; /* allowedAttributesEffective */
    int bind_code;
    bool is_ad;
    enum apw_bind_method method;
    enum apw_manage_result result; /* of apw_rights_check() */
    const char *error;             /* stands in it; NULL for none */
};

static bool asks(const struct request *request, const char *part)
{
    return memmem(request->bytes, request->length, part, strlen(part)) != NULL;
}

static void show(const struct request *request, const char *dn, const char *name, const char *value)
{
    const char *const attributes[] = {name, value, NULL};

    responder_entry(request, dn, attributes);
}

static void answer_search(const struct request *request, const struct scene *scene)
{
    static const char *const nothing[] = {NULL};

    if (asks(request, "subschemaSubentry")) {
        show(request, "", "subschemaSubentry", SCHEMA_DN);
    } else if (asks(request, "attributeTypes")) {
        if (scene->types != NULL)
            show(request, SCHEMA_DN, "attributeTypes", scene->types);
    } else if (scene->is_hidden) {
        return;
    } else if (asks(request, "allowedAttributesEffective")) {
        show(request, USER_DN, "allowedAttributesEffective", scene->writable);
    } else if (asks(request, "1.2.840.113556.1.4.319")) { /* pages: the first user */
        show(request, USER_DN, "uid", "alice");
    } else if (!asks(request, "appPassword") || scene->is_searchable) {
        responder_entry(request, USER_DN, nothing);
    }
}

static bool answer(const struct request *request)
{
    const struct scene *scene = request->row;

    if (request->operation == BIND_REQUEST)
        return responder_result(request, BIND_RESPONSE, scene->bind_code, NULL, NULL);
    if (request->operation == EXTENDED_REQUEST)
        return responder_result(request, EXTENDED_RESPONSE, 0, NULL, NULL);
    answer_search(request, scene);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

/* A manager of the scene, whose parts are in here. */
struct stage {
    struct apw_config config;
    struct apw_identity identity;
    struct apw_manager manager;
    struct apw_error error;
};

static void begin(struct stage *stage, const struct scene *scene)
{
    *stage = (struct stage){
        .config = {.path = (char *)"app-password.conf",
                   .base = (char *)"dc=example,dc=org",
                   .filter = (char *)"(uid=%u)",
                   .mfa_filter = (char *)"(appPasswordMfaEnabled=TRUE)",
                   .directory = scene->is_ad ? APW_DIRECTORY_ACTIVE_DIRECTORY : APW_DIRECTORY_LDAP,
                   .deadline_ms = PLENTY_MS},
        .identity = {.method = scene->method, .dn = (char *)SERVICE_DN},
        .error = {"what the directory said"},
    };
    stage->manager = (struct apw_manager){.config = &stage->config,
                                          .directory = open_directory(0, PLENTY_MS),
                                          .explained = &stage->identity};
    responder_expect(answer, scene);
}

static const struct scene scenes[] = {
    {"an administrator, who finds none", .types = OURS, .is_searchable = true,
     .result = APW_MANAGE_DONE},
    {"somebody who may not search app passwords", .types = OURS, .result = APW_MANAGE_NOT_PERMITTED,
     .error = SERVICE_DN " may not read app passwords and MFA of " USER_DN},
    {"a directory without the schema", .types = OTHERS, .result = APW_MANAGE_CONFIGURATION,
     .error = "does not know appPassword"},
    {"a directory that hides its schema is taken to have it", .result = APW_MANAGE_NOT_PERMITTED,
     .error = "not a mail administrator"},
    {"an entry that is hidden tells nothing", .types = OURS, .is_hidden = true,
     .result = APW_MANAGE_DONE},
    {"a refused bind is said, and no right", .types = OURS, .bind_code = REFUSES,
     .result = APW_MANAGE_DONE},
    {"somebody with Kerberos whom the directory does not name", .types = OURS,
     .method = APW_BIND_GSSAPI, .result = APW_MANAGE_NOT_PERMITTED, .error = "GSSAPI may not read"},
    {"an administrator of Active Directory", .types = OURS, .is_ad = true,
     .writable = "appPassword", .result = APW_MANAGE_DONE},
    {"somebody else there", .types = OURS, .is_ad = true, .writable = "description",
     .result = APW_MANAGE_NOT_PERMITTED,
     .error = "may not change, and perhaps not read, app passwords"},
    {"Active Directory without the schema", .types = OTHERS, .is_ad = true,
     .writable = "description", .result = APW_MANAGE_CONFIGURATION,
     .error = "must load the schema"},
    {"an entry that Active Directory hides", .types = OURS, .is_ad = true, .is_hidden = true,
     .result = APW_MANAGE_DONE},
};

static const struct apw_user found = {.holder_dn = (char *)USER_DN, .has_holder = true};

static void test_check(void **state)
{
    const struct scene *scene = *state;
    struct stage stage;

    begin(&stage, scene);
    assert_int_equal(apw_rights_check(&stage.manager, &found, &stage.error), scene->result);
    assert_contains(stage.error.text,
                    scene->error != NULL ? scene->error : "what the directory said");
    assert_int_equal(
        apw_rights_check_after(&stage.manager, &found, APW_MANAGE_CONFLICT, &stage.error),
        scene->result == APW_MANAGE_DONE ? APW_MANAGE_CONFLICT : scene->result);
    apw_directory_free(&stage.manager.directory);
}

static const struct user_case {
    const char *name;
    struct apw_user user;
} visible[] = {
    {"app passwords", {.has_holder = true, .password_count = 1}},
    {"those that were revoked", {.has_holder = true, .tombstone_count = 1}},
    {"uses", {.has_holder = true, .use_count = 1}},
    {"that MFA is on", {.has_holder = true, .mfa_flag = APW_MFA_FLAG_TRUE}},
    {"when it will be", {.has_holder = true, .has_enforce_from = true}},
    {"second factors", {.has_holder = true, .method = {.count = 1}}},
    {"that there is no entry yet", {.has_holder = false}},
};

static void test_nothing_is_asked(void **state)
{
    static const struct scene outside = {.types = OURS};
    const struct user_case *row = *state;
    struct stage stage;

    begin(&stage, &outside);
    assert_int_equal(apw_rights_check(&stage.manager, &row->user, &stage.error), APW_MANAGE_DONE);
    assert_int_equal(responder_seen().searches, 0);
    apw_directory_free(&stage.manager.directory);
}

static void test_nobody_is_told(void **state)
{
    static const struct scene outside = {.types = OTHERS, .bind_code = REFUSES};
    struct stage stage;

    (void)state;
    begin(&stage, &outside);
    stage.manager.explained = NULL;
    assert_int_equal(apw_rights_check(&stage.manager, &found, &stage.error), APW_MANAGE_DONE);
    assert_int_equal(apw_rights_check_any(&stage.manager, &stage.error), APW_MANAGE_DONE);
    assert_int_equal(apw_rights_check_bind(&stage.manager, &stage.error), APW_MANAGE_DONE);
    assert_int_equal(
        apw_rights_explain(&stage.manager, &found, APW_MANAGE_NOT_PERMITTED, &stage.error),
        APW_MANAGE_NOT_PERMITTED);
    assert_int_equal(responder_seen().searches + responder_seen().binds, 0);
    assert_string_equal(stage.error.text, "what the directory said");
    apw_directory_free(&stage.manager.directory);
}

static const struct explain_case {
    struct scene scene; /* its result and error are those of apw_rights_explain() */
    enum apw_manage_result was;
} explained[] = {
    {{"a change that is not permitted", .types = OURS, .result = APW_MANAGE_NOT_PERMITTED,
      .error = SERVICE_DN " may not change app passwords and MFA of " USER_DN
                          " (MAIL ADMINISTRATORS in app-password(1)): what the directory said"},
     APW_MANAGE_NOT_PERMITTED},
    {{"the same without the schema", .types = OTHERS, .result = APW_MANAGE_CONFIGURATION,
      .error = "does not know appPassword"},
     APW_MANAGE_NOT_PERMITTED},
    {{"a change that is refused", .types = OURS, .result = APW_MANAGE_REFUSED}, APW_MANAGE_REFUSED},
    {{"one that is refused without the schema", .types = OTHERS, .result = APW_MANAGE_CONFIGURATION,
      .error = "does not know appPassword"},
     APW_MANAGE_REFUSED},
    {{"a bind that is refused keeps its words", .types = OURS, .bind_code = REFUSES,
      .result = APW_MANAGE_NOT_PERMITTED},
     APW_MANAGE_NOT_PERMITTED},
    {{"an outage stays one", .types = OTHERS, .result = APW_MANAGE_UNAVAILABLE},
     APW_MANAGE_UNAVAILABLE},
    {{"a success stays one", .types = OTHERS, .result = APW_MANAGE_DONE}, APW_MANAGE_DONE},
};

static void test_explain(void **state)
{
    const struct explain_case *row = *state;
    struct stage stage;

    begin(&stage, &row->scene);
    assert_int_equal(apw_rights_explain(&stage.manager, &found, row->was, &stage.error),
                     row->scene.result);
    assert_contains(stage.error.text,
                    row->scene.error != NULL ? row->scene.error : "what the directory said");
    apw_directory_free(&stage.manager.directory);
}

static const struct scene binds[] = {
    {"one that is accepted", .result = APW_MANAGE_DONE},
    {"one that is refused", .bind_code = REFUSES, .result = APW_MANAGE_NOT_PERMITTED,
     .error = "bind"},
    {"an outage is no refusal", .bind_code = OUTAGE, .result = APW_MANAGE_DONE},
    {"without a password nothing is counted", .method = APW_BIND_EXTERNAL, .bind_code = REFUSES,
     .result = APW_MANAGE_DONE},
};

static void test_bind(void **state)
{
    const struct scene *scene = *state;
    struct stage stage;

    begin(&stage, scene);
    assert_int_equal(apw_rights_check_bind(&stage.manager, &stage.error), scene->result);
    assert_contains(stage.error.text,
                    scene->error != NULL ? scene->error : "what the directory said");
    apw_directory_free(&stage.manager.directory);
}

static void test_any(void **state)
{
    const struct scene *scene = *state;
    struct stage stage;

    begin(&stage, scene);
    assert_int_equal(apw_rights_check_any(&stage.manager, &stage.error), scene->result);
    apw_directory_free(&stage.manager.directory);
}

int main(void)
{
    UNIT_ROWS(scenes, test_check);
    UNIT_ROWS(visible, test_nothing_is_asked);
    UNIT_TEST("nobody who is not told asks anything", test_nobody_is_told);
    UNIT_ROWS(explained, test_explain);
    UNIT_ROWS(binds, test_bind);
    UNIT_ROWS(scenes, test_any);
    return responder_unit_run();
}
