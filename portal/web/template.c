/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/template.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX 65536
#define TEXT_SIZE      2048
#define NAME_SIZE      32

/* A part of a template: literal text, or the name of a variable. */
struct piece {
    bool is_variable;
    size_t length;
    char *text;
};

struct template
{
    char *file;
    bool is_plain; /* .txt */
    unsigned language;
    size_t count;
    struct piece *piece;
};

struct apw_templates {
    const struct apw_languages *languages; /* borrowed while loading */
    size_t count;
    struct template *template;
};

void apw_template_set_link(struct apw_variables *variables, const char *name, const char *value,
                           const char *link)
{
    size_t i = 0;

    while (i < variables->count && strcmp(variables->variable[i].name, name) != 0)
        i++;
    if (i == APW_VARIABLES_MAX)
        return; /* filling the template reports it as missing */
    if (i == variables->count)
        variables->count++;
    variables->variable[i].name = name;
    variables->variable[i].value = value == NULL ? "" : value;
    variables->variable[i].link = link;
}

void apw_template_set(struct apw_variables *variables, const char *name, const char *value)
{
    apw_template_set_link(variables, name, value, NULL);
}

static void add_escaped(struct apw_buffer *buffer, const char *text, size_t length, bool is_plain)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];

        if (is_plain)
            apw_buffer_add(buffer, (unsigned char)c < ' ' || c == 0x7f ? "?" : &c, 1);
        else if (c == '&')
            apw_buffer_add_string(buffer, "&amp;");
        else if (c == '<')
            apw_buffer_add_string(buffer, "&lt;");
        else if (c == '>')
            apw_buffer_add_string(buffer, "&gt;");
        else if (c == '"')
            apw_buffer_add_string(buffer, "&#34;");
        else if (c == '\'')
            apw_buffer_add_string(buffer, "&#39;");
        else
            apw_buffer_add(buffer, &c, 1);
    }
}

/* ---- reading ---- */

static int add_piece(struct template *template, bool is_variable, const char *text, size_t length)
{
    struct piece *pieces = reallocarray(template->piece, template->count + 1, sizeof *pieces);
    struct piece *piece;

    if (pieces == NULL)
        return -1;
    template->piece = pieces;
    piece = &pieces[template->count];
    *piece = (struct piece){is_variable, length, strndup(text, length)};
    if (piece->text == NULL)
        return -1;
    template->count++;
    return 0;
}

static int add_text(struct template *template, const char *text, size_t length)
{
    struct apw_buffer escaped = {NULL, 0, 0, false};
    int status = 0;

    add_escaped(&escaped, text, length, template->is_plain);
    if (escaped.is_broken)
        status = -1;
    else if (escaped.length > 0)
        status = add_piece(template, false, escaped.bytes, escaped.length);
    apw_buffer_free(&escaped);
    return status;
}

static int add_variable(struct template *template, const char *name, size_t length,
                        struct apw_error *error)
{
    if (length == 0 || length >= NAME_SIZE ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") < length)
        return apw_error_set(error, "\"%.*s\" is neither the name of a variable nor _(\"a text\")",
                             (int)length, name);
    return add_piece(template, true, name, length) == 0 ? 0 : apw_error_set(error, "out of memory");
}

/* A translated text with its {names}. */
static int add_translated(struct template *template, const char *text, struct apw_error *error)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "{");
        const char *end = strchr(text + length, '}');

        if (end == NULL)
            length = strlen(text);
        if (add_text(template, text, length) != 0)
            return apw_error_set(error, "out of memory");
        text += length;
        if (end == NULL)
            continue;
        if (add_variable(template, text + 1, (size_t)(end - text - 1), error) != 0)
            return -1;
        text = end + 1;
    }
    return 0;
}

