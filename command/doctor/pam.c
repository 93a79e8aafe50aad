/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/pam.h"
#include "config.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define FOLDER    "/etc/pam.d"
#define OURS      "pam_app_password.so"
#define LINE_SIZE 1024
#define DEPTH_MAX 8 /* of included files */

struct stack {
    struct apw_diagnosis *diagnosis;
    const char *path;     /* the service's own file */
    bool has_auth;        /* our module decides logins */
    bool has_account;     /* our module, after the login */
    bool exits_on_outage; /* tempfail=exit */
};

/* One line of a PAM file (pam.conf(5)), in words. */
struct rule {
    char type[16];
    char control[256];
    char module[PATH_MAX]; /* or a file's name, for an include */
    char arguments[LINE_SIZE];
};

static char *skip_space(char *text)
{
    return text + strspn(text, " \t\r\n");
}

/* Copies the next word, or what stands in brackets. */
static char *take_word(char *text, char *word_r, size_t size)
{
    size_t length = *text == '[' ? strcspn(text, "]") + 1 : strcspn(text, " \t\r\n");

    if (length > strlen(text))
        length = strlen(text);
    snprintf(word_r, size, "%.*s", (int)length, text);
    return skip_space(text + length);
}

/* False for an empty line. "@include file" reads like an include of every type. */
static bool read_rule(char *line, struct rule *rule_r)
{
    char *text = skip_space(line);

    *rule_r = (struct rule){.type = ""};
    line[strcspn(line, "#")] = '\0';
    if (*text == '\0')
        return false;
    if (strncmp(text, "@include", 8) == 0) {
        strcpy(rule_r->control, "include");
        take_word(skip_space(text + 8), rule_r->module, sizeof rule_r->module);
        return true;
    }
    text += *text == '-'; /* a module that may be missing */
    text = take_word(text, rule_r->type, sizeof rule_r->type);
    text = take_word(text, rule_r->control, sizeof rule_r->control);
    text = take_word(text, rule_r->module, sizeof rule_r->module);
    snprintf(rule_r->arguments, sizeof rule_r->arguments, "%s", text);
    return true;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* Modules that look at no password. */
static bool is_harmless(const char *module)
{
    static const char *const names[] = {
        "pam_deny.so",     "pam_env.so",    "pam_faildelay.so", "pam_nologin.so", "pam_warn.so",
        "pam_faillock.so", "pam_shells.so", "pam_securetty.so", "pam_group.so",   "pam_access.so"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], file_name(module)) == 0)
            return true;
    return false;
}

static bool must_succeed(const char *control)
{
    return strcasecmp(control, "required") == 0 || strcasecmp(control, "requisite") == 0;
}

static void check_config_argument(const struct stack *stack, const char *path)
{
    if (access(path, R_OK) == 0)
        return;
    apw_diagnosis_problem(stack->diagnosis, "pam", "%s: config=%s: %s", stack->path, path,
                          strerror(errno));
    apw_diagnosis_fix(stack->diagnosis, "config=%s", apw_config_default_path);
}

static void check_arguments(struct stack *stack, char *arguments)
{
    char word[LINE_SIZE];

    while (*arguments != '\0') {
        arguments = take_word(arguments, word, sizeof word);
        if (strncmp(word, "config=", 7) == 0) {
            check_config_argument(stack, word + 7);
        } else if (strcmp(word, "tempfail=exit") == 0) {
            stack->exits_on_outage = true;
        } else if (strncmp(word, "service=", 8) != 0) {
            apw_diagnosis_problem(stack->diagnosis, "pam",
                                  "%s: unknown argument \"%s\" of " OURS ": nobody is accepted",
                                  stack->path, word);
            apw_diagnosis_fix(stack->diagnosis, "auth required " OURS);
        }
    }
}

static void check_own_auth(struct stack *stack, struct rule *rule)
{
    stack->has_auth = true;
    check_arguments(stack, rule->arguments);
    if (must_succeed(rule->control))
        return;
    apw_diagnosis_problem(stack->diagnosis, "pam",
                          "%s: " OURS " is %s, so PAM asks further modules after a refusal",
                          stack->path, rule->control);
    apw_diagnosis_fix(stack->diagnosis, "auth required " OURS);
}

static void check_other_auth(const struct stack *stack, const struct rule *rule)
{
    if (is_harmless(rule->module))
        return;
    if (stack->has_auth || must_succeed(rule->control))
        apw_diagnosis_problem(
            stack->diagnosis, "pam",
            "%s: %s (%s), %s ours, also looks at the password: it accepts account "
            "passwords, or rejects app passwords",
            stack->path, rule->module, rule->control,
            stack->has_auth ? "after" : "before or without");
    else
        apw_diagnosis_problem(stack->diagnosis, "pam",
                              "%s: %s (%s), before or without ours, accepts account passwords",
                              stack->path, rule->module, rule->control);
    apw_diagnosis_fix(stack->diagnosis, "remove this line or its include; leave only: auth "
                                        "required " OURS);
}

