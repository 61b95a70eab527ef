#include "base/time.h"

#include <pthread.h>
#include <stdio.h>
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

/* Splits into whole seconds, broken down, and the milliseconds that are left (also before 1970). */
static int break_down(int64_t ms, struct tm *ret)
{
    int64_t rest = ms % 1000;
    if (rest < 0)
        rest += 1000;
    time_t seconds = (time_t)((ms - rest) / 1000);
    gmtime_r(&seconds, ret);
    return (int)rest;
}

void time_format_seconds(int64_t ms, char ret_text[TIME_TEXT_SIZE])
{
    struct tm at;
    break_down(ms, &at);
    strftime(ret_text, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &at);
}

void time_format_millis(int64_t ms, char ret_text[TIME_TEXT_SIZE])
{
    struct tm at;
    int rest = break_down(ms, &at);
    size_t len = strftime(ret_text, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &at);
    snprintf(ret_text + len, TIME_TEXT_SIZE - len, ".%03dZ", rest);
}
