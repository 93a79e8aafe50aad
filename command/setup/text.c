/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MAX_READ (1024 * 1024)

/* A text under construction. */
struct output {
    FILE *stream;
    char *text;
    size_t size;
};

static int begin(struct output *output)
{
    *output = (struct output){.stream = NULL};
    output->stream = open_memstream(&output->text, &output->size);
    return output->stream == NULL ? -1 : 0;
}

/* Returns the new text, or NULL if out of memory; frees the old one. */
static char *finish(struct output *output, char *old)
{
    bool is_whole = ferror(output->stream) == 0;

    if (fclose(output->stream) != 0)
        is_whole = false;
    free(old);
    if (is_whole)
        return output->text;
    free(output->text);
    return NULL;
}

static char *give_up(char *text)
{
    free(text);
    return NULL;
}

char *apw_setup_text_read(const char *path, struct apw_error *error)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t length = 0;

    if (file == NULL) {
        apw_error_set(error, "%s: %s", path, strerror(errno));
        return NULL;
    }
    text = malloc(SIZE_MAX_READ + 1);
    if (text != NULL)
        length = fread(text, 1, SIZE_MAX_READ + 1, file);
    if (text == NULL || ferror(file) || length > SIZE_MAX_READ || memchr(text, '\0', length)) {
        apw_error_set(error, "%s: cannot be read, is no text, or is longer than 1 MiB", path);
        text = give_up(text);
    } else {
        text[length] = '\0';
    }
    fclose(file);
    return text;
}

char *apw_setup_text_replace(char *text, const char *old, const char *new)
{
    struct output output;
    const char *from = text, *found;

    if (text == NULL || begin(&output) != 0)
        return give_up(text);
    while ((found = strstr(from, old)) != NULL) {
        fprintf(output.stream, "%.*s%s", (int)(found - from), from, new);
        from = found + strlen(old);
    }
    fputs(from, output.stream);
    return finish(&output, text);
}

/* The length of the first line, with its end. */
static size_t line_length(const char *text)
{
    size_t length = strcspn(text, "\n");

    return text[length] == '\n' ? length + 1 : length;
}

static bool begins_with_key(const char *line, const char *key)
{
    size_t length = strlen(key);

    return strncmp(line, key, length) == 0 && (line[length] == ' ' || line[length] == '\t');
}

char *apw_setup_text_set(char *text, const char *key, const char *value)
{
    struct output output;
    bool is_set = *value == '\0';

    if (text == NULL || begin(&output) != 0)
        return give_up(text);
    for (const char *line = text; *line != '\0'; line += line_length(line)) {
        if (!begins_with_key(line, key)) {
            fprintf(output.stream, "%.*s", (int)line_length(line), line);
        } else if (!is_set) {
            fprintf(output.stream, "%s %s\n", key, value);
            is_set = true;
        }
    }
    if (!is_set)
        fprintf(output.stream, "%s %s\n", key, value);
    return finish(&output, text);
}

static bool has(const char *start, size_t length, const char *part)
{
    return memmem(start, length, part, strlen(part)) != NULL;
}

char *apw_setup_text_drop_lines(char *text, const char *part)
{
    struct output output;

    if (text == NULL || begin(&output) != 0)
        return give_up(text);
    for (const char *line = text; *line != '\0'; line += line_length(line))
        if (!has(line, line_length(line), part))
            fprintf(output.stream, "%.*s", (int)line_length(line), line);
    return finish(&output, text);
}

/* Up to the start of the next paragraph. */
static size_t paragraph_length(const char *text)
{
    const char *end = strstr(text, "\n\n");

    if (end == NULL)
        return strlen(text);
    return (size_t)(end - text) + 1 + strspn(end + 1, "\n");
}

static bool has_line(const char *start, size_t length, const char *line)
{
    for (const char *at = start; at < start + length; at += line_length(at))
        if (strcspn(at, "\n") == strlen(line) && strncmp(at, line, strlen(line)) == 0)
            return true;
    return false;
}

