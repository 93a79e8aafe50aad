/* SPDX-License-Identifier: BSD-2-Clause */
/* Templates: how they are filled, mistakes in templates, and the portal's own. */
#include "translations.h"
#include "unit.h"
#include "web/template.h"
#include "wording.h"

#define BYTES(text)  text, sizeof text - 1
#define OWN_PAGES    APW_SRCDIR "/portal/pages"
#define HOSTILE      "<b a=\"x\">&'{root}{{root}}\x01"
#define HOSTILE_HTML "&lt;b a=&#34;x&#34;&gt;&amp;&#39;{root}{{root}}\x01"
#define HOSTILE_TEXT "<b a=\"x\">&'{root}{{root}}?"

static const struct apw_languages english = {.count = 1, .language = {{.code = "en"}}};
static char folder[UNIT_PATH_SIZE];

static void remove_pages(void)
{
    DIR *pages = opendir(folder);
    struct dirent *entry;

    while (pages != NULL && (entry = readdir(pages)) != NULL)
        unlinkat(dirfd(pages), entry->d_name, 0);
    if (pages != NULL)
        closedir(pages);
}

static void remove_folder(void)
{
    remove_pages();
    rmdir(folder);
}

static void write_page(const char *name, const char *bytes, size_t length)
{
    char path[UNIT_PATH_SIZE + 32];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    unit_write(path, bytes, length);
}

/* Fills that one file in that language; the caller frees the text. */
static char *fill(const struct apw_templates *templates, const char *file, unsigned language,
                  const struct apw_variables *variables)
{
    struct apw_buffer buffer = {NULL, 0, 0, false};
    struct apw_error error = {""};
    char *text;

    if (apw_template_fill(templates, file, language, variables, &buffer, &error) != 0)
        fail_msg("%s", error.text);
    text = strdup(buffer.bytes == NULL ? "" : buffer.bytes);
    assert_int_equal(strlen(text), buffer.length);
    apw_buffer_free(&buffer);
    return text;
}

static struct apw_templates *load(const char *from, const struct apw_languages *languages)
{
    struct apw_templates *templates;
    struct apw_error error = {""};

    if (apw_templates_load(from, languages, &templates, &error) != 0)
        fail_msg("%s", error.text);
    return templates;
}

/* ---- filling ---- */

static const struct fill_case {
    const char *name;
    const char *file;
    const char *template;
    const char *filled;
} fills[] = {
    {"text stands as it is", "a.html", "<p>1 &amp; 2</p>\n", "<p>1 &amp; 2</p>\n"},
    {"a variable is filled in", "a.html", "<p>{{user}}</p>", "<p>alice</p>"},
    {"a variable twice", "a.html", "{{user}}{{user}}", "alicealice"},
    {"an empty variable", "a.html", "<p>{{empty}}</p>", "<p></p>"},
    {"a variable whose name has a digit and an underscore", "a.html", "{{uuid_1}}", "0815"},
    {"HTML in a value is escaped", "a.html", "<p title=\"{{hostile}}\">{{hostile}}</p>",
     "<p title=\"" HOSTILE_HTML "\">" HOSTILE_HTML "</p>"},
    {"XML in a value is escaped", "a.mobileconfig", "<string>{{hostile}}</string>",
     "<string>" HOSTILE_HTML "</string>"},
    {"letters past ASCII stay", "a.html", "{{blue}}", "bl\xc3\xa5"},
    {"plain text is not escaped, but loses control characters", "a.txt", "{{hostile}}",
     HOSTILE_TEXT},
    {"a value brings no line of its own to a mail", "a.txt", "Subject: {{lines}}\n",
     "Subject: a?Bcc: b?c?d\n"},
    {"letters past ASCII stay in a mail", "a.txt", "{{blue}}", "bl\xc3\xa5"},
    {"a text", "a.html", "<h1>{{_(\"Sign on\")}}</h1>", "<h1>Sign on</h1>"},
    {"a text is escaped", "a.html", "{{_(\"<b> & 'c'\")}}", "&lt;b&gt; &amp; &#39;c&#39;"},
    {"a text is not escaped in a mail", "a.txt", "{{_(\"<b> & 'c'\")}}", "<b> & 'c'"},
    {"a line end in a text of a mail is gone", "a.txt", "{{_(\"a\nb\")}}", "a?b"},
    {"a text with a place", "a.html", "{{_(\"I am {user}.\")}}", "I am alice."},
    {"a text that is a place", "a.html", "{{_(\"{user}\")}}", "alice"},
    {"a text with two places", "a.html", "{{_(\"{user}{empty}{user}\")}}", "alicealice"},
    {"a place in a text is escaped", "a.html", "{{_(\"I am {hostile}.\")}}",
     "I am " HOSTILE_HTML "."},
    {"a place in a text of a mail loses control characters", "a.txt", "{{_(\"{lines}\")}}",
     "a?Bcc: b?c?d"},
    {"an open brace in a text stands for itself", "a.html", "{{_(\"a { b\")}}", "a { b"},
    {"a closed brace in a text stands for itself", "a.html", "{{_(\"a } b\")}}", "a } b"},
    {"a text with parentheses", "a.html", "{{_(\"a (b) c\")}}", "a (b) c"},
    {"braces alone stand for themselves", "a.html", "{ } }} {a}", "{ } }} {a}"},
    {"a place beside a brace", "a.html", "{{{user}}", NULL},
    {"a place in front of a brace", "a.html", "{{user}}}", "alice}"},
};

