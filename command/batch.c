/* SPDX-License-Identifier: BSD-2-Clause */
#include "batch.h"
#include "ignorable.h"
#include "ldap/filter_tree.h"
#include "progress.h"
#include "say.h"
#include "store.h"
#include "tally.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct state {
    const struct apw_manager *manager;
    apw_batch_run run;
    void *context;
    struct apw_tally tally;
    unsigned unchanged;
    bool is_stopped;   /* the directory is unavailable */
    bool has_left_out; /* an entry of the store that belongs to nobody */
};

/* Owned. */
struct names {
    size_t count;
    char **name;
};

static void run_one(struct state *state, const struct apw_target *target, const char *name)
{
    enum apw_manage_result result;

    apw_progress_hide();
    result = state->run(state->manager, target, name, state->context);
    apw_tally_add(&state->tally, apw_status_of(result));
    state->unchanged += result == APW_MANAGE_UNCHANGED;
    state->is_stopped = result == APW_MANAGE_UNAVAILABLE;
    apw_progress_step();
}

static int add_name(struct names *names, const char *name)
{
    char **grown = realloc(names->name, (names->count + 1) * sizeof *grown);

    if (grown == NULL)
        return -1;
    names->name = grown;
    grown[names->count] = strdup(name);
    return grown[names->count++] == NULL ? -1 : 0;
}

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->name[i]);
    free(names->name);
}

/* Adds the lines of standard input, without white space and invisible characters, such as a
 * byte-order mark, at the ends, and without empty ones. */
static int add_input(struct names *names)
{
    char *line = NULL;
    size_t size = 0, before = names->count;
    int status = 0;

    for (ssize_t length = getline(&line, &size, stdin); length >= 0 && status == 0;
         length = getline(&line, &size, stdin)) {
        const char *name = line;
        size_t name_length = (size_t)length;

        if (strlen(line) != (size_t)length) {
            apw_say(NULL, "standard input: line %zu contains a NUL byte",
                    names->count - before + 1);
            status = -1;
            break;
        }
        apw_ignorable_trim(&name, &name_length);
        line[(size_t)(name - line) + name_length] = '\0';
        if (*name != '\0')
            status = add_name(names, name);
    }
    if (status == 0 && ferror(stdin)) {
        apw_say(NULL, "standard input: %s", strerror(errno));
        status = -1;
    } else if (status == 0 && names->count == before) {
        apw_say(NULL, "standard input has no names; give one USER on each line");
        status = -1;
    }
    free(line);
    return status;
}

static int collect(const struct apw_batch *batch, struct names *names)
{
    bool has_read_input = false;

    for (int i = 0; i < batch->count; i++) {
        bool is_input = !batch->is_literal && strcmp(batch->name[i], "-") == 0;

        if (is_input && has_read_input)
            continue;
        if ((is_input ? add_input(names) : add_name(names, batch->name[i])) != 0)
            return -1;
        has_read_input = has_read_input || is_input;
    }
    return 0;
}

static enum apw_status run_names(struct state *state, const struct apw_batch *batch)
{
    struct names names = {0, NULL};
    enum apw_status status = APW_STATUS_USAGE;
    size_t done = 0;

    if (collect(batch, &names) != 0)
        goto out;
    apw_progress_begin("users", names.count > 1 ? names.count : 0);
    for (; done < names.count && !state->is_stopped; done++)
        run_one(state, &(struct apw_target){.login = names.name[done]}, names.name[done]);
    apw_progress_end();
    if (done < names.count)
        apw_say(NULL, "stopped: %zu not tried, starting with \"%s\"", names.count - done,
                names.name[done]);
    status = apw_tally_status(&state->tally);
out:
    free_names(&names);
    return status;
}

static int run_for_user(void *context, const struct apw_user *user)
{
    struct state *state = context;

    if (user->is_orphan) {
        apw_say(user->name, "left out: %s", user->account_problem.text);
        state->has_left_out = true;
        return 0;
    }
    run_one(state, &(struct apw_target){.dn = user->dn}, user->name);
    return state->is_stopped ? -1 : 0;
}

static enum apw_status run_filter(struct state *state, const char *filter)
{
    struct apw_error error = {""};
    enum apw_manage_result result;
    const struct apw_config *config = state->manager->config;
    bool is_stored =
        apw_config_has_store(config) && apw_filter_tree_reads_only(filter, apw_store_attributes);

    apw_progress_begin("users", 0);
    result = (is_stored ? apw_user_each_holder : apw_user_each)(state->manager, filter,
                                                                run_for_user, state, &error);
    apw_progress_end();
    if (state->is_stopped)
        apw_say(NULL, "stopped: the rest of %s was not tried", filter);
    if (result != APW_MANAGE_DONE) {
        apw_say(NULL, "%s", error.text);
        apw_tally_add(&state->tally, apw_status_of(result));
    } else if (state->tally.count == 0 && !state->has_left_out) {
        apw_say(NULL, "no entry below \"%s\" matches %s, or this identity may not read it",
                is_stored ? config->store.base : config->base, filter);
        return APW_STATUS_FAILED;
    }
    return apw_tally_status(&state->tally);
}

enum apw_status apw_batch_run_each(const struct apw_manager *manager, const struct apw_batch *batch,
                                   apw_batch_run run, void *context)
{
    struct state state = {.manager = manager, .run = run, .context = context};
    enum apw_status status =
        batch->filter != NULL ? run_filter(&state, batch->filter) : run_names(&state, batch);
    const struct apw_tally *tally = &state.tally;

    if (tally->count > 1)
        apw_say(NULL, "%u users: %u %s, %u unchanged, %u failed", tally->count,
                tally->count - tally->failed - state.unchanged,
                manager->is_dry_run ? "would change" : "done", state.unchanged, tally->failed);
    return status;
}
