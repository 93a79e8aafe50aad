/* SPDX-License-Identifier: BSD-2-Clause */
/* How setup changes configuration files. */
#include "setup/text.h"
#include "unit.h"

static void expect(char *text, const char *wanted)
{
    assert_non_null(text);
    assert_string_equal(text, wanted);
    free(text);
}

static char *copy(const char *text)
{
    return unit_copy(text, strlen(text) + 1);
}

static void a_name_is_replaced_everywhere(void **state)
{
    (void)state;
    expect(apw_setup_text_replace(copy("a dc=x b dc=x"), "dc=x", "dc=dc=x"), "a dc=dc=x b dc=dc=x");
    expect(apw_setup_text_replace(copy("nothing"), "dc=x", "y"), "nothing");
    assert_null(apw_setup_text_replace(NULL, "a", "b"));
}

static void a_key_is_set_once(void **state)
{
    (void)state;
    expect(apw_setup_text_set(copy("# uri\nuri a\nuris b\nuri c\n"), "uri", "x"),
           "# uri\nuri x\nuris b\n");
    expect(apw_setup_text_set(copy("base a\n"), "uri", "x"), "base a\nuri x\n");
    expect(apw_setup_text_set(copy("uri a\nbase b\n"), "uri", ""), "base b\n");
}

static void lines_and_paragraphs_are_dropped(void **state)
{
    (void)state;
    expect(apw_setup_text_drop_lines(copy("one\ntwo x\nthree\n"), " x"), "one\nthree\n");
    expect(apw_setup_text_drop_paragraph(copy("a\n\n# b\nx {\n}\n\nc\n"), "x {"), "a\n\nc\n");
    expect(apw_setup_text_drop_paragraph(copy("a\n\n xx {\n"), "x {"), "a\n\n xx {\n");
    expect(apw_setup_text_drop_paragraph(copy("a\n\nx {\n}"), "x {"), "a\n\n");
}

static void text_is_added(void **state)
{
    (void)state;
    expect(apw_setup_text_insert(copy("a\nbc\nd\n"), "b", "x\n"), "a\nx\nbc\nd\n");
    expect(apw_setup_text_insert(copy("a\n"), "b", "x\n"), "a\nx\n");
    expect(apw_setup_text_append(copy("a\n"), "x\n"), "a\nx\n");
}

static const struct block_case {
    const char *name, *text, *wanted;
} blocks[] = {
    {"2.3", "a = b\npassdb {\n  driver = pam\n}\nuserdb {\n}\n",
     "a = b\n#passdb {\n#  driver = pam\n#}\nuserdb {\n}\n"},
    {"2.4, with a block inside", "passdb ldap {\n  fields {\n    user = x\n  }\n}\nc = d\n",
     "#passdb ldap {\n#  fields {\n#    user = x\n#  }\n#}\nc = d\n"},
    {"with a comment behind it", "  passdb { # ours\n  }\nx\n", "#  passdb { # ours\n#  }\nx\n"},
    {"master users stay", "passdb {\n  master = yes\n}\npassdb {\n}\n",
     "passdb {\n  master = yes\n}\n#passdb {\n#}\n"},
    {"denied users stay", "passdb {\n  deny=yes\n}\n", "passdb {\n  deny=yes\n}\n"},
    {"master = no goes", "passdb {\n  master = no\n}\n", "#passdb {\n#  master = no\n#}\n"},
    {"a comment stays one", "#passdb {\n#}\n", "#passdb {\n#}\n"},
    {"a longer name", "passdbs {\n}\n", "passdbs {\n}\n"},
    {"without an end", "passdb {\n  driver = pam\n", "passdb {\n  driver = pam\n"},
};

static void blocks_are_commented_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        print_message("%s\n", blocks[i].name);
        expect(apw_setup_text_comment_blocks(copy(blocks[i].text), "passdb"), blocks[i].wanted);
    }
}

static void a_value_is_found_in_ldif(void **state)
{
    char value[16];

    (void)state;
    assert_true(apw_setup_text_find("dn: a\nolcRootDN: cn=x\n", "olcRootDN", value, sizeof value));
    assert_string_equal(value, "cn=x");
    assert_true(apw_setup_text_find("OLCROOTDN: cn=x", "olcRootDN", value, sizeof value));
    assert_false(apw_setup_text_find("olcRootDN:: Y249eA==\n", "olcRootDN", value, sizeof value));
    assert_false(apw_setup_text_find("# olcRootDN: x\n", "olcRootDN", value, sizeof value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_replaced_everywhere),
        cmocka_unit_test(a_key_is_set_once),
        cmocka_unit_test(lines_and_paragraphs_are_dropped),
        cmocka_unit_test(text_is_added),
        cmocka_unit_test(blocks_are_commented_out),
        cmocka_unit_test(a_value_is_found_in_ldif),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