static void set_variables(struct apw_variables *variables)
{
    memset(variables, 0, sizeof *variables);
    apw_template_set(variables, "user", "nobody");
    apw_template_set(variables, "empty", NULL);
    apw_template_set(variables, "uuid_1", "0815");
    apw_template_set(variables, "hostile", HOSTILE);
    apw_template_set(variables, "lines",
                     "a\nBcc: b\rc\x7f"
                     "d");
    apw_template_set(variables, "blue", "bl\xc3\xa5");
    apw_template_set(variables, "user", "alice"); /* in place of nobody */
}

static void test_fill(void **state)
{
    const struct fill_case *row = *state;
    struct apw_templates *templates;
    struct apw_variables variables;
    struct apw_error error = {""};
    char *filled;

    remove_pages();
    write_page(row->file, row->template, strlen(row->template));
    set_variables(&variables);
    if (row->filled == NULL) {
        assert_int_equal(apw_templates_load(folder, &english, &templates, &error), -1);
        return;
    }
    templates = load(folder, &english);
    filled = fill(templates, row->file, 0, &variables);
    assert_string_equal(filled, row->filled);
    free(filled);
    apw_templates_free(&templates);
    assert_null(templates);
}

static const struct unfilled_case {
    const char *name;
    const char *file;
    const char *template;
    const char *error;
} unfilled[] = {
    {"a variable that is not set", "a.html", "<p>{{nobody}}</p>",
     "a.html: no value for {{nobody}}"},
    {"a place in a text that is not set", "a.txt", "{{_(\"I am {nobody}.\")}}",
     "a.txt: no value for {{nobody}}"},
    {"a variable whose name begins the same", "a.html", "{{use}}", "no value for {{use}}"},
};

static void test_unfilled(void **state)
{
    const struct unfilled_case *row = *state;
    struct apw_buffer buffer = {NULL, 0, 0, false};
    struct apw_templates *templates;
    struct apw_variables variables;
    struct apw_error error = {""};

    remove_pages();
    write_page(row->file, row->template, strlen(row->template));
    set_variables(&variables);
    templates = load(folder, &english);
    assert_int_equal(apw_template_fill(templates, row->file, 0, &variables, &buffer, &error), -1);
    assert_contains(error.text, row->error);
    apw_buffer_free(&buffer);
    apw_templates_free(&templates);
}

static void test_link(void **state)
{
    struct apw_variables variables = {.count = 0};
    struct apw_templates *templates;
    char *text;

    (void)state;
    write_page("a.html", BYTES("{{_(\"Ask {x}.\")}}"));
    write_page("a.txt", BYTES("{{x}}"));
    templates = load(folder, &english);
    apw_template_set_link(&variables, "x", "<&>", "mailto:a\"@b");
    text = fill(templates, "a.html", 0, &variables);
    assert_string_equal(text, "Ask <a href=\"mailto:a&#34;@b\">&lt;&amp;&gt;</a>.");
    free(text);
    text = fill(templates, "a.txt", 0, &variables);
    assert_string_equal(text, "<&>");
    free(text);
    apw_template_set(&variables, "x", "y");
    text = fill(templates, "a.html", 0, &variables);
    assert_string_equal(text, "Ask y.");
    free(text);
    apw_templates_free(&templates);
    remove_pages();
}

static const struct text_case {
    const char *name;
    const char *text;
    const char *filled;
} texts[] = {
    {"a text with a name is filled, and not escaped", "a {x} b", "a <&> b"},
    {"a text may begin and end with a name", "{x}{x}", "<&><&>"},
    {"a value is not filled again", "{y}", "{x}"},
    {"a name without a value stays", "{z}", "{z}"},
    {"a brace that is not closed stays", "a {x", "a {x"},
    {"an empty name stays", "{}", "{}"},
    {"a long name stays", "{xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}",
     "{xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}"},
};

