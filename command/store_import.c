/* SPDX-License-Identifier: BSD-2-Clause */
#include "store_import.h"
#include "ldap/filter_tree.h"
#include "output.h"
#include "progress.h"
#include "say.h"
#include "session.h"
#include "store.h"
#include "store_merge.h"
#include "trail.h"
#include "update.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everybody with anything of ours, who may have no MFA, and with MFA, who may have nothing of ours.
 */
#define OURS                                                                                       \
    "(appPassword=*)(appPasswordMfaEnabled=*)(appPasswordMfaEnforceFrom=*)"                        \
    "(appPasswordMfaMethod=*)(appPasswordUsed=*)"

struct import {
    struct apw_session source;
    struct apw_session target;
    size_t copied;
    size_t unchanged;
    size_t left;      /* for a reason that was printed */
    size_t conflicts; /* users with values that contradict; the rest of theirs is copied */
    size_t unopened;  /* second factors that the page may not open there */
    size_t unguarded; /* users whose MFA is on now and would be off there */
    bool is_stopped;  /* a directory is unavailable */
};

/* One user on both sides. */
struct copying {
    struct import *import;
    const struct apw_user *from;
    const struct apw_entry *from_entry; /* with our attributes; NULL if there is none */
    const char *flag;                   /* of MFA, to write, or NULL */
    struct apw_store_merge merge;       /* the last that was tried */
};

static void leave(struct import *import, const struct apw_user *user, const char *reason)
{
    apw_progress_hide();
    apw_say(user->name, "left as it is: %s", reason);
    import->left++;
}

static enum apw_ldap_result read_ours(const struct apw_session *session,
                                      const struct apw_user *user, struct apw_entry **entry_r,
                                      struct apw_error *error)
{
    const struct apw_query query = {.base = user->holder_dn,
                                    .scope = APW_SCOPE_BASE,
                                    .filter = "(objectClass=*)",
                                    .attributes = apw_store_merge_attributes,
                                    .limit = 1};

    *entry_r = NULL;
    if (!user->has_holder)
        return APW_LDAP_OK;
    return apw_directory_search(session->store != NULL ? session->store : session->directory,
                                &query, apw_user_deadline(&session->manager), entry_r, error);
}

/* ---- one user ---- */

/* Whether both are the same person, by the id that the store has: entries of one name in two
 * directories may not be. Yes also if the id is hidden on the side without a store. */
static enum apw_manage_result check_id(const struct import *import, const struct apw_user *from,
                                       const struct apw_user *to, struct apw_error *error)
{
    bool is_into = apw_config_has_store(import->target.config);
    const struct apw_session *stored = is_into ? &import->target : &import->source;
    const struct apw_session *plain = is_into ? &import->source : &import->target;
    const char *id = is_into ? to->unique_id : from->unique_id;
    const char *const wanted[] = {stored->config->store.id_attribute->name, NULL};
    const struct apw_query query = {.base = from->dn,
                                    .scope = APW_SCOPE_BASE,
                                    .filter = "(objectClass=*)",
                                    .attributes = wanted,
                                    .limit = 1};
    struct apw_entry *entry = NULL;
    char shown[APW_STORE_ID_SIZE];
    bool is_other;

    if (apw_directory_search(plain->directory, &query, apw_user_deadline(&plain->manager), &entry,
                             error) != APW_LDAP_OK)
        return APW_MANAGE_UNAVAILABLE;
    is_other =
        apw_entry_attribute(entry, wanted[0]) != NULL &&
        (apw_store_read_id(stored->config, entry, shown, error) != 0 || strcmp(shown, id) != 0);
    apw_entries_free(&entry);
    if (!is_other)
        return APW_MANAGE_DONE;
    apw_error_set(error, "%s is somebody else there: the %s is not %s", from->dn, wanted[0], id);
    return APW_MANAGE_REFUSED;
}

/* The flag goes along with a store that has it. A store is told what the logins found so far, by
 * whatever filter. */
