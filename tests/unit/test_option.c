/*
 * The option table: where values come from and which of them count, what is said about each kind of
 * mistake, what is printed, and that no secret is ever shown. Files have a program of their own.
 */
#include "option_fixture.h"

START_TEST(defaults)
{
    apply_well();
    ck_assert(!target.loud);
    ck_assert_int_eq(target.colour, 1);
    ck_assert_int_eq(target.count, 7);
    ck_assert_int_eq(target.size, 1048576);
    ck_assert_int_eq(target.wait, 2000);
    ck_assert_str_eq(target.names, "ann,bob,");
    ck_assert_int_eq(option_source(&set, "name"), OPTION_DEFAULT);
    ck_assert(!option_asked(&set, "help"));
}
END_TEST

START_TEST(flag_before_environment_before_file)
{
    file("count = 1\nwait-time = 1s\nname = f1 f2\nname=f3\nsize=2048");
    environment("PROG_COUNT=2");
    apply_well();
    ck_assert_int_eq(target.count, 2);
    ck_assert_int_eq(target.wait, 1000);
    ck_assert_int_eq(target.size, 2048); /* without a newline at the end */
    ck_assert_str_eq(target.names, "f1,f2,f3,");

    memset(&target, 0, sizeof target);
    environment("PROG_NAME=\te1  e2 ");
    command("--count=3 --name c1 --name=c2 --loud");
    apply_well();
    ck_assert_int_eq(target.count, 3);
    ck_assert(target.loud);
    ck_assert_str_eq(target.names, "c1,c2,");
    ck_assert_int_eq(option_source(&set, "count"), OPTION_COMMAND);
    ck_assert_int_eq(option_source(&set, "wait-time"), OPTION_FILE);
    ck_assert_str_eq(option_text(&set, "name"), "c1");
}
END_TEST

START_TEST(a_flag_can_be_taken_back)
{
    static const char *const no[] = {"false", "no", "off", "0", "FALSE"};
    static const char *const yes[] = {"true", "yes", "on", "1", "On"};
    char line[32];

    snprintf(line, sizeof line, "PROG_LOUD=%s", yes[_i]);
    environment(line);
    apply_well();
    ck_assert(target.loud);
    snprintf(line, sizeof line, "--loud=%s", no[_i]);
    command(line);
    apply_well();
    ck_assert(!target.loud);
}
END_TEST

START_TEST(operands_and_letters)
{
    command("one -h - -- --two -h");
    ck_assert(option_set_ok(&set));
    ck_assert(option_asked(&set, "help"));
    ck_assert_uint_eq(set.operand_count, 4);
    ck_assert_str_eq(set.operands[0], "one");
    ck_assert_str_eq(set.operands[1], "-");
    ck_assert_str_eq(set.operands[2], "--two");
    ck_assert_str_eq(set.operands[3], "-h");
}
END_TEST

static const struct {
    const char *line;
    unsigned usage, configuration;
    const char *words;
} commands[] = {
    {"--coutn 5", 1, 0, "prog: unknown option \"--coutn\": did you mean \"--count\"?\n"},
    {"--wait_time 5s", 1, 0, "did you mean \"--wait-time\"?"},
    {"--frobnicate", 1, 0, "unknown option \"--frobnicate\": prog --help lists all"},
    {"-x", 1, 0, "unknown option \"-x\""},
    {"-count", 1, 0, "did you mean \"--count\"?"},
    {"--count", 1, 0, "--count needs a value: --count N"},
    {"--count --loud", 1, 0, "--count needs a value"},
    {"--count 5 --count 5", 1, 0, "--count is given twice"},
    {"--loud --loud", 1, 0, "--loud is given twice"},
    {"--help=yes", 1, 0, "--help takes no value"},
    {"--count=", 0, 1, "prog: --count: needs a value, not an empty one\n"},
    {"--count 0", 0, 1, "prog: --count \"0\": must be at least 1\n"},
    {"--count -1", 0, 1, "--count \"-1\": may not be negative"},
    {"--count 101", 0, 1, "must be at most 100"},
    {"--count 99999999999999999999", 0, 1, "is too large"},
    {"--count 5x", 0, 1, "digits only"},
    {"--size 1023", 0, 1, "must be at least 1KiB"},
    {"--size 2MiB", 0, 1, "must be at most 1MiB"},
    {"--wait-time 5", 0, 1, "--wait-time \"5\": has no unit: write 5ms, 5s, 5m or 5h"},
    {"--wait-time 2m", 0, 1, "must be at most 1m"},
    {"--colour gren", 0, 1, "must be red, green or blue: did you mean \"green\"?"},
    {"--colour pink", 0, 1, "--colour \"pink\": must be red, green or blue\n"},
    {"--loud=maybe", 0, 1, "--loud \"maybe\": must be true or false"},
    {"--name bad", 0, 1, "--name \"bad\": is bad"},
    {"--name \x1b[31m=\xff --count=\x1b[31m\xff", 0, 1, "--count \"\\x1b[31m\\xff\": "},
    {"--coutn 5 --count 0 --colour pink", 1, 2, "must be at least 1"},
};