static void test_text(void **state)
{
    const struct text_case *row = *state;
    struct apw_variables variables = {.count = 0};
    struct apw_buffer buffer = {NULL, 0, 0, false};

    apw_template_set(&variables, "x", "<&>");
    apw_template_set(&variables, "y", "{x}");
    apw_template_fill_text(row->text, &variables, &buffer);
    assert_string_equal(buffer.bytes, row->filled);
    apw_buffer_free(&buffer);
}

static void test_too_many_variables(void **state)
{
    static char names[APW_VARIABLES_MAX + 1][8];
    struct apw_variables variables = {.count = 0};
    struct apw_buffer buffer = {NULL, 0, 0, false};
    struct apw_templates *templates;
    struct apw_error error = {""};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(names); i++) {
        snprintf(names[i], sizeof names[i], "v%zu", i);
        apw_template_set(&variables, names[i], "x");
    }
    apw_template_set(&variables, "v3", "y"); /* there is room for a new value */
    remove_pages();
    write_page("a.html", BYTES("{{v3}}{{v63}}"));
    write_page("b.html", BYTES("{{v64}}"));
    templates = load(folder, &english);
    assert_int_equal(apw_template_fill(templates, "a.html", 0, &variables, &buffer, &error), 0);
    assert_string_equal(buffer.bytes, "yx");
    assert_int_equal(apw_template_fill(templates, "b.html", 0, &variables, &buffer, &error), -1);
    apw_buffer_free(&buffer);
    apw_templates_free(&templates);
}

static void test_no_page(void **state)
{
    struct apw_buffer buffer = {NULL, 0, 0, false};
    struct apw_variables variables = {.count = 0};
    struct apw_templates *templates;
    struct apw_error error = {""};

    (void)state;
    remove_pages();
    write_page("a.html", BYTES("x"));
    write_page("style.css", BYTES("{{not a template"));
    write_page("a.html.orig", BYTES("{{not a template"));
    write_page(".html", BYTES("{{not a template"));
    templates = load(folder, &english);
    assert_int_equal(apw_template_fill(templates, "b.html", 0, &variables, &buffer, &error), -1);
    assert_string_equal(error.text, "there is no template b.html");
    assert_int_equal(apw_template_fill(templates, "style.css", 0, &variables, &buffer, &error), -1);
    assert_int_equal(apw_template_fill(templates, "a.html", 1, &variables, &buffer, &error), -1);
    assert_int_equal(buffer.length, 0);
    apw_templates_free(&templates);
    apw_templates_free(&templates);
}

static void test_broken_buffer(void **state)
{
    struct apw_buffer buffer = {NULL, 0, 0, true};
    struct apw_variables variables = {.count = 0};
    struct apw_templates *templates;
    struct apw_error error = {""};

    (void)state;
    remove_pages();
    write_page("a.html", BYTES("x"));
    templates = load(folder, &english);
    assert_int_equal(apw_template_fill(templates, "a.html", 0, &variables, &buffer, &error), -1);
    assert_string_equal(error.text, "out of memory");
    apw_templates_free(&templates);
}

static void test_buffer(void **state)
{
    struct apw_buffer buffer = {NULL, 0, 0, false};
    char expected[] = "0123456789";

    (void)state;
    apw_buffer_free(&buffer);
    apw_buffer_add(&buffer, "", 0);
    assert_string_equal(buffer.bytes, "");
    for (int i = 0; i < 100000; i++)
        apw_buffer_add_string(&buffer, expected);
    assert_int_equal(buffer.length, 1000000);
    assert_int_equal(strlen(buffer.bytes), buffer.length);
    for (size_t i = 0; i < buffer.length; i++)
        assert_true(buffer.bytes[i] == expected[i % 10]);
    apw_buffer_free(&buffer);
    assert_true(unit_is_zero(&buffer, sizeof buffer));
}

/* ---- broken templates ---- */

#define NO_NAME "is neither the name of a variable nor _(\"a text\")"
#define NO_TEXT "a text must end in \"), contain neither \" nor \\, and have 1 to 2047 bytes"