static void check_rule(struct stack *stack, struct rule *rule)
{
    bool is_own = strcmp(file_name(rule->module), OURS) == 0;

    if (strcasecmp(rule->type, "account") == 0)
        stack->has_account |= is_own && must_succeed(rule->control);
    else if (strcasecmp(rule->type, "auth") != 0)
        return;
    else if (is_own)
        check_own_auth(stack, rule);
    else
        check_other_auth(stack, rule);
}

static bool is_include(const struct rule *rule)
{
    return strcasecmp(rule->control, "include") == 0 || strcasecmp(rule->control, "substack") == 0;
}

/* `type` is NULL, or the only one to read: an include line is about one type. */
static void read_file(struct stack *stack, const char *path, const char *type, unsigned depth)
{
    FILE *file = fopen(path, "re");
    char line[LINE_SIZE], included[PATH_MAX + sizeof FOLDER];
    struct rule rule;

    if (file == NULL || depth > DEPTH_MAX) {
        apw_diagnosis_problem(stack->diagnosis, "pam", "%s: %s", path,
                              file == NULL ? strerror(errno) : "too many includes");
        apw_diagnosis_fix(
            stack->diagnosis,
            "install -m 0644 examples/pam/imap %s   # without the file, PAM uses " FOLDER "/other",
            path);
    }
    while (file != NULL && depth <= DEPTH_MAX && fgets(line, sizeof line, file) != NULL) {
        if (!read_rule(line, &rule))
            continue;
        if (type != NULL && rule.type[0] != '\0' && strcasecmp(type, rule.type) != 0)
            continue;
        if (is_include(&rule)) {
            snprintf(included, sizeof included, "%s%s", *rule.module == '/' ? "" : FOLDER "/",
                     rule.module);
            read_file(stack, included, rule.type[0] != '\0' ? rule.type : type, depth + 1);
        } else {
            check_rule(stack, &rule);
        }
    }
    if (file != NULL)
        fclose(file);
}

static void check_service(struct apw_diagnosis *diagnosis, const char *service)
{
    char path[PATH_MAX];
    struct stack stack = {.diagnosis = diagnosis, .path = path};
    unsigned before = diagnosis->problems;

    snprintf(path, sizeof path, "%s%s", strchr(service, '/') != NULL ? "" : FOLDER "/", service);
    read_file(&stack, path, NULL, 0);
    if (diagnosis->problems == before && !stack.has_auth) {
        apw_diagnosis_problem(diagnosis, "pam", "%s does not ask " OURS, path);
        apw_diagnosis_fix(diagnosis, "install -m 0644 examples/pam/imap %s", path);
    } else if (stack.has_auth && !stack.has_account) {
        apw_diagnosis_problem(diagnosis, "pam", "%s has no account line with " OURS, path);
        apw_diagnosis_fix(diagnosis, "account required " OURS);
    }
    if (diagnosis->problems == before)
        apw_diagnosis_good(diagnosis, "pam", "%s: only " OURS " decides logins", path);
    if (stack.has_auth && !stack.exits_on_outage && strcmp(file_name(path), "dovecot") == 0)
        apw_diagnosis_note(diagnosis, "pam",
                           "%s: without tempfail=exit, Dovecot answers an outage of the directory "
                           "like a wrong password",
                           path);
}

int apw_doctor_pam_names_ours(const char *path)
{
    FILE *file = fopen(path, "re");
    char line[LINE_SIZE];
    bool is_found = false;

    if (file == NULL)
        return -1;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "#")] = '\0';
        is_found = is_found || strstr(line, OURS) != NULL;
    }
    fclose(file);
    return is_found;
}

/* PAM reads a copy like imap.before or imap~ only if a program asks for this very name. */
static int is_service_of_ours(const struct dirent *file)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, FOLDER "/%s", file->d_name);
    return strpbrk(file->d_name, ".~") == NULL && apw_doctor_pam_names_ours(path) > 0;
}

void apw_doctor_pam_check(struct apw_diagnosis *diagnosis, const char *service)
{
    struct dirent **files = NULL;
    int count;

    if (service != NULL) {
        check_service(diagnosis, service);
        return;
    }
    count = scandir(FOLDER, &files, is_service_of_ours, alphasort);
    for (int i = 0; i < count; i++) {
        check_service(diagnosis, files[i]->d_name);
        free(files[i]);
    }
    free(files);
    if (count <= 0) {
        apw_diagnosis_problem(diagnosis, "pam", "no service of " FOLDER " asks " OURS);
        apw_diagnosis_fix(diagnosis, "install -m 0644 examples/pam/imap " FOLDER
                                     "/   # or name a service: --pam=SERVICE");
    }
}
