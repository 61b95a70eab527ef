#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *err_system(int error)
{
    static _Thread_local char text[128]; /* the longest has half as many */
    return strerror_r(error, text, sizeof text);
}

void err_write(struct err *err, const char *format, ...)
{
    if (!err)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
}

const char *err_reason(int code)
{
    switch (code) {
    case ERR_NO_MEMORY:
        return "out of memory";
    case ERR_IO:
        return "the store's medium cannot be read or written";
    case ERR_FULL:
        return "the store's disk is full";
    case ERR_BUSY:
        return "another process holds the store's lock";
    case ERR_CORRUPT:
        return "the store is damaged";
    case ERR_PERMISSION:
        return "no permission to write the store";
    case ERR_OVERLOADED:
        return "too many writes wait";
    case ERR_STOPPING:
        return "the server is stopping";
    default:
        return "a fault of the program";
    }
}