static const struct broken_case {
    const char *name;
    const char *template;
    const char *error; /* behind the path */
} broken[] = {
    {"a place that is not closed", "{{user", ":1: {{ without }}"},
    {"a place that is closed by one brace", "a\n\n{{user}\n", ":3: {{ without }}"},
    {"a place that is not closed behind one that is", "{{user}}\n{{user", ":2: {{ without }}"},
    {"an empty place", "<p>\n{{}}", ":2: \"\" " NO_NAME},
    {"a place with a space", "{{ user }}", ":1: \" user \" " NO_NAME},
    {"a name in upper case", "\n\n\n{{User}}", ":4: \"User\" " NO_NAME},
    {"a name with a hyphen", "{{user-name}}", ":1: \"user-name\" " NO_NAME},
    {"a name past ASCII", "{{bl\xc3\xa5}}", ":1: \"bl\xc3\xa5\" " NO_NAME},
    {"a name of 32 letters", "{{abcdefghijklmnopqrstuvwxyzabcdef}}", NO_NAME},
    {"a place that begins with a brace", "{{{user}}}", ":1: \"{user\" " NO_NAME},
    {"an empty text", "{{_(\"\")}}", ":1: " NO_TEXT},
    {"a text without its end", "a\n{{_(\"Sign in)}}", ":2: " NO_TEXT},
    {"a text without quotes", "{{_(Sign in)}}", ":1: \"_(Sign in)\" " NO_NAME},
    {"a text with a trailing space", "{{_(\"Sign in\") }}", ":1: " NO_TEXT},
    {"a text with a quote", "{{_(\"Sign \"in\"\")}}", ":1: " NO_TEXT},
    {"a text with a backslash", "{{_(\"Sign\\nin\")}}", ":1: " NO_TEXT},
    {"two texts in one place", "{{_(\"a\")_(\"b\")}}", ":1: " NO_TEXT},
    {"half of a text", "{{_(\"}}", ":1: \"_(\"\" " NO_NAME},
    {"a text with an empty place", "\n{{_(\"a {} b\")}}", ":2: \"\" " NO_NAME},
    {"a text with a place with a space", "{{_(\"a {the user} b\")}}", ":1: \"the user\" " NO_NAME},
    {"a text with braces in braces", "{{_(\"a {{user} b\")}}", ":1: \"{user\" " NO_NAME},
    {"an empty file", "", ": empty, unreadable, longer than 65536 bytes or with a NUL in it"},
};

static void test_broken(void **state)
{
    const struct broken_case *row = *state;
    static const char *const names[] = {"page.html", "page.txt", "page.xml", "page.mobileconfig"};

    for (size_t i = 0; i < UNIT_COUNT(names); i++) {
        struct apw_templates *templates = (struct apw_templates *)folder; /* anything but NULL */
        char path[UNIT_PATH_SIZE + 32];
        struct apw_error error = {""};

        remove_pages();
        write_page(names[i], row->template, strlen(row->template));
        write_page("good.html", BYTES("x"));
        assert_int_equal(apw_templates_load(folder, &english, &templates, &error), -1);
        assert_null(templates);
        snprintf(path, sizeof path, "%s/%s:", folder, names[i]);
        assert_int_equal(strncmp(error.text, path, strlen(path)), 0);
        assert_contains(error.text, row->error);
    }
}

static void test_sizes(void **state)
{
    char *text = unit_repeat("x", 100000), *filled;
    struct apw_variables variables = {.count = 0};
    struct apw_templates *templates;
    struct apw_error error = {""};

    (void)state;
    remove_pages();
    write_page("a.html", text, 65536);
    templates = load(folder, &english);
    filled = fill(templates, "a.html", 0, &variables);
    assert_int_equal(strlen(filled), 65536);
    free(filled);
    apw_templates_free(&templates);
    write_page("a.html", text, 65537);
    assert_int_equal(apw_templates_load(folder, &english, &templates, &error), -1);
    write_page("a.html", BYTES("<p>\0{{user}}</p>"));
    assert_int_equal(apw_templates_load(folder, &english, &templates, &error), -1);
    memcpy(text, "{{_(\"", 5);
    memcpy(text + 5 + 2047, "\")}}", 4);
    write_page("a.html", text, 5 + 2047 + 4);
    templates = load(folder, &english);
    apw_templates_free(&templates);
    memcpy(text + 5 + 2047, "x\")}}", 5);
    write_page("a.html", text, 5 + 2048 + 4);
    assert_int_equal(apw_templates_load(folder, &english, &templates, &error), -1);
    free(text);
}

static void test_no_folder(void **state)
{
    struct apw_templates *templates;
    struct apw_error error = {""};
    char path[UNIT_PATH_SIZE + 32];

    (void)state;
    assert_int_equal(apw_templates_load("/nowhere", &english, &templates, &error), -1);
    assert_string_equal(error.text, "/nowhere: No such file or directory");
    remove_pages();
    snprintf(path, sizeof path, "%s/a.html", folder);
    assert_int_equal(symlink("/nowhere", path), 0);
    assert_int_equal(apw_templates_load(folder, &english, &templates, &error), -1);
    assert_contains(error.text, "/a.html: No such file or directory");
    assert_null(templates);
}

/* ---- in other languages ---- */

