/*
 * The product's own options: defaults, every kind of value and its refusals, exit codes, and the
 * texts of --help, --version and --check-config. Rules: C3 (durations), S1 (what a key is), S8 and
 * S6 (members are addresses), H2 (--max-body), E10 (--strict-projects), C7 (who listens).
 *
 * With --markdown it prints the documentation's table of options; with --readme FILE it checks that
 * every row of that table stands in FILE.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "engine/reach.h"
#include "report/report.h"

#define KEY       "exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b"
#define OTHER_KEY "exec_live_0000000000000000000000000000000000000000"

static const char *const libraries[] = {"libmicrohttpd 0.9.75", "SQLite 3.40.1", NULL};
static const struct config_about about = {"1.2.3", libraries};

static struct config config;
static struct config_report report;
static enum config_verdict verdict;

static void begin(void)
{
    config = (struct config){0};
    report = (struct config_report){0};
}

static void end(void)
{
    config_finish(&config);
    config_report_finish(&report);
}

/* Loads from words separated by blanks and at most one variable. */
static void load(const char *line, const char *variable)
{
    static char words[1024], *argv[64];
    char *envp[] = {(char *)variable, NULL};
    int argc = 0;

    end();
    snprintf(words, sizeof words, "understudy %s", line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    verdict = config_load(argc, argv, envp, &about, &config, &report);
}

static const char *errors(void)
{
    return report.errors.data ? report.errors.data : "";
}

static void load_well(const char *line, const char *variable)
{
    load(line, variable);
    ck_assert_msg(verdict == CONFIG_RUN, "%s", errors());
    ck_assert_str_eq(errors(), "");
    ck_assert_uint_eq(report.out.len, 0);
}

START_TEST(defaults)
{
    load_well("", NULL);
    ck_assert_int_eq(config.command, CONFIG_SERVE);
    ck_assert_uint_eq(config.listen_count, 2);
    ck_assert_str_eq(config.listens[0].host, "127.0.0.1");
    ck_assert_str_eq(config.listens[1].host, "::1");
    ck_assert_str_eq(config.listens[1].given, "[::1]:3000");
    ck_assert_uint_eq(config.listens[0].port, 3000);
    ck_assert_uint_eq(config.listens[1].port, 3000);
    ck_assert(config.listen_is_default);
    ck_assert_str_eq(config.db, "understudy.db");
    ck_assert_int_eq(config.durability, CONFIG_DURABILITY_POWER);
    ck_assert_uint_eq(config.api_key_count, 0);
    ck_assert_uint_eq(config.member_count, 0);
    ck_assert(!config.no_defaults);
    ck_assert(!config.no_magic);
    ck_assert(!config.open_keys);
    ck_assert(!config.strict_projects);
    ck_assert_int_eq(config.queue_time_ms, 500);
    ck_assert_int_eq(config.processing_time_ms, 2000);
    ck_assert_int_eq(config.max_processing, 0);
    ck_assert_ptr_null(config.public_url);
    ck_assert_int_eq(config.max_body, 1048576);
    ck_assert_int_eq(config.max_connections, 16384);
    ck_assert_int_eq(config.threads, sysconf(_SC_NPROCESSORS_ONLN));
    ck_assert_int_eq(config.callback_policy, REACH_LOCAL);
    ck_assert_uint_eq(config.callback_allow_count, 0);
    ck_assert_ptr_null(config.callback_ca);
    ck_assert_uint_eq(config.report_file_count, 0);
    ck_assert_int_eq(config.log_level, LOG_INFO);
    ck_assert_int_eq(config.log_format, LOG_FORMAT_TEXT);
}
END_TEST

START_TEST(everything_given)
{
    load_well(
        "--listen 0.0.0.0:0 --listen [0:0::1]:80 --listen LocalHost:8080 --db :memory: "
        "--durability=process --api-key " KEY "=acme-2 --api-key " OTHER_KEY
        " --member jane@acme.com --member a=b+c@x.test=acme-2 --no-defaults "
        "--no-magic --open-keys "
        "--queue-time 0s --processing-time 76h --max-processing 3 "
        "--public-url HTTPS://[::1]:8443/base%20path// --strict-projects --max-body 64KiB "
        "--callback-policy public --callback-allow 10.0.0.0/8 --callback-allow Hooks.acme.com "
        "--report a.json --report out/b.XML --report c.md "
        "--max-connections 5 --threads 3 --log-level debug --log-format json",
        NULL);
    ck_assert_uint_eq(config.listen_count, 3);
    ck_assert_str_eq(config.listens[0].host, "0.0.0.0");
    ck_assert_uint_eq(config.listens[0].port, 0);
    ck_assert_str_eq(config.listens[1].host, "::1");
    ck_assert_str_eq(config.listens[1].given, "[0:0::1]:80");
    ck_assert_str_eq(config.listens[2].host, "localhost");
    ck_assert(!config.listen_is_default);
    ck_assert_str_eq(config.db, ":memory:");
    ck_assert_int_eq(config.durability, CONFIG_DURABILITY_PROCESS);
    ck_assert_str_eq(config.api_keys[0].key, KEY);
    ck_assert_str_eq(config.api_keys[0].workspace, "acme-2");
    ck_assert_str_eq(config.api_keys[1].key, OTHER_KEY);
    ck_assert_ptr_null(config.api_keys[1].workspace);
    ck_assert_str_eq(config.members[0].email, "jane@acme.com");
    ck_assert_ptr_null(config.members[0].workspace);
    ck_assert_str_eq(config.members[1].email, "a=b+c@x.test");
    ck_assert_str_eq(config.members[1].workspace, "acme-2");
    ck_assert(config.no_defaults);
    ck_assert(config.no_magic);
    ck_assert(config.open_keys);
    ck_assert(config.strict_projects);
    ck_assert_int_eq(config.queue_time_ms, 0);
    ck_assert_int_eq(config.processing_time_ms, 273600000);
    ck_assert_int_eq(config.max_processing, 3);
    ck_assert_str_eq(config.public_url, "HTTPS://[::1]:8443/base%20path");
    ck_assert_int_eq(config.max_body, 65536);
    ck_assert_int_eq(config.max_connections, 5);
    ck_assert_int_eq(config.threads, 3);
    ck_assert_int_eq(config.callback_policy, REACH_PUBLIC);
    ck_assert_uint_eq(config.callback_allow_count, 2);
    ck_assert_str_eq(config.callback_allows[0], "10.0.0.0/8");
    ck_assert_str_eq(config.callback_allows[1], "Hooks.acme.com");
    ck_assert_uint_eq(config.report_file_count, 3);
    ck_assert_str_eq(config.report_files[0].path, "a.json");
    ck_assert_int_eq(config.report_files[0].format, REPORT_JSON);
    ck_assert_str_eq(config.report_files[1].path, "out/b.XML");
    ck_assert_int_eq(config.report_files[1].format, REPORT_JUNIT);
    ck_assert_int_eq(config.report_files[2].format, REPORT_MARKDOWN);
    ck_assert_int_eq(config.log_level, LOG_DEBUG);
    ck_assert_int_eq(config.log_format, LOG_FORMAT_JSON);
}
END_TEST

START_TEST(lists_from_the_environment)
{
    load_well("", "UNDERSTUDY_LISTEN=127.0.0.1:1 127.0.0.1:2\n");
    ck_assert_uint_eq(config.listen_count, 2);
    ck_assert_uint_eq(config.listens[1].port, 2);
    ck_assert(!config.listen_is_default);
    load_well("--listen 127.0.0.1:3", "UNDERSTUDY_LISTEN=127.0.0.1:1 127.0.0.1:2");
    ck_assert_uint_eq(config.listen_count, 1);
    ck_assert_uint_eq(config.listens[0].port, 3);
}
END_TEST

/* Local while nobody but this machine can ask for callbacks. */
START_TEST(callback_policy_follows_the_listeners)
{
    static const struct {
        const char *line, *variable;
        int policy;
    } cases[] = {
        {"--listen 127.0.0.1:1 --listen [::1]:1", NULL, REACH_LOCAL},
        {"--listen 127.9.9.9:1 --listen localhost:2", NULL, REACH_LOCAL},
        {"--listen 0.0.0.0:1", NULL, REACH_PRIVATE},
        {"--listen [::]:1", NULL, REACH_PRIVATE},
        {"--listen 127.0.0.1:1 --listen 10.0.0.1:1", NULL, REACH_PRIVATE},
        {"", "UNDERSTUDY_LISTEN=127.0.0.1:1 10.0.0.1:1", REACH_PRIVATE},
        {"--listen 127.0.0.1:1", "UNDERSTUDY_LISTEN=0.0.0.0:1", REACH_LOCAL},
        {"--listen 0.0.0.0:1 --callback-policy local", NULL, REACH_LOCAL},
        {"--listen 0.0.0.0:1", "UNDERSTUDY_CALLBACK_POLICY=any", REACH_ANY},
        {"--callback-policy private", NULL, REACH_PRIVATE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        load_well(cases[i].line, cases[i].variable);
        ck_assert_msg(config.callback_policy == cases[i].policy, "%s", cases[i].line);
    }
    load("--check-config --listen 0.0.0.0:1", NULL);
    ck_assert_ptr_nonnull(strstr(report.out.data, "callback-policy = private  "));
}
END_TEST

static const struct {
    const char *line, *words;
} refused[] = {
    {"--listen :3000", "has no address: write 127.0.0.1:3000"},
    {"--listen 3000", "has no address"},
    {"--listen [::1]", "has no port: write [::1]:3000"},
    {"--listen 127.0.0.1", "has no port: write 127.0.0.1:3000"},
    {"--listen 127.0.0.1:", "has no port after the colon"},
    {"--listen 127.0.0.1:65536", "the port must be a number from 0 to 65535"},
    {"--listen 127.0.0.1:-1", "the port must be a number from 0 to 65535"},
    {"--listen 127.0.0.1:http", "the port must be a number from 0 to 65535"},
    {"--listen 127.0.0.1:4294970296", "the port must be a number from 0 to 65535"},
    {"--listen 127.0.0.1:000000000000000000000000000000000000000000000000003000", "the port must"},
    {"--listen ::1:3000", "an IPv6 address needs brackets"},
    {"--listen [127.0.0.1]:3000", "the address must be an IPv4 address"},
    {"--listen 127.1:3000", "the address must be an IPv4 address"},
    {"--listen 127.0.0.256:3000", "the address must be an IPv4 address"},
    {"--listen example.com:3000", "other names are not looked up"},
    {"--listen http://127.0.0.1:3000", "not a URL"},
    {"--listen 127.0.0.1:3000 --listen 127.0.0.1:3000", "is given twice"},
    {"--listen [::1]:3000 --listen [0:0::1]:3000", "is given twice"},
    {"--db /var/lib/", "must be a file, not a directory"},
    {"--durability powr", "must be power or process: did you mean \"power\"?"},
    {"--api-key hunter2", "--api-key \"\xe2\x80\xa6\": a key begins with exec_live_"},
    {"--api-key exec_live_abc", "a key has 40 letters and digits after exec_live_, not 3"},
    {"--api-key " KEY "0", "not 41"},
    {"--api-key exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7-", "letters and digits only"},
    {"--api-key " KEY "=", "names no workspace"},
    {"--api-key " KEY "=Acme", "lower-case letters, digits and - only"},
    {"--api-key " KEY "=-a", "cannot begin or end with -"},
    {"--api-key " KEY "=a-", "cannot begin or end with -"},
    {"--api-key " KEY "=a=b", "lower-case letters, digits and - only"},
    {"--api-key " KEY "=0123456789012345678901234567890123456789012345678901234567890123",
     "at most 63 characters"},
    {"--api-key " KEY " --api-key " KEY "=acme", "is given twice: a key belongs to one workspace"},
    {"--member jane", "must be an e-mail address"},
    {"--member @acme.com", "must be an e-mail address"},
    {"--member jane@", "must be an e-mail address"},
    {"--member jane@a@b", "must be an e-mail address"},
    {"--member jane@acme.", "must be an e-mail address"},
    {"--member jane@acme.com=", "names no workspace"},
    {"--member jane@acme.com --member JANE@acme.com", "is given twice"},
    {"--queue-time 5", "--queue-time \"5\": has no unit"},
    {"--processing-time 2d", "48h for 2d"},
    {"--max-processing -1", "may not be negative"},
    {"--public-url localhost:3000", "must be a whole URL that begins with http://"},
    {"--public-url ftp://x", "must be a whole URL"},
    {"--public-url http://", "has no valid host"},
    {"--public-url http:///x", "has no valid host"},
    {"--public-url http://a_b%/", "has no valid host"},
    {"--public-url http://[::1", "has no valid host"},
    {"--public-url http://jane:x@host/", "may not contain user info"},
    {"--public-url http://host?x", "may have neither a query"},
    {"--public-url http://host/#x", "may have neither a query"},
    {"--public-url http://host:0/", "the port must be a number from 1 to 65535"},
    {"--public-url http://host:65536/", "the port must be a number from 1 to 65535"},
    {"--public-url http://host/a\"b", "must be written as %XX"},
    {"--public-url http://host/%zz", "must be written as %XX"},
    {"--max-body 0", "must be at least 1"},
    {"--max-body 65MiB", "must be at most 64MiB"},
    {"--max-body 1MB", "KiB or MiB"},
    {"--max-connections 0", "must be at least 1"},
    {"--threads 0", "--threads \"0\": must be at least 1"},
    {"--threads 1025", "must be at most 1024"},
    {"--callback-policy lokal", "local, private, public or any: did you mean \"local\"?"},
    {"--callback-allow 10.0.0.1/8", "--callback-allow \"10.0.0.1/8\": has bits behind its prefix"},
    {"--callback-allow 10.0.0.0/8 --callback-allow 169.254.0.0/16", "callbacks never go there"},
    {"--callback-ca /nowhere", "--callback-ca \"/nowhere\": cannot be opened"},
    {"--callback-ca /", "--callback-ca \"/\": cannot be read"},
    {"--callback-ca /dev/null", "has no certificate in PEM"},
    {"--report report.txt", "--report \"report.txt\": must end in .json, .md or .xml"},
    {"--report report", "must end in .json, .md or .xml"},
    {"--report .json", "must end in .json, .md or .xml"},
    {"--report a.json --report b.md --report a.json", "\"a.json\": is given twice"},
    {"--journal off --report a.json", "--report needs --journal on"},
    {"--log-level verbose", "must be error, warn, info or debug"},
    {"--log-format xml", "must be text or json"},
    {"--config /nowhere", "/nowhere: cannot be read"},
    {"healthcheck ftp://x", "healthcheck: the URL must be a whole URL"},
};

START_TEST(wrong_values_exit_with_78)
{
    load(refused[_i].line, NULL);
    ck_assert_int_eq(verdict, CONFIG_EXIT);
    ck_assert_int_eq(report.exit_code, 78);
    ck_assert_msg(strstr(errors(), refused[_i].words) != NULL, "%s", errors());
    ck_assert_ptr_eq(strchr(errors(), '\n'), errors() + strlen(errors()) - 1); /* one mistake */
    ck_assert_int_eq(strncmp(errors(), "understudy: ", 12), 0);
    ck_assert_ptr_null(strstr(errors(), "aB3dE5f")); /* S1: a key is never printed */
    ck_assert_uint_eq(report.out.len, 0);
    ck_assert_ptr_null(config.db); /* untouched */
}
END_TEST

START_TEST(usage_mistakes_exit_with_64)
{
    static const char *const lines[][2] = {
        {"--queue-tiem 5s", "did you mean \"--queue-time\"?"},
        {"--threads", "--threads needs a value: --threads N"},
        {"--db a --db b", "--db is given twice"},
        {"serve", "unexpected argument \"serve\""},
        {"version", "did you mean \"--version\"?"},
        {"helthcheck", "did you mean \"healthcheck\"?"},
        {"healthcheck http://a http://b", "unexpected argument \"http://b\""},
        {"--check-config=yes", "--check-config takes no value"},
        {KEY, "unexpected argument \"exec_live_\xe2\x80\xa6\""},
        {"--threads 0 --frobnicate", "--threads \"0\""}, /* 64 wins, both are told */
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        load(lines[i][0], NULL);
        ck_assert_int_eq(verdict, CONFIG_EXIT);
        ck_assert_int_eq(report.exit_code, 64);
        ck_assert_msg(strstr(errors(), lines[i][1]) != NULL, "%s", errors());
    }
}
END_TEST

START_TEST(every_mistake_is_told)
{
    char path[] = "/tmp/test_config_XXXXXX", line[128], expected[512];
    int fd = mkstemp(path);
    static const char text[] = "threads = 0\nqueue-tiem = 1s\n";

    ck_assert_int_eq(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    snprintf(line, sizeof line, "--config %s --log-level loud --log-format xml", path);
    load(line, "UNDERSTUDY_MAX_BODY=1MB");
    unlink(path);
    ck_assert_int_eq(report.exit_code, 78);
    snprintf(expected, sizeof expected,
             "understudy: --log-level \"loud\": must be error, warn, info or debug\n"
             "understudy: --log-format \"xml\": must be text or json\n"
             "understudy: UNDERSTUDY_MAX_BODY \"1MB\": must be a whole number of bytes, or one "
             "followed by KiB or MiB, as in 1MiB\n"
             "understudy: %s:1: threads \"0\": must be at least 1\n"
             "understudy: %s:2: unknown option \"queue-tiem\": did you mean \"queue-time\"?\n",
             path, path);
    ck_assert_str_eq(errors(), expected);
}
END_TEST

START_TEST(healthcheck)
{
    load_well("healthcheck", NULL);
    ck_assert_int_eq(config.command, CONFIG_HEALTHCHECK);
    ck_assert_ptr_null(config.healthcheck_url);
    load_well("--threads 2 healthcheck http://127.0.0.1:3000/readyz", NULL);
    ck_assert_int_eq(config.command, CONFIG_HEALTHCHECK);
    ck_assert_str_eq(config.healthcheck_url, "http://127.0.0.1:3000/readyz");
}
END_TEST

START_TEST(help)
{
    load("--help --frobnicate", "UNDERSTUDY_THREADS=0");
    ck_assert_int_eq(verdict, CONFIG_EXIT);
    ck_assert_int_eq(report.exit_code, 0);
    ck_assert_str_eq(errors(), "");
    for (const char *line = report.out.data; *line; line += strcspn(line, "\n") + 1)
        ck_assert_msg(strcspn(line, "\n") <= 80, "too wide: %.90s", line);
    ck_assert_ptr_nonnull(strstr(report.out.data, "UNDERSTUDY_QUEUE_TIME=1s"));
    ck_assert_ptr_nonnull(strstr(report.out.data, "  --api-key KEY[=WORKSPACE]  "));
}
END_TEST

START_TEST(version)
{
    load("--version", "UNDERSTUDY_VERSION=9");
    ck_assert_int_eq(verdict, CONFIG_EXIT);
    ck_assert_int_eq(report.exit_code, 0);
    ck_assert_str_eq(report.out.data, "understudy 1.2.3\nlibmicrohttpd 0.9.75\nSQLite 3.40.1\n");
}
END_TEST

START_TEST(check_config)
{
    load("--check-config --api-key " KEY "=acme", "UNDERSTUDY_QUEUE_TIME=90s");
    ck_assert_int_eq(verdict, CONFIG_EXIT);
    ck_assert_int_eq(report.exit_code, 0);
    ck_assert_ptr_nonnull(strstr(report.out.data, "api-key = exec_live_\xe2\x80\xa6zA7b=acme "));
    ck_assert_ptr_null(strstr(report.out.data, "aB3dE5f"));
    ck_assert_ptr_nonnull(strstr(report.out.data, "queue-time = 90s "));
    ck_assert_ptr_nonnull(strstr(report.out.data, "# UNDERSTUDY_QUEUE_TIME\n"));
    load("--check-config --threads 0", NULL);
    ck_assert_int_eq(report.exit_code, 78);
    ck_assert_uint_eq(report.out.len, 0);
}
END_TEST

START_TEST(foreign_variables_do_not_stop_the_start)
{
    load("", "UNDERSTUDY_SERVICE_HOST=10.0.0.1");
    ck_assert_int_eq(verdict, CONFIG_RUN);
    ck_assert_ptr_nonnull(strstr(errors(), "\"UNDERSTUDY_SERVICE_HOST\" is ignored"));
}
END_TEST

static int check_readme(const char *path)
{
    static char readme[1 << 18];
    struct buf table = BUF_INIT;
    FILE *file = fopen(path, "r");
    int missing = 0;

    if (!file) {
        perror(path);
        return EXIT_FAILURE;
    }
    readme[fread(readme, 1, sizeof readme - 1, file)] = '\0';
    fclose(file);
    config_print_markdown(&table);
    for (char *row = strtok(table.data, "\n"); row; row = strtok(NULL, "\n"))
        if (!strstr(readme, row)) {
            printf("%s: lacks the row\n%s\n", path, row);
            missing++;
        }
    buf_finish(&table);
    return missing ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int print_markdown(void)
{
    struct buf table = BUF_INIT;
    config_print_markdown(&table);
    fputs(table.data, stdout);
    buf_finish(&table);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--markdown"))
        return print_markdown();
    if (argc == 3 && !strcmp(argv[1], "--readme"))
        return check_readme(argv[2]);

    Suite *suite = suite_create("config");
    TCase *tcase = tcase_create("config");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, defaults);
    tcase_add_test(tcase, everything_given);
    tcase_add_test(tcase, lists_from_the_environment);
    tcase_add_test(tcase, callback_policy_follows_the_listeners);
    tcase_add_loop_test(tcase, wrong_values_exit_with_78, 0,
                        (int)(sizeof refused / sizeof *refused));
    tcase_add_test(tcase, usage_mistakes_exit_with_64);
    tcase_add_test(tcase, every_mistake_is_told);
    tcase_add_test(tcase, healthcheck);
    tcase_add_test(tcase, help);
    tcase_add_test(tcase, version);
    tcase_add_test(tcase, check_config);
    tcase_add_test(tcase, foreign_variables_do_not_stop_the_start);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