char *apw_setup_text_drop_paragraph(char *text, const char *line)
{
    struct output output;

    if (text == NULL || begin(&output) != 0)
        return give_up(text);
    for (const char *at = text; *at != '\0'; at += paragraph_length(at))
        if (!has_line(at, paragraph_length(at), line))
            fprintf(output.stream, "%.*s", (int)paragraph_length(at), at);
    return finish(&output, text);
}

char *apw_setup_text_insert(char *text, const char *start, const char *added)
{
    struct output output;
    const char *line = text;

    if (text == NULL || begin(&output) != 0)
        return give_up(text);
    while (*line != '\0' && strncmp(line, start, strlen(start)) != 0)
        line += line_length(line);
    fprintf(output.stream, "%.*s%s%s", (int)(line - text), text, added, line);
    return finish(&output, text);
}

char *apw_setup_text_append(char *text, const char *added)
{
    struct output output;

    if (text == NULL || begin(&output) != 0)
        return give_up(text);
    fprintf(output.stream, "%s%s", text, added);
    return finish(&output, text);
}

/* Without the white space around it, and without a comment. */
static void trim_line(const char *line, char *copy_r, size_t size)
{
    size_t length = strcspn(line, "\n#");

    while (length > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        length--;
    }
    while (length > 0 && strchr(" \t\r", line[length - 1]) != NULL)
        length--;
    snprintf(copy_r, size, "%.*s", (int)length, line);
}

static bool opens_block(const char *line, const char *block)
{
    char words[256];
    size_t length = strlen(block), end;

    trim_line(line, words, sizeof words);
    end = strlen(words);
    return end > length && strncmp(words, block, length) == 0 &&
           strchr(" \t{", words[length]) != NULL && words[end - 1] == '{';
}

static bool is_setting(const char *line, const char *name)
{
    char words[256], value[16] = "";
    size_t length = strlen(name);

    trim_line(line, words, sizeof words);
    return strncmp(words, name, length) == 0 && sscanf(words + length, " = %15s", value) == 1 &&
           strcmp(value, "yes") == 0;
}

/* The length of the block that starts here, with its last line; 0 if it does not end. */
static size_t block_length(const char *text, bool *is_kept_r)
{
    const char *line = text;
    int depth = 0;

    *is_kept_r = false;
    while (*line != '\0') {
        char words[256];

        trim_line(line, words, sizeof words);
        if (*words != '\0' && words[strlen(words) - 1] == '{')
            depth++;
        else if (strcmp(words, "}") == 0)
            depth--;
        else if (is_setting(line, "master") || is_setting(line, "deny"))
            *is_kept_r = true;
        line += line_length(line);
        if (depth == 0)
            return (size_t)(line - text);
    }
    return 0;
}

char *apw_setup_text_comment_blocks(char *text, const char *block)
{
    struct output output;
    const char *line = text, *end = text;

    if (text == NULL || begin(&output) != 0)
        return give_up(text);
    while (*line != '\0') {
        bool is_kept;

        if (line >= end && opens_block(line, block)) {
            end = line + block_length(line, &is_kept);
            if (is_kept)
                end = line;
        }
        fprintf(output.stream, "%s%.*s", line < end ? "#" : "", (int)line_length(line), line);
        line += line_length(line);
    }
    return finish(&output, text);
}

bool apw_setup_text_find(const char *text, const char *name, char *value_r, size_t size)
{
    size_t length = strlen(name);

    for (const char *line = text; *line != '\0'; line += line_length(line)) {
        if (strncasecmp(line, name, length) == 0 && strncmp(line + length, ": ", 2) == 0) {
            line += length + 2;
            snprintf(value_r, size, "%.*s", (int)strcspn(line, "\n"), line);
            return true;
        }
    }
    return false;
}