static void test_translated(void **state)
{
    struct apw_variables variables = {.count = 0};
    struct apw_languages languages;
    struct apw_templates *templates;
    char *filled;

    (void)state;
    translations_load(&languages);
    remove_pages();
    write_page("a.html", BYTES("<p>{{_(\"As of {date}, mail programs need an app password.\")}} "
                               "{{_(\"no text of ours\")}}</p>"));
    templates = load(folder, &languages);
    apw_template_set(&variables, "date", "<2027>");
    filled = fill(templates, "a.html", translations_number(&languages, "nb"), &variables);
    assert_string_equal(filled, "<p>Fra &lt;2027&gt; m\xc3\xa5 e-postprogrammer ha et app-passord. "
                                "no text of ours</p>");
    free(filled);
    filled = fill(templates, "a.html", 0, &variables);
    assert_string_equal(filled, "<p>As of &lt;2027&gt;, mail programs need an app password. "
                                "no text of ours</p>");
    free(filled);
    apw_templates_free(&templates);
    apw_languages_free(&languages);
}

/* ---- the portal's own ---- */

/* Variables of every page. */
#define EVERYWHERE "root version csrf lang support site user"

/* The other variables that the program sets for that page; the page uses them all. */
static const struct page_case {
    const char *name; /* of the file */
    const char *variables;
} pages[] = {
    {"announced.html", "date"},
    {"app.html", "size path uri secret error invalid focus"},
    {"autoconfig-address.mobileconfig", "address"},
    {"autoconfig-domain.xml", "domain"},
    {"autoconfig-end.mobileconfig", ""},
    {"autoconfig-end.xml", ""},
    {"autoconfig-provider-end.xml", ""},
    {"autoconfig-server.xml", "element type host port security"},
    {"autoconfig-top.xml", "domain"},
    {"autoconfig.mobileconfig",
     "uuid1 uuid2 address organization type host port smtp_host smtp_port"},
    {"autodiscover-end.xml", ""},
    {"autodiscover-incoming.xml", "type host port address security"},
    {"autodiscover-outgoing.xml", "type host port address security"},
    {"autodiscover-top.xml", ""},
    {"bottom.html", ""},
    {"cancel.html", ""},
    {"challenge-app-end.html", ""},
    {"challenge-app.html", "error invalid focus"},
    {"challenge-mail-end.html", ""},
    {"challenge-mail-unsent.html", "address"},
    {"challenge-mail.html", "address error invalid focus"},
    {"challenge-passkey-end.html", ""},
    {"challenge-recovery-end.html", ""},
    {"challenge-passkey.html", "challenge host credentials"},
    {"challenge-recovery.html", "error invalid focus"},
    {"choose-end.html", ""},
    {"choose-mail.html", "checked"},
    {"choose-passkey.html", "checked"},
    {"choose-top.html", "error"},
    {"choose-totp.html", "checked"},
    {"contact-code.html", "address error invalid focus"},
    {"contact.html", "address error invalid focus"},
    {"create-form-choice.html", "value is_chosen choice"},
    {"create-form-choices-end.html", ""},
    {"create-form-end.html", ""},
    {"create-form.html", "typed error invalid focus is_both is_read is_send"},
    {"ending-invited.html", "seconds_left is_last"},
    {"ending.html", "seconds_left is_last"},
    {"enrolment-code.html", "error invalid focus"},
    {"error.html", "text"},
    {"good.html", "text"},
    {"helped-factor.html", "factor since used"},
    {"helped-factors-none.html", ""},
    {"helped-factors-top.html", ""},
    {"helped-facts-end.html", ""},
    {"helped-from.html", "date"},
    {"helped-list-end.html", ""},
    {"helped-passwords-none.html", ""},
    {"helped-passwords-top.html", ""},
    {"helped-row-end.html", ""},
    {"helped-since.html", "date"},
    {"helped-top.html", "name person mail account mfa"},
    {"helped-unused-top.html", ""},
    {"helped-unused.html", "label until"},
    {"languages-end.html", ""},
    {"languages-row.html", "here language language_code is_current"},
    {"languages-top.html", "language"},
    {"list-empty.html", ""},
    {"list-end.html", ""},
    {"list-revoke-all.html", "connections"},
    {"list-row-end.html", "id label"},
    {"list-row-facts-end.html", ""},
    {"list-row-from.html", "from"},
    {"list-row-rename.html", "id label"},
    {"list-row.html",
     "id label created expires last_used last_service last_from last_name last_here "
     "services state"},
    {"list-top.html", ""},
    {"people-close.html", ""},
    {"people-end.html", ""},
    {"people-form.html", "typed error invalid"},
    {"people-more.html", ""},
    {"people-none.html", ""},
    {"people-row.html", "name person mail"},
    {"people-top.html", ""},
    {"policy-latest.html", "date"},
    {"policy-unused.html", "date"},
    {"recovery-end.html", "next"},
    {"recovery-file-row.txt", "code"},
    {"recovery-file.txt", ""},
    {"recovery-left.html", "left"},
    {"recovery-none.html", ""},
    {"recovery-row.html", "code"},
    {"recovery-top.html", ""},
    {"remember.html", "date"},
    {"device-done.html", ""},
    {"device-enrol.html", "user date"},
    {"device-form-android.html", ""},
    {"device-form-top.html", ""},
    {"device-form.html", ""},
    {"device-link.html", "id label size path link"},
    {"device-over.html", "label"},
    {"device-used.html", "id label time browser client"},
    {"device-visit.html", "visitor"},
    {"device.html", "user label path date"},
    {"remembered-end.html", ""},
    {"remembered-row.html", "id browser since until"},
    {"remembered-top.html", ""},
    {"remind-row.txt", "label created last_used expires"},
    {"revoked-end.html", ""},
    {"revoked-row.html", "id label created revoked"},
    {"revoked-top.html", ""},
    {"mail-code.txt", "code minutes"},
    {"mail-contact-code.txt", "code minutes"},
    {"mail-created-by-link.txt", "label ability"},
    {"mail-created.txt", "label ability"},
    {"mail-enrolled.txt", "factor"},
    {"mail-factor-added.txt", "factor"},
    {"mail-factor-removed.txt", "factor"},
    {"mail-facts.txt", "url time browser client"},
    {"mail-guessed.txt", "link"},
    {"mail-invitation.txt", "label link date url"},
    {"mail-recovery-made.txt", ""},
    {"mail-recovery-used.txt", "left"},
    {"mail-remind-facts.txt", "url"},
    {"mail-remind-expiring.txt", ""},
    {"mail-remind-made.txt", ""},
    {"mail-remind-mfa-announced.txt", "date"},
    {"mail-remind-mfa-today.txt", "date"},
    {"mail-remind-mfa-week.txt", "date"},
    {"mail-remind-unused-revoke.txt", "date"},
    {"mail-remind-unused.txt", ""},
    {"mail-remind-yearly.txt", ""},
    {"mail-revoked-all.txt", "connections"},
    {"mail-revoked.txt", "label connections"},
    {"help-cancel-reset.html", "person at by"},
    {"help-code-form.html", "person"},
    {"help-code.html", "person code"},
    {"help-end.html", ""},
    {"help-link.html", "person address"},
    {"help-top.html", ""},
    {"help-mfa-off.html", "person"},
    {"help-mfa-on.html", "person"},
    {"help-reset.html", "person"},
    {"help-revoke-all.html", "person"},
    {"help-revoke.html", "person id label"},
    {"help-withdraw.html", "person id label"},
    {"mail-help-code.txt", ""},
    {"mail-help-facts.txt", "url time"},
    {"mail-help-link-sent.txt", "address label"},
    {"mail-help-link.txt", "label link until"},
    {"mail-help-mfa-off.txt", ""},
    {"mail-help-mfa-on.txt", "date"},
    {"mail-help-reset-canceled.txt", ""},
    {"mail-help-reset.txt", "at"},
    {"mail-help-revoked-all.txt", ""},
    {"mail-help-revoked.txt", "label"},
    {"mail-help-withdrawn.txt", "label"},
    {"mail-reset-canceled.txt", ""},
    {"mail-reset-done.txt", ""},
    {"reset-waiting.html", "at by"},
    {"not-allowed.html", ""},
    {"not-enabled.html", ""},
    {"notice.html", "text"},
    {"others-end.html", ""},
    {"others-row.html", "id factor"},
    {"others-top.html", "is_open"},
    {"passkey.html", "challenge host handle credentials"},
    {"password-both-top.html", ""},
    {"password-both.html", "is_iphone is_android"},
    {"password-done.html", ""},
    {"password-gone.html", ""},
    {"password-other.html", "services"},
    {"password-read.html", ""},
    {"password-send.html", ""},
    {"password.html", "group1 group2 group3 group4 group5 label"},
    {"profile-end.html", "profile"},
    {"profile-iphone.html", ""},
    {"profile-unsigned.html", ""},
    {"profile.html", ""},
    {"profile.mobileconfig", "uuid1 uuid2 login address organization name password imap_host "
                             "imap_port imap_tls smtp_host smtp_port smtp_tls label"},
    {"say-end.html", ""},
    {"say-row.html", "text"},
    {"say-top.html", ""},
    {"servers-android.html", ""},
    {"servers-end.html", "login"},
    {"servers-incoming.html", "imap_host imap_port imap_security"},
    {"servers-outgoing.html", "smtp_host smtp_port smtp_security"},
    {"servers.html", ""},
    {"sign-in.html", "login"},
    {"start-again.html", ""},
    {"start.html", ""},
    {"stay.html", "seconds_left is_last"},
    {"step.html", "step steps"},
    {"steps-add.html", ""},
    {"steps-end.html", ""},
    {"steps-link-end.html", ""},
    {"steps-link-row.html", "factor"},
    {"steps-link-top.html", ""},
    {"steps-only.html", ""},
    {"steps-remove.html", "id factor"},
    {"steps-reserve.html", ""},
    {"steps-row-end.html", ""},
    {"steps-row.html", "id factor since used name"},
    {"steps-top.html", ""},
    {"support-app.html", ""},
    {"support-enrolment.html", ""},
    {"support-mail.html", ""},
    {"support-passkey.html", ""},
    {"support-recovery.html", ""},
    {"support-said.html", ""},
    {"support.html", ""},
    {"this-browser.html", "path"},
    {"transfer.html", "size path"},
    {"unused-end.html", ""},
    {"unused-row.html", "id label until"},
    {"unused-top.html", ""},
    {"top.html", "title mark"},
    {"verified.html", "label"},
    {"who-help-desk.html", ""},
    {"who-invited.html", ""},
    {"who-sso.html", ""},
    {"who.html", ""},
};