static enum apw_manage_result read_flag(const struct import *import, const struct apw_user *from,
                                        const char **flag_r, struct apw_error *error)
{
    enum apw_mfa mfa = APW_MFA_UNREADABLE;
    enum apw_manage_result result = APW_MANAGE_DONE;

    *flag_r = NULL;
    if (import->target.config->store.has_mfa) {
        result = apw_user_mfa(&import->source.manager, from, &mfa, error);
        *flag_r = mfa == APW_MFA_ON ? "TRUE" : "FALSE";
    } else if (import->source.config->store.has_mfa && from->mfa_flag != APW_MFA_FLAG_ABSENT) {
        *flag_r = from->mfa_flag == APW_MFA_FLAG_FALSE ? "FALSE" : "TRUE";
    }
    return result;
}

static void print(const struct copying *copying)
{
    const struct apw_store_merge *merge = &copying->merge;
    size_t count = apw_store_merge_count(merge, "appPassword");
    bool has_flag = apw_store_merge_count(merge, APW_STORE_MERGE_FLAG) > 0;

    apw_progress_hide();
    apw_output_line("%s: %zu value%s of appPassword%s%s%s%s%s", copying->from->name, count,
                    count == 1 ? "" : "s",
                    apw_store_merge_count(merge, APW_STORE_MERGE_METHOD) > 0 ? ", a second factor"
                                                                             : "",
                    apw_store_merge_count(merge, APW_STORE_MERGE_USED) > 0 ? ", the last use" : "",
                    has_flag ? ", MFA " : "",
                    !has_flag                            ? ""
                    : strcmp(copying->flag, "TRUE") == 0 ? "on"
                                                         : "off",
                    copying->import->target.manager.is_dry_run ? ": would be copied" : ": copied");
}

/* The page seals a second factor for one id. */
static void check_factor(const struct copying *copying, const struct apw_user *to)
{
    const char *before = copying->from->unique_id, *after = to->unique_id;

    if (apw_store_merge_count(&copying->merge, APW_STORE_MERGE_METHOD) == 0 ||
        (before != NULL && after != NULL && strcmp(before, after) == 0))
        return;
    copying->import->unopened++;
    if (before == NULL || after == NULL)
        apw_say(copying->from->name, "whether the page can open the second factor there is "
                                     "unknown: this identity may not read the id of the user");
    else
        apw_say(copying->from->name,
                "the page cannot open the second factor there: it is for the id %s, not %s; "
                "`app-password mfa reset` lets the user set up another",
                before, after);
}

static enum apw_manage_result apply(const struct apw_manager *manager, const struct apw_user *to,
                                    struct apw_store_merge *merge, struct apw_error *error)
{
    if (to->has_holder && !to->has_class)
        merge->change[merge->count++] =
            (struct apw_change){APW_CHANGE_ADD, "objectClass", APW_UPDATE_CLASS};
    return apw_update_apply(manager, to, merge->change, merge->count, error);
}

/* An apw_update_change: brings the entry there up to the one here. */
static enum apw_manage_result change(const struct apw_manager *manager, const struct apw_user *to,
                                     void *context, struct apw_error *error)
{
    struct copying *copying = context;
    struct apw_store_pair pair = {.from = copying->from_entry, .flag = copying->flag};
    struct apw_entry *to_entry;
    enum apw_manage_result result;

    apw_store_merge_clear(&copying->merge);
    result = check_id(copying->import, copying->from, to, error);
    if (result != APW_MANAGE_DONE)
        return result;
    result = APW_MANAGE_UNAVAILABLE;
    if (read_ours(&copying->import->target, to, &to_entry, error) != APW_LDAP_OK)
        return APW_MANAGE_UNAVAILABLE;
    pair.to = to_entry;
    if (to->has_holder && to_entry == NULL)
        apw_error_set(error, "%s is gone, or this identity may not read it", to->holder_dn);
    else
        result = apw_store_merge_plan(&pair, &copying->merge, error);
    if (result == APW_MANAGE_DONE)
        result = apply(manager, to, &copying->merge, error);
    if (result == APW_MANAGE_DONE) {
        print(copying);
        check_factor(copying, to);
    }
    apw_entries_free(&to_entry);
    return result;
}

static void count(struct import *import, const struct copying *copying,
                  enum apw_manage_result result, const char *text)
{
    const struct apw_store_merge *merge = &copying->merge;