/* The text between {{ and }}. */
static int add_place(struct template *template, const struct apw_languages *languages,
                     const char *inside, size_t length, struct apw_error *error)
{
    static const char opening[] = "_(\"", closing[] = "\")";
    char text[TEXT_SIZE];

    if (length < sizeof opening + sizeof closing - 2 ||
        strncmp(inside, opening, sizeof opening - 1) != 0)
        return add_variable(template, inside, length, error);
    inside += sizeof opening - 1;
    length -= sizeof opening + sizeof closing - 2;
    /* The translation of "" is the catalog's header. */
    if (length == 0 || length >= sizeof text ||
        strncmp(inside + length, closing, sizeof closing - 1) != 0 ||
        memchr(inside, '"', length) != NULL || memchr(inside, '\\', length) != NULL)
        return apw_error_set(error,
                             "a text must end in \"), contain neither \" nor \\, and have "
                             "1 to %d bytes",
                             TEXT_SIZE - 1);
    memcpy(text, inside, length);
    text[length] = '\0';
    return add_translated(template, apw_language_translate(languages, template->language, text),
                          error);
}

static int line_of(const char *text, const char *at)
{
    int line = 1;

    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

static int parse(struct template *template, const struct apw_languages *languages, const char *text,
                 const char *path, struct apw_error *error)
{
    const char *rest = text;

    while (*rest != '\0') {
        const char *open = strstr(rest, "{{"), *close;
        size_t length = open == NULL ? strlen(rest) : (size_t)(open - rest);

        if (length > 0 && add_piece(template, false, rest, length) != 0)
            return apw_error_set(error, "out of memory");
        rest += length;
        if (open == NULL)
            continue;
        close = strstr(open, "}}");
        if (close == NULL)
            return apw_error_set(error, "%s:%d: {{ without }}", path, line_of(text, open));
        if (add_place(template, languages, open + 2, (size_t)(close - open - 2), error) != 0)
            return apw_error_set(error, "%s:%d: %s", path, line_of(text, open), error->text);
        rest = close + 2;
    }
    return 0;
}

static int read_whole(const char *path, char **text_r, struct apw_error *error)
{
    FILE *file = fopen(path, "re");
    size_t length;

    *text_r = NULL;
    if (file == NULL)
        return apw_error_set(error, "%s: %s", path, strerror(errno));
    *text_r = calloc(1, FILE_BYTES_MAX + 1);
    length = *text_r == NULL ? 0 : fread(*text_r, 1, FILE_BYTES_MAX + 1, file);
    fclose(file);
    if (length > 0 && length <= FILE_BYTES_MAX && strlen(*text_r) == length)
        return 0;
    free(*text_r);
    *text_r = NULL;
    return apw_error_set(error, "%s: empty, unreadable, longer than %d bytes or with a NUL in it",
                         path, FILE_BYTES_MAX);
}

static bool ends_in(const char *name, const char *ending)
{
    size_t length = strlen(name);

    return length > strlen(ending) && strcmp(name + length - strlen(ending), ending) == 0;
}

static int load_file(struct apw_templates *templates, const char *folder, const char *name,
                     unsigned language, struct apw_error *error)
{
    struct template *list =
        reallocarray(templates->template, templates->count + 1, sizeof *templates->template);
    struct template *template;
    char path[PATH_MAX], *text;
    int status;

    if (list == NULL)
        return apw_error_set(error, "out of memory");
    templates->template = list;
    template = &list[templates->count++];
    *template = (struct template){
        .file = strdup(name), .is_plain = ends_in(name, ".txt"), .language = language};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (template->file == NULL)
        return apw_error_set(error, "out of memory");
    if (read_whole(path, &text, error) != 0)
        return -1;
    status = parse(template, templates->languages, text, path, error);
    free(text);
    return status;
}

static bool is_template(const char *name)
{
    return ends_in(name, ".html") || ends_in(name, ".txt") || ends_in(name, ".xml") ||
           ends_in(name, ".mobileconfig");
}

static int load_language(struct apw_templates *templates, const char *folder, unsigned language,
                         struct apw_error *error)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    int status = 0;

    if (directory == NULL)
        return apw_error_set(error, "%s: %s", folder, strerror(errno));
    while (status == 0 && (entry = readdir(directory)) != NULL)
        if (is_template(entry->d_name))
            status = load_file(templates, folder, entry->d_name, language, error);
    closedir(directory);
    return status;
}