static struct apw_languages all_languages;
static struct apw_templates *own_templates;

#define NAMES_MAX 32

/* The words of a list; `names` holds what they are cut from. */
static size_t split(const char *list, char names[512], const char *name_r[NAMES_MAX])
{
    size_t count = 0;
    char *rest = NULL;

    snprintf(names, 512, "%s", list);
    for (char *name = strtok_r(names, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest))
        name_r[count++] = name;
    return count;
}

/* Fills a page with hostile values of everything that it may name, but for `left_out`. */
static int fill_page(const struct page_case *page, unsigned language, const char *left_out,
                     struct apw_buffer *buffer, struct apw_error *error)
{
    struct apw_variables variables = {.count = 0};
    char everywhere[512], own[512];
    const char *name[2 * NAMES_MAX];
    size_t count = split(EVERYWHERE, everywhere, name);

    count += split(page->variables, own, name + count);
    for (size_t i = 0; i < count; i++)
        if (left_out == NULL || strcmp(name[i], left_out) != 0)
            apw_template_set(&variables, name[i], HOSTILE);
    return apw_template_fill(own_templates, page->name, language, &variables, buffer, error);
}

/* But for the lines that stand in several mails. */
static bool is_mail(const char *name)
{
    return strncmp(name, "mail-", 5) == 0 && strstr(name, "facts.txt") == NULL;
}