    apw_trail_add(
        &(struct apw_audit){.action = APW_AUDIT_IMPORT, .user = copying->from->name, .error = text},
        result);
    if (result == APW_MANAGE_DONE)
        import->copied++;
    else if (result == APW_MANAGE_UNCHANGED)
        import->unchanged++;
    else
        leave(import, copying->from, text);
    if ((result != APW_MANAGE_DONE && result != APW_MANAGE_UNCHANGED) || merge->conflicts == 0)
        return;
    import->conflicts++;
    apw_progress_hide();
    if (merge->conflicts == 1)
        apw_say(copying->from->name, "conflict: %s; left as it is", merge->conflict.text);
    else
        apw_say(copying->from->name, "conflict: %s; left as it is, and so are %zu more",
                merge->conflict.text, merge->conflicts - 1);
}

static enum apw_manage_result copy(struct import *import, const struct apw_user *user,
                                   struct apw_error *error)
{
    struct copying copying = {.import = import, .from = user};
    struct apw_entry *from_entry = NULL;
    enum apw_manage_result result = read_flag(import, user, &copying.flag, error);

    if (result == APW_MANAGE_DONE &&
        read_ours(&import->source, user, &from_entry, error) != APW_LDAP_OK)
        result = APW_MANAGE_UNAVAILABLE;
    copying.from_entry = from_entry;
    if (result == APW_MANAGE_DONE)
        result = apw_update_user(&import->target.manager, &(struct apw_target){.dn = user->dn},
                                 change, &copying, error);
    count(import, &copying, result, error->text);
    apw_store_merge_clear(&copying.merge);
    apw_entries_free(&from_entry);
    return result;
}

/* Names the user if MFA would be lost. Where the store has the flag, it was copied. A dry run
 * trusts the flag that a filter would read. */
static enum apw_manage_result check_mfa(struct import *import, const struct apw_user *user,
                                        struct apw_error *error)
{
    const struct apw_manager *there = &import->target.manager;
    enum apw_mfa before, after;
    enum apw_manage_result result;

    if (there->config->store.has_mfa ||
        (there->is_dry_run && import->source.config->store.has_mfa &&
         user->mfa_flag == APW_MFA_FLAG_TRUE &&
         apw_filter_tree_reads(there->config->mfa_filter, APW_STORE_MERGE_FLAG)))
        return APW_MANAGE_DONE;
    result = apw_user_mfa(&import->source.manager, user, &before, error);
    if (result == APW_MANAGE_DONE && before == APW_MFA_ON)
        result = apw_user_mfa(there, user, &after, error);
    if (result != APW_MANAGE_DONE || before != APW_MFA_ON || after != APW_MFA_OFF)
        return result;
    import->unguarded++;
    apw_progress_hide();
    apw_say(user->name, "MFA is on by %s, and off by %s", import->source.config->path,
            there->config->path);
    return APW_MANAGE_DONE;
}

static int import_user(void *context, const struct apw_user *user)
{
    struct import *import = context;
    struct apw_error error = {""};
    enum apw_manage_result result;

    apw_progress_step();
    if (user->is_orphan) {
        leave(import, user, user->account_problem.text);
        return 0;
    }
    result = copy(import, user, &error);
    if (result == APW_MANAGE_DONE || result == APW_MANAGE_UNCHANGED) {
        result = check_mfa(import, user, &error);
        if (result != APW_MANAGE_DONE)
            leave(import, user, error.text);
    }
    import->is_stopped = result == APW_MANAGE_UNAVAILABLE;
    return import->is_stopped ? -1 : 0;
}

/* ---- all of them ---- */

static void say_counts(const struct import *import)
{
    apw_say(NULL, "%zu %scopied, %zu unchanged, %zu left", import->copied,
            import->target.manager.is_dry_run ? "would be " : "", import->unchanged, import->left);
    if (import->conflicts > 0)
        apw_say(NULL, "%zu with a conflict", import->conflicts);
    if (import->unopened > 0)
        apw_say(NULL, "%zu with a second factor that the page cannot open there, or may not",
                import->unopened);
    if (import->unguarded > 0)
        apw_say(NULL, "%zu whose MFA would be off after the switch", import->unguarded);
    if (import->target.manager.is_dry_run)
        apw_say(NULL, "nothing was written: this was a dry run");
}