int apw_templates_load(const char *folder, const struct apw_languages *languages,
                       struct apw_templates **templates_r, struct apw_error *error)
{
    struct apw_templates *templates = calloc(1, sizeof *templates);

    *templates_r = NULL;
    if (templates == NULL)
        return apw_error_set(error, "out of memory");
    templates->languages = languages;
    for (unsigned i = 0; i < languages->count; i++)
        if (load_language(templates, folder, i, error) != 0) {
            apw_templates_free(&templates);
            return -1;
        }
    templates->languages = NULL;
    *templates_r = templates;
    return 0;
}

void apw_templates_free(struct apw_templates **templates)
{
    if (*templates == NULL)
        return;
    for (size_t i = 0; i < (*templates)->count; i++) {
        struct template *template = &(*templates)->template[i];

        for (size_t j = 0; j < template->count; j++)
            free(template->piece[j].text);
        free(template->piece);
        free(template->file);
    }
    free((*templates)->template);
    free(*templates);
    *templates = NULL;
}

/* ---- filling ---- */

static const char *find_value(const struct apw_variables *variables, const char *name,
                              const char **link_r)
{
    for (size_t i = 0; i < variables->count; i++)
        if (strcmp(variables->variable[i].name, name) == 0) {
            *link_r = variables->variable[i].link;
            return variables->variable[i].value;
        }
    return NULL;
}

static void add_value(struct apw_buffer *buffer, const char *value, const char *link, bool is_plain)
{
    if (is_plain || link == NULL) {
        add_escaped(buffer, value, strlen(value), is_plain);
        return;
    }
    apw_buffer_add_string(buffer, "<a href=\"");
    add_escaped(buffer, link, strlen(link), false);
    apw_buffer_add_string(buffer, "\">");
    add_escaped(buffer, value, strlen(value), false);
    apw_buffer_add_string(buffer, "</a>");
}

void apw_template_fill_text(const char *text, const struct apw_variables *variables,
                            struct apw_buffer *buffer)
{
    char name[NAME_SIZE];

    while (*text != '\0') {
        size_t length = strcspn(text, "{"), name_length;
        const char *value = NULL, *link;

        apw_buffer_add(buffer, text, length);
        text += length;
        if (*text == '\0')
            return;
        name_length = strcspn(text + 1, "}");
        if (text[1 + name_length] == '}' && name_length < sizeof name) {
            memcpy(name, text + 1, name_length);
            name[name_length] = '\0';
            value = find_value(variables, name, &link);
        }
        if (value != NULL)
            apw_buffer_add_string(buffer, value);
        else
            apw_buffer_add(buffer, text, 1);
        text += value != NULL ? name_length + 2 : 1;
    }
}

int apw_template_fill(const struct apw_templates *templates, const char *file, unsigned language,
                      const struct apw_variables *variables, struct apw_buffer *buffer,
                      struct apw_error *error)
{
    const struct template *template = NULL;

    for (size_t i = 0; i < templates->count && template == NULL; i++)
        if (templates->template[i].language == language &&
            strcmp(templates->template[i].file, file) == 0)
            template = &templates->template[i];
    if (template == NULL)
        return apw_error_set(error, "there is no template %s", file);
    for (size_t i = 0; i < template->count; i++) {
        const struct piece *piece = &template->piece[i];
        const char *link = NULL;
        const char *value = piece->is_variable ? find_value(variables, piece->text, &link) : NULL;

        if (!piece->is_variable)
            apw_buffer_add(buffer, piece->text, piece->length);
        else if (value != NULL)
            add_value(buffer, value, link, template->is_plain);
        else
            return apw_error_set(error, "%s: no value for {{%s}}", file, piece->text);
    }
    return buffer->is_broken ? apw_error_set(error, "out of memory") : 0;
}