/* A mail begins with a subject that is not too long, and an empty line (mail.h). */
static void assert_is_mail(const char *text)
{
    size_t length = strcspn(text, "\n");

    assert_int_equal(strncmp(text, "Subject: ", 9), 0);
    assert_in_range(length, 10, 9 + 256);
    assert_int_equal(strncmp(text + length, "\n\n", 2), 0);
}

static void test_own_page(void **state)
{
    const struct page_case *page = *state;

    for (unsigned i = 0; i < all_languages.count; i++) {
        struct apw_buffer buffer = {NULL, 0, 0, false};
        struct apw_error error = {""};

        if (fill_page(page, i, NULL, &buffer, &error) != 0)
            fail_msg("%s in %s: %s", page->name, all_languages.language[i].code, error.text);
        if (is_mail(page->name))
            assert_is_mail(buffer.bytes);
        else if (strstr(page->name, ".txt") == NULL)
            assert_null(strstr(buffer.bytes, "<b a="));
        assert_null(strstr(buffer.bytes, "{{_"));
        apw_buffer_free(&buffer);
    }
}

/* Without any one of its own variables a page cannot be filled, in no language: each translation
 * names what the text names. */
static void test_own_variables(void **state)
{
    const struct page_case *page = *state;
    const char *name[NAMES_MAX];
    char names[512], expected[128];
    size_t count = split(page->variables, names, name);

    for (size_t i = 0; i < count; i++)
        for (unsigned j = 0; j < all_languages.count; j++) {
            struct apw_buffer buffer = {NULL, 0, 0, false};
            struct apw_error error = {""};

            assert_int_equal(fill_page(page, j, name[i], &buffer, &error), -1);
            apw_buffer_free(&buffer);
            snprintf(expected, sizeof expected, "%s: no value for {{%s}}", page->name, name[i]);
            assert_string_equal(error.text, expected);
        }
}

static bool is_listed(const char *file)
{
    for (size_t i = 0; i < UNIT_COUNT(pages); i++)
        if (strcmp(pages[i].name, file) == 0)
            return true;
    return false;
}

