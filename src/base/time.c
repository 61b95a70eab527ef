#include "base/time.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t clock_ms(clockid_t clock)
{
    return clock_us(clock) / 1000;
}

int64_t time_wall_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

static int64_t steady_offset;

static void steady_start(void)
{
    steady_offset = clock_us(CLOCK_REALTIME) - clock_us(CLOCK_BOOTTIME);
}

int64_t time_steady_us(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, steady_start);
    return clock_us(CLOCK_BOOTTIME) + steady_offset;
}

int64_t time_steady_ms(void)
{
    return time_steady_us() / 1000;
}

void time_init_wake(pthread_cond_t *ret_wake)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(ret_wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

bool time_wait(pthread_cond_t *wake, pthread_mutex_t *lock, int64_t ms)
{
    struct timespec until;
    if (ms <= 0)
        return true;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return pthread_cond_timedwait(wake, lock, &until) == ETIMEDOUT;
}

static char *put_digits(char *at, int value, int digits)
{
    for (int i = digits; i--; value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + digits;
}

/*
 * Writes date and time up to the seconds, and returns the milliseconds that are left. Not by
 * gmtime_r(), which takes a lock of the whole process, because every answer has several times: the
 * Gregorian calendar in days since 1 March 0000, whose years end with the leap day, in eras of 400
 * years.
 */
static int put_date_time(int64_t ms, char **at)
{
    enum { DAY_MS = 24 * 60 * 60 * 1000, ERA_DAYS = 146097, EPOCH_DAYS = 719468 };
    int64_t days = ms / DAY_MS - (ms % DAY_MS < 0);
    int rest = (int)(ms - days * DAY_MS);
    days += EPOCH_DAYS;
    int64_t era = days / ERA_DAYS - (days % ERA_DAYS < 0);
    int day_of_era = (int)(days - era * ERA_DAYS);
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month = (5 * day_of_year + 2) / 153; /* 0 is March */
    int day = day_of_year - (153 * month + 2) / 5 + 1;
    int year = (int)(year_of_era + era * 400) + (month >= 10);

    char *to = put_digits(*at, year, 4);
    *to++ = '-';
    to = put_digits(to, month < 10 ? month + 3 : month - 9, 2);
    *to++ = '-';
    to = put_digits(to, day, 2);
    *to++ = 'T';
    to = put_digits(to, rest / 3600000, 2);
    *to++ = ':';
    to = put_digits(to, rest / 60000 % 60, 2);
    *to++ = ':';
    *at = put_digits(to, rest / 1000 % 60, 2);
    return rest % 1000;
}

void time_format_seconds(int64_t ms, char ret_text[TIME_TEXT_SIZE])
{
    char *at = ret_text;
    put_date_time(ms, &at);
    memcpy(at, "Z", 2);
}

void time_format_millis(int64_t ms, char ret_text[TIME_TEXT_SIZE])
{
    char *at = ret_text;
    int rest = put_date_time(ms, &at);
    *at++ = '.';
    at = put_digits(at, rest, 3);
    memcpy(at, "Z", 2);
}

/* -- reading ----------------------------------------------------------------------------------- */

/* So many digits; moves on behind them. */
static bool take_digits(const char **at, int digits, int *ret_value)
{
    int value = 0;
    for (; digits; digits--, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        value = value * 10 + (**at - '0');
    }
    *ret_value = value;
    return true;
}

static bool take_letter(const char **at, char letter)
{
    char lower = letter;
    if (letter >= 'A' && letter <= 'Z')
        lower = (char)(letter + 'a' - 'A');
    if (**at != letter && **at != lower)
        return false;
    (*at)++;
    return true;
}

/* The fraction of a second, where there is one: at least one digit, of which three count. */
static bool take_fraction(const char **at, int *ret_ms)
{
    int ms = 0, worth = 100;
    if (**at == '.') {
        if (*++*at < '0' || **at > '9')
            return false;
        for (; **at >= '0' && **at <= '9'; (*at)++, worth /= 10)
            ms += worth * (**at - '0');
    }
    *ret_ms = ms;
    return true;
}

/* Z, or how far local time is ahead of UTC, in minutes. */
static bool take_offset(const char **at, int *ret_minutes)
{
    int hours = 0, minutes = 0;
    if (take_letter(at, 'Z')) {
        *ret_minutes = 0;
        return true;
    }
    int sign = **at == '-' ? -1 : 1;
    if (!take_letter(at, '+') && !take_letter(at, '-'))
        return false;
    if (!take_digits(at, 2, &hours) || !take_letter(at, ':') || !take_digits(at, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    *ret_minutes = sign * (hours * 60 + minutes);
    return true;
}

struct date_time {
    int year, month, day, hour, minute, second, ms, offset;
};

static bool take_all(const char *at, struct date_time *ret)
{
    return take_digits(&at, 4, &ret->year) && take_letter(&at, '-') &&
           take_digits(&at, 2, &ret->month) && take_letter(&at, '-') &&
           take_digits(&at, 2, &ret->day) && take_letter(&at, 'T') &&
           take_digits(&at, 2, &ret->hour) && take_letter(&at, ':') &&
           take_digits(&at, 2, &ret->minute) && take_letter(&at, ':') &&
           take_digits(&at, 2, &ret->second) && take_fraction(&at, &ret->ms) &&
           take_offset(&at, &ret->offset) && !*at;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* The same calendar as in put_date_time(), the other way. */
static int64_t days_since_epoch(const struct date_time *date)
{
    enum { ERA_DAYS = 146097, EPOCH_DAYS = 719468 };
    int year = date->year - (date->month <= 2); /* it begins with March */
    int month = date->month > 2 ? date->month - 3 : date->month + 9;
    int era = year / 400, year_of_era = year % 400; /* years from 1969 on */
    int day_of_year = (153 * month + 2) / 5 + date->day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int64_t)era * ERA_DAYS + day_of_era - EPOCH_DAYS;
}

int time_parse(const char *text, int64_t *ret_ms, struct err *err)
{
    struct date_time date;
    if (!take_all(text, &date))
        return err_set(err, ERR_INVALID, "is no time: write it as 2024-03-01T10:00:00Z");
    if (date.month < 1 || date.month > 12 || date.day < 1 ||
        date.day > days_in(date.year, date.month))
        return err_set(err, ERR_INVALID, "is no date of the calendar");
    if (date.hour > 23 || date.minute > 59 || date.second > 59)
        return err_set(err, ERR_INVALID, "is no time of day: 00:00:00 to 23:59:59");
    int64_t minutes = (days_since_epoch(&date) * 24 + date.hour) * 60 + date.minute - date.offset;
    int64_t ms = (minutes * 60 + date.second) * 1000 + date.ms;
    if (date.year < 1969 || ms < 0 || ms > TIME_MAX)
        return err_set(err, ERR_INVALID, "is not between the years 1970 and 9999, in UTC");
    *ret_ms = ms;
    return 0;
}