START_TEST(command_mistakes)
{
    command(commands[_i].line);
    option_apply(&set, &target);
    ck_assert_msg(strstr(mistakes(), commands[_i].words) != NULL, "%s", mistakes());
    ck_assert_msg(set.usage_mistakes == commands[_i].usage, "%s", mistakes());
    ck_assert_msg(set.configuration_mistakes == commands[_i].configuration, "%s", mistakes());
    ck_assert(!option_set_ok(&set));
    ck_assert_uint_eq(set.operand_count, 0);
}
END_TEST

START_TEST(environment_mistakes)
{
    environment("PROG_COUNT=x");
    ck_assert_str_eq(mistakes(), "prog: PROG_COUNT \"x\": must begin with a digit\n");
    environment("PROG_WAIT_TIEM=5s");
    ck_assert_ptr_nonnull(strstr(mistakes(), "the environment variable \"PROG_WAIT_TIEM\" is no "
                                             "option: did you mean \"PROG_WAIT_TIME\"?"));
    environment("PROG_wait_time=5s");
    environment("PROG_KEY=");
    ck_assert_ptr_nonnull(strstr(mistakes(), "PROG_KEY: needs a value"));
    ck_assert_uint_eq(set.configuration_mistakes, 4);
    ck_assert_uint_eq(set.usage_mistakes, 0);
    ck_assert_uint_eq(set.notes.len, 0);
}
END_TEST

START_TEST(foreign_variables_are_only_noted)
{
    environment("PROG_PORT_3000_TCP=tcp://10.0.0.1:3000");
    environment("PROG_HELP=1");
    environment("PROGRAM=1");
    apply_well();
    ck_assert_ptr_nonnull(
        strstr(set.notes.data, "\"PROG_PORT_3000_TCP\" is ignored: it is no option"));
    ck_assert_ptr_nonnull(strstr(set.notes.data, "\"PROG_HELP\" is ignored: only the command"));
    ck_assert_ptr_null(strstr(set.notes.data, "PROGRAM"));
}
END_TEST

START_TEST(what_is_overridden_is_checked_too)
{
    file("count = x\n");
    environment("PROG_COUNT=y");
    command("--count 5");
    option_apply(&set, &target);
    ck_assert_uint_eq(set.configuration_mistakes, 2);
    ck_assert_int_eq(target.count, 5);
}
END_TEST

START_TEST(mistakes_are_bounded)
{
    unsigned lines = 0;
    for (int i = 0; i < 60; i++)
        option_usage_mistake(&set, "mistake %d", i);
    for (const char *c = mistakes(); *c; c++)
        lines += *c == '\n';
    ck_assert_uint_eq(lines, OPTION_MISTAKES_MAX);
    ck_assert_uint_eq(set.usage_mistakes, 60);
}
END_TEST

/* Every way for a key to get into a text; "0123" and "WXYZ" are parts of it. */
START_TEST(secrets_are_not_shown)
{
    struct buf out = BUF_INIT;

    file(SECRET "\n" SECRET " = 1\nkey = " SECRET "x=y\ncount = " SECRET "\n");
    environment("PROG_COUNT=" SECRET);
    command("--count " SECRET " --coutn=" SECRET " --" SECRET " -" SECRET
            " --key bad --key " SECRET);
    option_quote(&table, &out, SECRET);
    option_quote(&table, &out, "x" SECRET);
    option_apply(&set, &target);
    ck_assert_uint_ge(set.configuration_mistakes, 5);
    ck_assert_ptr_null(strstr(mistakes(), "0123"));
    ck_assert_ptr_null(strstr(out.data, "0123"));
    ck_assert_ptr_null(strstr(out.data, "WXYZ"));
    ck_assert_ptr_nonnull(strstr(mistakes(), "--key \"\xe2\x80\xa6\": is bad"));
    buf_finish(&out);
}
END_TEST