static void test_own_pages_are_listed(void **state)
{
    DIR *directory = opendir(OWN_PAGES);
    struct dirent *entry;
    size_t count = 0;

    (void)state;
    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');

        if (dot == NULL || (strcmp(dot, ".html") != 0 && strcmp(dot, ".txt") != 0 &&
                            strcmp(dot, ".xml") != 0 && strcmp(dot, ".mobileconfig") != 0))
            continue;
        if (!is_listed(entry->d_name))
            fail_msg("%s is not listed in this test", entry->d_name);
        count++;
    }
    closedir(directory);
    assert_int_equal(count, UNIT_COUNT(pages));
}

/* ---- what the program sets ---- */

static bool is_in_list(const char *list, const char *name, size_t length)
{
    const char *found = list;

    while ((found = strstr(found, name)) != NULL) {
        if ((found == list || found[-1] == ' ') && (found[length] == ' ' || found[length] == '\0'))
            return true;
        found += length;
    }
    return false;
}

/* In a text of the program. */
static bool is_named_by_a_text(const char *name)
{
    char place[66];

    snprintf(place, sizeof place, "{%s}", name);
    for (size_t i = 0; i < APW_TEXT_COUNT; i++)
        if (apw_wording[i] != NULL && strstr(apw_wording[i], place) != NULL)
            return true;
    return false;
}

static bool is_named_by_a_page(const char *name)
{
    size_t length = strlen(name);

    if (is_in_list(EVERYWHERE, name, length))
        return true;
    for (size_t i = 0; i < UNIT_COUNT(pages); i++)
        if (is_in_list(pages[i].variables, name, length))
            return true;
    return false;
}

/* Every name that a source file gives to apw_page_set(), with a space behind each. */
static void collect_names(const char *path, FILE *names)
{
    static const char call[] = "apw_page_set";
    char text[65536], *at = text, name[64];
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    while ((at = strstr(at, call)) != NULL) {
        at += sizeof call - 1;
        at += strncmp(at, "_link", 5) == 0 ? 5 : 0;
        if (*at == '(' && sscanf(at, "%*[^,;], \"%63[a-z_0-9]\"", name) == 1)
            fprintf(names, "%s ", name);
    }
}

static char *names_that_are_set(void)
{
    char *list, path[UNIT_PATH_SIZE + 256];
    DIR *directory = opendir(APW_SRCDIR "/portal");
    struct dirent *entry;
    size_t size;
    FILE *names = open_memstream(&list, &size);

    assert_non_null(names);
    assert_non_null(directory);
    collect_names(APW_SRCDIR "/portal/web/page.c", names);
    while ((entry = readdir(directory)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');

        if (dot == NULL || strcmp(dot, ".c") != 0)
            continue;
        snprintf(path, sizeof path, APW_SRCDIR "/portal/%s", entry->d_name);
        collect_names(path, names);
    }
    closedir(directory);
    fclose(names);
    return list;
}

static void test_program_sets_them(void **state)
{
    char *list = names_that_are_set(), *rest = NULL, all[4096] = EVERYWHERE;

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(pages); i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), " %s", pages[i].variables);
    for (char *name = strtok_r(all, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest))
        if (!is_in_list(list, name, strlen(name)))
            fail_msg("nothing in the program sets %s", name);
    for (char *name = strtok_r(list, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest))
        if (!is_named_by_a_page(name) && !is_named_by_a_text(name))
            fail_msg("no page names %s", name);
    free(list);
}

int main(void)
{
    int status;

    unit_path("pages", folder);
    if (mkdir(folder, 0700) != 0)
        abort();
    atexit(remove_folder);
    translations_load(&all_languages);
    own_templates = load(OWN_PAGES, &all_languages);
    UNIT_ROWS(fills, test_fill);
    UNIT_ROWS(unfilled, test_unfilled);
    UNIT_ROWS(texts, test_text);
    UNIT_TEST("a value may be a link in HTML, escaped", test_link);
    UNIT_TEST("there is room for 64 variables", test_too_many_variables);
    UNIT_TEST("only templates are pages", test_no_page);
    UNIT_TEST("a page without memory fails", test_broken_buffer);
    UNIT_TEST("a buffer grows and is emptied", test_buffer);
    UNIT_ROWS(broken, test_broken);
    UNIT_TEST("a file has 65536 bytes at most, and a text 2047", test_sizes);
    UNIT_TEST("a missing folder, and a missing file", test_no_folder);
    UNIT_TEST("a text is translated with its places", test_translated);
    UNIT_ROWS(pages, test_own_page);
    UNIT_ROWS(pages, test_own_variables);
    UNIT_TEST("every page of the portal is tested here", test_own_pages_are_listed);
    UNIT_TEST("the program sets what pages name, and no more", test_program_sets_them);
    status = unit_run();
    apw_templates_free(&own_templates);
    apw_languages_free(&all_languages);
    return status;
}
