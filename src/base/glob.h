/* Patterns in which * stands for any characters, none included. Any thread. */
#ifndef UNDERSTUDY_BASE_GLOB_H
#define UNDERSTUDY_BASE_GLOB_H

#include <stdbool.h>

/* Whether all of `text` fits `pattern`. Nothing but * is special. */
bool glob_fits(const char *pattern, const char *text);

#endif