START_TEST(effective_options)
{
    struct buf out = BUF_INIT;
    char expected[128];

    file("count = 5\n\nname = a b\n");
    environment("PROG_WAIT_TIME=3s");
    command("--colour red --key " SECRET "=x");
    apply_well();
    option_print_effective(&set, &out);
    snprintf(expected, sizeof expected, "count = 5%39s# %s:1\n", "", path);
    ck_assert_msg(strstr(out.data, expected) != NULL, "%s", out.data);
    ck_assert_ptr_nonnull(strstr(out.data, "\nname = a "));
    ck_assert_ptr_nonnull(strstr(out.data, "\nname = b "));
    ck_assert_ptr_nonnull(strstr(out.data, "# PROG_WAIT_TIME\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "# --colour\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "loud = false "));
    ck_assert_ptr_nonnull(strstr(out.data, "# default\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "key = sk_\xe2\x80\xa6WXYZ=x "));
    ck_assert_ptr_nonnull(strstr(out.data, "# config is not given\n"));
    ck_assert_ptr_null(strstr(out.data, "help"));

    /* It can be used as a file, and then says the same. */
    option_set_finish(&set);
    option_set_init(&set, &table);
    memset(&target, 0, sizeof target);
    *strstr(out.data, "key = ") = '#';
    file(out.data);
    apply_well();
    ck_assert_int_eq(target.count, 5);
    ck_assert_int_eq(target.colour, 0);
    ck_assert_str_eq(target.names, "a,b,");
    buf_finish(&out);
}
END_TEST

START_TEST(short_secrets_are_not_shown_at_all)
{
    struct buf out = BUF_INIT;

    command("--key sk_hunter2=x --key hunter2hunter2hunter2hunter2");
    apply_well();
    option_print_effective(&set, &out);
    ck_assert_ptr_nonnull(strstr(out.data, "\nkey = sk_\xe2\x80\xa6 "));
    ck_assert_ptr_null(strstr(out.data, "ter2"));
    buf_finish(&out);
}
END_TEST

START_TEST(help_and_markdown)
{
    struct buf out = BUF_INIT;

    option_print_help(&table, &out);
    ck_assert_ptr_nonnull(
        strstr(out.data, "\nFirst:\n  --loud                      Be loud. Default: off.\n"));
    ck_assert_ptr_nonnull(
        strstr(out.data, "\nSecond:\n  --wait-time DURATION        How long. Default: 2s.\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "Who. Repeatable. Default: ann bob."));
    ck_assert_ptr_nonnull(strstr(out.data, "  -h, --help                  Help.\n"));
    buf_finish(&out);
    option_print_markdown(&table, &out);
    ck_assert_ptr_nonnull(
        strstr(out.data, "| `--colour a\\|b` | `PROG_COLOUR` | green | The colour. |\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "| `-h, --help` |  |  | Help. |\n"));
    buf_finish(&out);
}
END_TEST

#define LOOP(case_, test_, array_)                                                                 \
    tcase_add_loop_test(case_, test_, 0, (int)(sizeof(array_) / sizeof *(array_)))

int main(void)
{
    Suite *suite = suite_create("option");
    TCase *reading = tcase_create("reading"), *printing = tcase_create("printing");

    tcase_add_checked_fixture(reading, set_begin, set_end);
    tcase_add_test(reading, defaults);
    tcase_add_test(reading, flag_before_environment_before_file);
    tcase_add_loop_test(reading, a_flag_can_be_taken_back, 0, 5);
    tcase_add_test(reading, operands_and_letters);
    LOOP(reading, command_mistakes, commands);
    tcase_add_test(reading, environment_mistakes);
    tcase_add_test(reading, foreign_variables_are_only_noted);
    tcase_add_test(reading, what_is_overridden_is_checked_too);
    tcase_add_test(reading, mistakes_are_bounded);
    suite_add_tcase(suite, reading);
    tcase_add_checked_fixture(printing, set_begin, set_end);
    tcase_add_test(printing, secrets_are_not_shown);
    tcase_add_test(printing, short_secrets_are_not_shown_at_all);
    tcase_add_test(printing, effective_options);
    tcase_add_test(printing, help_and_markdown);
    suite_add_tcase(suite, printing);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
