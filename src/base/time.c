#include "base/time.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t time_wall_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

static int64_t steady_offset;

static void steady_start(void)
{
    steady_offset = clock_ms(CLOCK_REALTIME) - clock_ms(CLOCK_BOOTTIME);
}

int64_t time_steady_ms(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, steady_start);
    return clock_ms(CLOCK_BOOTTIME) + steady_offset;
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
