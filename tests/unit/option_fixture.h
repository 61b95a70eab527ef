/*
 * What the two programs that test the option table share: a small table with one option of each
 * kind, and ways to feed a set from words, a variable and a file of its own.
 */
#ifndef UNDERSTUDY_TESTS_OPTION_FIXTURE_H
#define UNDERSTUDY_TESTS_OPTION_FIXTURE_H

#include <check.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/option.h"

struct target {
    bool loud;
    int colour;
    int64_t count, size, wait;
    char names[256]; /* each followed by a comma */
};

static int parse_name(const char *text, void *target, struct err *err)
{
    if (!strcmp(text, "bad"))
        return err_set(err, ERR_INVALID, "is bad");
    if (target) {
        strcat(((struct target *)target)->names, text);
        strcat(((struct target *)target)->names, ",");
    }
    return 0;
}

static const char *const colours[] = {"red", "green", "blue", NULL};

static const struct option_spec specs[] = {
    {.name = "loud",
     .group = "First",
     .type = OPTION_FLAG,
     .fallback = "false",
     .offset = offsetof(struct target, loud),
     .help = "Be loud."},
    {.name = "colour",
     .argument = "a|b",
     .type = OPTION_CHOICE,
     .choices = colours,
     .fallback = "green",
     .offset = offsetof(struct target, colour),
     .help = "The colour."},
    {.name = "count",
     .argument = "N",
     .type = OPTION_NUMBER,
     .min = 1,
     .max = 100,
     .fallback = "7",
     .offset = offsetof(struct target, count),
     .help = "How many."},
    {.name = "size",
     .argument = "SIZE",
     .type = OPTION_SIZE,
     .min = 1024,
     .max = 1048576,
     .fallback = "1MiB",
     .offset = offsetof(struct target, size),
     .help = "How large."},
    {.name = "wait-time",
     .group = "Second",
     .argument = "DURATION",
     .type = OPTION_DURATION,
     .max = 60000,
     .fallback = "2s",
     .offset = offsetof(struct target, wait),
     .help = "How long."},
    {.name = "name",
     .argument = "NAME",
     .type = OPTION_PARSED,
     .repeatable = true,
     .fallback = "ann bob",
     .parse = parse_name,
     .help = "Who."},
    {.name = "key",
     .argument = "KEY",
     .type = OPTION_PARSED,
     .repeatable = true,
     .secret = true,
     .parse = parse_name,
     .fallback_help = "none",
     .help = "With which key."},
    {.name = "config",
     .argument = "FILE",
     .type = OPTION_PARSED,
     .parse = parse_name,
     .not_in_file = true,
     .help = "From where."},
    {.name = "help", .letter = 'h', .type = OPTION_ACTION, .help = "Help."},
};

static const struct option_table table = {
    .program = "prog",
    .prefix = "PROG",
    .secret_prefix = "sk_",
    .usage = "prog",
    .epilogue = "The end.\n",
    .specs = specs,
    .count = sizeof specs / sizeof *specs,
};

#define SECRET "sk_0123456789abcdefghijWXYZ"

static struct option_set set;
static struct target target;
static char path[] = "/tmp/test_option_XXXXXX";

static inline void set_begin(void)
{
    memset(&target, 0, sizeof target);
    option_set_init(&set, &table);
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static inline void set_end(void)
{
    option_set_finish(&set);
    unlink(path);
    strcpy(path + strlen(path) - 6, "XXXXXX");
}

/* Words are separated by blanks. */
static inline void command(const char *line)
{
    static char words[512], *argv[32];
    int argc = 0;

    snprintf(words, sizeof words, "prog %s", line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    option_read_command(&set, argc, argv);
}

static inline void environment(const char *entry)
{
    char *const envp[] = {(char *)"PATH=/bin", (char *)entry, NULL};
    option_read_environment(&set, envp);
}

static inline void file_bytes(const char *bytes, size_t len)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
    fclose(file);
    option_read_file(&set, path);
}

static inline void file(const char *text)
{
    file_bytes(text, strlen(text));
}

static inline const char *mistakes(void)
{
    return set.mistakes.data ? set.mistakes.data : "";
}

static inline void apply_well(void)
{
    option_apply(&set, &target);
    ck_assert_msg(option_set_ok(&set), "%s", mistakes());
}

#endif
