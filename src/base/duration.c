#include "base/duration.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t worth;
};

/* Smallest first: the formatter keeps the last that leaves no rest. */
static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", INT64_C(60) * 1000}, {"h", INT64_C(60) * 60 * 1000}, {0}};
static const struct unit size_units[] = {
    {"", 1}, {"KiB", 1024}, {"MiB", INT64_C(1024) * 1024}, {0}};

/* What is wrong before any unit is looked at: a sign, a blank, no digits at all. */
static int check_start(const char *text, struct err *err)
{
    if (!*text)
        return err_set(err, ERR_INVALID, "is empty");
    if (strpbrk(text, " \t\r\n\v\f"))
        return err_set(err, ERR_INVALID, "may not contain white space");
    if (*text == '-')
        return err_set(err, ERR_INVALID, "may not be negative");
    if (*text == '+')
        return err_set(err, ERR_INVALID, "needs no sign: leave the + out");
    if (*text < '0' || *text > '9')
        return err_set(err, ERR_INVALID, "must begin with a digit");
    return 0;
}

/* Reads the digits in front; false when the number does not fit. `ret_rest` is what follows. */
static bool read_digits(const char *text, int64_t *ret_number, const char **ret_rest)
{
    int64_t number = 0;
    bool fits = true;

    for (; *text >= '0' && *text <= '9'; text++)
        fits = fits && !__builtin_mul_overflow(number, 10, &number) &&
               !__builtin_add_overflow(number, *text - '0', &number);
    *ret_number = number;
    *ret_rest = text;
    return fits;
}

static const struct unit *find_unit(const struct unit *units, const char *name)
{
    for (; units->name; units++)
        if (!strcmp(units->name, name))
            return units;
    return NULL;
}

/* The number times its unit, or -1 when that is beyond `max`. */
static int64_t multiply(int64_t number, bool fits, int64_t worth, int64_t max)
{
    int64_t product;
    if (!fits || __builtin_mul_overflow(number, worth, &product) || product > max)
        return -1;
    return product;
}

static void format_units(const struct unit *units, int64_t value, char ret_text[DURATION_TEXT_SIZE])
{
    const struct unit *best = units;
    for (; value && units->name; units++)
        if (value % units->worth == 0)
            best = units;
    snprintf(ret_text, DURATION_TEXT_SIZE, "%" PRId64 "%s", value / best->worth, best->name);
}

static int refuse_duration_unit(const char *unit, int64_t number, bool fits, struct err *err)
{
    if (!*unit && fits)
        return err_set(err, ERR_INVALID,
                       "has no unit: write %" PRId64 "ms, %" PRId64 "s, %" PRId64 "m or %" PRId64
                       "h",
                       number, number, number, number);
    if (*unit == '.' || *unit == ',')
        return err_set(err, ERR_INVALID,
                       "must be a whole number: write it in a smaller unit, as 1500ms for 1.5s");
    if (!strcmp(unit, "d"))
        return err_set(err, ERR_INVALID,
                       "has no unit that is known: write days as hours, 48h for 2d");
    return err_set(err, ERR_INVALID, "must be a whole number followed by ms, s, m or h, as in 90s");
}

int duration_parse(const char *text, int64_t *ret_ms, struct err *err)
{
    int64_t number;
    const char *rest;
    int error = check_start(text, err);
    if (error)
        return error;

    bool fits = read_digits(text, &number, &rest);
    const struct unit *unit = find_unit(duration_units, rest);
    if (!unit)
        return refuse_duration_unit(rest, number, fits, err);
    int64_t ms = multiply(number, fits, unit->worth, DURATION_MAX_MS);
    if (ms < 0)
        return err_set(err, ERR_INVALID, "is too long: at most 876600h (100 years)");
    *ret_ms = ms;
    return 0;
}

void duration_format(int64_t ms, char ret_text[DURATION_TEXT_SIZE])
{
    format_units(duration_units, ms, ret_text);
}

int size_parse(const char *text, int64_t *ret_bytes, struct err *err)
{
    int64_t number;
    const char *rest;
    int error = check_start(text, err);
    if (error)
        return error;

    bool fits = read_digits(text, &number, &rest);
    const struct unit *unit = find_unit(size_units, rest);
    if (!unit)
        return err_set(
            err, ERR_INVALID,
            "must be a whole number of bytes, or one followed by KiB or MiB, as in 1MiB");
    int64_t bytes = multiply(number, fits, unit->worth, SIZE_MAX_BYTES);
    if (bytes < 0)
        return err_set(err, ERR_INVALID, "is too large: at most 1048576MiB");
    *ret_bytes = bytes;
    return 0;
}

void size_format(int64_t bytes, char ret_text[DURATION_TEXT_SIZE])
{
    format_units(size_units, bytes, ret_text);
}

int number_parse(const char *text, int64_t *ret_number, struct err *err)
{
    int64_t number;
    const char *rest;
    int error = check_start(text, err);
    if (error)
        return error;

    bool fits = read_digits(text, &number, &rest);
    if (*rest)
        return err_set(err, ERR_INVALID, "must be a whole number, digits only");
    if (!fits)
        return err_set(err, ERR_INVALID, "is too large");
    *ret_number = number;
    return 0;
}
