/* What a configuration file may hold, and what is said, and where, when it holds something else. */
#include "option_fixture.h"

static const struct {
    const char *text;
    const char *words; /* after the file's name */
} files[] = {
    {"count = 5\ncoutn = 5\n", ":2: unknown option \"coutn\": did you mean \"count\"?\n"},
    {"--count = 5\n", ":1: unknown option \"--count\": did you mean \"count\"?"},
    {"--frobnicate = 5\n", ":1: unknown option \"--frobnicate\": names have no dashes"},
    {"\n\ncount 5\n", ":3: \"count 5\" is not of the form \"name = value\"\n"},
    {"count = 5\n#\ncount = 6", ":3: count is given twice, here and on line 1\n"},
    {"count =\n", ":1: count: needs a value"},
    {"count = # nothing\n", ":1: count: needs a value"},
    {"name = a bad c\n", ":1: name \"bad\": is bad\n"},
    {"name =\n", ":1: name: needs a value"},
    {"= 5\n", ":1: unknown option \"\""},
    {"count = \"5\"\n", ":1: count: write the value without quotes\n"},
    {"help = true\n", ":1: help cannot stand in a file\n"},
    {"config = x\n", ":1: config cannot stand in a file\n"},
    {"count = 5\n\x7f"
     "ELF\n",
     ":2: byte \\x7f is no UTF-8 text"},
    {"name = \xff\n", ":1: byte \\xff is no UTF-8 text"},
    {"name = a\x1b[31m\n", ":1: byte \\x1b is no UTF-8 text"},
};

START_TEST(file_mistakes)
{
    char expected[256];
    snprintf(expected, sizeof expected, "prog: %s%s", path, files[_i].words);
    file(files[_i].text);
    ck_assert_msg(strstr(mistakes(), expected) != NULL, "%s", mistakes());
    ck_assert_uint_eq(set.configuration_mistakes, 1);
}
END_TEST

START_TEST(file_forms)
{
    file("\xef\xbb\xbf# a comment\r\n\r\n  count=5 \t# another\r\n\t\n"
         "name = a#b\t#c\r\nname = caf\xc3\xa9\nloud = yes\n");
    apply_well();
    ck_assert_int_eq(target.count, 5);
    ck_assert_str_eq(target.names, "a#b,caf\xc3\xa9,");
    ck_assert(target.loud);
}
END_TEST

START_TEST(file_with_a_nul)
{
    file_bytes("count = 5\0 6\n", 13);
    ck_assert_ptr_nonnull(strstr(mistakes(), ":1: byte \\x00"));
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
    option_read_file(&set, "/nowhere/at/all");
    ck_assert_str_eq(mistakes(),
                     "prog: /nowhere/at/all: cannot be read: No such file or directory\n");
    option_set_finish(&set);
    option_set_init(&set, &table);
    option_read_file(&set, "/");
    ck_assert_str_eq(mistakes(), "prog: /: cannot be read: Is a directory\n");
}
END_TEST

START_TEST(file_sizes)
{
    static char bytes[OPTION_FILE_MAX + 1];
    memset(bytes, '\n', sizeof bytes);
    file_bytes(bytes, OPTION_FILE_MAX);
    ck_assert_str_eq(mistakes(), "");
    option_set_finish(&set);
    option_set_init(&set, &table);
    file_bytes(bytes, OPTION_FILE_MAX + 1);
    ck_assert_ptr_nonnull(strstr(mistakes(), "is larger than 256 KiB"));
    option_set_finish(&set);
    option_set_init(&set, &table);
    option_read_file(&set, "/dev/zero"); /* does not end */
    ck_assert_ptr_nonnull(strstr(mistakes(), "is larger than 256 KiB"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("option file");
    TCase *tcase = tcase_create("file");

    tcase_add_checked_fixture(tcase, set_begin, set_end);
    tcase_add_loop_test(tcase, file_mistakes, 0, (int)(sizeof files / sizeof *files));
    tcase_add_test(tcase, file_forms);
    tcase_add_test(tcase, file_with_a_nul);
    tcase_add_test(tcase, files_that_cannot_be_read);
    tcase_add_test(tcase, file_sizes);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
