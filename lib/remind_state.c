/* SPDX-License-Identifier: BSD-2-Clause */
#include "remind_state.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void find_path(const char *name, char path_r[PATH_MAX])
{
    const char *folder = getenv("STATE_DIRECTORY");

    snprintf(path_r, PATH_MAX, "%s/%s",
             folder != NULL && folder[0] == '/' ? folder : APW_REMIND_STATE_FOLDER, name);
}

/* Both lines with what went wrong and how often are missing until there was a run. */
static int parse(FILE *file, struct apw_remind_state *state)
{
    struct apw_remind_counts *counts = &state->counts;
    int count;

    if (fscanf(file, "began %" SCNd64 " time %" SCNd64 " ", &state->began, &state->time) != 2 ||
        state->began <= 0)
        return -1;
    count = fscanf(file, "sent %u failed %u held %u without-address %u revoked %u ", &counts->sent,
                   &counts->failed, &counts->held, &counts->without_address, &counts->revoked);
    if (count != 5)
        return count == EOF ? 0 : -1;
    if (fscanf(file, "error ") == 0 &&
        fgets(state->error.text, sizeof state->error.text, file) != NULL)
        state->error.text[strcspn(state->error.text, "\n")] = '\0';
    return 0;
}

int apw_remind_state_read(struct apw_remind_state *state_r, struct apw_error *error)
{
    char path[PATH_MAX];
    FILE *file;
    int status;

    *state_r = (struct apw_remind_state){.began = 0};
    find_path("remind", path);
    file = fopen(path, "re");
    if (file == NULL)
        return errno == ENOENT ? 0 : apw_error_set(error, "%s: %s", path, strerror(errno));
    status = parse(file, state_r);
    fclose(file);
    return status == 0
               ? 0
               : apw_error_set(error, "%s: damaged; delete it, and reminders begin again", path);
}

int apw_remind_state_remove(struct apw_error *error)
{
    char path[PATH_MAX];

    find_path("remind", path);
    return remove(path) == 0 || errno == ENOENT
               ? 0
               : apw_error_set(error, "%s: %s", path, strerror(errno));
}

static int print(const struct apw_remind_state *state, FILE *file)
{
    const struct apw_remind_counts *counts = &state->counts;

    fprintf(file, "began %" PRId64 "\ntime %" PRId64 "\n", state->began, state->time);
    fprintf(file, "sent %u failed %u held %u without-address %u revoked %u\n", counts->sent,
            counts->failed, counts->held, counts->without_address, counts->revoked);
    if (state->error.text[0] != '\0')
        fprintf(file, "error %s\n", state->error.text);
    return fflush(file) != 0 || ferror(file) ? -1 : 0;
}

int apw_remind_state_write(const struct apw_remind_state *state, struct apw_error *error)
{
    char path[PATH_MAX], new_path[PATH_MAX];
    int status = -1, number;
    FILE *file;

    find_path("remind", path);
    find_path(".remind-XXXXXX", new_path);
    number = mkostemp(new_path, O_CLOEXEC);
    file = number < 0 ? NULL : fdopen(number, "w");
    if (file != NULL) {
        fchmod(fileno(file), 0644);
        status = print(state, file);
        if (fclose(file) != 0)
            status = -1;
    }
    if (status == 0 && rename(new_path, path) == 0)
        return 0;
    apw_error_set(error, "%s: %s", file == NULL ? new_path : path, strerror(errno));
    if (number >= 0)
        remove(new_path);
    return -1;
}