/* What to know for the switch. */
static void say_advice(const struct import *import)
{
    const struct apw_config *config = import->target.config;

    if (config->store.has_mfa && !config->store.is_mfa_off_by_default)
        apw_say(NULL, "after the switch, MFA is on for everybody without an entry in the store "
                      "(store_mfa_default)");
    apw_say(NULL, "until the switch, revoke app passwords in both places, or import again");
    apw_say(NULL, apw_config_has_store(config)
                      ? "nothing was removed from the users' directory; when all is well, "
                        "ldap-schema/README.md, \"Removing\", says how (remove-from-entry.ldif)"
                      : "nothing was removed from the store; stop it when all is well");
}

static enum apw_status summarize(const struct import *import, enum apw_manage_result result,
                                 const struct apw_error *error)
{
    if (result != APW_MANAGE_DONE)
        apw_say(NULL, "%s", error->text);
    if (result != APW_MANAGE_DONE || import->is_stopped)
        apw_say(NULL, "stopped: call it again to go on");
    say_counts(import);
    if (result != APW_MANAGE_DONE)
        return apw_status_of(result);
    if (import->is_stopped)
        return APW_STATUS_UNAVAILABLE;
    say_advice(import);
    return import->left + import->conflicts + import->unguarded > 0 ? APW_STATUS_FAILED
                                                                    : APW_STATUS_DONE;
}

/* Somebody without an entry in the store may have MFA by the filter. */
static int check_absent(void *context, const struct apw_user *user)
{
    struct import *import = context;
    struct apw_error error = {""};
    enum apw_manage_result result;

    if (user->has_holder)
        return 0;
    result = check_mfa(import, user, &error);
    if (result != APW_MANAGE_DONE)
        leave(import, user, error.text);
    import->is_stopped = result == APW_MANAGE_UNAVAILABLE;
    return import->is_stopped ? -1 : 0;
}

static enum apw_manage_result import_stored(struct import *import, struct apw_error *error)
{
    const struct apw_config *config = import->source.config;
    enum apw_manage_result result = apw_user_each_holder(
        &import->source.manager, "(objectClass=appPasswordEntry)", import_user, import, error);

    if (result != APW_MANAGE_DONE || import->is_stopped || config->store.has_mfa)
        return result;
    return apw_user_each(&import->source.manager, config->mfa_filter, check_absent, import, error);
}

static enum apw_manage_result import_each(struct import *import, struct apw_error *error)
{
    const struct apw_config *config = import->source.config;
    char *filter = NULL;
    enum apw_manage_result result;

    if (apw_config_has_store(config))
        return import_stored(import, error);
    if (asprintf(&filter, "(|" OURS "%s)", config->mfa_filter) < 0) {
        apw_error_set(error, "out of memory");
        return APW_MANAGE_UNAVAILABLE;
    }
    result = apw_user_each_holder(&import->source.manager, filter, import_user, import, error);
    free(filter);
    return result;
}

static enum apw_status import_all(struct import *import)
{
    struct apw_error error = {""};
    enum apw_manage_result result;

    if (apw_config_has_store(import->source.config) == apw_config_has_store(import->target.config))
        return apw_say_usage("store import: one of %s and %s must have a store, and only one",
                             import->source.config->path, import->target.config->path);
    apw_progress_begin("users", 0);
    result = import_each(import, &error);
    apw_progress_end();
    return summarize(import, result, &error);
}

enum apw_status apw_store_import(const struct apw_invocation *invocation, const char *from,
                                 bool is_dry_run)
{
    const struct apw_invocation there = {.config_path = from};
    struct import import = {.copied = 0};
    enum apw_status status = apw_session_open(invocation, &import.target);

    if (status != APW_STATUS_DONE)
        return status;
    status = apw_session_open(&there, &import.source);
    if (status == APW_STATUS_DONE) {
        import.source.manager.with_enrolment = true; /* for the ids */
        import.target.manager.with_enrolment = true;
        import.target.manager.is_dry_run = is_dry_run;
        status = import_all(&import);
        apw_session_close(&import.source);
    }
    apw_session_close(&import.target);
    return status;
}
